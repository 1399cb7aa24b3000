"""Asking one model until it answers, or until asking again would not help."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from core.clock import Clock, new_id, stopwatch_ms
from core.errors import WaywardenError
from core.llm.breaker import Breakers
from core.llm.client import (
    Ask,
    Completion,
    FailureKind,
    Flaw,
    InvalidAnswer,
    Model,
    ModelFailure,
    Partial,
    Purpose,
    Usage,
)

__all__ = ["Attempt", "ModelsForbidden", "Pacing", "Retry", "Rung", "Terms", "Timing"]

# A provider that comes back is asked up to three times, a model that answers badly twice. One
# whose answer is invalid is told why and asked once more, whatever came before.
_BAD_ANSWERS: frozenset[FailureKind] = frozenset({"empty", "malformed", "truncated"})
# With less time than this left, nothing could come of another attempt.
LEAST_S = 0.2


class ModelsForbidden(WaywardenError):
    """No model may be asked this; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One model of a ladder, and who is asked for it; the preferred one is number 1.

    What is None is as the question has it. `key_id` names the key and is not the key.
    """

    number: int
    model: str
    client: Model
    max_tokens: int | None = None
    effort: str | None = None
    deadline_s: float | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as it ended; `error` is the kind of its failure, `bound` from before it began."""

    call_id: str
    number: int
    rung: int
    provider: str
    model: str
    purpose: Purpose
    max_tokens: int
    started: datetime
    bound_nano_usd: int | None
    outcome: Literal["succeeded", "failed", "cancelled"]
    usage: Usage
    latency_ms: float
    key_id: str | None = None
    error: FailureKind | None = None
    stop_reason: str | None = None
    response_id: str | None = None
    first_token_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a call is made under: who may forbid it, who is told, and who may stop it.

    `bound` gives the most that one attempt can cost, in nano-USD, None where prices are unknown;
    it is asked before each attempt, and what it raises prevents it. `begin` makes an attempt
    durable before it begins, `record` as it ended, before anybody sees what came of it. `allowed`
    gives the reason why no model may be asked, or None. `on_partial` begins anew with each
    attempt. `check` finds the flaw of a whole answer, or None; a flawed one is recorded as a
    failure, and its model asked once to mend it.
    """

    bound: Callable[[str, Ask], int | None]
    record: Callable[[Attempt], None]
    begin: Callable[[Attempt], None]
    allowed: Callable[[], str | None]
    on_partial: Partial | None = None
    stop: threading.Event | None = None
    check: Callable[[Any], Flaw | None] | None = None


@dataclass(frozen=True, slots=True)
class Pacing:
    """How often one model is asked, and how long is waited in between."""

    attempts: int = 3
    bad_answers: int = 2
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0
    longest_retry_after_s: float = 10.0


def _pause(seconds: float, stop: threading.Event | None) -> None:
    (stop or threading.Event()).wait(seconds)


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the loop's time and chance come from."""

    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float, threading.Event | None], None] = _pause
    chance: Callable[[], float] = field(default=random.random)


class Retry:
    """Asks one model, more than once if that may help, within one deadline."""

    def __init__(
        self,
        breakers: Breakers,
        clock: Clock,
        pacing: Pacing | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.breakers = breakers
        self.timing = timing or Timing()
        self._clock = clock
        self._pacing = pacing or Pacing()

    def complete(self, rung: Rung, ask: Ask, terms: Terms, tried: list[Attempt]) -> Completion:
        """Ask until there is an answer, adding each attempt to `tried`.

        Raises:
            ModelFailure: there is none; it is that of the last attempt.
            ModelsForbidden: no model may be asked, or no longer.
        """
        until = self.timing.monotonic() + ask.deadline_s
        failures: list[ModelFailure] = []
        user = ask.user
        while True:
            left_s = until - self.timing.monotonic()
            timely = replace(ask, user=user, deadline_s=left_s)
            try:
                return self._attempt(rung, timely, terms, tried)
            except ModelFailure as failure:
                failures.append(failure)
                if isinstance(failure, InvalidAnswer):
                    user = f"{ask.user}\n\n{failure.flaw.repair}"
            pause_s = self._pause_s(rung, failures)
            if pause_s is None or self.timing.monotonic() + pause_s + LEAST_S > until:
                raise failures[-1]
            self.timing.pause(pause_s, terms.stop)

    def _attempt(self, rung: Rung, ask: Ask, terms: Terms, tried: list[Attempt]) -> Completion:
        """Call the model: the one place where that happens."""
        if reason := terms.allowed():
            raise ModelsForbidden(reason)
        if terms.stop is not None and terms.stop.is_set():
            raise ModelFailure("cancelled", "The call was cancelled.", usage=Usage(0, 0))
        begun = Attempt(
            call_id=new_id(),
            number=len(tried) + 1,
            rung=rung.number,
            provider=rung.client.provider,
            model=ask.model,
            purpose=ask.purpose,
            max_tokens=ask.max_tokens,
            started=self._clock.now(),
            bound_nano_usd=terms.bound(rung.client.provider, ask),
            outcome="cancelled",
            usage=ask.most,
            latency_ms=0.0,
            key_id=rung.key_id,
            error="cancelled",
        )
        terms.begin(begun)
        since = stopwatch_ms()
        ended = begun
        try:
            completion = rung.client.complete(ask, on_partial=terms.on_partial, stop=terms.stop)
            ended = _succeeded(begun, completion)
            if terms.check is not None and (flaw := terms.check(completion.value)):
                raise InvalidAnswer(flaw, completion)
        except ModelFailure as failure:
            ended = _failed(ended, failure)
            raise
        finally:
            # Also when whoever was told of a partial answer had enough of it.
            ended = replace(ended, latency_ms=stopwatch_ms(since))
            self.breakers.heard(ended.provider, ended.error)
            tried.append(ended)
            terms.record(ended)
        return completion

    def _pause_s(self, rung: Rung, failures: list[ModelFailure]) -> float | None:
        """Return how long to wait before asking again; None if that would not help.

        “Full jitter” of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        pacing, last = self._pacing, failures[-1]
        if last.kind == "invalid":
            return 0.0 if sum(failure.kind == "invalid" for failure in failures) == 1 else None
        most = pacing.bad_answers if last.kind in _BAD_ANSWERS else pacing.attempts
        is_up = self.breakers.is_closed(rung.client.provider)
        if not last.retryable or not is_up or len(failures) >= most:
            return None
        longest = min(pacing.longest_pause_s, pacing.first_pause_s * 2.0 ** (len(failures) - 1))
        pause_s = longest * self.timing.chance()
        if last.retry_after_s is None:
            return pause_s
        # Whoever wants to be left alone for longer than a person waits is not asked again.
        is_short = last.retry_after_s <= pacing.longest_retry_after_s
        return last.retry_after_s + pause_s if is_short else None


def _succeeded(begun: Attempt, completion: Completion) -> Attempt:
    return replace(
        begun,
        outcome="succeeded",
        error=None,
        usage=completion.usage,
        stop_reason=completion.stop_reason,
        response_id=completion.response_id,
        first_token_ms=completion.first_token_ms,
    )


def _failed(attempt: Attempt, failure: ModelFailure) -> Attempt:
    return replace(
        attempt,
        outcome="cancelled" if failure.kind == "cancelled" else "failed",
        error=failure.kind,
        usage=failure.usage or attempt.usage,
        stop_reason=failure.stop_reason,
    )
