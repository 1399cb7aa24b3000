"""How answers are judged: the newest word counts, in the viewer's days, as the filter says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from core.analytics import Accuracies, Accuracy, AccuracyFilter, Estimate
from core.ledger import Event, ExecutionPlanned, Ledger
from core.statistics import wilson_interval
from tests.answering import AT, DAY, LISTED, NOW, SECOND, answer, fitted, many, ran, said, taken
from tests.fakes import FakeClock

BERLIN = "Europe/Berlin"
DOMAIN_OF = {
    "bug-fix": "dev",
    "code-refactor": "dev",
    "meal-planning": "health",
    "exam-prep": "learning",
    "savings-goal": "finance",
}


@pytest.fixture
def accuracies(ledger: Ledger, clock: FakeClock) -> Accuracies:
    clock.set(NOW)
    return Accuracies(ledger, clock)


def seen(accuracies: Accuracies, zone: str = "UTC", **wanted: object) -> Accuracy:
    return accuracies.over(AccuracyFilter(**{"days": 7, **wanted}), zone, DOMAIN_OF)  # type: ignore[arg-type]


def hits(share: Estimate) -> tuple[int, int]:
    return round((share.value or 0) * share.n), share.n


# --- what counts


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ([ran("a", "bug-fix")], "first"),
        ([said("a", "chosen", "bug-fix")], "first"),
        ([ran("a", "bug-fix", 10), ran("a", "code-refactor", 20)], "second"),
        ([ran("a", "code-refactor", 20), ran("a", "bug-fix", 10)], "second"),
        ([ran("a", "code-refactor", 10), said("a", "chosen", "bug-fix", 20)], "first"),
        ([said("a", "chosen", "code-refactor", 10), ran("a", "bug-fix", 20)], "first"),
        ([said("a", "dismissed")], "none of them"),
        ([ran("a", "bug-fix", 10), said("a", "dismissed", after_s=20)], "none of them"),
        ([said("a", "dismissed", after_s=10), ran("a", "exam-prep", 20)], "further down"),
        ([said("a", "dismissed"), said("a", "chosen", "journalling", 20)], "not listed"),
        # At the same time, the choice counts; it was made by the one who dismissed the list.
        ([said("a", "dismissed"), ran("a", "meal-planning")], "third"),
        ([ran("a", "meal-planning"), said("a", "dismissed")], "third"),
    ],
)
def test_the_newest_word_counts(
    ledger: Ledger, accuracies: Accuracies, words: list[Event], place: str
) -> None:
    ledger.write(*answer("a"), *words)
    accuracy = seen(accuracies)
    assert {name: n for name, n in accuracy.by_place.items() if n} == {place: 1}
    assert hits(accuracy.taken) == (int(place == "first"), 1)


@pytest.mark.parametrize(
    "word",
    [
        said("a", "usefulness", "bug-fix"),
        said("a", "chosen"),  # of no workflow
        said("a", "chosen", "bug-fix", user_id="eve"),
        said("a", "dismissed", user_id="eve"),
        said("b", "chosen", "bug-fix"),
        ran("a", "bug-fix", user_id="eve"),
        ran("a", "bug-fix", decision="denied", denied_rule="user:execute:3/minute"),
        ran("a", "bug-fix", recommendation_id=None),
        ran("a", None),
    ],
    ids=lambda word: f"{word.table}-{word.user_id}",
)
def test_what_is_no_word_of_its_person_leaves_an_answer_unknown(
    ledger: Ledger, accuracies: Accuracies, word: Event
) -> None:
    ledger.write(*answer("a"), word)
    accuracy = seen(accuracies)
    assert (accuracy.answers, accuracy.judged) == (1, 0)
    assert accuracy.calibration is None
    assert accuracy.taken == Estimate(None, (0.0, 1.0), 0)


def test_unknown_answers_are_left_out_of_every_share_but_coverage(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        *answer("right"),
        *answer("wrong"),
        *answer("unknown", confidence=0.3),
        *answer("unknown too", confidence=0.5),
        ran("right", "bug-fix"),
        ran("wrong", "exam-prep"),
    )
    accuracy = seen(accuracies)
    assert (accuracy.answers, accuracy.judged) == (4, 2)
    assert accuracy.taken == Estimate(0.5, wilson_interval(1, 2), 2)
    assert accuracy.covered == Estimate(0.75, wilson_interval(3, 4), 4)


def test_hits_and_reciprocal_ranks_are_those_of_the_places_in_the_list(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    chosen = (*LISTED[:4], "journalling")
    for each in chosen:
        ledger.write(*answer(each), ran(each, each))
    ledger.write(*answer("none"), said("none", "dismissed"))
    accuracy = seen(accuracies)
    assert hits(accuracy.taken) == (1, 6)
    assert hits(accuracy.in_three) == (3, 6)
    assert accuracy.reciprocal_rank.value == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 6)
    low, high = accuracy.reciprocal_rank.interval
    assert low < (1 + 1 / 2 + 1 / 3 + 1 / 4) / 6 < high
    assert accuracy.by_place == {
        "first": 1,
        "second": 1,
        "third": 1,
        "further down": 1,
        "not listed": 1,
        "none of them": 1,
    }


def test_another_choice_after_the_first_is_a_reselection_and_the_same_again_is_not(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        *answer("changed"),
        ran("changed", "bug-fix", 10),
        ran("changed", "exam-prep", 20),
        *answer("changed back"),
        ran("changed back", "bug-fix", 10),
        said("changed back", "chosen", "exam-prep", 20),
        ran("changed back", "bug-fix", 30),
        *answer("twice the same"),
        said("twice the same", "chosen", "bug-fix", 10),
        ran("twice the same", "bug-fix", 11),
        *answer("dismissed"),
        said("dismissed", "dismissed"),
    )
    accuracy = seen(accuracies)
    assert hits(accuracy.reselected) == (2, 3)  # who chose nothing cannot choose again
    assert hits(accuracy.taken) == (2, 4)


def test_the_time_to_choose_is_that_of_the_first_choice(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    for number, seconds in enumerate((4, 8, 15, 16, 23, 42.5)):
        name = str(number)
        ledger.write(*answer(name), ran(name, "exam-prep", seconds), ran(name, "bug-fix", 90))
    ledger.write(*answer("none"), said("none", "dismissed", after_s=1))
    median = seen(accuracies).seconds_to_choice
    assert (median.value, median.n) == (15.5, 6)
    assert median.interval == (4, 42.5)


def test_few_times_have_a_median_without_an_interval(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(*answer("a"), ran("a", "bug-fix", 5))
    median = seen(accuracies).seconds_to_choice
    assert (median.value, median.interval, median.n) == (5, (0.0, float("inf")), 1)


def test_an_empty_ledger_has_an_accuracy_of_nothing(accuracies: Accuracies) -> None:
    for days in (7, 30, None):
        accuracy = seen(accuracies, days=days)
        assert (accuracy.answers, accuracy.judged, accuracy.calibration) == (0, 0, None)
        assert {span.taken.n for span in accuracy.spans} == {0}
        tables = (accuracy.misses, accuracy.rankers, accuracy.by_domain)
        assert [len(table) for table in tables] == [0, 0, 0]
    assert accuracies.rankers() == []
    assert accuracies.curves("local 1").in_force is None


# --- days


def local(zone: str, *parts: int) -> datetime:
    """A time on the clock of a zone, in UTC."""
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1)])
@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Asia/Kolkata", "UTC"])
def test_an_answer_counts_on_the_day_on_which_its_clock_says_it_came(
    ledger: Ledger, clock: FakeClock, accuracies: Accuracies, zone: str, day: date
) -> None:
    midnight = local(zone, day.year, day.month, day.day)
    next_one = local(zone, *(day + DAY).timetuple()[:3])
    moment = timedelta(microseconds=1)
    times = (midnight - moment, midnight, next_one - moment, next_one)
    for number, at in enumerate(times):
        ledger.write(*answer(str(number), at), taken(str(number), at))
    clock.set(next_one + DAY / 2)
    spans = seen(accuracies, zone, days=4).spans
    assert {span.first: span.taken.n for span in spans} == {
        day - 2 * DAY: 0,
        day - DAY: 1,
        day: 2,
        day + DAY: 1,
    }
    assert [span.covered.n for span in spans] == [0, 1, 2, 1]
    assert [span.finished for span in spans] == [True, True, True, False]
    clock.set(next_one + DAY / 2)
    assert seen(accuracies, zone, days=2).answers == 3


@pytest.mark.parametrize("at", [datetime(2026, 11, 5, tzinfo=UTC), NOW + 9 * DAY])
def test_an_answer_of_tomorrow_by_a_wrong_clock_is_left_out(
    ledger: Ledger, accuracies: Accuracies, at: datetime
) -> None:
    ledger.write(*answer("a", at), taken("a", at))
    accuracy = seen(accuracies)
    assert (accuracy.answers, accuracy.judged) == (0, 0)


def spans_of(accuracy: Accuracy) -> list[tuple[date, date]]:
    return [(span.first, span.last) for span in accuracy.spans]


def test_a_month_with_few_answers_is_told_by_weeks_from_monday(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(*answer("a"), ran("a", "bug-fix"))
    accuracy = seen(accuracies, days=30)
    assert spans_of(accuracy) == [
        (date(2026, 10, 6), date(2026, 10, 11)),
        (date(2026, 10, 12), date(2026, 10, 18)),
        (date(2026, 10, 19), date(2026, 10, 25)),
        (date(2026, 10, 26), date(2026, 11, 1)),
        (date(2026, 11, 2), date(2026, 11, 4)),
    ]
    assert [span.taken.n for span in accuracy.spans] == [0, 0, 0, 0, 1]


def test_a_month_with_many_answers_is_told_by_days(ledger: Ledger, accuracies: Accuracies) -> None:
    events: list[Event] = []
    for number in range(300):
        events += [*answer(str(number)), ran(str(number), "bug-fix")]
    ledger.write(*events)
    accuracy = seen(accuracies, days=30)
    assert len(accuracy.spans) == 30
    assert accuracy.spans[-1].taken.n == 300


def test_all_of_years_is_told_by_months_from_the_first_answer(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    old = datetime(2025, 1, 15, 12, tzinfo=UTC)
    ledger.write(*answer("old", old), taken("old", old), *answer("new"), ran("new", "exam-prep"))
    accuracy = seen(accuracies, days=None)
    assert len(accuracy.spans) == 23
    assert spans_of(accuracy)[:2] == [
        (date(2025, 1, 15), date(2025, 1, 31)),
        (date(2025, 2, 1), date(2025, 2, 28)),
    ]
    first, last = accuracy.spans[0], accuracy.spans[-1]
    assert (hits(first.taken), hits(last.taken)) == ((1, 1), (0, 1))
    assert seen(accuracies, days=90).answers == 1


# --- filters, domains, rankers


@pytest.fixture
def mixed(ledger: Ledger) -> None:
    """Two rankers, two domains; the older ranker has one answer more."""
    health = ("meal-planning", "bug-fix")
    ledger.write(
        *answer("dev 1", AT - DAY),
        *answer("dev 2", AT, version="2"),
        *answer("health 1", AT - DAY, listed=health),
        *answer("health 2", AT, listed=health, version="2"),
        *answer("unknown", AT - DAY),
        ran("dev 1", "bug-fix"),
        ran("dev 2", "code-refactor"),
        ran("health 1", "bug-fix"),
        said("health 2", "dismissed"),
    )


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("wanted", "answers", "right"),
    [
        ({}, 5, (1, 4)),
        ({"domain": "dev"}, 3, (1, 2)),
        ({"domain": "health"}, 2, (0, 2)),
        ({"domain": "finance"}, 0, (0, 0)),
        ({"ranker": "local 1"}, 3, (1, 2)),
        ({"ranker": "local 2", "domain": "dev"}, 1, (0, 1)),
        ({"ranker": "local"}, 0, (0, 0)),
        ({"days": 1}, 2, (0, 2)),
        ({"days": None}, 5, (1, 4)),
    ],
)
def test_a_filter_lets_through_what_it_names(
    accuracies: Accuracies, wanted: dict[str, object], answers: int, right: tuple[int, int]
) -> None:
    accuracy = seen(accuracies, "UTC", **wanted)
    assert accuracy.answers == answers
    assert hits(accuracy.taken) == right
    assert accuracy.judged == right[1] == sum(accuracy.by_place.values())
    assert sum(span.taken.n for span in accuracy.spans) == right[1]
    assert sum(span.covered.n for span in accuracy.spans) == answers


@pytest.mark.usefixtures("mixed")
def test_rankers_stand_side_by_side_whatever_ranker_is_asked_for(accuracies: Accuracies) -> None:
    assert accuracies.rankers() == ["local 2", "local 1"]
    table = seen(accuracies, ranker="local 1").rankers
    assert table[["ranker", "answers", "judged", "taken"]].to_dict("records") == [
        {"ranker": "local 2", "answers": 2, "judged": 2, "taken": 0.0},
        {"ranker": "local 1", "answers": 3, "judged": 2, "taken": 0.5},
    ]
    newest = table.iloc[0]
    assert (newest["taken_low"], newest["taken_high"]) == wilson_interval(0, 2)
    assert (newest["in_three"], newest["reciprocal_rank"]) == (0.5, 0.25)
    assert (newest["confidence"], newest["covered"]) == (0.9, 1.0)
    assert newest["error"] == pytest.approx(0.9)
    assert 0 < newest["if_calibrated"] < 1
    assert newest["last_used"] == pd.Timestamp(AT)
    of_dev = seen(accuracies, domain="dev").rankers
    assert of_dev["answers"].tolist() == [1, 2]


@pytest.mark.usefixtures("mixed")
def test_domains_recommended_are_counted_against_domains_chosen(accuracies: Accuracies) -> None:
    counted = seen(accuracies).by_domain
    assert {tuple(row) for row in counted.itertuples(index=False)} == {
        ("dev", "dev", 2),
        ("health", "dev", 1),
        ("health", "none", 1),
    }


def test_a_workflow_that_is_not_loaded_has_the_domain_of_its_last_run(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    run = ran("a", "gone")
    ledger.write(
        *answer("a", listed=("never run", "gone")),
        run,
        ExecutionPlanned(
            ts=run.ts,
            execution_id=run.request_id,
            user_id="ada",
            workflow_id="gone",
            workflow_version="1",
            domain="creative",
            planner="local",
            planner_version="1",
            steps=[],
            step_count=0,
            planned_minutes=0,
            break_minutes=0,
            buffer_minutes=0,
        ),
    )
    (row,) = seen(accuracies).by_domain.itertuples(index=False)
    assert tuple(row) == ("other", "creative", 1)


# --- misses


def test_misses_are_the_surest_first_and_the_newest_where_as_sure(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        *answer("right", confidence=0.99),
        ran("right", "bug-fix"),
        *answer("unsure", confidence=0.4),
        ran("unsure", "exam-prep"),
        *answer("sure, older", AT - SECOND, 0.903),
        said("sure, older", "dismissed"),
        *answer("sure, newer", AT, 0.897),
        ran("sure, newer", "code-refactor"),
        *answer("unknown", confidence=0.95),
    )
    misses = seen(accuracies).misses
    assert misses["request_id"].tolist() == ["sure, newer", "sure, older", "unsure"]
    assert misses["task_title"].tolist() == [f"task of {each}" for each in misses["request_id"]]
    assert misses["choice"].fillna("").tolist() == ["code-refactor", "", "exam-prep"]
    first = misses.iloc[0]
    assert (first["top_workflow_id"], first["top_confidence"]) == ("bug-fix", 0.897)
    assert (first["user_id"], first["ts"]) == ("ada", pd.Timestamp(AT))


# --- calibration


@pytest.mark.parametrize(
    ("n", "right", "verdict"),
    [
        (29, 27, "too few"),
        (40, 36, "open"),
        (40, 26, "less"),
        (40, 34, "open"),
        (400, 361, "kept"),
        (400, 330, "less"),
        (400, 396, "more"),
    ],
)
def test_a_promise_of_nine_in_ten_is_held_against_what_came_of_it(
    ledger: Ledger, accuracies: Accuracies, n: int, right: int, verdict: str
) -> None:
    ledger.write(*many(n, right, 0.9), *many(5, 0, 0.3))
    calibration = seen(accuracies).calibration
    assert calibration is not None
    promise = calibration.nine_in_ten
    assert hits(promise.taken) == (right, n)
    assert (promise.low, promise.high, promise.confidence) == pytest.approx((0.85, 0.95, 0.9))
    assert promise.taken.interval == wilson_interval(right, n)
    assert promise.verdict == verdict


def test_a_promise_that_was_never_made_has_too_little_to_tell(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(*many(40, 20, 0.5))
    calibration = seen(accuracies).calibration
    assert calibration is not None
    assert (calibration.nine_in_ten.taken.n, calibration.nine_in_ten.verdict) == (0, "too few")


def test_calibration_is_that_of_the_judged_answers(ledger: Ledger, accuracies: Accuracies) -> None:
    ledger.write(*many(50, 30, 0.8), *many(50, 10, 0.4), *answer("unknown", confidence=0.7))
    calibration = seen(accuracies).calibration
    assert calibration is not None
    assert calibration.n == 100
    assert (calibration.confidence, calibration.right) == pytest.approx((0.6, 0.4))
    # Both halves are 20 points too sure.
    assert calibration.error == pytest.approx(0.2)
    assert (calibration.honest, calibration.lean) == (False, "too sure")
    assert [(each.n, each.right) for each in calibration.bins] == [(50, 10), (50, 30)]
    # (30 * 0.04 + 20 * 0.64 + 10 * 0.36 + 40 * 0.16) / 100; recalibrated it says 0.6 and 0.2.
    assert calibration.brier.score == pytest.approx(0.24)
    assert calibration.brier.miscalibration == pytest.approx(0.24 - (0.24 + 0.16) / 2)


def test_answers_under_a_fitted_curve_are_also_told_as_the_shipped_one_had_them(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        *many(20, 12, 0.6, curve="c", raw=0.9),
        *many(20, 12, 0.6, curve="c"),  # whose own confidence is the shipped one's
        *many(20, 12, 0.6, raw=0.9),  # under the shipped curve
    )
    correction = seen(accuracies).correction
    assert correction is not None
    assert (correction.before.n, correction.after.n) == (40, 40)
    assert correction.before.confidence == pytest.approx(0.75)
    assert correction.after.confidence == pytest.approx(0.6)
    assert correction.after.error == pytest.approx(0)


def test_without_a_fitted_curve_there_is_nothing_to_compare(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(*many(3, 2, 0.6, raw=0.9))
    assert seen(accuracies).correction is None


def test_the_newest_curve_that_was_adopted_is_in_force(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        fitted("old", 9, adopted=True),
        fitted("good", 5, adopted=True),
        fitted("rejected", 1, adopted=False),
        fitted("of another", 0, adopted=True, version="2"),
        *many(3, 3, 0.7, curve="good"),
    )
    curves = accuracies.curves("local 1")
    assert [fit.curve_id for fit in curves.fits] == ["rejected", "good", "old"]
    assert [fit.answers for fit in curves.fits] == [0, 3, 0]
    assert curves.in_force is not None
    assert curves.in_force.curve_id == "good"
    # logit(0.5) is 0, and 1 / (1 + e^0.1) = 0.4750.
    assert curves.in_force.corrected(0.5) == pytest.approx(0.4750, abs=5e-5)
    assert accuracies.curves("local 3").in_force is None
