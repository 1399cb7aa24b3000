"""What a person brings: a task and its circumstances, checked on the way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from core.catalogue.outline import TimeOfDay
from core.catalogue.showable import UNSHOWABLE, showable
from core.errors import InvalidInput

__all__ = ["ENERGY_LABELS", "CodeContext", "Priority", "Task", "fault_sentence", "task_from"]

Priority = Literal["low", "medium", "high"]
ENERGY_LABELS = {1: "low", 2: "medium", 3: "high"}
TITLE_LENGTH, DESCRIPTION_LENGTH = 200, 4_000


def _one_line(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) and "\0" not in text else text


OneLine = Annotated[
    str,
    StringConstraints(strict=True, max_length=TITLE_LENGTH),
    BeforeValidator(_one_line),
    AfterValidator(showable),
]
Title = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=TITLE_LENGTH),
    BeforeValidator(_one_line),
    AfterValidator(showable),
]
Prose = Annotated[
    str,
    StringConstraints(strict=True, max_length=DESCRIPTION_LENGTH),
    AfterValidator(showable),
]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]


class CodeContext(BaseModel):
    """The state of a working copy, where the task is about code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tests_passing: Count | None = None
    tests_failing: Count | None = None
    recent_files: tuple[OneLine, ...] = Field(default=(), max_length=50)
    current_branch: OneLine = ""


class Task(BaseModel):
    """A task with its circumstances; energy 1 (low) to 3 (high), hours None when not said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    description: Prose = ""
    priority: Priority = "medium"
    energy: int = Field(default=2, strict=True, ge=1, le=3)
    time_of_day: TimeOfDay | None = None
    hours: float | None = Field(default=None, strict=True, ge=0.25, le=24, allow_inf_nan=False)
    recent_tasks: tuple[OneLine, ...] = Field(default=(), max_length=20)
    code_context: CodeContext | None = None

    @field_validator("description", mode="before")
    @classmethod
    def _trimmed(cls, text: object) -> object:
        """Drop the space around it, and the carriage returns of a web form."""
        return "\n".join(text.splitlines()).strip() if isinstance(text, str) else text

    @property
    def energy_label(self) -> str:
        """`low`, `medium` or `high`."""
        return ENERGY_LABELS[self.energy]

    def template_values(self, expected_step_count: int) -> dict[str, str]:
        """Return a value for every variable of a prompt template."""
        code = self.code_context or CodeContext()
        unknown = "unknown"
        return {
            "task_title": self.title,
            "task_description": self.description or "none given",
            "task_priority": self.priority,
            "user_energy": str(self.energy),
            "user_energy_label": self.energy_label,
            "time_of_day": self.time_of_day or unknown,
            "estimated_hours": unknown if self.hours is None else f"{self.hours:g}",
            "recent_tasks": ", ".join(self.recent_tasks) or "none",
            "expected_step_count": str(expected_step_count),
            "tests_passing": unknown if code.tests_passing is None else str(code.tests_passing),
            "tests_failing": unknown if code.tests_failing is None else str(code.tests_failing),
            "recent_files": ", ".join(code.recent_files) or "none",
            "current_branch": code.current_branch or unknown,
        }


_LABELS = {
    "title": "The task",
    "description": "The description",
    "priority": "The priority",
    "energy": "The energy",
    "time_of_day": "The time of day",
    "hours": "The hours",
    "recent_tasks": "The recent tasks",
    "code_context": "The code context",
}


def task_from(**fields: object) -> Task:
    """Make a task from what was typed or sent.

    Raises:
        InvalidInput: naming the first field that is not acceptable and what it should be.
    """
    try:
        return Task.model_validate(fields)
    except ValidationError as problem:
        fault = problem.errors()[0]
        where = fault["loc"] or ("task",)
        raise InvalidInput(str(where[0]), fault_sentence(_label(where), fault)) from None


def _label(where: Sequence[int | str]) -> str:
    """Name a place as people do: “tests_failing” of the code context, recent task 3."""
    field, *inner = where
    label = _LABELS.get(str(field), f"“{field}”")
    for part in inner:
        if isinstance(part, int):
            label = f"Entry {part + 1} of {label[:1].lower()}{label[1:]}"
        else:
            label = f"“{part}” of {label[:1].lower()}{label[1:]}"
    return label


def fault_sentence(label: str, fault: Mapping[str, Any]) -> str:
    """Say in one sentence what is wrong with the field called `label`.

    Args:
        label: how the reader knows the field.
        fault: one of `ValidationError.errors()`.
    """
    limits = fault.get("ctx") or {}
    sentences = {
        "string_too_short": "is empty: say in a few words what you want to get done",
        "missing": "must be given",
        "string_too_long": f"must have at most {limits.get('max_length')} characters",
        "too_long": f"must have at most {limits.get('max_length')} entries",
        "string_type": "must be text",
        "string_unicode": UNSHOWABLE,
        "value_error": str(limits.get("error")),
        "extra_forbidden": "is not a field",
        "greater_than_equal": f"must be at least {limits.get('ge')}",
        "less_than_equal": f"must be at most {_plain(limits.get('le'))}",
        "finite_number": "must be a number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "tuple_type": "must be a list",
        "list_type": "must be a list",
        "model_type": "must be a group of fields",
        "model_attributes_type": "must be a group of fields",
        "literal_error": f"must be {limits.get('expected')}",
    }
    other = f"is not acceptable: {fault['msg']}"
    return f"{label} {sentences.get(fault['type'], other)}."


def _plain(limit: object) -> object:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit
