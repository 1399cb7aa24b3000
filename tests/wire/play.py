"""Many requests through a whole ladder to both wire servers, every failure mixed in."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from core.clock import SystemClock
from core.ledger import Ledger
from core.llm import (
    Breakers,
    Caller,
    Calls,
    Claude,
    Connections,
    Ladder,
    ModelFailure,
    NoModelLeft,
    Ollama,
    Pacing,
    Price,
    Retry,
    Rung,
    Usage,
)
from tests.asks import an_ask
from tests.wire import anthropic_server, ollama_server
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.ollama_server import OllamaServer
from tests.wire.server import Served

__all__ = ["Played", "RatesForTests", "cost_of", "play"]

# Nano-USD a token: fresh input, read from the cache, written to it, output.
RATES = {"claude-sonnet-5-5": (2_000, 100, 2_500, 10_000), "claude-haiku-5-5": (100, 10, 125, 500)}
LOCAL = (0, 0, 0, 0)
DEADLINE_S = 1.5
PEOPLE = 8


class Enough(Exception):
    """Somebody who was told of a partial answer had enough of it."""


def cost_of(model: str, served: Served) -> int:
    """What a call really cost, in nano-USD."""
    used = served.used
    tokens = (used.fresh, used.cache_read, used.cache_write, used.output)
    return sum(n * rate for n, rate in zip(tokens, RATES.get(model, LOCAL), strict=True))


class RatesForTests:
    """Flat prices that a test can multiply by itself."""

    def cost(self, provider: str, model: str, usage: Usage, at: datetime) -> Price:
        assert at.tzinfo is not None
        fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
        tokens = (fresh, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens)
        nano = sum(n * rate for n, rate in zip(tokens, RATES.get(model, LOCAL), strict=True))
        return Price(nano, provider, "1")

    def bound(
        self, provider: str, model: str, input_bytes: int, max_tokens: int, at: datetime
    ) -> Price:
        most = Usage(input_bytes + 1_000, max_tokens, cache_write_tokens=input_bytes + 1_000)
        return self.cost(provider, model, most, at)


@dataclass(frozen=True)
class Played:
    """The rows of the ledger, and what the servers served, both by request and in order."""

    rows: dict[str, list[dict[str, Any]]]
    served: dict[str, list[Served]]
    outcomes: Counter[str]

    @property
    def pairs(self) -> list[tuple[dict[str, Any], Served]]:
        """Each call with its row.

        A call that was stopped before it reached the server has a row all the same, at the end.
        """
        return [
            pair
            for request_id, served in self.served.items()
            for pair in zip(self.rows.get(request_id, []), served, strict=False)
        ]

    def faults(self) -> list[str]:
        """What is wrong with the rows: tokens or nano-USD that differ from the truth."""
        return [
            f"{served.scene}: {name} is {told}, not {true}"
            for row, served in self.pairs
            for name, told, true in _compared(row, served)
            if (told != true if row["measured"] else told < true)
        ]


def _compared(row: dict[str, Any], served: Served) -> Iterator[tuple[str, int, int]]:
    used = served.used
    yield "input", row["gen_ai_usage_input_tokens"], used.input
    yield "output", row["gen_ai_usage_output_tokens"], used.output
    yield "cost", row["cost_nano_usd"], cost_of(row["gen_ai_request_model"], served)
    if row["measured"]:
        yield "cache read", row["gen_ai_usage_cache_read_input_tokens"], used.cache_read
        yield "cache write", row["gen_ai_usage_cache_write_input_tokens"], used.cache_write


def play(calls: int, ledger: Ledger, connections: Connections, seed: int = 5) -> Played:
    """Send requests until the servers have had `calls` calls."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    scripts = [
        chance.choices([*scenes, *["whole"] * 6], k=calls)
        for scenes in (anthropic_server.SCENES, ollama_server.SCENES)
    ]
    clock = SystemClock()
    retry = Retry(
        Breakers(opens_after=calls, pause_s=0.0),
        clock,
        Pacing(first_pause_s=0.001, longest_pause_s=0.002),
    )
    book = Calls(ledger, RatesForTests(), clock)
    outcomes: Counter[str] = Counter()
    with AnthropicServer(scripts[0]) as anthropic, OllamaServer(scripts[1]) as ollama:
        claude = Claude(KEY, anthropic.url, connections)
        rungs = [
            Rung(1, "claude-sonnet-5-5", claude),
            Rung(2, "claude-haiku-5-5", claude),
            Rung(3, "qwen3:8b", Ollama(ollama.url, connections)),
        ]
        ladder = Ladder(rungs, retry)
        numbers = count()

        def person(_: int) -> None:
            while len(anthropic.served) + len(ollama.served) < calls:
                outcomes[_one(ladder, book, f"request-{next(numbers)}", chance.random())] += 1

        with ThreadPoolExecutor(PEOPLE) as pool:
            list(pool.map(person, range(PEOPLE)))
        served = [*anthropic.served, *ollama.served]
    return Played(_rows(ledger), _by_request(served), outcomes)


def _one(ladder: Ladder, book: Calls, request_id: str, luck: float) -> str:
    """Send one request; by luck its caller cancels it, or has enough of what he is told."""
    stop = threading.Event()

    def on_partial(_: object) -> None:
        if luck < 0.04:
            raise Enough
        if luck < 0.08:
            stop.set()

    if luck > 0.97:
        threading.Timer(0.03, stop.set).start()
    terms = book.terms(Caller(request_id, "ana"), lambda: None, on_partial=on_partial, stop=stop)
    try:
        ladder.ask(an_ask(user=request_id, deadline_s=DEADLINE_S), terms)
    except NoModelLeft:
        return "no model left"
    except ModelFailure as failure:
        return failure.kind
    except Enough:
        return "enough"
    return "answered"


def _rows(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in ledger.table("FROM llm_calls ORDER BY request_id, attempt").to_pylist():
        rows.setdefault(row["request_id"], []).append(row)
    return rows


def _by_request(served: list[Served]) -> dict[str, list[Served]]:
    """Sort by request; a request goes to Claude first, and within a server in order."""
    by_request: dict[str, list[Served]] = {}
    for one in served:
        by_request.setdefault(one.body["messages"][-1]["content"], []).append(one)
    return by_request
