"""Which tasks must not leave this machine."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from core.catalogue import Domain, Task
from core.settings import Privacy

__all__ = ["Sensitivity", "sensitive"]

# What made a task sensitive: its person, the workflow's domain, or a word in it.
Sensitivity = Literal["marked", "domain", "word"]

# Marks that choose a form of the one before them, or keep two apart, and are not seen themselves.
_SELECTORS = frozenset("\u034f" + "".join(map(chr, range(0xFE00, 0xFE10))))


def sensitive(
    privacy: Privacy, task: Task, domain: Domain | None = None, *, marked: bool = False
) -> Sensitivity | None:
    """Return why a task is sensitive, or None.

    Args:
        privacy: the operator's words and domains.
        task: all of its text that a model would see is looked through.
        domain: of the workflow, where one is known.
        marked: whether the person said so.
    """
    if marked:
        return "marked"
    if domain in privacy.domains:
        return "domain"
    words = _pattern(privacy.words)
    return "word" if words and words.search(_folded("\n".join(_texts(task)))) else None


def _texts(task: Task) -> list[str]:
    code = task.code_context
    of_code = (*code.recent_files, code.current_branch) if code else ()
    return [task.title, task.description, *task.recent_tasks, *of_code]


@lru_cache(maxsize=8)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(_as_pattern, words))) if words else None


def _as_pattern(word: str) -> str:
    said = _folded(word.removesuffix("*"))
    pattern = r"\s+".join(map(re.escape, said.split()))
    if any(unicodedata.category(mark) == "Lo" for mark in said):
        return pattern  # of a script that may not set words apart
    ends = "" if word.endswith("*") else r"(?![^\W_])"
    return rf"(?<![^\W_]){pattern}{ends}"


def _folded(text: str) -> str:
    """Return text as it compares: compatibility forms, no case, nothing that is not seen."""
    seen = (mark for mark in unicodedata.normalize("NFKC", text) if not _is_unseen(mark))
    return unicodedata.normalize("NFKC", "".join(seen).casefold())


def _is_unseen(mark: str) -> bool:
    return unicodedata.category(mark) == "Cf" or mark in _SELECTORS
