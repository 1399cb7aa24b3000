"""Words in common, weighted by how rare they are."""

from __future__ import annotations

import math
from array import array
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
        postings: dict[str, tuple[array[int], array[float]]] = {}
        lengths = np.empty(len(documents), dtype=np.float32)
        for place, texts in enumerate(documents):
            count = Counter(stem for text in texts for stem in stems(text))
            lengths[place] = count.total()
            for word, n in count.items():
                if word not in postings:
                    postings[word] = (array("i"), array("f"))
                postings[word][0].append(place)
                postings[word][1].append(n)
        norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean())))
        self._n = len(documents)
        self._weights: dict[str, tuple[NDArray[np.int32], Floats]] = {}
        for word, hits in postings.items():
            where, times = np.array(hits[0], dtype=np.int32), np.array(hits[1], dtype=np.float32)
            idf = math.log(1 + (self._n - len(where) + 0.5) / (len(where) + 0.5))
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
