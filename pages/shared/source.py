"""Where an answer is from: its badge, what it took and cost, and who was to give it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.analytics import ModelCall, Spending
from core.execute import Execution
from core.recommend import Recommendation
from pages.shared.model_text import (
    Passed,
    cost_said,
    fall_sentence,
    latency,
    model_name,
    passed_by,
    tokens_said,
    versioned_name,
)
from pages.shared.session import runtime
from pages.shared.text import count_of, plain

__all__ = [
    "Origin",
    "badge",
    "fall_line",
    "origin_of",
    "recommendation_source",
    "run_origin",
    "spent_until_then",
]

_COLOURS: dict[str, Literal["violet", "blue", "gray"]] = {
    "anthropic": "violet",
    "ollama": "blue",
    "local": "gray",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answered, in words and as a provider, and what all attempts used together."""

    name: str
    provider: str
    spent: Spending
    passed: tuple[Passed, ...] = ()
    reason: str | None = None

    @property
    def is_local(self) -> bool:
        return self.provider == "local"

    @property
    def label(self) -> str:
        """What its badge says."""
        return "local" if self.is_local else self.name

    def facts(self, *more: str) -> str:
        """Return the line beside the badge, as markdown: `more`, tokens if any, the cost."""
        who = [self.name] if self.is_local else []
        tokens = [tokens_said(self.spent)] if self.spent.tokens else []
        return " · ".join(map(plain, [*who, *more, *tokens, cost_said(self.spent)]))

    @property
    def fall(self) -> str:
        """Why the one that was to answer did not; empty if it did."""
        said = fall_sentence(self.passed, f"the {self.name}" if self.is_local else self.name)
        return said or (f"No model was asked: {self.reason}" if self.reason else "")


def origin_of(
    engine: tuple[str, str],
    role: Literal["recommender", "planner"],
    calls: Sequence[ModelCall],
    passed: Sequence[Passed] | None = None,
    reason: str | None = None,
) -> Origin:
    """Tell where an answer is from, by the ledger.

    Args:
        engine: the ranker or planner and its version; "model" stands for whichever model answered.
        role: what the engine is.
        calls: the attempts that were made for this answer.
        passed: models that did not answer, if that was written down; else it is told by `calls`.
        reason: why no model was asked, where one might have been.
    """
    name, version = engine
    spent = Spending.of(calls)
    told = passed_by(calls) if passed is None else tuple(passed)
    if name != "model" and not name.startswith("model:"):
        return Origin(f"{name} {role}", "local", spent, told, reason)
    answers = [call for call in calls if call.outcome == "succeeded"]
    if answers:
        last = answers[-1]
        return Origin(model_name(last.provider, last.model), last.provider, spent, told)
    named = versioned_name(version) or versioned_name(name) or "a model"
    return Origin(named, "anthropic" if named.startswith("Claude") else "ollama", spent, told)


def run_origin(execution: Execution, calls: Sequence[ModelCall]) -> Origin:
    """Tell where the steps of a run are from."""
    source = execution.source
    if source is None:
        return origin_of((execution.planner, ""), "planner", calls)
    passed = [Passed(fall.provider, fall.model, fall.kind) for fall in source.falls]
    engine = (source.planner, source.planner_version)
    return origin_of(engine, "planner", calls, passed, source.reason)


def badge(origin: Origin) -> None:
    """Draw who answered: a model by its name, or “local”."""
    st.badge(plain(origin.label), color=_COLOURS.get(origin.provider, "gray"))


def fall_line(origin: Origin) -> None:
    """Draw the quiet line that says from where it fell, and why."""
    if origin.fall:
        st.caption(f":material/subdirectory_arrow_right: {plain(origin.fall)}")


def spent_until_then(request_id: str) -> None:
    """Say what models used for something that came to nothing, if they were asked."""
    spent = Spending.of(runtime().model_calls.of(request_id))
    if spent.calls:
        facts = " · ".join(map(plain, (tokens_said(spent), cost_said(spent))))
        st.caption(f"Used until then: {facts}")


def recommendation_source(recommendation: Recommendation) -> None:
    """Draw the line above the cards: what they are, by whom, how fast and for how much."""
    calls = runtime().model_calls.of(recommendation.request_id)
    engine = (recommendation.ranker, recommendation.ranker_version)
    origin = origin_of(engine, "recommender", calls)
    lead = (
        "The nearest there is"
        if recommendation.nothing_fits
        else f"{_COUNTED.get(len(recommendation.suggestions), 'Those')} that fit best"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(origin)
        facts = origin.facts(latency(recommendation.latency_ms))
        st.caption(f"{lead} · {facts}", width="content", help=_help(origin))
    fall_line(origin)


_COUNTED = {1: "The one", 2: "Two", 3: "Three"}


def _help(origin: Origin) -> str | None:
    """Return what stands behind the figures, as markdown; None when no model was asked."""
    spent = origin.spent
    if not spent.calls:
        return None
    said = [
        f"{count_of(spent.calls, 'attempt')}: {spent.input_tokens:,} tokens in, "
        f"{spent.output_tokens:,} out."
    ]
    if spent.unmeasured:
        said.append(f"The count of {spent.unmeasured} was lost; its upper limit stands for it.")
    if spent.unpriced:
        said.append(f"Nobody knows the price of {spent.unpriced}; data/prices.toml can name it.")
    return "  \n".join(map(plain, said))
