"""Who ranks a task: the local ranker, or a model that is set up, allowed and better asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from core.catalogue import Domain, Task
from core.errors import LedgerUnavailable, WaywardenError
from core.guard import Admission, PrivacyRules, Request
from core.jobs import Cancelled
from core.llm import AskableModels, Fall, ModelFailure, NoModelLeft, Source, Spent
from core.recommend.memory import Memory
from core.recommend.model_ranker import Asking, ModelRanker, ModelRanking
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


class Local(NamedTuple):
    """The local ranker, and its ranking where it was needed before the request was admitted."""

    ranker: Ranker
    ranking: list[Ranked] | None = None


class Answering:
    """The local ranker always has an answer; models may have a better one."""

    def __init__(  # noqa: PLR0913 - the wiring of one service, by name
        self,
        *,
        ranker: Callable[[], Ranker],
        confidence: Confidence,
        memory: Memory,
        model_ranker: ModelRanker,
        models: AskableModels,
        cascade_at: Callable[[], float | None],
        privacy: PrivacyRules,
    ) -> None:
        """Ask `models` where there are some.

        At or above a confidence of `cascade_at` the local ranker answers alone.
        """
        self._ranker = ranker
        self._confidence = confidence
        self._memory = memory
        self._model_ranker = model_ranker
        self._models = models
        self._cascade_at = cascade_at
        self._privacy = privacy

    def privately(self, request: Request) -> tuple[Request, Local]:
        """Return the request with what the privacy settings say of it, and the local ranking.

        The ranking is only made here where a task's domain can make it sensitive: what is written
        down of a request depends on that.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            Unavailable: the ranker is still warming up.
        """
        ranker = self._ranker()
        if not self._privacy.look_at_domains:
            return self._privacy.judged(request), Local(ranker)
        ranking = self._ranked(ranker, request.task, request.user_id)
        return self._privacy.judged(request, _domains(ranking)), Local(ranker, ranking)

    def rank(self, task: Task) -> tuple[list[Ranked], list[float]]:
        """Return the local ranking as for nobody, with confidences (0..1) of its first."""
        ranker = self._ranker()
        ranking = ranker.rank(task)
        return ranking, self._confidence.of(ranking, ranker, LOGGED).shown

    def learn(self) -> None:
        """Take in what people chose: as examples, and to correct confidences.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        self._memory.refresh()
        self.refit()

    def refit(self) -> None:
        """Correct each ranker's confidence by what people chose, if that is enough and better."""
        rankers: list[Named] = [self._ranker(), *self._confidence.models()]
        for ranker in rankers:
            if fitted := self._confidence.refit(ranker):
                log.info("A confidence curve was fitted. %s", fitted.reason)

    def answer(
        self,
        request: Request,
        admission: Admission,
        local: Local,
        spent: Spent,
        stop: threading.Event,
    ) -> Answered:
        """Return a model's answer, or the local one with the reason why.

        What models use is added to `spent`, whatever comes of it; setting `stop` ends the call.
        What was admitted before, and has no answer that could be given again, no model sees.

        Raises:
            Cancelled: no answer is wanted any more.
            LedgerUnavailable: an attempt could not be recorded.
        """
        task, user_id = request.task, admission.user_id
        ranking = local.ranking or self._ranked(local.ranker, task, user_id)
        answered = self._locally(local.ranker, ranking)
        if admission.replayed or not self._models.are_set_up(user_id, "rank"):
            return answered
        allowed = partial(self._privacy.why_local, task, _domains(ranking), request.sensitivity)
        if reason := allowed():
            return _because(answered, reason)
        least = self._cascade_at()
        if least is not None and answered.standings[0].confidence >= least:
            return replace(_because(answered, SURE_ENOUGH), cascade_at=least)
        asking = Asking(admission.request_id, user_id, allowed, stop, spent)
        return self._asked(task, ranking, asking, answered)

    def _asked(
        self, task: Task, ranking: Sequence[Ranked], asking: Asking, answered: Answered
    ) -> Answered:
        """Return a model's answer; if there is none, the local one with the reason why."""
        try:
            setup = self._models.setup(asking.user_id, "rank")
            if setup is not None:
                return _by_model(self._model_ranker.rank(task, ranking, setup, asking), answered)
        except ModelFailure as failure:
            # The ladder falls past every other one.
            raise Cancelled from failure
        except LedgerUnavailable:
            raise
        except NoModelLeft as left:
            answered = _because(answered, str(left), left.falls, asking.spent)
        except WaywardenError as problem:  # such as a key that cannot be opened
            answered = _because(answered, str(problem), (), asking.spent)
        return answered

    def _ranked(self, ranker: Ranker, task: Task, user_id: str) -> list[Ranked]:
        return ranker.rank(task, self._memory.lean(user_id, task.title))

    def _locally(self, ranker: Ranker, ranking: Sequence[Ranked]) -> Answered:
        confidences = self._confidence.of(ranking, ranker, LOGGED)
        return Answered(
            tuple(_standings(ranking, confidences)),
            Source.local(ranker.name, ranker.version),
            confidences.curve_id,
        )


def _by_model(ranking: ModelRanking, local: Answered) -> Answered:
    best = local.standings[0]
    return Answered(
        ranking.standings,
        ranking.source,
        ranking.curve_id,
        ranking.offered,
        best.workflow.workflow_id,
        best.confidence,
    )


def _because(
    local: Answered, reason: str, falls: Sequence[Fall] = (), spent: Spent | None = None
) -> Answered:
    """Return the local answer with the reason why no model gave it."""
    source = Source.local(local.source.name, local.source.version, reason, falls, spent)
    return replace(local, source=source)


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
