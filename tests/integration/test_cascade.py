"""What answering locally would save and lose, from what models answered and people chose."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from core.analytics import Accuracies, AccuracyFilter, Cascade, CascadeLevel
from core.clock import new_id
from core.ledger import Event, Ledger
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import Ladder, Settings
from core.statistics import wilson_interval
from tests.answering import AT, BY_HAIKU, DAY, NOW, alone, answer, by_model, ran, said
from tests.asking import asked, to_recommend
from tests.fakes import FakeClock

DOMAIN_OF = {"bug-fix": "dev", "code-refactor": "dev", "meal-planning": "health"}


@pytest.fixture
def accuracies(ledger: Ledger, clock: FakeClock) -> Accuracies:
    clock.set(NOW)
    return Accuracies(ledger, clock)


def seen(accuracies: Accuracies, at: float | None = None, **wanted: Any) -> Cascade:
    chosen = AccuracyFilter(**{"days": 7, **wanted})
    return accuracies.over(chosen, "UTC", DOMAIN_OF, at).cascade


def at(cascade: Cascade, threshold: float) -> CascadeLevel:
    (found,) = [level for level in cascade.levels if level.threshold == threshold]
    return found


def pairs(both: int, local_only: int, model_only: int, neither: int, sure: float) -> list[Event]:
    """So many judged answers by models, by whether the local first and the model's were chosen."""
    events: list[Event] = []
    for local_top, choice, n in (
        ("bug-fix", "bug-fix", both),
        ("exam-prep", "exam-prep", local_only),
        ("exam-prep", "bug-fix", model_only),
        ("exam-prep", "savings-goal", neither),
    ):
        for _ in range(n):
            name = new_id()
            events += [*by_model(name, local_top, sure), ran(name, choice)]
    return events


# --- what it would have answered, and saved


def test_without_answers_by_models_there_is_nothing_to_compare(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    assert seen(accuracies).levels == ()
    ledger.write(*answer("local"), ran("local", "bug-fix"), *alone("off", None))
    cascade = seen(accuracies, 0.8)
    assert (cascade.answers, cascade.levels, cascade.alone) == (0, (), 0)
    assert (cascade.in_force, cascade.safe) == (None, None)


def test_an_answer_counts_at_every_confidence_up_to_the_local_one(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    for number, sure in enumerate((0.3, 0.5, 0.79, 0.8, 0.95)):
        ledger.write(*by_model(str(number), sure=sure))
    ledger.write(*answer("local", confidence=0.99))
    cascade = seen(accuracies)
    assert cascade.answers == 5
    counted = {level.threshold: level.answers for level in cascade.levels}
    assert counted == {0.5: 4, 0.6: 3, 0.7: 3, 0.8: 2, 0.9: 1, 0.95: 1}
    assert at(cascade, 0.8).share == 2 / 5


@pytest.mark.parametrize(("in_force", "n"), [(0.85, 7), (0.8, 6), (1.0, 7), (None, 6)])
def test_the_confidence_in_force_is_marked_among_the_others(
    ledger: Ledger, accuracies: Accuracies, in_force: float | None, n: int
) -> None:
    ledger.write(*by_model("a", sure=0.9))
    cascade = seen(accuracies, in_force)
    thresholds = [level.threshold for level in cascade.levels]
    assert len(thresholds) == n
    assert thresholds == sorted(thresholds)
    assert (cascade.in_force and cascade.in_force.threshold) == in_force


def test_costs_add_up_as_far_as_they_are_known(ledger: Ledger, accuracies: Accuracies) -> None:
    ledger.write(
        *by_model("exact", sure=0.9, nano_usd=600_001),
        *by_model("exact too", sure=0.7, nano_usd=400_000),
        *by_model("at most", sure=0.9, nano_usd=1_000_000, measured=False),
        *by_model("unknown", sure=0.95, nano_usd=None),
        *by_model("for nothing", sure=0.9, nano_usd=0),
    )
    cascade = seen(accuracies)

    def costs(threshold: float) -> tuple[int, int, int]:
        level = at(cascade, threshold)
        return level.measured_nano_usd, level.unmeasured_nano_usd, level.unpriced

    assert costs(0.5) == (1_000_001, 1_000_000, 1)
    assert costs(0.9) == (600_001, 1_000_000, 1)
    assert costs(0.95) == (0, 0, 1)


def test_the_wait_is_the_median_of_the_models(ledger: Ledger, accuracies: Accuracies) -> None:
    for number, (sure, ms) in enumerate(((0.9, 1_000.0), (0.9, 2_000.0), (0.6, 9_000.0))):
        ledger.write(*by_model(str(number), sure=sure, latency_ms=ms))
    cascade = seen(accuracies)
    assert (at(cascade, 0.5).p50_ms, at(cascade, 0.9).p50_ms) == (2_000, 1_500)


def test_a_confidence_that_nothing_reached_has_nothing(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(*pairs(40, 0, 0, 0, sure=0.6))
    level = at(seen(accuracies), 0.9)
    assert (level.answers, level.share, level.judged, level.p50_ms) == (0, 0.0, 0, None)
    assert (level.measured_nano_usd, level.unmeasured_nano_usd, level.unpriced) == (0, 0, 0)
    assert level.difference is None


# --- what it would have lost


def test_both_firsts_are_held_against_what_people_chose(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        *pairs(30, 2, 6, 1, sure=0.9),
        *by_model("dismissed", "bug-fix", 0.9),
        said("dismissed", "dismissed"),
        *by_model("unknown", "bug-fix", 0.9),
        *pairs(0, 5, 0, 0, sure=0.6),
    )
    level = at(seen(accuracies), 0.8)
    assert (level.answers, level.judged) == (41, 40)
    assert (level.both, level.local_only, level.model_only) == (30, 2, 6)
    assert level.local_right.interval == wilson_interval(32, 40)
    assert level.model_right.interval == wilson_interval(36, 40)
    assert level.difference is not None
    assert (level.difference.value, level.difference.n) == (-0.1, 40)
    # (3 - 7) / 42, ± 1.96 √((10 / 42 - (4 / 42)²) / 42)
    assert level.difference.interval == pytest.approx((-0.2400, 0.0495), abs=5e-5)
    assert at(seen(accuracies), 0.5).local_only == 7


@pytest.mark.parametrize(("judged", "told"), [(1, False), (29, False), (30, True)])
def test_too_few_judged_answers_have_no_difference(
    ledger: Ledger, accuracies: Accuracies, judged: int, told: bool
) -> None:
    ledger.write(*pairs(judged, 0, 0, 0, sure=0.9))
    level = at(seen(accuracies), 0.9)
    assert (level.judged, level.difference is not None) == (judged, told)


def test_the_same_answers_are_judged_as_the_page_judges_them(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(*pairs(12, 3, 9, 2, sure=0.9))
    accuracy = accuracies.over(AccuracyFilter(7), "UTC", DOMAIN_OF)
    assert at(accuracy.cascade, 0.5).model_right == accuracy.taken


@pytest.mark.parametrize(
    ("groups", "safe"),
    [
        ([(60, 0, 0, 0, 0.95)], None),  # 2.4 standard errors are as much as 5.5 points
        ([(80, 0, 0, 0, 0.95)], 0.5),
        ([(80, 0, 0, 0, 0.95), (20, 0, 20, 0, 0.6)], 0.7),
        ([(80, 0, 0, 0, 0.72), (20, 0, 20, 0, 0.6)], 0.7),
        ([(80, 0, 20, 0, 0.95)], None),
        ([(29, 0, 0, 0, 0.95)], None),
    ],
)
def test_the_lowest_confidence_that_surely_loses_little_is_safe(
    ledger: Ledger,
    accuracies: Accuracies,
    groups: list[tuple[int, int, int, int, float]],
    safe: float | None,
) -> None:
    for *counts, sure in groups:
        ledger.write(*pairs(*counts, sure=sure))  # type: ignore[misc]
    found = seen(accuracies).safe
    assert (found and found.threshold) == safe


# --- filters


@pytest.mark.parametrize(
    ("wanted", "answers", "judged"),
    [
        ({}, 3, 2),
        ({"days": 1}, 2, 1),
        ({"days": None}, 4, 2),
        ({"domain": "dev"}, 2, 1),
        ({"domain": "health"}, 1, 1),
        ({"domain": "finance"}, 0, 0),
        ({"ranker": BY_HAIKU}, 3, 2),
        ({"ranker": "local 1"}, 0, 0),
    ],
)
def test_a_filter_lets_through_what_it_names(
    ledger: Ledger, accuracies: Accuracies, wanted: dict[str, Any], answers: int, judged: int
) -> None:
    ledger.write(
        *by_model("old", at=AT - 60 * DAY),
        *by_model("dev"),
        *by_model("dev, judged", at=AT - 2 * DAY),
        ran("dev, judged", "bug-fix"),
        *by_model("health", listed=("meal-planning", "bug-fix")),
        ran("health", "meal-planning"),
        *answer("local"),
        ran("local", "bug-fix"),
    )
    cascade = seen(accuracies, **wanted)
    assert cascade.answers == answers
    if answers:
        level = at(cascade, 0.5)
        assert (level.answers, level.judged, level.share) == (answers, judged, 1.0)
    else:
        assert cascade.levels == ()


# --- what it did answer alone


def test_what_it_did_answer_alone_is_counted_with_what_people_chose(
    ledger: Ledger, accuracies: Accuracies
) -> None:
    ledger.write(
        *alone("taken"),
        ran("taken", "bug-fix"),
        *alone("missed"),
        said("missed", "dismissed"),
        *alone("unknown", at=AT - 2 * DAY),
        *alone("off", None),
        ran("off", "bug-fix"),
        *answer("no model set up"),
        ran("no model set up", "bug-fix"),
        *by_model("by a model"),
        ran("by a model", "bug-fix"),
    )
    cascade = seen(accuracies, 0.8)
    assert (cascade.alone, cascade.taken.n, cascade.taken.value) == (3, 2, 0.5)
    assert seen(accuracies, days=1).alone == 2
    assert seen(accuracies, domain="health").alone == 0
    assert seen(accuracies, ranker=BY_HAIKU).alone == 0
    assert seen(accuracies, ranker="local 1").alone == 3


def test_what_the_recommender_answers_alone_is_recognised(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    keyed = settings.model_copy(update={"anthropic_api_key": SecretStr("sk-never-sent")})
    runtime = Runtime(keyed, clock=clock, embedder=embedder)
    try:
        runtime.operator_settings.save("ladder", Ladder(cascade_at=0.5), "ada", "Try it.", 0)
        answered = asked(runtime, to_recommend("fix the login bug"))
        assert answered.source.reason is not None
        cascade = runtime.accuracies.over(AccuracyFilter(7), "UTC", {}).cascade
    finally:
        runtime.drain()
    assert (cascade.alone, cascade.answers) == (1, 0)
