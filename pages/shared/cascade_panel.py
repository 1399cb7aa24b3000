"""The panel that tells what answering locally would save and lose: chart and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from core.analytics import Cascade, CascadeLevel
from pages.shared.accuracy_charts import GREY, ORANGE, TEAL
from pages.shared.accuracy_text import per_cent
from pages.shared.cascade_text import (
    alone_said,
    certainty,
    finding,
    lost,
    points,
    points_between,
    reading,
    saved,
    setting_said,
)
from pages.shared.charts import dressed
from pages.shared.model_text import latency
from pages.shared.session import is_dark
from pages.shared.tables import headed

__all__ = ["cascade_panel"]

_LEVELS: Mapping[str, Any] = {
    "from": st.column_config.TextColumn("Sure of", width=76),
    "alone": st.column_config.TextColumn(
        "Alone", width=90, help="How many of the models’ answers it would have given"
    ),
    "saves": "Saves",
    "wait": st.column_config.TextColumn(
        "Wait", width=52, help="The median of the model’s answers"
    ),
    "judged": st.column_config.NumberColumn("Judged", format="localized", width=60),
    "local": st.column_config.TextColumn(
        "Local", width=52, help="How often people chose what the local recommender had first"
    ),
    "model": st.column_config.TextColumn(
        "Model", width=54, help="How often people chose what the model had first"
    ),
    "loses": st.column_config.TextColumn(
        "Points", width=62, help="Local less model, in percentage points"
    ),
    "interval": st.column_config.TextColumn(
        "at 95 %", width=78, help="95 % interval of the points"
    ),
}


def cascade_panel(cascade: Cascade) -> None:
    """Tell what it would save and lose; a quiet line, or nothing, where no model answered."""
    if not cascade.levels:
        if said := alone_said(cascade):
            st.caption(f"{said} No model answered, so there is nothing to hold that against.")
        return
    with st.container(border=True, gap="small", key="cascade-panel"):
        headed("What answering locally would save", _exported(cascade.levels), "cascade")
        st.markdown(finding(cascade))
        if said := alone_said(cascade):
            st.markdown(said)
        left, right = st.columns([3, 7], vertical_alignment="center")
        with left:
            st.plotly_chart(
                _chart(cascade.levels),
                theme="streamlit",
                config={"displayModeBar": False},
                key="cascade-chart",
                alt="How much would be answered locally at each confidence, and what that loses",
            )
        with right:
            st.dataframe(
                _shown(cascade.levels),
                hide_index=True,
                column_order=list(_LEVELS),
                column_config=_LEVELS,
                key="cascade-levels",
            )
        st.caption(reading(cascade))
        st.page_link(
            "admin/settings.py",
            label=setting_said(cascade.in_force),
            icon=":material/tune:",
            query_params={"section": "Ladder"},
        )


def _chart(levels: Sequence[CascadeLevel], height: int = 330) -> go.Figure:
    """Return the share answered locally, above by how much the local first is right more often."""
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.45, 0.55],
        vertical_spacing=0.14,
        subplot_titles=["answered locally, %", "right more often than the model, points"],
    )
    labels = [
        certainty(level.threshold) + "<br><b>now</b>" * level.is_in_force for level in levels
    ]
    figure.add_bar(
        x=labels,
        y=[100 * level.share for level in levels],
        text=[per_cent(level.share).removesuffix(" %") for level in levels],
        textposition="outside",
        cliponaxis=False,
        customdata=[f"{level.answers:,} answers, {per_cent(level.share)}" for level in levels],
        marker={"color": TEAL[is_dark()], "opacity": 0.55, "line": {"width": 0}},
        hovertemplate="%{customdata}<extra></extra>",
        row=1,
        col=1,
    )
    _add_differences(figure, labels, levels)
    dressed(figure, "", height)
    most = 100 * max(level.share for level in levels)
    figure.update_layout(showlegend=False, hovermode="closest", bargap=0.35, margin={"t": 26})
    figure.update_annotations(x=0, xanchor="left", xref="paper", font={"size": 12})
    figure.update_xaxes(type="category", categoryarray=labels, tickangle=0)
    figure.update_xaxes(title={"text": "local match, at least", "font": {"size": 12}}, row=2)
    figure.update_yaxes(title=None, nticks=4, zeroline=False)
    figure.update_yaxes(range=[0, max(1.0, 1.3 * most)], row=1)
    figure.update_yaxes(range=_reach(levels), row=2)
    return figure


def _add_differences(
    figure: go.Figure, labels: Sequence[str], levels: Sequence[CascadeLevel]
) -> None:
    figure.add_scatter(
        x=labels,
        y=[0] * len(labels),
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        row=2,
        col=1,
    )
    for label, level in zip(labels, levels, strict=True):
        difference = level.difference
        if difference is None:
            continue
        value, (low, high) = difference.value or 0.0, difference.interval
        colour = (ORANGE if high < 0 else TEAL)[is_dark()]
        figure.add_scatter(
            x=[label],
            y=[100 * value],
            error_y={
                "array": [100 * (high - value)],
                "arrayminus": [100 * (value - low)],
                "color": colour,
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={"color": colour, "size": 9, "symbol": "diamond" if high < 0 else "circle"},
            customdata=[
                f"{points(difference)} points ({points_between(difference)}), n = {level.judged:,}"
            ],
            hovertemplate="%{customdata}<extra></extra>",
            row=2,
            col=1,
        )
    few = [label for label, level in zip(labels, levels, strict=True) if level.difference is None]
    figure.add_scatter(
        x=few,
        y=[0] * len(few),
        text=["too<br>few"] * len(few),
        mode="text",
        textposition="top center",
        textfont={"size": 11},
        hoverinfo="skip",
        row=2,
        col=1,
    )


def _reach(levels: Sequence[CascadeLevel]) -> tuple[float, float]:
    """Return how far the axis of differences goes, in points: around 0 at least a little."""
    intervals = [level.difference.interval for level in levels if level.difference]
    low, high = (
        min((low for low, _ in intervals), default=0),
        max((high for _, high in intervals), default=0),
    )
    return 110 * min(low, -0.05), 110 * max(high, 0.05)


def _shown(levels: Sequence[CascadeLevel]) -> pd.DataFrame:
    """Return the table as people read it."""
    rows = []
    for level in levels:
        difference = level.difference
        rows.append(
            {
                "from": certainty(level.threshold) + " · now" * level.is_in_force,
                "alone": f"{level.answers:,} · {per_cent(level.share)}",
                "saves": saved(level),
                "wait": "–" if level.p50_ms is None else latency(level.p50_ms),
                "judged": level.judged,
                "local": per_cent(level.local_right.value if difference else None),
                "model": per_cent(level.model_right.value if difference else None),
                "loses": lost(level),
                "interval": points_between(difference) if difference else "–",
            }
        )
    return pd.DataFrame(rows)


def _exported(levels: Sequence[CascadeLevel]) -> pd.DataFrame:
    """Return the table as it is exported: bare numbers, shares between 0 and 1."""
    rows = []
    for level in levels:
        difference = level.difference
        low, high = difference.interval if difference else (None, None)
        rows.append(
            {
                "confidence_from": level.threshold,
                "in_force": level.is_in_force,
                "answers": level.answers,
                "share": level.share,
                "measured_nano_usd": level.measured_nano_usd,
                "unmeasured_nano_usd": level.unmeasured_nano_usd,
                "cost_unknown": level.unpriced,
                "p50_ms": level.p50_ms,
                "judged": level.judged,
                "both_right": level.both,
                "local_only_right": level.local_only,
                "model_only_right": level.model_only,
                "difference": difference.value if difference else None,
                "difference_low": low,
                "difference_high": high,
            }
        )
    return pd.DataFrame(rows)
