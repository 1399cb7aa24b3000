"""One caller of the API, on a connection that it keeps."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

API = "/api/v1"
BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and what the body says."""

    status: int
    body: dict[str, Any]


class Caller:
    """Asks and waits for the whole answer; after a broken connection the next is a new one."""

    def __init__(self, port: int) -> None:
        # Its `connect` sets TCP_NODELAY.
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> Answer:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        try:
            self._connection.request(method, path, json.dumps(body) if body else None, headers)
            response = self._connection.getresponse()
            said = response.read()
        except BROKEN:
            self._connection.close()
            raise
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, json.loads(said) if is_json else {"text": said.decode()})

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def recommend(self, task: dict[str, Any], key: str = "") -> Answer:
        return self.ask("POST", f"{API}/workflows/recommend", task, key)

    def execute(self, task: dict[str, Any], key: str = "") -> Answer:
        return self.ask("POST", f"{API}/workflows/execute", task, key)

    def close(self) -> None:
        self._connection.close()
