"""Calls to models: what the ledger says against the server's own log, and what our side adds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from statistics import linear_regression, median
from time import perf_counter

import anthropic
import psutil
import pytest

from core.clock import SystemClock
from core.ledger import Ledger, writer
from core.llm import Breakers, Caller, Calls, Claude, Connections, Ladder, Retry, Rung
from core.malloc import share_arenas
from tests.asks import SCHEMA, an_ask
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.play import RatesForTests, play

pytestmark = pytest.mark.bench

CALLS = 200
# Calls before memory is looked at, and how much 2,000 more may take: the ledger keeps its rows.
WARMED_UP, MOST_MB = 500, 8.0


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


@pytest.mark.timeout(600)
def test_two_thousand_calls_leave_memory_and_files_as_they_were(
    ledger: Ledger, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_arenas()  # as a deployment does
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 400_000)  # rows do not wait in memory
    process, clock = psutil.Process(), SystemClock()
    book, ask = Calls(ledger, RatesForTests(), clock), an_ask()
    with AnthropicServer() as wire:
        claude = Claude(KEY, wire.url, connections)
        ladder = Ladder([Rung(1, ask.model, claude)], Retry(Breakers(), clock))
        held = []
        for number in range(WARMED_UP + 2_000):
            ladder.ask(ask, book.terms(Caller("r", "ana"), lambda: None))
            if number >= WARMED_UP and number % 100 == 0:
                wire.served.clear()  # the server's own log is not ours
                held.append((process.memory_info().rss / 2**20, process.num_fds()))
    memory, files = zip(*held, strict=True)
    slope = linear_regression(range(len(memory)), memory).slope * 20
    print(
        f"\n2,000 calls: memory {memory[0]:.0f} MB to {memory[-1]:.0f} MB, {slope:+.1f} MB by the "
        f"line; open files {min(files)} to {max(files)}"
    )
    assert max(files) - min(files) <= 2
    assert slope < MOST_MB
