"""Prompt templates: `{name}` from an allow-list, put in once, never evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["VARIABLES", "faults_in", "render"]

VARIABLES = frozenset(
    {
        "task_title",
        "task_description",
        "task_priority",
        "user_energy",
        "user_energy_label",
        "time_of_day",
        "estimated_hours",
        "recent_tasks",
        "expected_step_count",
        "tests_passing",
        "tests_failing",
        "recent_files",
        "current_branch",
    }
)

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_ESCAPES = {"{{": "{", "}}": "}"}


def faults_in(template: str, allowed: frozenset[str] = VARIABLES) -> list[str]:
    """Return one sentence per fault: unknown variables, stray braces."""
    faults = []
    for token in _TOKEN.finditer(template):
        text, name = token.group(0), token.group(1)
        if text in _ESCAPES:
            continue
        if name is None:
            faults.append(f"a single “{text}”: write “{text * 2}” for a brace")
        elif name not in allowed:
            faults.append(f"unknown variable “{text}”")
    return faults


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill `template` in a single pass; values are never scanned for variables.

    For a template without faults the result is the same as that of `str.format(**values)`.

    Raises:
        KeyError: a variable has no value; `faults_in` finds these beforehand.
    """

    def fill(token: re.Match[str]) -> str:
        text, name = token.group(0), token.group(1)
        if name is None:
            return _ESCAPES.get(text, text)
        return values[name]

    return _TOKEN.sub(fill, template)
