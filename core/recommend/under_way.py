"""Questions under way: of one key one after the other, and all ended when the process stops."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.errors import Unavailable

__all__ = ["InTurn", "UnderWay"]


@dataclass(slots=True)
class _Queue:
    turn: threading.Lock = field(default_factory=threading.Lock)
    length: int = 0


class InTurn:
    """Locks by key, each kept as long as somebody holds or awaits it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[Hashable, _Queue] = {}

    @contextmanager
    def wait(self, key: Hashable) -> Iterator[None]:
        """Wait until everybody before has gone through."""
        with self._lock:
            queue = self._queues.setdefault(key, _Queue())
            queue.length += 1
        try:
            with queue.turn:
                yield
        finally:
            with self._lock:
                queue.length -= 1
                if not queue.length:
                    del self._queues[key]


class UnderWay:
    """Knows what is going on, so that a process that stops can end it and wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stops: list[threading.Event] = []
        self._closing = False

    @contextmanager
    def until_stopped(self, stop: threading.Event | None) -> Iterator[threading.Event]:
        """Give the caller's event, or a new one, which is set when the process stops.

        Raises:
            Unavailable: it is stopping already.
        """
        mine = stop or threading.Event()
        with self._changed:
            if self._closing:
                raise Unavailable("Waywarden is stopping; try again in a moment.")
            self._stops.append(mine)
        try:
            yield mine
        finally:
            with self._changed:
                self._stops.remove(mine)
                self._changed.notify_all()

    def drain(self, timeout_s: float) -> None:
        """End all of it, and return once that has happened or the time is over."""
        with self._changed:
            self._closing = True
            for stop in self._stops:
                stop.set()
            self._changed.wait_for(lambda: not self._stops, timeout_s)
