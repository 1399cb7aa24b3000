"""The one writer: callers hand in rows and return when their batch is on disk."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from core.errors import LedgerBusy, LedgerUnavailable, RowRefused
from core.ledger.database import ENVIRONMENT, Database, explained, first_line
from core.ledger.events import EVENTS, Event, KeySealed
from core.malloc import give_back

__all__ = ["Writer"]

log = logging.getLogger(__name__)

BATCH_ROWS = 2_000
PATIENCE_S = 5.0
LINGER_S = 0.004
# From about this many rows of a table an Arrow batch beats bound lists (11 ms CPU against 10 at
# 50 rows, 24 against more than 100 at 2,000; at one row 12 against 6).
ARROW_FROM_ROWS = 50
CHECKPOINT_BYTES = 16 * 2**20
_REPLACED = f"DELETE FROM {KeySealed.table} WHERE key_id IN (SELECT unnest(?::VARCHAR[]))"  # noqa: S608 - a constant
_ARROW_TYPES = {
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}

Row = list[Any]


class _Unit:
    """Rows that one caller wants written together or not at all, and keys they replace."""

    __slots__ = ("replaced", "rows", "written")

    def __init__(self, rows: list[tuple[str, Row]], replaced: Sequence[str] = ()) -> None:
        self.rows = rows
        self.replaced = replaced
        self.written: Future[None] = Future()


class _Table:
    """How an event becomes a row of its table."""

    def __init__(self, event: type[Event], cursor: duckdb.DuckDBPyConnection) -> None:
        described = cursor.execute(f"DESCRIBE {event.table}").fetchall()
        kinds = [(name, "VARCHAR" if kind == "JSON" else kind) for name, kind, *_ in described]
        self._name = event.table
        self._columns = [(name, kind == "JSON") for name, kind, *_ in described]
        self._schema = pa.schema(
            [(name, _ARROW_TYPES.get(kind, pa.string())) for name, kind in kinds]
        )
        columns = ", ".join(f"unnest(?::{kind}[])" for _, kind in kinds)
        self._insert_lists = f"INSERT INTO {event.table} SELECT {columns}"

    def row(self, event: Event) -> Row:
        values = [
            _json(getattr(event, name)) if is_json else getattr(event, name)
            for name, is_json in self._columns
        ]
        for value in values:
            if isinstance(value, str):
                value.encode()  # half a surrogate pair is refused here, in a clear word
        return values

    def insert(self, cursor: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
        columns = zip(*rows, strict=True)
        if len(rows) < ARROW_FROM_ROWS:
            cursor.execute(self._insert_lists, [list(column) for column in columns])
            return
        arrays = [
            pa.array(column, type=field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        batch = pa.Table.from_arrays(arrays, schema=self._schema)
        cursor.from_arrow(batch).insert_into(self._name)


class Writer:
    """A thread that commits everything waiting as one transaction (group commit)."""

    def __init__(self, database: Database, queue_rows: int) -> None:
        self._database = database
        self._cursor = database.cursor()
        self._tables = {event.table: _Table(event, self._cursor) for event in EVENTS}
        self._queue_rows = queue_rows
        self._units: deque[_Unit] = deque()
        self._waiting_rows = 0
        self._wanted_units = 1
        self._last_units = 1
        self._closing = False
        self._checkpoint_at = CHECKPOINT_BYTES
        self._changed = threading.Condition()
        self._committing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def write(self, events: Sequence[Event]) -> None:
        """Commit `events` together; returns when they are durable.

        Raises:
            LedgerBusy: the queue stayed full for `PATIENCE_S`; nothing was written.
            RowRefused: a row does not fit its table; nothing of this call was written.
            LedgerUnavailable: the file cannot be written now, or the ledger is closed.
        """
        if events:
            self._write(_Unit(self._rows(events)))

    def replace(self, sealed: Sequence[KeySealed], audit: Sequence[Event]) -> None:
        """Commit sealed keys in the place of the rows with their ids, and the rows that say so.

        The caller sees to it that nobody writes the same keys meanwhile; raises as `write` does.
        """
        if sealed:
            rows = self._rows((*sealed, *audit))
            self._write(_Unit(rows, [key.key_id for key in sealed]))

    @property
    def waiting_rows(self) -> int:
        """How many rows callers wait for, but those of the batch that is being written."""
        return self._waiting_rows

    def drain(self) -> None:
        """Write what waits, then stop; later writes are refused."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._cursor.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold commits back, so that the files do not change; callers wait meanwhile."""
        with self._committing:
            yield

    def _write(self, unit: _Unit) -> None:
        count = len(unit.rows)
        with self._changed:
            has_room = self._changed.wait_for(lambda: self._has_room(count), PATIENCE_S)
            if self._closing:
                raise LedgerUnavailable("The ledger is closed; Waywarden is stopping.")
            if not has_room:
                raise LedgerBusy("The ledger is behind; try again in a few seconds.")
            self._units.append(unit)
            self._waiting_rows += count
            if len(self._units) >= self._wanted_units:
                self._changed.notify_all()
        unit.written.result()

    def _rows(self, events: Iterable[Event]) -> list[tuple[str, Row]]:
        """Make rows in the caller's thread, while the writer's waits for the disk."""
        try:
            return [(event.table, self._tables[event.table].row(event)) for event in events]
        except (TypeError, ValueError, RecursionError) as problem:
            raise _refused(problem) from problem

    def _has_room(self, rows: int) -> bool:
        fits = self._waiting_rows + rows <= self._queue_rows
        return self._closing or fits or not self._units

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                with self._committing:
                    self._commit(batch)
                    self._checkpoint_when_due()
            except BaseException as problem:  # whatever happens, nobody waits for ever
                log.exception("The ledger's writer stumbled")
                self._fail([unit for unit in batch if not unit.written.done()], problem)

    def _next_batch(self) -> list[_Unit]:
        """Wait for rows; an empty list means that the queue is drained and closed."""
        with self._changed:
            self._wait_for_units(1)
            # The callers of one batch come back together: a moment later they are one batch again.
            self._wait_for_units(self._last_units, LINGER_S)
            batch: list[_Unit] = []
            rows = 0
            while self._units and (not batch or rows + len(self._units[0].rows) <= BATCH_ROWS):
                unit = self._units.popleft()
                batch.append(unit)
                rows += len(unit.rows)
            self._waiting_rows -= rows
            self._last_units = len(batch)
            self._changed.notify_all()
            return batch

    def _wait_for_units(self, wanted: int, timeout_s: float | None = None) -> None:
        self._wanted_units = wanted
        self._changed.wait_for(lambda: self._closing or len(self._units) >= wanted, timeout_s)

    def _commit(self, batch: list[_Unit]) -> None:
        """Write a batch; when a row spoils it, halve until that row fails alone."""
        try:
            self._begin()
            spoilt_by = self._insert(batch)
            if spoilt_by is None:
                self._cursor.commit()
            else:
                self._cursor.rollback()
        except Exception as problem:  # noqa: BLE001 - whatever the disk or DuckDB did
            self._fail(batch, problem)
        else:
            self._answer(batch, spoilt_by)

    def _begin(self) -> None:
        try:
            self._cursor.begin()
        except ENVIRONMENT:
            # The last batch failed, or DuckDB has given the file up since; begin afresh.
            self._cursor.close()
            self._database.revive()
            self._cursor = self._database.cursor()
            self._cursor.begin()

    def _insert(self, batch: list[_Unit]) -> Exception | None:
        """Insert all rows and return None, or what is wrong with one of them."""
        rows_of: dict[str, list[Row]] = {}
        replaced = [key_id for unit in batch for key_id in unit.replaced]
        for unit in batch:
            for table, row in unit.rows:
                rows_of.setdefault(table, []).append(row)
        try:
            if replaced:
                self._cursor.execute(_REPLACED, [replaced])
            for table, rows in rows_of.items():
                self._tables[table].insert(self._cursor, rows)
        except ENVIRONMENT:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever a row does, the others are written
            return problem
        return None

    def _answer(self, batch: list[_Unit], spoilt_by: Exception | None) -> None:
        if spoilt_by is None:
            for unit in batch:
                unit.written.set_result(None)
        elif len(batch) == 1:
            refusal = _refused(spoilt_by)
            log.error("%s", refusal)
            batch[0].written.set_exception(refusal)
        else:
            half = len(batch) // 2
            self._commit(batch[:half])
            self._commit(batch[half:])

    def _fail(self, batch: list[_Unit], problem: BaseException) -> None:
        log.error("%d writes failed: %s", len(batch), explained(problem, self._database.path))
        for unit in batch:
            # One for each caller: raising it in several threads would mix their tracebacks.
            failure = explained(problem, self._database.path)
            failure.__cause__ = problem
            unit.written.set_exception(failure)

    def _checkpoint_when_due(self) -> None:
        log_bytes = self._database.log_bytes
        if log_bytes < self._checkpoint_at:
            return
        try:
            self._cursor.execute("CHECKPOINT")
            self._database.trim(self._cursor)
            give_back()
            self._checkpoint_at = CHECKPOINT_BYTES
        except duckdb.Error as problem:
            # Nobody's write failed: the write-ahead log has all rows, and grows until this works.
            log.warning("No checkpoint: %s", explained(problem, self._database.path))
            self._checkpoint_at = log_bytes + CHECKPOINT_BYTES


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _refused(problem: BaseException) -> RowRefused:
    return RowRefused(f"The ledger refused a row: {first_line(problem)}")
