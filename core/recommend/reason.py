"""Why a workflow is recommended, from what matched: words, examples, circumstances."""

from __future__ import annotations

from typing import Protocol

from core.catalogue import STOP_WORDS, Task, content_stems, stem, words_of
from core.recommend.local_ranker import Ranked

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
    shared = _shared_words(task.title, ranked)
    example = f"“{ranked.closest}”"
    if ranked.closest == ranked.workflow.description:
        return (
            f"{_listed(shared)} in its description." if shared else "Nearest to its description."
        )
    if not shared:
        return f"No word in common, but near in meaning to {example}."
    if content_stems(ranked.closest) == content_stems(task.title):
        return f"Its example {example} is the same task."
    return f"{_listed(shared)} in its examples; the closest is {example}."


def _shared_words(title: str, ranked: Ranked) -> list[str]:
    """Words of the title that the workflow's own words have too, those of the closest first."""
    workflow = ranked.workflow
    near = content_stems(ranked.closest)
    known = near | content_stems(
        " ".join((workflow.name, workflow.description, *workflow.examples))
    )
    shared = [word for word in words_of(title) if word not in STOP_WORDS and stem(word) in known]
    ordered = sorted(dict.fromkeys(shared), key=lambda word: stem(word) not in near)
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
