"""Questions for models, and a model with a script and a memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.llm import Ask, Attempt, Completion, FailureKind, ModelFailure, Terms, Usage

__all__ = ["SCHEMA", "ScriptedModel", "an_ask", "failing", "terms"]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "steps": {
            "type": "array",
            "minItems": 2,
            "maxItems": 5,
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "maxLength": 200},
                    "minutes": {"type": "integer", "minimum": 1, "maximum": 90},
                    "energy": {"enum": ["low", "medium", "high"]},
                },
                "required": ["title", "minutes", "energy"],
            },
        }
    },
    "required": ["steps"],
}


def an_ask(**changes: Any) -> Ask:
    """A question to Claude; `changes` are of its fields."""
    ask = Ask(
        purpose="plan",
        model="claude-haiku-5-5",
        system="You turn tasks into steps.",
        user='{"task": "Das Fahrrad flicken, naïve 自転車"}',
        schema=SCHEMA,
        max_tokens=800,
        effort="low",
        deadline_s=10.0,
    )
    return replace(ask, **changes)


def failing(kind: FailureKind, **told: Any) -> ModelFailure:
    return ModelFailure(kind, f"It was {kind}.", **told)


class ScriptedModel:
    """A model that plays a script of answers and failures, then answers; `asked` remembers."""

    def __init__(
        self,
        script: Iterable[ModelFailure | Any] = (),
        *,
        provider: str = "anthropic",
        took: Callable[[Ask], None] = lambda _: None,
    ) -> None:
        self.provider = provider
        self.asked: list[Ask] = []
        self._script = list(script)
        self._took = took

    def complete(
        self,
        ask: Ask,
        *,
        on_partial: Callable[[Any], None] | None = None,
        stop: threading.Event | None = None,  # noqa: ARG002 - of the protocol
    ) -> Completion:
        self.asked.append(ask)
        self._took(ask)
        told = self._script.pop(0) if self._script else {"answer": len(self.asked)}
        if isinstance(told, ModelFailure):
            raise told
        if on_partial is not None:
            on_partial(told)
        return Completion(told, Usage(100, 10), "end_turn", "msg_1", 1.0, 2.0)


def terms(recorded: list[Attempt] | None = None, **changes: Any) -> Terms:
    """Terms that allow everything, know a bound of 7, and record into `recorded`."""
    kept = [] if recorded is None else recorded
    made = Terms(
        bound=lambda *_: 7, record=kept.append, begin=lambda _: None, allowed=lambda: None
    )
    return replace(made, **changes)
