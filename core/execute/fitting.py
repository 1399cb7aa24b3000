"""Fits an outline to a task's circumstances: which steps, how long, how demanding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor

from core.catalogue import Energy, OutlineStep, Task, Variant, any_occurs, content_stems, stems
from core.execute.wording import Slots, fill

__all__ = ["FEWEST_STEPS", "FittedPlan", "FittedStep", "fitted"]

FEWEST_STEPS = 2
BREAK_MINUTES = 5
BUFFER_SHARE = 0.1
LONGEST_TITLE = 72
ROUND_FROM = 10
# Minutes of work between breaks, and how far a step stretches when there is time, by energy 1-3.
WORK_BETWEEN_BREAKS = {1: 30, 2: 50, 3: 75}
LONGEST_STRETCH = 1.5
TIRED_SHARE, LATE_SHARE = 0.75, 0.85
_EASIER: dict[Energy, Energy] = {"high": "medium", "medium": "low", "low": "low"}


@dataclass(frozen=True, slots=True)
class FittedStep:
    """One step with its wording filled; `floor` is the shortest that still makes sense."""

    title: str
    description: str
    minutes: int
    floor: int
    energy: Energy
    icon: str
    produces: str
    command: str
    outline: OutlineStep


@dataclass(frozen=True, slots=True)
class FittedPlan:
    """Steps whose minutes, breaks and buffer sum to no more than the hours of the task."""

    steps: tuple[FittedStep, ...]
    break_minutes: int
    buffer_minutes: int
    notes: tuple[str, ...]

    @property
    def minutes(self) -> int:
        """All of it: steps, breaks and buffer."""
        return sum(step.minutes for step in self.steps) + self.break_minutes + self.buffer_minutes


def fitted(outline: Sequence[OutlineStep], task: Task, slots: Slots) -> FittedPlan:
    """Fit an outline; the same outline, task and slots always give the same plan."""
    said = stems(f"{task.title} {task.description}")
    steps = [_worded(step, task, slots, said) for step in outline]
    notes: list[str] = []
    steps = _without_done(steps, task, notes)
    if task.energy == 1:
        steps = _without_draining(steps, notes)
    steps = [replace(step, minutes=_paced(step, task)) for step in steps]
    if task.hours is None:
        break_minutes = _breaks(steps, task)
        buffer_minutes = _buffer(steps)
    else:
        available = floor(task.hours * 60)
        steps, break_minutes, buffer_minutes = _within(steps, task, available, notes)
    return FittedPlan(tuple(steps), break_minutes, buffer_minutes, tuple(notes))


def _worded(step: OutlineStep, task: Task, slots: Slots, said: list[str]) -> FittedStep:
    """Choose the variant that the task speaks of, and fill the slots."""
    variant = _variant_for(step, said)

    def pick(field: str) -> str:
        own = getattr(variant, field, None)
        return own or getattr(step, field) or ""

    easier = pick("easier") if task.energy == 1 else ""
    late = step.at.get(task.time_of_day, "") if task.time_of_day else ""
    minutes = (variant.minutes if variant else None) or step.minutes
    energy = (variant.energy if variant else None) or step.energy
    return FittedStep(
        title=fill(pick("title"), slots, LONGEST_TITLE),
        description=fill(f"{easier or pick('description')} {late}", slots),
        minutes=minutes,
        floor=min(step.floor_minutes, minutes),
        energy=_EASIER[energy] if task.energy == 1 else energy,
        icon=pick("icon"),
        produces=fill(pick("produces"), slots),
        command=fill(pick("validation_command"), slots).strip(),
        outline=step,
    )


def _variant_for(step: OutlineStep, said: list[str]) -> Variant | None:
    return next((variant for variant in step.variants if any_occurs(variant.when, said)), None)


def _without_done(steps: list[FittedStep], task: Task, notes: list[str]) -> list[FittedStep]:
    """Leave out what a recent task already did."""
    kept = []
    left = len(steps)
    for step in steps:
        doer = next((recent for recent in task.recent_tasks if _did(recent, step)), None)
        if doer is None or left <= FEWEST_STEPS:
            kept.append(step)
            continue
        left -= 1
        notes.append(f"Left out “{step.title}”: you did “{doer}” recently.")
    return kept


def _did(recent: str, step: FittedStep) -> bool:
    """Whether a recent task names the step's work, or reads nearly like its title."""
    if any_occurs(step.outline.done_by, stems(recent)):
        return True
    did, asked = content_stems(recent), content_stems(step.title)
    return bool(did) and len(did & asked) >= 0.7 * len(did | asked)


def _without_draining(steps: list[FittedStep], notes: list[str]) -> list[FittedStep]:
    kept = [step for step in steps if "low_energy" not in step.outline.drop_when]
    if len(kept) < FEWEST_STEPS:
        return steps
    notes += [
        f"Left out “{step.title}” to spare your energy." for step in steps if step not in kept
    ]
    return kept


def _paced(step: FittedStep, task: Task) -> int:
    """Demanding steps are shorter when energy is low, and a little in the evening."""
    share = 1.0
    if task.energy == 1:
        share *= TIRED_SHARE
    if task.time_of_day == "evening" and step.outline.energy == "high":
        share *= LATE_SHARE
    return max(step.floor, _rounded(step.minutes * share))


def _within(
    steps: list[FittedStep], task: Task, available: int, notes: list[str]
) -> tuple[list[FittedStep], int, int]:
    """Fit into the minutes available: stretch, or drop, shorten and press together."""
    if _total(steps, task) <= available:
        stretched = _stretched(steps, task, available)
        return stretched, _breaks(stretched, task), _buffer(stretched)
    steps = _without_optional(steps, task, available, notes)
    for shorten in (_shortened_to_floor, _pressed):
        if _total(steps, task) > available:
            steps = shorten(steps, task, available)
    break_minutes = min(_breaks(steps, task), available - _work(steps))
    buffer_minutes = min(_buffer(steps), available - _work(steps) - break_minutes)
    return steps, break_minutes, buffer_minutes


def _without_optional(
    steps: list[FittedStep], task: Task, available: int, notes: list[str]
) -> list[FittedStep]:
    """Drop what the outline can do without, the longest first, until the rest fits shortened."""
    while len(steps) > FEWEST_STEPS:
        shortest = [replace(step, minutes=step.floor) for step in steps]
        spare = [step for step in steps if "short_time" in step.outline.drop_when]
        if not spare or _total(shortest, task) <= 0.8 * available:
            break
        dropped = max(spare, key=lambda step: step.floor)
        steps = [step for step in steps if step is not dropped]
        notes.append(f"Left out “{dropped.title}” to fit your time.")
        if _total(steps, task) <= available:
            break
    return steps


def _stretched(steps: list[FittedStep], task: Task, available: int) -> list[FittedStep]:
    """Give the demanding steps some of the time that is left over; none when energy is low."""
    if task.energy == 1:
        return steps
    share = min(LONGEST_STRETCH, available / max(1, _total(steps, task)))

    def longer(step: FittedStep) -> FittedStep:
        if step.outline.energy != "high":
            return step
        return replace(step, minutes=max(step.minutes, _rounded(step.minutes * share)))

    stretched = [longer(step) for step in steps]
    return stretched if _total(stretched, task) <= available else steps


def _shortened_to_floor(steps: list[FittedStep], task: Task, available: int) -> list[FittedStep]:
    """Shorten all steps alike, none below the shortest that makes sense."""

    def at(share: float) -> list[FittedStep]:
        return [
            replace(step, minutes=max(step.floor, floor(step.minutes * share))) for step in steps
        ]

    return _largest_share(at, lambda tried: _total(tried, task) <= available) or at(0)


def _pressed(steps: list[FittedStep], task: Task, available: int) -> list[FittedStep]:
    """Too little time even for that: a first pass, a minute at least for each step."""
    del task
    steps = steps[: max(1, available)]

    def at(share: float) -> list[FittedStep]:
        return [replace(step, minutes=max(1, floor(step.minutes * share))) for step in steps]

    return _largest_share(at, lambda tried: _work(tried) <= available) or at(0)


def _largest_share(
    at: Callable[[float], list[FittedStep]], fits: Callable[[list[FittedStep]], bool]
) -> list[FittedStep] | None:
    """Return the steps at the largest share, in per cent, that fits."""
    return next((at(share / 100) for share in range(100, 0, -1) if fits(at(share / 100))), None)


def _work(steps: Sequence[FittedStep]) -> int:
    return sum(step.minutes for step in steps)


def _total(steps: Sequence[FittedStep], task: Task) -> int:
    return _work(steps) + _breaks(steps, task) + _buffer(steps)


def _breaks(steps: Sequence[FittedStep], task: Task) -> int:
    """Five minutes after each stretch of work, none at the end."""
    stretches = (_work(steps) - 1) // WORK_BETWEEN_BREAKS[task.energy]
    return BREAK_MINUTES * max(0, stretches)


def _buffer(steps: Sequence[FittedStep]) -> int:
    return floor(_work(steps) * BUFFER_SHARE)


def _rounded(minutes: float) -> int:
    """Round as people plan: to five minutes from ten on."""
    return max(1, round(minutes)) if minutes < ROUND_FROM else 5 * round(minutes / 5)
