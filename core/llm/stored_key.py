"""A stored key as its callers see it: to call with once, and never to be shown again."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import SecretStr

__all__ = ["HeldKey", "KeyEntry", "Rotation", "State", "entry"]

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
