"""The ledger's file: opening it, its schema, and what its errors mean."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import duckdb

from core.errors import (
    LedgerFull,
    LedgerLocked,
    LedgerReadOnly,
    LedgerTooNew,
    LedgerUnavailable,
)

__all__ = ["Database", "explained"]

MIGRATIONS = Path(__file__).with_name("migrations")

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "v1.5.0",
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_LOCKED = re.compile(r"Conflicting lock is held in .*?\(PID (\d+)\)|Could not set lock on file")
_NO_ROOM = ("no space left", "disk quota", "file too large", "out of disk")
_NO_RIGHT = ("permission denied", "read-only file system", "read-only mode", "operation not perm")
_NEWER = ("with version number", "newer version", "serialization version")


def explained(problem: BaseException, path: Path) -> LedgerUnavailable:
    """Turn DuckDB's or the system's error into one an operator can act on."""
    text = str(problem)
    lower = text.lower()
    if locked := _LOCKED.search(text):
        return LedgerLocked(str(path), int(locked.group(1)) if locked.group(1) else None)
    if any(sign in lower for sign in _NO_ROOM):
        return LedgerFull(f"The disk under {path.parent} is full; free some room and try again.")
    if any(sign in lower for sign in _NO_RIGHT):
        return LedgerReadOnly(
            f"The ledger {path} cannot be written; give this user the right to write there, "
            "or set WAYWARDEN_DATA_DIR to another folder."
        )
    if any(sign in lower for sign in _NEWER):
        return LedgerTooNew(f"The ledger {path} was written by a newer version of Waywarden.")
    return LedgerUnavailable(f"The ledger {path} cannot be used: {text.splitlines()[0]}")


class Database:
    """One open DuckDB file; reopened by its writer when DuckDB gave it up."""

    def __init__(self, path: Path) -> None:
        """Open the file, made with its folder if missing, and bring its schema up to date.

        Raises:
            LedgerUnavailable: it is locked, read-only, from a newer version, or the disk is full.
        """
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
        except (duckdb.Error, OSError) as problem:
            raise explained(problem, path) from problem

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of one's own, to be used by one thread and closed."""
        with self._lock:
            return self._connection.cursor()

    def reopen(self) -> None:
        """Open the file anew, after an error that DuckDB does not recover from."""
        with self._lock:
            self._connection.close()
            self._connection = self._connect()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.path), config=_CONFIG)
        try:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
            _migrate(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Apply the numbered migrations that the file has not seen, each in its own transaction."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT, name VARCHAR)"
    )
    seen = {
        row[0] for row in connection.execute("SELECT version FROM schema_migrations").fetchall()
    }
    known = {int(file.name[:4]): file for file in sorted(MIGRATIONS.glob("[0-9]*.sql"))}
    if unknown := seen - known.keys():
        raise LedgerTooNew(
            f"The ledger {path} has schema {max(unknown)}, this version of Waywarden knows "
            f"{max(known)}; install a newer one."
        )
    for version, file in known.items():
        if version in seen:
            continue
        connection.begin()
        connection.execute(file.read_text(encoding="utf-8"))
        connection.execute("INSERT INTO schema_migrations VALUES (?, ?)", [version, file.stem])
        connection.commit()
