"""Requests that models were asked for, as the ledger holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.clock import new_id
from core.ledger import (
    ExecutionPlanned,
    Ledger,
    LlmCall,
    RecommendationMade,
    RequestDecided,
    RequestSettled,
)
from core.runtime import Runtime
from tests.asking import asked, rows, run, to_execute, to_recommend

__all__ = ["a_call", "asked_models", "by_model", "run_by_models"]

HAIKU, SONNET, LLAMA = "claude-haiku-5-5", "claude-sonnet-5-5", "llama3.2"


def a_call(request_id: str, ts: datetime, number: int = 1, /, **changes: Any) -> LlmCall:
    """An attempt of Claude haiku that went well in 1.2 s; `changes` are of the event's fields."""
    return LlmCall.model_validate(
        {
            "ts": ts,
            "call_id": new_id(),
            "request_id": request_id,
            "user_id": "local",
            "purpose": "rank",
            "attempt": number,
            "rung": 1,
            "gen_ai_provider_name": "anthropic",
            "gen_ai_request_model": HAIKU,
            "gen_ai_request_max_tokens": 1_024,
            "gen_ai_usage_input_tokens": 1_530,
            "gen_ai_usage_output_tokens": 300,
            "outcome": "succeeded",
            "cost_nano_usd": 600_000,
            "cost_source": "genai-prices",
            "cost_version": "1",
            "bound_nano_usd": 900_000,
            "first_token_ms": 400.0,
            "latency_ms": 1_200.0,
            **changes,
        }
    )


def failed(error: str, **changes: Any) -> dict[str, Any]:
    """The fields of an attempt that failed and used nothing."""
    return {
        "outcome": "failed",
        "error_type": error,
        "gen_ai_usage_input_tokens": 0,
        "gen_ai_usage_output_tokens": 0,
        "cost_nano_usd": 0,
        "first_token_ms": None,
        **changes,
    }


OLLAMA: dict[str, Any] = {
    "gen_ai_provider_name": "ollama",
    "gen_ai_request_model": LLAMA,
    "cost_nano_usd": 0,
}
LOST: dict[str, Any] = {
    "measured": False,
    "gen_ai_usage_input_tokens": 4_000,
    "cost_nano_usd": 1_234_567,
}
UNPRICED: dict[str, Any] = {
    "cost_nano_usd": None,
    "bound_nano_usd": None,
    "cost_source": "unknown",
}


def by_model(model: str) -> dict[str, Any]:
    """Say of an answer that this model gave it."""
    return {
        "name": "model",
        "version": f"model:{model}:1a2b3c4d",
        "provider": "anthropic" if model.startswith("claude") else "ollama",
        "model": model,
        "rung": 1,
    }


def _falls(attempts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell of each model whose last attempt failed."""
    last = {
        (each.get("rung", 1), each.get("gen_ai_request_model", HAIKU)): each for each in attempts
    }
    return [
        {
            "rung": rung,
            "provider": each.get("gen_ai_provider_name", "anthropic"),
            "model": model,
            "kind": each["error_type"],
            "reason": "So.",
        }
        for (rung, model), each in last.items()
        if each.get("error_type")
    ]


def asked_models(
    runtime: Runtime, *attempts: dict[str, Any], model: str | None = HAIKU, title: str = "fix it"
) -> str:
    """Put an answer into the ledger that came of these attempts; no model: of the local ranker."""
    ledger = runtime.ledger
    answer = asked(runtime, to_recommend(title, user_id="local"))
    told = _row(ledger, "recommendations", request_id=answer.request_id)
    source = by_model(model) if model else {"name": "local", "version": told["ranker_version"]}
    told |= {"ranker": source["name"], "ranker_version": source["version"]}
    if attempts:
        told["source"] = source | {"falls": _falls(attempts)}
    request_id, at = _copied(ledger, answer.request_id, attempts, "rank")
    told |= {"request_id": request_id, "ts": at}
    ledger.write(RecommendationMade.model_validate(told))
    return request_id


def run_by_models(
    runtime: Runtime, *attempts: dict[str, Any], source: dict[str, Any] | None = None
) -> str:
    """Put a run into the ledger whose steps came of these attempts, and whose plan says so."""
    ledger = runtime.ledger
    made = run(runtime, to_execute("fix it", user_id="local"))
    told = _row(ledger, "executions", execution_id=made.execution_id)
    if source:
        told |= {"planner": source["name"], "planner_version": source["version"]}
    request_id, at = _copied(ledger, made.execution_id, attempts, "plan")
    told |= {"execution_id": request_id, "source": source, "ts": at}
    ledger.write(ExecutionPlanned.model_validate(told))
    return request_id


def _copied(
    ledger: Ledger, of: str, attempts: tuple[dict[str, Any], ...], purpose: str
) -> tuple[str, datetime]:
    """Write the same request under another id, with attempts one after the other.

    Returns:
        Its id, and when the last attempt was over.
    """
    request_id = new_id()
    request = _row(ledger, "requests", request_id=of)
    settled = _row(ledger, "settlements", request_id=of)
    request["ts"] += timedelta(seconds=1)
    at = request["ts"] + timedelta(milliseconds=10)
    calls = []
    for number, changes in enumerate(attempts, start=1):
        calls.append(a_call(request_id, at, number, **{"purpose": purpose} | changes))
        at += timedelta(milliseconds=calls[-1].latency_ms + 50)
    costs = [call.cost_nano_usd for call in calls]
    settled |= {"request_id": request_id, "latency_ms": 2_000.0}
    settled["ts"] = at + timedelta(milliseconds=1)
    settled["cost_nano_usd"] = None if None in costs else sum(cost or 0 for cost in costs)
    ledger.write(
        RequestDecided.model_validate(
            request | {"request_id": request_id, "idempotency_key": None}
        ),
        *calls,
        RequestSettled.model_validate(settled),
    )
    return request_id, at


def _row(ledger: Ledger, table: str, **named: str) -> dict[str, Any]:
    """The one row that has this, with its JSON read."""
    ((name, value),) = named.items()
    (found,) = [row for row in rows(ledger, table) if row[name] == value]
    lists = ("candidates", "shown", "steps", "notes", "recent_tasks", "code_context")
    return found | {each: json.loads(found[each]) for each in lists if found.get(each)}
