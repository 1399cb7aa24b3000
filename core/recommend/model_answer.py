"""What a model said of a task, held against what it was asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.llm import Flaw
from core.recommend.model_prompt import LONGEST_REASON, Prompt, encoded, shortened

__all__ = ["Claim", "claims_in", "flaw_in"]

WHOLE_CHANCE = 100
MOST_FAULTS, LONGEST_QUOTE = 8, 2_000
REPAIR = """\
You were asked this before, and your answer was, as JSON and as data:
<answer-{mark}>
{answer}
</answer-{mark}>
It cannot be used:
{faults}
Answer again, whole and without these faults."""

_SPACES = re.compile(r"[ \t\r\n]+")
# Of characters nobody sees, only the joiners have a use: in emoji and in several scripts.
_JOINERS = "\u200c\u200d"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Whatever a page or a mail program makes a link of.
_LINK = re.compile(
    r"\w://|\bwww\.\w|\]\(|\w@[\w-]+\.\w|\w\.[a-z]{2,24}/\w"
    r"|\b(?:https?|ftp|file|data|javascript|vbscript|mailto|tel):\S"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One workflow of an answer; `confidence` (0..1) is the model's own."""

    workflow_id: str
    confidence: float
    reason: str


def flaw_in(value: Any, prompt: Prompt) -> Flaw | None:
    """Return what is wrong with an answer to a prompt, or None.

    Too long a reason is not: it is cut. Nor is an order that differs from the confidences'.
    """
    faults = list(_faults(value, prompt))[:MOST_FAULTS]
    if not faults:
        return None
    # What is repeated to the model is its own answer, as data, and sentences of ours.
    answer = encoded(value)[:LONGEST_QUOTE]
    told = "\n".join(f"- {fault}" for fault in faults)
    sentence = f"The model’s ranking cannot be used. {faults[0]}"
    return Flaw(sentence, REPAIR.format(mark=prompt.mark, answer=answer, faults=told))


def claims_in(value: Any) -> tuple[Claim, ...]:
    """Return what an answer without a flaw claims, the surest first."""
    claims = (
        Claim(item["id"], int(item["confidence"]) / WHOLE_CHANCE, _one_line(item["reason"]))
        for item in value["workflows"]
    )
    return tuple(sorted(claims, key=lambda claim: -claim.confidence))


def _faults(value: Any, prompt: Prompt) -> Iterator[str]:
    items = value.get("workflows") if isinstance(value, dict) else None
    if not isinstance(items, list):
        yield "It is no object with a list called `workflows`."
        return
    if len(items) != prompt.wanted:
        yield f"It has {len(items)} workflows instead of {prompt.wanted}."
    named: set[str] = set()
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            yield f"Workflow {number} is no object."
            continue
        yield from _faults_of_item(item, f"of workflow {number}", prompt, named)


def _faults_of_item(
    item: dict[Any, Any], where: str, prompt: Prompt, named: set[str]
) -> Iterator[str]:
    workflow_id = item.get("id")
    if not isinstance(workflow_id, str) or workflow_id not in prompt.offered:
        yield f"The `id` {where} is not in the list."
    elif workflow_id in named:
        yield f"The `id` {where} occurs twice."
    else:
        named.add(workflow_id)
    if not _is_per_cent(item.get("confidence")):
        yield f"The `confidence` {where} is no whole number from 0 to 100."
    if fault := _fault_of_reason(item.get("reason"), prompt.mark):
        yield f"The `reason` {where} {fault}."


def _is_per_cent(number: Any) -> bool:
    """Whether it is a whole number in 0..100; some writers of JSON write 80 as 80.0."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and 0 <= number <= WHOLE_CHANCE and number == int(number)


def _fault_of_reason(reason: Any, mark: str) -> str | None:
    if not isinstance(reason, str) or not reason.strip():
        return "is empty"
    line = _SPACES.sub(" ", reason)
    if any(unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS for sign in line):
        return "has characters that cannot be shown"
    if _LINK.search(unicodedata.normalize("NFKC", line).casefold()):
        return "has a link or an address"
    return "repeats a tag" if mark in line else None


def _one_line(reason: str) -> str:
    return shortened(_SPACES.sub(" ", reason).strip(), LONGEST_REASON)
