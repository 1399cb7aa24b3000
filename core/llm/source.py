"""Where an answer is from, and what models used until there was one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.llm.ladder import Answer, Fall

__all__ = ["Source", "SourceFall", "Spent"]


@dataclass(slots=True)
class Spent:
    """What models used for one answer so far, also where none came of it.

    Tokens and cost are upper limits where `is_measured` is False; the cost, in nano-USD, is None
    once that of any call is unknown.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int | None = 0
    is_measured: bool = True


class SourceFall(BaseModel):
    """A model that was to answer, and why it did not; the preferred one is rung 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rung: int
    provider: str
    model: str
    kind: str
    reason: str


class Source(BaseModel):
    """Where an answer is from, and what models used for it, those included that failed.

    `name` and `version` are those of the ranker or planner; `reason` is a sentence that says why
    no model answered, where one was to. Tokens and cost are upper limits where `is_measured` is
    False; a cost of None is one that nobody knows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    provider: str | None = None
    model: str | None = None
    rung: int | None = None
    reason: str | None = None
    falls: tuple[SourceFall, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int | None = 0
    is_measured: bool = True

    @property
    def tells_of_models(self) -> bool:
        """Whether one answered, or was to."""
        return bool(self.provider or self.reason or self.falls)

    @classmethod
    def of_model(cls, name: str, answer: Answer, prompt_version: str, spent: Spent) -> Source:
        """Return that of a model's answer; its version names the model and the prompt."""
        rung = answer.rung
        return cls(
            name=name,
            version=f"{name}:{rung.model}:{prompt_version}",
            provider=rung.client.provider,
            model=rung.model,
            rung=rung.number,
            **_facts(answer.falls, spent),
        )

    @classmethod
    def local(
        cls,
        name: str,
        version: str,
        reason: str | None = None,
        falls: Sequence[Fall] = (),
        spent: Spent | None = None,
    ) -> Source:
        """Return that of an answer from this machine, and why no model gave it."""
        return cls(name=name, version=version, reason=reason, **_facts(falls, spent or Spent()))


def _facts(falls: Sequence[Fall], spent: Spent) -> dict[str, Any]:
    return {
        "falls": tuple(
            SourceFall(
                rung=fall.rung,
                provider=fall.provider,
                model=fall.model,
                kind=fall.kind,
                reason=fall.reason,
            )
            for fall in falls
        ),
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_nano_usd": spent.cost_nano_usd,
        "is_measured": spent.is_measured,
    }
