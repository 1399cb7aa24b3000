"""Characters that can be shown: no controls, nothing that reorders or hides text."""

from __future__ import annotations

import re

__all__ = ["UNSHOWABLE", "showable"]

UNSHOWABLE = "contains characters that cannot be shown; remove them"
# C0 and C1 controls but tab and line feed, and the marks that reorder or hide text, but for the
# joiners that emoji and several scripts need.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def showable(text: str) -> str:
    """Return the text as it is.

    Raises:
        ValueError: it holds such a character.
    """
    if _CONTROLS.search(text):
        raise ValueError(UNSHOWABLE)
    return text
