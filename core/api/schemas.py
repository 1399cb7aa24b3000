"""What comes in and goes out over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.catalogue import CodeContext, Domain, Energy, Priority, Task, TimeOfDay, task_from
from core.errors import InvalidInput
from core.execute import Status, StepStatus
from core.recommend import Band

__all__ = [
    "BackupIn",
    "BackupOut",
    "Candidate",
    "ExecuteIn",
    "ExecutionOut",
    "FallOut",
    "Health",
    "Id",
    "Problem",
    "RecommendIn",
    "RecommendOut",
    "RuleOut",
    "SourceOut",
    "StepIn",
    "StepOut",
    "UsageOut",
    "UserId",
    "WorkflowOut",
    "WorkflowsOut",
]

# As it is sent: spaces are tidied and letters composed before it has to fit in 40.
UserId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=160),
    Field(description="1 to 40 letters, digits, spaces or . @ + - _"),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
# What a task calls otherwise.
_NAMES_HERE = {
    "title": "task_title",
    "description": "task_description",
    "priority": "task_priority",
    "energy": "user_energy",
    "hours": "estimated_hours",
}


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecommendIn(_In):
    """A task with its circumstances."""

    task_title: str = Field(min_length=1, max_length=200, examples=["fix the login bug"])
    task_description: str = Field(default="", max_length=4_000)
    task_priority: Priority = "medium"
    user_energy: int = Field(default=2, ge=1, le=3)
    time_of_day: TimeOfDay | None = None
    estimated_hours: float | None = Field(default=None, ge=0.25, le=24, allow_inf_nan=False)
    recent_tasks: list[str] = Field(default_factory=list, max_length=20)
    code_context: CodeContext | None = None
    user_id: UserId = "local"
    sensitive: bool = Field(
        default=False, description="No model sees it: it is answered on this machine."
    )

    def task(self) -> Task:
        """Return the checked task.

        Raises:
            InvalidInput: naming the field that is not acceptable.
        """
        try:
            return task_from(
                title=self.task_title,
                description=self.task_description,
                priority=self.task_priority,
                energy=self.user_energy,
                time_of_day=self.time_of_day,
                hours=self.estimated_hours,
                recent_tasks=self.recent_tasks,
                code_context=self.code_context,
            )
        except InvalidInput as fault:
            field = _NAMES_HERE.get(fault.field, fault.field)
            raise InvalidInput(field, str(fault)) from None


class ExecuteIn(RecommendIn):
    """A task and the workflow to run for it."""

    workflow_id: Id
    recommendation_id: Id | None = None
    chosen_rank: int | None = Field(default=None, ge=1, le=100)


class Candidate(BaseModel):
    """One recommended workflow; `confidence` is a share of 1."""

    workflow_id: str
    name: str
    domain: Domain
    confidence: float
    band: Band
    reasoning: str
    expected_steps: int
    estimated_time_minutes: int


class FallOut(BaseModel):
    """A model that was to answer, and why it did not; the preferred one is rung 1."""

    rung: int
    provider: str
    model: str
    kind: str
    reason: str


class SourceOut(BaseModel):
    """Who answered, and what all attempts used together.

    `reason` says why no model did, where one was to. A cost of null is one that nobody knows;
    tokens and cost are upper limits unless `measured`.
    """

    provider: str = Field(description="“local”, “anthropic” or “ollama”")
    model: str | None
    reason: str | None
    falls: list[FallOut]
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int | None
    measured: bool


class RecommendOut(BaseModel):
    """Up to three workflows, best first.

    With `own_claim` the confidence is what a model says itself, which nothing has tested yet.
    """

    request_id: str
    nothing_fits: bool
    recommendations: list[Candidate]
    ranker: str
    ranker_version: str
    source: SourceOut
    own_claim: bool
    sensitive: bool
    latency_ms: float


class StepOut(BaseModel):
    """One step as its person left it; `number` counts from 1."""

    number: int
    title: str
    description: str
    estimated_minutes: int
    energy_level: Energy
    icon: str
    expected_outcome: str | None
    validation_command: str | None
    status: StepStatus
    actual_minutes: int | None


class ExecutionOut(BaseModel):
    """One run of a workflow."""

    execution_id: str
    user_id: str
    status: Status
    task_title: str
    workflow_id: str
    planner: str
    source: SourceOut | None = Field(description="null while it is planned")
    sensitive: bool
    created_at: datetime
    steps: list[StepOut]
    break_minutes: int
    buffer_minutes: int
    notes: list[str]
    useful: bool | None
    error: str | None


class StepIn(_In):
    """What happened to a step."""

    event: Literal["started", "done", "skipped", "reopened", "edited", "timed"]
    actual_minutes: int | None = Field(default=None, ge=1, le=1_440)
    title: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2_000)


class RuleOut(BaseModel):
    """How much of one rule is used; `opens_at` when it is full."""

    limit: int
    window_s: int
    used: int
    opens_at: datetime | None


class UsageOut(BaseModel):
    """What a person has used of every rule."""

    user_id: str
    execute: list[RuleOut]
    recommend: list[RuleOut]


class WorkflowOut(BaseModel):
    """One workflow of the catalogue."""

    workflow_id: str
    name: str
    description: str
    domain: Domain
    workflow_type: str
    expected_step_count: int
    tags: list[str]
    icon: str
    version: str
    author: str


class WorkflowsOut(BaseModel):
    """Workflows that match, in the catalogue's order."""

    workflows: list[WorkflowOut]


class BackupIn(_In):
    """An empty object: nothing can be chosen."""


class BackupOut(BaseModel):
    """A verified copy of the ledger, in `backups/` of the data folder; rows by table."""

    file: str
    size_bytes: int
    rows: dict[str, int]


class Health(BaseModel):
    """The process lives, or can work."""

    status: Literal["ok"]


class FieldFault(BaseModel):
    """One field that is not acceptable, and what it should be."""

    field: str
    sentence: str


class Problem(BaseModel):
    """A problem detail (RFC 9457), with what a program needs to act on it."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldFault] | None = None
    rule: str | None = None
    used: int | None = None
    limit: int | None = None
    retry_at: datetime | None = None
    retry_after_s: int | None = None
