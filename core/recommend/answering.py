"""Who ranks a task: the local ranker, or a model that is set up, allowed and better asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from core.catalogue import Domain, Task
from core.guard import Admission, PrivacyRules, Request
from core.jobs import Cancelled
from core.llm import ModelFailure, NoModelLeft, Setup, Source, Spent
from core.recommend.memory import Memory
from core.recommend.model_ranker import Asking, ModelRanker
from core.recommend.ranking import Ranked, Ranker, Standing
from core.recommend.recalibration import Confidence, Confidences, Named

__all__ = ["LOGGED", "SHOWN", "Answered", "Answering"]

log = logging.getLogger(__name__)

SHOWN, LOGGED = 3, 10
SURE_ENOUGH = "The local recommender is sure enough to answer alone."


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to one task, the best first.

    `offered` has the ids in the order in which a model saw them. `local_top` and
    `local_confidence` are what the local ranker would have answered where a model did;
    `cascade_at` is the confidence from which it answered alone, where it did.
    """

    standings: tuple[Standing, ...]
    source: Source
    curve_id: str | None
    offered: tuple[str, ...] = ()
    local_top: str | None = None
    local_confidence: float | None = None
    cascade_at: float | None = None

    @property
    def is_own_claim(self) -> bool:
        """Whether the confidence is what a model says itself, which nothing has tested yet."""
        return self.local_top is not None and self.curve_id is None


class Answering:
    """The local ranker always has an answer; models may have a better one."""

    def __init__(  # noqa: PLR0913 - the wiring of one service, by name
        self,
        *,
        ranker: Callable[[], Ranker],
        confidence: Confidence,
        memory: Memory,
        model_ranker: ModelRanker,
        setup: Callable[[str], Setup | None],
        cascade_at: Callable[[], float | None],
        privacy: PrivacyRules,
    ) -> None:
        """Ask models with what `setup` gives for a person, or None where none is set up.

        At or above a confidence of `cascade_at` the local ranker answers alone.
        """
        self._ranker = ranker
        self._confidence = confidence
        self._memory = memory
        self._model_ranker = model_ranker
        self._setup = setup
        self._cascade_at = cascade_at
        self._privacy = privacy

    def privately(self, request: Request) -> Request:
        """Return the request with what the privacy settings say of it.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            Unavailable: the ranker is still warming up.
        """
        ranker = self._ranker()
        if not self._privacy.look_at_domains:
            return self._privacy.judged(request)
        # What is written down of a request depends on its domain, so that it is needed first.
        return self._privacy.judged(request, _domains(ranker.rank(request.task)))

    def rank(self, task: Task) -> tuple[list[Ranked], list[float]]:
        """Return the local ranking as for nobody, with confidences (0..1) of its first."""
        ranker = self._ranker()
        ranking = ranker.rank(task)
        return ranking, self._confidence.of(ranking, ranker, LOGGED).shown

    def learn(self) -> None:
        """Take in what people chose: as examples, and to correct the local ranker's confidence.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        self._memory.refresh()
        self.refit(self._ranker())

    def refit(self, ranker: Named) -> None:
        """Correct a ranker's confidence by what people chose, if that is enough and better."""
        if fitted := self._confidence.refit(ranker):
            log.info("A confidence curve was fitted. %s", fitted.reason)

    def answer(
        self,
        request: Request,
        admission: Admission,
        spent: Spent,
        stop: threading.Event | None = None,
    ) -> Answered:
        """Return a model's answer, or the local one with the reason why.

        What models use is added to `spent`, whatever comes of it; setting `stop` ends the call.

        Raises:
            Cancelled: no answer is wanted any more.
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: an attempt could not be recorded.
        """
        task, user_id = request.task, admission.user_id
        ranking = self._ranker().rank(task, self._memory.lean(user_id, task.title))
        local = self._locally(ranking)
        setup = self._setup(user_id)
        if setup is None:
            return local
        allowed = partial(self._privacy.why_local, task, _domains(ranking), request.sensitivity)
        if reason := allowed():
            return _because(local, reason)
        least = self._cascade_at()
        if least is not None and local.standings[0].confidence >= least:
            return replace(_because(local, SURE_ENOUGH), cascade_at=least)
        asking = Asking(
            setup.ladder, admission.request_id, user_id, allowed, setup.deadline_s, stop, spent
        )
        try:
            ranked = self._model_ranker.rank(task, ranking, asking)
        except NoModelLeft as left:
            source = local.source
            return replace(
                local,
                source=Source.local(source.name, source.version, str(left), left.falls, spent),
            )
        except ModelFailure as failure:
            # The ladder falls past every other one.
            raise Cancelled from failure
        best = local.standings[0]
        return Answered(
            ranked.standings,
            ranked.source,
            ranked.curve_id,
            ranked.offered,
            best.workflow.workflow_id,
            best.confidence,
        )

    def _locally(self, ranking: Sequence[Ranked]) -> Answered:
        ranker = self._ranker()
        confidences = self._confidence.of(ranking, ranker, LOGGED)
        return Answered(
            tuple(_standings(ranking, confidences)),
            Source.local(ranker.name, ranker.version),
            confidences.curve_id,
        )


def _because(local: Answered, reason: str) -> Answered:
    return replace(local, source=local.source.model_copy(update={"reason": reason}))


def _standings(ranking: Sequence[Ranked], confidences: Confidences) -> list[Standing]:
    """Put what the local ranker found together with its confidences, as far as these reach."""
    return [
        Standing(ranked.workflow, shown, shipped, None, ranked)
        for ranked, shown, shipped in zip(
            ranking, confidences.shown, confidences.shipped, strict=False
        )
    ]


def _domains(ranking: Sequence[Ranked]) -> set[Domain]:
    """Return the domains of those workflows that would be shown."""
    return {ranked.workflow.domain for ranked in ranking[:SHOWN]}
