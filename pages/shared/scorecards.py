"""Metric cards: a figure, its direction judged, its last days, and what it rests on."""

from __future__ import annotations

import streamlit as st

from core.analytics import Overview

__all__ = ["today_cards"]


def today_cards(overview: Overview) -> None:
    """Draw today's counts beside yesterday's by this time, and the useful rate."""
    today, before = overview.today, overview.yesterday_so_far
    with st.grid(4, min_column_width=190):
        _count("Requests today", "requests", overview, good="up")
        _count("Executions today", "executions", overview, good="up")
        _count("Denials today", "denials", overview, good="down")
        rated = sum(day.ratings for day in overview.days)
        useful = sum(day.useful for day in overview.days)
        low, high = overview.useful_interval
        st.metric(
            f"Found useful, {len(overview.days)} days",
            f"{100 * useful / rated:.0f} %" if rated else "no ratings yet",
            delta=f"{100 * low:.0f}-{100 * high:.0f} % at 95 %, n = {rated}" if rated else None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            chart_data=[100 * (day.useful_rate or 0) for day in overview.days],
            height="stretch",
        )
    if not today.requests and not before.requests:
        st.caption("Nothing has been asked today yet.")


def _count(label: str, field: str, overview: Overview, *, good: str) -> None:
    now, then = (getattr(day, field) for day in (overview.today, overview.yesterday_so_far))
    st.metric(
        label,
        f"{now:,}",
        delta=now - then,
        delta_color="normal" if good == "up" else "inverse",
        delta_description="than yesterday by this time",
        border=True,
        chart_data=[getattr(day, field) for day in overview.days],
        chart_type="bar",
        height="stretch",
    )
