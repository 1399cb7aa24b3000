"""What a ranker says of a task: the workflows in order, and how each stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.catalogue import Task, Workflow

__all__ = ["Ranked", "Ranker", "Standing", "nothing_share"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One workflow's standing: its score among the others, and how near it is in itself.

    `score` is the natural log of its share among all workflows and, where the ranker knows of it,
    "nothing fits"; `centroid` and `examples` are cosines (-1..1) of the title to the workflow's
    mean vector and to its three nearest examples; `closest` is the nearest example.
    """

    workflow: Workflow
    score: float
    centroid: float
    examples: float
    bm25: float
    closest: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one workflow stands in an answer.

    `confidence` (0..1) is the one to show; `claimed` is what the ranker gave before this
    deployment's correction, None for what a model left to the local ranker. `reason` is a
    model's. `local` is None where the local ranker did not look at the workflow.
    """

    workflow: Workflow
    confidence: float
    claimed: float | None
    reason: str | None
    local: Ranked | None


class Ranker(Protocol):
    """Orders the catalogue for a task, best first."""

    name: str
    version: str

    def rank(self, task: Task, lean: Mapping[str, float] | None = None) -> list[Ranked]:
        """Return the workflows that come into question, best first.

        `lean` is added to the scores of some workflows before they become shares.
        """
        ...


def nothing_share(ranking: Sequence[Ranked]) -> float:
    """Return the share (0..1) that a ranker gives to "nothing fits"; 0 where it knows no such."""
    return max(0.0, 1 - sum(math.exp(ranked.score) for ranked in ranking))
