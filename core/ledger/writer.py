"""The one writer: callers hand in rows and return when their batch is on disk."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import duckdb
import pyarrow as pa

from core.errors import LedgerBusy, LedgerUnavailable, RowRefused
from core.ledger.database import Database, explained
from core.ledger.events import EVENTS, Event

__all__ = ["Writer"]

log = logging.getLogger(__name__)

BATCH_ROWS = 2_000
PATIENCE_S = 5.0
# Below this many rows of a table, prepared inserts beat an Arrow batch (1.7 ms a row against 5).
ARROW_FROM_ROWS = 4
_ENVIRONMENT = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.ConnectionException,
    duckdb.OutOfMemoryException,
)
_ARROW_TYPES = {
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}


class _Unit:
    """Rows that one caller wants written together or not at all."""

    __slots__ = ("events", "written")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.written: Future[None] = Future()


class _Table:
    """How an event becomes a row of its table."""

    def __init__(self, event: type[Event], cursor: duckdb.DuckDBPyConnection) -> None:
        described = cursor.execute(f"DESCRIBE {event.table}").fetchall()
        self.columns = [name for name, *_ in described]
        self.json = {name for name, kind, *_ in described if kind == "JSON"}
        self.schema = pa.schema(
            [(name, _ARROW_TYPES.get(kind, pa.string())) for name, kind, *_ in described]
        )
        names, marks = ", ".join(self.columns), ", ".join("?" * len(self.columns))
        self.insert_row = f"INSERT INTO {event.table} ({names}) VALUES ({marks})"  # noqa: S608 - constants
        self.insert_batch = f"INSERT INTO {event.table} ({names}) SELECT {names} FROM batch"  # noqa: S608 - constants

    def row(self, event: Event) -> list[Any]:
        values = event.model_dump()
        for name in self.json:
            if values[name] is not None:
                values[name] = json.dumps(values[name], ensure_ascii=False, allow_nan=False)
        return [values[name] for name in self.columns]

    def insert(self, cursor: duckdb.DuckDBPyConnection, events: Sequence[Event]) -> None:
        rows = [self.row(event) for event in events]
        if len(rows) < ARROW_FROM_ROWS:
            for row in rows:
                cursor.execute(self.insert_row, row)
            return
        batch = pa.Table.from_arrays(
            [
                pa.array(column, type=field.type)
                for column, field in zip(zip(*rows, strict=True), self.schema, strict=True)
            ],
            schema=self.schema,
        )
        cursor.register("batch", batch)
        try:
            cursor.execute(self.insert_batch)
        finally:
            cursor.unregister("batch")


class Writer:
    """A thread that commits everything waiting as one transaction (group commit)."""

    def __init__(self, database: Database, queue_rows: int) -> None:
        self._database = database
        self._cursor = database.cursor()
        self._tables = {event.table: _Table(event, self._cursor) for event in EVENTS}
        self._queue_rows = queue_rows
        self._units: deque[_Unit] = deque()
        self._waiting_rows = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def write(self, events: Sequence[Event]) -> None:
        """Commit `events` together; returns when they are durable.

        Raises:
            LedgerBusy: the queue stayed full for `PATIENCE_S`; nothing was written.
            RowRefused: a row does not fit its table; nothing of this call was written.
            LedgerUnavailable: the file cannot be written now, or the ledger is closed.
        """
        if not events:
            return
        unit = _Unit(events)
        with self._changed:
            has_room = self._changed.wait_for(lambda: self._has_room(len(events)), PATIENCE_S)
            if self._closing:
                raise LedgerUnavailable("The ledger is closed; Waywarden is stopping.")
            if not has_room:
                raise LedgerBusy("The ledger is behind; try again in a few seconds.")
            self._units.append(unit)
            self._waiting_rows += len(events)
            self._changed.notify_all()
        unit.written.result()

    def drain(self) -> None:
        """Write what waits, then stop; later writes are refused."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._cursor.close()

    def _has_room(self, rows: int) -> bool:
        fits = self._waiting_rows + rows <= self._queue_rows
        return self._closing or fits or not self._units

    def _run(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)

    def _next_batch(self) -> list[_Unit]:
        """Wait for rows; an empty list means that the queue is drained and closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._units or self._closing)
            batch: list[_Unit] = []
            rows = 0
            while self._units and (not batch or rows + len(self._units[0].events) <= BATCH_ROWS):
                unit = self._units.popleft()
                batch.append(unit)
                rows += len(unit.events)
            self._waiting_rows -= rows
            self._changed.notify_all()
            return batch

    def _commit(self, batch: list[_Unit]) -> None:
        """Write a batch; when a row spoils it, halve until that row fails alone."""
        try:
            self._transact(batch)
        except _ENVIRONMENT as problem:
            self._fail(batch, explained(problem, self._database.path))
            self._recover()
        except Exception as problem:  # noqa: BLE001 - whatever a row does, the writer lives on
            self._rollback()
            if len(batch) == 1:
                first_line = str(problem).splitlines()[0] if str(problem) else repr(problem)
                self._fail(batch, RowRefused(f"The ledger refused a row: {first_line}"))
            else:
                half = len(batch) // 2
                self._commit(batch[:half])
                self._commit(batch[half:])
        else:
            for unit in batch:
                unit.written.set_result(None)

    def _transact(self, batch: list[_Unit]) -> None:
        by_table: dict[str, list[Event]] = {}
        for unit in batch:
            for event in unit.events:
                by_table.setdefault(event.table, []).append(event)
        self._cursor.begin()
        for table, events in by_table.items():
            self._tables[table].insert(self._cursor, events)
        self._cursor.commit()

    def _fail(self, batch: list[_Unit], problem: LedgerUnavailable) -> None:
        log.error("%d ledger writes failed: %s", len(batch), problem)
        for unit in batch:
            unit.written.set_exception(problem)

    def _rollback(self) -> None:
        try:
            self._cursor.rollback()
        except duckdb.Error:
            self._recover()

    def _recover(self) -> None:
        """Open the file anew; if that fails too, the next batch tries again."""
        try:
            self._cursor.close()
            self._database.reopen()
            self._cursor = self._database.cursor()
        except (duckdb.Error, LedgerUnavailable) as problem:
            log.error("The ledger could not be opened again: %s", problem)  # noqa: TRY400 - a sentence
