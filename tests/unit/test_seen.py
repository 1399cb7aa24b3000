"""How alike a text is to the phrases of each class."""

from __future__ import annotations

import numpy as np
import pytest

from core.recommend.seen import DIRECTIONS, Seen, directions_of, points_of

SIZE = 512
RNG = np.random.default_rng(3)


def units(n: int) -> np.ndarray:
    drawn = RNG.normal(size=(n, SIZE)).astype(np.float32)
    unit: np.ndarray = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Ten phrases of each of three classes, and two of a fourth."""
    return units(32)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.array([0, 1, 2] * 10 + [3, 3])


@pytest.fixture(scope="module")
def directions(vectors: np.ndarray) -> np.ndarray:
    return directions_of(vectors)


@pytest.fixture(scope="module")
def seen(vectors: np.ndarray, labels: np.ndarray, directions: np.ndarray) -> Seen:
    return Seen(directions, points_of(vectors, directions), labels, 5)


def test_it_is_the_mean_of_the_five_nearest_of_a_class(
    seen: Seen, vectors: np.ndarray, labels: np.ndarray, directions: np.ndarray
) -> None:
    text = units(1)
    cosines = (points_of(text, directions) @ points_of(vectors, directions).T)[0]
    alike = seen.alike(text)[0]
    assert alike.shape == (5,)
    for label in range(3):
        assert alike[label] == pytest.approx(
            np.sort(cosines[labels == label])[-5:].mean(), abs=1e-5
        )
    assert alike[3] == pytest.approx(cosines[labels == 3].mean(), abs=1e-5), (
        "two are all there are"
    )
    assert alike[4] == 0, "a class without phrases is like nothing"


def test_phrases_that_do_not_count_for_a_text_are_not_looked_at(
    seen: Seen, vectors: np.ndarray, labels: np.ndarray
) -> None:
    own = vectors[:3]
    but = np.zeros((3, len(vectors)), dtype=bool)
    but[np.arange(3), np.arange(3)] = True
    without = seen.alike(own, but)
    assert (without[[0, 1, 2], [0, 1, 2]] < seen.alike(own)[[0, 1, 2], [0, 1, 2]] - 0.05).all()
    others = np.flatnonzero(labels != 0)
    assert without[0, labels[others[0]]] == pytest.approx(seen.alike(own)[0, labels[others[0]]])


def test_directions_are_at_right_angles_and_keep_what_is_alike() -> None:
    basis = units(8)
    vectors = RNG.normal(size=(400, 8)).astype(np.float32) @ basis
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    directions = directions_of(vectors)
    assert directions.shape == (SIZE, DIRECTIONS)
    assert directions.T @ directions == pytest.approx(np.eye(DIRECTIONS), abs=1e-5)
    points = points_of(vectors, directions)
    assert points @ points.T == pytest.approx(vectors @ vectors.T, abs=1e-4)
