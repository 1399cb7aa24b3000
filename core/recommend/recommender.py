"""Answers a task with three ranked workflows, and records what it knew when it did."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from core.catalogue import Catalogue, Task, Workflow, task_from
from core.clock import Clock, stopwatch_ms
from core.errors import Unavailable
from core.guard import Admission, Denied, Gate, Request, profile_name
from core.jobs import Cancelled, Jobs
from core.ledger import Ledger, Queries, RecommendationMade
from core.llm import Source, Spent
from core.recommend.answering import LOGGED, SHOWN, Answered, Answering
from core.recommend.ranking import Ranked, Standing
from core.recommend.reason import FittedEstimate, reason_for
from core.recommend.recommendation import Recommendation, Suggestion
from core.recommend.under_way import InTurn, UnderWay

__all__ = ["Recommender"]

REFIT_AFTER = 100
DRAIN_S = 10.0
NOT_KEPT = "The words of this task were not kept."
Estimate = Callable[[Workflow, Task], FittedEstimate]


class Recommender:
    """The title ranks; the circumstances only change steps, minutes and the reason's words."""

    def __init__(  # noqa: PLR0913 - the wiring of one service, by name
        self,
        *,
        gate: Gate,
        ledger: Ledger,
        catalogue: Callable[[], Catalogue],
        answering: Answering,
        estimate: Estimate,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._catalogue = catalogue
        self._answering = answering
        self._estimate = estimate
        self._jobs = jobs
        self._answers = count(1)
        self._in_turn = InTurn()
        self._under_way = UnderWay()
        self._clock = clock

    def recommend(
        self, request: Request, stop: threading.Event | None = None
    ) -> Recommendation | Denied:
        """Admit, rank and record; the same idempotency key gives the same answer once.

        Raises:
            Cancelled: `stop` was set before there was an answer.
            Unavailable: the recommender is still warming up, or stopping.
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: the decision or the answer could not be made durable.
        """
        request = replace(request, user_id=profile_name(request.user_id))
        with self._under_way.until_stopped(stop) as stopped:
            if request.idempotency_key is None:
                return self._recommend(request, stopped)
            # The second click finds the answer of the first, however long a model takes for it.
            with self._in_turn.wait((request.user_id, request.idempotency_key)):
                return self._recommend(request, stopped)

    def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Take no more questions, end those to models, and wait until all are settled."""
        self._under_way.drain(timeout_s)

    def _recommend(self, request: Request, stop: threading.Event) -> Recommendation | Denied:
        request, ranking = self._answering.privately(request)
        if stop.is_set():
            raise Cancelled
        decision = self._gate.admit(request)
        if isinstance(decision, Denied):
            return decision
        if decision.replayed and (given := self.recall(decision.request_id, decision.user_id)):
            return given[0]
        since, spent = stopwatch_ms(), Spent()
        try:
            answered = self._answering.answer(request, decision, ranking, spent, stop)
            suggestions = self._suggested(request.task, answered.standings)
        except Exception as problem:
            if not decision.replayed:
                cancelled = isinstance(problem, Cancelled)
                self._gate.settle(
                    decision,
                    "cancelled" if cancelled else "failed",
                    error_type=None if cancelled else type(problem).__name__,
                    latency_ms=stopwatch_ms(since),
                    cost_nano_usd=spent.cost_nano_usd,
                )
            raise
        recommendation = Recommendation(
            request_id=decision.request_id,
            suggestions=suggestions,
            source=answered.source,
            latency_ms=stopwatch_ms(since),
            is_sensitive=request.sensitivity is not None,
            is_own_claim=answered.is_own_claim,
        )
        if not decision.replayed:
            self._record(decision, recommendation, answered, keeps_text=request.keeps_text)
            self._learn_now_and_then()
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
        source = row["source"]
        recalled = Recommendation(
            request_id=request_id,
            suggestions=suggestions,
            source=Source.model_validate_json(source)
            if source
            else Source.local(row["ranker"], row["ranker_version"]),
            latency_ms=row["latency_ms"],
            is_sensitive=row["sensitive"] is not None,
            is_own_claim=row["local_top"] is not None and row["curve"] is None,
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
        """Return the local ranking as for nobody, and a confidence (0..1) for each of its first.

        Nothing is recorded.
        """
        return self._answering.rank(task)

    def learn(self) -> None:
        """Take in what people chose: as examples, and to correct the confidence.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        self._answering.learn()

    def _learn_now_and_then(self) -> None:
        number = next(self._answers)
        if number % REFIT_AFTER == 0:
            with suppress(Unavailable):  # stopping; the next start learns
                self._jobs.submit(f"refit-{number}", lambda _: self._answering.refit())

    def _suggested(self, task: Task, standings: Sequence[Standing]) -> tuple[Suggestion, ...]:
        suggestions = []
        for standing in standings[:SHOWN]:
            estimate = self._estimate(standing.workflow, task)
            reason = standing.reason or (
                reason_for(task, standing.local, estimate) if standing.local else ""
            )
            size = (estimate.steps, estimate.minutes)
            suggestions.append(_suggestion(standing.workflow, standing.confidence, reason, size))
        return tuple(suggestions)

    def _record(
        self,
        admission: Admission,
        recommendation: Recommendation,
        answered: Answered,
        *,
        keeps_text: bool,
    ) -> None:
        suggestions, source = recommendation.suggestions, recommendation.source
        fact = RecommendationMade(
            ts=self._clock.now(),
            request_id=admission.request_id,
            user_id=admission.user_id,
            ranker=source.name,
            ranker_version=source.version,
            nothing_fits=recommendation.nothing_fits,
            top_workflow_id=suggestions[0].workflow_id,
            top_confidence=suggestions[0].confidence,
            candidates=[
                _logged(rank, standing, answered)
                for rank, standing in enumerate(answered.standings[:LOGGED])
            ],
            shown=[
                {
                    "workflow_id": suggestion.workflow_id,
                    "steps": suggestion.expected_steps,
                    "minutes": suggestion.estimated_time_minutes,
                    "reason": suggestion.reasoning if keeps_text else NOT_KEPT,
                }
                for suggestion in suggestions
            ],
            latency_ms=recommendation.latency_ms,
            curve=answered.curve_id,
            source=source.model_dump(mode="json") if source.tells_of_models else None,
            offered=list(answered.offered) or None,
            local_top=answered.local_top,
            local_confidence=answered.local_confidence,
            cascade_at=answered.cascade_at,
        )
        self._gate.settle(
            admission,
            "succeeded",
            fact,
            latency_ms=recommendation.latency_ms,
            cost_nano_usd=source.cost_nano_usd,
        )


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


def _logged(rank: int, standing: Standing, answered: Answered) -> dict[str, Any]:
    """A candidate with its scores; what is shown follows from the ranking, so that it had to be.

    Its `raw_confidence` is the shipped curve's or the model's own, where that is not shown itself.
    """
    local = standing.local
    logged: dict[str, Any] = {"workflow_id": standing.workflow.workflow_id}
    if local is not None:
        logged |= {
            "score": round(local.score, 6),
            "centroid": round(local.centroid, 6),
            "examples": round(local.examples, 6),
            "bm25": round(local.bm25, 6),
        }
    logged |= {
        "confidence": standing.confidence,
        "propensity": 1.0 if rank < SHOWN else 0.0,
    }
    if answered.curve_id is not None:
        logged["raw_confidence"] = standing.claimed
    return logged
