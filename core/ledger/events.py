"""What happened: one frozen model per table of the ledger, checked before it becomes a row."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.ledger.event import Count, Event, Share, Time
from core.ledger.model_events import KeyChanged, KeySealed, LlmCall, LlmCallBegun

__all__ = [
    "EVENTS",
    "CurveFitted",
    "Event",
    "ExecutionPlanned",
    "FeedbackGiven",
    "KeyChanged",
    "KeySealed",
    "LlmCall",
    "LlmCallBegun",
    "ProfileSaved",
    "RecommendationMade",
    "RequestDecided",
    "RequestSettled",
    "SettingsSaved",
    "StepChanged",
]


class RequestDecided(Event):
    """A request came in and was admitted or denied."""

    table: ClassVar[str] = "requests"
    request_id: str
    kind: Literal["recommend", "execute"]
    user_id: str
    source: Literal["console", "api", "import"]
    decision: Literal["admitted", "denied"]
    denied_rule: str | None = None
    denied_used: Count | None = None
    denied_limit: Count | None = None
    retry_at: Time | None = None
    attempt: Count = 1
    idempotency_key: str | None = None
    fingerprint: str
    task_title: str
    task_description: str = ""
    task_priority: str
    user_energy: Count
    time_of_day: str | None = None
    estimated_hours: float | None = None
    recent_tasks: list[str] = Field(default_factory=list)
    code_context: dict[str, Any] | None = None
    workflow_id: str | None = None
    recommendation_id: str | None = None
    chosen_rank: Count | None = None
    sensitive: Literal["marked", "domain", "word"] | None = None


class RecommendationMade(Event):
    """What was recommended, with everything needed to value another ranker later.

    Where a model was to answer, `source` has the model, the falls before it and what was spent;
    where one did, `offered` has what it saw, in order, and `local_top` the local ranker's first.
    `cascade_at` is the confidence from which the local ranker answered alone, where it did.
    """

    table: ClassVar[str] = "recommendations"
    request_id: str
    user_id: str
    ranker: str
    ranker_version: str
    nothing_fits: bool
    top_workflow_id: str
    top_confidence: Share
    candidates: list[dict[str, Any]]
    shown: list[dict[str, Any]]
    latency_ms: float
    curve: str | None = None
    source: dict[str, Any] | None = None
    offered: list[str] | None = None
    local_top: str | None = None
    local_confidence: Share | None = None
    cascade_at: Share | None = None


class ExecutionPlanned(Event):
    """A workflow became steps; `execution_id` is the request's id, `source` as above."""

    table: ClassVar[str] = "executions"
    execution_id: str
    user_id: str
    workflow_id: str
    workflow_version: str
    domain: str
    planner: str
    planner_version: str
    steps: list[dict[str, Any]]
    step_count: Count
    planned_minutes: Count
    break_minutes: Count
    buffer_minutes: Count
    notes: list[str] = Field(default_factory=list)
    source: dict[str, Any] | None = None


class StepChanged(Event):
    """A person started, did, skipped, reopened or edited a step (counted from 1)."""

    table: ClassVar[str] = "step_events"
    event_id: str
    execution_id: str
    user_id: str
    step: Annotated[int, Field(ge=1, lt=2**63)]
    event: Literal["started", "done", "skipped", "reopened", "edited", "timed"]
    actual_minutes: Count | None = None
    title: str | None = None
    description: str | None = None


class RequestSettled(Event):
    """How an admitted request ended, and what it cost."""

    table: ClassVar[str] = "settlements"
    request_id: str
    kind: Literal["recommend", "execute"]
    user_id: str
    outcome: Literal["succeeded", "failed", "cancelled", "lost"]
    error_type: str | None = None
    latency_ms: float | None = None
    cost_nano_usd: Count | None = None


class FeedbackGiven(Event):
    """What a person made of an answer; of each kind the newest row of a request counts.

    `usefulness` is said of an execution; `chosen` (a workflow that was not shown, or that the
    caller runs elsewhere) and `dismissed` (none of those shown) of a recommendation.
    """

    table: ClassVar[str] = "feedback"
    feedback_id: str
    user_id: str
    request_id: str
    kind: Literal["usefulness", "chosen", "dismissed"] = "usefulness"
    workflow_id: str | None = None
    useful: bool | None = None


class ProfileSaved(Event):
    """A person's preferences; the newest row counts."""

    table: ClassVar[str] = "profiles"
    user_id: str
    usual_energy: Annotated[int, Field(ge=1, le=3)] = 2
    usual_hours: float | None = None
    favourite_domains: list[str] = Field(default_factory=list)
    learns: bool = True
    forgotten_until: Time | None = None


class CurveFitted(Event):
    """A confidence curve was fitted on feedback, and taken into force or not.

    It maps the shipped curve's confidence p to sigmoid(slope * logit(p) + intercept); losses are
    mean log losses (nats) of both on the later answers, which the fit has not seen.
    """

    table: ClassVar[str] = "curves"
    curve_id: str
    ranker: str
    ranker_version: str
    slope: float
    intercept: float
    fitted_on: Count
    tested_on: Count
    log_loss_before: float
    log_loss_after: float
    adopted: bool
    reason: str


class SettingsSaved(Event):
    """An operator saved a section of settings; the newest row of each section is in force.

    `version` counts the section's rows from 1; `changes` has field, before and after.
    """

    table: ClassVar[str] = "settings_versions"
    version_id: str
    section: str
    version: Count
    schema_version: Count
    value: dict[str, Any]
    changes: list[dict[str, Any]]
    actor: str
    reason: str
    restored_from: str | None = None


EVENTS: tuple[type[Event], ...] = (
    RequestDecided,
    RecommendationMade,
    ExecutionPlanned,
    StepChanged,
    RequestSettled,
    FeedbackGiven,
    ProfileSaved,
    CurveFitted,
    LlmCall,
    LlmCallBegun,
    SettingsSaved,
    KeySealed,
    KeyChanged,
)
