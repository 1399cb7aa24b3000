"""From a ranking to honest confidences: a logistic curve fitted on labelled tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.errors import HeadUnusable
from core.recommend.head import CALIBRATION, RENEW
from core.recommend.ranking import Ranked, nothing_share

__all__ = ["MOST_SURE", "Curve", "Curves", "features", "fit", "logistic", "sigmoid"]

FEATURES = (
    "log share", "gap", "none", "entropy", "first three", "examples", "centroid", "bm25"
)  # fmt: skip
# No few hundred labels can support a claim of more than this.
MOST_SURE = 0.99
RIDGE, STEPS, TOLERANCE, LEAST_STEP = 1.0, 200, 1e-9, 1e-6
# Of a feature that never varies; still not zero in the file, which has six decimals.
LEAST_SCALE = 1e-6
LEAST_SHARE, LEAST_LOG_SHARE = 1e-6, -12.0
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

    def confidences(self, ranking: Sequence[Ranked], most: int) -> list[float]:
        """Return a confidence for each of the first `most`, never rising with the rank.

        Each is in 0..1 and has six decimals, so that it is the same in the ledger.
        """
        x = features(ranking, most)
        z = self.bias + ((x - np.array(self.mean)) / np.array(self.scale)) @ np.array(self.weights)
        sure = np.clip(sigmoid(z), 1 - MOST_SURE, MOST_SURE)
        return [round(float(value), 6) for value in np.minimum.accumulate(sure)]


class Curves(BaseModel):
    """The shipped curves: one for each ranker and version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    curves: tuple[Curve, ...]

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> Curves:
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def of(self, ranker: str, version: str) -> Curve:
        """Return the curve that was fitted for a ranker.

        Raises:
            HeadUnusable: there is none.
        """
        for curve in self.curves:
            if (curve.ranker, curve.ranker_version) == (ranker, version):
                return curve
        raise HeadUnusable(f"{CALIBRATION.name} has no curve for {ranker} {version}. {RENEW}")


def features(ranking: Sequence[Ranked], most: int) -> Doubles:
    """Return shape (most, 8): `FEATURES` of the first `most` workflows.

    The share and its distance to the best other one, the log odds of "nothing fits", how open the
    field is, the share of the first three, and how near the workflow is.
    """
    scores = np.array([ranked.score for ranked in ranking])
    shares = np.exp(scores)
    best_other = np.where(np.arange(len(scores)) == 0, scores[min(1, len(scores) - 1)], scores[0])
    none = float(np.clip(nothing_share(ranking), LEAST_SHARE, 1 - LEAST_SHARE))
    entropy = -float(shares @ scores) - none * np.log(none)
    field = [np.log(none / (1 - none)), entropy, shares[:3].sum()]
    return np.array(
        [
            [
                max(ranked.score, LEAST_LOG_SHARE),
                max(ranked.score - best_other[k], LEAST_LOG_SHARE),
                *field,
                ranked.examples,
                ranked.centroid,
                ranked.bm25,
            ]
            for k, ranked in enumerate(ranking[:most])
        ]
    )


def fit(
    x: Doubles, right: Doubles, weight: Doubles, *, ranker: str, version: str, fitted_on: str
) -> Curve:
    """Fit a curve.

    Args:
        x: shape (n, 8), as `features` gives them.
        right: shape (n,), 0 or 1.
        weight: shape (n,), how much each counts.
        ranker: name of the ranker that made the rankings.
        version: its version.
        fitted_on: where the labels came from.
    """
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), LEAST_SCALE)
    design = np.column_stack([np.ones(len(x)), (x - mean) / scale])
    beta = logistic(design, right, weight, np.zeros(len(x)), ridge=[0.0] + [RIDGE] * x.shape[1])
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


def logistic(
    design: Doubles, right: Doubles, weight: Doubles, offset: Doubles, ridge: Sequence[float]
) -> Doubles:
    """Return shape (k,): the coefficients of a ridge-penalised logistic regression.

    `design` has shape (n, k), the others (n,), but for `ridge`, a penalty for each coefficient;
    `offset` is added to what the coefficients give. Damped Newton steps: undamped ones diverge.
    Source: Platt (1999); damping by step halving, Nocedal & Wright (2006), algorithm 3.1.
    """
    penalty = np.diag(np.asarray(ridge))
    beta = np.zeros(design.shape[1])

    def loss(beta: Doubles) -> float:
        z = offset + design @ beta
        return float(weight @ (np.logaddexp(0, z) - right * z) + 0.5 * beta @ penalty @ beta)

    before = loss(beta)
    for _ in range(STEPS):
        chance = sigmoid(offset + design @ beta)
        gradient = design.T @ (weight * (chance - right)) + penalty @ beta
        curvature = weight * chance * (1 - chance)
        hessian = (design.T * curvature) @ design + penalty + 1e-9 * np.eye(len(beta))
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (tried := loss(beta - size * step)) > before and size > LEAST_STEP:
            size /= 2
        beta = beta - size * step
        if before - tried < TOLERANCE:
            break
        before = tried
    return beta


def sigmoid(z: Doubles) -> Doubles:
    return 1 / (1 + np.exp(-np.clip(z, -40, 40)))
