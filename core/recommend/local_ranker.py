"""The ranker that needs no model and no training: nearness to descriptions and examples."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue, Task, Workflow, content_stems, stems
from core.errors import CatalogueEmpty
from core.recommend.embedding import Embedder, Floats

__all__ = ["LocalRanker", "Ranked", "Ranker"]

NEAREST_EXAMPLES = 3
BM25_WEIGHT, BM25_K1, BM25_B = 0.1, 1.2, 0.75
# Stands where a workflow has fewer phrases than another; no cosine is as low.
NO_PHRASE = np.float32(-2)
# Titles whose scores differ by less are a tie, which the description may break.
TIE = 0.05


@dataclass(frozen=True, slots=True)
class Ranked:
    """One workflow's standing: its score among the others, and how near it is in itself.

    `centroid` and `examples` are cosines (-1..1) of the title to the workflow's mean vector and
    to its three nearest examples; `closest` is the nearest example.
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

    def rank(self, task: Task) -> list[Ranked]:
        """Return every workflow, best first."""
        ...


class LocalRanker:
    """z(cosine to centroid) + z(mean of the three nearest examples) + 0.1 BM25, of the title.

    The description only reorders neighbours whose titles tie; energy, hours and time of day
    never reach the ranking.
    """

    name = "local"
    version = "1"

    def __init__(self, catalogue: Catalogue, embedder: Embedder) -> None:
        """Embed all examples once.

        Raises:
            CatalogueEmpty: no workflow is loaded.
        """
        if not catalogue.workflows:
            raise CatalogueEmpty("No workflow is loaded; the Workflows page lists the faults.")
        self._embedder = embedder
        self._workflows = catalogue.workflows
        self._phrases = [_phrases(workflow) for workflow in self._workflows]
        counts = [len(phrases) for phrases in self._phrases]
        starts = np.cumsum([0, *counts])
        every = [phrase for phrases in self._phrases for phrase in phrases]
        self._vectors = embedder.encode_phrases(every)
        self._rows = np.full((len(counts), max(counts)), -1)
        self._nearest = np.minimum(counts, NEAREST_EXAMPLES).astype(np.float32)
        for place, count in enumerate(counts):
            self._rows[place, :count] = np.arange(starts[place], starts[place + 1])
        self._centroids = np.stack(
            [_unit(self._vectors[row[row >= 0]].mean(axis=0)) for row in self._rows]
        )
        self._bm25 = _Bm25(self._phrases)

    def rank(self, task: Task) -> list[Ranked]:
        scores, centroid, examples, bm25, nearest = self._scored(task.title)
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        order = self._ties_broken(order, scores, task.description)
        return [
            Ranked(
                workflow=self._workflows[place],
                score=float(scores[place]),
                centroid=float(centroid[place]),
                examples=float(examples[place]),
                bm25=float(bm25[place]),
                closest=self._phrases[place][nearest[place]],
            )
            for place in order
        ]

    def _scored(self, text: str) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.intp]]:
        query = self._embedder.encode([text])[0]
        cosines = np.append(self._vectors @ query, NO_PHRASE)
        by_workflow = cosines[self._rows]
        keep = int(self._nearest.max())
        top = -np.partition(-by_workflow, keep - 1, axis=1)[:, :keep]
        examples = top.sum(axis=1, where=top > NO_PHRASE) / self._nearest
        centroid = self._centroids @ query
        bm25 = self._bm25.scores(text)
        scores = _z(centroid) + _z(examples) + BM25_WEIGHT * bm25
        return scores, centroid, examples, bm25, by_workflow.argmax(axis=1)

    def _ties_broken(self, order: list[int], scores: Floats, description: str) -> list[int]:
        """Reorder only runs of neighbours that lie within `TIE` of the run's first."""
        runs: list[list[int]] = []
        for place in order:
            if runs and scores[runs[-1][0]] - scores[place] <= TIE:
                runs[-1].append(place)
            else:
                runs.append([place])
        if not description or all(len(run) == 1 for run in runs):
            return order
        by_description = self._scored(description)[0]
        return [
            place
            for run in runs
            for place in sorted(run, key=lambda place: -by_description[place])
        ]


def _phrases(workflow: Workflow) -> list[str]:
    """The name and description count as one example each, so no workflow is without."""
    return [workflow.name, workflow.description, *workflow.examples]


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _z(values: Floats) -> Floats:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


class _Bm25:
    """Okapi BM25 over one document per workflow (Robertson & Zaragoza 2009, equation 3.15)."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        counts = [Counter(stem for text in texts for stem in stems(text)) for texts in documents]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float32)
        norm = BM25_K1 * (1 - BM25_B + BM25_B * lengths / max(1.0, float(lengths.mean())))
        places: dict[str, list[tuple[int, int]]] = {}
        for place, count in enumerate(counts):
            for word, n in count.items():
                places.setdefault(word, []).append((place, n))
        self._n = len(counts)
        self._weights: dict[str, tuple[NDArray[np.intp], Floats]] = {}
        for word, hits in places.items():
            where = np.array([place for place, _ in hits], dtype=np.intp)
            times = np.array([n for _, n in hits], dtype=np.float32)
            idf = math.log(1 + (self._n - len(hits) + 0.5) / (len(hits) + 0.5))
            weight = idf * times * (BM25_K1 + 1) / (times + norm[where])
            self._weights[word] = (where, weight.astype(np.float32))

    def scores(self, text: str) -> Floats:
        scores = np.zeros(self._n, dtype=np.float32)
        for stem in content_stems(text):
            if found := self._weights.get(stem):
                places, weights = found
                scores[places] += weights
        return scores
