"""Where an answer is from: its badge, what it took and cost, and who was to give it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.analytics import ModelCall, Spending
from core.execute import Execution
from core.llm import Source
from core.recommend import Recommendation
from pages.shared.model_text import (
    Passed,
    cost_said,
    fall_sentence,
    latency,
    model_name,
    tokens_said,
)
from pages.shared.session import runtime
from pages.shared.text import count_of, plain

__all__ = [
    "Origin",
    "badge",
    "fall_line",
    "recommendation_source",
    "run_origin",
    "spent_until_then",
]

_COLOURS: dict[str, Literal["violet", "blue", "gray"]] = {
    "anthropic": "violet",
    "ollama": "blue",
    "local": "gray",
}


STAYS_HERE = "Sensitive: it stays on this machine, and no model sees it."
OWN_CLAIM = "The percentages are the model’s own claim: no choice of yours has tested them yet."


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


def run_origin(execution: Execution, calls: Sequence[ModelCall]) -> Origin:
    """Tell where the steps of a run are from."""
    source = execution.source or Source.local(execution.planner, "")
    return _told_by(source, "planner", calls)


def _told_by(
    source: Source, role: Literal["recommender", "planner"], calls: Sequence[ModelCall]
) -> Origin:
    """Put where an answer is from together with the attempts that were made for it."""
    spent = Spending.of(calls)
    passed = tuple(Passed(fall.provider, fall.model, fall.kind) for fall in source.falls)
    if source.provider is None or source.model is None:
        return Origin(f"{source.name} {role}", "local", spent, passed, source.reason)
    return Origin(model_name(source.provider, source.model), source.provider, spent, passed)


def badge(origin: Origin) -> None:
    """Draw who answered: a model by its name, or “local”."""
    st.badge(plain(origin.label), color=_COLOURS.get(origin.provider, "gray"))


def fall_line(origin: Origin, *, is_sensitive: bool) -> None:
    """Draw the quiet line that says from where it fell and why, or why nobody was asked."""
    if is_sensitive and not origin.passed:
        st.caption(f":material/lock: {STAYS_HERE}")
    elif origin.fall:
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
    origin = _told_by(recommendation.source, "recommender", calls)
    lead = (
        "The nearest there is"
        if recommendation.nothing_fits
        else f"{_COUNTED.get(len(recommendation.suggestions), 'Those')} that fit best"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(origin)
        facts = origin.facts(latency(recommendation.latency_ms))
        st.caption(f"{lead} · {facts}", width="content", help=_help(origin))
    fall_line(origin, is_sensitive=recommendation.is_sensitive)
    if recommendation.is_own_claim:
        st.caption(f":material/info: {OWN_CLAIM}")


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
