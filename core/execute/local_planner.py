"""The planner that needs no model: the workflow's outline, fitted and worded for the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import tomli

from core.catalogue import OutlineStep, Task, Workflow
from core.execute.execution import Plan, Step
from core.execute.fitting import LEFT_OUT, FittedStep, Worded, fitted
from core.execute.planner import PlanFor
from core.execute.wording import slots_of
from core.settings import PROJECT

__all__ = ["Estimate", "LocalPlanner"]

GENERAL_OUTLINE = PROJECT / "data" / "general_outline.toml"


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many steps a plan would have, its minutes in all, and the steps it leaves out."""

    steps: int
    minutes: int
    notes: tuple[str, ...]


class LocalPlanner:
    """Deterministic: the same workflow and task always give the same plan."""

    name = "local"
    version = "1"

    def plan(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> Plan:
        plan = self.preview(workflow, task)
        for step in plan.steps:
            plan_for.on_step(step)
        return plan

    def preview(self, workflow: Workflow, task: Task) -> Plan:
        """Return the plan that `plan` would make for anybody."""
        slots = slots_of(task)
        plan = fitted(_outline(workflow), task, slots)
        return Plan(
            steps=tuple(_step(step, step.worded(task, slots), workflow) for step in plan.steps),
            break_minutes=plan.break_minutes,
            buffer_minutes=plan.buffer_minutes,
            notes=plan.notes,
        )

    def estimate(self, workflow: Workflow, task: Task) -> Estimate:
        """Return what `plan` would come to, without making it."""
        plan = fitted(_outline(workflow), task, slots_of(task))
        left_out = tuple(note for note in plan.notes if note.startswith(LEFT_OUT))
        return Estimate(len(plan.steps), plan.minutes, left_out)


def _outline(workflow: Workflow) -> Sequence[OutlineStep]:
    return workflow.outline or _general_outline(workflow.expected_step_count)


def _step(fitted_step: FittedStep, worded: Worded, workflow: Workflow) -> Step:
    wanted = workflow.step_fields
    outcome = worded.produces if "expected_outcome" in wanted else None
    command = worded.command if "validation_command" in wanted else None
    return Step(
        title=worded.title[:200],
        description=worded.description[:2_000],
        estimated_minutes=fitted_step.minutes,
        energy_level=fitted_step.energy,
        icon=fitted_step.icon,
        expected_outcome=outcome or None,
        validation_command=command or None,
    )


@lru_cache
def _general_outline(steps: int) -> tuple[OutlineStep, ...]:
    """Return an outline for a workflow whose file has none: `steps` of the ten general ones."""
    content = tomli.loads(GENERAL_OUTLINE.read_text(encoding="utf-8"))
    outline = [(entry.pop("rank"), OutlineStep(**entry)) for entry in content["outline"]]
    kept = sorted(rank for rank, _ in outline)[:steps]
    return tuple(step for rank, step in outline if rank in kept)
