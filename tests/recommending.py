"""A recommender of one's own, over a ledger, with no model set up."""

from __future__ import annotations

from collections.abc import Callable

from core.catalogue import Catalogue
from core.clock import Clock
from core.execute import LocalPlanner
from core.guard import Gate, PrivacyRules
from core.jobs import Jobs
from core.ledger import Ledger
from core.llm import Aim, Calls, Setup
from core.recommend import (
    Answering,
    Confidence,
    Curves,
    Embedder,
    Memory,
    ModelRanker,
    Ranker,
    Recommender,
)
from core.settings import Privacy
from tests.wire.play import RatesForTests

__all__ = ["local_recommender"]


class NoModels:
    """No provider is set up."""

    def are_set_up(self, user_id: str, aim: Aim) -> bool:
        del user_id, aim
        return False

    def setup(self, user_id: str, aim: Aim) -> Setup | None:
        del user_id, aim
        return None


def local_recommender(  # noqa: PLR0913 - what a recommender is made of
    *,
    gate: Gate,
    ledger: Ledger,
    jobs: Jobs,
    clock: Clock,
    catalogue: Catalogue,
    embedder: Embedder,
    ranker: Callable[[], Ranker],
) -> Recommender:
    confidence = Confidence(ledger, Curves.load(), clock)
    calls = Calls(ledger, RatesForTests(), clock)
    return Recommender(
        gate=gate,
        ledger=ledger,
        catalogue=lambda: catalogue,
        answering=Answering(
            ranker=ranker,
            confidence=confidence,
            memory=Memory(ledger, embedder, lambda: catalogue),
            model_ranker=ModelRanker(
                catalogue=lambda: catalogue, calls=calls, confidence=confidence
            ),
            models=NoModels(),
            cascade_at=lambda: None,
            privacy=PrivacyRules(Privacy),
        ),
        estimate=LocalPlanner().estimate,
        jobs=jobs,
        clock=clock,
    )
