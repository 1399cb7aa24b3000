"""Every request, newest first, and everything that is known of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.analytics.model_calls import ModelCall
from core.ledger import Ledger, Queries

__all__ = ["Activity", "ActivityFilter", "RequestFacts"]

PARTS = (
    *("settlements", "llm_calls", "recommendations", "executions"),
    *("step_events", "feedback", "choices"),
)


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What to show; None lets everything through. `query` is part of a task, or a request id."""

    kind: str | None = None
    status: str | None = None
    user_id: str | None = None
    query: str | None = None
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """All rows about one request, as the ledger has them, by table."""

    request: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """The attempts to get an answer from a model, in the order in which they began."""
        return tuple(map(ModelCall.of, self.rows["llm_calls"]))


class Activity:
    """Reads requests with how they ended."""

    def __init__(self, ledger: Ledger) -> None:
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))

    def latest(
        self, wanted: ActivityFilter, most: int = 50, skip: int = 0
    ) -> tuple[pd.DataFrame, int]:
        """Return a page of requests, newest first, and how many match in all."""
        frame = self._queries.frame(
            "activity",
            kind=wanted.kind,
            status=wanted.status,
            user_id=wanted.user_id,
            query=wanted.query,
            start=wanted.start,
            most=most,
            skip=skip,
        )
        if frame.empty and skip:
            return frame.drop(columns="matching"), self.latest(wanted, 1)[1]
        matching = int(frame["matching"].iloc[0]) if len(frame) else 0
        return frame.drop(columns="matching"), matching

    def request(self, request_id: str) -> RequestFacts | None:
        """Return everything about one request, or None if it is not in the ledger."""
        found = self._queries.rows("request_requests", request_id=request_id)
        if not found:
            return None
        return RequestFacts(
            found[0],
            {part: self._queries.rows(f"request_{part}", request_id=request_id) for part in PARTS},
        )
