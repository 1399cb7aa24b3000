"""What a running execution has so far, for every page that watches it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from core.execute.execution import Step

__all__ = ["Progress", "Watched"]

REMEMBERED = 500


@dataclass(slots=True)
class Watched:
    """Steps as they become complete."""

    steps: list[Step] = field(default_factory=list)


class Progress:
    """Steps of executions under way, by execution id; forgotten once the ledger has them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: OrderedDict[str, Watched] = OrderedDict()

    def begin(self, execution_id: str) -> None:
        with self._lock:
            self._watched[execution_id] = Watched()
            if len(self._watched) > REMEMBERED:
                self._watched.popitem(last=False)

    def add(self, execution_id: str, step: Step) -> None:
        with self._lock:
            if watched := self._watched.get(execution_id):
                watched.steps.append(step)

    def restart(self, execution_id: str) -> None:
        """Forget the steps, as others come in their place."""
        with self._lock:
            if watched := self._watched.get(execution_id):
                watched.steps.clear()

    def steps(self, execution_id: str) -> tuple[Step, ...]:
        """Return the steps that are complete so far; empty when nothing is known."""
        with self._lock:
            watched = self._watched.get(execution_id)
            return tuple(watched.steps) if watched else ()

    def end(self, execution_id: str) -> None:
        with self._lock:
            self._watched.pop(execution_id, None)
