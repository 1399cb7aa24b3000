"""The ranker that asks a model: its ranking, its own confidence and reasons, and who gave them."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from core.catalogue import Catalogue, Task, Workflow
from core.errors import CatalogueEmpty
from core.llm import Answer, Ask, Caller, Calls, Setup, Source, Spent
from core.recommend.model_answer import Claim, claims_in, flaw_in
from core.recommend.model_prompt import PROMPT_VERSION, SYSTEM, Prompt, prompt_for
from core.recommend.ranking import Ranked, Standing
from core.recommend.recalibration import Confidence, RankerName

__all__ = ["Asking", "ModelRanker", "ModelRanking"]

# A catalogue of more than `WHOLE` workflows is cut down to the local ranker's best.
WHOLE, SHORTLIST = 50, 20


@dataclass(frozen=True, slots=True)
class Asking:
    """On whose behalf models are asked, who may forbid or stop that, and what it takes.

    `allowed` gives the reason why no model may be asked this, or None; what is spent is added up
    in `spent`, whatever comes of it.
    """

    request_id: str
    user_id: str
    allowed: Callable[[], str | None]
    stop: threading.Event | None = None
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True)
class ModelRanking:
    """An answer to one task, the best first, and where it came from.

    `offered` has the ids in the order in which the model saw them. `curve_id` names the curve
    that corrected the model's confidence; without one it is the model's own claim, which nothing
    has tested yet.
    """

    standings: tuple[Standing, ...]
    source: Source
    offered: tuple[str, ...]
    curve_id: str | None


class ModelRanker:
    """Asks the models of a ladder which workflows fit; the local ranker stands behind them.

    The person's words reach the model as data, and the ids it may answer with are the catalogue's:
    whatever a task says, nothing else can be recommended.
    """

    name = "model"

    def __init__(
        self,
        *,
        catalogue: Callable[[], Catalogue],
        calls: Calls,
        confidence: Confidence,
        chance: random.Random | None = None,
    ) -> None:
        """`chance` shuffles the candidates and names the tags around a task."""
        self._catalogue = catalogue
        self._calls = calls
        self._confidence = confidence
        self._chance = chance or random.SystemRandom()

    def rank(
        self, task: Task, ranking: Sequence[Ranked], setup: Setup, asking: Asking
    ) -> ModelRanking:
        """Ask for the best workflows; the others follow as the local `ranking` orders them.

        An answer that is against the rules is sent back once, then the next rung is asked.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            NoModelLeft: no model gave a valid answer, or none may be asked.
            ModelFailure: the call was cancelled.
            LedgerUnavailable: an attempt could not be recorded.
        """
        candidates = self._candidates(ranking)
        prompt = prompt_for(task, candidates, self._chance)
        answer = self._asked(prompt, setup, asking)
        claims = claims_in(answer.completion.value)
        source = Source.of_model(self.name, answer, PROMPT_VERSION, asking.spent)
        confidences = self._confidence.of_claims(
            [claim.confidence for claim in claims], RankerName(source.name, source.version)
        )
        chosen = _chosen(claims, confidences.shown, candidates, ranking)
        return ModelRanking(
            standings=(*chosen, *_others(chosen, ranking)),
            source=source,
            offered=prompt.offered,
            curve_id=confidences.curve_id,
        )

    def _candidates(self, ranking: Sequence[Ranked]) -> Sequence[Workflow]:
        workflows = self._catalogue().workflows
        if not workflows:
            raise CatalogueEmpty("No workflow is loaded; the Workflows page lists the faults.")
        if len(workflows) <= WHOLE:
            return workflows
        return [ranked.workflow for ranked in ranking[:SHORTLIST]]

    def _asked(self, prompt: Prompt, setup: Setup, asking: Asking) -> Answer:
        ask = Ask(
            purpose="rank",
            system=SYSTEM,
            user=prompt.user,
            schema=prompt.schema,
            deadline_s=setup.deadline_s,
            cached=True,
        )
        caller = Caller(asking.request_id, asking.user_id, PROMPT_VERSION)
        terms = self._calls.terms(
            caller,
            asking.allowed,
            stop=asking.stop,
            check=partial(flaw_in, prompt=prompt),
            spent=asking.spent,
        )
        return setup.ladder.ask(ask, terms)


def _chosen(
    claims: Sequence[Claim],
    confidences: Sequence[float],
    candidates: Sequence[Workflow],
    ranking: Sequence[Ranked],
) -> list[Standing]:
    """Put what the model claims together with what is known of the workflows."""
    workflows = {workflow.workflow_id: workflow for workflow in candidates}
    local = {ranked.workflow.workflow_id: ranked for ranked in ranking}
    return [
        Standing(
            workflow=workflows[claim.workflow_id],
            confidence=confidence,
            claimed=claim.confidence,
            reason=claim.reason,
            local=local.get(claim.workflow_id),
        )
        for claim, confidence in zip(claims, confidences, strict=True)
    ]


def _others(chosen: Sequence[Standing], ranking: Sequence[Ranked]) -> Iterator[Standing]:
    """Give those that the model did not choose: with their local shares, but never surer."""
    known = {each.workflow.workflow_id for each in chosen}
    least = chosen[-1].confidence
    for ranked in ranking:
        if ranked.workflow.workflow_id not in known:
            least = min(least, round(math.exp(ranked.score), 6))
            yield Standing(ranked.workflow, least, None, None, ranked)
