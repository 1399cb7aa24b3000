"""Ollama, by its native chat: its copies of other makers' interfaces ignore the schema."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import closing
from typing import Any

import httpx2

from core.llm.client import Ask, Completion, ModelFailure, Partial, Usage
from core.llm.connection import CONNECT_S, Connections, Patience
from core.llm.reply import Reply, status_kind

__all__ = ["Ollama"]

# Loading a model and reading a prompt go without a word.
SILENCE_S = 180.0
# Ollama cuts off, silently, what does not fit into its window of tokens.
LEAST_WINDOW, BYTES_PER_TOKEN = 8_192, 2
FOUND, NOT_FOUND = 200, 404
_NO_MODEL = "{who} has no model “{model}” there; run `ollama pull {model}`."
_NOT_THERE = "There is nothing of {who} at {where}; check the address."
# It knows no keys: this is a proxy, or its list of who may ask.
_SHUT_OUT = "{who} at {where} does not let this machine in; look at its settings, and any proxy."


class Ollama:
    """Models that Ollama runs, on this machine or another."""

    provider = "ollama"

    def __init__(self, base_url: str, connections: Connections) -> None:
        self._url = httpx2.URL(base_url.rstrip("/") + "/api/chat")
        self._connections = connections

    def complete(
        self,
        ask: Ask,
        *,
        on_partial: Partial | None = None,
        stop: threading.Event | None = None,
    ) -> Completion:
        reply = Reply(ask, "Ollama", self._url.netloc.decode())
        patience = Patience(ask.deadline_s, SILENCE_S, stop)
        with patience.held(), closing(self._growing(ask, reply, patience)) as growing:
            for grown in growing:
                if on_partial is not None:
                    grown.tell(on_partial)
        return reply.completion()

    def _growing(self, ask: Ask, reply: Reply, patience: Patience) -> Generator[Reply]:
        """Give the reply again each time that its text has grown."""
        failure = None
        try:
            with self._connections.client.stream(
                "POST",
                self._url,
                json=_body(ask),
                timeout=httpx2.Timeout(None, connect=CONNECT_S),
            ) as response:
                if response.status_code == FOUND:
                    for line in response.iter_lines():
                        if _take_in(line, reply):
                            yield reply
                else:
                    failure = _refusal(response, reply)
        except ModelFailure as problem:
            failure = problem
        except Exception as problem:  # noqa: BLE001 - whatever comes over the wire
            failure = reply.broken(problem, patience)
        if failure is not None:
            raise failure


def _body(ask: Ask) -> dict[str, Any]:
    """The request: https://github.com/ollama/ollama/blob/main/docs/api.md."""
    window = LEAST_WINDOW
    while window < ask.input_bytes // BYTES_PER_TOKEN + ask.max_tokens:
        window *= 2
    body: dict[str, Any] = {
        "model": ask.model,
        "messages": [
            {"role": "system", "content": ask.system},
            {"role": "user", "content": ask.user},
        ],
        "format": ask.schema,
        "stream": True,
        "options": {"num_predict": ask.max_tokens, "num_ctx": window},
    }
    if ask.effort == "off":
        body["think"] = False
    return body


def _take_in(line: str, reply: Reply) -> bool:
    """Note what a line says; return whether the text has grown."""
    if not line.strip():
        return False
    said = json.loads(line)
    if "error" in said:
        raise reply.failure("server", quote=str(said["error"]))
    reply.has_begun = True
    text = said.get("message", {}).get("content") or ""
    if text:
        reply.add(text)
    if said.get("done"):
        reply.stop_reason = said.get("done_reason") or "stop"
        reply.usage = _usage(said)
    return bool(text)


def _usage(said: dict[str, Any]) -> Usage | None:
    """Read the count of the last line; an answer without one was not counted."""
    if "eval_count" not in said or "prompt_eval_count" not in said:
        return None
    return Usage(int(said["prompt_eval_count"]), int(said["eval_count"]))


def _refusal(response: httpx2.Response, reply: Reply) -> ModelFailure:
    """Return what to raise for a status that says no; nothing was computed then."""
    response.read()
    try:
        quote = str(response.json()["error"])
    except (ValueError, TypeError, KeyError):
        quote = None
    kind = status_kind(response.status_code)
    sentence = _SHUT_OUT if kind == "auth" else None
    if response.status_code == NOT_FOUND:
        sentence, quote = (_NO_MODEL if "model" in (quote or "") else _NOT_THERE), None
    return reply.failure(kind, sentence=sentence, quote=quote, unused=kind != "server")
