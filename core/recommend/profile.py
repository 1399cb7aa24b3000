"""A person's preferences: what the form starts with."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from core.catalogue import Domain
from core.clock import Clock
from core.ledger import Ledger, ProfileSaved, Queries

__all__ = ["Profile", "Profiles"]


class Profile(BaseModel):
    """Usual energy (1-3), usual hours (None: not said), favourite domains.

    `learns` says whether the person's choices are learnt from, and used for them. What they chose
    until `forgotten_until` is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    usual_energy: int = Field(default=2, ge=1, le=3)
    usual_hours: float | None = Field(default=None, ge=0.25, le=24)
    favourite_domains: tuple[Domain, ...] = ()
    learns: bool = True
    forgotten_until: datetime | None = None


class Profiles:
    """The newest row of each person's preferences."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))

    def of(self, user_id: str) -> Profile:
        """Return the person's preferences, or the usual ones when none were saved."""
        rows = self._queries.rows("profile", user_id=user_id)
        if not rows:
            return Profile()
        row = rows[0]
        return Profile(
            usual_energy=row["usual_energy"],
            usual_hours=row["usual_hours"],
            favourite_domains=tuple(
                cast("list[Domain]", json.loads(row["favourite_domains"] or "[]"))
            ),
            learns=row["learns"] is not False,  # older rows say nothing of it
            forgotten_until=row["forgotten_until"],
        )

    def save(self, user_id: str, profile: Profile) -> None:
        """Make the preferences durable; saving the same again writes nothing."""
        if profile == self.of(user_id):
            return
        self._ledger.write(
            ProfileSaved(
                ts=self._clock.now(),
                user_id=user_id,
                usual_energy=profile.usual_energy,
                usual_hours=profile.usual_hours,
                favourite_domains=list(profile.favourite_domains),
                learns=profile.learns,
                forgotten_until=profile.forgotten_until,
            )
        )

    def forget(self, user_id: str) -> None:
        """Have nothing remembered of what the person chose until now; the ledger keeps it."""
        now = self._clock.now()
        self.save(user_id, self.of(user_id).model_copy(update={"forgotten_until": now}))

    def known(self) -> list[str]:
        """Return the names that have asked for anything or saved preferences, newest first."""
        return [row["user_id"] for row in self._queries.rows("known_people")]
