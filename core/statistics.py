"""Intervals and calibration: pure functions over numbers, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BrierParts",
    "ReliabilityBin",
    "area_under_roc",
    "brier_parts",
    "expected_calibration_error",
    "if_calibrated_level",
    "isotonic",
    "mean_interval",
    "median_interval",
    "paired_difference_interval",
    "reliability_bins",
    "wilson_interval",
]

# Different forecasts are drawn as no more groups than these.
MOST_GROUPS, MOST_GROUPS_A_BIN = 150, 10
# With fewer values, no two of them hold the median between them in 95 % of samples.
LEAST_FOR_A_MEDIAN = 6
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BrierParts:
    """score = miscalibration - discrimination + uncertainty; less is better but for the second."""

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Forecasts of at least `low` and less than `high`: how sure, how often right.

    `lowest` and `highest` are the consistency bar: where a calibrated forecaster's share of right
    ones falls in `level` of samples.
    """

    low: float
    high: float
    n: int
    right: int
    confidence: float
    lowest: float
    highest: float

    @property
    def share(self) -> float:
        return self.right / self.n

    @property
    def as_promised(self) -> bool:
        """Whether chance alone explains how far the share is from the confidence."""
        return self.lowest <= self.share <= self.highest


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


def mean_interval(values: Floats, z: float = 1.96) -> tuple[float, float]:
    """Return an interval of the mean of values in 0..1; (0, 1) for none.

    Normal, after two values of 0 and two of 1 are added, so that few or equal values do not make
    it too narrow; for values that are all 0 or 1 it is Agresti and Coull's.

    Source: Agresti & Coull (1998), The American Statistician 52(2), 119-126.
    """
    if len(values) == 0:
        return 0.0, 1.0
    added = np.concatenate([values, [0.0, 0.0, 1.0, 1.0]])
    centre, half = float(added.mean()), z * float(added.std() / np.sqrt(len(added)))
    return max(0.0, centre - half), min(1.0, centre + half)


def median_interval(values: Floats, z: float = 1.96) -> tuple[float, float] | None:
    """Return an interval of the median: two of the values; None for fewer than six.

    Source: Conover (1999), Practical Nonparametric Statistics, 3.2: the ranks are a binomial's.
    """
    n = len(values)
    if n < LEAST_FOR_A_MEDIAN:
        return None
    half = z * float(np.sqrt(n)) / 2
    low, high = max(1, int(n / 2 - half)), min(n, int(np.ceil(n / 2 + half)) + 1)
    ordered = np.partition(values, [low - 1, high - 1])
    return float(ordered[low - 1]), float(ordered[high - 1])


def paired_difference_interval(
    first_only: int, second_only: int, n: int, z: float = 1.96
) -> tuple[float, float]:
    """Return an interval of the difference of two shares of the same n pairs; (-1, 1) for n = 0.

    The share of the first less that of the second, from how many pairs have the one and not the
    other; one pair of each of these two kinds is added, so that few or equal ones do not make it
    too narrow.

    Source: Bonett & Price (2012), Journal of Educational and Behavioral Statistics 37(4), 479-488.
    """
    first, second = (first_only + 1) / (n + 2), (second_only + 1) / (n + 2)
    centre = first - second
    half = z * float(np.sqrt(max(0.0, first + second - centre * centre) / (n + 2)))
    return max(-1.0, centre - half), min(1.0, centre + half)


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
    n = len(confidence)
    if n == 0:
        return 0.0
    values, counts, drawn = _resampled(confidence, draws, MOST_GROUPS)
    ends, cuts = np.cumsum(counts), _cuts(n, min(bins, n))
    # How many of each value's rows lie in each bin: shape (values, bins).
    shared = np.minimum(ends[:, None], cuts[1:]) - np.maximum((ends - counts)[:, None], cuts[:-1])
    gaps = (values - drawn / counts) @ np.maximum(shared, 0)
    return float(np.quantile(np.abs(gaps).sum(axis=1) / n, level))


def reliability_bins(
    confidence: Floats,
    correct: Floats,
    edges: Sequence[float],
    level: float = 0.95,
    draws: int = 1_000,
) -> tuple[ReliabilityBin, ...]:
    """Return the bins of a reliability diagram that hold anything, each with its consistency bar.

    Args:
        confidence: shape (n,), values in 0..1.
        correct: shape (n,), 0 or 1.
        edges: of the bins, rising from 0 to 1; the last bin holds 1 as well.
        level: the share of a calibrated forecaster's samples that each bar holds.
        draws: how many samples are drawn, with a fixed seed.

    Source: Bröcker & Smith (2007), Weather and Forecasting 22(3).
    """
    place = np.searchsorted(edges[1:-1], confidence, side="right")
    tails = (1 - level) / 2, (1 + level) / 2
    bins = []
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = place == number
        n = int(inside.sum())
        if n == 0:
            continue
        drawn = _resampled(confidence[inside], draws, MOST_GROUPS_A_BIN)[2].sum(axis=1) / n
        lowest, highest = (float(end) for end in np.quantile(drawn, tails))
        right, sure = int(correct[inside].sum()), float(confidence[inside].mean())
        bins.append(ReliabilityBin(low, high, n, right, sure, lowest, highest))
    return tuple(bins)


def isotonic(x: Floats, y: Floats) -> Floats:
    """Return the non-decreasing function of x that is nearest to y in squares, at each x.

    Equal x share one value. By pooling adjacent violators: whenever a block's mean is not above
    the one before, the two become one.

    Source: Ayer et al. (1955), Annals of Mathematical Statistics 26(4), 641-647.
    """
    _, index, counts = np.unique(x, return_inverse=True, return_counts=True)
    sums = np.bincount(index, weights=y, minlength=len(counts))
    blocks: list[tuple[float, int, int]] = []  # sum of y, rows, distinct x
    for total, rows in zip(sums.tolist(), counts.tolist(), strict=True):
        block = (total, rows, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    levels = np.array([total / rows for total, rows, _ in blocks], dtype=np.float64)
    fitted: Floats = np.repeat(levels, [width for _, _, width in blocks])[index]
    return fitted


def brier_parts(confidence: Floats, correct: Floats) -> BrierParts | None:
    """Return the Brier score (mean squared error) and what it is made of; None for no rows.

    Miscalibration is what recalibrating by `isotonic` would gain, discrimination what the
    recalibrated forecast gains over always saying the mean, uncertainty the mean's own score.

    Source: Dimitriadis, Gneiting & Jordan (2021), PNAS 118(8), "CORP".
    """
    if len(confidence) == 0:
        return None
    score = float(np.mean((confidence - correct) ** 2))
    # Neighbours within a ten-thousandth are pooled, so that there are never too many of them.
    recalibrated = float(np.mean((isotonic(confidence.round(4), correct) - correct) ** 2))
    uncertainty = float(np.var(correct))
    return BrierParts(score, score - recalibrated, uncertainty - recalibrated, uncertainty)


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


def _resampled(confidence: Floats, draws: int, most: int) -> tuple[Floats, Counts, Counts]:
    """Draw how often forecasts would come true if each were as likely as it says.

    Equal forecasts are one group, and of more than `most` different ones neighbours are, by their
    mean; so any number of them is quickly drawn.

    Returns:
        Rising values, how many rows have each, and shape (draws, values): how many came true.
    """
    values, counts = np.unique(confidence, return_counts=True)
    if len(values) > most:
        middles = np.cumsum(counts) - counts / 2
        _, group = np.unique(middles * most // len(confidence), return_inverse=True)
        sums = np.bincount(group, weights=values * counts)
        counts = np.bincount(group, weights=counts).astype(np.int64)
        values = np.minimum(sums / counts, 1.0)
    drawn = np.random.default_rng(0).binomial(counts, values, size=(draws, len(values)))
    return values, counts, drawn


def _cuts(n: int, parts: int) -> Counts:
    """Return where n rows are cut into parts of (nearly) equal size, the longer ones first."""
    sizes = np.full(parts, n // parts)
    sizes[: n % parts] += 1
    return np.concatenate([[0], np.cumsum(sizes)])
