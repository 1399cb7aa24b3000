"""Outlines for tests of the local planner, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence

from core.catalogue import OutlineStep, task_from
from core.execute.fitting import FittedPlan, fitted
from core.execute.wording import slots_of

__all__ = ["minutes", "plan_of", "step", "titles"]


def step(title: str = "Do {object}", **more: object) -> OutlineStep:
    said: dict[str, object] = {
        "title": title,
        "description": "As ever.",
        "minutes": 30,
        "icon": "🌱",
        "purpose": "it is done",
        "produces": "A thing",
    }
    return OutlineStep.model_validate(said | more)


def plan_of(outline: Sequence[OutlineStep], title: str = "x", **more: object) -> FittedPlan:
    task = task_from(title=title, **more)
    return fitted(outline, task, slots_of(task))


def titles(outline: Sequence[OutlineStep], title: str = "x", **more: object) -> list[str]:
    slots = slots_of(task_from(title=title, **more))
    return [fit.title(slots) for fit in plan_of(outline, title, **more).steps]


def minutes(plan: FittedPlan) -> list[int]:
    return [fit.minutes for fit in plan.steps]
