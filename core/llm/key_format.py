"""What a key of each provider looks like; a sentence says what is wrong, never the key."""

from __future__ import annotations

from core.errors import InvalidInput

__all__ = ["KEYED_PROVIDERS", "checked_key"]

# Providers a person can have a key for, with the name they know them by.
KEYED_PROVIDERS = {"anthropic": "Anthropic"}

SHORTEST, LONGEST = 20, 256
_MADE_FOR_OTHERS = {
    "sk-ant-admin": "This is an admin key, which cannot call models; make an API key instead.",
    "sk-ant-oat": "This is a sign-in token, not an API key; make an API key instead.",
}


def checked_key(provider: str, text: str) -> str:
    """Return the key without what was pasted around it.

    Raises:
        InvalidInput: it cannot be a key of this provider; the sentence does not show it.
    """
    if provider not in KEYED_PROVIDERS:
        raise InvalidInput("provider", "No key can be stored for this provider.")
    key = text.strip()
    if not key:
        raise InvalidInput("key", "Paste the key first.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InvalidInput("key", "A key has no spaces, line breaks or special characters.")
    if not key.startswith("sk-ant-"):
        raise InvalidInput("key", "An Anthropic key begins with sk-ant-; this one does not.")
    for start, sentence in _MADE_FOR_OTHERS.items():
        if key.startswith(start):
            raise InvalidInput("key", sentence)
    if not SHORTEST <= len(key) <= LONGEST:
        raise InvalidInput("key", f"A key has {SHORTEST} to {LONGEST} characters; copy all of it.")
    return key
