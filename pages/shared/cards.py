"""Recommendation cards, and denials with their countdown."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.guard import Denied
from core.recommend import Band, Recommendation, Suggestion
from pages.shared.session import runtime, zone
from pages.shared.source import recommendation_source
from pages.shared.text import clock_time, count_of, duration, escaped, plain

__all__ = ["BAND_COLOURS", "denial", "match_badge", "recommendation_cards"]

BAND_COLOURS: dict[Band, str] = {
    "excellent": "#859900",
    "good": "#b58900",
    "moderate": "#cb4b16",
    "weak": "#dc322f",
    "poor": "#dc322f",
}
_WINDOWS = {60: "this minute", 3_600: "this hour", 86_400: "today"}
_KINDS = {"execute": "runs", "recommend": "recommendations"}


def recommendation_cards(
    recommendation: Recommendation, use: Callable[[str, int | None], None]
) -> None:
    """Draw the source line and one card a suggestion; `use` is called with its rank from 1."""
    recommendation_source(recommendation)
    columns = st.columns(len(recommendation.suggestions))
    for rank, (column, suggestion) in enumerate(
        zip(columns, recommendation.suggestions, strict=True), start=1
    ):
        with column, st.container(border=True, height="stretch", key=f"card-{rank}"):
            _card(suggestion, rank, use, primary=rank == 1 and not recommendation.nothing_fits)


def _card(
    suggestion: Suggestion, rank: int, use: Callable[[str, int | None], None], *, primary: bool
) -> None:
    match_badge(suggestion.confidence, suggestion.band)
    st.markdown(f"### {suggestion.icon} {plain(suggestion.name)}")
    steps = count_of(suggestion.expected_steps, "step")
    minutes = duration(suggestion.estimated_time_minutes)
    st.caption(f"{suggestion.domain} · {steps} · {minutes}")
    st.markdown(plain(suggestion.reasoning))
    st.space("stretch")
    st.button(
        "Use this workflow",
        key=f"use-{rank}",
        type="primary" if primary else "secondary",
        width="stretch",
        on_click=use,
        args=(suggestion.workflow_id, rank),
    )


def match_badge(confidence: float, band: Band) -> None:
    """Draw the per cent in the band's colour, the band's word, and a thin bar."""
    colour, per_cent = BAND_COLOURS[band], round(100 * confidence)
    st.html(
        f'<div style="display:flex;align-items:center;gap:.6rem;margin-bottom:.55rem">'
        f'<span style="border:1px solid {colour}88;background:{colour}1f;border-radius:999px;'
        f'padding:.1rem .6rem;font-weight:650;font-size:.87rem">'
        f'<span style="color:color-mix(in srgb, {colour} 72%, currentColor)">{per_cent}% match'
        f"</span></span>"
        f'<span style="opacity:.72;font-size:.87rem">{escaped(band)}</span></div>'
        f'<div style="height:4px;border-radius:2px;background:{colour}26" role="presentation">'
        f'<div style="height:4px;border-radius:2px;width:{per_cent}%;background:{colour}">'
        f"</div></div>"
    )


@st.fragment(run_every=1.0)
def denial(denied: Denied) -> None:
    """Say which rule, how much is used, and count down to the next slot."""
    window = _WINDOWS.get(denied.rule.window_s, f"in {denied.rule.window_s} s")
    kind = _KINDS[denied.kind]
    whose = "" if denied.scope == "user" else " by everybody"
    used = f"{denied.used} of {denied.rule.limit} {kind} used {window}{whose}."
    left = round((denied.retry_at - runtime().clock.now()).total_seconds() + 0.5)
    if left > 0:
        at = clock_time(denied.retry_at, zone())
        st.warning(
            f"{used} Next one at {at}, in {_countdown(left)}.", icon=":material/hourglass_top:"
        )
    else:
        st.success(f"{used} The next slot is open: try again.", icon=":material/check:")


def _countdown(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    if whole:
        return f"{whole} h {minutes:02} min"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
