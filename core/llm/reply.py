"""An answer in the making: what a provider has said and counted so far."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from core.clock import stopwatch_ms
from core.llm.client import Ask, Completion, FailureKind, ModelFailure, Partial, Usage
from core.llm.connection import Patience, network_failure
from core.logs import redacted

__all__ = ["NOTHING_USED", "Reply", "status_kind"]

NOTHING_USED = Usage(0, 0)
LONGEST_QUOTE = 300

# The words of both providers for an answer that ran out of room.
_CUT_SHORT = {"max_tokens", "model_context_window_exceeded", "length"}
_DECLINED = {"refusal"}

_SENTENCES: dict[FailureKind, str] = {
    "rate_limited": "{who} takes no more requests with this key for now; try again in a minute.",
    "overloaded": "{who} is overloaded; try again in a minute.",
    "server": "{who} had an error of its own; try again in a minute.",
    "connection": "{who} cannot be reached at {where}; check the address and the network.",
    "timeout": "{who} did not answer in time.",
    "dropped": "{who} broke off in the middle of its answer.",
    "empty": "{who} sent an empty answer.",
    "malformed": "{who} sent something that is not the answer asked for; check its address.",
    "truncated": "The answer of {who} was cut off; allow it more tokens.",
    "refused": "{who} declined to answer this.",
    "auth": "{who} does not accept the key; enter another one.",
    "bad_request": "{who} does not take this request.",
    "cancelled": "The call to {who} was cancelled.",
    "deadline": "{who} answered too slowly.",
}
_STATUS_KINDS: dict[int, FailureKind] = {
    401: "auth",
    402: "auth",
    403: "auth",
    408: "timeout",
    429: "rate_limited",
    503: "overloaded",
    529: "overloaded",
}
SERVER_ERROR = 500


def status_kind(status: int) -> FailureKind:
    """Return what an HTTP status that is not 200 says."""
    return _STATUS_KINDS.get(status, "server" if status >= SERVER_ERROR else "bad_request")


class Reply:
    """Collects one answer, and says at its end, or when it breaks off, what came of it."""

    def __init__(self, ask: Ask, who: str, where: str, secrets: tuple[str, ...] = ()) -> None:
        """Begin to listen to `who` at `where`; `secrets` are never quoted."""
        self._ask = ask
        self._names = {"who": who, "where": where, "model": ask.model}
        self._secrets = secrets
        self._since = stopwatch_ms()
        self._first_token_ms: float | None = None
        self.text = ""
        self.has_begun = False
        self.response_id: str | None = None
        self.stop_reason: str | None = None
        self.usage: Usage | None = None

    def add(self, text: str) -> None:
        """Take in some more of the answer's words."""
        if self._first_token_ms is None:
            self._first_token_ms = stopwatch_ms(self._since)
        self.text += text

    def tell(self, on_partial: Partial) -> None:
        """Tell somebody of the JSON so far, if it is some already."""
        try:
            value = from_json(self.text, allow_partial="trailing-strings")
        except ValueError:
            return
        on_partial(value)

    def completion(self) -> Completion:
        """Return the answer, now that no more comes.

        Raises:
            ModelFailure: it is none.
        """
        if self.stop_reason is None:
            raise self.failure("dropped" if self.has_begun else "empty")
        if self.stop_reason in _DECLINED:
            raise self.failure("refused")
        if self.stop_reason in _CUT_SHORT:
            raise self.failure("truncated")
        if not self.text.strip():
            raise self.failure("empty")
        return Completion(
            value=self._value(),
            usage=self._used() or self._ask.most,
            stop_reason=self.stop_reason,
            response_id=self.response_id,
            first_token_ms=self._first_token_ms,
            latency_ms=stopwatch_ms(self._since),
        )

    def failure(
        self,
        kind: FailureKind,
        *,
        sentence: str | None = None,
        quote: str | None = None,
        unused: bool = False,
        retry_after_s: float | None = None,
    ) -> ModelFailure:
        """Return what to raise.

        Args:
            kind: of the failure.
            sentence: what to say of it, with {who}, {where} and {model}, if not the usual.
            quote: what the provider says of it, which is worth reading.
            unused: whether it is certain that nothing was used.
            retry_after_s: when the provider wants to be asked again.
        """
        said = (sentence or _SENTENCES[kind]).format_map(self._names)
        if quote:
            quoted = " ".join(redacted(quote, self._secrets).split())[:LONGEST_QUOTE]
            said = f"{said} It says: “{quoted}”"
        return ModelFailure(
            kind,
            said,
            usage=NOTHING_USED if unused else self._used(),
            retry_after_s=retry_after_s,
            stop_reason=self.stop_reason,
        )

    def broken(self, problem: Exception, patience: Patience) -> ModelFailure:
        """Return what to raise for what the HTTP client raised, or for what nobody understands."""
        kind, was_sent = network_failure(problem, patience, has_begun=self.has_begun)
        return self.failure(kind or "malformed", unused=not was_sent)

    def _value(self) -> Any:
        try:
            return from_json(self.text)
        except ValueError:
            pass
        raise self.failure("malformed")

    def _used(self) -> Usage | None:
        """The provider's own count, or as long as that may grow, an upper limit."""
        if self.usage is None or self.usage.measured:
            return self.usage
        return Usage(
            self.usage.input_tokens,
            max(self.usage.output_tokens, self._ask.max_tokens),
            self.usage.cache_read_tokens,
            self.usage.cache_write_tokens,
            measured=False,
        )
