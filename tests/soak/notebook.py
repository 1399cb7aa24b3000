"""What callers sent, and what they were told: each line is on file before the next is said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.clock import new_id
from tests.soak.caller import API, Caller

_PATHS = {
    "recommend": ("POST", "/workflows/recommend"),
    "execute": ("POST", "/workflows/execute"),
    "step": ("PATCH", "/executions"),
    "feedback": ("POST", "/feedback"),
}


@dataclass(frozen=True, slots=True)
class Noted:
    """One request; `status` is 0 until its whole answer is here.

    `key` is its idempotency key; `again` says that a server before may have had it already.
    """

    act: str
    body: dict[str, Any]
    path: str = ""
    key: str = field(default_factory=new_id)
    again: bool = False
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)


class Notebook:
    """A file of requests, noted when they are sent and again when they are answered."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._file = file.open("a", encoding="utf-8")

    def ask(self, caller: Caller, request: Noted) -> Noted:
        """Send a request and return it with its answer."""
        self._note(request)
        method, path = _PATHS[request.act]
        given = caller.ask(method, API + path + request.path, request.body, request.key)
        answered = replace(request, status=given.status, answer=given.body)
        self._note(answered)
        return answered

    def close(self) -> None:
        self._file.close()

    def _note(self, request: Noted) -> None:
        line = json.dumps(asdict(request)) + "\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()


def read(file: Path) -> list[Noted]:
    """Return all that was noted, in order; what was answered is there twice."""
    with file.open(encoding="utf-8") as lines:
        return [Noted(**json.loads(line)) for line in lines]


def answered(notes: Iterable[Noted]) -> list[Noted]:
    return [note for note in notes if note.status]


def unanswered(notes: Iterable[Noted]) -> list[Noted]:
    """What was sent and never answered, also not when it was sent again."""
    sent: dict[str, Noted] = {}
    for note in notes:
        if note.status:
            sent.pop(note.key, None)
        else:
            sent[note.key] = note
    return list(sent.values())
