"""Claude, by its SDK; the only file that loads it, and not before it is needed."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from core.llm.client import Ask, Completion, FailureKind, ModelFailure, Partial, Usage
from core.llm.connection import Connections, Patience
from core.llm.reply import Reply, status_kind

if TYPE_CHECKING:
    import httpx2
    from anthropic import Anthropic, APIStatusError
    from anthropic.types import OutputConfigParam, TextBlockParam, ThinkingConfigParam

__all__ = ["Claude"]

# A stream that is alive sends a ping every few seconds.
SILENCE_S = 30.0
WHOLE, NOT_FOUND = 200, 404
EVENT_STREAM = "text/event-stream"
# https://platform.claude.com/docs/en/api/errors
_ERROR_KINDS: dict[str, FailureKind] = {
    "invalid_request_error": "bad_request",
    "not_found_error": "bad_request",
    "authentication_error": "auth",
    "billing_error": "auth",
    "permission_error": "auth",
    "rate_limit_error": "rate_limited",
    "timeout_error": "timeout",
    "api_error": "server",
    "overloaded_error": "overloaded",
}
# Before the answer begins, these are not billed; of other errors nobody knows.
_UNBILLED: set[FailureKind] = {"bad_request", "auth", "rate_limited", "overloaded"}
_WORTH_QUOTING: set[FailureKind] = {"bad_request", "auth"}
_NO_MODEL = "{who} has no model “{model}”; choose another one on the settings page."
_NOT_THERE = "There is nothing of {who} at this address of {where}; check it."


class Claude:
    """Claude with one key; many of them can share one set of connections."""

    provider = "anthropic"

    def __init__(self, key: str, base_url: str, connections: Connections) -> None:
        self._key = key
        self._base_url = base_url
        self._connections = connections
        self._lock = threading.Lock()
        self._sdk: Anthropic | None = None

    @staticmethod
    def warm_up() -> None:
        """Load the SDK, which takes seconds: for a background thread at the start."""
        import anthropic

        with anthropic.Anthropic(api_key="-", open_telemetry=False) as sdk:
            _ = sdk.messages

    def complete(
        self,
        ask: Ask,
        *,
        on_partial: Partial | None = None,
        stop: threading.Event | None = None,
    ) -> Completion:
        reply = Reply(ask, "Claude", _host(self._base_url), (self._key,))
        if not self._key.isascii() or not self._key.isprintable() or not self._key:
            raise reply.failure("auth", unused=True)
        self._client()  # if the SDK is not loaded yet, that is not the provider's fault
        patience = Patience(ask.deadline_s, SILENCE_S, stop)
        with patience.held(), closing(self._growing(ask, reply, patience)) as growing:
            for grown in growing:
                if on_partial is not None:
                    grown.tell(on_partial)
        return reply.completion()

    def _growing(self, ask: Ask, reply: Reply, patience: Patience) -> Generator[Reply]:
        """Give the reply again each time that its text has grown."""
        failure = None
        try:
            with self._client().messages.stream(
                model=ask.model,
                max_tokens=ask.max_tokens,
                system=[_system(ask)],
                messages=[{"role": "user", "content": ask.user}],
                timeout=ask.deadline_s,
                **_settings(ask),
            ) as stream:
                if not _is_event_stream(stream.response):
                    failure = reply.failure("malformed")
                for event in stream:
                    if _take_in(event, reply):
                        yield reply
        except Exception as problem:  # noqa: BLE001 - whatever comes over the wire
            failure = _failure(problem, reply, patience)
        # Outside of the handler: what the SDK raises has the key in the headers of its request.
        if failure is not None:
            raise failure

    def _client(self) -> Anthropic:
        with self._lock:
            if self._sdk is None:
                import anthropic

                self._sdk = anthropic.Anthropic(
                    api_key=self._key,
                    base_url=self._base_url,
                    max_retries=0,
                    http_client=self._connections.client,
                    open_telemetry=False,
                )
            return self._sdk


def _system(ask: Ask) -> TextBlockParam:
    block: TextBlockParam = {"type": "text", "text": ask.system}
    if ask.cached:
        block["cache_control"] = {"type": "ephemeral"}
    return block


def _settings(ask: Ask) -> dict[str, Any]:
    """The schema and the effort, as the API takes them."""
    import anthropic

    schema = anthropic.transform_schema(ask.schema)
    output: OutputConfigParam = {"format": {"type": "json_schema", "schema": schema}}
    if ask.effort == "off":
        thinking: ThinkingConfigParam = {"type": "disabled"}
        return {"output_config": output, "thinking": thinking}
    if ask.effort is not None:
        output["effort"] = ask.effort  # type: ignore[typeddict-item] # the API judges the word
    return {"output_config": output}


def _take_in(event: Any, reply: Reply) -> bool:
    """Note what an event says; return whether the text has grown."""
    reply.has_begun = True
    match event.type:
        case "message_start":
            reply.response_id = event.message.id
            reply.usage = _usage(event.message.usage, None)
        case "text":
            reply.add(event.text)
            return True
        case "message_delta":
            reply.stop_reason = event.delta.stop_reason
            reply.usage = _usage(event.usage, reply.usage)
    return False


def _usage(counted: Any, before: Usage | None) -> Usage:
    """Add up a count of the API, whose `input_tokens` leave out the cached ones.

    That of `message_start` is a beginning; those of `message_delta` are totals, where what is not
    mentioned has not changed: https://platform.claude.com/docs/en/build-with-claude/streaming
    """
    known = before or Usage(0, 0)
    fresh = known.input_tokens - known.cache_read_tokens - known.cache_write_tokens
    fresh = _or(counted.input_tokens, fresh)
    read = _or(counted.cache_read_input_tokens, known.cache_read_tokens)
    write = _or(counted.cache_creation_input_tokens, known.cache_write_tokens)
    details = counted.output_tokens_details
    return Usage(
        input_tokens=fresh + read + write,
        output_tokens=int(counted.output_tokens),
        cache_read_tokens=read,
        cache_write_tokens=write,
        measured=before is not None,
        reasoning_tokens=int(details.thinking_tokens) if details else 0,
    )


def _or(tokens: int | None, known: int) -> int:
    return known if tokens is None else int(tokens)


def _failure(problem: Exception, reply: Reply, patience: Patience) -> ModelFailure:
    import anthropic

    if not isinstance(problem, anthropic.APIStatusError) or patience.ended == "cancelled":
        return reply.broken(problem, patience)
    is_whole = problem.status_code != WHOLE
    kind = status_kind(problem.status_code) if is_whole else "server"
    kind = _ERROR_KINDS.get(problem.type or "", kind)
    message, sentence = str(problem.api_message or ""), None
    if problem.status_code == NOT_FOUND:
        sentence = _NO_MODEL if message.startswith("model:") else _NOT_THERE
    return reply.failure(
        kind,
        sentence=sentence,
        quote=message if kind in _WORTH_QUOTING else None,
        unused=is_whole and kind in _UNBILLED,
        retry_after_s=_retry_after_s(problem),
    )


def _retry_after_s(problem: APIStatusError) -> float | None:
    """Read the header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    headers = problem.response.headers
    after = headers.get("retry-after", "")
    try:
        return max(0.0, float(after))
    except ValueError:
        pass
    try:
        until, now = parsedate_to_datetime(after), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _is_event_stream(response: httpx2.Response) -> bool:
    """The SDK finds no events in any other body, and says nothing of it."""
    return bool(response.headers.get("content-type", "").startswith(EVENT_STREAM))


def _host(base_url: str) -> str:
    """The address without what may be secret in it."""
    return base_url.partition("://")[2].rpartition("@")[2].partition("/")[0]
