"""The native chat of Ollama, as it speaks and as it fails.

Shapes: https://github.com/ollama/ollama/blob/main/docs/api.md, “Generate a chat completion”.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from core.llm import FailureKind
from tests.wire.server import (
    Drawn,
    Exchange,
    Handler,
    Served,
    WireServer,
    hang_up,
    pieces,
    say_nothing,
)

__all__ = ["MODELS", "SCENES", "OllamaServer", "fault_in"]

MODELS = {"qwen3:8b", "llama3.2"}
Line = dict[str, Any]

# What each scene is to the client; None is a whole answer.
SCENES: dict[str, FailureKind | None] = {
    "whole": None,
    "whole_of_old": None,
    "whole_uncounted": None,
    "busy": "overloaded",
    "bad_request": "bad_request",
    "forbidden": "auth",
    "server_error": "server",
    "hangs_up": "dropped",
    "silent": "timeout",
    "web_page": "malformed",
    "empty_stream": "empty",
    "breaks_off": "dropped",
    "ends_early": "dropped",
    "error_midway": "server",
    "stalls": "deadline",
    "garbled_line": "malformed",
    "no_words": "empty",
    "garbled_json": "malformed",
    "truncated": "truncated",
}
_ERRORS = {
    "busy": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "bad_request": (400, "invalid format: expected an object"),
    "forbidden": (403, "this address may not be used"),
    "server_error": (500, "model runner has unexpectedly stopped"),
}
_WORKED_MAYBE = {"server_error"}


def fault_in(body: Line) -> tuple[int, str] | None:
    """Return what Ollama finds wrong with a request: status and message."""
    if body.get("model") not in MODELS:
        return 404, f"model '{body.get('model')}' not found"
    if not body.get("messages"):
        return 400, "messages are required"
    form = body.get("format", "json")
    if form != "json" and not isinstance(form, dict):
        return 400, 'invalid format: expected "json" or a JSON schema'
    return None


class _Handler(Handler):
    server_of: OllamaServer

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        if self.path == "/api/tags":
            self.send(200, {"models": [{"name": name, "model": name} for name in sorted(MODELS)]})
        else:
            self.send(200, "Ollama is running")

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        body = self.body()
        if self.path != "/api/chat":
            self.send(404, "404 page not found")
            return
        wire = self.server_of
        headers = {name.lower(): text for name, text in self.headers.items()}
        served = Served(wire.next_scene(), self.path, headers, body)
        fault = fault_in(body) or _ERRORS.get(served.scene)
        wire.draw(served)
        wire.served.append(served)
        if fault is not None:
            self.send(fault[0], {"error": fault[1]})
        elif served.scene in _UNUSUAL:
            _UNUSUAL[served.scene](self, served)
        else:
            self._stream(served)

    def _stream(self, served: Served) -> None:
        wire = self.server_of
        exchange = Exchange(self, served, "application/x-ndjson")
        lines = wire.lines(served)
        for line in lines[: wire.cut(served, len(lines))]:
            served.events.append(line)
            exchange.write(json.dumps(line) + "\n")
        if served.scene in _MIDWAY:
            _MIDWAY[served.scene](self, served, exchange)
        else:
            exchange.end()


def _then_end(text: str) -> Callable[[Handler, Served, Exchange], None]:
    def act(_: Handler, __: Served, exchange: Exchange) -> None:
        exchange.write(text)
        exchange.end()

    return act


_UNUSUAL: dict[str, Callable[[Handler, Served], None]] = {
    "hangs_up": lambda handler, _: hang_up(handler),
    "silent": say_nothing,
    "web_page": lambda handler, _: handler.send(200, "<html>Sign in to the network</html>"),
    "empty_stream": lambda handler, served: Exchange(handler, served, "text/plain").end(),
}
_MIDWAY: dict[str, Callable[[Handler, Served, Exchange], None]] = {
    "breaks_off": lambda _, __, exchange: exchange.break_off(),
    "ends_early": lambda _, __, exchange: exchange.end(),
    "error_midway": _then_end('{"error":"an error was encountered while running the model"}\n'),
    "stalls": lambda handler, served, _: say_nothing(handler, served),
    "garbled_line": _then_end('{"model": "qwen3:8b", "mess\n'),
}


class OllamaServer(WireServer):
    """Ollama on this machine; `served` has the tokens that each call really used."""

    handler = _Handler

    @staticmethod
    def schema_of(body: Line) -> Line:
        form = body.get("format")
        return form if isinstance(form, dict) else {"type": "object"}

    def draw(self, served: Served) -> None:
        """Draw the tokens of a call; where the answer is lost, work may have been done or not."""
        scene, body = served.scene, served.body
        most = body.get("options", {}).get("num_predict", 128)
        with self.lock:
            chance = self.chance
            is_error = scene in _ERRORS or body.get("model") not in MODELS
            if is_error and (scene not in _WORKED_MAYBE or chance.random() < 0.5):
                return
            length = len(json.dumps(body.get("messages"), ensure_ascii=False).encode())
            tokens = chance.randint(length // 6, length // 2) + chance.randint(5, 40)
            served.used = Drawn(tokens, output=chance.randint(1, most))

    def lines(self, served: Served) -> list[Line]:
        """All lines of a stream that runs to its end."""
        served.answer = self.answer(served.body)
        with self.lock:
            parts = pieces(_said(served), self.chance) if _said(served) else []
        lines = [_line(served, {"message": _message(part), "done": False}) for part in parts]
        return [*lines, _line(served, dict(_last(served)))]

    def cut(self, served: Served, lines: int) -> int:
        """After how many lines the scene goes wrong; always before the last one."""
        if served.scene not in _MIDWAY:
            return lines
        with self.lock:
            return self.chance.randint(1, lines - 1)


def _line(served: Served, said: Line) -> Line:
    return {"model": served.body["model"], "created_at": "2026-11-02T09:00:00.5Z", **said}


def _message(text: str) -> Line:
    return {"role": "assistant", "content": text}


def _last(served: Served) -> Iterator[tuple[str, Any]]:
    yield "message", _message("")
    yield "done", True
    if served.scene != "whole_of_old":
        yield "done_reason", "length" if served.scene == "truncated" else "stop"
    yield "total_duration", 1_000_000
    if served.scene != "whole_uncounted":
        yield "prompt_eval_count", served.used.input
        yield "eval_count", served.used.output


def _said(served: Served) -> str:
    if served.scene == "no_words":
        return ""
    text = json.dumps(served.answer, ensure_ascii=False)
    if served.scene == "garbled_json":
        return "Here you are: " + text
    return text[: len(text) // 2] if served.scene == "truncated" else text
