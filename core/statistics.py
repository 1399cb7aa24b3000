"""Intervals and calibration error: pure functions over numbers, each with its source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "area_under_roc",
    "expected_calibration_error",
    "if_calibrated_level",
    "wilson_interval",
]

Floats = NDArray[np.float64]


def wilson_interval(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, as shares of 1; (0, 1) for n = 0.

    Source: Wilson, E. B. (1927), JASA 22(158), 209-212.
    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def expected_calibration_error(confidence: Floats, correct: Floats, bins: int = 15) -> float:
    """Return ECE over equal-mass bins: mean |accuracy - confidence| weighted by bin size.

    Equal confidences share their accuracy, so the order of the rows does not matter.

    Args:
        confidence: shape (n,), values in 0..1.
        correct: shape (n,), 0 or 1.
        bins: how many groups of (nearly) equal size the sorted confidences are cut into.

    Source: Naeini et al. (2015), AAAI 29; equal-mass bins: Nguyen & O'Connor (2015), EMNLP.
    """
    if len(confidence) == 0:
        return 0.0
    values, index, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    surplus = values - np.bincount(index, weights=correct) / counts
    gaps = np.array_split(np.repeat(surplus, counts), min(bins, len(confidence)))
    return sum(abs(float(gap.sum())) for gap in gaps) / len(confidence)


def if_calibrated_level(
    confidence: Floats, bins: int = 15, level: float = 0.95, draws: int = 1_000
) -> float:
    """Return the ECE that a perfectly calibrated model stays below in `level` of samples.

    Outcomes are drawn from the confidences themselves ("consistency resampling"), with a fixed
    seed. Source: Bröcker & Smith (2007), Weather and Forecasting 22(3).
    """
    if len(confidence) == 0:
        return 0.0
    rng = np.random.default_rng(0)
    errors = [
        expected_calibration_error(
            confidence, (rng.random(len(confidence)) < confidence).astype(np.float64), bins
        )
        for _ in range(draws)
    ]
    return float(np.quantile(errors, level))


def area_under_roc(scores: Floats, positive: Floats) -> float | None:
    """Return the chance that a positive outscores a negative, ties half; None with one class.

    Source: Mann & Whitney (1947), by ranks.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[index]
    wins = float(ranks[positive == 1].sum()) - n_positive * (n_positive + 1) / 2
    return wins / (n_positive * n_negative)
