"""Plans as models answer them, and a person who watches one being made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from core.execute import PlanFor, Step
from core.llm import Ask, Completion, Usage
from core.llm.reply import Reply

__all__ = ["TypingModel", "Watcher", "a_plan", "a_step", "in_turn"]


def a_step(number: int, **changes: Any) -> dict[str, Any]:
    step = {
        "title": f"Do part {number} of it",
        "description": "Take what you have. Then begin.",
        "estimated_minutes": 10,
        "energy_level": "medium",
        "icon": "🔧",
        "expected_outcome": f"Part {number} is done",
        "validation_command": f"make part-{number}",
    }
    return step | changes


def a_plan(steps: int = 5, **changes: Any) -> dict[str, Any]:
    """An answer with that many steps; `changes` are of each step's fields."""
    return {"steps": [a_step(number, **changes) for number in range(1, steps + 1)]}


def in_turn(*answers: Any) -> Callable[[dict[str, Any]], Any]:
    """Give these answers in turn, and the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class Watcher:
    """Sees the steps of a plan: `steps` are those in view, `seen` all there ever were."""

    def __init__(self, when_seen: Callable[[Step], None] = lambda _: None) -> None:
        self.steps: list[Step] = []
        self.seen: list[Step] = []
        self.restarts = 0
        self._when_seen = when_seen
        self.plan_for = PlanFor("request-1", "ada", self._see, self._restart)

    def _see(self, step: Step) -> None:
        self.steps.append(step)
        self.seen.append(step)
        self._when_seen(step)

    def _restart(self) -> None:
        self.restarts += 1
        self.steps.clear()


class TypingModel:
    """A model that types its answers `pace` characters at a time; the last one for ever."""

    provider = "anthropic"

    def __init__(self, answers: Iterable[str], pace: int = 7) -> None:
        self._answer = in_turn(*answers)
        self._pace = pace

    def complete(
        self,
        ask: Ask,
        *,
        on_partial: Callable[[Any], None] | None = None,
        stop: threading.Event | None = None,  # noqa: ARG002 - of the protocol
    ) -> Completion:
        reply = Reply(ask, "It", "here")
        text = self._answer({})
        for start in range(0, len(text), self._pace):
            reply.add(text[start : start + self._pace])
            if on_partial is not None:
                reply.tell(on_partial)
        reply.stop_reason, reply.usage = "end_turn", Usage(100, 10)
        return reply.completion()
