"""What a model answered, read as the steps of a plan, and what is wrong with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf
from typing import Any, get_args

from core.catalogue import Energy, Task, Workflow
from core.execute.execution import (
    LONGEST_ICON,
    LONGEST_LINE,
    LONGEST_PROSE,
    LONGEST_STEP_MINUTES,
    Step,
)
from core.execute.model_prompt import FEWEST_STEPS, MOST_STEPS
from core.execute.model_text import seen, without_addresses

__all__ = ["Reading", "read", "read_steps", "steps_in"]

_ENERGIES: dict[str, Energy] = {energy: energy for energy in get_args(Energy)}
# Longer text is not looked through; no field is to have as much.
_LONGEST_READ = 4 * LONGEST_PROSE


@dataclass(frozen=True, slots=True)
class Reading:
    """The steps before the first fault, and all faults, each a sentence without quotations."""

    steps: tuple[Step, ...]
    faults: tuple[str, ...]


class _Faulty(Exception):
    """What is wrong with one step."""


def read(answer: Any, workflow: Workflow, task: Task) -> Reading:
    """Read a whole answer; without faults its steps are a plan."""
    given = steps_in(answer)
    if given is None:
        return Reading((), ("There is no list of steps.",))
    reading = read_steps(given, workflow, task)
    if FEWEST_STEPS <= len(given) <= MOST_STEPS:
        return reading
    count = f"There are {FEWEST_STEPS} to {MOST_STEPS} steps in a plan, and not {len(given)}."
    return Reading(reading.steps, (count, *reading.faults))


def steps_in(answer: Any) -> list[Any] | None:
    """Return the list of steps in an answer, also in one that is still growing."""
    steps = answer.get("steps") if isinstance(answer, dict) else None
    return steps if isinstance(steps, list) else None


def read_steps(given: Sequence[Any], workflow: Workflow, task: Task) -> Reading:
    """Read the first steps of an answer; those of a plan that fits the hours have no faults."""
    steps: list[Step] = []
    faults: list[str] = []
    most = inf if task.hours is None else floor(task.hours * 60)
    left = most
    for number, one in enumerate(given[:MOST_STEPS], start=1):
        try:
            step = _step(one, workflow)
        except _Faulty as fault:
            faults.append(f"Step {number} {fault}")
            continue
        left -= step.estimated_minutes
        if left < 0:
            faults.append(f"All steps together take more than the {most} minutes there are.")
            break
        if not faults:
            steps.append(step)
    return Reading(tuple(steps), tuple(faults))


def _step(given: Any, workflow: Workflow) -> Step:
    if not isinstance(given, dict):
        raise _Faulty("is not an object.")
    asked = workflow.step_fields
    return Step(
        title=_line(given.get("title")),
        description=_prose(given, "description") or "",
        estimated_minutes=_minutes(given.get("estimated_minutes")),
        energy_level=_energy(given.get("energy_level")),
        icon=_icon(given.get("icon")) or workflow.default_icon,
        expected_outcome=_prose(given, "expected_outcome")
        if "expected_outcome" in asked
        else None,
        validation_command=_command(given) if "validation_command" in asked else None,
    )


def _line(given: object) -> str:
    text = " ".join(_clean(given, "title").split())
    if not text:
        raise _Faulty("has no title.")
    if len(text) > LONGEST_LINE:
        raise _Faulty(f"has a title of more than {LONGEST_LINE} characters.")
    return text


def _prose(given: dict[str, Any], name: str) -> str | None:
    """Return a text of a step, or None where it is left out or empty."""
    text = "\n".join(" ".join(line.split()) for line in _clean(given.get(name), name).split("\n"))
    text = text.strip()
    if len(text) > LONGEST_PROSE:
        raise _Faulty(f"has a text ({name}) of more than {LONGEST_PROSE:,} characters.")
    return text or None


def _command(given: dict[str, Any]) -> str | None:
    """Return a command as it is; one that had an address would be another without it."""
    name = "validation_command"
    command = seen(_text(given.get(name), name)).strip()
    if len(command) > LONGEST_PROSE:
        raise _Faulty(f"has a text ({name}) of more than {LONGEST_PROSE:,} characters.")
    return command if command and without_addresses(command) == command else None


def _clean(given: object, name: str) -> str:
    return without_addresses(seen(_text(given, name)))


def _text(given: object, name: str) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise _Faulty(f"has something other than text for its {name}.")
    if len(given) > _LONGEST_READ:
        raise _Faulty(f"has a text ({name}) that is far too long.")
    return given


def _minutes(given: object) -> int:
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    is_whole = isinstance(given, int) and not isinstance(given, bool)
    if not is_whole or not 1 <= given <= LONGEST_STEP_MINUTES:  # type: ignore[operator] # see above
        raise _Faulty(f"does not take a whole number of minutes from 1 to {LONGEST_STEP_MINUTES}.")
    return int(given)  # type: ignore[call-overload,no-any-return] # see above


def _energy(given: object) -> Energy:
    level = _ENERGIES.get(given.strip().lower()) if isinstance(given, str) else None
    if level is None:
        raise _Faulty("has an energy level other than low, medium and high.")
    return level


def _icon(given: object) -> str | None:
    """Return an emoji, or None for anything else."""
    if not isinstance(given, str) or len(given) > _LONGEST_READ:
        return None
    icon = seen(given).strip()
    is_sign = any(unicodedata.category(mark) == "So" for mark in icon)
    is_plain = not any(mark.isascii() or mark.isalnum() or mark.isspace() for mark in icon)
    return icon if is_sign and is_plain and len(icon) <= LONGEST_ICON else None
