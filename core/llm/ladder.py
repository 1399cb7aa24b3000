"""From the preferred model down: the first that answers, and why those above did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import WaywardenError
from core.llm.client import Ask, Completion, FailureKind, ModelFailure
from core.llm.retry import LEAST_S, Attempt, ModelsForbidden, Retry, Rung, Terms

__all__ = ["Answer", "Fall", "Ladder", "NoModelLeft"]

# What a rung may take of the time that is left, as long as there is another one below it.
SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Fall:
    """Why a rung gave no answer: its failure, a pause after an outage, or no time left for it."""

    rung: int
    provider: str
    model: str
    kind: FailureKind | Literal["paused", "no_time"]
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a ladder came up with, and from which rung; `attempts` are those of all rungs."""

    completion: Completion
    rung: Rung
    attempts: tuple[Attempt, ...]
    falls: tuple[Fall, ...]


class NoModelLeft(WaywardenError):
    """No model of the ladder answered, or none may be asked; the sentence says why."""

    def __init__(
        self, sentence: str, falls: Sequence[Fall] = (), attempts: Sequence[Attempt] = ()
    ) -> None:
        super().__init__(sentence)
        self.falls = tuple(falls)
        self.attempts = tuple(attempts)


class Ladder:
    """Models in the order in which they are tried."""

    def __init__(self, rungs: Sequence[Rung], retry: Retry) -> None:
        self._rungs = tuple(rungs)
        self._retry = retry

    def ask(self, ask: Ask, terms: Terms) -> Answer:
        """Return the first answer there is; `ask.deadline_s` is for all rungs together.

        Each rung asks its own model, with its own limits where it has some.

        Raises:
            NoModelLeft: there is none, or no model may be asked.
            ModelFailure: the call was cancelled.
        """
        until = self._retry.timing.monotonic() + ask.deadline_s
        falls: list[Fall] = []
        attempts: list[Attempt] = []
        for rung in self._rungs:
            left_s = until - self._retry.timing.monotonic()
            if rung is not self._rungs[-1]:
                left_s *= SHARE
            outcome = self._outcome(rung, _asked_by(rung, ask, left_s), terms, falls, attempts)
            if isinstance(outcome, Completion):
                return Answer(outcome, rung, tuple(attempts), tuple(falls))
            falls.append(outcome)
        reason = falls[-1].reason if falls else "No model is set up."
        raise NoModelLeft(reason, falls, attempts)

    def _outcome(
        self, rung: Rung, ask: Ask, terms: Terms, falls: list[Fall], attempts: list[Attempt]
    ) -> Completion | Fall:
        """Try one rung."""
        if ask.deadline_s < LEAST_S:
            return _fall(rung, "no_time", "The time for this answer is over.")
        if not self._retry.breakers.admits(rung.client.provider):
            return _fall(rung, "paused", "After an outage this provider is left alone for now.")
        try:
            return self._retry.complete(rung, ask, terms, attempts)
        except ModelsForbidden as forbidden:
            raise NoModelLeft(str(forbidden), falls, attempts) from forbidden
        except ModelFailure as failure:
            if failure.kind == "cancelled":
                raise
            return _fall(rung, failure.kind, str(failure))


def _asked_by(rung: Rung, ask: Ask, left_s: float) -> Ask:
    """Return the question as this rung asks it."""
    return replace(
        ask,
        model=rung.model,
        max_tokens=rung.max_tokens or ask.max_tokens,
        effort=rung.effort or ask.effort,
        deadline_s=min(left_s, rung.deadline_s or left_s),
    )


def _fall(rung: Rung, kind: FailureKind | Literal["paused", "no_time"], reason: str) -> Fall:
    return Fall(rung.number, rung.client.provider, rung.model, kind, reason)
