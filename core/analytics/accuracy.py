"""Whether recommendations are right, and whether their confidence is honest.

An answer is judged by its person's newest choice, or by being dismissed after it; answers that
nobody has chosen from or dismissed are unknown, and left out of every share but coverage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analytics.cascade import Cascade
from core.analytics.estimate import ENOUGH, Estimate
from core.statistics import (
    BrierParts,
    ReliabilityBin,
    brier_parts,
    expected_calibration_error,
    if_calibrated_level,
    reliability_bins,
    wilson_interval,
)

__all__ = [
    "PLACES",
    "Accuracy",
    "AccuracyFilter",
    "Calibration",
    "Correction",
    "CurveFit",
    "FittedCurves",
    "Promise",
    "Span",
]

# Each bin lies around a round number: what says 90 % is between 85 and 95.
EDGES = (0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)
NINE_IN_TEN = 0.9
# Where the choice stood; the last two are workflows that were not listed, and none at all.
PLACES = ("first", "second", "third", "further down", "not listed", "none of them")
# A promise is broken by more than this, and kept when the share is surely within this.
SLACK, NEAR = 0.02, 0.05
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AccuracyFilter:
    """Which answers count; None lets all of them. `days` are local ones, today included.

    `ranker` is a name and a version with a space between, `domain` that of the first suggestion.
    """

    days: int | None = None
    ranker: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What became of answers whose match was near a round number, from `low` to below `high`."""

    low: float
    high: float
    confidence: float
    taken: Estimate

    @property
    def verdict(self) -> Literal["too few", "less", "more", "kept", "open"]:
        low, high = self.taken.interval
        if self.taken.n < ENOUGH:
            return "too few"
        if high < self.confidence - SLACK:
            return "less"
        if low > self.confidence + SLACK:
            return "more"
        near = self.confidence - NEAR <= low and high <= self.confidence + NEAR
        return "kept" if near else "open"


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How sure n answers were, beside how often they were right, by bins of confidence."""

    n: int
    confidence: float
    right: float
    bins: tuple[ReliabilityBin, ...]
    error: float
    if_calibrated: float
    brier: BrierParts

    @classmethod
    def of(cls, confidence: Floats, right: Floats) -> Self | None:
        """Compare them, both of shape (n,), the second 0 or 1; None for n = 0."""
        parts = brier_parts(confidence, right)
        if parts is None:
            return None
        return cls(
            n=len(confidence),
            confidence=float(confidence.mean()),
            right=float(right.mean()),
            bins=reliability_bins(confidence, right, EDGES),
            error=expected_calibration_error(confidence, right),
            if_calibrated=if_calibrated_level(confidence),
            brier=parts,
        )

    @property
    def honest(self) -> bool:
        """Whether chance alone explains the error."""
        return self.error <= self.if_calibrated

    @property
    def lean(self) -> Literal["too sure", "too modest"] | None:
        """How it errs on the whole; None where chance alone explains that."""
        low, high = wilson_interval(round(self.right * self.n), self.n)
        if self.confidence > high:
            return "too sure"
        return "too modest" if self.confidence < low else None

    @property
    def nine_in_ten(self) -> Promise:
        """What became of the answers that said about 90 %."""
        for each in self.bins:
            if each.low < NINE_IN_TEN < each.high:
                taken = Estimate.of_share(each.right, each.n)
                return Promise(each.low, each.high, each.confidence, taken)
        return Promise(0.85, 0.95, NINE_IN_TEN, Estimate.of_share(0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """The same answers by the shipped curve and by the one that was in force instead."""

    before: Calibration
    after: Calibration


@dataclass(frozen=True, slots=True)
class Span:
    """The answers of a local day, week or month; `last` is its last day, the newest is under way.

    `covered` is of all answers, the rest of the judged ones.
    """

    first: date
    last: date
    covered: Estimate
    taken: Estimate
    in_three: Estimate
    reciprocal_rank: Estimate
    reselected: Estimate
    seconds_to_choice: Estimate
    finished: bool


@dataclass(frozen=True, slots=True, eq=False)
class Accuracy:
    """What became of the answers that the filter lets through.

    `taken` is the first suggestion; `reselected` and `seconds_to_choice` (a median) are of answers
    that were chosen from; `covered` (something fits) is of all.

    `by_domain`: recommended, chosen, answers. `by_place`: answers by `PLACES`. `misses`: those
    that were surest, the newest first where they were as sure. `rankers`: each version, whatever
    the filter's ranker. `cascade` is of answers by models.
    """

    answers: int
    taken: Estimate
    in_three: Estimate
    reciprocal_rank: Estimate
    reselected: Estimate
    seconds_to_choice: Estimate
    covered: Estimate
    calibration: Calibration | None
    correction: Correction | None
    spans: tuple[Span, ...]
    by_domain: pd.DataFrame
    by_place: Mapping[str, int]
    misses: pd.DataFrame
    rankers: pd.DataFrame
    cascade: Cascade
    as_of: datetime

    @property
    def judged(self) -> int:
        return self.taken.n


@dataclass(frozen=True, slots=True)
class CurveFit:
    """A confidence curve fitted on feedback; losses are mean log losses in nats.

    `answers` is how many it was in force for.
    """

    curve_id: str
    ts: datetime
    ranker: str
    slope: float
    intercept: float
    fitted_on: int
    tested_on: int
    log_loss_before: float
    log_loss_after: float
    adopted: bool
    reason: str
    answers: int

    def corrected(self, confidence: float) -> float:
        """Return what it makes of a confidence of the shipped curve, both between 0 and 1."""
        odds = self.slope * np.log(confidence / (1 - confidence)) + self.intercept
        return float(1 / (1 + np.exp(-odds)))


@dataclass(frozen=True, slots=True)
class FittedCurves:
    """The curves of one ranker, the newest first; the shipped one is none of them."""

    ranker: str
    fits: tuple[CurveFit, ...]

    @property
    def in_force(self) -> CurveFit | None:
        """The newest that was adopted; None stands for the shipped curve."""
        return next((fit for fit in self.fits if fit.adopted), None)
