"""Circuit breakers: a provider that is down is asked once in a while, not by every request.

After M. Nygard, Release It!, 2nd edition, 2018, “Circuit Breaker”.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from core.llm.client import FailureKind

__all__ = ["BreakerState", "Breakers"]

OPENS_AFTER = 3
PAUSE_S = 30.0
# Failures that say nothing against the provider: it was there, and answered as it saw fit.
_OUTAGES: frozenset[FailureKind] = frozenset(
    {"overloaded", "server", "connection", "timeout", "dropped", "empty"}
)


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a provider stands: closed is well, open is left alone, half-open is being tried."""

    provider: str
    state: Literal["closed", "open", "half_open"]
    failures: int
    reason: FailureKind | None
    tried_again_in_s: float


class _Breaker:
    """What is known of one provider."""

    def __init__(self) -> None:
        self.failures = 0
        self.reason: FailureKind | None = None
        self.open_until: float | None = None
        self.trial_until: float | None = None


class Breakers:
    """One breaker for each provider; safe to share between threads.

    It opens after `opens_after` outages in a row, but at once after a timeout: the next request
    should not have to wait as long. After `pause_s` one call is let through, to see.
    """

    def __init__(
        self,
        opens_after: int = OPENS_AFTER,
        pause_s: float = PAUSE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opens_after = opens_after
        self._pause_s = pause_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._breakers: dict[str, _Breaker] = {}

    def admits(self, provider: str) -> bool:
        """Return whether the provider may be asked now; where it is being tried, only once."""
        now = self._monotonic()
        with self._lock:
            breaker = self._of(provider)
            if breaker.open_until is None:
                return True
            is_being_tried = breaker.trial_until is not None and now < breaker.trial_until
            if now < breaker.open_until or is_being_tried:
                return False
            # A trial that nobody reports on does not hold up the next one for ever.
            breaker.trial_until = now + self._pause_s
            return True

    def heard(self, provider: str, failure: FailureKind | None) -> None:
        """Take note of how a call ended; None means well."""
        with self._lock:
            breaker = self._of(provider)
            breaker.trial_until = None
            if failure == "cancelled":
                return
            if failure not in _OUTAGES:
                self._breakers[provider] = _Breaker()
                return
            breaker.reason = failure
            breaker.failures += 1
            was_open = breaker.open_until is not None
            if was_open or failure == "timeout" or breaker.failures >= self._opens_after:
                breaker.open_until = self._monotonic() + self._pause_s

    def is_closed(self, provider: str) -> bool:
        """Return whether the provider is well, as far as is known."""
        with self._lock:
            return self._of(provider).open_until is None

    def states(self) -> list[BreakerState]:
        """Return how every provider that was ever asked stands, by name."""
        now = self._monotonic()
        with self._lock:
            return [_state(name, self._breakers[name], now) for name in sorted(self._breakers)]

    def _of(self, provider: str) -> _Breaker:
        return self._breakers.setdefault(provider, _Breaker())


def _state(provider: str, breaker: _Breaker, now: float) -> BreakerState:
    if breaker.open_until is None:
        return BreakerState(provider, "closed", breaker.failures, breaker.reason, 0.0)
    wait_s = max(0.0, breaker.open_until - now)
    state: Literal["open", "half_open"] = "open" if wait_s else "half_open"
    return BreakerState(provider, state, breaker.failures, breaker.reason, wait_s)
