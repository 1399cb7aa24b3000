"""Answers and what people made of them, as rows of a ledger whose times tests choose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.clock import new_id
from core.ledger import (
    CurveFitted,
    Event,
    FeedbackGiven,
    RecommendationMade,
    RequestDecided,
)

__all__ = [
    "AT",
    "BY_HAIKU",
    "DAY",
    "LISTED",
    "NOW",
    "SECOND",
    "alone",
    "answer",
    "asked",
    "by_model",
    "fitted",
    "many",
    "ran",
    "said",
    "taken",
]

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)  # a Wednesday
AT = NOW - timedelta(hours=2)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
BY_HAIKU = "model model:claude-haiku-5-5:1a2b3c4d"
LISTED = ("bug-fix", "code-refactor", "meal-planning", "exam-prep", "savings-goal")


def answer(  # noqa: PLR0913 - all that an answer can differ in
    request_id: str,
    at: datetime = AT,
    confidence: float = 0.9,
    listed: Sequence[str] = LISTED,
    *,
    version: str = "1",
    curve: str | None = None,
    raw: float | None = None,
) -> list[Event]:
    """Ada's question and its answer."""
    told = {} if raw is None else {"raw_confidence": raw}
    return [
        asked(request_id, "recommend", at - SECOND),
        RecommendationMade(
            ts=at,
            request_id=request_id,
            user_id="ada",
            ranker="local",
            ranker_version=version,
            nothing_fits=confidence < 0.5,
            top_workflow_id=listed[0],
            top_confidence=confidence,
            candidates=[
                {"workflow_id": each, "confidence": confidence / place, **told}
                for place, each in enumerate(listed, start=1)
            ],
            shown=[{"workflow_id": each} for each in listed[:3]],
            latency_ms=4.0,
            curve=curve,
        ),
    ]


def by_model(
    request_id: str,
    local_top: str = "bug-fix",
    sure: float = 0.9,
    *,
    nano_usd: int | None = 600_000,
    measured: bool = True,
    latency_ms: float = 2_000.0,
    **more: object,
) -> list[Event]:
    """Ada's question, a model's answer, and what the local ranker would have put first."""
    question, made = answer(request_id, **more)  # type: ignore[arg-type]
    source = {
        "name": "model",
        "version": BY_HAIKU.removeprefix("model "),
        "provider": "anthropic",
        "model": "claude-haiku-5-5",
        "rung": 1,
        "cost_nano_usd": nano_usd,
        "is_measured": measured,
    }
    changed = {
        "ranker": "model",
        "ranker_version": source["version"],
        "latency_ms": latency_ms,
        "source": source,
        "local_top": local_top,
        "local_confidence": sure,
    }
    return [question, made.model_copy(update=changed)]


def alone(request_id: str, cascade_at: float | None = 0.8, **more: object) -> list[Event]:
    """Ada's question and the local answer, sure enough or, without a limit, for another reason."""
    question, made = answer(request_id, **more)  # type: ignore[arg-type]
    source = {"name": "local", "version": "1", "reason": "So.", "cost_nano_usd": 0}
    return [question, made.model_copy(update={"source": source, "cascade_at": cascade_at})]


def asked(
    request_id: str, kind: str, at: datetime, user_id: str = "ada", **more: object
) -> RequestDecided:
    return RequestDecided.model_validate(
        {
            "ts": at,
            "request_id": request_id,
            "kind": kind,
            "user_id": user_id,
            "source": "console",
            "decision": "admitted",
            "fingerprint": request_id,
            "task_title": f"task of {request_id}",
            "task_priority": "medium",
            "user_energy": 2,
            **more,
        }
    )


def ran(of: str, workflow_id: str | None, after_s: float = 10, **more: object) -> RequestDecided:
    """Somebody ran a workflow for an answer, so many seconds after it."""
    at = AT + timedelta(seconds=after_s)
    more = {"workflow_id": workflow_id, "recommendation_id": of, **more}
    return asked(new_id(), "execute", at, **more)  # type: ignore[arg-type]


def said(
    of: str, kind: str, workflow_id: str | None = None, after_s: float = 10, user_id: str = "ada"
) -> FeedbackGiven:
    return FeedbackGiven.model_validate(
        {
            "ts": AT + timedelta(seconds=after_s),
            "feedback_id": new_id(),
            "user_id": user_id,
            "request_id": of,
            "kind": kind,
            "workflow_id": workflow_id,
        }
    )


def taken(of: str, at: datetime, workflow_id: str = "bug-fix") -> FeedbackGiven:
    return FeedbackGiven(
        ts=at + SECOND,
        feedback_id=new_id(),
        user_id="ada",
        request_id=of,
        kind="chosen",
        workflow_id=workflow_id,
    )


def many(n: int, right: int, confidence: float, **more: object) -> list[Event]:
    """So many answers of one confidence, so many of them taken at the first suggestion."""
    events: list[Event] = []
    for number in range(n):
        name = new_id()
        events += answer(name, confidence=confidence, **more)  # type: ignore[arg-type]
        events.append(ran(name, "bug-fix" if number < right else "exam-prep"))
    return events


def fitted(curve_id: str, day: int, *, adopted: bool, version: str = "1") -> CurveFitted:
    return CurveFitted(
        ts=NOW - day * DAY,
        curve_id=curve_id,
        ranker="local",
        ranker_version=version,
        slope=0.8,
        intercept=-0.1,
        fitted_on=200,
        tested_on=80,
        log_loss_before=0.52,
        log_loss_after=0.5,
        adopted=adopted,
        reason="Better.",
    )
