"""Stand-ins with a script and a memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.catalogue import Task, Workflow
from core.execute import Plan, PlanFor, Step

__all__ = ["PATIENCE_S", "FakeClock", "SlowPlanner"]

PATIENCE_S = 20.0
_TICK = timedelta(microseconds=1)


class FakeClock:
    """A clock that tests set; each reading is 1 µs later than the one before."""

    def __init__(self, at: datetime = datetime(2026, 11, 2, 9, tzinfo=UTC)) -> None:
        self._lock = threading.Lock()
        self._next = at

    def now(self) -> datetime:
        with self._lock:
            at = self._next
            self._next += _TICK
            return at

    def set(self, at: datetime) -> None:
        """Make `at` the next reading, also when that is in the past."""
        with self._lock:
            self._next = at

    def advance(self, **parts: float) -> None:
        """Let time pass, said as `timedelta` takes it: `advance(minutes=5)`."""
        with self._lock:
            self._next += timedelta(**parts)


class SlowPlanner:
    """A planner that gives each step only when the test releases it.

    `planned` remembers what it was asked for; `problem`, if given, is raised after the last step.
    """

    name = "slow"
    version = "1"

    def __init__(self, steps: int = 3, problem: Exception | None = None) -> None:
        self.planned: list[tuple[str, Task]] = []
        self._steps = steps
        self._problem = problem
        self._changed = threading.Condition()
        self._released = 0.0
        self._given = 0

    def plan(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> Plan:
        with self._changed:
            self.planned.append((workflow.workflow_id, task))
            self._changed.notify_all()
        steps = []
        for number in range(1, self._steps + 1):
            self._take_one_release()
            step = Step(
                title=f"Step {number}: {task.title[:150]}",
                description=f"Part {number} of {self._steps}.",
                estimated_minutes=10 * number,
                energy_level="medium",
            )
            plan_for.on_step(step)
            steps.append(step)
            with self._changed:
                self._given += 1
                self._changed.notify_all()
        if self._problem:
            raise self._problem
        return Plan(steps=tuple(steps))

    def release(self, steps: int = 1) -> None:
        """Let that many more steps of any plan be given."""
        with self._changed:
            self._released += steps
            self._changed.notify_all()

    def release_all(self) -> None:
        """Let every plan, also later ones, run to its end."""
        with self._changed:
            self._released = math.inf
            self._changed.notify_all()

    def wait_until_planning(self, plans: int = 1) -> None:
        """Return once that many plans were asked for."""
        self._wait_for(lambda: len(self.planned) >= plans)

    def wait_until_given(self, steps: int) -> None:
        """Return once that many steps were given in all."""
        self._wait_for(lambda: self._given >= steps)

    def _take_one_release(self) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._released >= 1, PATIENCE_S):
                raise TimeoutError("No test released this step.")
            self._released -= 1

    def _wait_for(self, reached: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(reached, PATIENCE_S):
                raise TimeoutError("The planner was not asked, or gave fewer steps than awaited.")
