"""A figure that never stands without its interval and the number of answers it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from core.statistics import (
    mean_interval,
    median_interval,
    paired_difference_interval,
    wilson_interval,
)

__all__ = ["ENOUGH", "Estimate"]

# Fewer than these are shown, but nothing is concluded from them.
ENOUGH = 30
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, its difference to another, a mean or a median, and its 95 % interval.

    It is of n answers, and None for none.
    """

    value: float | None
    interval: tuple[float, float]
    n: int

    @classmethod
    def of_share(cls, hits: int, n: int) -> Self:
        return cls(hits / n if n else None, wilson_interval(hits, n), n)

    @classmethod
    def of_mean(cls, values: Floats) -> Self:
        n = len(values)
        return cls(float(values.mean()) if n else None, mean_interval(values), n)

    @classmethod
    def of_median(cls, values: Floats) -> Self:
        n = len(values)
        interval = median_interval(values) or (0.0, float("inf"))
        return cls(float(np.median(values)) if n else None, interval, n)

    @classmethod
    def of_pairs(cls, first_only: int, second_only: int, n: int) -> Self:
        """Return by how much the first of two shares of the same n answers is the greater."""
        interval = paired_difference_interval(first_only, second_only, n)
        return cls((first_only - second_only) / n if n else None, interval, n)

    def against(self, target: float) -> Literal["above", "below"] | None:
        """Return on which side of the target it surely is; None while that is open."""
        low, high = self.interval
        if low >= target:
            return "above"
        return "below" if high < target else None
