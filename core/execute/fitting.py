"""Fits an outline to a task's circumstances: which steps, how long, how demanding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from core.catalogue import Energy, OutlineStep, Task, Variant, any_occurs, content_stems, forms
from core.execute.timing import HIGH, LOW, padded, timed
from core.execute.wording import Slots, fill

__all__ = ["FEWEST_STEPS", "LEFT_OUT", "FittedPlan", "FittedStep", "Worded", "fitted"]

FEWEST_STEPS = 2
LONGEST_TITLE = 72
# Steps are dropped until the shortest plan takes no more than this share of the time.
ROOMY_SHARE = 0.8
# With less than this share of the shortest plan's time, only its first steps are planned.
PRESSED_SHARE = 0.5
# A step shorter than this share of its usual minutes is described in its easier form.
HURRIED_SHARE = 0.5
SAME_WORK = 0.7
# How each note about a step that is not in the plan begins.
LEFT_OUT = ("Left out", "Put off")
_INNER_QUOTES = str.maketrans("“”", "‘’")
_EASIER: dict[Energy, Energy] = {"high": "medium", "medium": "low", "low": "low"}


@dataclass(frozen=True, slots=True)
class Worded:
    """A step's wording, filled with the task's own words."""

    title: str
    description: str
    produces: str
    command: str


@dataclass(frozen=True, slots=True)
class FittedStep:
    """One step of the outline with its minutes; `floor` is the shortest that makes sense."""

    outline: OutlineStep
    variant: Variant | None
    usual: int
    floor: int
    minutes: int
    energy: Energy

    @property
    def demanding(self) -> bool:
        """Whether the step asks much of a person, before energy made it easier."""
        return self.outline.energy == "high"

    @property
    def icon(self) -> str:
        """The variant's icon, else the step's own."""
        return self._pick("icon")

    def title(self, slots: Slots) -> str:
        """Return the title alone."""
        return fill(self._pick("title"), slots, LONGEST_TITLE)

    def worded(self, task: Task, slots: Slots) -> Worded:
        """Fill the wording for these minutes, this energy and this time of day."""
        hurried = self.minutes < HURRIED_SHARE * self.usual
        # A variant's wording stays together: the step's own easier form would be other advice.
        spoken = self.variant if self.variant and self.variant.description else self.outline
        easier = spoken.easier if hurried or task.energy == LOW else None
        said = [easier or self._pick("description")]
        if task.time_of_day and not hurried:
            own = self.variant.at if self.variant else None
            said.append((self.outline.at if own is None else own).get(task.time_of_day, ""))
        return Worded(
            title=self.title(slots),
            description=" ".join(fill(sentence, slots) for sentence in said if sentence),
            produces=fill(self._pick("produces"), slots),
            command=self._pick("validation_command"),
        )

    def _pick(self, field: str) -> str:
        own = getattr(self.variant, field, None)
        return own or getattr(self.outline, field) or ""


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
    """Fit an outline; the same outline, task and slots always give the same plan.

    What the time asks to drop is decided before what the energy asks to drop, and a tired plan is
    timed within the fresh one: less energy never means more steps or more minutes.
    """
    notes: list[str] = []
    steps = _chosen(outline, task)
    steps = _without_done(steps, task, slots, notes)
    available = None if task.hours is None else floor(task.hours * 60)
    if available is not None:
        steps = _without_optional(steps, available, slots, notes)
        steps = _first_ones(steps, available, slots, notes)
    late = task.time_of_day == "evening"
    most = available
    if task.energy == LOW:
        most = timed(steps, HIGH, late, available).total
        steps = _without_draining(steps, slots, notes)
    timing = timed(steps, task.energy, late, most, to_fill=available is not None)
    if any(given < step.floor for given, step in zip(timing.minutes, steps, strict=True)):
        notes.append("Time is very short for this: stop each step when its minutes are up.")
    return FittedPlan(
        steps=tuple(
            _with(step, minutes) for step, minutes in zip(steps, timing.minutes, strict=True)
        ),
        break_minutes=timing.breaks,
        buffer_minutes=timing.buffer,
        notes=tuple(notes),
    )


def _chosen(outline: Sequence[OutlineStep], task: Task) -> list[FittedStep]:
    """Choose the variants that the task speaks of, and skip the steps that it does not need."""
    texts = [forms(task.title), forms(task.description)]
    steps = []
    for step in outline:
        variant = next(
            (
                variant
                for text in texts
                for variant in step.variants
                if text and any_occurs(variant.when, text) and not any_occurs(variant.unless, text)
            ),
            None,
        )
        if variant and variant.skip:
            continue
        minutes = (variant.minutes if variant else None) or step.minutes
        energy = (variant.energy if variant else None) or step.energy
        felt = _EASIER[energy] if task.energy == LOW else energy
        shortest = max(1, min(step.floor_minutes, step.floor_minutes * minutes // step.minutes))
        steps.append(FittedStep(step, variant, minutes, shortest, minutes, felt))
    return steps


def _quoted(step: FittedStep, slots: Slots) -> str:
    """Return the title in quotation marks, with simple ones inside."""
    return f"“{step.title(slots).translate(_INNER_QUOTES)}”"


def _with(step: FittedStep, minutes: int) -> FittedStep:
    return FittedStep(step.outline, step.variant, step.usual, step.floor, minutes, step.energy)


def _without_done(
    steps: list[FittedStep], task: Task, slots: Slots, notes: list[str]
) -> list[FittedStep]:
    """Leave out what a recent task already did."""
    if not task.recent_tasks:
        return steps
    kept = []
    left = len(steps)
    about = content_stems(f"{task.title} {task.description}")
    recents = [_Recent(title, forms(title), content_stems(title)) for title in task.recent_tasks]
    for step in steps:
        asked = content_stems(step.title(slots))
        doer = next((recent for recent in recents if recent.did(step, asked, about)), None)
        if doer is None or left <= FEWEST_STEPS:
            kept.append(step)
            continue
        left -= 1
        notes.append(f"Left out {_quoted(step, slots)}: you did “{doer.title}” recently.")
    return kept


@dataclass(frozen=True, slots=True)
class _Recent:
    """A recent task, by the forms of its words and the stems that carry meaning."""

    title: str
    said: list[tuple[str, str]]
    meant: set[str]

    def did(self, step: FittedStep, asked: set[str], about: set[str]) -> bool:
        """Whether it names the step's work, or reads nearly like the step's title.

        A single word such as “triage” names the work only of a task that shares another word
        with this one, or has no other.
        """
        named = any_occurs(step.outline.done_by, self.said, gap=2)
        if named:
            others = self.meant - content_stems(named)
            return " " in named or not others or not others.isdisjoint(about)
        return bool(self.meant) and len(self.meant & asked) >= SAME_WORK * len(self.meant | asked)


def _without_draining(steps: list[FittedStep], slots: Slots, notes: list[str]) -> list[FittedStep]:
    kept = [step for step in steps if "low_energy" not in step.outline.drop_when]
    if len(kept) < FEWEST_STEPS:
        return steps
    dropped = [step for step in steps if "low_energy" in step.outline.drop_when]
    notes += [f"Left out {_quoted(step, slots)} to spare your energy." for step in dropped]
    return kept


def _without_optional(
    steps: list[FittedStep], available: int, slots: Slots, notes: list[str]
) -> list[FittedStep]:
    """Drop what the outline can do without, the longest first, until the rest fits shortened."""
    while len(steps) > FEWEST_STEPS and padded([s.usual for s in steps], HIGH).total > available:
        spare = [step for step in steps if "short_time" in step.outline.drop_when]
        shortest = padded([step.floor for step in steps], HIGH).total
        if not spare or shortest <= ROOMY_SHARE * available:
            break
        dropped = max(spare, key=lambda step: step.floor)
        steps = [step for step in steps if step is not dropped]
        notes.append(f"Left out {_quoted(dropped, slots)} to fit your time.")
    return steps


def _first_ones(
    steps: list[FittedStep], available: int, slots: Slots, notes: list[str]
) -> list[FittedStep]:
    """Where even the shortest plan is far too long, plan its beginning."""
    if available >= PRESSED_SHARE * sum(step.floor for step in steps):
        return steps
    count, minutes = 0, 0
    while count < FEWEST_STEPS or minutes + steps[count].floor <= available:
        minutes += steps[count].floor
        count += 1
    notes += [
        f"Put off {_quoted(step, slots)} until you have more time." for step in steps[count:]
    ]
    return steps[:count]
