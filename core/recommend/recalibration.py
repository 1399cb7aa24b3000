"""Confidence from the shipped curve, corrected by what this deployment's people chose."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.clock import EPOCH, Clock, new_id
from core.ledger import CurveFitted, Ledger, Queries
from core.recommend.calibration import MOST_SURE, Curves, Doubles, logistic, sigmoid
from core.recommend.ranking import Ranked, Ranker

__all__ = ["Confidence", "Confidences", "Named", "RankerName"]

# Fewer answers that somebody judged can tell nothing; then again after so many more.
ENOUGH, AGAIN_AFTER = 200, 100
NEWEST = 5_000
EARLIER = 0.7
# The pull towards the shipped curve, as so many answers.
RIDGE = (1.0, 1.0)
LEAST_SLOPE = 0.05
LATELY = timedelta(days=90)


class Named(Protocol):
    """A ranker, as far as its curve is concerned."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RankerName:
    """A ranker that is known by its answers only."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class _Correction:
    """The shipped p becomes sigmoid(slope * logit(p) + intercept); `curve_id` None: it stays."""

    slope: float = 1.0
    intercept: float = 0.0
    curve_id: str | None = None

    def of(self, shipped: Doubles) -> Doubles:
        corrected = sigmoid(self.slope * _logit(shipped) + self.intercept)
        return np.clip(corrected, 1 - MOST_SURE, MOST_SURE)


@dataclass(frozen=True, slots=True)
class Confidences:
    """Of the first workflows of a ranking: as shipped, and as shown."""

    shipped: list[float]
    shown: list[float]
    curve_id: str | None


class Confidence:
    """Gives each ranking its confidences, and learns from what was chosen."""

    def __init__(self, ledger: Ledger, curves: Curves, clock: Clock) -> None:
        self._ledger = ledger
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._curves = curves
        self._clock = clock
        self._refitting = threading.Lock()
        self._in_force: dict[tuple[str, str], _Correction] = {}

    def of(self, ranking: Sequence[Ranked], ranker: Ranker, most: int) -> Confidences:
        """Return confidences of the first `most` workflows.

        Raises:
            HeadUnusable: no curve was fitted for this ranker.
        """
        curve = self._curves.of(ranker.name, ranker.version)
        return self.of_claims(curve.confidences(ranking, most), ranker)

    def of_claims(self, shipped: list[float], ranker: Named) -> Confidences:
        """Return confidences (0..1) for those that a ranker claims itself, the best first."""
        correction = self._correction(ranker)
        if correction.curve_id is None:
            return Confidences(shipped, shipped, None)
        shown = [round(float(value), 6) for value in correction.of(np.array(shipped))]
        return Confidences(shipped, shown, correction.curve_id)

    def models(self) -> list[RankerName]:
        """Return the models that recommended lately, by name and version."""
        since = self._clock.now() - LATELY
        return [RankerName(**row) for row in self._queries.rows("models", since=since)]

    def refit(self, ranker: Named) -> CurveFitted | None:
        """Fit a correction on the earlier answers that were judged, and try it on the later ones.

        It comes into force when it is better there than what is in force, by more than the
        standard error of the difference. Either way the fit is recorded. Only the first
        suggestion is judged: of what was not shown nobody said anything.

        Returns:
            The fit, or None while too few answers were judged since the last one.
        """
        with self._refitting:
            fitted_at = self._in_ledger(ranker)["fitted_at"]
            if self._judgements(fitted_at or EPOCH) < AGAIN_AFTER:
                return None
            judged = self._queries.rows(
                "judged", ranker=ranker.name, ranker_version=ranker.version, most=NEWEST
            )
            new = [each for each in judged if fitted_at is None or each["ts"] > fitted_at]
            if len(judged) < ENOUGH or len(new) < AGAIN_AFTER:
                return None
            fitted = self._fitted(ranker, judged)
            self._ledger.write(fitted)
            if fitted.adopted:
                correction = _Correction(fitted.slope, fitted.intercept, fitted.curve_id)
                self._in_force[ranker.name, ranker.version] = correction
            return fitted

    def _judgements(self, since: datetime) -> int:
        return int(self._queries.rows("judgements", since=since)[0]["judgements"])

    def _fitted(self, ranker: Named, judged: Sequence[Mapping[str, Any]]) -> CurveFitted:
        shipped = np.array([row["confidence"] for row in judged])
        right = np.array([float(row["is_right"]) for row in judged])
        cut = round(EARLIER * len(judged))
        logit = _logit(shipped[:cut])
        beta = logistic(
            np.column_stack([logit, np.ones(cut)]), right[:cut], np.ones(cut), logit, RIDGE
        )
        new = _Correction(1 + float(beta[0]), float(beta[1]))
        later, then = shipped[cut:], right[cut:]
        before = _losses(self._correction(ranker).of(later), then)
        after = _losses(new.of(later), then)
        gain = before - after
        error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
        adopted = float(gain.mean()) > error and new.slope > LEAST_SLOPE
        return CurveFitted(
            ts=self._clock.now(),
            curve_id=new_id(),
            ranker=ranker.name,
            ranker_version=ranker.version,
            slope=new.slope,
            intercept=new.intercept,
            fitted_on=cut,
            tested_on=len(later),
            log_loss_before=float(before.mean()),
            log_loss_after=float(after.mean()),
            adopted=adopted,
            reason=_reason(float(gain.mean()), error, len(later), adopted=adopted),
        )

    def _correction(self, ranker: Named) -> _Correction:
        names = (ranker.name, ranker.version)
        known = self._in_force.get(names)
        if known is None:
            row = self._in_ledger(ranker)
            known = _Correction()
            if row["curve_id"]:
                known = _Correction(row["slope"], row["intercept"], row["curve_id"])
            self._in_force[names] = known
        return known

    def _in_ledger(self, ranker: Named) -> dict[str, Any]:
        return self._queries.rows(
            "curve_in_force", ranker=ranker.name, ranker_version=ranker.version
        )[0]


def _reason(gain: float, error: float, n: int, *, adopted: bool) -> str:
    said = f"{gain:+.4f} nats an answer (standard error {error:.4f}) on the {n} newest answers"
    return f"Better by {said}." if adopted else f"Not surely better: {said}."


def _logit(chance: Doubles) -> Doubles:
    chance = np.clip(chance, 1 - MOST_SURE, MOST_SURE)
    return np.log(chance / (1 - chance))


def _losses(chance: Doubles, right: Doubles) -> Doubles:
    return -np.log(np.where(right == 1, chance, 1 - chance))
