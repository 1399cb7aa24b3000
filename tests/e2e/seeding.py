"""Two weeks of ordinary use, written by the real services on a clock of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.catalogue import task_from
from core.execute import StepChange
from core.guard import Denied, Request
from core.recommend import Recommendation
from core.runtime import Runtime
from core.settings import Settings
from tests.fakes import FakeClock

PEOPLE = ("local", "ann", "ben")
TASKS = (
    "fix the login bug",
    "plan my week",
    "save for a laptop",
    "run a 5k before june",
    "study for the chemistry exam",
    "write the first chapter of my novel",
    "add an endpoint that exports invoices as CSV",
    "sleep before midnight on weekdays",
    "sort the receipts of last month",
    "learn enough Portuguese to order dinner",
    "declutter the hall cupboard",
    "design a poster for the summer fair",
)
DAYS = 13
DAILY = (1, 3, 2, 4, 0, 2, 3, 5, 2, 3, 4, 1, 3)


def seed(data_dir: Path) -> None:
    """Fill a ledger: people ask, use, tick, rate, leave, and once ask for too much."""
    now = datetime.now(UTC)
    clock = FakeClock(now - timedelta(days=DAYS))
    runtime = Runtime(Settings(data_dir=data_dir), clock=clock)
    try:
        asked = 0
        for day, count in enumerate(DAILY):
            for _ in range(count):
                clock.set(now - timedelta(days=DAYS - day, minutes=-7 * (asked % 40)))
                _use(runtime, clock, asked)
                asked += 1
        for minutes in (200, 150, 149, 90, 40):
            clock.set(now - timedelta(minutes=minutes))
            _use(runtime, clock, asked)
            asked += 1
        clock.set(now - timedelta(minutes=20))
        while not isinstance(_start(runtime, "local", asked), Denied):
            asked += 1
    finally:
        runtime.drain()


def _use(runtime: Runtime, clock: FakeClock, number: int) -> None:
    """Ask and run; of five runs three are completed, one is left half done and one untouched."""
    person = PEOPLE[number % 2 * (1 + number % 3 // 2)]
    run = _start(runtime, person, number)
    assert isinstance(run, str)
    assert runtime.executor.wait(run, 20)
    execution = runtime.executor.execution(run)
    steps = len(execution.steps)
    for step in range(1, {0: 0, 1: steps // 2}.get(number % 5, steps) + 1):
        clock.advance(minutes=9)
        event = StepChange(step, "skipped" if step % 4 == 0 else "done", actual_minutes=None)
        runtime.executor.change_step(run, person, event)
    if number % 5 > 1:
        runtime.executor.rate(runtime.executor.execution(run), useful=number % 7 != 3)


def _start(runtime: Runtime, person: str, number: int) -> str | Denied:
    task = task_from(title=TASKS[number % len(TASKS)])
    answer = runtime.recommender.recommend(Request("recommend", person, task))
    assert isinstance(answer, Recommendation)
    rank = 2 if number % 9 == 5 else 1
    return runtime.executor.start(
        Request(
            "execute",
            person,
            task,
            workflow_id=answer.suggestions[rank - 1].workflow_id,
            recommendation_id=answer.request_id,
            chosen_rank=rank,
        )
    )
