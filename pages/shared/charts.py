"""Plotly figures in the house's colours: title is the finding, no mode bar, hover unified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.catalogue import Domain
from pages.shared.session import is_dark
from pages.shared.tables import headed

__all__ = ["DOMAIN_COLOURS", "bars", "domain_colour", "dressed", "horizontal_bars", "show"]

DOMAIN_COLOURS: Mapping[Domain, tuple[str, str]] = {
    "dev": ("#0072B2", "#4FA8DC"),
    "personal": ("#E69F00", "#F2BC4B"),
    "health": ("#009E73", "#36C79A"),
    "finance": ("#CC79A7", "#E3A0C6"),
    "learning": ("#56B4E9", "#8CD0F5"),
    "creative": ("#D55E00", "#F0803C"),
}
_FONT = '"Source Sans", "Source Sans 3", sans-serif'


def domain_colour(domain: Domain) -> str:
    """Return the domain's colour in the viewer's theme."""
    return DOMAIN_COLOURS[domain][is_dark()]


def bars(
    labels: Sequence[str],
    series: Mapping[str, tuple[Sequence[float], str]],
    *,
    finding: str,
    unit: str,
    unfinished: int | None = None,
    height: int = 300,
) -> go.Figure:
    """Return stacked bars; `series` maps a name to values and colour, `unfinished` is hatched."""
    figure = go.Figure()
    for name, (values, colour) in series.items():
        hatched = ["/" if place == unfinished else "" for place in range(len(labels))]
        figure.add_bar(
            x=list(labels),
            y=list(values),
            name=name,
            marker={
                "color": colour,
                "pattern": {"shape": hatched, "size": 6},
                "line": {"width": 0},
            },
            hovertemplate="%{y:,}",
        )
    figure.update_layout(barmode="stack", hovermode="x unified", bargap=0.25)
    return dressed(figure, unit, height, finding)


def horizontal_bars(
    labels: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    *,
    finding: str,
    unit: str,
    height: int = 300,
) -> go.Figure:
    """Return one bar a label, the first on top, each with its value written."""
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=list(labels),
            orientation="h",
            marker={"color": list(colours), "line": {"width": 0}},
            text=[f"{value:,.0f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(showlegend=False, bargap=0.35)
    dressed(figure, unit, height, finding)
    figure.update_xaxes(showgrid=False, showticklabels=False)
    figure.update_yaxes(title=None)
    return figure


def show(
    figure: go.Figure,
    *,
    key: str,
    finding: str = "",
    reading: str = "",
    table: pd.DataFrame | None = None,
) -> None:
    """Draw a figure in a bordered panel.

    `finding` stands above it where the figure has no title of its own, and wraps on a phone;
    `reading` says below how to read it; both are markdown. `table` is exported as `<key>.csv`. Ink
    and grid are Streamlit's, which the browser changes when another theme is chosen there.
    """
    with st.container(border=True, height="stretch", gap="small"):
        if finding:
            headed(finding, table, key)
        st.plotly_chart(
            figure,
            theme="streamlit",
            config={"displayModeBar": False},
            key=key,
            alt=finding or figure.layout.title.text,
        )
        if reading:
            st.caption(reading)


def dressed(figure: go.Figure, unit: str, height: int, finding: str = "") -> go.Figure:
    """Give a figure the house's font, ground, legend and, if it has a finding, its title."""
    if finding:
        figure.update_layout(
            title={
                "text": finding,
                "x": 0,
                "xanchor": "left",
                "xref": "container",
                "pad": {"l": 4},
                "font": {"size": 16},
            }
        )
    figure.update_layout(
        font={"family": _FONT, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 48 if finding else 8, "b": 8},
        height=height,
        legend={"orientation": "h", "y": -0.14, "x": 0, "title": None, "traceorder": "normal"},
        hoverlabel={"font": {"family": _FONT}},
    )
    figure.update_xaxes(automargin=True, showgrid=False)
    figure.update_yaxes(automargin=True, title={"text": unit, "font": {"size": 12}})
    return figure
