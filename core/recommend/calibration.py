"""From a ranking to honest confidences: a logistic curve fitted on labelled tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.recommend.local_ranker import Ranked
from core.settings import PROJECT

__all__ = ["CALIBRATION", "Curve", "features", "fit", "softmax"]

CALIBRATION = PROJECT / "data" / "calibration.json"
FEATURES = ("gap", "examples", "centroid", "bm25", "entropy")
# No few hundred labels can support a claim of more than this.
MOST_SURE = 0.99
RIDGE, STEPS, TOLERANCE, LEAST_STEP = 1.0, 200, 1e-9, 1e-6
# Of a feature that never varies; still not zero in the file, which has six decimals.
LEAST_SCALE = 1e-6
Doubles = NDArray[np.float64]


class Curve(BaseModel):
    """P(this workflow is right) = sigmoid(bias + weights . (features - mean) / scale)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranker: str
    ranker_version: str
    fitted_on: str
    rows: int
    bias: float
    weights: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> Curve:
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def confidences(self, ranking: Sequence[Ranked], most: int) -> list[float]:
        """Return a confidence for each of the first `most`, never rising with the rank.

        Each is in 0..1 and has six decimals, so that it is the same in the ledger.
        """
        x = features(ranking, most)
        z = self.bias + ((x - np.array(self.mean)) / np.array(self.scale)) @ np.array(self.weights)
        sure = np.clip(_sigmoid(z), 1 - MOST_SURE, MOST_SURE)
        return [round(float(value), 6) for value in np.minimum.accumulate(sure)]


def features(ranking: Sequence[Ranked], most: int) -> Doubles:
    """Return shape (most, 5): gap to the best other score, nearness, and how open the field is."""
    scores = np.array([ranked.score for ranked in ranking])
    best_other = np.where(np.arange(len(scores)) == 0, scores[min(1, len(scores) - 1)], scores[0])
    chances = softmax(scores)
    entropy = float(-(chances * np.log(np.maximum(chances, 1e-12))).sum())
    return np.array(
        [
            [scores[k] - best_other[k], ranked.examples, ranked.centroid, ranked.bm25, entropy]
            for k, ranked in enumerate(ranking[:most])
        ]
    )


def softmax(scores: Doubles) -> Doubles:
    """Return shares that sum to 1."""
    shifted = np.exp(scores - scores.max())
    shares: Doubles = shifted / shifted.sum()
    return shares


def fit(x: Doubles, right: Doubles, ranker: str, version: str, fitted_on: str) -> Curve:
    """Fit by ridge-penalised logistic regression with damped Newton steps.

    Args:
        x: shape (n, 5), as `features` gives them.
        right: shape (n,), 0 or 1.
        ranker: name of the ranker that made the rankings.
        version: its version.
        fitted_on: where the labels came from.

    Source: Platt (1999); damping by step halving, Nocedal & Wright (2006), algorithm 3.1.
    """
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), LEAST_SCALE)
    design = np.column_stack([np.ones(len(x)), (x - mean) / scale])
    penalty = RIDGE * np.diag([0.0, *np.ones(x.shape[1])])
    beta = np.zeros(design.shape[1])
    loss = _loss(beta, design, right, penalty)
    for _ in range(STEPS):
        chance = _sigmoid(design @ beta)
        gradient = design.T @ (chance - right) + penalty @ beta
        hessian = (
            (design.T * (chance * (1 - chance))) @ design + penalty + 1e-9 * np.eye(len(beta))
        )
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (
            tried := _loss(beta - size * step, design, right, penalty)
        ) > loss and size > LEAST_STEP:
            size /= 2
        beta = beta - size * step
        if loss - tried < TOLERANCE:
            break
        loss = tried
    return Curve(
        ranker=ranker,
        ranker_version=version,
        fitted_on=fitted_on,
        rows=len(x),
        bias=round(float(beta[0]), 6),
        weights=tuple(round(float(weight), 6) for weight in beta[1:]),
        mean=tuple(round(float(value), 6) for value in mean),
        scale=tuple(round(float(value), 6) for value in scale),
    )


def _loss(beta: Doubles, design: Doubles, right: Doubles, penalty: Doubles) -> float:
    z = design @ beta
    return float((np.logaddexp(0, z) - right * z).sum() + 0.5 * beta @ penalty @ beta)


def _sigmoid(z: Doubles) -> Doubles:
    return 1 / (1 + np.exp(-np.clip(z, -40, 40)))
