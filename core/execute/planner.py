"""What makes plans, and what it is told of whom it makes one for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.catalogue import Task, Workflow
from core.execute.execution import Plan, Step
from core.guard import Sensitivity
from core.llm import Spent

__all__ = ["PlanFor", "Planner"]


@dataclass(frozen=True, slots=True)
class PlanFor:
    """Whose plan is made, who sees its steps, who may stop it, and what is spent on it.

    `on_step` sees each step as soon as it is complete, and may raise `Cancelled`; `restart`
    withdraws those it has seen, as others come in their place. Once `stop` is set, no plan is
    wanted any more. What is sensitive is not for models.
    """

    request_id: str
    user_id: str
    on_step: Callable[[Step], None]
    restart: Callable[[], None] = lambda: None
    stop: threading.Event = field(default_factory=threading.Event)
    spent: Spent = field(default_factory=Spent)
    sensitivity: Sensitivity | None = None


class Planner(Protocol):
    """Turns a workflow into steps for a task."""

    name: str
    version: str

    def plan(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> Plan:
        """Return the whole plan; without a `source` it is this planner's own."""
        ...
