"""Why a workflow is recommended, from what matched: words, examples, circumstances."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from core.catalogue import STOP_WORDS, Task, content_stems, stem, words_of
from core.recommend.ranking import Ranked

__all__ = ["FittedEstimate", "reason_for"]

MOST_WORDS = 3
LOW, HIGH = 1, 3


class FittedEstimate(Protocol):
    """What the planner says a plan would come to."""

    @property
    def steps(self) -> int:
        """How many steps the plan has."""
        ...

    @property
    def minutes(self) -> int:
        """Minutes of all of it, with breaks and buffer."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""
        ...


def reason_for(task: Task, ranked: Ranked, estimate: FittedEstimate) -> str:
    """Return one or two sentences that name the evidence."""
    return f"{_match(task, ranked)} {_circumstances(task, estimate)}".strip()


def _match(task: Task, ranked: Ranked) -> str:
    workflow, closest = ranked.workflow, ranked.closest
    nearest = {
        workflow.name: f"its name, “{closest}”",
        workflow.description: "its description",
    }.get(closest, f"“{closest}”")
    shared = _shared_words(task.title, ranked)
    if not shared:
        return f"No word in common, but near in meaning to {nearest}."
    if closest in workflow.examples and content_stems(closest) == content_stems(task.title):
        return f"Its example “{closest}” is the same task."
    return f"{shared}; the closest is {nearest}."


def _shared_words(title: str, ranked: Ranked) -> str:
    """Say which words of the title are the workflow's own, and where; empty when none is."""
    workflow = ranked.workflow
    words = [word for word in words_of(title) if word not in STOP_WORDS]
    for place, text in (
        ("examples", " ".join(workflow.examples)),
        ("description", workflow.description),
        ("name", workflow.name),
    ):
        known = _stems_of(text)
        if shared := [word for word in words if stem(word) in known]:
            return f"{_listed(_nearest_first(shared, ranked.closest))} in its {place}"
    return ""


@lru_cache(maxsize=1_000)
def _stems_of(text: str) -> frozenset[str]:
    """Of what the catalogue says, which comes again; a title hardly ever does."""
    return frozenset(content_stems(text))


def _nearest_first(words: list[str], closest: str) -> list[str]:
    near = _stems_of(closest)
    ordered = sorted(dict.fromkeys(words), key=lambda word: stem(word) not in near)
    return ordered[:MOST_WORDS]


def _listed(words: list[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    said = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
    return f"{said} {'is' if len(quoted) == 1 else 'are'}"


def _circumstances(task: Task, estimate: FittedEstimate) -> str:
    """What energy, hours and the time of day did to the plan."""
    left_out = len(estimate.notes)
    parts = []
    if task.energy == LOW:
        parts.append("lighter steps for low energy")
    elif task.energy == HIGH:
        parts.append("longer stretches for high energy")
    if task.hours is not None and left_out and estimate.minutes > 0.7 * task.hours * 60:
        parts.append(f"fitted into {task.hours:g} h")
    if task.time_of_day == "evening":
        parts.append("demanding parts shortened for the evening")
    if left_out:
        parts.append(f"{left_out} {'step' if left_out == 1 else 'steps'} left out")
    said = ", ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if said else ""
