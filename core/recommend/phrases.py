"""The phrases that the ranker is trained on, from the project's own files."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.errors import InvalidInput
from core.recommend.head import TRAINING

__all__ = ["Phrase", "phrases_in"]

NATURAL = "natural"


class Phrase(BaseModel):
    """A task in a person's words, and the workflow that serves it; empty when none does.

    `natural` ones stand as they would in people's own lists, as many of each kind. Those of one
    `file` were written in one sitting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    workflow: str
    natural: bool = False
    file: str = ""


def phrases_in(folder: Path = TRAINING) -> list[Phrase]:
    """Read the training files, one JSON object a line; the natural ones have a folder.

    Raises:
        InvalidInput: a line is no phrase, or there is none.
    """
    phrases = []
    for file in sorted(folder.rglob("*.jsonl")):
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            try:
                phrase = Phrase.model_validate_json(line)
            except ValueError:
                place = f"{file.name}, line {number}"
                raise InvalidInput("file", f"{place}: not a title and a workflow.") from None
            natural = file.parent.name == NATURAL
            phrases.append(phrase.model_copy(update={"natural": natural, "file": file.stem}))
    if not phrases:
        raise InvalidInput("file", f"{folder} holds no phrases to train on.")
    return phrases
