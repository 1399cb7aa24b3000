"""The Messages protocol of Anthropic, as its API speaks it and as it fails.

Shapes: https://platform.claude.com/docs/en/api/messages, .../build-with-claude/streaming and
.../api/errors; `test_wire_shapes.py` compares what is sent with the SDK's own types.
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

__all__ = ["KEY", "MODELS", "SCENES", "AnthropicServer", "Event", "fault_in"]

KEY = "sk-ant-api03-Wire0Key1For2Tests3Only4AbCdEfGhIjKlMnOpQrStUv-_xyzAA"
MODELS = {"claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"}
Event = dict[str, Any]

# What each scene is to the client; None is a whole answer.
SCENES: dict[str, FailureKind | None] = {
    "whole": None,
    # refused before any work
    "rate_limited": "rate_limited",
    "overloaded": "overloaded",
    "unavailable": "overloaded",
    "wrong_key": "auth",
    "unpaid": "auth",
    "forbidden": "auth",
    "bad_request": "bad_request",
    "too_large": "bad_request",
    # lost, with the work perhaps done
    "server_error": "server",
    "gateway_timeout": "timeout",
    "hangs_up": "dropped",
    "silent": "timeout",
    "web_page": "malformed",
    "empty_stream": "empty",
    # lost on the way
    "breaks_off": "dropped",
    "ends_early": "dropped",
    "error_midway": "overloaded",
    "stalls": "deadline",
    "pings_for_ever": "deadline",
    "garbled_event": "malformed",
    # whole, but of no use
    "no_words": "empty",
    "garbled_json": "malformed",
    "truncated": "truncated",
    "window_full": "truncated",
    "refused": "refused",
}
_ERRORS: dict[str, tuple[int, str, str]] = {
    "rate_limited": (429, "rate_limit_error", "This request would exceed your rate limit."),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "unavailable": (503, "overloaded_error", "Unavailable"),
    "wrong_key": (401, "authentication_error", "invalid x-api-key"),
    "unpaid": (402, "billing_error", "Your credit balance is too low."),
    "forbidden": (403, "permission_error", "Your key may not use this resource."),
    "bad_request": (400, "invalid_request_error", "messages: at least one is required"),
    "too_large": (413, "invalid_request_error", "Request exceeds the maximum size"),
    "server_error": (500, "api_error", "Internal server error"),
    "gateway_timeout": (504, "timeout_error", "Timed out"),
}
_WORKED_MAYBE = {"server_error", "gateway_timeout", "hangs_up", "silent", "web_page"}
_STOPS = {"truncated": "max_tokens", "window_full": "model_context_window_exceeded"}

_KNOWN_FIELDS = {
    *("model", "max_tokens", "messages", "system", "stream", "metadata", "stop_sequences"),
    *("output_config", "thinking", "tools", "tool_choice", "cache_control", "service_tier"),
}
_EFFORTS = {None, "low", "medium", "high", "xhigh", "max"}
_RANGES = ("minimum", "maximum", "minLength", "maxLength", "multipleOf", "maxItems", "pattern")


def fault_in(headers: dict[str, str], body: Event) -> tuple[int, str, str] | None:
    """Return what the API of today finds wrong with a request: status, type and message."""
    # The SDK sends a bearer token; the header of its own that the API had before is still taken.
    if KEY not in {
        headers.get("authorization", "").removeprefix("Bearer "),
        headers.get("x-api-key"),
    }:
        return _ERRORS["wrong_key"]
    if "anthropic-version" not in headers:
        return 400, "invalid_request_error", "anthropic-version: header is required"
    if body.get("model") not in MODELS:
        return 404, "not_found_error", f"model: {body.get('model')}"
    for wrong in _faults(body):
        return 400, "invalid_request_error", wrong
    return None


def _faults(body: Event) -> Iterator[str]:
    for name in ("temperature", "top_p", "top_k"):
        if name in body:
            yield f"{name}: this model does not take sampling parameters"
    yield from (f"{name}: Extra inputs are not permitted" for name in set(body) - _KNOWN_FIELDS)
    if (body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        yield "tool_choice: this model does not support forced tool use"
    if not isinstance(body.get("max_tokens"), int):
        yield "max_tokens: Field required"
    yield from _message_faults(body.get("messages") or [])
    yield from _output_faults(body.get("output_config") or {})


def _message_faults(messages: list[Event]) -> Iterator[str]:
    if not messages:
        yield "messages: at least one message is required"
    elif messages[-1]["role"] != "user":
        yield "messages: this model does not support a prefilled answer"


def _output_faults(output: Event) -> Iterator[str]:
    """Structured outputs want closed objects, and no ranges."""
    if output.get("effort") not in _EFFORTS:
        yield f"output_config.effort: {output.get('effort')} is none of the levels"
    for schema in _schemas_in(output.get("format", {}).get("schema", {})):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            yield "output_config.format.schema: additionalProperties must be false"
        for name in _RANGES:
            if name in schema and not isinstance(schema[name], dict):
                yield f"output_config.format.schema: {name} is not supported"


def _schemas_in(value: Any) -> Iterator[Event]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, (dict, list)):
            yield from _schemas_in(part)


class _Handler(Handler):
    server_of: AnthropicServer

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        body = self.body()
        headers = {name.lower(): text for name, text in self.headers.items()}
        path = self.path.partition("?")[0]
        if path == "/v1/messages/count_tokens":
            self.send(200, {"input_tokens": _fresh_tokens(body, self.server_of)})
        elif path == "/v1/messages":
            self._message(Served(self.server_of.next_scene(), path, headers, body))
        else:
            self._error(404, "not_found_error", "Not found")

    def _message(self, served: Served) -> None:
        wire = self.server_of
        fault = fault_in(dict(served.headers), served.body)
        if fault is None:
            wire.draw(served)
        else:
            served.scene = "faulty"
        wire.served.append(served)
        if fault is not None:
            self._error(*fault)
        elif served.scene in _ERRORS:
            retry = {"retry-after": wire.retry_after} if served.scene == "rate_limited" else None
            self._error(*_ERRORS[served.scene], headers=retry)
        elif served.scene in _UNUSUAL:
            _UNUSUAL[served.scene](self, served)
        elif served.body.get("stream"):
            self._stream(served)
        else:
            self.send(200, wire.message(served), {"request-id": "req_wire"})

    def _error(
        self, status: int, kind: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        error = {"type": "error", "error": {"type": kind, "message": message}}
        self.send(status, {**error, "request_id": "req_wire"}, headers)

    def _stream(self, served: Served) -> None:
        exchange = Exchange(self, served, "text/event-stream; charset=utf-8")
        events = self.server_of.events(served)
        cut = self.server_of.cut(served, len(events))
        for event in events[:cut]:
            served.events.append(event)
            exchange.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n")
        if served.scene in _MIDWAY:
            _MIDWAY[served.scene](self, served, exchange)
        else:
            exchange.end()


def _ping_for_ever(handler: Handler, _: Served, exchange: Exchange) -> None:
    handler.close_connection = True
    while not handler.server_of.closing.wait(0.02):
        exchange.write('event: ping\ndata: {"type": "ping"}\n\n')


def _fail(_: Handler, served: Served, exchange: Exchange) -> None:
    error: Event = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_wire",
    }
    served.events.append(error)
    exchange.write(f"event: error\ndata: {json.dumps(error)}\n\n")
    exchange.end()


def _garble(_: Handler, __: Served, exchange: Exchange) -> None:
    exchange.write('event: content_block_delta\ndata: {"type": "content_bl\n\n')
    exchange.end()


_UNUSUAL: dict[str, Callable[[Handler, Served], None]] = {
    "hangs_up": lambda handler, _: hang_up(handler),
    "silent": say_nothing,
    "web_page": lambda handler, _: handler.send(200, "<html>Sign in to the network</html>"),
    "empty_stream": lambda handler, served: Exchange(handler, served, "text/event-stream").end(),
}
_MIDWAY: dict[str, Callable[[Handler, Served, Exchange], None]] = {
    "breaks_off": lambda _, __, exchange: exchange.break_off(),
    "ends_early": lambda _, __, exchange: exchange.end(),
    "error_midway": _fail,
    "stalls": lambda handler, served, _: say_nothing(handler, served),
    "pings_for_ever": _ping_for_ever,
    "garbled_event": _garble,
}


class AnthropicServer(WireServer):
    """Anthropic's API on this machine; `served` has the tokens that each call really used."""

    handler = _Handler
    retry_after = "0"

    @staticmethod
    def schema_of(body: Event) -> Event:
        found: Event = (body.get("output_config") or {}).get("format", {}).get("schema", {})
        return found or {"type": "object"}

    def draw(self, served: Served) -> None:
        """Draw the tokens of a call; where the answer is lost, work may have been done or not."""
        scene, most = served.scene, served.body["max_tokens"]
        with self.lock:
            chance = self.chance
            if scene in _ERRORS and (scene not in _WORKED_MAYBE or chance.random() < 0.5):
                return
            tokens = _input_tokens(served.body, self)
            write = chance.randint(0, tokens // 2) if chance.random() < 0.4 else 0
            read = chance.randint(0, tokens - write) if chance.random() < 0.4 else 0
            output = most if scene == "truncated" else chance.randint(1, most)
            thinking = chance.randint(0, output) if chance.random() < 0.5 else 0
            served.used = Drawn(tokens - write - read, read, write, output, thinking)

    def message(self, served: Served) -> Event:
        """The answer as one JSON object, for a call that does not stream."""
        used = served.used
        served.answer = self.answer(served.body)
        return {
            **_head(served, self),
            "content": [{"type": "text", "text": _said(served)}],
            "stop_reason": _stop_reason(served.scene),
            "usage": {**_input_usage(used), **_output_usage(used)},
        }

    def events(self, served: Served) -> list[Event]:
        """All events of a stream that runs to its end."""
        used = served.used
        served.answer = self.answer(served.body)
        with self.lock:
            words = pieces(_said(served), self.chance)
            shown = self.chance.randint(0, min(8, used.output))
            repeats = _input_usage(used) if self.chance.random() < 0.5 else {}
        begun = {**_input_usage(used), "output_tokens": shown}
        head = {**_head(served, self), "content": [], "stop_reason": None, "usage": begun}
        events: list[Event] = [{"type": "message_start", "message": head}]
        index = 0
        if used.thinking:
            events += _thinking(index)
            index += 1
        if words:
            events += _text(index, words)
        delta = {"stop_reason": _stop_reason(served.scene), "stop_sequence": None}
        usage = {**repeats, **_output_usage(used)}
        events.append({"type": "message_delta", "delta": delta, "usage": usage})
        events.append({"type": "message_stop"})
        return events

    def cut(self, served: Served, events: int) -> int:
        """After how many events the scene goes wrong; always before the count is complete."""
        if served.scene not in _MIDWAY:
            return events
        least = 0 if served.scene in {"breaks_off", "ends_early", "error_midway"} else 1
        if served.scene == "ends_early":
            least = 1  # with none, it would be an empty stream
        with self.lock:
            return self.chance.randint(least, events - 2)


def _head(served: Served, wire: WireServer) -> Event:
    return {
        "id": f"msg_{len(wire.served):06d}",
        "type": "message",
        "role": "assistant",
        "model": served.body["model"],
        "stop_sequence": None,
    }


def _said(served: Served) -> str:
    if served.scene in {"no_words", "refused"}:
        return ""
    text = json.dumps(served.answer, ensure_ascii=False)
    if served.scene == "garbled_json":
        return "Here you are: " + text
    return text[: len(text) // 2] if served.scene in _STOPS else text


def _stop_reason(scene: str) -> str:
    return "refusal" if scene == "refused" else _STOPS.get(scene, "end_turn")


def _thinking(index: int) -> list[Event]:
    start = {"type": "thinking", "thinking": "", "signature": ""}
    deltas = (
        {"type": "thinking_delta", "thinking": "Let me see."},
        {"type": "signature_delta", "signature": "c2lnbmF0dXJl"},
    )
    return _block(index, start, deltas)


def _text(index: int, words: list[str]) -> list[Event]:
    deltas = tuple({"type": "text_delta", "text": word} for word in words)
    return _block(index, {"type": "text", "text": ""}, deltas)


def _block(index: int, start: Event, deltas: tuple[Event, ...]) -> list[Event]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def _input_usage(used: Drawn) -> Event:
    return {
        "input_tokens": used.fresh,
        "cache_read_input_tokens": used.cache_read,
        "cache_creation_input_tokens": used.cache_write,
    }


def _output_usage(used: Drawn) -> Event:
    details = {"thinking_tokens": used.thinking} if used.thinking else None
    return {"output_tokens": used.output, "output_tokens_details": details}


def _fresh_tokens(body: Event, wire: WireServer) -> int:
    with wire.lock:
        return _input_tokens(body, wire)


def _input_tokens(body: Event, wire: WireServer) -> int:
    """A count that a tokenizer could come to: two to six bytes each, and what is added."""
    length = len(json.dumps([body.get("system"), body["messages"]], ensure_ascii=False).encode())
    length += len(json.dumps(body.get("output_config", {}), ensure_ascii=False).encode())
    return wire.chance.randint(length // 6, length // 2) + wire.chance.randint(5, 400)
