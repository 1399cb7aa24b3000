"""Text on its way to a model and back: nothing that hides, and no addresses."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["seen", "without_addresses"]

# Joiners that emoji and several scripts need, and the mark that makes a sign an emoji.
_KEPT = frozenset("\n\u200c\u200d\ufe0e\ufe0f")
# Controls, what reorders or hides text, halves of characters, and what has no meaning to others.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co"})
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))

_TOP = (
    "com|net|org|info|biz|io|co|me|ai|app|dev|xyz|top|link|click|site|online|shop|store|page|"
    "ly|gg|tk|us|uk|de|fr|eu|ru|cn|in"
)
# All parts are bounded: text that is made to be slow is read in linear time.
_ADDRESS = re.compile(
    r"(?:"
    r"[a-zａ-ｚ][a-z0-9ａ-ｚ+.-]{0,20}\s?[:：]\s?[/／\\]{2}"
    r"|(?<!\w)www\d?[.．。]"
    r"|(?<!\w)(?:mailto|javascript|vbscript):(?=\S)|(?<!\w)data:\w{1,20}/|(?<!\w)tel:(?=[+\d])"
    r"|(?<![\w:/.])//(?=[\w-]{1,63}\.\w)"
    rf"|(?<![\w.@/-])(?:[\w-]{{1,63}}\.){{1,4}}(?:{_TOP})(?::\d{{1,5}})?/"
    r")[^\s<>\"“”‘’()\[\]{}]*(?<![.,;:!?])",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\(\s*\)")
_LOOSE = re.compile(r" +([.,;:!?])(?!\S)")
_EMPTY = re.compile(r"\(\s*\)|\[\s*\]|<\s*>")


def seen(text: str) -> str:
    """Return the text without characters that nobody sees; all kinds of line breaks become one."""
    lines = "\n".join(text.replace("\t", " ").splitlines())
    return "".join(mark for mark in lines if mark in _KEPT or not _is_unseen(mark))


def without_addresses(text: str) -> str:
    """Return the text without web addresses; of a link its label stays."""
    left = _ADDRESS.sub("", text)
    if left == text:
        return text
    tidy = _LOOSE.sub(r"\1", _EMPTY.sub("", _LINK.sub(r"\1", left)))
    # What stood around something empty may have become an address.
    return _ADDRESS.sub("", tidy)


def _is_unseen(mark: str) -> bool:
    return unicodedata.category(mark) in _DROPPED or mark in _SELECTORS
