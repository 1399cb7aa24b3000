"""Words of a text, and whether a phrase occurs in it whatever its endings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

__all__ = ["STOP_WORDS", "any_occurs", "content_stems", "occurs", "stem", "stems", "words_of"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_STEMMER = snowballstemmer.stemmer("english")

# fmt: off
STOP_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "for", "from", "get",
    "go", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my",
    "need", "new", "no", "not", "of", "on", "or", "our", "out", "please", "so", "some", "that",
    "the", "their", "them", "then", "there", "this", "to", "up", "want", "was", "we", "what",
    "when", "which", "who", "will", "with", "would", "you", "your",
})
# fmt: on


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case, in order."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of a lower-case word: “running” and “runs” give “run”."""
    stemmed: str = _STEMMER.stemWord(word)
    return stemmed


def stems(text: str) -> list[str]:
    """Return the stems of the words of `text`, in order."""
    return [stem(word) for word in words_of(text)]


def content_stems(text: str) -> set[str]:
    """Return the stems that carry meaning: no stop words."""
    return {stem(word) for word in words_of(text) if word not in STOP_WORDS}


def occurs(phrase: str, text_stems: list[str]) -> bool:
    """Whether the words of `phrase` stand next to each other in the text, by their stems."""
    wanted = stems(phrase)
    length = len(wanted)
    return length > 0 and any(
        text_stems[start : start + length] == wanted
        for start in range(len(text_stems) - length + 1)
    )


def any_occurs(phrases: Iterable[str], text_stems: list[str]) -> str | None:
    """Return the first of `phrases` that occurs, or None."""
    return next((phrase for phrase in phrases if occurs(phrase, text_stems)), None)
