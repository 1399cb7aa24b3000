"""What the file of a killed server says, held against what its callers were told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from core.settings import Rule
from tests.soak.notebook import Noted

Row = dict[str, Any]
_TABLES = {
    "requests": "request_id",
    "recommendations": "request_id",
    "executions": "execution_id",
    "settlements": "request_id",
    "step_events": "execution_id",
    "feedback": "request_id",
}


class Evidence:
    """All rows of one ledger, by the request that they belong to."""

    def __init__(self, ledger_path: Path) -> None:
        self._rows: dict[str, dict[str, list[Row]]] = {}
        # Read only: what the next server will find is left as it is.
        with duckdb.connect(str(ledger_path), read_only=True) as ledger:
            ledger.execute("SET GLOBAL TimeZone = 'UTC'")
            for table, name in _TABLES.items():
                rows: dict[str, list[Row]] = defaultdict(list)
                for row in ledger.table(table).to_arrow_table().to_pylist():
                    rows[row[name]].append(row)
                self._rows[table] = rows
        self._by_key: dict[str, list[Row]] = defaultdict(list)
        for row in self.all("requests"):
            self._by_key[row["idempotency_key"]].append(row)

    def all(self, table: str) -> list[Row]:
        return [row for rows in self._rows[table].values() for row in rows]

    def of(self, table: str, request_id: str) -> list[Row]:
        return self._rows[table].get(request_id, [])

    def unsettled(self) -> set[str]:
        """Admitted requests that nothing says the end of."""
        return {
            row["request_id"]
            for row in self.all("requests")
            if row["decision"] == "admitted" and not self.of("settlements", row["request_id"])
        }

    def lost(self) -> list[str]:
        """Requests that a later start settled as lost, each as often as it was."""
        rows = self.all("settlements")
        return [row["request_id"] for row in rows if row["outcome"] == "lost"]

    def admitted(self, user_id: str, kind: str) -> list[datetime]:
        """When a person was let in, in order."""
        return sorted(
            row["ts"]
            for row in self.all("requests")
            if (row["user_id"], row["kind"], row["decision"]) == (user_id, kind, "admitted")
        )

    def missing(self, answers: Iterable[Noted]) -> list[Noted]:
        """Answers that the file does not bear out, exactly once and word for word."""
        checks = {
            "recommend": self._has_recommendation,
            "execute": self._has_execution,
            "step": self._has_step,
            "feedback": self._has_feedback,
        }
        return [answer for answer in answers if not checks[answer.act](answer)]

    def half_written(self) -> list[str]:
        """Requests of which one row is there without the other that belongs to it."""
        fact_of = {"recommend": "recommendations", "execute": "executions"}
        halves = []
        for table in ("recommendations", "executions", "settlements"):
            halves += [name for name in self._rows[table] if len(self.of("requests", name)) != 1]
        for row in self.all("settlements"):
            facts = self.of(fact_of[row["kind"]], row["request_id"])
            settled_once = len(self.of("settlements", row["request_id"])) == 1
            if len(facts) != (row["outcome"] == "succeeded") or not settled_once:
                halves.append(row["request_id"])
        unsettled = self.unsettled()
        for table in ("recommendations", "executions"):
            halves += unsettled & self._rows[table].keys()
        for table in ("step_events", "feedback"):
            halves += [name for name in self._rows[table] if not self.of("executions", name)]
        return halves

    def repeated(self) -> list[str]:
        """Idempotency keys under which more than one request was written."""
        return [key for key, rows in self._by_key.items() if len(rows) > 1]

    def strangers(self, sent: Iterable[Noted]) -> set[str]:
        """Keys of written requests that nobody sent."""
        return self._by_key.keys() - {note.key for note in sent}

    def wrong_decisions(self, kind: str, rule: Rule) -> list[Row]:
        """Requests let in over the rule, or denied with room under it, per person."""
        people: dict[str, list[Row]] = defaultdict(list)
        for row in self.all("requests"):
            if row["kind"] == kind:
                people[row["user_id"]].append(row)
        return [row for rows in people.values() for row in _wrong_decisions(rows, rule)]

    def _request(self, answer: Noted) -> Row | None:
        """The one row of a request, if it says what was sent."""
        rows = self._by_key.get(answer.key, [])
        if len(rows) != 1:
            return None
        row, sent = rows[0], answer.body
        same = row["task_title"] == sent["task_title"] and row["user_id"] == sent["user_id"]
        decision = "denied" if answer.status == 429 else "admitted"
        return row if same and row["decision"] == decision else None

    def _settled(self, row: Row) -> str | None:
        settlements = self.of("settlements", row["request_id"])
        return settlements[0]["outcome"] if len(settlements) == 1 else None

    def _has_recommendation(self, answer: Noted) -> bool:
        row = self._request(answer)
        if row is None or answer.status == 429:
            return row is not None and not self.of("settlements", row["request_id"])
        facts = self.of("recommendations", row["request_id"])
        if self._settled(row) == "lost":
            return answer.again and not facts
        said = [each["workflow_id"] for each in answer.answer["recommendations"]]
        return (
            self._settled(row) == "succeeded"
            and row["request_id"] == answer.answer["request_id"]
            and [_shown(fact) for fact in facts] == [said]
        )

    def _has_execution(self, answer: Noted) -> bool:
        row = self._request(answer)
        if row is None or answer.status == 429:
            return row is not None and not self.of("settlements", row["request_id"])
        plans = self.of("executions", row["request_id"])
        if self._settled(row) == "lost":
            return answer.again and answer.answer["status"] == "lost" and not plans
        said = [step["title"] for step in answer.answer["steps"]]
        return (
            self._settled(row) == "succeeded"
            and row["request_id"] == answer.answer["execution_id"]
            and [[step["title"] for step in json.loads(plan["steps"])] for plan in plans] == [said]
        )

    def _has_step(self, answer: Noted) -> bool:
        _, execution_id, _, number = answer.path.split("/")
        said = (int(number), answer.body["event"], answer.body.get("actual_minutes"))
        events = [
            (row["step"], row["event"], row["actual_minutes"])
            for row in self.of("step_events", execution_id)
        ]
        return events.count(said) == 1

    def _has_feedback(self, answer: Noted) -> bool:
        ratings = self.of("feedback", answer.body["execution_id"])
        return [rating["useful"] for rating in ratings] == [answer.body["useful"]]


def _shown(fact: Row) -> list[str]:
    return [each["workflow_id"] for each in json.loads(fact["shown"])]


def _wrong_decisions(rows: Sequence[Row], rule: Rule) -> list[Row]:
    wrong = []
    admitted: list[datetime] = []
    for row in sorted(rows, key=lambda row: row["ts"]):
        since = row["ts"] - timedelta(seconds=rule.window_s)
        has_room = sum(ts > since for ts in admitted[-rule.limit :]) < rule.limit
        if has_room != (row["decision"] == "admitted"):
            wrong.append(row)
        if row["decision"] == "admitted":
            admitted.append(row["ts"])
    return wrong
