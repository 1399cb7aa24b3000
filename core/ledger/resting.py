"""A ledger that no process has open, opened to be read only: nothing of it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from core.ledger.backup import looking
from core.ledger.database import explained

__all__ = ["Resting"]


class Resting:
    """Reads from the file while no process writes to it; until it is closed, none can."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            LedgerUnavailable: it is in use or damaged; whether it is a ledger, `contents` tells.
        """
        self._path = path
        try:
            self._connection = looking(path)
            self._connection.execute("SET TimeZone = 'UTC'")
        except duckdb.Error as problem:
            raise explained(problem, path) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def has(self, name: str) -> bool:
        """Whether there is such a table; a ledger of an earlier version may lack it."""
        return bool(
            self.table(
                "SELECT 1 FROM duckdb_tables() WHERE table_name = $name", {"name": name}
            ).num_rows
        )

    def table(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Run one SELECT and return all of it.

        Raises:
            LedgerUnavailable: the file cannot be read, or is too old for the question.
        """
        try:
            return self._connection.execute(sql, dict(parameters or {})).to_arrow_table()
        except duckdb.Error as problem:
            raise explained(problem, self._path) from problem
