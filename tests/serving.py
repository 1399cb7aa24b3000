"""The API on a real port of this machine, and one caller of it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from core import runtime as runtimes
from core.runtime import Runtime
from core.settings import PROJECT
from tests.asking import PATIENCE_S

__all__ = [
    "API",
    "EXECUTE",
    "RECOMMEND",
    "WAYWARDEN",
    "Answer",
    "Served",
    "execute_body",
    "free_port",
    "recommend_body",
    "served",
    "waywarden",
    "waywarden_at",
]

WAYWARDEN = Path(sys.executable).with_name("waywarden")
API = "/api/v1"
RECOMMEND, EXECUTE = f"{API}/workflows/recommend", f"{API}/workflows/execute"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Served:
    """A server of the API; `port` is where."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._socket.getsockname()[1])
        app = Starlette(routes=runtimes.routes())
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="server"
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; a body that is not bytes goes as JSON."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {} if sent is None else {"Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, sent, {**given, **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return all that comes back until the server closes."""
        with self.connected() as wire:
            wire.sendall(request)
            return b"".join(iter(lambda: wire.recv(65_536), b""))

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as wire:
            yield wire


@contextmanager
def served(runtime: Runtime | None) -> Iterator[Served]:
    """Serve a runtime as the one of this process, or none that is open; it is not drained."""
    before = runtimes._current._runtime
    runtimes.use(runtime)
    server = Served()
    try:
        yield server
    finally:
        server.stop()
        runtimes.use(before)


def recommend_body(**more: object) -> dict[str, object]:
    return {"task_title": "fix the login bug", "user_id": "ada", **more}


def execute_body(**more: object) -> dict[str, object]:
    return recommend_body(workflow_id="bug-fix") | more


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def waywarden_at(data_dir: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a command over this data folder; no provider is set up in it."""
    ours = ("WAYWARDEN", "ANTHROPIC", "OLLAMA")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    given = {f"WAYWARDEN_{name.upper()}": value for name, value in variables.items()}
    return {**inherited, "WAYWARDEN_DATA_DIR": str(data_dir), **given}


def waywarden(
    data_dir: Path, *arguments: str | Path, cwd: Path = PROJECT, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, as an operator does."""
    return subprocess.run(
        [WAYWARDEN, *map(str, arguments)],
        cwd=cwd,
        env=waywarden_at(data_dir, **variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 3,
        check=False,
    )
