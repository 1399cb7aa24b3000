"""Time that never stands still or runs back, and ids that sort by it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from core.clock import SystemClock, _Ids, new_id, stopwatch_ms

MICROSECOND = timedelta(microseconds=1)
THREADS = 16
EACH = 2_000


class Watch:
    """A system clock in nanoseconds that shows what the test sets."""

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def time_ns(self) -> int:
        return self.at_ns

    def perf_counter(self) -> float:
        return self.at_ns / 1e9


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    shown = Watch(1_793_620_800_000_000_999)
    monkeypatch.setattr("core.clock.time", shown)
    return shown


def milliseconds_of(name: str) -> int:
    return UUID(name).int >> 80


# --- the clock


def test_the_clock_tells_the_systems_time_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    after = datetime.now(UTC)

    assert before - MICROSECOND <= now <= after
    assert now.tzinfo is UTC


def test_the_clock_is_exact_to_the_microsecond(watch: Watch) -> None:
    assert SystemClock().now() == datetime.fromtimestamp(1_793_620_800, UTC)

    watch.at_ns += 1
    assert SystemClock().now() == datetime.fromtimestamp(1_793_620_800, UTC) + MICROSECOND


def test_the_clock_goes_on_when_the_systems_stands_still_or_runs_back(watch: Watch) -> None:
    clock = SystemClock()
    start = clock.now()

    assert [clock.now() - start for _ in range(3)] == [
        MICROSECOND,
        2 * MICROSECOND,
        3 * MICROSECOND,
    ]
    watch.at_ns -= 3_600 * 10**9
    assert clock.now() - start == 4 * MICROSECOND
    watch.at_ns += 7_200 * 10**9
    assert clock.now() - start == timedelta(hours=1)


def test_the_clock_is_strictly_increasing_over_all_threads() -> None:
    clock = SystemClock()
    together = threading.Barrier(THREADS)

    def read(_: int) -> list[datetime]:
        together.wait()
        return [clock.now() for _ in range(EACH)]

    with ThreadPoolExecutor(THREADS) as pool:
        readings = list(pool.map(read, range(THREADS)))

    assert all(times == sorted(times) for times in readings)
    assert len({moment for times in readings for moment in times}) == THREADS * EACH


def test_a_stopwatch_counts_milliseconds(watch: Watch) -> None:
    since = stopwatch_ms()
    watch.at_ns += 1_500_000

    assert stopwatch_ms(since) == pytest.approx(1.5, abs=1e-3)


def test_a_stopwatch_never_runs_back() -> None:
    since = stopwatch_ms()

    readings = [stopwatch_ms(since) for _ in range(100)]

    assert readings == sorted(readings)
    assert readings[0] >= 0


# --- ids


def test_an_id_is_a_version_7_uuid_of_now() -> None:
    before = time.time_ns() // 1_000_000
    name = new_id()
    after = time.time_ns() // 1_000_000

    assert UUID(name).version == 7
    assert UUID(name).variant == uuid4().variant
    assert str(UUID(name)) == name
    # Many ids in one millisecond borrow from the next, so the stamp may be a little ahead.
    assert before <= milliseconds_of(name) <= after + 100


def test_ids_sort_by_when_they_were_made_as_text_and_as_numbers() -> None:
    names = [new_id() for _ in range(20_000)]

    assert names == sorted(names)
    assert names == sorted(names, key=lambda name: UUID(name).int)
    assert {(UUID(name).version, UUID(name).variant) for name in names} == {(7, uuid4().variant)}


def test_ids_stay_in_order_when_a_millisecond_holds_too_many_or_the_clock_runs_back(
    watch: Watch,
) -> None:
    ids = _Ids()
    first = [ids.next() for _ in range(10_000)]
    watch.at_ns -= 3_600 * 10**9
    second = [ids.next() for _ in range(10_000)]

    assert first + second == sorted({*first, *second})
    assert milliseconds_of(first[0]) == watch.at_ns // 1_000_000 + 3_600_000
    assert milliseconds_of(second[-1]) - milliseconds_of(first[0]) == 20_000 // 4_096


def test_the_random_part_differs_from_id_to_id() -> None:
    tails = {UUID(new_id()).int & (2**62 - 1) for _ in range(1_000)}

    assert len(tails) == 1_000
    assert any(tail >> 61 for tail in tails)
    assert any(not tail >> 61 for tail in tails)


def test_ids_are_unique_and_increasing_over_all_threads() -> None:
    together = threading.Barrier(THREADS)

    def make(_: int) -> list[str]:
        together.wait()
        return [new_id() for _ in range(EACH)]

    with ThreadPoolExecutor(THREADS) as pool:
        made = list(pool.map(make, range(THREADS)))

    assert all(names == sorted(names) for names in made)
    assert len({name for names in made for name in names}) == THREADS * EACH
