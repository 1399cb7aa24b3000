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
        ends = np.cumsum(np.bincount(labels, minlength=classes))
        self._blocks = [slice(*each) for each in zip(np.append(0, ends[:-1]), ends, strict=True)]

    def alike(self, vectors: Floats, but: NDArray[np.bool_] | None = None) -> Floats:
        """Return shape (m, classes): mean cosines of each text to a class's nearest phrases.

        Args:
            vectors: shape (m, 512), the texts.
            but: shape (m, n), the phrases that do not count for a text.
        """
        cosines = points_of(vectors, self._directions) @ self._points.T
        if but is not None:
            cosines[but[:, self._order]] = -1
        nearest = [_nearest(cosines[:, block]) for block in self._blocks]
        return np.stack([each.mean(axis=1) for each in nearest], axis=1)


def _nearest(cosines: Floats) -> Floats:
    """Return the largest of each row, at most five."""
    if cosines.shape[1] == 0:
        return np.full((len(cosines), 1), NOT_ALIKE)
    if cosines.shape[1] <= NEAREST:
        return cosines
    nearest: Floats = np.partition(cosines, -NEAREST, axis=1)[:, -NEAREST:]
    return nearest


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
