"""Calls to models: what the ledger says against the server's own log, and what our side adds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from statistics import median
from time import perf_counter

import anthropic
import pytest

from core.clock import SystemClock
from core.ledger import Ledger
from core.llm import Breakers, Caller, Calls, Claude, Connections, Ladder, Retry, Rung
from tests.asks import SCHEMA, an_ask
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.play import RatesForTests, play

pytestmark = pytest.mark.bench

CALLS = 200


@pytest.mark.timeout(600)
def test_a_thousand_calls_with_every_failure(ledger: Ledger, connections: Connections) -> None:
    played = play(1_000, ledger, connections)
    measured = [row["measured"] for row, _ in played.pairs]
    print(
        f"\n{len(played.pairs)} calls, {sum(measured)} measured, "
        f"{len(played.faults())} differ; requests: {dict(played.outcomes)}"
    )
    assert played.faults() == []


def timed(callers: int, call: Callable[[], object]) -> tuple[float, float]:
    """Return the median milliseconds of a call, and calls a second."""
    took_ms: list[float] = []

    def caller() -> None:
        for _ in range(CALLS // callers):
            since = perf_counter()
            call()
            took_ms.append((perf_counter() - since) * 1_000)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    since = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return median(took_ms), len(took_ms) / (perf_counter() - since)


@pytest.mark.parametrize("callers", [1, 16])
def test_what_our_side_adds_to_a_streamed_call(
    callers: int, ledger: Ledger, connections: Connections
) -> None:
    clock = SystemClock()
    book = Calls(ledger, RatesForTests(), clock)
    ask = an_ask()
    schema = anthropic.transform_schema(SCHEMA)
    with (
        AnthropicServer() as wire,
        anthropic.Anthropic(api_key=KEY, base_url=wire.url, max_retries=0) as sdk,
    ):
        rung = Rung(1, ask.model, Claude(KEY, wire.url, connections))
        ladder = Ladder([rung], Retry(Breakers(), clock))

        def bare() -> None:
            with sdk.messages.stream(
                model=ask.model,
                max_tokens=ask.max_tokens,
                system=ask.system,
                messages=[{"role": "user", "content": ask.user}],
                output_config={"format": {"type": "json_schema", "schema": schema}},
            ) as stream:
                stream.get_final_message()

        def ours() -> None:
            ladder.ask(
                ask, book.terms(Caller("r", "ana"), lambda: None, on_partial=lambda _: None)
            )

        bare()
        ours()
        bare_ms, bare_rate = timed(callers, bare)
        ours_ms, ours_rate = timed(callers, ours)
    print(
        f"\n{callers} callers: bare SDK {bare_ms:.1f} ms, {bare_rate:.0f}/s; "
        f"with ladder, retries and a durable row {ours_ms:.1f} ms, {ours_rate:.0f}/s"
    )
    if callers == 1:
        assert ours_ms - bare_ms <= 12
    else:
        assert ours_rate >= bare_rate / 2
