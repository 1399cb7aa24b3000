"""Exact sliding windows: all keys and windows are checked under one lock, then charged."""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.settings import LONGEST_WINDOW_S, Rule

__all__ = ["Allowed", "Limiter", "Usage", "Violation", "rule_name"]

MICROSECONDS = 1_000_000
SWEPT_EVERY_S = 3_600
_WINDOW_NAMES = {60: "minute", 3_600: "hour", 86_400: "day"}


def rule_name(scope: str, kind: str, rule: Rule) -> str:
    """Return the rule in the form `user:execute:3/minute`."""
    window = _WINDOW_NAMES.get(rule.window_s, f"{rule.window_s}s")
    return f"{scope}:{kind}:{rule.limit}/{window}"


# The two verdicts are named tuples, made in a third of the time of a frozen dataclass.
class Allowed(NamedTuple):
    """The hit was charged to every key at this time (microseconds since 1970, UTC)."""

    at_us: int


class Violation(NamedTuple):
    """Nothing was charged; of the broken rules this is the one that opens last."""

    at_us: int
    key: str
    rule: Rule
    used: int
    retry_at_us: int

    @property
    def retry_after_s(self) -> int:
        """Whole seconds to wait; a hit then passes if no other came between."""
        return math.ceil((self.retry_at_us - self.at_us) / MICROSECONDS)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one rule is used, and when its next slot opens if it is full."""

    rule: Rule
    used: int
    opens_at_us: int | None


class Limiter:
    """Per key the times of allowed hits; a hit at t counts in a window until t + window.

    Hits are kept for the longest window there can be, whatever the rules are now, so that rules
    can change without forgetting what was used.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        """Take the clock: microseconds since 1970 (UTC), never less than at the call before."""
        self._now_us = now_us
        self._lock = threading.Lock()
        self._hits: dict[str, array[int]] = {}  # 8 bytes a hit
        self._sweep_at_us = 0

    def hit(self, checks: Sequence[tuple[str, Sequence[Rule]]]) -> Allowed | Violation:
        """Charge one hit to every key if every rule of every key allows it, else to none."""
        with self._lock:
            now = self._now_us()
            violation = self._violation(checks, now)
            if violation is not None:
                return violation
            for key, _ in checks:
                # The clock only rises within a process, but a restored hit may lie ahead of it.
                insort(self._hits.setdefault(key, array("q")), now)
            if now >= self._sweep_at_us:
                self._sweep(now)
            return Allowed(now)

    def refund(self, keys: Iterable[str], at_us: int) -> None:
        """Take back a hit whose decision could not be made durable."""
        with self._lock:
            for key in keys:
                times = self._hits.get(key, array("q"))
                place = bisect_left(times, at_us)
                if place < len(times) and times[place] == at_us:
                    del times[place]

    def usage(self, key: str, rules: Sequence[Rule]) -> list[Usage]:
        """Return what is used of each rule now."""
        with self._lock:
            now = self._now_us()
            times = self._hits.get(key, array("q"))
            return [_usage(times, rule, now) for rule in rules]

    def restore(self, hits: Mapping[str, Sequence[int]]) -> None:
        """Replace all state by logged hits (microseconds, any order)."""
        with self._lock:
            self._hits = {key: array("q", sorted(times)) for key, times in hits.items()}

    def _violation(
        self, checks: Sequence[tuple[str, Sequence[Rule]]], now: int
    ) -> Violation | None:
        """The limit-th newest hit decides: while it is in the window, the window is full."""
        opens_last, broken = now, None
        for key, rules in checks:
            times = self._hits.get(key, ())
            count = len(times)
            for rule in rules:
                if count >= rule.limit:
                    opens = times[-rule.limit] + rule.window_s * MICROSECONDS
                    if opens > opens_last:
                        opens_last, broken = opens, (key, rule)
        if broken is None:
            return None
        key, rule = broken
        return Violation(now, key, rule, _used(self._hits[key], rule, now), opens_last)

    def _sweep(self, now: int) -> None:
        """Forget what no window can hold any more, and the keys that are left with nothing."""
        since = now - LONGEST_WINDOW_S * MICROSECONDS
        for times in self._hits.values():
            del times[: bisect_left(times, since + 1)]
        self._hits = {key: times for key, times in self._hits.items() if times}
        self._sweep_at_us = now + SWEPT_EVERY_S * MICROSECONDS


def _used(times: Sequence[int], rule: Rule, now: int) -> int:
    return len(times) - bisect_left(times, now - rule.window_s * MICROSECONDS + 1)


def _usage(times: Sequence[int], rule: Rule, now: int) -> Usage:
    used = _used(times, rule, now)
    full = used >= rule.limit
    opens = times[-rule.limit] + rule.window_s * MICROSECONDS if full else None
    return Usage(rule, used, opens)
