"""What the local planner works from: the steps of a workflow, and the slots of their wording."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from core.catalogue.showable import showable

__all__ = [
    "MAYBE_EMPTY_SLOTS",
    "SLOTS",
    "Energy",
    "OutlineStep",
    "Pressure",
    "TimeOfDay",
    "Variant",
    "wording_faults",
]

Energy = Literal["low", "medium", "high"]
TimeOfDay = Literal["morning", "afternoon", "evening"]
Pressure = Literal["short_time", "low_energy"]

SLOTS = frozenset({"task", "object", "topic"})
MAYBE_EMPTY_SLOTS = frozenset(
    {"detail", "amount", "deadline", "note", "failing", "files", "branch"}
)

_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}]*)\}")


def wording_faults(wording: str) -> list[str]:
    """Return one sentence per fault of an outline's wording."""
    faults = []
    for segment in _SEGMENT.findall(wording):
        maybe_empty = [name for name in _SLOT.findall(segment) if name in MAYBE_EMPTY_SLOTS]
        if len(maybe_empty) != 1:
            faults.append(f"“[{segment}]” must hold exactly one slot that may be empty")
    outside = _SEGMENT.sub("", wording)
    faults += [
        f"“{{{name}}}” may be empty, so it stands inside square brackets"
        for name in _SLOT.findall(outside)
        if name in MAYBE_EMPTY_SLOTS
    ]
    faults += [
        f"unknown slot “{{{name}}}”"
        for name in _SLOT.findall(wording)
        if name not in SLOTS | MAYBE_EMPTY_SLOTS
    ]
    if re.search(r"[\[\]{}]", _SLOT.sub("", outside)):
        faults.append("a bracket or brace without its partner")
    if not outside.strip():
        faults.append("all of it stands in square brackets, so nothing may be left")
    return faults


def _checked(wording: str | None) -> str | None:
    faults = wording_faults(wording) if wording else []
    if faults:
        raise ValueError("; ".join(faults))
    return wording


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=90),
    AfterValidator(showable),
]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=600),
    AfterValidator(showable),
]
Icon = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=8),
    AfterValidator(showable),
]
Minutes = Annotated[int, Field(ge=1, le=480)]


class _Wording(BaseModel):
    """The fields of a step that carry slots, checked alike in a step and in its variants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    easier: Prose | None = None
    validation_command: Line | None = None

    @field_validator(
        "title",
        "description",
        "produces",
        "easier",
        "purpose",
        check_fields=False,
    )
    @classmethod
    def _slots_are_known(cls, wording: str | None) -> str | None:
        return _checked(wording)


class Variant(_Wording):
    """Other wording for a step, where a `when` word occurs in the task and no `unless` word."""

    when: tuple[Line, ...] = Field(min_length=1)
    unless: tuple[Line, ...] = ()
    skip: bool = False
    at: dict[TimeOfDay, Prose] | None = None
    title: Line | None = None
    description: Prose | None = None
    minutes: Minutes | None = None
    energy: Energy | None = None
    produces: Line | None = None
    icon: Icon | None = None


class OutlineStep(_Wording):
    """One step of an outline; minutes are those of a normal day."""

    title: Line
    description: Prose
    minutes: Minutes
    least_minutes: Minutes | None = None
    energy: Energy = "medium"
    icon: Icon
    purpose: Prose
    produces: Line
    drop_when: tuple[Pressure, ...] = ()
    done_by: tuple[Line, ...] = ()
    at: dict[TimeOfDay, Prose] = Field(default_factory=dict)
    variants: tuple[Variant, ...] = ()

    @property
    def skippable(self) -> bool:
        """Whether there are tasks that do not need this step."""
        return any(variant.skip for variant in self.variants)

    @property
    def floor_minutes(self) -> int:
        """The shortest that still makes sense."""
        return min(self.least_minutes or max(1, self.minutes // 2), self.minutes)
