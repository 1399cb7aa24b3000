"""What happened: one frozen model per table of the ledger, checked before it becomes a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

__all__ = [
    "EVENTS",
    "CurveFitted",
    "Event",
    "ExecutionPlanned",
    "FeedbackGiven",
    "ProfileSaved",
    "RecommendationMade",
    "RequestDecided",
    "RequestSettled",
    "StepChanged",
]

Count = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range in UTC") from None


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Event(BaseModel):
    """One row. Times are aware (stored in UTC), money is nano-USD, NULL means unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: ClassVar[str]
    ts: Time


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
    recent_tasks: list[str] = []
    code_context: dict[str, Any] | None = None
    workflow_id: str | None = None
    recommendation_id: str | None = None
    chosen_rank: Count | None = None


class RecommendationMade(Event):
    """What was recommended, with everything needed to value another ranker later."""

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


class ExecutionPlanned(Event):
    """A workflow became steps; `execution_id` is the request's id."""

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
    notes: list[str] = []


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
    favourite_domains: list[str] = []
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


EVENTS: tuple[type[Event], ...] = (
    RequestDecided,
    RecommendationMade,
    ExecutionPlanned,
    StepChanged,
    RequestSettled,
    FeedbackGiven,
    ProfileSaved,
    CurveFitted,
)
