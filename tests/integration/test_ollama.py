"""The client for Ollama, over real sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from core.llm import Ask, Connections, ModelFailure, Ollama
from tests.asks import SCHEMA, an_ask
from tests.serving import free_port
from tests.wire.ollama_server import SCENES, OllamaServer

FAILURES = {scene: kind for scene, kind in SCENES.items() if kind is not None}
WHOLE = sorted(SCENES.keys() - FAILURES.keys())
SLOW = {"silent", "stalls"}
UNUSED = {"busy", "bad_request", "forbidden"}
COUNTED = {"no_words", "garbled_json", "truncated"}


@pytest.fixture
def wire() -> Iterator[OllamaServer]:
    with OllamaServer() as server:
        yield server


@pytest.fixture
def ollama(wire: OllamaServer, connections: Connections) -> Ollama:
    return Ollama(wire.url, connections)


def ask_it(**changes: Any) -> Ask:
    return an_ask(**{"model": "qwen3:8b", **changes})


def failed(ollama: Ollama, ask: Ask | None = None, **given: Any) -> ModelFailure:
    with pytest.raises(ModelFailure) as caught:
        ollama.complete(ask or ask_it(), **given)
    return caught.value


@pytest.mark.parametrize("scene", WHOLE)
def test_an_answer_is_what_was_sent(scene: str, ollama: Ollama, wire: OllamaServer) -> None:
    for _ in range(20):
        wire.script.append(scene)
        told: list[Any] = []
        completion = ollama.complete(ask_it(), on_partial=told.append)
        served = wire.served[-1]
        assert completion.value == told[-1] == served.answer
        assert completion.stop_reason == "stop"
        usage = completion.usage
        assert usage.measured is (scene != "whole_uncounted")
        if usage.measured:
            assert (usage.input_tokens, usage.output_tokens) == (
                served.used.input,
                served.used.output,
            )
        else:
            assert usage == ask_it().most


def test_the_request_holds_the_schema_and_room_for_all_of_it(
    ollama: Ollama, wire: OllamaServer
) -> None:
    ollama.complete(ask_it())
    ollama.complete(ask_it(user="x" * 30_000, effort="off"))
    short, long = (served.body for served in wire.served)
    assert short["format"] == SCHEMA
    assert short["stream"] is True
    assert [said["role"] for said in short["messages"]] == ["system", "user"]
    assert short["options"] == {"num_predict": 800, "num_ctx": 8_192}
    assert "think" not in short
    assert long["options"]["num_ctx"] == 16_384
    assert long["think"] is False


@pytest.mark.parametrize("scene", sorted(FAILURES))
def test_every_failure_is_named_and_nothing_used_is_forgotten(
    scene: str, wire: OllamaServer, ollama: Ollama
) -> None:
    wire.script.append(scene)
    ask = ask_it(deadline_s=1.0 if scene in SLOW else 10)
    failure = failed(ollama, ask)

    assert failure.kind == FAILURES[scene]
    truth = wire.served[0].used
    usage = failure.usage or ask.most
    assert usage.measured is (scene in UNUSED | COUNTED)
    if usage.measured:
        assert (usage.input_tokens, usage.output_tokens) == (truth.input, truth.output)
    else:
        assert usage.input_tokens >= truth.input
        assert usage.output_tokens >= truth.output
    assert ollama.complete(ask_it()).value == wire.served[-1].answer


def test_a_model_that_is_not_there_says_how_to_get_it(ollama: Ollama) -> None:
    failure = failed(ollama, ask_it(model="phi9"))
    assert failure.kind == "bad_request"
    assert "ollama pull phi9" in str(failure)


def test_nobody_there_is_a_sentence_with_the_address(connections: Connections) -> None:
    port = free_port()
    failure = failed(Ollama(f"http://127.0.0.1:{port}/", connections))
    assert failure.kind == "connection"
    assert f"127.0.0.1:{port}" in str(failure)


@pytest.mark.parametrize("scene", ["silent", "stalls"])
def test_stopping_reaches_the_running_call(scene: str, ollama: Ollama, wire: OllamaServer) -> None:
    wire.script.append(scene)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    since = time.monotonic()
    assert failed(ollama, stop=stop).kind == "cancelled"
    assert time.monotonic() - since < 2
    assert wire.served[0].left.wait(2), "the server goes on for a caller who has left"
