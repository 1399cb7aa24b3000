"""What a person does to one step, checked, and as the ledger keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import ValidationError

from core.clock import new_id
from core.errors import InvalidInput
from core.execute.execution import Execution, Step, StepState
from core.ledger import StepChanged

__all__ = ["StepChange", "changed", "checked", "is_so_already"]

StepEvent = Literal["started", "done", "skipped", "reopened", "edited", "timed"]
_LEADS_TO = {"started": "doing", "done": "done", "skipped": "skipped", "reopened": "todo"}
_LONGEST_MINUTES = 1_440


@dataclass(frozen=True, slots=True)
class StepChange:
    """What a person does to one step; `step` counts from 1, minutes are the true ones."""

    step: int
    event: StepEvent
    actual_minutes: int | None = None
    title: str | None = None
    description: str | None = None


def checked(change: StepChange, step: Step) -> StepChange:
    """Return the change with its words as a step takes them: trimmed, the title on one line."""
    minutes = change.actual_minutes
    if minutes is not None and not 1 <= minutes <= _LONGEST_MINUTES:
        raise InvalidInput("actual_minutes", "The minutes must be between 1 and 1,440.")
    if change.event == "timed" and minutes is None:
        raise InvalidInput("actual_minutes", "Say how many minutes the step took.")
    title = None if change.title is None else " ".join(change.title.split())
    description = None if change.description is None else change.description.strip()
    words = {"title": title, "description": description}
    said = {key: word for key, word in words.items() if word is not None}
    try:
        Step(**{**step.model_dump(), **said})
    except ValidationError:
        raise InvalidInput(
            "title",
            "A step needs a title of at most 200 plain characters, "
            "and a description of at most 2,000.",
        ) from None
    return replace(change, title=title, description=description)


def is_so_already(change: StepChange, state: StepState) -> bool:
    if change.event == "edited":
        return change.title in {None, state.step.title} and change.description in {
            None,
            state.step.description,
        }
    if change.event == "timed":
        return change.actual_minutes == state.actual_minutes
    return _LEADS_TO[change.event] == state.status


def changed(
    execution: Execution, state: StepState, change: StepChange, now: datetime
) -> StepChanged:
    minutes = change.actual_minutes
    if change.event == "done" and minutes is None and state.started_at:
        elapsed = round((now - state.started_at).total_seconds() / 60)
        minutes = elapsed if 1 <= elapsed <= _LONGEST_MINUTES else None
    return StepChanged(
        ts=now,
        event_id=new_id(),
        execution_id=execution.execution_id,
        user_id=execution.user_id,
        step=change.step,
        event=change.event,
        actual_minutes=minutes,
        title=change.title,
        description=change.description,
    )
