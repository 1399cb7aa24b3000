"""What the ledger holds of calls to models, against what the servers say themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import LedgerUnavailable
from core.ledger import Ledger
from core.llm import (
    Breakers,
    Caller,
    Calls,
    Claude,
    Connections,
    Ladder,
    Pacing,
    Price,
    Retry,
    Rung,
    Timing,
    Usage,
)
from core.settings import PROJECT
from tests.asks import ScriptedModel, an_ask, failing
from tests.fakes import FakeClock
from tests.wire import anthropic_server, ollama_server
from tests.wire.play import RatesForTests, play

CALLER = Caller("request-1", "ana", prompt_version="plan-3")


@pytest.fixture
def calls(ledger: Ledger, clock: FakeClock) -> Calls:
    return Calls(ledger, RatesForTests(), clock)


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ledger.table("FROM llm_calls ORDER BY attempt").to_pylist()
    return found


def ask_once(calls: Calls, clock: FakeClock, *script: object, **changes: Any) -> None:
    timing = Timing(chance=lambda: 0.0)
    retry = Retry(Breakers(), clock, Pacing(), timing)
    rung = Rung(2, "claude-haiku-5-5", ScriptedModel(script), key_id="key-1")
    retry.complete(rung, an_ask(**changes), calls.terms(CALLER, lambda: None), [])


def test_every_attempt_is_a_row_with_what_it_cost(
    calls: Calls, ledger: Ledger, clock: FakeClock
) -> None:
    used = Usage(1_000, 800, cache_read_tokens=600, cache_write_tokens=300, reasoning_tokens=90)
    ask_once(calls, clock, failing("truncated", usage=used, stop_reason="max_tokens"))
    first, second = rows(ledger)
    assert (first["attempt"], first["rung"], first["purpose"]) == (1, 2, "plan")
    assert (first["request_id"], first["user_id"]) == ("request-1", "ana")
    assert (first["prompt_version"], first["key_id"]) == ("plan-3", "key-1")
    assert first["gen_ai_provider_name"] == "anthropic"
    assert first["gen_ai_request_model"] == "claude-haiku-5-5"
    assert first["gen_ai_usage_input_tokens"] == 1_000
    assert first["gen_ai_usage_cache_read_input_tokens"] == 600
    assert first["gen_ai_usage_cache_write_input_tokens"] == 300
    assert first["gen_ai_usage_output_tokens"] == 800
    assert first["gen_ai_usage_reasoning_output_tokens"] == 90
    assert first["gen_ai_response_finish_reasons"] == '["max_tokens"]'
    assert (first["outcome"], first["error_type"]) == ("failed", "truncated")
    assert first["cost_nano_usd"] == 100 * 100 + 600 * 10 + 300 * 125 + 800 * 500
    assert (first["cost_source"], first["cost_version"]) == ("anthropic", "1")
    assert first["measured"] is True
    assert (second["attempt"], second["outcome"], second["error_type"]) == (2, "succeeded", None)
    assert first["call_id"] != second["call_id"]
    assert first["ts"] < second["ts"]


def test_an_unmeasured_attempt_costs_its_bound(
    calls: Calls, ledger: Ledger, clock: FakeClock
) -> None:
    ask_once(calls, clock, failing("server"))
    lost, _ = rows(ledger)
    assert lost["measured"] is False
    assert lost["cost_nano_usd"] == lost["bound_nano_usd"] > 0


def test_what_nobody_knows_the_price_of_is_null(ledger: Ledger, clock: FakeClock) -> None:
    class Unknown(RatesForTests):
        def cost(self, *_: object) -> Price:
            return Price(None, "none", "1")

    ask_once(Calls(ledger, Unknown(), clock), clock)
    (row,) = rows(ledger)
    assert (row["cost_nano_usd"], row["bound_nano_usd"]) == (None, None)


def test_an_answer_is_not_given_when_its_row_cannot_be_written(
    calls: Calls, ledger: Ledger, clock: FakeClock
) -> None:
    ledger.close()
    with pytest.raises(LedgerUnavailable):
        ask_once(calls, clock)


def test_tokens_and_cost_are_those_of_the_servers_own_log(
    ledger: Ledger, connections: Connections
) -> None:
    played = play(200, ledger, connections)

    assert played.faults() == []
    assert len(played.pairs) == sum(len(served) for served in played.served.values()) >= 200
    scenes = {served.scene for _, served in played.pairs}
    assert len(scenes) > 0.8 * len(anthropic_server.SCENES.keys() | ollama_server.SCENES.keys())
    whole = [row["measured"] for row, served in played.pairs if served.scene == "whole"]
    assert sum(whole) > 0.7 * len(whole)
    assert played.outcomes["answered"] > 0


# --- a process that is killed while a model answers


def ask_and_never_hear(folder: str, url: str) -> None:
    """Ask a model that says nothing, in a process that will be killed."""
    ledger = Ledger(Path(folder) / "ledger.duckdb")
    calls = Calls.recovered(ledger, RatesForTests(), FakeClock())
    claude = Claude(anthropic_server.KEY, url, Connections())
    rung = Rung(1, "claude-haiku-5-5", claude, max_tokens=500, key_id="key-1")
    retry = Retry(Breakers(), FakeClock())
    Ladder([rung], retry).ask(an_ask(deadline_s=60.0), calls.terms(CALLER, lambda: None))


def test_what_a_kill_cut_off_counts_at_its_upper_limit_after_the_next_start(
    tmp_path: Path, clock: FakeClock
) -> None:
    code = "import sys, tests.integration.test_llm_calls as t; t.ask_and_never_hear(*sys.argv[1:])"
    with anthropic_server.AnthropicServer(["silent"]) as wire:
        command = [sys.executable, "-c", code, str(tmp_path), wire.url]
        with subprocess.Popen(command, cwd=PROJECT) as process:
            wire.wait_until_served(1, timeout_s=60.0)
            process.kill()
            assert process.wait() == -9
    ledger = Ledger(tmp_path / "ledger.duckdb")
    try:
        assert rows(ledger) == []
        Calls.recovered(ledger, RatesForTests(), clock)
        (row,) = rows(ledger)
        assert (row["outcome"], row["error_type"], row["measured"]) == ("failed", "dropped", False)
        assert (row["request_id"], row["key_id"]) == ("request-1", "key-1")
        assert row["gen_ai_usage_output_tokens"] == row["gen_ai_request_max_tokens"] == 500
        assert row["cost_nano_usd"] == row["bound_nano_usd"] > 0
        Calls.recovered(ledger, RatesForTests(), clock)
        assert len(rows(ledger)) == 1, "once is enough"
    finally:
        ledger.close()


def test_an_attempt_that_cannot_be_written_down_is_not_made(
    calls: Calls, ledger: Ledger, clock: FakeClock
) -> None:
    model = ScriptedModel(["answer"])
    ledger.close()
    with pytest.raises(LedgerUnavailable):
        Retry(Breakers(), clock).complete(
            Rung(1, "claude-haiku-5-5", model), an_ask(), calls.terms(CALLER, lambda: None), []
        )
    assert model.asked == []
