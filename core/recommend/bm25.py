"""Words in common, weighted by how rare they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.catalogue import content_stems, stems

__all__ = ["Bm25"]

K1, B = 1.2, 0.75
Floats = NDArray[np.float32]


class Bm25:
    """Okapi BM25 over one document per workflow (Robertson & Zaragoza 2009, equation 3.15)."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        """Count the stems of each document, given as its texts."""
        counts = [Counter(stem for text in texts for stem in stems(text)) for texts in documents]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float32)
        norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean())))
        places: dict[str, list[tuple[int, int]]] = {}
        for place, count in enumerate(counts):
            for word, n in count.items():
                places.setdefault(word, []).append((place, n))
        self._n = len(counts)
        self._weights: dict[str, tuple[NDArray[np.int32], Floats]] = {}
        for word, hits in places.items():
            where = np.array([place for place, _ in hits], dtype=np.int32)
            times = np.array([n for _, n in hits], dtype=np.float32)
            idf = math.log(1 + (self._n - len(hits) + 0.5) / (len(hits) + 0.5))
            weight = idf * times * (K1 + 1) / (times + norm[where])
            self._weights[word] = (where, weight.astype(np.float32))

    def scores(self, text: str) -> Floats:
        """Return shape (documents,)."""
        scores = np.zeros(self._n, dtype=np.float32)
        for stem in content_stems(text):
            if found := self._weights.get(stem):
                places, weights = found
                scores[places] += weights
        return scores
