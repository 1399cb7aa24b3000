"""What is asked of a model, what comes back, and the ways in which nothing does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from core.errors import WaywardenError

__all__ = [
    "FAILURES",
    "Ask",
    "Completion",
    "FailureKind",
    "Flaw",
    "InvalidAnswer",
    "Model",
    "ModelFailure",
    "Partial",
    "Purpose",
    "Usage",
]

Purpose = Literal["rank", "plan", "check"]
FailureKind = Literal[
    "rate_limited",  # the provider says: less
    "overloaded",  # the provider says: later
    "server",  # the provider stumbled
    "connection",  # nobody could be reached
    "timeout",  # nothing came in time
    "dropped",  # the answer broke off
    "empty",  # an answer without words
    "malformed",  # not what was asked for, or not the protocol
    "invalid",  # whole, but against the rules of the question
    "truncated",  # the answer ran into its longest length
    "refused",  # the model declined
    "leaked",  # the answer tells what the model was told in confidence
    "auth",  # the key does not open this door
    "bad_request",  # the provider finds fault with what was asked
    "cancelled",  # the caller wanted no more of it
    "deadline",  # the answer was coming, but too slowly
]
FAILURES: tuple[FailureKind, ...] = get_args(FailureKind)
_RETRYABLE: frozenset[FailureKind] = frozenset(
    {
        *("rate_limited", "overloaded", "server", "connection", "timeout"),
        *("dropped", "empty", "malformed", "invalid", "truncated"),
    }
)
# What a provider adds of its own to a prompt, in tokens, at the very most.
OVERHEAD_TOKENS = 1_000

Partial = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt: input with the cached ones, output with the reasoning.

    Where `measured` is False the provider's count was lost, and these are upper limits.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    measured: bool = True
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to one model, to be answered by JSON that fits `schema`.

    `effort` is the provider's word for how hard to think, “off” for not at all, None for its own
    choice. `deadline_s` is for the whole call, from connecting to the last word. `cached` says
    that `system` will soon be sent again, so that keeping it pays. A ladder says which model.
    """

    purpose: Purpose
    system: str
    user: str
    schema: dict[str, Any]
    deadline_s: float
    model: str = ""
    max_tokens: int = 1_024
    effort: str | None = None
    cached: bool = False

    @property
    def input_bytes(self) -> int:
        """Length in UTF-8 of all that is sent; no tokenizer makes more tokens than bytes."""
        schema = json.dumps(self.schema, ensure_ascii=False)
        said = (self.system, self.user, schema)
        return sum(len(text.encode(errors="surrogatepass")) for text in said)

    @property
    def most(self) -> Usage:
        """The most that one attempt can use, whatever becomes of it."""
        tokens = self.input_bytes + OVERHEAD_TOKENS
        return Usage(tokens, self.max_tokens, cache_write_tokens=tokens, measured=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer; `value` is parsed JSON that nobody has compared with the schema yet."""

    value: Any
    usage: Usage
    stop_reason: str
    response_id: str | None
    first_token_ms: float | None
    latency_ms: float


class ModelFailure(WaywardenError):
    """A model gave no usable answer; the sentence holds neither keys nor headers.

    `usage` is what the attempt cost all the same, None where nothing is known of it.
    """

    def __init__(
        self,
        kind: FailureKind,
        sentence: str,
        *,
        usage: Usage | None = None,
        retry_after_s: float | None = None,
        stop_reason: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind: FailureKind = kind
        self.retryable = kind in _RETRYABLE
        self.usage = usage
        self.retry_after_s = retry_after_s
        self.stop_reason = stop_reason


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a whole answer: a sentence for people, and what to tell the model.

    `repair` follows the question when it is asked once more; it has to bring what it speaks of.
    """

    sentence: str
    repair: str


class InvalidAnswer(ModelFailure):
    """A whole answer that is against the rules of the question."""

    def __init__(self, flaw: Flaw, answer: Completion) -> None:
        super().__init__(
            "invalid", flaw.sentence, usage=answer.usage, stop_reason=answer.stop_reason
        )
        self.flaw = flaw


class Model(Protocol):
    """A provider's door; safe to share between threads."""

    provider: str

    def complete(
        self,
        ask: Ask,
        *,
        on_partial: Partial | None = None,
        stop: threading.Event | None = None,
    ) -> Completion:
        """Ask once, and return the whole answer.

        Args:
            ask: the question.
            on_partial: told, in this thread, of the JSON so far each time it has grown; what it
                raises ends the call and comes out of here.
            stop: setting it ends the call within a moment.

        Raises:
            ModelFailure: there is no usable answer.
        """
        ...
