"""The console with a planner that gives a step only when the test lets it: run as a program."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import uvicorn

from core import runtime
from core.catalogue import Task, Workflow
from core.execute import LocalPlanner, Plan, PlanFor, Step
from core.settings import PROJECT, Settings

_LOOK_EVERY_S = 0.02
_PATIENCE_S = 120.0


class HeldPlanner:
    """The local planner; step n waits until the file `released` holds at least n.

    When a plan is made it is counted in the file `planned`.
    """

    name = "local"
    version = "1"

    def __init__(self, folder: Path) -> None:
        self._released = folder / "released"
        self._planned = folder / "planned"
        self._inner = LocalPlanner()

    def plan(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> Plan:
        given = 0

        def held(step: Step) -> None:
            nonlocal given
            given += 1
            self._wait_for(given)
            plan_for.on_step(step)

        plan = self._inner.plan(workflow, task, replace(plan_for, on_step=held))
        with self._planned.open("a", encoding="utf-8") as planned:
            planned.write(f"{task.title}\n")
        return plan

    def _wait_for(self, step: int) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while int(self._released.read_text(encoding="utf-8") or "0") < step:
            if time.monotonic() > deadline:
                raise TimeoutError("No test released this step.")
            time.sleep(_LOOK_EVERY_S)


def main(folder: Path) -> None:
    settings = Settings.from_environment()
    runtime.use(runtime.Runtime(settings, planner=HeldPlanner(folder)))
    uvicorn.run(
        "app:app",
        app_dir=str(PROJECT),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
