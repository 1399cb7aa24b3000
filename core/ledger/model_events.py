"""What happened between Waywarden and the providers of models."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from core.ledger.event import Count, Event

__all__ = ["KeyChanged", "KeySealed", "LlmCall", "LlmCallBegun"]


class LlmCall(Event):
    """One attempt to get an answer from a model; `ts` is when it began.

    Input tokens include the cached ones, output tokens the reasoning. Where `measured` is False
    the provider's count was lost, and tokens and cost are upper limits. `key_id` is never a key.
    """

    table: ClassVar[str] = "llm_calls"
    call_id: str
    request_id: str
    user_id: str
    purpose: Literal["rank", "plan", "check"]
    attempt: Count
    rung: Count
    prompt_version: str | None = None
    key_id: str | None = None
    gen_ai_provider_name: str
    gen_ai_request_model: str
    gen_ai_request_max_tokens: Count
    gen_ai_response_id: str | None = None
    gen_ai_response_finish_reasons: list[str] = Field(default_factory=list)
    gen_ai_usage_input_tokens: Count
    gen_ai_usage_cache_read_input_tokens: Count = 0
    gen_ai_usage_cache_write_input_tokens: Count = 0
    gen_ai_usage_output_tokens: Count
    gen_ai_usage_reasoning_output_tokens: Count = 0
    measured: bool = True
    outcome: Literal["succeeded", "failed", "cancelled"]
    error_type: str | None = None
    cost_nano_usd: Count | None = None
    cost_source: str
    cost_version: str
    bound_nano_usd: Count | None = None
    first_token_ms: float | None = None
    latency_ms: float


class LlmCallBegun(LlmCall):
    """An attempt before it began: as it counts if nothing more is ever heard of it."""

    table: ClassVar[str] = "llm_calls_begun"


class KeySealed(Event):
    """A person's key for a provider, sealed under the master key `master_id`.

    A key that was revoked, cleared or replaced loses what is sealed when the master key changes.
    """

    table: ClassVar[str] = "provider_keys"
    key_id: str
    user_id: str
    provider: str
    last_four: str
    actor: str
    master_id: str | None = None
    sealed: str | None = None


class KeyChanged(Event):
    """What happened to a stored key, and who did it; uses are noted once a minute."""

    table: ClassVar[str] = "key_events"
    event_id: str
    key_id: str
    user_id: str
    provider: str
    event: Literal["stored", "used", "replaced", "revoked", "cleared", "resealed", "erased"]
    actor: str
    master_id: str | None = None
