"""A section's value from what was typed or stored; what is wrong with it, in sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from core.errors import InvalidSettings
from core.logs import redacted
from core.settings.operator import SECTIONS, Section, SectionName

__all__ = ["checked", "flat", "title_of"]


def checked(section: SectionName, given: Mapping[str, object]) -> Section:
    """Make a section's value; what is missing takes its default.

    Raises:
        InvalidSettings: naming every field that is not acceptable, each with a sentence.
    """
    model = SECTIONS[section]
    try:
        value = model.model_validate_json(json.dumps(given))
    except (TypeError, ValueError, RecursionError) as problem:
        faults = problem.errors() if isinstance(problem, ValidationError) else [_UNREADABLE]
        raise InvalidSettings(
            {".".join(map(str, fault["loc"])): _sentence(model, fault) for fault in faults}
        ) from None
    if secrets := {
        path: f"{title_of(model, path)} looks like a secret; keys are kept on the keys page."
        for path, said in flat(value).items()
        if (text := json.dumps(said, ensure_ascii=False)) != redacted(text)
    }:
        raise InvalidSettings(secrets)
    return value


def flat(value: BaseModel) -> dict[str, Any]:
    """Return each field of a section under its dotted path, as JSON has it."""
    return _flat(value.model_dump(mode="json"))


def title_of(model: type[BaseModel], path: str) -> str:
    """Return how a person knows the field at a dotted path; the path where nobody does."""
    name, _, rest = path.partition(".")
    field = model.model_fields.get(name)
    if field is None:
        return f"“{path[:60]}”"
    inner = field.annotation
    if rest and isinstance(inner, type) and issubclass(inner, BaseModel):
        return title_of(inner, rest)
    return field.title or name


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            fields |= _flat(inner, f"{before}{name}.")
        else:
            fields[f"{before}{name}"] = inner
    return fields


_UNREADABLE: Any = {"loc": (), "type": "json_invalid", "msg": "", "ctx": {}}
_SENTENCES = {
    "json_invalid": "hold something that cannot be stored",
    "missing": "must be given",
    "extra_forbidden": "is not known to this version of Waywarden",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must be at most {max_length}",
    "string_pattern_mismatch": "must be a model’s name, like claude-haiku-5-5 or llama3.2:3b",
    "string_type": "must be text",
    "bool_type": "must be on or off",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "tuple_type": "must be a list",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}


def _sentence(model: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """Say what is wrong with one field, named as on the page."""
    place = [str(part) for part in fault["loc"] if not isinstance(part, int)]
    said = _SENTENCES.get(fault["type"], "is not acceptable").format_map(fault.get("ctx") or {})
    label = title_of(model, ".".join(place)) if place else "The settings"
    return f"{label} {said}."
