"""What both wire servers are: HTTP on a free port of this machine, scene after scene."""

from __future__ import annotations

import json
import random
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

__all__ = ["Drawn", "Exchange", "Handler", "Served", "WireServer", "pieces", "sample"]

WORDS = ("Gather", "what", "you", "have", "and", "decide", "näher", "次", "sorted", "“done”")


@dataclass
class Drawn:
    """The tokens that a call really used, whatever the client learns of them."""

    fresh: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    thinking: int = 0

    @property
    def input(self) -> int:
        return self.fresh + self.cache_read + self.cache_write


@dataclass
class Served:
    """One call as the server saw it; `left` is set when the client hung up on it."""

    scene: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    used: Drawn = field(default_factory=Drawn)
    answer: Any = None
    events: list[dict[str, Any]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)


class WireServer:
    """Plays one scene for each call: those of `script` in order, then “whole”.

    All chance comes from `seed`; `answer` makes the value that is sent, by default one that fits
    the schema of the call. `pause_s` is waited before each piece of a stream.
    """

    handler: type[Handler]
    schema_of: Callable[[dict[str, Any]], dict[str, Any]]

    def __init__(
        self,
        script: Iterable[str] = (),
        *,
        seed: int = 7,
        pause_s: float = 0.0,
        answer: Callable[[dict[str, Any]], Any] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = deque(script)
        self.served: list[Served] = []
        self.chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.pause_s = pause_s
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._answer = answer
        wire = self

        class Bound(self.handler):  # type: ignore[name-defined,misc] # mypy takes no expressions
            server_of = wire

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._scheme = "http"
        self._http = Server(("127.0.0.1", 0), Bound)
        if tls is not None:
            self._scheme = "https"
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def next_scene(self) -> str:
        with self.lock:
            return self.script.popleft() if self.script else "whole"

    def answer(self, body: dict[str, Any]) -> Any:
        if self._answer is not None:
            return self._answer(body)
        with self.lock:
            return sample(type(self).schema_of(body), self.chance)

    def wait_until_served(self, calls: int, timeout_s: float = 10.0) -> None:
        """Return once that many calls have come."""
        for _ in range(int(timeout_s / 0.01)):
            if len(self.served) >= calls:
                return
            self.closing.wait(0.01)
        raise TimeoutError(f"{len(self.served)} of {calls} calls came.")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole, and has the few ways to answer it, good or bad."""

    server_of: WireServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # the client hung up

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """The log is `served`."""

    def body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["content-length"])))

    def send(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer at once, with JSON or, if it is text, a page."""
        is_text = isinstance(value, str)
        body = value.encode() if is_text else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "text/html" if is_text else "application/json")
        self.send_header("content-length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)


class Exchange:
    """One streamed answer of a handler, for as long as the client listens."""

    def __init__(self, handler: Handler, served: Served, content_type: str) -> None:
        self._handler = handler
        self._served = served
        handler.send_response(200)
        handler.send_header("content-type", content_type)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()

    def write(self, text: str) -> None:
        wire = self._handler.server_of
        if wire.pause_s:
            wire.closing.wait(wire.pause_s)
        raw = text.encode()
        try:
            self._handler.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        except OSError:
            self._served.left.set()
            raise

    def end(self) -> None:
        self._handler.wfile.write(b"0\r\n\r\n")

    def break_off(self) -> None:
        hang_up(self._handler)


def hang_up(handler: Handler) -> None:
    """Close the connection in the middle of whatever it is in."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def say_nothing(handler: Handler, served: Served) -> None:
    """Keep the connection open without a word, until the client leaves or the server ends."""
    handler.close_connection = True
    while not handler.server_of.closing.is_set():
        readable, _, _ = select.select([handler.connection], [], [], 0.02)
        if readable:
            served.left.set()
            return


def pieces(text: str, chance: random.Random) -> list[str]:
    """Cut a text at random places; together they are the text."""
    cuts = sorted({chance.randrange(len(text) + 1) for _ in range(chance.randint(1, 12))})
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return [part for part in parts if part]


def sample(schema: Mapping[str, Any], chance: random.Random) -> Any:
    """Return a value that fits a JSON schema, of those that the product uses."""
    return _sample(schema, schema.get("$defs", {}), chance)


def _sample(schema: Mapping[str, Any], known: Mapping[str, Any], chance: random.Random) -> Any:
    if "$ref" in schema:
        return _sample(known[schema["$ref"].rpartition("/")[2]], known, chance)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if "anyOf" in schema:
        return _sample(chance.choice(schema["anyOf"]), known, chance)
    return _SAMPLES[schema["type"]](schema, known, chance)


def _object(schema: Mapping[str, Any], known: Mapping[str, Any], chance: random.Random) -> Any:
    fields = schema.get("properties", {}).items()
    return {name: _sample(part, known, chance) for name, part in fields}


def _array(schema: Mapping[str, Any], known: Mapping[str, Any], chance: random.Random) -> Any:
    least = schema.get("minItems", 1)
    length = chance.randint(least, schema.get("maxItems", least + 3))
    return [_sample(schema["items"], known, chance) for _ in range(length)]


def _number(schema: Mapping[str, Any], _: object, chance: random.Random) -> Any:
    least, most = schema.get("minimum", 0), schema.get("maximum", 1)
    if schema["type"] == "integer":
        return chance.randint(least, max(most, least + 50))
    return round(chance.uniform(least, most), 3)


def _text(*given: Any) -> str:
    chance: random.Random = given[-1]
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(2, 7)))


_SAMPLES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], random.Random], Any]] = {
    "object": _object,
    "array": _array,
    "number": _number,
    "integer": _number,
    "string": _text,
    "boolean": lambda _, __, chance: chance.random() < 0.5,
    "null": lambda *_: None,
}
