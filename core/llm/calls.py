"""Every attempt becomes one row, with what it used and what that costs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from core.clock import Clock
from core.ledger import Ledger, LlmCall, LlmCallBegun, Queries
from core.llm.client import Ask, Flaw, Partial, Usage
from core.llm.retry import Attempt, Terms
from core.llm.source import Spent

__all__ = ["Caller", "Calls", "Priced", "Pricing"]


class Priced(Protocol):
    """A cost, and where its rates are from; None where nobody knows."""

    @property
    def nano_usd(self) -> int | None: ...
    @property
    def source(self) -> str: ...
    @property
    def version(self) -> str: ...


class Pricing(Protocol):
    """What calls cost, and can cost at most; `Prices` is one."""

    def cost(self, provider: str, model: str, usage: Usage, at: datetime) -> Priced: ...

    def bound(
        self, provider: str, model: str, input_bytes: int, max_tokens: int, at: datetime
    ) -> Priced: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf models are asked."""

    request_id: str
    user_id: str
    prompt_version: str | None = None


class Calls:
    """Prices attempts and writes them down."""

    def __init__(self, ledger: Ledger, pricing: Pricing, clock: Clock) -> None:
        self._ledger = ledger
        self._pricing = pricing
        self._clock = clock
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))

    def terms(
        self,
        caller: Caller,
        allowed: Callable[[], str | None],
        *,
        on_partial: Partial | None = None,
        stop: threading.Event | None = None,
        check: Callable[[Any], Flaw | None] | None = None,
        spent: Spent | None = None,
    ) -> Terms:
        """Return terms under which every attempt is a durable row before its answer is seen.

        What each used is added to `spent`. Recording one raises LedgerUnavailable where that
        fails.
        """

        def record(attempt: Attempt) -> None:
            if spent is not None:
                self._spend(spent, attempt)
            self._record(caller, attempt)

        return Terms(
            bound=self._bound,
            record=record,
            begin=lambda attempt: self._begin(caller, attempt),
            allowed=allowed,
            on_partial=on_partial,
            stop=stop,
            check=check,
        )

    def _spend(self, spent: Spent, attempt: Attempt) -> None:
        cost = self._cost(attempt).nano_usd
        known = spent.cost_nano_usd
        spent.cost_nano_usd = None if cost is None or known is None else known + cost
        spent.input_tokens += attempt.usage.input_tokens
        spent.output_tokens += attempt.usage.output_tokens
        spent.is_measured = spent.is_measured and attempt.usage.measured

    def _bound(self, provider: str, ask: Ask) -> int | None:
        now = self._clock.now()
        price = self._pricing.bound(provider, ask.model, ask.input_bytes, ask.max_tokens, now)
        return price.nano_usd

    def _cost(self, attempt: Attempt) -> Priced:
        return self._pricing.cost(attempt.provider, attempt.model, attempt.usage, attempt.started)

    @classmethod
    def recovered(cls, ledger: Ledger, pricing: Pricing, clock: Clock) -> Calls:
        """Open the book, and count what a previous process began and never ended as lost.

        It counts at its upper limit, as it was written down before it began.
        """
        calls = cls(ledger, pricing, clock)
        rows = calls._queries.rows("cut_off")
        ledger.write(*(LlmCall.model_validate(_parsed(row)) for row in rows))
        return calls

    def _begin(self, caller: Caller, attempt: Attempt) -> None:
        lost = replace(attempt, outcome="failed", error="dropped")
        self._ledger.write(LlmCallBegun(**self._fields(caller, lost)))

    def _record(self, caller: Caller, attempt: Attempt) -> None:
        self._ledger.write(LlmCall(**self._fields(caller, attempt)))

    def _fields(self, caller: Caller, attempt: Attempt) -> dict[str, Any]:
        usage, price = attempt.usage, self._cost(attempt)
        return {
            "ts": attempt.started,
            "call_id": attempt.call_id,
            "request_id": caller.request_id,
            "user_id": caller.user_id,
            "purpose": attempt.purpose,
            "attempt": attempt.number,
            "rung": attempt.rung,
            "prompt_version": caller.prompt_version,
            "key_id": attempt.key_id,
            "gen_ai_provider_name": attempt.provider,
            "gen_ai_request_model": attempt.model,
            "gen_ai_request_max_tokens": attempt.max_tokens,
            "gen_ai_response_id": attempt.response_id,
            "gen_ai_response_finish_reasons": [attempt.stop_reason] if attempt.stop_reason else [],
            "gen_ai_usage_input_tokens": usage.input_tokens,
            "gen_ai_usage_cache_read_input_tokens": usage.cache_read_tokens,
            "gen_ai_usage_cache_write_input_tokens": usage.cache_write_tokens,
            "gen_ai_usage_output_tokens": usage.output_tokens,
            "gen_ai_usage_reasoning_output_tokens": usage.reasoning_tokens,
            "measured": usage.measured,
            "outcome": attempt.outcome,
            "error_type": attempt.error,
            "cost_nano_usd": price.nano_usd,
            "cost_source": price.source,
            "cost_version": price.version,
            "bound_nano_usd": attempt.bound_nano_usd,
            "first_token_ms": attempt.first_token_ms,
            "latency_ms": attempt.latency_ms,
        }


def _parsed(row: Mapping[str, Any]) -> dict[str, Any]:
    name = "gen_ai_response_finish_reasons"
    return {**row, name: json.loads(row[name] or "[]")}
