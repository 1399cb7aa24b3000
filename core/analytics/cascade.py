"""What it saves and loses that the local ranker answers alone where it is sure enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from core.analytics.estimate import ENOUGH, Estimate
from core.statistics import paired_difference_interval

__all__ = ["MOST_LOST", "Cascade", "CascadeLevel", "levels_of", "thresholds_with"]

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# What is lost is little when it is surely no more than this share of the answers.
MOST_LOST = 0.05


@dataclass(frozen=True, slots=True)
class CascadeLevel:
    """What answering locally from a confidence on would have saved and lost.

    `answers` models gave at which the local ranker was at least that sure. They cost
    `measured_nano_usd`, at most `unmeasured_nano_usd` where counts were lost, and something that
    nobody knows for `unpriced` of them; `p50_ms` is their median latency, None for none.

    Of the `judged` ones people chose what the local ranker had first in `local_only` where it was
    not the model's, in `model_only` the other way round, and in `both` where they agreed.
    """

    threshold: float
    is_in_force: bool
    answers: int
    share: float
    measured_nano_usd: int
    unmeasured_nano_usd: int
    unpriced: int
    p50_ms: float | None
    judged: int = 0
    both: int = 0
    local_only: int = 0
    model_only: int = 0

    @property
    def local_right(self) -> Estimate:
        return Estimate.of_share(self.both + self.local_only, self.judged)

    @property
    def model_right(self) -> Estimate:
        return Estimate.of_share(self.both + self.model_only, self.judged)

    @property
    def difference(self) -> Estimate | None:
        """By how much the local first is right more often; None with too few to tell."""
        if self.judged < ENOUGH:
            return None
        return Estimate.of_pairs(self.local_only, self.model_only, self.judged)

    def loses_little(self, z: float) -> bool:
        """Whether no more than `MOST_LOST` is lost, z standard errors from what is expected."""
        low, _ = paired_difference_interval(self.local_only, self.model_only, self.judged, z)
        return self.judged >= ENOUGH and low >= -MOST_LOST


@dataclass(frozen=True, slots=True)
class Cascade:
    """What the local ranker would have answered alone of answers by models, and what it did.

    `answers` models gave, beside which the local ranker's confidence is known; `levels` rise, and
    there are none without answers. `alone` it really gave, being sure enough; `taken` is of those
    judged.
    """

    answers: int
    levels: tuple[CascadeLevel, ...]
    alone: int
    taken: Estimate

    @property
    def in_force(self) -> CascadeLevel | None:
        return next((level for level in self.levels if level.is_in_force), None)

    @property
    def safe(self) -> CascadeLevel | None:
        """The lowest level from which surely no more than `MOST_LOST` is lost; None for none.

        In at most 5 % of samples it is one from which more is lost, however many are looked at.

        Source: Dunn (1961), JASA 56(293), 52-64: the 5 % are shared among the levels.
        """
        z = NormalDist().inv_cdf(1 - 0.05 / len(self.levels)) if self.levels else 0.0
        return next((level for level in self.levels if level.loses_little(z)), None)


def thresholds_with(in_force: float | None) -> list[float]:
    """Return the confidences to compare, rising, the one in force among them."""
    return sorted({*THRESHOLDS, *([] if in_force is None else [in_force])})


def levels_of(
    rows: Sequence[dict[str, Any]], judged: pd.DataFrame, answers: int, in_force: float | None
) -> tuple[CascadeLevel, ...]:
    """Put what answers took together with what people chose.

    `rows` has one a threshold, of so many `answers` in all; `judged` has local_confidence,
    local_right and taken, the first two NaN where no model answered.
    """
    confidence = judged["local_confidence"].to_numpy(np.float64)
    local, model = judged["local_right"].to_numpy() == 1, judged["taken"].to_numpy() == 1

    def level(row: dict[str, Any]) -> CascadeLevel:
        sure = confidence >= row["threshold"]
        return CascadeLevel(
            **row,
            is_in_force=row["threshold"] == in_force,
            share=row["answers"] / answers,
            judged=int(sure.sum()),
            both=int((sure & local & model).sum()),
            local_only=int((sure & local & ~model).sum()),
            model_only=int((sure & model & ~local).sum()),
        )

    return tuple(map(level, rows))
