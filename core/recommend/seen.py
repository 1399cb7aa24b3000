"""How alike a text is to the phrases that the head was trained on, class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.recommend.embedding import Floats

__all__ = ["DIRECTIONS", "Seen", "directions_of", "points_of"]

# The embedding's main directions: fewer than 64 lose nothing measurable of what is alike.
DIRECTIONS = 64
NEAREST = 5
# Of a class without phrases.
NOT_ALIKE = np.float32(0)


class Seen:
    """Phrases as points on a sphere of few dimensions, with the class of each.

    The mean of a class's five nearest is what a k-nearest-neighbour classifier looks at.
    """

    def __init__(
        self, directions: Floats, points: Floats, labels: NDArray[np.intp], classes: int
    ) -> None:
        """Take directions (512, 64), unit points (n, 64), and the class of each (n,)."""
        order = np.argsort(labels, kind="stable")
        self._directions = directions
        self._points = points[order]
        self._order = order
        sizes = np.bincount(labels, minlength=classes)
        ends = np.cumsum(sizes)
        nearest = np.minimum(sizes, NEAREST)
        self._blocks = [slice(*each) for each in zip(ends - sizes, ends, strict=True)]
        self._known = np.flatnonzero(nearest)
        # Where the nearest of each class stand when its block is sorted, and where each begins.
        self._nearest = np.concatenate(
            [np.arange(e - k, e) for k, e in zip(nearest, ends, strict=True)]
        )
        self._counts = nearest[self._known]
        self._starts = (np.cumsum(nearest) - nearest)[self._known]

    def alike(self, vectors: Floats, but: NDArray[np.bool_] | None = None) -> Floats:
        """Return shape (m, classes): mean cosines of each text to a class's nearest phrases.

        Args:
            vectors: shape (m, 512), the texts.
            but: shape (m, n), the phrases that do not count for a text.
        """
        cosines = points_of(vectors, self._directions) @ self._points.T
        if but is not None:
            cosines[but[:, self._order]] = -1
        for block in self._blocks:
            if block.stop - block.start > NEAREST:
                cosines[:, block].partition(-NEAREST, axis=1)
        alike = np.full((len(vectors), len(self._blocks)), NOT_ALIKE)
        sums = np.add.reduceat(cosines[:, self._nearest], self._starts, axis=1)
        alike[:, self._known] = sums / self._counts
        return alike


def directions_of(vectors: Floats) -> Floats:
    """Return shape (512, 64): the main directions of vectors of shape (n, 512), by their SVD."""
    gram = vectors.T.astype(np.float64) @ vectors.astype(np.float64)
    _, found = np.linalg.eigh(gram)  # eigenvalues rise
    main: Floats = found[:, ::-1][:, :DIRECTIONS].astype(np.float32)
    return main


def points_of(vectors: Floats, directions: Floats) -> Floats:
    """Return shape (n, 64): vectors of shape (n, 512) along directions, as unit vectors."""
    along = vectors @ directions
    unit: Floats = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return unit
