"""The wire servers agree with the SDK and the documents, not only with our own clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import BaseModel
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from anthropic.types.shared import ErrorResponse
from pydantic import TypeAdapter

from core.llm import Claude, Connections, ModelFailure, Ollama
from tests.asks import an_ask
from tests.wire import anthropic_server, ollama_server
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.ollama_server import OllamaServer

EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
REQUEST = {
    "model": "claude-haiku-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Plan."}],
}
HEADERS = {"x-api-key": KEY, "anthropic-version": "2026-10-21"}


def unknown_fields(value: Any, path: str = "") -> Iterator[str]:
    """The names that the SDK's types do not have."""
    if isinstance(value, list):
        for part in value:
            yield from unknown_fields(part, path)
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name, part in value:
            yield from unknown_fields(part, f"{path}.{name}")


@pytest.mark.parametrize("scene", sorted(anthropic_server.SCENES))
def test_every_event_is_one_that_the_sdk_knows(scene: str, connections: Connections) -> None:
    with AnthropicServer([scene] * 8, seed=11) as wire:
        claude = Claude(KEY, wire.url, connections)
        for _ in range(8 if scene not in {"silent", "stalls", "pings_for_ever"} else 1):
            try:
                claude.complete(an_ask(deadline_s=0.3))
            except ModelFailure:
                continue
        for event in (event for served in wire.served for event in served.events):
            if event["type"] == "ping":
                continue  # the SDK drops these before it looks at their type
            if event["type"] == "error":
                known: Any = ErrorResponse.model_validate(event)
            else:
                known = EVENTS.validate_python(event)
            assert list(unknown_fields(known)) == []
            assert known.type == event["type"]


def test_a_stream_has_its_events_in_the_documented_order(connections: Connections) -> None:
    """https://platform.claude.com/docs/en/build-with-claude/streaming, “Event types”."""
    with AnthropicServer() as wire:
        Claude(KEY, wire.url, connections).complete(an_ask())
        kinds = [event["type"] for event in wire.served[0].events if event["type"] != "ping"]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    blocks = [kind for kind in kinds if kind.startswith("content_block")]
    assert kinds == ["message_start", *blocks, "message_delta", "message_stop"]
    assert (blocks[0], blocks[-1]) == ("content_block_start", "content_block_stop")


def test_an_answer_in_one_piece_is_a_message() -> None:
    with AnthropicServer() as wire:
        told = httpx2.post(f"{wire.url}/v1/messages", json=REQUEST, headers=HEADERS).json()
        count_url = f"{wire.url}/v1/messages/count_tokens"
        count = httpx2.post(count_url, json=REQUEST, headers=HEADERS).json()
    message = Message.model_validate(told)
    assert list(unknown_fields(message)) == []
    assert message.usage.output_tokens == wire.served[0].used.output
    assert MessageTokensCount.model_validate(count).input_tokens > 0


@pytest.mark.parametrize("scene", sorted(anthropic_server._ERRORS))
def test_every_error_has_the_documented_shape_and_the_sdks_own_class(scene: str) -> None:
    """https://platform.claude.com/docs/en/api/errors."""
    with (
        AnthropicServer([scene]) as wire,
        anthropic.Anthropic(api_key=KEY, base_url=wire.url, max_retries=0) as sdk,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        sdk.messages.create(
            model="claude-haiku-5-5",
            max_tokens=100,
            messages=[{"role": "user", "content": "Plan."}],
        )
    assert type(caught.value) not in {anthropic.APIStatusError, anthropic.APIError}
    error = ErrorResponse.model_validate(caught.value.body)
    assert error.error.type == caught.value.type


def test_what_the_client_sends_is_what_the_sdk_would_let_one_send(
    connections: Connections,
) -> None:
    params: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
    with AnthropicServer() as wire:
        claude = Claude(KEY, wire.url, connections)
        for changes in ({}, {"effort": "off"}, {"effort": None}, {"cached": True}):
            claude.complete(an_ask(**changes))
        for served in wire.served:
            params.validate_python(served.body)
            assert set(served.body) <= set(MessageCreateParamsStreaming.__annotations__) | {
                *("model", "max_tokens", "messages", "system", "output_config", "thinking")
            }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"temperature": 0.2}, "temperature"),
        ({"tool_choice": {"type": "tool", "name": "plan"}}, "forced tool use"),
        ({"tool_choice": {"type": "any"}}, "forced tool use"),
        ({"messages": [{"role": "assistant", "content": "{"}]}, "prefilled"),
        ({"messages": []}, "at least one message"),
        ({"frobnicate": 1}, "Extra inputs"),
        ({"model": "claude-2"}, "claude-2"),
        ({"output_config": {"effort": "enormous"}}, "effort"),
        (
            {"output_config": {"format": {"schema": {"type": "object"}}}},
            "additionalProperties must be false",
        ),
        (
            {"output_config": {"format": {"schema": {"type": "integer", "minimum": 1}}}},
            "minimum is not supported",
        ),
    ],
)
def test_what_the_api_refuses_the_server_refuses(wrong: dict[str, Any], says: str) -> None:
    with AnthropicServer() as wire:
        url = f"{wire.url}/v1/messages"
        answer = httpx2.post(url, json={**REQUEST, **wrong}, headers=HEADERS)
    assert answer.status_code in {400, 404}
    assert says in ErrorResponse.model_validate(answer.json()).error.message


def test_without_its_key_the_server_answers_nobody() -> None:
    with AnthropicServer() as wire:
        url = f"{wire.url}/v1/messages"
        answer = httpx2.post(url, json=REQUEST, headers={"x-api-key": "other"})
    assert answer.status_code == 401


# https://github.com/ollama/ollama/blob/main/docs/api.md, “Chat request (Streaming)”.
LINE = {"model", "created_at", "message", "done"}
LAST = {*LINE, "done_reason", "total_duration", "prompt_eval_count", "eval_count"}


@pytest.mark.parametrize("scene", sorted(ollama_server.SCENES.keys() - {"silent", "stalls"}))
def test_every_line_of_ollama_has_the_documented_fields(
    scene: str, connections: Connections
) -> None:
    with OllamaServer([scene] * 4) as wire:
        ollama = Ollama(wire.url, connections)
        for _ in range(4):
            try:
                ollama.complete(an_ask(model="llama3.2"))
            except ModelFailure:
                continue
        for line in (line for served in wire.served for line in served.events):
            assert json.loads(json.dumps(line)) == line
            assert line["message"].keys() == {"role", "content"}
            assert line.keys() <= LAST if line["done"] else line.keys() == LINE
