"""How near a text is to each workflow: its centre, its examples, its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Workflow
from core.recommend.bm25 import Bm25
from core.recommend.embedding import Embedder, Floats

__all__ = ["Index", "Near", "quantized"]

NEAREST_EXAMPLES = 3
# Of a larger catalogue only so many are looked at closely: those with the nearest centres, and
# those with the rarest words in common.
BY_CENTRE, BY_WORDS = 160, 40
SHORTLIST = BY_CENTRE + BY_WORDS
# Stands where a workflow has fewer phrases than another; no cosine is as low.
NO_PHRASE = np.float32(-2)
# Of a larger catalogue cosines are kept to about 0.002, in a quarter of the memory.
STEPS = 127
ENCODED_AT_ONCE = 2_000
WHOLE_UP_TO = 4_000


@dataclass(frozen=True, slots=True)
class Near:
    """The workflows looked at, by their place in the catalogue, and how near each is.

    All have shape (n,): `centroid` is the cosine to the mean of a workflow's phrases, `examples`
    the mean of its three nearest ones, `bm25` the words in common; `closest` is the place of the
    nearest phrase.
    """

    places: NDArray[np.intp]
    centroid: Floats
    examples: Floats
    bm25: Floats
    closest: NDArray[np.intp]


class Index:
    """The phrases of a catalogue; name and description count as one each, so none is without."""

    def __init__(self, workflows: Sequence[Workflow], embedder: Embedder) -> None:
        self.phrases = [[each.name, each.description, *each.examples] for each in workflows]
        counts = np.array([len(phrases) for phrases in self.phrases])
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._widest = max(int(counts.max()), NEAREST_EXAMPLES)
        self._nearest = np.minimum(counts, NEAREST_EXAMPLES).astype(np.float32)
        self._centroids = np.empty((len(counts), embedder.dimensions), dtype=np.float32)
        self._vectors = np.empty((int(self._starts[-1]), embedder.dimensions), dtype=np.int8)
        self._scales = np.empty(int(self._starts[-1]), dtype=np.float32)
        first = 0
        while first < len(counts):
            first = self._encode(first, embedder)
        self._every = self._whole()
        self._bm25 = Bm25(self.phrases)

    def near(self, text: str, vector: Floats) -> Near:
        """Return the nearness of a text, whose unit vector has shape (dimensions,)."""
        centroid = self._centroids @ vector
        bm25 = self._bm25.scores(text)
        places = _shortlist(centroid, bm25)
        rows = self._starts[places][:, None] + np.arange(self._widest)
        present = rows < self._starts[places + 1][:, None]
        cosines = np.full(rows.shape, NO_PHRASE)
        cosines[present] = self._cosines(rows[present], vector)
        top = -np.partition(-cosines, NEAREST_EXAMPLES - 1, axis=1)[:, :NEAREST_EXAMPLES]
        examples = top.sum(axis=1, where=top > NO_PHRASE) / self._nearest[places]
        return Near(places, centroid[places], examples, bm25[places], cosines.argmax(axis=1))

    def _encode(self, first: int, embedder: Embedder) -> int:
        """Encode the phrases of the next workflows, and return the place after them."""
        last = first + 1
        while last < len(self.phrases) and self._starts[last + 1] - self._starts[first] <= (
            ENCODED_AT_ONCE
        ):
            last += 1
        texts = [phrase for phrases in self.phrases[first:last] for phrase in phrases]
        vectors = embedder.encode_phrases(texts)
        begin = self._starts[first]
        for place in range(first, last):
            own = vectors[self._starts[place] - begin : self._starts[place + 1] - begin]
            self._centroids[place] = _unit(own.mean(axis=0))
        here = slice(begin, self._starts[last])
        self._vectors[here], self._scales[here] = quantized(vectors)
        return last

    def _whole(self) -> Floats | None:
        """Return all phrases at full length, where all are looked at and that is a few MB."""
        if len(self.phrases) > SHORTLIST or len(self._vectors) > WHOLE_UP_TO:
            return None
        whole: Floats = self._vectors.astype(np.float32) * self._scales[:, None]
        return whole

    def _cosines(self, rows: NDArray[np.intp], vector: Floats) -> Floats:
        """Return shape (n,): of the phrases in these rows."""
        if self._every is not None:
            every: Floats = (self._every @ vector)[rows]
            return every
        cosines: Floats = (self._vectors[rows].astype(np.float32) @ vector) * self._scales[rows]
        return cosines


def quantized(vectors: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return vectors of shape (n, 512) in steps of 1/127 of their largest part, and that step."""
    scales = np.abs(vectors).max(axis=1) / STEPS
    steps = np.rint(vectors / np.maximum(scales, 1e-9)[:, None])
    return steps.astype(np.int8), scales.astype(np.float32)


def _shortlist(centroid: Floats, bm25: Floats) -> NDArray[np.intp]:
    if len(centroid) <= SHORTLIST:
        return np.arange(len(centroid))
    by_centre = np.argpartition(-centroid, BY_CENTRE)[:BY_CENTRE]
    by_words = np.argpartition(-bm25, BY_WORDS)[:BY_WORDS]
    return np.union1d(by_centre, by_words)


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
