"""Copies of the ledger: made while it is in use, verified by opening them, put back."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.errors import (
    LedgerFull,
    LedgerLocked,
    LedgerReadOnly,
    LedgerTooNew,
    LedgerUnavailable,
)
from core.ledger.database import _CONFIG, MIGRATIONS, explained
from core.ledger.events import EVENTS, Event

__all__ = ["Backup", "Contents", "backed_up", "contents", "copied", "looking", "restored"]

# A ledger is its file and what DuckDB may keep beside it, not yet folded into it.
_SUFFIXES = ("", ".wal", ".wal.checkpoint", ".wal.recovery")
_COPY = """
import shutil, sys
paths = sys.argv[1:]
for source, target in zip(paths[::2], paths[1::2]):
    shutil.copyfile(source, target)
"""


@dataclass(frozen=True, slots=True)
class Backup:
    """A verified copy: where it is, its size, and its rows by table."""

    path: Path
    size_bytes: int
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a ledger holds: rows by table, and the migrations that its next start will make."""

    rows: Mapping[str, int]
    pending: tuple[str, ...]


def contents(path: Path) -> Contents:
    """Look into a ledger that no process has open; nothing of it changes.

    Raises:
        LedgerUnavailable: it is in use, damaged, newer than this version, or no ledger.
    """
    try:
        connection = looking(path)
        try:
            return _contents(connection, path)
        finally:
            connection.close()
    except duckdb.Error as problem:
        raise explained(problem, path) from problem


def backed_up(ledger: Path, target: Path) -> Backup:
    """Copy a ledger that no process has open to the new file `target`, as it is.

    Raises:
        LedgerUnavailable: as `copied` does, or the ledger is in use.
    """
    return copied(ledger, target, lambda: _at_rest(ledger))


def copied(
    ledger: Path, target: Path, paused: Callable[[], AbstractContextManager[None]]
) -> Backup:
    """Copy all files of a ledger while commits are held back, then open and count the copy.

    Raises:
        LedgerUnavailable: it cannot be copied, or the copy is not whole; nothing is left.
    """
    if target.exists():
        raise LedgerUnavailable(f"{target} exists already; name a new file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
            copy = Path(folder) / target.name
            with paused():
                _copy_elsewhere(ledger, copy)
            rows = _folded(copy).rows
            copy.rename(target)
        _to_disk(target.parent)
    except duckdb.Error as problem:
        raise explained(problem, ledger) from problem
    except OSError as problem:
        raise LedgerUnavailable(f"{target} cannot be written: {problem}.") from problem
    return Backup(target, target.stat().st_size, rows)


def restored(ledger: Path, source: Path, kept: Path) -> Backup:
    """Put a backup in the ledger's place; what was there is kept as `kept`.

    Raises:
        LedgerUnavailable: the backup is no whole ledger, or a process has one of the two open.
    """
    if not source.is_file():
        raise LedgerUnavailable(f"There is no file {source}.")
    if not contents(source).rows:
        raise LedgerUnavailable(f"{source} is no ledger: it is empty.")
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=ledger.parent) as folder:
            copy = Path(folder) / ledger.name
            _copy_elsewhere(source, copy)
            rows = _folded(copy).rows
            if ledger.exists():
                _keep(ledger, kept)
            copy.replace(ledger)
        _to_disk(ledger.parent)
    except duckdb.Error as problem:
        raise explained(problem, source) from problem
    except OSError as problem:
        raise LedgerUnavailable(f"{ledger} cannot be replaced: {problem}.") from problem
    return Backup(ledger, ledger.stat().st_size, rows)


def looking(path: Path) -> duckdb.DuckDBPyConnection:
    """Open to read; while this is open, nobody can open it to write."""
    return duckdb.connect(str(path), read_only=True, config=_CONFIG)


def _contents(connection: duckdb.DuckDBPyConnection, path: Path) -> Contents:
    tables = {
        name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }
    # A file without any table is a ledger whose first start was cut off.
    if tables and "schema_migrations" not in tables:
        raise LedgerUnavailable(f"{path} is no ledger, but a database of another program.")
    made = set()
    if tables:
        found = connection.execute("SELECT version FROM schema_migrations").fetchall()
        made = {version for (version,) in found}
    known = {int(file.name[:4]): file.stem for file in sorted(MIGRATIONS.glob("[0-9]*.sql"))}
    if made - known.keys():
        raise LedgerTooNew(
            f"The ledger {path} has schema {max(made)}, this version of Waywarden knows "
            f"{max(known)}; install a newer one."
        )
    counts = {event.table: _read(connection, event) for event in EVENTS if event.table in tables}
    return Contents(counts, tuple(name for at, name in known.items() if at not in made))


def _read(connection: duckdb.DuckDBPyConnection, event: type[Event]) -> int:
    """Return how many rows a table has, having read every value: DuckDB checks what it reads."""
    read = f"SELECT count(*), bit_xor(hash(each)) FROM {event.table} AS each"  # noqa: S608 - constant
    row = connection.execute(read).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _at_rest(ledger: Path) -> Iterator[None]:
    connection = looking(ledger)
    try:
        yield
    finally:
        connection.close()


def _copy_elsewhere(ledger: Path, copy: Path) -> None:
    """Copy a ledger's files in another process.

    Closing a file gives up every lock that its process holds on it (POSIX), so this process must
    not open the ledger a second time.
    """
    before = _files(ledger)
    paths = [f"{path}{suffix}" for suffix in before for path in (ledger, copy)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and paths
        [sys.executable, "-I", "-c", _COPY, *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1])
    if _files(ledger) != before:
        raise LedgerUnavailable(f"The ledger {ledger} changed while it was copied; try again.")


def _files(ledger: Path) -> dict[str, tuple[int, int, int]]:
    """Return of each file, by its suffix, what changes when it does."""
    found = {}
    for suffix in _SUFFIXES:
        try:
            stat = Path(f"{ledger}{suffix}").stat()
        except FileNotFoundError:
            continue
        found[suffix] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def _folded(copy: Path) -> Contents:
    """Make one durable file of a ledger's files, and look into it."""
    _fold(copy)
    found = contents(copy)
    _to_disk(copy)
    return found


def _fold(path: Path) -> None:
    connection = duckdb.connect(str(path), config=_CONFIG)
    try:
        connection.execute("CHECKPOINT")
    finally:
        connection.close()


def _keep(ledger: Path, kept: Path) -> None:
    """Give the old ledger another name; a damaged one too, for that is why one restores."""
    try:
        _fold(ledger)
    except duckdb.Error as problem:
        why = explained(problem, ledger)
        if isinstance(why, LedgerLocked | LedgerReadOnly | LedgerFull):
            raise why from problem
    for suffix in reversed(_files(ledger)):
        Path(f"{ledger}{suffix}").rename(f"{kept}{suffix}")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
