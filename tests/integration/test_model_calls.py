"""What was asked of models is read back: attempts in order, what they used, providers' days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.analytics import Activity, ModelCalls, ProviderDay, Spending, falls_of
from core.ledger import Ledger
from tests.calling import LOST, OLLAMA, UNPRICED, a_call, failed
from tests.fakes import FakeClock
from tests.integration.test_activity import decided

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def model_calls(ledger: Ledger, clock: FakeClock) -> ModelCalls:
    return ModelCalls(ledger, clock)


def seconds(count: float) -> datetime:
    return AT + timedelta(seconds=count)


def test_attempts_come_in_the_order_in_which_they_began(
    ledger: Ledger, model_calls: ModelCalls
) -> None:
    events = [a_call("r", seconds(number), number) for number in (4, 1, 7, 2, 6, 3, 5)]
    ledger.write(*events, a_call("other", AT))
    assert [call.number for call in model_calls.of("r")] == [1, 2, 3, 4, 5, 6, 7]
    assert model_calls.of("nobody") == ()


def test_an_attempt_tells_all_that_was_written_of_it(
    ledger: Ledger, model_calls: ModelCalls
) -> None:
    cached = {"gen_ai_usage_cache_read_input_tokens": 1_000, "rung": 2}
    ledger.write(a_call("r", AT, 3, **cached))
    (call,) = model_calls.of("r")
    assert (call.number, call.rung, call.provider) == (3, 2, "anthropic")
    assert (call.began, call.latency_ms, call.first_token_ms) == (AT, 1_200.0, 400.0)
    assert call.ended == AT + timedelta(milliseconds=1_200)
    assert (call.input_tokens, call.cached_tokens, call.output_tokens) == (1_530, 1_000, 300)
    assert (call.cost_nano_usd, call.bound_nano_usd, call.measured) == (600_000, 900_000, True)


def test_many_requests_are_read_at_once_also_those_without_attempts(
    ledger: Ledger, model_calls: ModelCalls
) -> None:
    ledger.write(a_call("a", AT), a_call("b", AT), a_call("b", seconds(2), 2), a_call("c", AT))
    found = model_calls.of_all(["a", "b", "none"])
    assert {name: len(calls) for name, calls in found.items()} == {"a": 1, "b": 2, "none": 0}
    assert model_calls.of_all([]) == {}


def test_what_is_measured_lost_and_unknown_is_kept_apart(
    ledger: Ledger, model_calls: ModelCalls
) -> None:
    ledger.write(
        a_call("r", AT),
        a_call("r", seconds(2), 2, **LOST),
        a_call("r", seconds(4), 3, **UNPRICED),
    )
    spent = Spending.of(model_calls.of("r"))
    assert spent == Spending(
        calls=3,
        input_tokens=1_530 + 4_000 + 1_530,
        output_tokens=900,
        measured_nano_usd=600_000,
        unmeasured_nano_usd=1_234_567,
        unmeasured=1,
        unpriced=1,
    )
    assert spent.nano_usd == 1_834_567
    assert Spending.of(()) == Spending()
    assert spent + Spending() == spent


def test_a_rung_fell_if_its_last_attempt_failed(ledger: Ledger, model_calls: ModelCalls) -> None:
    ledger.write(
        a_call("r", AT, 1, **failed("overloaded")),
        a_call("r", seconds(1), 2, **failed("timeout")),
        a_call("r", seconds(2), 3, **failed("server", rung=2)),
        a_call("r", seconds(3), 4, rung=2),
        a_call("s", AT, 1, **failed("cancelled", outcome="cancelled")),
    )
    (fallen,) = falls_of(model_calls.of("r"))
    assert (fallen.last.rung, fallen.last.error, fallen.attempts) == (1, "timeout", 2)
    assert falls_of(model_calls.of("s")) == ()


def test_a_request_is_found_with_its_attempts(ledger: Ledger) -> None:
    request = decided(1)
    ledger.write(request, a_call(request.request_id, AT), a_call("other", AT))
    facts = Activity(ledger).request(request.request_id)
    assert facts is not None
    assert [call.model for call in facts.calls] == ["claude-haiku-5-5"]
    assert len(facts.rows["llm_calls"]) == 1


# --- providers


def test_an_empty_ledger_knows_no_provider(model_calls: ModelCalls) -> None:
    assert model_calls.today("UTC") == {}


def test_a_providers_day_is_counted_by_itself(
    ledger: Ledger, model_calls: ModelCalls, clock: FakeClock
) -> None:
    yesterday = AT - timedelta(days=1)
    ledger.write(
        a_call("old", yesterday, **failed("auth")),
        *(
            a_call("r", seconds(number), latency_ms=100.0 * number, first_token_ms=1.0)
            for number in range(1, 6)
        ),
        a_call("r", seconds(9), **failed("timeout", latency_ms=30_000.0)),
        a_call("r", seconds(10), **LOST),
        a_call("r", seconds(11), **failed("cancelled", outcome="cancelled")),
        a_call("l", seconds(12), **OLLAMA),
    )
    clock.set(seconds(60))
    days = model_calls.today("UTC")
    assert set(days) == {"anthropic", "ollama"}
    claude = days["anthropic"]
    assert (claude.spent.calls, claude.failures) == (8, 1)
    assert claude.spent.measured_nano_usd == 5 * 600_000
    assert (claude.spent.unmeasured, claude.spent.unmeasured_nano_usd) == (1, 1_234_567)
    # Latencies are those of answers: 100 to 500 ms, and 1,200 ms of the one that was not counted.
    assert claude.p50_ms == pytest.approx(350.0)
    assert claude.p95_ms == pytest.approx(1_025.0)
    assert (claude.answered_at, claude.failed_at) == (seconds(10), seconds(9))
    assert (claude.failure, claude.failed_model) == ("timeout", "claude-haiku-5-5")
    assert days["ollama"].spent == Spending(1, 1_530, 300)
    assert days["ollama"].failed_at is None


def test_the_day_is_the_viewers_and_the_last_failure_is_of_any_day(
    ledger: Ledger, model_calls: ModelCalls, clock: FakeClock
) -> None:
    ledger.write(a_call("r", AT, **failed("auth")))
    clock.set(AT + timedelta(hours=2))
    assert model_calls.today("UTC")["anthropic"].spent.calls == 1
    # There 9:00 in UTC is 23:00 of the day before, and two hours later it is the next day.
    assert model_calls.today("Pacific/Kiritimati")["anthropic"] == ProviderDay(
        "anthropic", failed_at=AT, failure="auth", failed_model="claude-haiku-5-5"
    )
