"""What a ranker says of a task: the workflows in order, and how each stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.catalogue import Task, Workflow

__all__ = ["Ranked", "Ranker"]


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


class Ranker(Protocol):
    """Orders the catalogue for a task, best first."""

    name: str
    version: str

    def rank(self, task: Task, lean: Mapping[str, float] | None = None) -> list[Ranked]:
        """Return the workflows that come into question, best first.

        `lean` is added to the scores of some workflows before they become shares.
        """
        ...
