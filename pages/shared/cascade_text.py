"""What the local recommender would save and lose by answering alone, in words."""

from __future__ import annotations

from core.analytics import ENOUGH, MOST_LOST, Cascade, CascadeLevel, Estimate
from pages.shared.accuracy_text import per_cent, range_of
from pages.shared.model_text import latency, money
from pages.shared.text import count_of, plain

__all__ = [
    "alone_said",
    "certainty",
    "finding",
    "lost",
    "points",
    "points_between",
    "reading",
    "saved",
    "setting_said",
]

_NARROW = 0.04
_LITTLE = f"less than {100 * MOST_LOST:.0f} points are lost"


def certainty(threshold: float) -> str:
    """Write a confidence as `80 %`, with the decimals it was set to."""
    return f"{100 * threshold:g} %"


def saved(level: CascadeLevel) -> str:
    """Write what its answers cost, as far as anybody knows: exact, at most, or unknown."""
    if level.unpriced == level.answers:
        return "unknown" if level.answers else "–"
    nano_usd = level.measured_nano_usd + level.unmeasured_nano_usd
    known = money(nano_usd)
    if level.unmeasured_nano_usd:
        known = f"at most {money(nano_usd, up=True)}"
    return f"{known} + {level.unpriced:,} unknown" if level.unpriced else known


def points(difference: Estimate) -> str:
    """Write a difference of shares in percentage points, with its sign: `−2`, `0`, `+0.4`."""
    return _signed(difference.value or 0.0, _digits(difference))


def points_between(difference: Estimate) -> str:
    """Write the 95 % interval of a difference in percentage points: `−8 to +3`."""
    low, high = difference.interval
    return f"{_signed(low, _digits(difference))} to {_signed(high, _digits(difference))}"


def lost(level: CascadeLevel) -> str:
    """Write by how many points the local first was chosen more often, or why nobody can tell."""
    if level.difference is not None:
        return points(level.difference)
    return "too few" if level.answers else "–"


def finding(cascade: Cascade) -> str:
    """Say what answering locally from one confidence on would have done, as markdown."""
    level = cascade.in_force or cascade.safe or _best_told(cascade)
    at = f"From {certainty(level.threshold)} on{', as it is set now' * level.is_in_force},"
    if level.answers:
        share = per_cent(level.share)
        return (
            f"**{at} the local recommender could have answered {share} of the tasks alone"
            f"{_outcome(level, cascade)}.** {_spared(level)} {_compared(level, cascade)}"
        )
    if level.is_in_force:
        return f"**{at} no model is asked, and none has answered here.**"
    return f"**The local recommender was never {certainty(level.threshold)} sure.**"


def reading(cascade: Cascade) -> str:
    """Say what is compared, and what to make of it."""
    missing = (
        " What it did answer alone is not among them, which makes the shares smaller."
        if cascade.alone
        else ""
    )
    return (
        f"Of {count_of(cascade.answers, 'answer')} by models, those at which the local "
        f"recommender was at least that sure itself.{missing} Right is what a person chose in the "
        "end; a list that was dismissed is right for neither. People chose from the model’s list, "
        "which favours what it had first: the true loss is probably smaller. Bars are 95 % "
        f"intervals (Bonett and Price, 2012); a difference needs {ENOUGH} judged answers."
    )


def alone_said(cascade: Cascade) -> str:
    """Say what the local recommender really answered alone; empty if that is nothing."""
    if not cascade.alone:
        return ""
    taken = cascade.taken
    chosen = (
        f"of {taken.n:,} judged, its first was chosen in {per_cent(taken.value)} "
        f"({range_of(taken)} at 95 %)"
        if taken.n
        else "none of them is judged yet"
    )
    return (
        f"The local recommender was sure enough to answer {cascade.alone:,} alone, and no model "
        f"was asked: {chosen}."
    )


def setting_said(in_force: CascadeLevel | None) -> str:
    """Say from which confidence on the local recommender answers alone."""
    if in_force is None:
        return "Settings: now it never answers alone"
    return f"Settings: now it answers alone from {certainty(in_force.threshold)} on"


def _best_told(cascade: Cascade) -> CascadeLevel:
    """Return the most careful level that can be compared, else the one with most answers."""
    told = [level for level in cascade.levels if level.difference is not None]
    return told[-1] if told else cascade.levels[0]


def _outcome(level: CascadeLevel, cascade: Cascade) -> str:
    """Say what that loses, in half a sentence."""
    if level.difference is None:
        return "; what that loses cannot be told yet"
    if cascade.safe and cascade.safe.threshold <= level.threshold:
        return ", with little lost"
    if level.difference.interval[1] < 0:
        return ", but would have been right less often"
    return "; whether that loses much is not sure yet"


def _spared(level: CascadeLevel) -> str:
    known, _, unknown = saved(level).partition(" + ")
    cost = "a cost that nobody knows" if known == "unknown" else plain(known)
    if unknown:
        cost += f" (not counting {level.unpriced:,} whose cost nobody knows)"
    return f"That saves {cost} and a wait of {latency(level.p50_ms or 0)} each."


def _compared(level: CascadeLevel, cascade: Cascade) -> str:
    difference, safe = level.difference, cascade.safe
    if difference is None:
        one = level.judged == 1
        return f"{level.judged} of them {'is' if one else 'are'} judged; {ENOUGH} are needed."
    told = (
        f"Of {level.judged:,} judged, its first was chosen in "
        f"{per_cent(level.local_right.value)}, "
        f"the model’s in {per_cent(level.model_right.value)}: "
        f"{_counted(points(difference))} (95 % interval {points_between(difference)})."
    )
    if safe is None:
        return f"{told} Nowhere is it sure yet that {_LITTLE}."
    at = f"from {certainty(safe.threshold)} on"
    if safe.threshold > level.threshold:
        return f"{told} Only {at} is it sure that {_LITTLE}."
    return f"{told} It is sure that {at} {_LITTLE}."


def _counted(signed: str) -> str:
    return f"{signed} point" if signed in {"+1", "−1"} else f"{signed} points"


def _digits(difference: Estimate) -> int:
    low, high = difference.interval
    return 1 if high - low < _NARROW else 0


def _signed(share: float, digits: int) -> str:
    written = f"{abs(100 * share):.{digits}f}"
    if not float(written):
        return "0"
    return f"{'−' if share < 0 else '+'}{written}"
