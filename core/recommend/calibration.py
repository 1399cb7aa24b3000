"""From a ranking to honest confidences: a logistic curve fitted on titles with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.errors import HeadUnusable
from core.recommend.head import CALIBRATION, RENEW
from core.recommend.ranking import Ranked, nothing_share

__all__ = ["MOST_SURE", "Curve", "Curves", "Feature", "features", "fit", "logistic", "sigmoid"]

# What a curve can look at, of a ranking's first workflow: the log odds of its share; the distance
# to the second; how open the field is; how near the workflow is in itself.
Feature = Literal["share", "gap", "entropy", "examples", "centroid", "bm25"]
# No curve knows its titles so well that it could claim more than this.
MOST_SURE = 0.99
RIDGE, STEPS, TOLERANCE, LEAST_STEP = 1.0, 200, 1e-9, 1e-6
# Of a feature that never varies; still not zero in the file, which has six decimals.
LEAST_SCALE = 1e-6
LEAST_SHARE, MOST_GAP = 1e-6, 12.0
Doubles = NDArray[np.float64]


class Curve(BaseModel):
    """P(the first workflow is right) = sigmoid(bias + weights . (features - mean) / scale).

    The others have theirs in proportion of their shares.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranker: str
    ranker_version: str
    fitted_on: str
    rows: int
    features: tuple[Feature, ...]
    bias: float
    weights: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def confidences(self, ranking: Sequence[Ranked], most: int) -> list[float]:
        """Return a confidence for each of the first `most`, never rising with the rank.

        Each is in 0..1 and has six decimals, so that it is the same in the ledger.
        """
        x = features(ranking, self.features)
        z = self.bias + ((x - np.array(self.mean)) / np.array(self.scale)) @ np.array(self.weights)
        first = float(np.clip(sigmoid(z), 1 - MOST_SURE, MOST_SURE))
        shares = np.array([ranked.score - ranking[0].score for ranked in ranking[:most]])
        sure = np.minimum.accumulate(np.maximum(first * np.exp(shares), 1 - MOST_SURE))
        return [round(float(value), 6) for value in sure]


class Curves(BaseModel):
    """The shipped curves: one for each ranker and version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    curves: tuple[Curve, ...]

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> Curves:
        """Read the shipped curves.

        Raises:
            HeadUnusable: they are missing or damaged.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise HeadUnusable(f"{path.name} cannot be used: {problem}. {RENEW}") from None

    def of(self, ranker: str, version: str) -> Curve:
        """Return the curve that was fitted for a ranker.

        Raises:
            HeadUnusable: there is none.
        """
        for curve in self.curves:
            if (curve.ranker, curve.ranker_version) == (ranker, version):
                return curve
        raise HeadUnusable(f"{CALIBRATION.name} has no curve for {ranker} {version}. {RENEW}")


def features(ranking: Sequence[Ranked], names: Sequence[Feature]) -> Doubles:
    """Return shape (len(names),): features of the first workflow of a ranking."""
    first = ranking[0]
    gap = min(first.score - ranking[1].score if ranking[1:] else 0.0, MOST_GAP)
    share = float(np.clip(np.exp(first.score), LEAST_SHARE, 1 - LEAST_SHARE))
    none = float(np.clip(nothing_share(ranking), LEAST_SHARE, 1 - LEAST_SHARE))
    scores = np.array([ranked.score for ranked in ranking])
    values: dict[Feature, float] = {
        "share": float(np.log(share / (1 - share))),
        "gap": gap,
        "entropy": -float(np.exp(scores) @ scores) - none * float(np.log(none)),
        "examples": first.examples,
        "centroid": first.centroid,
        "bm25": first.bm25,
    }
    return np.array([values[name] for name in names])


def fit(  # noqa: PLR0913 - what a curve says of itself
    x: Doubles,
    right: Doubles,
    weight: Doubles,
    *,
    names: tuple[Feature, ...],
    ranker: str,
    version: str,
    fitted_on: str,
) -> Curve:
    """Fit a curve.

    Args:
        x: shape (n, len(names)), as `features` gives them.
        right: shape (n,), 0 or 1.
        weight: shape (n,), how much each counts.
        names: what the columns of `x` are.
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
        features=names,
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
