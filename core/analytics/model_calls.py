"""Calls of models: the attempts of each request, and how each provider does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from core.analytics.period import last_days, zone_of
from core.clock import Clock
from core.ledger import Ledger, Queries

__all__ = ["Fallen", "ModelCall", "ModelCalls", "ProviderDay", "Spending", "falls_of"]


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One attempt, as it ended; `number` counts those of its request, rung 1 is the preferred one.

    Input tokens include the cached ones, output tokens the reasoning. Where `measured` is False,
    tokens and cost are upper limits. No cost means that nobody knows the price.
    """

    call_id: str
    number: int
    rung: int
    provider: str
    model: str
    purpose: str
    began: datetime
    latency_ms: float
    first_token_ms: float | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    measured: bool
    outcome: str
    error: str | None
    cost_nano_usd: int | None
    bound_nano_usd: int | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make one of a row of `llm_calls`."""
        return cls(
            call_id=row["call_id"],
            number=row["attempt"],
            rung=row["rung"],
            provider=row["gen_ai_provider_name"],
            model=row["gen_ai_request_model"],
            purpose=row["purpose"],
            began=row["ts"],
            latency_ms=row["latency_ms"],
            first_token_ms=row["first_token_ms"],
            input_tokens=row["gen_ai_usage_input_tokens"],
            cached_tokens=row["gen_ai_usage_cache_read_input_tokens"],
            output_tokens=row["gen_ai_usage_output_tokens"],
            measured=row["measured"],
            outcome=row["outcome"],
            error=row["error_type"],
            cost_nano_usd=row["cost_nano_usd"],
            bound_nano_usd=row["bound_nano_usd"],
        )

    @property
    def ended(self) -> datetime:
        return self.began + timedelta(milliseconds=self.latency_ms)


@dataclass(frozen=True, slots=True)
class Spending:
    """What calls used together; of no calls it is 0.

    `measured_nano_usd` is what the provider's own counts cost, `unmeasured_nano_usd` the most that
    those can cost whose counts were lost. The prices of `unpriced` calls are not known.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    measured_nano_usd: int = 0
    unmeasured_nano_usd: int = 0
    unmeasured: int = 0
    unpriced: int = 0

    @classmethod
    def of(cls, calls: Iterable[ModelCall]) -> Self:
        made = tuple(calls)
        return cls(
            calls=len(made),
            input_tokens=sum(call.input_tokens for call in made),
            output_tokens=sum(call.output_tokens for call in made),
            measured_nano_usd=sum(call.cost_nano_usd or 0 for call in made if call.measured),
            unmeasured_nano_usd=sum(call.cost_nano_usd or 0 for call in made if not call.measured),
            unmeasured=sum(not call.measured for call in made),
            unpriced=sum(call.cost_nano_usd is None for call in made),
        )

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            *(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        )

    @property
    def nano_usd(self) -> int:
        """The most that all calls of known price can have cost; exact where all are measured."""
        return self.measured_nano_usd + self.unmeasured_nano_usd

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Fallen:
    """A rung that gave no answer: its last attempt, and how many there were."""

    last: ModelCall
    attempts: int


def falls_of(calls: Sequence[ModelCall]) -> tuple[Fallen, ...]:
    """Return the rungs that were asked and left, in order; one that was cancelled did not fall."""
    rungs: dict[int, list[ModelCall]] = {}
    for call in calls:
        rungs.setdefault(call.rung, []).append(call)
    return tuple(
        Fallen(attempts[-1], len(attempts))
        for _, attempts in sorted(rungs.items())
        if attempts[-1].outcome == "failed"
    )


@dataclass(frozen=True, slots=True)
class ProviderDay:
    """How a provider does today, and when it last answered and failed, on any day.

    `failures` are those of `spent.calls`; latencies are those of answers, None where there are
    none. `failure` is the kind of the last failure, `failed_model` the model that was asked.
    """

    provider: str
    spent: Spending = Spending()
    failures: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    answered_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str | None = None
    failed_model: str | None = None


class ModelCalls:
    """Reads the attempts that were made to get answers from models."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._clock = clock

    def of(self, request_id: str) -> tuple[ModelCall, ...]:
        """Return the attempts of one request, in the order in which they began."""
        rows = self._queries.rows("request_llm_calls", request_id=request_id)
        return tuple(map(ModelCall.of, rows))

    def of_all(self, request_ids: Sequence[str]) -> dict[str, tuple[ModelCall, ...]]:
        """Return the attempts of many requests; one without attempts has none."""
        found: dict[str, tuple[ModelCall, ...]] = dict.fromkeys(request_ids, ())
        if request_ids:
            for row in self._queries.rows("model_calls", request_ids=list(request_ids)):
                found[row["request_id"]] += (ModelCall.of(row),)
        return found

    def today(self, zone: str | None) -> dict[str, ProviderDay]:
        """Return how each provider that was ever asked does on this day of the viewer's zone."""
        (day,) = last_days(self._clock.now(), zone_of(zone), 1)
        rows = self._queries.rows("provider_calls", start=day.start, end=day.end)
        return {row["provider"]: _provider_day(row) for row in rows}


def _provider_day(row: dict[str, Any]) -> ProviderDay:
    spent = Spending(**{name: row.pop(name) for name in Spending.__dataclass_fields__})
    return ProviderDay(spent=spent, **row)
