"""Operators' settings as versions in the ledger: saved, compared, restored, in force at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from core.clock import Clock, new_id
from core.errors import (
    InvalidInput,
    SettingsOutdated,
    UnknownVersion,
)
from core.ledger import Ledger, Queries
from core.logs import redacted
from core.settings.checking import checked
from core.settings.environment import Settings
from core.settings.operator import (
    SECTIONS,
    Operator,
    Provider,
    Providers,
    Section,
    SectionName,
)
from core.settings.reach import Reach
from core.settings.saved import newest_in, operator_of
from core.settings.version import Change, Version, changes_between, event_of, version_of

__all__ = ["OperatorSettings"]

log = logging.getLogger(__name__)

LONGEST_REASON = 300
MOST_LISTED = 200


class OperatorSettings:
    """What is in force, and every version that was."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        deployment: Settings | None = None,
        when_moved: Callable[[Provider, str], object] | None = None,
    ) -> None:
        """Read what is in force.

        Args:
            ledger: where the versions are.
            clock: where they get their times from.
            deployment: the providers' usual addresses, and the hosts that may be one.
            when_moved: told of a provider whose address is about to change, and by whom, so that
                no key that was kept for the old address is sent to the new one.

        Raises:
            SettingsUnusable: the newest version of a section is of a newer Waywarden.
        """
        self._ledger = ledger
        self._clock = clock
        self._reach = Reach(deployment or Settings())
        self._when_moved = when_moved
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._saving = threading.Lock()
        self._newest = newest_in(self._queries)
        self._stored = operator_of(self._newest)
        self._current = self._in_force()

    @property
    def current(self) -> Operator:
        """What the next request obeys: as stored, but no provider at a host that may be none."""
        return self._current

    @property
    def stored(self) -> Operator:
        """What was saved last of each section."""
        return self._stored

    @property
    def barred(self) -> tuple[Provider, ...]:
        """The providers whose stored address is of a host that is allowed no more."""
        return self._reach.barred(self._stored.providers)

    def address(self, provider: Provider) -> str | None:
        """Return where a provider is asked, or None when no address is known or allowed."""
        return self._reach.address(self._stored.providers, provider)

    def newest(self, section: SectionName) -> Version | None:
        """Return the version in force, or None while the defaults are."""
        return self._newest.get(section)

    def number(self, section: SectionName) -> int:
        """Return the number of the version in force; 0 while the defaults are."""
        newest = self.newest(section)
        return newest.version if newest else 0

    def history(self, section: SectionName) -> list[Version]:
        """Return the versions of a section, the newest first, 200 at most."""
        return [
            version_of(row)
            for row in self._queries.rows("history", section=section, most=MOST_LISTED)
        ]

    def version(self, version_id: str) -> Version:
        """Return one version.

        Raises:
            UnknownVersion: there is none of this id.
        """
        rows = self._queries.rows("version", version_id=version_id)
        if not rows:
            raise UnknownVersion(version_id)
        return version_of(rows[0])

    def preview(
        self, section: SectionName, value: Section | Mapping[str, object]
    ) -> tuple[Change, ...]:
        """Return what saving `value` would change now.

        Raises:
            InvalidSettings: a field is not acceptable.
        """
        return self._changes(section, self._checked(section, value))

    def save(
        self,
        section: SectionName,
        value: Section | Mapping[str, object],
        actor: str,
        reason: str,
        expected_version: int,
    ) -> Version | None:
        """Make a section's whole value durable, then put it in force; the same writes nothing.

        Args:
            section: which.
            value: all of it; what is missing takes its default.
            actor: who saves.
            reason: why, in a sentence; what looks like a secret in it is taken out.
            expected_version: the number of the version that was changed.

        Returns:
            The version in force, None while the defaults are.

        Raises:
            InvalidSettings: a field is not acceptable.
            InvalidInput: no reason, or too long a one.
            SettingsOutdated: another version is in force than the expected one.
            LedgerUnavailable: it could not be made durable; nothing changed.
        """
        given = self._checked(section, value)
        return self._save(given, actor, reason, expected_version)

    def restore(
        self, version_id: str, actor: str, reason: str, expected_version: int | None = None
    ) -> Version | None:
        """Save the value of an earlier version again, as `save` does.

        Raises:
            UnknownVersion: there is none of this id.
            InvalidSettings: its value is not acceptable any more.
        """
        earlier = self.version(version_id)
        given = self._checked(earlier.section, earlier.value)
        expected = self.number(earlier.section) if expected_version is None else expected_version
        return self._save(given, actor, reason, expected, restored_from=version_id)

    def _save(
        self,
        value: Section,
        actor: str,
        reason: str,
        expected_version: int,
        *,
        restored_from: str | None = None,
    ) -> Version | None:
        section = _name_of(value)
        with self._saving:
            newest = self.newest(section)
            self._refuse_outdated(newest, expected_version)
            changes = self._changes(section, value)
            if not changes:
                return newest
            saved = Version(
                version_id=new_id(),
                ts=self._clock.now(),
                section=section,
                version=expected_version + 1,
                schema_version=self._stored.schema_version,
                value=value.model_dump(mode="json"),
                changes=changes,
                actor=actor,
                reason=_reason(reason),
                restored_from=restored_from,
            )
            self._forget_keys_of_moved(value, actor)
            self._ledger.write(event_of(saved))
            self._newest[section] = saved
            self._stored = self._stored.model_copy(update={section: value})
            self._current = self._in_force()
            return saved

    def _refuse_outdated(self, newest: Version | None, expected_version: int) -> None:
        at = newest.version if newest else 0
        if at != expected_version:
            who = f"{newest.actor} saved version {at}" if newest else "Nothing was saved"
            raise SettingsOutdated(
                f"{who} while you were at version {expected_version}; "
                "look at it, then make your change again."
            )

    def _checked(self, section: SectionName, value: Section | Mapping[str, object]) -> Section:
        given = value if isinstance(value, Mapping) else value.model_dump(mode="json")
        made = checked(section, given)
        if isinstance(made, Providers):
            self._reach.refuse_barred(made)
        return made

    def _changes(self, section: SectionName, value: Section) -> tuple[Change, ...]:
        return changes_between(getattr(self._stored, section), value)

    def _forget_keys_of_moved(self, value: Section, actor: str) -> None:
        if self._when_moved is None or not isinstance(value, Providers):
            return
        for provider in get_args(Provider):
            if self._reach.address(value, provider) != self.address(provider):
                self._when_moved(provider, actor)

    def _in_force(self) -> Operator:
        if self.barred:
            names = ", ".join(self.barred)
            log.warning("Not asked, for their hosts are not in WAYWARDEN_MODEL_HOSTS: %s", names)
        providers = self._reach.without_barred(self._stored.providers)
        return self._stored.model_copy(update={"providers": providers})


def _name_of(value: Section) -> SectionName:
    return next(name for name, model in SECTIONS.items() if isinstance(value, model))


def _reason(text: str) -> str:
    reason = redacted(" ".join(text.split()))
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise InvalidInput(
            "reason", f"Say why in 1 to {LONGEST_REASON} characters; others will read it."
        )
    return reason
