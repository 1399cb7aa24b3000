"""A stored key as its callers see it: to call with once, and never to be shown again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import SecretStr

__all__ = ["HeldKey", "Keepers", "KeyEntry", "Rotation", "State", "entry"]

State = Literal["in use", "unreadable", "replaced", "revoked", "cleared"]


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key to call a provider with, and what it is called in the ledger."""

    key_id: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """All that is ever shown of a stored key."""

    key_id: str
    provider: str
    last_four: str
    created: datetime
    last_used: datetime | None
    state: State
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many keys were sealed anew, erased because they had ended, or could not be opened."""

    resealed: int
    erased: int
    unreadable: int


def entry(row: Mapping[str, Any], masters: Container[str]) -> KeyEntry:
    """Make an entry of a row of `keys_of.sql`, given the ids of the master keys that are there."""
    lives: State = "in use" if row["master_id"] in masters else "unreadable"
    return KeyEntry(
        key_id=row["key_id"],
        provider=row["provider"],
        last_four=row["last_four"],
        created=row["ts"],
        last_used=row["used_at"],
        state=row["ended_by"] or lives,
        ended=row["ended_at"],
    )


class Keepers:
    """Who has a key of their own for which provider: every question asks, keys change rarely."""

    def __init__(
        self, changing: threading.RLock, read: Callable[[], Iterable[Mapping[str, Any]]]
    ) -> None:
        """`changing` is held by whoever changes keys, `read` gives those of which some is kept."""
        self._changing = changing
        self._read = read
        self._known: frozenset[tuple[str, str]] | None = None

    def known(self) -> frozenset[tuple[str, str]]:
        """Return people and providers of all keys in force."""
        if (known := self._known) is not None:
            return known
        with self._changing:
            self._known = known = frozenset(
                (row["user_id"], row["provider"]) for row in self._read() if not row["has_ended"]
            )
        return known

    def changed(self) -> None:
        """Have them read anew the next time."""
        self._known = None
