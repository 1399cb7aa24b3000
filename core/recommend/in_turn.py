"""Work of the same key, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["InTurn"]


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
