"""Days in the viewer's zone: daylight saving, midnights, yesterday by this time, ratings."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from core.analytics import Overviews, last_days, zone_of
from core.clock import new_id
from core.ledger import ExecutionPlanned, FeedbackGiven, Ledger, RequestDecided
from core.statistics import wilson_interval
from tests.fakes import FakeClock

BERLIN, KOLKATA = "Europe/Berlin", "Asia/Kolkata"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)


def local(zone: str, *parts: int, fold: int = 0) -> datetime:
    """A time on the clock of a zone, in UTC."""
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


def request(ts: datetime, kind: str = "recommend", decision: str = "admitted") -> RequestDecided:
    return RequestDecided.model_validate(
        {
            "ts": ts,
            "request_id": new_id(),
            "kind": kind,
            "user_id": "ada",
            "source": "console",
            "decision": decision,
            "denied_rule": "user:execute:3/minute" if decision == "denied" else None,
            "fingerprint": "f",
            "task_title": "fix it",
            "task_priority": "medium",
            "user_energy": 2,
        }
    )


def plan(ts: datetime, execution_id: str, workflow_id: str = "bug-fix") -> ExecutionPlanned:
    return ExecutionPlanned(
        ts=ts,
        execution_id=execution_id,
        user_id="ada",
        workflow_id=workflow_id,
        workflow_version="1",
        domain="dev" if workflow_id == "bug-fix" else "health",
        planner="local",
        planner_version="1",
        steps=[],
        step_count=0,
        planned_minutes=0,
        break_minutes=0,
        buffer_minutes=0,
    )


def rating(ts: datetime, request_id: str, *, useful: bool) -> FeedbackGiven:
    return FeedbackGiven(
        ts=ts,
        feedback_id=new_id(),
        user_id="ada",
        request_id=request_id,
        workflow_id="bug-fix",
        useful=useful,
    )


@pytest.fixture
def overviews(ledger: Ledger, clock: FakeClock) -> Overviews:
    return Overviews(ledger, clock)


# --- days


@pytest.mark.parametrize(
    ("zone", "day", "hours", "start"),
    [
        (BERLIN, SPRING, 23, "2026-03-28T23:00"),
        (BERLIN, AUTUMN, 25, "2026-10-24T22:00"),
        (BERLIN, date(2026, 7, 1), 24, "2026-06-30T22:00"),
        (KOLKATA, SPRING, 24, "2026-03-28T18:30"),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5, "2026-04-04T13:00"),
        ("America/St_Johns", date(2026, 11, 1), 25, "2026-11-01T02:30"),
        ("Pacific/Kiritimati", SPRING, 24, "2026-03-28T10:00"),
        ("Africa/Cairo", date(2026, 4, 24), 23, "2026-04-23T22:00"),  # its midnight is left out
        ("UTC", SPRING, 24, "2026-03-29T00:00"),
    ],
)
def test_a_day_is_as_long_as_on_the_clocks_of_its_zone(
    zone: str, day: date, hours: float, start: str
) -> None:
    noon = local(zone, day.year, day.month, day.day, 12)
    (found,) = last_days(noon, ZoneInfo(zone), 1)
    assert found.date == day
    assert found.end - found.start == timedelta(hours=hours)
    assert found.start == datetime.fromisoformat(start).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", [BERLIN, KOLKATA, "America/St_Johns", "Africa/Cairo", "UTC"])
def test_days_of_a_year_follow_each_other_without_gap_or_overlap(zone: str) -> None:
    days = last_days(local(zone, 2026, 12, 31, 23), ZoneInfo(zone), 365)
    assert [day.date for day in days] == [
        date(2026, 1, 1) + timedelta(days=number) for number in range(365)
    ]
    for day, following in pairwise(days):
        assert day.end == following.start
        assert day.start < day.end


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../../etc/passwd", "a\0b", "x" * 999])
def test_an_unknown_zone_is_utc(name: str | None) -> None:
    assert zone_of(name).key == "UTC"


def test_a_request_belongs_to_the_day_on_which_its_clock_says_it_came(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    ledger.write(
        request(local(BERLIN, 2026, 3, 28, 23, 59, 59, 999_999)),
        request(local(BERLIN, 2026, 3, 29, 0, 0)),
        request(local(BERLIN, 2026, 3, 29, 0, 0) + MICROSECOND),
        request(local(BERLIN, 2026, 3, 29, 23, 59, 59, 999_999)),
        request(local(BERLIN, 2026, 3, 30, 0, 0)),
    )
    clock.set(local(BERLIN, 2026, 3, 30, 0, 0, 1))
    days = overviews.last(4, BERLIN).days
    assert {day.day.date.day: day.requests for day in days} == {27: 0, 28: 1, 29: 3, 30: 1}
    # The same five in another zone, whose midnights fall elsewhere.
    clock.set(local(KOLKATA, 2026, 3, 30, 12))
    days = overviews.last(3, KOLKATA).days
    assert {day.day.date.day: day.requests for day in days} == {28: 0, 29: 3, 30: 2}


@pytest.mark.parametrize("zone", [BERLIN, KOLKATA, "America/St_Johns", "UTC"])
@pytest.mark.parametrize("around", [SPRING, AUTUMN])
def test_every_request_is_counted_once_on_its_local_date(
    ledger: Ledger, clock: FakeClock, overviews: Overviews, zone: str, around: date
) -> None:
    rng = random.Random(around.day)  # noqa: S311 - a log that can be made again
    end = datetime(around.year, around.month, around.day, 12, tzinfo=UTC) + timedelta(days=3)
    times = [end - timedelta(microseconds=rng.randrange(6 * 86_400_000_000)) for _ in range(400)]
    ledger.write(*(request(ts) for ts in times))
    clock.set(end)
    wanted = Counter(ts.astimezone(ZoneInfo(zone)).date() for ts in times)
    found = overviews.last(8, zone).days
    assert {day.day.date: day.requests for day in found if day.requests} == dict(wanted)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_the_hours_of_a_day_count_from_its_midnight(
    ledger: Ledger, clock: FakeClock, overviews: Overviews, day: date, hours: int
) -> None:
    midnight = local(BERLIN, day.year, day.month, day.day)
    ledger.write(
        *(request(midnight + hour * HOUR) for hour in range(hours)),
        request(midnight + HOUR - MICROSECOND, "execute"),
        request(midnight + 2 * HOUR, "execute", "denied"),
        request(midnight + hours * HOUR),  # tomorrow
    )
    clock.set(midnight + hours * HOUR - MICROSECOND)
    by_hour = overviews.last(1, BERLIN).by_hour.set_index("hour")
    assert list(by_hour.index) == list(range(hours))
    assert by_hour["recommendations"].tolist() == [1] * hours
    assert by_hour["executions"].tolist() == [1] + [0] * (hours - 1)
    assert by_hour["denials"].tolist() == [0, 0, 1] + [0] * (hours - 3)


def test_both_hours_of_the_same_name_are_counted_apart(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    ledger.write(
        request(local(BERLIN, 2026, 10, 25, 2, 30, fold=0)),
        request(local(BERLIN, 2026, 10, 25, 2, 30, fold=1)),
        request(local(BERLIN, 2026, 10, 25, 2, 45, fold=1)),
    )
    clock.set(local(BERLIN, 2026, 10, 25, 12))
    by_hour = overviews.last(1, BERLIN).by_hour
    assert dict(zip(by_hour["hour"], by_hour["recommendations"], strict=True)) == {2: 1, 3: 2}


def test_what_is_counted_is_what_was_asked_run_and_denied(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    now = local(BERLIN, 2026, 11, 2, 12)
    ledger.write(
        request(now - HOUR),
        request(now - HOUR, "execute"),
        request(now - HOUR, "execute"),
        request(now - HOUR, "execute", "denied"),
        request(now - HOUR, "recommend", "denied"),
        request(now - timedelta(days=1)),
    )
    clock.set(now)
    overview = overviews.last(2, BERLIN)
    yesterday, today = overview.days
    assert today == overview.today
    assert (today.requests, today.executions, today.denials) == (5, 2, 2)
    assert (yesterday.requests, yesterday.executions, yesterday.denials) == (1, 0, 0)
    assert overview.as_of == now


def test_an_empty_ledger_has_days_of_nothing(clock: FakeClock, overviews: Overviews) -> None:
    clock.set(local(BERLIN, 2026, 11, 2, 0))
    overview = overviews.last(14, BERLIN)
    assert len(overview.days) == 14
    assert {day.requests + day.executions + day.denials for day in overview.days} == {0}
    assert overview.today.useful_rate is None
    assert overview.useful_interval == (0.0, 1.0)
    assert (len(overview.by_hour), len(overview.by_workflow)) == (0, 0)


# --- yesterday by this time


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        (BERLIN, (2026, 11, 2)),
        (BERLIN, (2026, 3, 29)),  # today has 23 hours
        (BERLIN, (2026, 3, 30)),  # yesterday had
        (BERLIN, (2026, 10, 25)),  # today has 25
        (BERLIN, (2026, 10, 26)),  # yesterday had
        (KOLKATA, (2026, 3, 30)),
        (KOLKATA, (2026, 1, 1)),
    ],
)
def test_yesterday_is_counted_up_to_the_same_time_on_the_clock(
    ledger: Ledger,
    clock: FakeClock,
    overviews: Overviews,
    zone: str,
    today: tuple[int, int, int],
) -> None:
    before = date(*today) - timedelta(days=1)
    midnight = local(zone, before.year, before.month, before.day)
    then = local(zone, before.year, before.month, before.day, 10, 15)
    ledger.write(
        request(midnight - MICROSECOND),
        request(midnight),
        request(then - MICROSECOND),
        request(then),
        request(then + HOUR),
    )
    clock.set(local(zone, *today, 10, 15))
    so_far = overviews.last(1, zone).yesterday_so_far
    assert so_far.day.date == before
    assert so_far.day.end == then
    assert so_far.requests == 2


def test_just_after_midnight_yesterday_so_far_is_nothing(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    midnight = local(BERLIN, 2026, 11, 2)
    ledger.write(request(midnight - HOUR))
    clock.set(midnight)
    overview = overviews.last(2, BERLIN)
    assert overview.yesterday_so_far.requests == 0
    assert [day.requests for day in overview.days] == [1, 0]


def test_just_before_midnight_yesterday_so_far_is_nearly_all_of_it(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    last_moment = local(BERLIN, 2026, 11, 1, 23, 59, 59, 999_999)
    ledger.write(request(last_moment - MICROSECOND), request(last_moment))
    clock.set(last_moment + timedelta(days=1))
    assert overviews.last(1, BERLIN).yesterday_so_far.requests == 1


# --- ratings


def test_the_newest_rating_of_a_plan_is_the_one_that_counts(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    now = local(BERLIN, 2026, 11, 2, 12)
    ledger.write(
        rating(now - 3 * HOUR, "changed twice", useful=False),
        rating(now - 1 * HOUR, "changed twice", useful=True),
        rating(now - 2 * HOUR, "changed twice", useful=False),
        rating(now - 1 * HOUR, "liked", useful=True),
        rating(now - 1 * HOUR, "not liked", useful=False),
    )
    clock.set(now)
    overview = overviews.last(1, BERLIN)
    assert (overview.today.ratings, overview.today.useful) == (3, 2)
    assert overview.today.useful_rate == pytest.approx(2 / 3)
    assert overview.useful_interval == wilson_interval(2, 3)


def test_a_rating_counts_on_the_day_it_was_last_given(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    now = local(BERLIN, 2026, 11, 2, 12)
    yesterday = now - timedelta(days=1)
    ledger.write(
        rating(yesterday, "kept", useful=True),
        rating(yesterday, "changed", useful=True),
        rating(now - HOUR, "changed", useful=False),
        rating(now - timedelta(days=9), "long ago", useful=True),
    )
    clock.set(now)
    days = overviews.last(2, BERLIN).days
    assert [(day.ratings, day.useful) for day in days] == [(1, 1), (1, 0)]


# --- workflows


def test_plans_are_counted_by_workflow_with_their_newest_rating(
    ledger: Ledger, clock: FakeClock, overviews: Overviews
) -> None:
    now = local(BERLIN, 2026, 11, 2, 12)
    ledger.write(
        plan(now - 3 * HOUR, "a"),
        plan(now - 2 * HOUR, "b"),
        plan(now - 2 * HOUR, "c", "meal-planning"),
        plan(now - timedelta(days=30), "too old"),
        rating(now - 2 * HOUR, "a", useful=False),
        rating(now - 1 * HOUR, "a", useful=True),
    )
    clock.set(now)
    by_workflow = overviews.last(14, BERLIN).by_workflow
    assert by_workflow.to_dict("records") == [
        {
            "domain": "dev",
            "workflow_id": "bug-fix",
            "executions": 2,
            "ratings": 1,
            "useful": 1,
        },
        {
            "domain": "health",
            "workflow_id": "meal-planning",
            "executions": 1,
            "ratings": 0,
            "useful": 0,
        },
    ]
