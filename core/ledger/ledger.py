"""The append-only ledger: facts in, answers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import pyarrow as pa

from core.ledger.backup import Backup, copied
from core.ledger.database import ENVIRONMENT, Database, explained
from core.ledger.events import Event, KeySealed
from core.ledger.writer import Writer

if TYPE_CHECKING:
    import pandas as pd  # half a second to load, and only pages ask for frames

__all__ = ["Ledger", "Queries", "Readable"]


# DuckDB makes room for a whole batch in each column before it knows how many rows there are: at
# its own million a small answer would ask for hundreds of megabytes, and take twice the time.
ROWS_AT_ONCE = 10_000


class Ledger:
    """One file, one writer, any number of readers."""

    def __init__(self, path: Path, queue_rows: int = 20_000) -> None:
        """Open or make the file at `path`.

        Raises:
            LedgerUnavailable: see `core.errors` for which and what to do.
        """
        self.path = path
        self._database = Database(path)
        try:
            self._writer = Writer(self._database, queue_rows)
        except duckdb.Error as problem:
            self._database.close()
            raise explained(problem, path) from problem

    def write(self, *events: Event) -> None:
        """Make `events` durable, all or none; see `Writer.write` for what it raises."""
        self._writer.write(events)

    def replace_keys(self, sealed: Sequence[KeySealed], audit: Sequence[Event]) -> None:
        """Put keys that are sealed anew in the place of what was, the ledger's only deletion.

        All or none, together with `audit`, the rows that say so; raises as `Writer.write` does.
        """
        self._writer.replace(sealed, audit)

    @property
    def waiting_rows(self) -> int:
        """How many rows wait to be written."""
        return self._writer.waiting_rows

    @property
    def size_bytes(self) -> int:
        """What the ledger takes on disk, with what is not yet folded into its file."""
        files = (self.path, self.path.with_name(f"{self.path.name}.wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def table(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Run one SELECT and return all of it.

        Raises:
            LedgerUnavailable: the file is closed or cannot be read.
        """
        bound = dict(parameters or {})
        try:
            return self._fetched(sql, bound)
        except ENVIRONMENT:
            self._database.revive()
        try:
            return self._fetched(sql, bound)
        except ENVIRONMENT as problem:
            raise explained(problem, self.path) from problem

    def backup(self, target: Path) -> Backup:
        """Copy the ledger to the new file `target` while it is in use, and verify the copy.

        Raises:
            LedgerUnavailable: it cannot be copied, or the copy is not whole; nothing is left.
        """
        return copied(self.path, target, self._writer.paused)

    def close(self) -> None:
        """Write what waits and close the file."""
        self._writer.drain()
        try:
            # Closing moves rows between the files that a backup may be copying.
            with self._writer.paused():
                self._database.close()
        except duckdb.Error as problem:
            raise explained(problem, self.path) from problem

    def _fetched(self, sql: str, bound: dict[str, object]) -> pa.Table:
        with self._database.reading() as cursor:
            cursor.execute(sql, bound)
            try:
                return cursor.to_arrow_table(batch_size=ROWS_AT_ONCE)
            except duckdb.InvalidInputException as problem:
                if "No open result set" not in str(problem):
                    raise
                # The file was closed, or opened anew, while this query ran.
                raise duckdb.ConnectionException(str(problem)) from problem


class Readable(Protocol):
    """What can be asked: a ledger, or one that rests."""

    def table(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Run one SELECT and return all of it; raises LedgerUnavailable."""
        ...


class Queries:
    """The `.sql` files of one folder, run by name with bound `$parameters`."""

    def __init__(self, ledger: Readable, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder

    def rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the rows of `<name>.sql`; times are aware, in UTC."""
        rows: list[dict[str, Any]] = self._table(name, parameters).to_pylist()
        return rows

    def frame(self, name: str, **parameters: object) -> pd.DataFrame:
        """Return the rows of `<name>.sql` as a data frame."""
        frame: pd.DataFrame = self._table(name, parameters).to_pandas()
        return frame

    def _table(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        return self._ledger.table(_text(self._folder / f"{name}.sql"), parameters)


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
