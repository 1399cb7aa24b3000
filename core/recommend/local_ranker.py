"""The ranker that needs no model: nearness to examples, and a trained head where it is known."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue, Task
from core.errors import CatalogueEmpty, HeadUnusable
from core.recommend.calibration import Curves
from core.recommend.embedding import Embedder, Floats
from core.recommend.head import Head
from core.recommend.nearness import Index, Near
from core.recommend.ranking import Ranked

__all__ = [
    "FITS",
    "LEAST_LOG_CHANCE",
    "UNTRAINED",
    "LocalRanker",
    "joined",
    "learnt_of",
    "log_shares",
    "nearness",
    "none_features",
    "untrained",
    "version_of",
]

log = logging.getLogger(__name__)

BM25_WEIGHT = 0.1
# Titles whose scores differ by less are a tie, which the description may break.
TIE = 0.05
# The head's log probabilities below this say no more than "not this".
LEAST_LOG_CHANCE = -12.0
NOT_TRAINED = -1
# How many of the weights that join are those of a workflow's features.
FITS = 5
UNTRAINED = "2"


class LocalRanker:
    """Without a head: z(cosine to centroid) + z(mean of the three nearest examples) + 0.1 BM25.

    With one, a conditional logit (McFadden 1974) over the workflows and "nothing fits", whose
    features are the same three, the head's log probability, and how alike the title is to the
    phrases that the head has seen. A workflow that the head does not know, because it came later,
    gets of these what its nearness lets expect.

    The title ranks. The description only reorders neighbours whose titles tie; energy, hours and
    time of day never reach the ranking.
    """

    name = "local"

    def __init__(self, catalogue: Catalogue, embedder: Embedder, head: Head | None = None) -> None:
        """Embed all examples once.

        Raises:
            CatalogueEmpty: no workflow is loaded.
        """
        if not catalogue.workflows:
            raise CatalogueEmpty("No workflow is loaded; the Workflows page lists the faults.")
        self.version = version_of(head)
        self._embedder = embedder
        self._head = head
        self._seen = head.seen() if head else None
        self._workflows = catalogue.workflows
        self._index = Index(self._workflows, embedder)
        place = {name: at for at, name in enumerate(head.classes[:-1].tolist() if head else ())}
        self._classes = np.array(
            [place.get(each.workflow_id, NOT_TRAINED) for each in self._workflows]
        )

    @classmethod
    def shipped(cls, catalogue: Catalogue, embedder: Embedder) -> LocalRanker:
        """Use the shipped head; where it is unusable, say why in the log and do without.

        Raises:
            CatalogueEmpty: no workflow is loaded.
        """
        try:
            head = Head.load()
            head.check(catalogue.workflows)
            Curves.load().of(cls.name, version_of(head))
        except HeadUnusable as problem:
            log.warning("%s", problem)
            return cls(catalogue, embedder)
        embedder.remember(head.phrases.tolist(), head.vectors)
        return cls(catalogue, embedder, head)

    def rank(self, task: Task, lean: Mapping[str, float] | None = None) -> list[Ranked]:
        near, scores = self._scored(task.title, lean or {})
        order = sorted(range(len(scores)), key=lambda at: -scores[at])
        if task.description:
            order = self._ties_broken(order, near, scores, task.description)
        return [
            Ranked(
                workflow=self._workflows[near.places[at]],
                score=float(scores[at]),
                centroid=float(near.centroid[at]),
                examples=float(near.examples[at]),
                bm25=float(near.bm25[at]),
                closest=self._index.phrases[near.places[at]][near.closest[at]],
            )
            for at in order
        ]

    def _scored(self, text: str, lean: Mapping[str, float]) -> tuple[Near, Floats]:
        vector = self._embedder.encode_one(text)
        near = self._index.near(text, vector)
        leaning = [lean.get(self._workflows[place].workflow_id, 0.0) for place in near.places]
        if self._head is None or self._seen is None:
            return near, log_shares(untrained(near) + np.array(leaning, dtype=np.float32))
        learnt = learnt_of(self._head.log_chances(text, vector), self._seen.alike(vector[None])[0])
        scores = joined(self._head, near, learnt, self._classes[near.places])
        scores[:-1] += leaning
        return near, log_shares(scores)[:-1]

    def _ties_broken(
        self, order: list[int], near: Near, scores: Floats, description: str
    ) -> list[int]:
        """Reorder only runs of neighbours that lie within `TIE` of the run's first."""
        runs: list[list[int]] = []
        for at in order:
            if runs and scores[runs[-1][0]] - scores[at] <= TIE:
                runs[-1].append(at)
            else:
                runs.append([at])
        if all(len(run) == 1 for run in runs):
            return order
        described, by_description = self._scored(description, {})
        score = dict(zip(described.places.tolist(), by_description.tolist(), strict=True))
        return [
            at
            for run in runs
            for at in sorted(run, key=lambda at: -score.get(int(near.places[at]), -np.inf))
        ]


def version_of(head: Head | None) -> str:
    """Return the version of a ranker with this head, or with none."""
    return f"{UNTRAINED}.{head.checksum[:8]}" if head else UNTRAINED


def untrained(near: Near) -> Floats:
    """Return shape (n,): scores that need no training."""
    return _z(near.centroid) + _z(near.examples) + BM25_WEIGHT * near.bm25


def learnt_of(log_chances: Floats, alike: Floats) -> Floats:
    """Return shape (2, c): log probabilities, none so low that it tells nothing, and likeness."""
    return np.stack([np.maximum(log_chances, LEAST_LOG_CHANCE), alike])


def joined(head: Head, near: Near, learnt: Floats, classes: NDArray[np.intp]) -> Floats:
    """Return shape (n + 1,): utilities of the workflows looked at, and last that of "none".

    `learnt` has shape (2, c): of each class the head's log probability, and how alike its phrases
    are; `classes` has each workflow's class, or -1 for one that the head does not know.
    """
    expected = head.imputed @ nearness(near).T
    of_workflows = np.where(classes == NOT_TRAINED, expected, learnt[:, classes])
    fits = head.join[:FITS] @ np.vstack([near.centroid, near.examples, near.bm25, of_workflows])
    none = head.join[FITS:] @ none_features(near, learnt[:, -1])
    return np.append(fits, none).astype(np.float32)


def nearness(near: Near) -> Floats:
    """Return shape (n, 4): what a log probability is expected from."""
    return np.stack([np.ones_like(near.centroid), near.centroid, near.examples, near.bm25], axis=1)


def none_features(near: Near, learnt: Floats) -> Floats:
    """Return shape (6,): what is learnt of "none", 1, and how near anything is."""
    nearest = (near.examples.max(), near.centroid.max(), near.bm25.max())
    return np.array([*learnt, 1.0, *nearest], dtype=np.float32)


def log_shares(scores: Floats) -> Floats:
    """Return the natural logs of shares that sum to 1."""
    shifted = scores.astype(np.float64) - scores.max()
    shares: Floats = shifted - np.log(np.exp(shifted).sum())
    return shares


def _z(values: Floats) -> Floats:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
