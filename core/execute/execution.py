"""A plan, its steps, and the run of it by a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.catalogue import Domain, Energy
from core.llm import Source

__all__ = [
    "LONGEST_ICON",
    "LONGEST_LINE",
    "LONGEST_PROSE",
    "LONGEST_STEP_MINUTES",
    "Execution",
    "Plan",
    "Status",
    "Step",
    "StepState",
    "StepStatus",
]

StepStatus = Literal["todo", "doing", "done", "skipped"]
Status = Literal["planning", "active", "completed", "abandoned", "failed", "cancelled", "lost"]

LONGEST_LINE, LONGEST_PROSE, LONGEST_STEP_MINUTES = 200, 2_000, 480
LONGEST_ICON = 8
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


def _visible(text: str) -> str:
    if _CONTROLS.search(text):
        raise ValueError("contains characters that cannot be shown")
    return text


Line = Annotated[str, Field(min_length=1, max_length=LONGEST_LINE), AfterValidator(_visible)]
Prose = Annotated[str, Field(max_length=LONGEST_PROSE), AfterValidator(_visible)]


class Step(BaseModel):
    """One thing to do, as every planner must give it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Line
    description: Prose
    estimated_minutes: int = Field(ge=1, le=LONGEST_STEP_MINUTES)
    energy_level: Energy
    icon: Annotated[str, Field(min_length=1, max_length=LONGEST_ICON)] = "▫️"
    expected_outcome: Prose | None = None
    validation_command: Prose | None = None


class Plan(BaseModel):
    """What a planner returns: steps in order, breaks and buffer, and what it left out.

    `source` is given where it may be another than the planner that was asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[Step, ...] = Field(min_length=1, max_length=10)
    break_minutes: int = Field(default=0, ge=0)
    buffer_minutes: int = Field(default=0, ge=0)
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def minutes(self) -> int:
        """All of it: steps, breaks and buffer."""
        work = sum(step.estimated_minutes for step in self.steps)
        return work + self.break_minutes + self.buffer_minutes


@dataclass(frozen=True, slots=True)
class StepState:
    """A step as its person left it; `number` counts from 1."""

    number: int
    step: Step
    status: StepStatus = "todo"
    actual_minutes: int | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a workflow, with everything a page shows of it."""

    execution_id: str
    user_id: str
    ts: datetime
    status: Status
    task_title: str
    is_sensitive: bool
    workflow_id: str
    workflow_name: str
    icon: str
    domain: Domain | None
    planner: str = ""
    source: Source | None = None
    steps: tuple[StepState, ...] = ()
    break_minutes: int = 0
    buffer_minutes: int = 0
    notes: tuple[str, ...] = ()
    useful: bool | None = None
    error: str | None = None
    completed_at: datetime | None = None

    @property
    def settled_steps(self) -> int:
        """How many steps are done or skipped."""
        return sum(state.status in {"done", "skipped"} for state in self.steps)

    @property
    def current(self) -> StepState | None:
        """The step at hand: the one that was started, else the first that is still open."""
        started = next((state for state in self.steps if state.status == "doing"), None)
        return started or next((state for state in self.steps if state.status == "todo"), None)

    @property
    def planned_minutes(self) -> int:
        """Minutes of all steps."""
        return sum(state.step.estimated_minutes for state in self.steps)

    @property
    def settled_minutes(self) -> int:
        """Planned minutes of the steps that are done or skipped."""
        return sum(
            state.step.estimated_minutes
            for state in self.steps
            if state.status in {"done", "skipped"}
        )
