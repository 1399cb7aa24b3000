"""Executions as the ledger tells them: plans, and what their people did with each step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.catalogue import DOMAINS, Catalogue, Domain, task_from
from core.clock import Clock
from core.errors import UnknownExecution, UnknownWorkflow
from core.execute.execution import Execution, Status, Step, StepState
from core.guard import PrivacyRules, Request
from core.ledger import Ledger, Queries
from core.llm import Source

__all__ = ["History"]

ABANDONED_AFTER = timedelta(days=7)
RECENT_FOR = timedelta(days=7)
RECENT_TASKS = 5
_MOST = 500
# What each fact tells of an execution.
_TOLD = {
    "settled": ("outcome", "error_type"),
    "planned": (
        "domain",
        "planner",
        "source",
        "steps",
        "break_minutes",
        "buffer_minutes",
        "notes",
    ),
    "rated": ("useful",),
}


class History:
    """Reads executions; current state is the newest row."""

    def __init__(
        self,
        ledger: Ledger,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        privacy: PrivacyRules,
    ) -> None:
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._catalogue = catalogue
        self._clock = clock
        self._privacy = privacy

    def execution(self, execution_id: str) -> Execution:
        """Return one execution.

        Raises:
            UnknownExecution: it is not in the ledger.
        """
        facts: dict[str, list[dict[str, Any]]] = {}
        for row in self._queries.rows("execution", execution_id=execution_id):
            facts.setdefault(row["fact"], []).append(row)
        if "asked" not in facts:
            raise UnknownExecution(execution_id)
        execution = facts["asked"][0]
        for fact, told in _TOLD.items():
            newest = max(facts.get(fact, [{}]), key=lambda row: row.get("ts", execution["ts"]))
            execution |= {name: newest.get(name) for name in told}
        return self._execution(execution, sorted(facts.get("step", []), key=_order))

    def of(self, user_id: str, most: int = _MOST) -> list[Execution]:
        """Return a person's executions, newest first."""
        rows = self._queries.rows("executions", user_id=user_id, most=most)
        return self._executions(rows)

    def request(self, execution_id: str) -> Request:
        """Return what was asked for an execution, to be asked again.

        Raises:
            UnknownExecution: it is not in the ledger.
        """
        rows = self._queries.rows("request", execution_id=execution_id)
        if not rows:
            raise UnknownExecution(execution_id)
        row = rows[0]
        task = task_from(
            title=row["task_title"],
            description=row["task_description"],
            priority=row["task_priority"],
            energy=row["user_energy"],
            time_of_day=row["time_of_day"],
            hours=row["estimated_hours"],
            recent_tasks=json.loads(row["recent_tasks"] or "[]"),
            code_context=json.loads(row["code_context"] or "null"),
        )
        return Request(
            "execute",
            row["user_id"],
            task,
            row["source"],
            workflow_id=row["workflow_id"],
            recommendation_id=row["recommendation_id"],
            chosen_rank=row["chosen_rank"],
            marked=row["sensitive"] is not None,
        )

    def was_sensitive(self, request_id: str) -> bool:
        """Return whether a request was, for whatever reason; what is unknown was not."""
        return bool(self._queries.rows("sensitive", request_id=request_id))

    def recent_tasks(self, user_id: str) -> tuple[str, ...]:
        """Return what the person completed in the last seven days, newest first, at most five.

        Without what was sensitive, or would be now: these go into other tasks, which models may
        see.
        """
        since = self._clock.now() - RECENT_FOR
        completed = sorted(
            (execution.completed_at, execution.task_title)
            for execution in self.of(user_id)
            if execution.completed_at
            and execution.completed_at >= since
            and not execution.is_sensitive
            and not self._privacy.covers(execution.domain)
        )
        titles = dict.fromkeys(title for _, title in reversed(completed))
        return tuple(titles)[:RECENT_TASKS]

    def _executions(self, rows: list[dict[str, Any]]) -> list[Execution]:
        ids = [row["request_id"] for row in rows]
        events: dict[str, list[dict[str, Any]]] = {}
        for event in self._queries.rows("step_events", execution_ids=ids) if ids else []:
            events.setdefault(event["execution_id"], []).append(event)
        return [self._execution(row, events.get(row["request_id"], [])) for row in rows]

    def _execution(self, row: dict[str, Any], events: list[dict[str, Any]]) -> Execution:
        steps = _after(events, json.loads(row["steps"] or "[]"))
        touched = max([row["ts"], *(event["ts"] for event in events)])
        status = self._status(row["outcome"], steps, touched)
        name, icon = self._face(row["workflow_id"])
        return Execution(
            execution_id=row["request_id"],
            user_id=row["user_id"],
            ts=row["ts"],
            status=status,
            task_title=row["task_title"],
            is_sensitive=row["sensitive"] is not None,
            workflow_id=row["workflow_id"],
            workflow_name=name,
            icon=icon,
            domain=_domain(row["domain"]),
            planner=row["planner"] or "",
            source=Source.model_validate_json(row["source"]) if row["source"] else None,
            steps=steps,
            break_minutes=row["break_minutes"] or 0,
            buffer_minutes=row["buffer_minutes"] or 0,
            notes=tuple(json.loads(row["notes"] or "[]")),
            useful=row["useful"],
            error=row["error_type"],
            completed_at=_last_settled(events) if status == "completed" else None,
        )

    def _face(self, workflow_id: str) -> tuple[str, str]:
        try:
            workflow = self._catalogue().get(workflow_id)
        except UnknownWorkflow:
            return workflow_id, "🧭"
        return workflow.name, workflow.default_icon

    def _status(
        self, outcome: str | None, steps: tuple[StepState, ...], touched: datetime
    ) -> Status:
        ended: dict[str | None, Status] = {
            None: "planning",
            "failed": "failed",
            "cancelled": "cancelled",
            "lost": "lost",
        }
        if outcome in ended:
            return ended[outcome]
        settled = all(state.status in {"done", "skipped"} for state in steps)
        if settled and any(state.status == "done" for state in steps):
            return "completed"
        if self._clock.now() - touched > ABANDONED_AFTER:
            return "abandoned"
        return "active"


def _order(event: dict[str, Any]) -> tuple[datetime, str]:
    return event["ts"], event["event_id"]


def _last_settled(events: Iterable[dict[str, Any]]) -> datetime:
    settled: list[datetime] = [
        event["ts"] for event in events if event["event"] in {"done", "skipped"}
    ]
    return max(settled)


def _domain(text: str | None) -> Domain | None:
    return next((domain for domain in DOMAINS if domain == text), None)


def _after(events: Iterable[dict[str, Any]], steps: list[dict[str, Any]]) -> tuple[StepState, ...]:
    """Return the steps as they stand after the events, in the order in which they happened."""
    states = {
        number: StepState(number, Step(**step)) for number, step in enumerate(steps, start=1)
    }
    for event in events:
        if state := states.get(event["step"]):
            states[state.number] = _changed(state, event)
    return tuple(states.values())


def _changed(state: StepState, event: dict[str, Any]) -> StepState:
    step, status = state.step, state.status
    actual, started_at = state.actual_minutes, state.started_at
    match event["event"]:
        case "started":
            status, started_at = "doing", event["ts"]
        case "done":
            status, actual = "done", event["actual_minutes"] or actual
        case "skipped":
            status = "skipped"
        case "reopened":
            status, started_at = "todo", None
        case "timed":
            actual = event["actual_minutes"]
        case "edited":
            words = {"title": event["title"], "description": event["description"]}
            step = step.model_copy(
                update={key: word for key, word in words.items() if word is not None}
            )
    return StepState(state.number, step, status, actual, started_at)
