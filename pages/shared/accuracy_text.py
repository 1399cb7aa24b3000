"""What the figures of the accuracy page say, as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from core.analytics import ENOUGH, Accuracy, Calibration, CurveFit, Estimate, Promise, Span
from pages.shared.text import count_of, plain

__all__ = [
    "CALIBRATED_FROM",
    "calibration_finding",
    "calibration_reading",
    "curve_fact",
    "domain_finding",
    "per_cent",
    "place_finding",
    "promise_sentence",
    "range_of",
    "seconds",
    "trend_finding",
    "trend_reading",
]

# The target: an error of at most this counts as calibrated.
CALIBRATED_FROM = 0.05
_SMALL = 0.1
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def per_cent(share: float | None) -> str:
    """Write `82 %`, a small share as `3.2 %`, and a missing one as a dash."""
    if share is None:
        return "–"
    return f"{100 * share:.{1 if 0 < share < _SMALL else 0}f} %"


def range_of(estimate: Estimate) -> str:
    """Write the 95 % interval of a share as `67-95 %`, with a decimal where it is narrow."""
    low, high = (100 * end for end in estimate.interval)
    digits = 0 if high >= 100 * _SMALL and round(low) < round(high) else 1
    return f"{low:.{digits}f}-{high:.{digits}f} %"


def seconds(value: float) -> str:
    """Write `4.2 s`, `34 s`, `12 min`, `5 h` or `3 days`."""
    if value < _MINUTE_S:
        return f"{value:.1f} s" if 0.05 <= value < 9.95 else f"{value:.0f} s"  # noqa: PLR2004
    if value < _HOUR_S:
        return f"{value / _MINUTE_S:.0f} min"
    return f"{value / _HOUR_S:.0f} h" if value < 2 * _DAY_S else f"{value / _DAY_S:.0f} days"


def promise_sentence(promise: Promise) -> str:
    """Say whether a 90 % match is right nine times in ten, in Markdown."""
    taken = promise.taken
    said = f"{round(100 * promise.low)} to {round(100 * promise.high)} %"
    if promise.verdict == "too few":
        return (
            "**Whether a 90 % match is right nine times in ten, there is too little to tell**: "
            f"{count_of(taken.n, 'answer')} that said {said} "
            f"{'has' if taken.n == 1 else 'have'} been judged so far, and {ENOUGH} are needed."
        )
    answer = {
        "kept": "**A 90 % match is right nine times in ten**",
        "less": "**A 90 % match is right less often than nine times in ten**",
        "more": "**A 90 % match is right more often than nine times in ten**",
        "open": "**A 90 % match may be right nine times in ten, but more answers have to tell**",
    }[promise.verdict]
    return (
        f"{answer}: of {count_of(taken.n, 'judged answer')} that said {said}, "
        f"{per_cent(promise.confidence)} on average, people took the first suggestion in "
        f"{per_cent(taken.value)} ({range_of(taken)} at 95 %)."
    )


def calibration_finding(calibration: Calibration) -> str:
    """Say whether confidence is honest, and how it errs if it is not."""
    said, right = per_cent(calibration.confidence), per_cent(calibration.right)
    if calibration.n < ENOUGH:
        return f"Too few judged answers to judge confidence by: {calibration.n} of {ENOUGH}"
    if calibration.error <= CALIBRATED_FROM:
        kept = "honest" if calibration.honest else "near the truth"
        return f"Confidence is {kept}: it said {said} and was right in {right}"
    if calibration.honest:
        return f"Nothing speaks against confidence yet: it said {said} and was right in {right}"
    if calibration.lean is None:
        return f"Confidence is right on the whole ({right}), but not at each match"
    return f"Confidence is {calibration.lean}: it said {said} and was right in {right}"


def calibration_reading(calibration: Calibration) -> str:
    """Say the error beside what chance makes of it, and what the Brier score is made of."""
    brier = calibration.brier
    return (
        f"Calibration error (ECE) **{calibration.error:.3f}**; chance alone gives a calibrated "
        f"recommender up to {calibration.if_calibrated:.3f} at n = {calibration.n:,}, and "
        f"{CALIBRATED_FROM} is the target. Brier score **{brier.score:.3f}** = "
        f"{brier.miscalibration:.3f} miscalibration − {brier.discrimination:.3f} discrimination "
        f"+ {brier.uncertainty:.3f} uncertainty."
    )


def trend_finding(accuracy: Accuracy) -> str:
    """Say how often the first and one of three was taken, and whether that changed."""
    first, three = per_cent(accuracy.taken.value), per_cent(accuracy.in_three.value)
    finding = f"The first suggestion was taken in {first}, one of three in {three}"
    middle = len(accuracy.spans) // 2
    early, late = _taken(accuracy.spans[:middle]), _taken(accuracy.spans[middle:])
    if min(early.n, late.n) < ENOUGH:
        return finding
    if late.interval[0] > early.interval[1]:
        return f"{finding}; lately the first more often, in {per_cent(late.value)}"
    if late.interval[1] < early.interval[0]:
        return f"{finding}; lately the first less often, in {per_cent(late.value)}"
    return finding


def trend_reading(accuracy: Accuracy) -> str:
    """Say the mean reciprocal rank, and how to read the picture."""
    low, high = accuracy.reciprocal_rank.interval
    return (
        f"MRR **{accuracy.reciprocal_rank.value:.2f}** ({low:.2f}-{high:.2f} at 95 %, "
        f"n = {accuracy.judged:,}). Pale bars are 95 % intervals; the newest point, hollow, is "
        "not over yet."
    )


def domain_finding(by_domain: pd.DataFrame) -> str:
    """Say how often the choice stayed in the domain, and which two are mixed most."""
    total = int(by_domain["answers"].sum())
    same = by_domain["recommended"] == by_domain["chosen"]
    stayed = int(by_domain.loc[same, "answers"].sum())
    finding = f"In {per_cent(stayed / total)} the choice stayed in the domain recommended"
    mixed = by_domain[~same & (by_domain["chosen"] != "none")]
    if mixed.empty:
        return finding
    most = mixed.sort_values("answers", ascending=False).iloc[0]
    return f"{finding}; most mixed: {most['recommended']} with {most['chosen']}"


def place_finding(by_place: Mapping[str, int]) -> str:
    """Say what those took who passed over the first suggestion."""
    passed = sum(by_place.values()) - by_place["first"]
    if not passed:
        return "Nobody passed over the first suggestion"
    shown = per_cent((by_place["second"] + by_place["third"]) / passed)
    return f"Of {passed:,} who passed over the first, {shown} took another of the three"


def curve_fact(fit: CurveFit, day: str) -> str:
    """Say what a fitted curve does and how it was tested; `day` is when it was fitted."""
    tested = (
        f"on the {count_of(fit.tested_on, 'answer')} after them, log loss went from "
        f"{fit.log_loss_before:.3f} to {fit.log_loss_after:.3f}"
        if fit.tested_on
        else "it was not tested"
    )
    return (
        f"Fitted {day} on {count_of(fit.fitted_on, 'judged answer')}; {tested}. "
        f"It turns 90 % into {per_cent(fit.corrected(0.9))} and 50 % into "
        f"{per_cent(fit.corrected(0.5))}. {plain(fit.reason)}"
    )


def _taken(spans: Sequence[Span]) -> Estimate:
    """Return how often the first suggestion was taken in all of the spans."""
    taken = [span.taken for span in spans]
    hits = sum(round((each.value or 0) * each.n) for each in taken)
    return Estimate.of_share(hits, sum(each.n for each in taken))
