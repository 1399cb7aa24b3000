"""The one error tree: each message is a sentence that the person or operator can act on.

WaywardenError
├── InvalidInput          a field of a request is not acceptable
│   └── InvalidSettings   fields of a section of settings are not
├── SettingsOutdated      another operator saved the section meanwhile
├── SettingsUnusable      what the ledger holds of a section is not known to this version
├── UnknownVersion        no version of settings of that id
├── UnknownWorkflow       no workflow of that id is loaded
├── UnknownExecution      no execution of that id
├── UnknownRecommendation no recommendation of that id
├── KeyReused             an idempotency key came back with another request
├── CatalogueEmpty        there is nothing to recommend
├── HeadUnusable          the trained part of the ranker is missing, damaged or stale
├── PricesUnusable        the file of prices says what cannot be
├── KeyUnreadable         a stored key cannot be opened with the master key that is there
├── MasterKeyUnusable     the master key is missing, open to others, or cannot be changed here
├── ModelFailure          (core.llm) a model gave no usable answer
├── ModelsForbidden       (core.llm) no model may be asked this
├── NoModelLeft           (core.llm) no model of the ladder answered
├── Unavailable           the process is starting or stopping
└── LedgerUnavailable     a fact could not be made durable
    ├── LedgerLocked      another process has the file open
    ├── LedgerReadOnly    the file or its folder cannot be written
    ├── LedgerTooNew      a newer version wrote it
    ├── LedgerFull        the disk has no room
    ├── LedgerBusy        more rows wait than the queue holds
    └── RowRefused        this one row does not fit its table
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "CatalogueEmpty",
    "HeadUnusable",
    "InvalidInput",
    "InvalidSettings",
    "KeyReused",
    "KeyUnreadable",
    "LedgerBusy",
    "LedgerFull",
    "LedgerLocked",
    "LedgerReadOnly",
    "LedgerTooNew",
    "LedgerUnavailable",
    "MasterKeyUnusable",
    "PricesUnusable",
    "RowRefused",
    "SettingsOutdated",
    "SettingsUnusable",
    "Unavailable",
    "UnknownExecution",
    "UnknownRecommendation",
    "UnknownVersion",
    "UnknownWorkflow",
    "WaywardenError",
]


class WaywardenError(Exception):
    """Anything that Waywarden says no to, in one sentence."""


class InvalidInput(WaywardenError):
    """A field of a request is not acceptable."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class InvalidSettings(InvalidInput):
    """Fields of a section are not acceptable; `faults` has a sentence for each, by its path."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(next(iter(faults)), " ".join(faults.values()))
        self.faults = faults


class SettingsOutdated(WaywardenError):
    """Another operator saved the section meanwhile; nothing was saved."""


class SettingsUnusable(WaywardenError):
    """What the ledger holds of a section of settings is not known to this version."""


class UnknownVersion(WaywardenError):
    """No version of settings of that id is in the ledger."""

    def __init__(self, version_id: str) -> None:
        super().__init__("There is no such version of the settings in the ledger.")
        self.version_id = version_id


class HeadUnusable(WaywardenError):
    """The trained part of the ranker is missing, damaged, or older than what it came from."""


class UnknownWorkflow(WaywardenError):
    """No workflow of that id is loaded."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(f"There is no workflow called “{workflow_id}”.")
        self.workflow_id = workflow_id


class UnknownExecution(WaywardenError):
    """No execution of that id is in the ledger."""

    def __init__(self, execution_id: str) -> None:
        super().__init__("This run is not in the ledger; it may belong to another data folder.")
        self.execution_id = execution_id


class UnknownRecommendation(WaywardenError):
    """No recommendation of that id is in the ledger."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "This recommendation is not in the ledger; it may belong to another data folder."
        )
        self.request_id = request_id


class KeyReused(WaywardenError):
    """An idempotency key came back with another request."""

    def __init__(self, key: str) -> None:
        super().__init__("This idempotency key was already used for a different request.")
        self.key = key


class CatalogueEmpty(WaywardenError):
    """There is nothing to recommend."""


class PricesUnusable(WaywardenError):
    """The file of prices cannot be read, or says what cannot be."""


class KeyUnreadable(WaywardenError):
    """A stored key cannot be opened; whoever it belongs to can enter it again."""


class MasterKeyUnusable(WaywardenError):
    """The key that seals all others is missing, open to others, or cannot be changed here."""


class Unavailable(WaywardenError):
    """The process is starting or stopping; trying again shortly helps."""


class LedgerUnavailable(WaywardenError):
    """A fact could not be made durable; nothing that depends on it was done."""


class LedgerLocked(LedgerUnavailable):
    """Another process has the ledger open."""

    def __init__(self, path: str, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"The ledger {path} is open in {holder}. Stop that process, "
            "or set WAYWARDEN_DATA_DIR to another folder."
        )
        self.pid = pid


class LedgerReadOnly(LedgerUnavailable):
    """The ledger's file or folder cannot be written."""


class LedgerTooNew(LedgerUnavailable):
    """A newer version of Waywarden wrote the ledger."""


class LedgerFull(LedgerUnavailable):
    """The disk has no room for another row."""


class LedgerBusy(LedgerUnavailable):
    """More rows wait to be written than the queue holds."""


class RowRefused(LedgerUnavailable):
    """One row does not fit its table; the rows beside it were written."""
