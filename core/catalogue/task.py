"""What a person brings: a task and its circumstances, checked on the way in."""

from __future__ import annotations

import re
from typing import Annotated, Literal

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
from core.errors import InvalidInput

__all__ = ["ENERGY_LABELS", "CodeContext", "Priority", "Task", "task_from"]

Priority = Literal["low", "medium", "high"]
ENERGY_LABELS = {1: "low", 2: "medium", 3: "high"}
TITLE_LENGTH, DESCRIPTION_LENGTH = 200, 4_000

# C0 and C1 controls, and the marks that reorder or hide text, but for joiners that emoji need.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def _no_controls(text: str) -> str:
    if _CONTROLS.search(text):
        raise ValueError("contains characters that cannot be shown; remove them")
    return text


def _one_line(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) and "\0" not in text else text


OneLine = Annotated[
    str,
    StringConstraints(max_length=TITLE_LENGTH),
    BeforeValidator(_one_line),
    AfterValidator(_no_controls),
]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TITLE_LENGTH),
    BeforeValidator(_one_line),
    AfterValidator(_no_controls),
]
Prose = Annotated[
    str, StringConstraints(max_length=DESCRIPTION_LENGTH), AfterValidator(_no_controls)
]


class CodeContext(BaseModel):
    """The state of a working copy, where the task is about code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tests_passing: int | None = Field(default=None, ge=0, le=10_000_000)
    tests_failing: int | None = Field(default=None, ge=0, le=10_000_000)
    recent_files: tuple[OneLine, ...] = Field(default=(), max_length=50)
    current_branch: OneLine = ""


class Task(BaseModel):
    """A task with its circumstances; energy 1 (low) to 3 (high), hours None when not said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    description: Prose = ""
    priority: Priority = "medium"
    energy: int = Field(default=2, ge=1, le=3)
    time_of_day: TimeOfDay | None = None
    hours: float | None = Field(default=None, ge=0.25, le=24, allow_inf_nan=False)
    recent_tasks: tuple[OneLine, ...] = Field(default=(), max_length=20)
    code_context: CodeContext | None = None

    @field_validator("description", mode="before")
    @classmethod
    def _trimmed(cls, text: object) -> object:
        return text.strip() if isinstance(text, str) else text

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
        return Task(**fields)
    except ValidationError as problem:
        fault = problem.errors()[0]
        field = str(fault["loc"][0]) if fault["loc"] else "task"
        raise InvalidInput(field, _sentence(field, str(fault["type"]), dict(fault))) from None


def _sentence(field: str, kind: str, fault: dict[str, object]) -> str:
    label = _LABELS.get(field, f"“{field}”")
    context = fault.get("ctx")
    limits = context if isinstance(context, dict) else {}
    sentences = {
        "string_too_short": f"{label} is empty: say in a few words what you want to get done.",
        "missing": f"{label} is missing.",
        "string_too_long": f"{label} is longer than {limits.get('max_length')} characters.",
        "too_long": f"{label} holds more than {limits.get('max_length')} entries.",
        "value_error": f"{label} {limits.get('error')}.",
        "extra_forbidden": f"There is no field {label}.",
        "greater_than_equal": f"{label} must be at least {limits.get('ge')}.",
        "less_than_equal": f"{label} must be at most {limits.get('le')}.",
        "finite_number": f"{label} must be a number.",
        "literal_error": f"{label} must be {limits.get('expected')}.",
    }
    return sentences.get(kind, f"{label} is not acceptable: {fault['msg']}.")
