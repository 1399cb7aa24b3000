"""The time, and ids that sort by it: the only reader of the system's clock."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

__all__ = ["EPOCH", "Clock", "SystemClock", "new_id", "stopwatch_ms"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the logic gets its timestamps from."""

    def now(self) -> datetime:
        """Return the time in UTC, later than every time returned before."""
        ...


class SystemClock:
    """The system's clock, strictly increasing within a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_us = 0

    def now(self) -> datetime:
        with self._lock:
            self._last_us = max(self._last_us + 1, time.time_ns() // 1_000)
            return EPOCH + timedelta(microseconds=self._last_us)


class _Ids:
    """Version 7 UUIDs (RFC 9562): 48 bits of milliseconds, a 12-bit counter, 62 random bits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        with self._lock:
            # Milliseconds and counter as one number keeps ids increasing within a millisecond.
            self._last = max(self._last + 1, (time.time_ns() // 1_000_000) << 12)
            stamp = self._last
        value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
        return str(UUID(int=value | 0b10 << 62 | secrets.randbits(62)))


_ids = _Ids()


def new_id() -> str:
    """Return a new id (UUID version 7) that sorts after every earlier one of this process."""
    return _ids.next()


def stopwatch_ms(since: float | None = None) -> float:
    """Return a monotonic reading, or the milliseconds passed since one."""
    reading = time.perf_counter()
    return reading if since is None else (reading - since) * 1_000
