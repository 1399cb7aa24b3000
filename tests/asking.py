"""Requests as people make them, and what the ledger holds of them afterwards."""

from __future__ import annotations

from typing import Any

from core.catalogue import task_from
from core.execute import Execution
from core.guard import Request
from core.ledger import Ledger
from core.recommend import Recommendation
from core.runtime import Runtime
from core.settings import Limits

__all__ = ["PATIENCE_S", "UNLIMITED", "asked", "rows", "run", "to_execute", "to_recommend"]

PATIENCE_S = 20.0
UNLIMITED = Limits(
    per_user={"execute": (), "recommend": ()}, deployment={"execute": (), "recommend": ()}
)


def to_recommend(
    title: str, user_id: str = "ada", key: str | None = None, **more: object
) -> Request:
    return Request("recommend", user_id, task_from(title=title, **more), idempotency_key=key)


def to_execute(
    title: str = "fix the login bug",
    workflow_id: str = "bug-fix",
    user_id: str = "ada",
    key: str | None = None,
    **more: object,
) -> Request:
    return Request(
        "execute",
        user_id,
        task_from(title=title, **more),
        idempotency_key=key,
        workflow_id=workflow_id,
    )


def asked(runtime: Runtime, request: Request) -> Recommendation:
    """Return the answer to a request that is not denied."""
    answer = runtime.recommender.recommend(request)
    assert isinstance(answer, Recommendation)
    return answer


def run(runtime: Runtime, request: Request | None = None) -> Execution:
    """Execute a request that is not denied, to the end of its planning."""
    started = runtime.executor.start(request or to_execute())
    assert isinstance(started, str)
    assert runtime.executor.wait(started, PATIENCE_S)
    return runtime.executor.execution(started)


def rows(ledger: Ledger, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table, the oldest first."""
    found: list[dict[str, Any]] = ledger.table(f"SELECT * FROM {table} ORDER BY ts").to_pylist()  # noqa: S608 - a table's name
    return found
