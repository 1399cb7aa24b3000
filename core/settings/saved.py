"""What was saved last of each section, and the settings that makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.errors import InvalidSettings, SettingsUnusable
from core.ledger import Queries, Resting
from core.settings.checking import checked
from core.settings.operator import SECTIONS, Operator, SectionName
from core.settings.version import Version, version_of

__all__ = ["newest_in", "operator_of", "saved_in"]


def saved_in(ledger: Path) -> Operator:
    """Return what a ledger holds that no process has open, the defaults where it has nothing.

    Raises:
        LedgerUnavailable: it is in use, or cannot be read.
        SettingsUnusable: as `operator_of` does.
    """
    with Resting(ledger) as resting:
        if not resting.has("settings_versions"):
            return Operator()
        return operator_of(newest_in(Queries(resting, Path(__file__).with_name("sql"))))


def newest_in(queries: Queries) -> dict[SectionName, Version]:
    """Return the version in force of each section of which one was saved."""
    return {row["section"]: version_of(row) for row in queries.rows("newest")}


def operator_of(newest: Mapping[SectionName, Version]) -> Operator:
    """Return the settings that these versions make; sections without one have their defaults.

    Raises:
        SettingsUnusable: the newest version of a section is of a newer Waywarden.
    """
    stored = Operator()
    for section, version in newest.items():
        if section not in SECTIONS or version.schema_version > stored.schema_version:
            raise SettingsUnusable(_newer(version))
        try:
            value = checked(section, version.value)
        except InvalidSettings as problem:
            raise SettingsUnusable(f"{_newer(version)} {problem}") from None
        stored = stored.model_copy(update={section: value})
    return stored


def _newer(version: Version) -> str:
    return (
        f"The {version.section} settings, version {version.version}, were saved by another "
        "version of Waywarden; install that one."
    )
