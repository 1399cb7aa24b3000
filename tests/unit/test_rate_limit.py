"""The limiter against an oracle that counts every window anew for every hit."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SystemClock
from core.guard import Allowed, Limiter, Violation, rule_name
from core.settings import LONGEST_WINDOW_S, Rule

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = 1_800_000_000 * SECOND
Checks = Sequence[tuple[str, Sequence[Rule]]]


class Ticks:
    """A clock in microseconds that stands still until it is moved."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


class Oracle:
    """Every allowed hit there ever was, and the definition of a sliding window."""

    def __init__(self) -> None:
        self.hits: dict[str, list[int]] = {}

    def inside(self, key: str, rule: Rule, now: int) -> list[int]:
        """The hits that count: one at t counts until t + window."""
        window = rule.window_s * SECOND
        return sorted(t + window for t in self.hits.get(key, []) if t + window > now)

    def opens(self, key: str, rule: Rule, now: int) -> int | None:
        """The first moment at which fewer than `limit` hits count; None when that is now."""
        ends = self.inside(key, rule, now)
        if len(ends) < rule.limit:
            return None
        return next(end for end in ends if sum(other > end for other in ends) < rule.limit)

    def hit(self, checks: Checks, now: int) -> Allowed | Violation:
        full = [
            Violation(now, key, rule, len(self.inside(key, rule, now)), opens)
            for key, rules in checks
            for rule in rules
            if (opens := self.opens(key, rule, now)) is not None
        ]
        if full:
            return max(full, key=lambda violation: violation.retry_at_us)
        for key, _ in checks:
            self.hits.setdefault(key, []).append(now)
        return Allowed(now)


def rule(limit: int, window_s: int) -> Rule:
    return Rule(limit=limit, window_s=window_s)


PERSON = (rule(3, 60), rule(20, 3_600), rule(100, 86_400))
windows_s = st.one_of(st.integers(1, 5), st.sampled_from([60, 3_600, LONGEST_WINDOW_S]))
rules = st.lists(st.builds(Rule, limit=st.integers(1, 5), window_s=windows_s), max_size=3)
# Steps that end just before, on and just after the end of a window are the interesting ones.
steps_us = st.one_of(
    st.integers(0, 2 * SECOND),
    st.builds(
        lambda window_s, off: max(0, window_s * SECOND + off), windows_s, st.integers(-2, 2)
    ),
)
restored = st.dictionaries(
    st.sampled_from(["user:0", "user:1", "all"]),
    st.lists(
        st.builds(lambda step, sign: START + sign * step, steps_us, st.sampled_from([-1, 1])),
        max_size=8,
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    logged=restored,
    per_user=rules,
    deployment=rules,
    requests=st.lists(st.tuples(steps_us, st.integers(0, 2)), max_size=40),
)
def test_every_decision_is_that_of_counting_every_window_anew(
    logged: dict[str, list[int]],
    per_user: list[Rule],
    deployment: list[Rule],
    requests: list[tuple[int, int]],
) -> None:
    clock, oracle = Ticks(), Oracle()
    limiter = Limiter(clock)
    limiter.restore(logged)
    oracle.hits = {key: list(times) for key, times in logged.items()}
    for step, user in requests:
        clock.at += step
        checks = ((f"user:{user}", per_user), ("all", deployment))
        assert limiter.hit(checks) == oracle.hit(checks, clock.at)
        for key, asked in checks:
            for usage in limiter.usage(key, asked):
                assert usage.used == len(oracle.inside(key, usage.rule, clock.at))
                assert usage.opens_at_us == oracle.opens(key, usage.rule, clock.at)


@settings(max_examples=120, deadline=None)
@given(
    logged=restored,
    per_user=rules,
    deployment=rules,
    others=st.lists(steps_us, max_size=12),
)
def test_a_denied_hit_passes_at_retry_at_and_not_a_microsecond_before(
    logged: dict[str, list[int]],
    per_user: list[Rule],
    deployment: list[Rule],
    others: list[int],
) -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    limiter.restore(logged)
    checks = (("user:0", per_user), ("all", deployment))
    for step in [*others, 0]:
        clock.at += step
        verdict = limiter.hit(checks)
        if isinstance(verdict, Violation):
            clock.at = verdict.retry_at_us - 1
            assert isinstance(limiter.hit(checks), Violation)
            clock.at = verdict.retry_at_us
            assert limiter.hit(checks) == Allowed(verdict.retry_at_us)


@pytest.mark.parametrize("seed", range(3))
def test_no_window_of_a_long_random_log_ever_holds_more_than_its_limit(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a log that can be made again
    clock = Ticks()
    limiter = Limiter(clock)
    allowed = []
    for _ in range(6_000):
        clock.at += int(rng.expovariate(1 / (40 * SECOND)))
        if isinstance(limiter.hit((("ada", PERSON),)), Allowed):
            allowed.append(clock.at)
    for each in PERSON:
        for place in range(len(allowed) - each.limit):
            assert allowed[place + each.limit] - allowed[place] >= each.window_s * SECOND
    assert len(allowed) >= 100


def test_retry_after_is_rounded_up_to_the_second_at_which_the_hit_passes() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    once = (("ada", (rule(1, 60),)),)
    limiter.hit(once)
    for late, wait in ((1, 60), (SECOND, 59), (SECOND + 1, 59), (60 * SECOND - 1, 1)):
        clock.at = START + late
        denied = limiter.hit(once)
        assert isinstance(denied, Violation)
        assert denied.retry_after_s == wait
        clock.at += (denied.retry_after_s - 1) * SECOND
        assert isinstance(limiter.hit(once), Violation)
    clock.at += SECOND
    assert isinstance(limiter.hit(once), Allowed)


def test_a_denied_hit_charges_nothing() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    for _ in range(3):
        limiter.hit((("ada", PERSON),))
    before = limiter.usage("ada", PERSON)
    for _ in range(1_000):
        assert isinstance(limiter.hit((("ada", PERSON),)), Violation)
    assert limiter.usage("ada", PERSON) == before
    assert [usage.used for usage in before] == [3, 3, 3]


def test_when_the_deployment_denies_the_person_is_not_charged() -> None:
    limiter = Limiter(Ticks())
    both = (("ada", PERSON), ("all", (rule(1, 60),)))
    limiter.hit((("bob", PERSON), both[1]))
    denied = limiter.hit(both)
    assert isinstance(denied, Violation)
    assert (denied.key, denied.rule) == ("all", rule(1, 60))
    assert [usage.used for usage in limiter.usage("ada", PERSON)] == [0, 0, 0]


def test_when_the_person_is_denied_the_deployment_is_not_charged() -> None:
    limiter = Limiter(Ticks())
    everyone = (rule(10, 60),)
    for _ in range(8):
        limiter.hit((("ada", PERSON), ("all", everyone)))
    assert [usage.used for usage in limiter.usage("all", everyone)] == [3]


def test_of_several_full_rules_the_one_that_opens_last_is_named() -> None:
    limiter = Limiter(Ticks())
    hour, minute = rule(2, 3_600), rule(1, 60)
    for _ in range(2):
        limiter.hit((("ada", (hour,)),))
    denied = limiter.hit((("ada", (minute, hour)), ("all", ())))
    assert isinstance(denied, Violation)
    assert (denied.rule, denied.used, denied.retry_at_us) == (hour, 2, START + 3_600 * SECOND)


def test_no_rules_mean_no_limit() -> None:
    limiter = Limiter(Ticks())
    assert all(isinstance(limiter.hit((("ada", ()),)), Allowed) for _ in range(500))


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads change places as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Hesitant(tuple[Rule, ...]):
    """Rules that let another thread run after they were read, before the hit is charged."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Rule]:
        yield from super().__iter__()
        time.sleep(0)


def burst(limiter: Limiter, everyone: Rule) -> int:
    """Fifty threads of ten people start together, each trying four times; returns what passed."""
    start = threading.Barrier(50)
    allowed: list[Allowed] = []

    def try_four_times(person: str) -> None:
        start.wait()
        for _ in range(4):
            verdict = limiter.hit(((person, PERSON), ("all", Hesitant((everyone,)))))
            if isinstance(verdict, Allowed):
                allowed.append(verdict)

    threads = [
        threading.Thread(target=try_four_times, args=(f"user:{number % 10}",))
        for number in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(allowed)


@pytest.mark.usefixtures("hasty_threads")
def test_a_burst_of_fifty_threads_gets_exactly_the_limit_twenty_times_out_of_twenty() -> None:
    clock = SystemClock()
    everyone = rule(17, 3_600)
    for _ in range(20):
        limiter = Limiter(lambda: (clock.now() - EPOCH) // timedelta(microseconds=1))
        assert burst(limiter, everyone) == 17
        assert limiter.usage("all", (everyone,))[0].used == 17
        by_user = [limiter.usage(f"user:{number}", PERSON)[0].used for number in range(10)]
        assert sum(by_user) == 17
        assert max(by_user) <= 3


def test_a_refunded_hit_opens_its_slot_again_and_no_other() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    checks = (("ada", (rule(2, 60),)), ("all", (rule(2, 60),)))
    first = limiter.hit(checks)
    clock.at += 5
    second = limiter.hit(checks)
    assert isinstance(second, Allowed)
    assert isinstance(limiter.hit(checks), Violation)
    limiter.refund(("ada", "all"), second.at_us)
    clock.at += 5
    assert isinstance(limiter.hit(checks), Allowed)
    denied = limiter.hit(checks)
    assert isinstance(denied, Violation)
    assert denied.retry_at_us == first.at_us + 60 * SECOND


def test_a_refund_takes_one_of_several_hits_of_the_same_microsecond() -> None:
    limiter = Limiter(Ticks())
    for _ in range(3):
        limiter.hit((("ada", ()),))
    limiter.refund(("ada",), START)
    assert limiter.usage("ada", (rule(9, 60),))[0].used == 2


def test_a_refund_of_what_was_never_charged_changes_nothing() -> None:
    limiter = Limiter(Ticks())
    limiter.hit((("ada", ()),))
    limiter.refund(("ada", "nobody"), START - 1)
    limiter.refund(("ada", "nobody"), START + 1)
    assert limiter.usage("ada", (rule(9, 60),))[0].used == 1


def test_restored_hits_count_whatever_their_order() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    limiter.hit((("forgotten", PERSON),))
    limiter.restore({"ada": [START - 10 * SECOND, START - 59 * SECOND, START - 30 * SECOND]})
    denied = limiter.hit((("ada", PERSON),))
    assert denied == Violation(START, "ada", PERSON[0], 3, START + SECOND)
    assert limiter.usage("forgotten", PERSON)[0].used == 0
    clock.at = START + SECOND
    assert isinstance(limiter.hit((("ada", PERSON),)), Allowed)
    assert isinstance(limiter.hit((("ada", PERSON),)), Violation)


def test_a_clock_behind_the_restored_hits_gives_no_slot_away() -> None:
    clock = Ticks(START - 3_600 * SECOND)
    limiter = Limiter(clock)
    limiter.restore({"ada": [START, START - SECOND]})
    assert isinstance(limiter.hit((("ada", PERSON),)), Allowed)
    denied = limiter.hit((("ada", PERSON),))
    assert isinstance(denied, Violation)
    assert (denied.used, denied.retry_at_us) == (3, START - 3_540 * SECOND)
    clock.at = denied.retry_at_us
    assert isinstance(limiter.hit((("ada", PERSON),)), Allowed)


def test_a_changed_rule_counts_what_was_used_under_the_old_one() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    for _ in range(5):
        limiter.hit((("ada", (rule(5, 60),)),))
        clock.at += 1_000 * SECOND
    lower, longer = rule(2, 3_600), rule(6, 86_400)
    assert isinstance(limiter.hit((("ada", (lower,)),)), Violation)
    assert [usage.used for usage in limiter.usage("ada", (lower, longer))] == [3, 5]
    assert isinstance(limiter.hit((("ada", (longer,)),)), Allowed)
    assert isinstance(limiter.hit((("ada", (longer,)),)), Violation)


def test_a_lowered_limit_opens_when_enough_hits_have_left_the_window() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    for _ in range(5):
        limiter.hit((("ada", ()),))
        clock.at += SECOND
    lowered = limiter.usage("ada", (rule(2, 60),))[0]
    assert (lowered.used, lowered.opens_at_us) == (5, START + 63 * SECOND)


def test_usage_says_when_a_full_rule_opens_and_nothing_when_it_is_not_full() -> None:
    limiter = Limiter(Ticks())
    for _ in range(3):
        limiter.hit((("ada", PERSON),))
    minute, hour, day = limiter.usage("ada", PERSON)
    assert (minute.used, minute.opens_at_us) == (3, START + 60 * SECOND)
    assert (hour.used, hour.opens_at_us) == (3, None)
    assert (day.used, day.opens_at_us) == (3, None)


def test_keys_that_nobody_uses_any_more_are_forgotten() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    most = 0
    for visitor in range(10 * 24 * 60):
        clock.at += 60 * SECOND
        limiter.hit(((f"visitor {visitor}", PERSON), ("all", ())))
        limiter.usage(f"curious {visitor}", PERSON)
        most = max(most, len(limiter._hits))
    # A day of visitors, and at most the hour until the next sweep.
    assert most <= 25 * 60 + 2


def test_one_busy_key_holds_no_more_than_a_day_and_an_hour_of_hits() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    for _ in range(5 * 24 * 60):
        clock.at += 60 * SECOND
        limiter.hit((("all", ()),))
    assert len(limiter._hits["all"]) <= 25 * 60 + 2
    assert limiter.usage("all", (rule(10**6, 86_400),))[0].used == 24 * 60


def test_a_hit_counts_until_the_last_microsecond_of_its_day() -> None:
    clock = Ticks()
    limiter = Limiter(clock)
    daily = rule(1, LONGEST_WINDOW_S)
    limiter.hit((("ada", (daily,)),))
    clock.at = START + LONGEST_WINDOW_S * SECOND - 1
    limiter.hit((("bob", (daily,)),))
    assert isinstance(limiter.hit((("ada", (daily,)),)), Violation)
    clock.at += 1
    assert isinstance(limiter.hit((("ada", (daily,)),)), Allowed)


def test_denied_strangers_leave_nothing_behind() -> None:
    limiter = Limiter(Ticks())
    limiter.hit((("all", (rule(1, 60),)),))
    for stranger in range(1_000):
        limiter.hit(((f"stranger {stranger}", PERSON), ("all", (rule(1, 60),))))
    assert len(limiter._hits) == 1


@pytest.mark.parametrize(
    ("each", "name"),
    [
        (rule(3, 60), "user:execute:3/minute"),
        (rule(20, 3_600), "user:execute:20/hour"),
        (rule(100, 86_400), "user:execute:100/day"),
        (rule(5, 90), "user:execute:5/90s"),
    ],
)
def test_a_rule_is_named_by_scope_kind_limit_and_window(each: Rule, name: str) -> None:
    assert rule_name("user", "execute", each) == name
