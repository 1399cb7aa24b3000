"""Answers a task with three ranked workflows, and records what it knew when it did."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from core.catalogue import Catalogue, Task, Workflow, task_from
from core.clock import Clock, stopwatch_ms
from core.guard import Admission, Denied, Gate, Request
from core.jobs import Jobs
from core.ledger import Ledger, Queries, RecommendationMade
from core.recommend.memory import Memory
from core.recommend.ranking import Ranked, Ranker
from core.recommend.reason import FittedEstimate, reason_for
from core.recommend.recalibration import Confidence, Confidences
from core.recommend.recommendation import Recommendation, Suggestion

__all__ = ["Recommender"]

log = logging.getLogger(__name__)

SHOWN, LOGGED = 3, 10
REFIT_AFTER = 100
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
        confidence: Confidence,
        memory: Memory,
        estimate: Estimate,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._catalogue = catalogue
        self._ranker = ranker
        self._confidence = confidence
        self._memory = memory
        self._estimate = estimate
        self._jobs = jobs
        self._answers = count(1)
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
            lean = self._memory.lean(decision.user_id, request.task.title)
            ranking = ranker.rank(request.task, lean)
            confidences = self._confidence.of(ranking, ranker, LOGGED)
            suggestions = self._suggested(request.task, ranking, confidences.shown)
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
            self._learn_now_and_then(ranker)
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

    def rank(self, task: Task) -> tuple[list[Ranked], list[float]]:
        """Return the whole ranking as for nobody, and a confidence (0..1) for each of its first.

        Nothing is recorded.
        """
        ranker = self._ranker()
        ranking = ranker.rank(task)
        return ranking, self._confidence.of(ranking, ranker, LOGGED).shown

    def learn(self) -> None:
        """Take in what people chose: as examples, and to correct the confidence.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        self._memory.refresh()
        self._refit(self._ranker())

    def _learn_now_and_then(self, ranker: Ranker) -> None:
        number = next(self._answers)
        if number % REFIT_AFTER == 0:
            self._jobs.submit(f"refit-{number}", lambda _: self._refit(ranker))

    def _refit(self, ranker: Ranker) -> None:
        if fitted := self._confidence.refit(ranker):
            log.info("A confidence curve was fitted. %s", fitted.reason)

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
        confidences: Confidences,
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
                _logged(rank, ranked, confidences) for rank, ranked in enumerate(ranking[:LOGGED])
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
            curve=confidences.curve_id,
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


def _logged(rank: int, ranked: Ranked, confidences: Confidences) -> dict[str, Any]:
    """A candidate with its scores; the ranking is deterministic, so what is shown had to be.

    Its `raw_confidence` is that of the shipped curve, where another one is in force.
    """
    logged = {
        "workflow_id": ranked.workflow.workflow_id,
        "score": round(ranked.score, 6),
        "centroid": round(ranked.centroid, 6),
        "examples": round(ranked.examples, 6),
        "bm25": round(ranked.bm25, 6),
        "confidence": confidences.shown[rank],
        "propensity": 1.0 if rank < SHOWN else 0.0,
    }
    if confidences.curve_id is not None:
        logged["raw_confidence"] = confidences.shipped[rank]
    return logged
