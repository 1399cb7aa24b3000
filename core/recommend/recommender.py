"""Answers a task with three ranked workflows, and records what it knew when it did."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.catalogue import Catalogue, Task, Workflow, task_from
from core.clock import Clock, stopwatch_ms
from core.guard import Admission, Denied, Gate, Request
from core.ledger import Ledger, Queries, RecommendationMade
from core.recommend.calibration import Curve
from core.recommend.local_ranker import Ranked, Ranker
from core.recommend.reason import FittedEstimate, reason_for
from core.recommend.recommendation import Recommendation, Suggestion

__all__ = ["Recommender"]

SHOWN, LOGGED = 3, 10
Estimate = Callable[[Workflow, Task], FittedEstimate]


class Recommender:
    """The title ranks; the circumstances only change steps, minutes and the reason's words."""

    def __init__(  # noqa: PLR0913 - the wiring of one service, by name
        self,
        *,
        gate: Gate,
        ledger: Ledger,
        catalogue: Callable[[], Catalogue],
        ranker: Callable[[], Ranker],
        curve: Curve,
        estimate: Estimate,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._catalogue = catalogue
        self._ranker = ranker
        self._curve = curve
        self._estimate = estimate
        self._clock = clock

    def recommend(self, request: Request) -> Recommendation | Denied:
        """Admit, rank and record; the same idempotency key gives the same answer once.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: the decision or the answer could not be made durable.
        """
        ranker = self._ranker()
        decision = self._gate.admit(request)
        if isinstance(decision, Denied):
            return decision
        if decision.replayed and (given := self.recall(decision.request_id, decision.user_id)):
            return given[0]
        since = stopwatch_ms()
        try:
            ranking, confidences = self.rank(request.task, ranker)
            suggestions = self._suggested(request.task, ranking, confidences)
        except Exception as problem:
            if not decision.replayed:
                self._gate.settle(decision, "failed", error_type=type(problem).__name__)
            raise
        recommendation = Recommendation(
            request_id=decision.request_id,
            suggestions=suggestions,
            ranker=ranker.name,
            ranker_version=ranker.version,
            latency_ms=stopwatch_ms(since),
        )
        if not decision.replayed:
            self._record(decision, recommendation, ranking, confidences)
        return recommendation

    def recall(self, request_id: str, user_id: str) -> tuple[Recommendation, Task] | None:
        """Return a person's earlier answer as it was given, with its task.

        Returns:
            None if it is unknown, or if none of its workflows is loaded any more.
        """
        rows = self._queries.rows("recommendation", request_id=request_id, user_id=user_id)
        if not rows:
            return None
        row = rows[0]
        confidence = {
            candidate["workflow_id"]: candidate["confidence"]
            for candidate in json.loads(row["candidates"])
        }
        known = {workflow.workflow_id: workflow for workflow in self._catalogue().workflows}
        suggestions = tuple(
            _suggestion(
                known[shown["workflow_id"]],
                confidence[shown["workflow_id"]],
                shown["reason"],
                (shown["steps"], shown["minutes"]),
            )
            for shown in json.loads(row["shown"])
            if shown["workflow_id"] in known
        )
        if not suggestions:
            return None
        recalled = Recommendation(
            request_id=request_id,
            suggestions=suggestions,
            ranker=row["ranker"],
            ranker_version=row["ranker_version"],
            latency_ms=row["latency_ms"],
        )
        return recalled, task_from(
            title=row["task_title"],
            description=row["task_description"],
            priority=row["task_priority"],
            energy=row["user_energy"],
            time_of_day=row["time_of_day"],
            hours=row["estimated_hours"],
            recent_tasks=json.loads(row["recent_tasks"] or "[]"),
            code_context=json.loads(row["code_context"] or "null"),
        )

    def rank(self, task: Task, ranker: Ranker | None = None) -> tuple[list[Ranked], list[float]]:
        """Return the whole ranking and a confidence (0..1) for each of its first ten."""
        ranking = (ranker or self._ranker()).rank(task)
        return ranking, self._curve.confidences(ranking, LOGGED)

    def _suggested(
        self, task: Task, ranking: Sequence[Ranked], confidences: Sequence[float]
    ) -> tuple[Suggestion, ...]:
        suggestions = []
        for ranked, confidence in zip(ranking[:SHOWN], confidences, strict=False):
            estimate = self._estimate(ranked.workflow, task)
            reason = reason_for(task, ranked, estimate)
            size = (estimate.steps, estimate.minutes)
            suggestions.append(_suggestion(ranked.workflow, confidence, reason, size))
        return tuple(suggestions)

    def _record(
        self,
        admission: Admission,
        recommendation: Recommendation,
        ranking: Sequence[Ranked],
        confidences: Sequence[float],
    ) -> None:
        suggestions = recommendation.suggestions
        fact = RecommendationMade(
            ts=self._clock.now(),
            request_id=admission.request_id,
            user_id=admission.user_id,
            ranker=recommendation.ranker,
            ranker_version=recommendation.ranker_version,
            nothing_fits=recommendation.nothing_fits,
            top_workflow_id=suggestions[0].workflow_id,
            top_confidence=suggestions[0].confidence,
            candidates=[
                _logged(rank, ranked, confidence)
                for rank, (ranked, confidence) in enumerate(
                    zip(ranking, confidences, strict=False), start=1
                )
            ],
            shown=[
                {
                    "workflow_id": suggestion.workflow_id,
                    "steps": suggestion.expected_steps,
                    "minutes": suggestion.estimated_time_minutes,
                    "reason": suggestion.reasoning,
                }
                for suggestion in suggestions
            ],
            latency_ms=recommendation.latency_ms,
        )
        self._gate.settle(admission, "succeeded", fact, latency_ms=recommendation.latency_ms)


def _suggestion(
    workflow: Workflow, confidence: float, reason: str, size: tuple[int, int]
) -> Suggestion:
    """Put a workflow's face on a standing; `size` is steps and minutes."""
    return Suggestion(
        workflow_id=workflow.workflow_id,
        confidence=confidence,
        reasoning=reason,
        expected_steps=size[0],
        estimated_time_minutes=size[1],
        name=workflow.name,
        icon=workflow.default_icon,
        domain=workflow.domain,
    )


def _logged(rank: int, ranked: Ranked, confidence: float) -> dict[str, Any]:
    """A candidate with its scores; the ranking is deterministic, so what is shown had to be."""
    return {
        "workflow_id": ranked.workflow.workflow_id,
        "score": round(ranked.score, 6),
        "centroid": round(ranked.centroid, 6),
        "examples": round(ranked.examples, 6),
        "bm25": round(ranked.bm25, 6),
        "confidence": round(confidence, 6),
        "propensity": 1.0 if rank <= SHOWN else 0.0,
    }
