"""One saved version of a section: what it holds, what it changed, and how it is a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.ledger import SettingsSaved
from core.settings.checking import flat, title_of
from core.settings.operator import Section, SectionName

__all__ = ["Change", "Version", "changes_between", "event_of", "version_of"]


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a save changed; `title` is its name on the page."""

    field: str
    title: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Version:
    """One save of a section; versions count from 1."""

    version_id: str
    ts: datetime
    section: SectionName
    version: int
    schema_version: int
    value: Mapping[str, Any]
    changes: tuple[Change, ...]
    actor: str
    reason: str
    restored_from: str | None


def changes_between(before: Section, after: Section) -> tuple[Change, ...]:
    """Return the fields of a section that differ, in the order of the page."""
    was = flat(before)
    return tuple(
        Change(field, title_of(type(after), field), was[field], value)
        for field, value in flat(after).items()
        if was[field] != value
    )


def version_of(row: Mapping[str, Any]) -> Version:
    """Make a version of a row of `settings_versions`."""
    changes = tuple(Change(**change) for change in json.loads(row["changes"]))
    return Version(**{**row, "value": json.loads(row["value"]), "changes": changes})


def event_of(version: Version) -> SettingsSaved:
    """Make the row that `version_of` reads."""
    return SettingsSaved(
        ts=version.ts,
        version_id=version.version_id,
        section=version.section,
        version=version.version,
        schema_version=version.schema_version,
        value=dict(version.value),
        changes=[asdict(change) for change in version.changes],
        actor=version.actor,
        reason=version.reason,
        restored_from=version.restored_from,
    )
