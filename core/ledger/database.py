"""The ledger's file: opening it, its schema, and what its errors mean."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from core.errors import (
    LedgerFull,
    LedgerLocked,
    LedgerReadOnly,
    LedgerTooNew,
    LedgerUnavailable,
)

__all__ = ["ENVIRONMENT", "Database", "explained", "first_line"]

MIGRATIONS = Path(__file__).with_name("migrations")

MEMORY_MB, KEPT_MB = 512, 16
# What the file, the disk or DuckDB itself did wrong; everything else is the statement's fault.
ENVIRONMENT = (duckdb.OperationalError, duckdb.InternalError, duckdb.FatalException)

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "v1.5.0",
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # A checkpoint inside a commit that finds the disk full fails that commit, although its rows
    # are durable. So DuckDB makes none, and the writer makes them between commits.
    "checkpoint_threshold": "1TB",
    # What queries may use together; one that needs more uses the disk.
    "memory_limit": f"{MEMORY_MB}MB",
    # What a thread freed goes back to the system soon, not when it asks for more the next time.
    "allocator_background_threads": True,
    "allowed_configs": ["memory_limit"],  # else locked too; see `Database.trim`
}
_MEMORY_OF_OTHERS = """
    SELECT coalesce(sum(memory_usage_bytes) FILTER (WHERE tag <> 'BASE_TABLE'), 0)::BIGINT
    FROM duckdb_memory()
"""
_LOCKED = re.compile(r"Could not set lock on file(?:.*\(PID (\d+)\))?", re.DOTALL)
_SIGNS: tuple[tuple[type[LedgerUnavailable], tuple[str, ...], str], ...] = (
    (
        LedgerFull,
        ("no space left", "disk quota", "file too large", "out of disk"),
        "The disk under {folder} is full; free some room and try again.",
    ),
    (
        LedgerReadOnly,
        ("permission denied", "read-only file system", "read-only mode", "operation not perm"),
        "The ledger {path} cannot be written; give this user the right to write there, "
        "or set WAYWARDEN_DATA_DIR to another folder.",
    ),
    (
        LedgerTooNew,
        ("with version number", "newer version", "serialization version", "wal of version"),
        "The ledger {path} was written by a newer version of Waywarden; install that one.",
    ),
    (
        LedgerUnavailable,
        (
            "not a valid duckdb",
            "corrupt",
            "checksum",
            "enough bytes",
            "serialization error",
            "replaying wal",
            "loading external extensions",  # what it says of an SQLite file
        ),
        "The ledger {path} is damaged or is no ledger; restore a backup, or move it and its .wal "
        "file away to begin a new one. DuckDB says: {said}",
    ),
)


def explained(problem: BaseException, path: Path) -> LedgerUnavailable:
    """Turn DuckDB's or the system's error into a new one that an operator can act on."""
    if isinstance(problem, LedgerUnavailable):
        return _another(problem)
    text = str(problem)
    if locked := _LOCKED.search(text):
        return LedgerLocked(str(path), int(locked.group(1)) if locked.group(1) else None)
    said = first_line(problem)
    clue = text.replace(str(path.parent), "").lower()  # a folder's name says nothing
    for error, signs, sentence in _SIGNS:
        if any(sign in clue for sign in signs):
            return error(sentence.format(path=path, folder=path.parent, said=said))
    return LedgerUnavailable(f"The ledger {path} cannot be used: {said}")


def first_line(problem: BaseException) -> str:
    """Return what an error says first, as a sentence."""
    said = (str(problem) or repr(problem)).splitlines()[0]
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _another(problem: LedgerUnavailable) -> LedgerUnavailable:
    """Return an equal error, for another thread to raise."""
    other = type(problem).__new__(type(problem), *problem.args)
    vars(other).update(vars(problem))
    return other


class Database:
    """One open DuckDB file; opened anew when DuckDB gave it up after an error."""

    def __init__(self, path: Path) -> None:
        """Open the file, made with its folder if missing, and bring its schema up to date.

        Raises:
            LedgerUnavailable: it is locked, read-only, from a newer version, or the disk is full.
        """
        self.path = path
        self._lock = threading.Lock()
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _make(path)
            self._connection = _connect(path)
        except (duckdb.Error, OSError) as problem:
            raise explained(problem, path) from problem

    @property
    def log_bytes(self) -> int:
        """The size of the write-ahead log, which holds what came since the last checkpoint."""
        try:
            return self.path.with_name(f"{self.path.name}.wal").stat().st_size
        except FileNotFoundError:
            return 0

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of one's own, to be used by one thread and closed.

        Raises:
            LedgerUnavailable: the ledger was closed.
            duckdb.Error: the file has to be revived first.
        """
        with self._lock:
            self._refuse_when_closed()
            return self._connection.cursor()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one query, used again by later ones.

        DuckDB 1.5.5 keeps some 50 bytes of each connection that ever read a table.

        Raises:
            LedgerUnavailable: the ledger was closed.
            duckdb.Error: the file has to be revived first.
        """
        with self._lock:
            self._refuse_when_closed()
            connection, idle = self._connection, self._idle
            cursor = idle.pop() if idle else connection.cursor()
        try:
            yield cursor
        except BaseException:
            cursor.close()
            raise
        with self._lock:
            if self._closed or self._connection is not connection:
                cursor.close()
            else:
                idle.append(cursor)

    def revive(self) -> None:
        """Open the file anew if DuckDB has given it up; all cursors are closed then.

        Raises:
            LedgerUnavailable: the ledger was closed, or cannot be opened.
        """
        with self._lock:
            self._refuse_when_closed()
            try:
                self._connection.execute("SELECT 1")
            except duckdb.Error:
                self._close()
                try:
                    self._connection = _connect(self.path)
                except duckdb.Error as problem:
                    raise explained(problem, self.path) from problem

    def trim(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Keep no more than 16 MB of the file in memory.

        DuckDB would keep all that it ever read or wrote, up to its limit. It gives memory back
        when the limit falls, and only what nobody is using.
        """
        (others,) = cursor.execute(_MEMORY_OF_OTHERS).fetchall()[0]
        cursor.execute(f"SET GLOBAL memory_limit = '{others + KEPT_MB * 2**20}B'")
        cursor.execute(f"SET GLOBAL memory_limit = '{MEMORY_MB}MB'")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._close()

    def _close(self) -> None:
        for cursor in self._idle:
            cursor.close()
        self._idle.clear()
        self._connection.close()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise LedgerUnavailable("The ledger is closed; Waywarden is stopping.")


def _make(path: Path) -> None:
    """Make the file elsewhere and link it in whole: a kill or a full disk leaves no half of it."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        new = Path(folder) / path.name
        duckdb.connect(str(new), config=_CONFIG).close()
        try:
            path.hardlink_to(new)  # a rename would replace a ledger that was made meanwhile
        except FileExistsError:
            return
        except OSError:  # a file system without links
            new.rename(path)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), config=_CONFIG)
    try:
        _refuse_shared(connection, path)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_shared(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that this process has open already: DuckDB would share it."""
    if connection.execute("SELECT current_setting('lock_configuration')").fetchall() == [(True,)]:
        raise LedgerLocked(str(path), os.getpid())


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
