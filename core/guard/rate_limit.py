"""Exact sliding windows: all keys and windows are checked under one lock, then charged."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.settings import Rule

__all__ = ["Allowed", "Limiter", "Usage", "Violation", "rule_name"]

MICROSECONDS = 1_000_000
TIDY_FROM = 64
_WINDOW_NAMES = {60: "minute", 3_600: "hour", 86_400: "day"}


def rule_name(scope: str, kind: str, rule: Rule) -> str:
    """Return the rule in the form `user:execute:3/minute`."""
    window = _WINDOW_NAMES.get(rule.window_s, f"{rule.window_s}s")
    return f"{scope}:{kind}:{rule.limit}/{window}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The hit was charged to every key at this time (microseconds since 1970, UTC)."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Violation:
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
    """Per key the times of allowed hits; a hit at t counts in a window until t + window."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lock = threading.Lock()
        self._hits: dict[str, list[int]] = {}

    def hit(self, checks: Sequence[tuple[str, Sequence[Rule]]]) -> Allowed | Violation:
        """Charge one hit to every key if every rule of every key allows it, else to none."""
        with self._lock:
            now = self._now_us()
            worst: Violation | None = None
            for key, rules in checks:
                times = self._hits.get(key)
                if not times:
                    continue
                for rule in rules:
                    broken = _broken(times, key, rule, now)
                    if broken and (worst is None or broken.retry_at_us > worst.retry_at_us):
                        worst = broken
            if worst:
                return worst
            for key, rules in checks:
                self._charge(key, rules, now)
            return Allowed(now)

    def refund(self, keys: Iterable[str], at_us: int) -> None:
        """Take back a hit whose decision could not be made durable."""
        with self._lock:
            for key in keys:
                times = self._hits.get(key, [])
                place = bisect_left(times, at_us)
                if place < len(times) and times[place] == at_us:
                    del times[place]

    def usage(self, key: str, rules: Sequence[Rule]) -> list[Usage]:
        """Return what is used of each rule now."""
        with self._lock:
            now = self._now_us()
            times = self._hits.get(key, [])
            return [_usage(times, rule, now) for rule in rules]

    def restore(self, hits: Mapping[str, Sequence[int]]) -> None:
        """Replace all state by logged hits (microseconds, any order)."""
        with self._lock:
            self._hits = {key: sorted(times) for key, times in hits.items()}

    def _charge(self, key: str, rules: Sequence[Rule], now: int) -> None:
        times = self._hits.setdefault(key, [])
        times.append(now)
        # The clock only rises within a process, but a restored hit may lie ahead of it.
        if len(times) > 1 and times[-2] > now:
            times.sort()
        longest = max((rule.window_s for rule in rules), default=0) * MICROSECONDS
        if len(times) >= TIDY_FROM and times[len(times) // 2] <= now - longest:
            del times[: bisect_left(times, now - longest + 1)]


def _broken(times: Sequence[int], key: str, rule: Rule, now: int) -> Violation | None:
    """The limit-th newest hit decides: while it is in the window, the window is full."""
    if len(times) < rule.limit:
        return None
    opens = times[-rule.limit] + rule.window_s * MICROSECONDS
    if opens <= now:
        return None
    used = len(times) - bisect_left(times, now - rule.window_s * MICROSECONDS + 1)
    return Violation(now, key, rule, used, opens)


def _usage(times: Sequence[int], rule: Rule, now: int) -> Usage:
    used = len(times) - bisect_left(times, now - rule.window_s * MICROSECONDS + 1)
    full = used >= rule.limit
    opens = times[-rule.limit] + rule.window_s * MICROSECONDS if full else None
    return Usage(rule, used, opens)
