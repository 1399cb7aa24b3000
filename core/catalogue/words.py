"""Words of a text, and whether a phrase occurs in it whatever its endings."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import lru_cache

import snowballstemmer

__all__ = ["STOP_WORDS", "any_occurs", "content_stems", "forms", "stem", "stems", "words_of"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_STEMMER = snowballstemmer.stemmer("english")
_STEMMING = threading.Lock()

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


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    """Return the stem of a lower-case word: “running” and “runs” give “run”."""
    with _STEMMING:  # the stemmer keeps the word it works on
        stemmed: str = _STEMMER.stemWord(word)
    return stemmed


def stems(text: str) -> list[str]:
    """Return the stems of the words of `text`, in order."""
    return [stem(word) for word in words_of(text)]


def content_stems(text: str) -> set[str]:
    """Return the stems that carry meaning: no stop words."""
    return {stem(word) for word in words_of(text) if word not in STOP_WORDS}


@lru_cache(maxsize=10_000)
def _form(word: str) -> str:
    """Return what the inflections of a word share: “expenses” and “expense”, not “expensive”."""
    root = re.sub(r"['’]s?$", "", word)
    root = re.sub(r"(?<=\w\w)ie[sd]$", "y", root)
    root = re.sub(r"(?:(?<=[sxz])|(?<=[cs]h))es$|(?<![sui])s$", "", root)
    root = re.sub(r"(?<=[aeiouy])(\w*[^e\W])(?:ing|ed)$", r"\1", root)
    root = re.sub(r"([^aeiou])\1$", r"\1", root).rstrip("e")
    return f"{stem(word)} {root}"


def forms(text: str) -> list[tuple[str, str]]:
    """Return the words of `text` in order, each with what its inflections share."""
    return [(_singular(word), _form(word)) for word in words_of(text)]


@lru_cache(maxsize=10_000)
def _wanted(phrase: str) -> tuple[str, ...]:
    # “boxing” is not “box”: an -ing form in a phrase matches as it stands.
    words = words_of(phrase)
    return tuple(
        _singular(word) if word.endswith(("ing", "ings")) else _form(word) for word in words
    )


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("ings") else word


def _occurs(phrase: str, text: list[tuple[str, str]], gap: int) -> bool:
    """Whether the words of `phrase` stand in the text in order, at most `gap` others between."""
    wanted = _wanted(phrase)
    ends = [place for place, said in enumerate(text) if wanted and wanted[0] in said]
    for word in wanted[1:]:
        ends = [
            place
            for place, said in enumerate(text)
            if word in said and any(0 < place - end <= gap + 1 for end in ends)
        ]
    return bool(ends)


@lru_cache(maxsize=10_000)
def _openings(phrases: tuple[str, ...]) -> frozenset[str]:
    return frozenset(wanted[0] for phrase in phrases if (wanted := _wanted(phrase)))


def any_occurs(phrases: Sequence[str], text: list[tuple[str, str]], gap: int = 0) -> str | None:
    """Return the first of `phrases` whose words, inflected or not, occur in the forms of a text.

    They stand next to each other, or with at most `gap` other words between any two.
    """
    openings = _openings(tuple(phrases))
    if not any(word in openings or form in openings for word, form in text):
        return None
    return next((phrase for phrase in phrases if _occurs(phrase, text, gap)), None)
