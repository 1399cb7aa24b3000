"""How long the steps of a plan take, with breaks between them and a buffer after them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor
from typing import Protocol

__all__ = ["HIGH", "LOW", "Paced", "Timing", "padded", "timed"]

LOW, HIGH = 1, 3
BREAK_MINUTES = 5
BUFFER_SHARE = 0.1
ROUND_FROM = 10
# Minutes of work between breaks by energy, and how far a demanding step stretches into spare time.
WORK_BETWEEN_BREAKS = {1: 30, 2: 50, 3: 75}
LONGEST_STRETCH, LONGEST_STEP = 1.5, 480
TIRED_SHARE, LATE_SHARE = 0.75, 0.85


class Paced(Protocol):
    """What is timed: a step with its usual and its shortest minutes."""

    @property
    def usual(self) -> int:
        """Minutes on an ordinary day."""
        ...

    @property
    def floor(self) -> int:
        """The fewest minutes that make sense."""
        ...

    @property
    def demanding(self) -> bool:
        """Whether it asks much of a person."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Minutes for each step, with the breaks between and the buffer after them."""

    minutes: list[int]
    breaks: int
    buffer: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.minutes) + self.breaks + self.buffer


def timed(
    steps: Sequence[Paced], energy: int, late: bool, most: int | None, *, to_fill: bool = True
) -> Timing:
    """Give each step its minutes: its usual pace, shortened or stretched into `most` minutes."""
    minutes = [_paced(step, energy, late) for step in steps]
    timing = padded(minutes, energy)
    if most is None:
        return timing
    if not to_fill and sum(minutes) <= most:
        return padded(minutes, energy, most)
    if timing.total > most:
        return _shortened(steps, minutes, energy, most)
    return timing if energy == LOW else _stretched(steps, timing, energy, most)


def _paced(step: Paced, energy: int, late: bool) -> int:
    """Everything is shorter when energy is low, demanding steps a little in the evening."""
    share = TIRED_SHARE if energy == LOW else 1.0
    if late and step.demanding:
        share *= LATE_SHARE
    return max(step.floor, min(step.usual, _rounded(step.usual * share)))


def _stretched(steps: Sequence[Paced], timing: Timing, energy: int, available: int) -> Timing:
    """Give the demanding steps some of the time that is left over."""
    share = min(LONGEST_STRETCH, available / timing.total)
    longer = [
        max(minutes, min(LONGEST_STEP, _rounded(minutes * share))) if step.demanding else minutes
        for step, minutes in zip(steps, timing.minutes, strict=True)
    ]
    stretched = padded(longer, energy)
    return stretched if stretched.total <= available else timing


def _shortened(steps: Sequence[Paced], minutes: list[int], energy: int, available: int) -> Timing:
    """Shorten all steps alike: none below the shortest that makes sense, or, at need, all."""

    def to_floors(percent: int) -> list[int]:
        shorter = (_down(m * percent // 100) for m in minutes)
        return [max(step.floor, m) for step, m in zip(steps, shorter, strict=True)]

    def below(percent: int) -> list[int]:
        return [max(1, step.floor * percent // 100) for step in steps]

    if most := _most(lambda percent: padded(to_floors(percent), energy).total <= available):
        return padded(to_floors(most), energy)
    most = _most(lambda percent: sum(below(percent)) <= available)
    return padded(below(most), energy, available)


def _most(fits: Callable[[int], bool]) -> int:
    """Return the largest share, in per cent, that fits; 0 when none does."""
    return bisect_left(range(1, 101), True, key=lambda percent: not fits(percent))


def padded(minutes: list[int], energy: int, available: int | None = None) -> Timing:
    """Add five minutes after each stretch of work, none at the end, and a tenth for surprises."""
    work = sum(minutes)
    breaks = BREAK_MINUTES * max(0, (work - 1) // WORK_BETWEEN_BREAKS[energy])
    buffer = floor(work * BUFFER_SHARE)
    if available is not None:
        breaks = min(breaks, available - work)
        buffer = min(buffer, available - work - breaks)
    return Timing(minutes, breaks, buffer)


def _rounded(minutes: float) -> int:
    """Round as people plan: to five minutes from ten on."""
    return max(1, round(minutes)) if minutes < ROUND_FROM else 5 * round(minutes / 5)


def _down(minutes: int) -> int:
    return minutes if minutes < 2 * ROUND_FROM else 5 * (minutes // 5)
