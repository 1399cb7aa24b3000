"""Pictures of accuracy: is confidence kept, how often was it right, which domains mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analytics import Calibration, Correction, Estimate, Span
from core.catalogue import DOMAINS
from core.statistics import ReliabilityBin
from pages.shared.accuracy_text import per_cent, range_of
from pages.shared.charts import dressed
from pages.shared.session import is_dark

__all__ = ["domain_matrix", "over_time", "places", "reliability"]

TEAL, ORANGE = ("#0F766E", "#5CC9BE"), ("#D55E00", "#F0803C")
GREY = "#8796A3"
_TEAL_RGB, _GREY_RGB = ("15,118,110", "92,201,190"), "135,150,163"
_MANY_SPANS = 31


def reliability(
    calibration: Calibration, correction: Correction | None = None, height: int = 440
) -> go.Figure:
    """Return how often each match came true, above how many answers had it.

    Grey bars are where chance alone puts a calibrated recommender.
    """
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.05
    )
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    _add_chance(figure, calibration.bins)
    if correction:
        _add_before(figure, correction.before.bins)
    for as_promised, name, colour, symbol in (
        (True, "as promised", TEAL[is_dark()], "circle"),
        (False, "not as promised", ORANGE[is_dark()], "diamond"),
    ):
        found = [each for each in calibration.bins if each.as_promised == as_promised]
        figure.add_scatter(
            x=[100 * each.confidence for each in found],
            y=[100 * each.share for each in found],
            customdata=[_told(each) for each in found],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 10},
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=bool(found),
        )
    _add_counts(figure, calibration.bins)
    dressed(figure, "right, %", height)
    figure.update_layout(hovermode="closest", bargap=0)
    figure.update_layout(legend={"y": -0.17})
    figure.update_xaxes(range=[-2, 102], dtick=10, zeroline=False)
    figure.update_xaxes(title={"text": "match, %", "font": {"size": 12}}, row=2)
    figure.update_yaxes(range=[-3, 103], dtick=20, zeroline=False, row=1)
    figure.update_yaxes(title=None, nticks=3, rangemode="tozero", tickformat=",", row=2)
    return figure


def over_time(spans: Sequence[Span], height: int = 440) -> go.Figure:
    """Return one line a figure with its intervals, above how many answers were judged."""
    rows = (
        ("first suggestion taken, %", [span.taken for span in spans]),
        ("one of three taken, %", [span.in_three for span in spans]),
        ("mean reciprocal rank × 100", [span.reciprocal_rank for span in spans]),
    )
    figure = make_subplots(
        rows=4,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.28, 0.28, 0.28, 0.16],
        vertical_spacing=0.075,
        subplot_titles=[*(title for title, _ in rows), "judged answers"],
    )
    labels = [_label(span.first, spans[-1].last) for span in spans]
    for row, (title, estimates) in enumerate(rows, start=1):
        _add_line(figure, labels, estimates, title, row)
    figure.add_bar(
        x=labels,
        y=[span.taken.n for span in spans],
        customdata=[_days(span) for span in spans],
        marker={
            "color": GREY,
            "pattern": {"shape": ["" if span.finished else "/" for span in spans], "size": 5},
            "line": {"width": 0},
        },
        hovertemplate="%{customdata}: %{y:,}<extra></extra>",
        row=4,
        col=1,
    )
    dressed(figure, "", height)
    figure.update_layout(showlegend=False, hovermode="x", bargap=0.3, margin={"t": 26})
    figure.update_annotations(x=0, xanchor="left", xref="paper", font={"size": 12})
    figure.update_yaxes(title=None, nticks=4)
    figure.update_yaxes(rangemode="tozero", nticks=3, tickformat=",", row=4)
    figure.update_xaxes(type="category", nticks=8, tickangle=0)
    return figure


def domain_matrix(by_domain: pd.DataFrame, height: int = 400) -> go.Figure:
    """Return for each domain recommended, in a row, what was chosen, in per cent of the row."""
    counts = by_domain.pivot_table(
        index="recommended", columns="chosen", values="answers", aggfunc="sum", fill_value=0
    )
    extra = ["other"] if "other" in {*counts.index, *counts.columns} else []
    rows = [each for each in (*DOMAINS, *extra) if each in counts.index]
    columns = [*DOMAINS, *extra, "none"]
    answers = counts.reindex(index=rows, columns=columns, fill_value=0).to_numpy(np.int64)
    totals = answers.sum(axis=1, keepdims=True)
    shares = answers / totals
    names = [f"{row} · {total:,}" for row, total in zip(rows, totals[:, 0], strict=True)]
    colour = _TEAL_RGB[is_dark()]
    figure = go.Figure(
        go.Heatmap(
            x=columns,
            y=names,
            z=100 * shares,
            customdata=answers,
            zmin=0,
            zmax=100,
            # Light enough for the text of either theme to be read on it.
            colorscale=[[0, f"rgba({colour},0.04)"], [1, f"rgba({colour},0.55)"]],
            showscale=False,
            xgap=3,
            ygap=3,
            hovertemplate="%{y}, %{x} chosen: %{customdata:,} (%{z:.1f} %)<extra></extra>",
        )
    )
    filled = [(row, column) for row, column in np.argwhere(answers).tolist()]
    figure.add_scatter(
        x=[columns[column] for _, column in filled],
        y=[names[row] for row, _ in filled],
        text=[_inked(per_cent(float(shares[place])).removesuffix(" %")) for place in filled],
        mode="text",
        textfont={"size": 13},
        hoverinfo="skip",
        showlegend=False,
    )
    dressed(figure, "recommended", height)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title={"text": "chosen, % of the row", "font": {"size": 12}})
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False)
    return figure


def places(by_place: Mapping[str, int], height: int = 400) -> go.Figure:
    """Return one bar for each place that the choice had, the first on top."""
    total = sum(by_place.values())
    shares = {name: answers / total for name, answers in by_place.items()}
    figure = go.Figure(
        go.Bar(
            x=[100 * share for share in shares.values()],
            y=list(shares),
            orientation="h",
            marker={
                "color": [TEAL[is_dark()]] + [GREY] * (len(shares) - 1),
                "line": {"width": 0},
            },
            text=[per_cent(share) for share in shares.values()],
            textposition="outside",
            cliponaxis=False,
            customdata=list(by_place.values()),
            hovertemplate="%{y}: %{customdata:,}<extra></extra>",
        )
    )
    dressed(figure, "", height)
    figure.update_layout(showlegend=False, bargap=0.35, hovermode="closest")
    figure.update_xaxes(showgrid=False, showticklabels=False, range=[0, 112])
    figure.update_yaxes(autorange="reversed", showgrid=False, title=None)
    return figure


def _add_chance(figure: go.Figure, bins: Sequence[ReliabilityBin]) -> None:
    """Draw consistency bars around the diagonal."""
    figure.add_scatter(
        x=[100 * each.confidence for each in bins],
        y=[100 * each.confidence for each in bins],
        error_y={
            "array": [100 * (each.highest - each.confidence) for each in bins],
            "arrayminus": [100 * (each.confidence - each.lowest) for each in bins],
            "color": f"rgba({_GREY_RGB},0.38)",
            "thickness": 12,
            "width": 0,
        },
        mode="markers",
        marker={"color": "rgba(0,0,0,0)", "size": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(  # for the legend only
        x=[None],
        y=[None],
        mode="markers",
        name="what chance does",
        marker={"color": f"rgba({_GREY_RGB},0.5)", "symbol": "square", "size": 12},
    )


def _add_before(figure: go.Figure, bins: Sequence[ReliabilityBin]) -> None:
    figure.add_scatter(
        x=[100 * each.confidence for each in bins],
        y=[100 * each.share for each in bins],
        customdata=[_told(each) for each in bins],
        mode="lines+markers",
        name="by the shipped curve",
        line={"color": GREY, "width": 1.2, "dash": "dash"},
        marker={"color": GREY, "symbol": "circle-open", "size": 8},
        hovertemplate="shipped curve: %{customdata}<extra></extra>",
    )


def _add_counts(figure: go.Figure, bins: Sequence[ReliabilityBin]) -> None:
    figure.add_bar(
        x=[50 * (each.low + each.high) for each in bins],
        y=[each.n for each in bins],
        width=[96 * (each.high - each.low) for each in bins],
        marker={"color": f"rgba({_TEAL_RGB[is_dark()]},0.45)", "line": {"width": 0}},
        customdata=[_told(each) for each in bins],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
        row=2,
        col=1,
    )


def _inked(text: str) -> str:
    """Return text in the page's own ink, also when another theme is chosen in the browser."""
    return f'<span style="color:currentColor">{text}</span>'


def _told(each: ReliabilityBin) -> str:
    chance = f"{100 * each.lowest:.0f}-{100 * each.highest:.0f} %"
    return (
        f"said {100 * each.confidence:.0f} %, right in {100 * each.share:.0f} % of {each.n:,}"
        f"<br>by chance alone: {chance}"
    )


def _add_line(
    figure: go.Figure, labels: list[str], estimates: list[Estimate], title: str, row: int
) -> None:
    colour = TEAL[is_dark()]
    values = [None if each.value is None else 100 * each.value for each in estimates]
    figure.add_scatter(
        x=labels,
        y=values,
        customdata=[
            f"{per_cent(each.value)} ({range_of(each)}), n = {each.n:,}" for each in estimates
        ],
        error_y={
            "array": [100 * (each.interval[1] - (each.value or 0)) for each in estimates],
            "arrayminus": [100 * ((each.value or 0) - each.interval[0]) for each in estimates],
            "color": f"rgba({_TEAL_RGB[is_dark()]},0.28)",
            "thickness": 7 if len(labels) <= _MANY_SPANS else 4,
            "width": 0,
        },
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={
            "color": colour,
            "size": 6,
            "symbol": ["circle"] * (len(labels) - 1) + ["circle-open"],
        },
        hovertemplate="%{customdata}<extra></extra>",
        name=title,
        row=row,
        col=1,
    )


def _label(day: date, newest: date) -> str:
    return f"{day.day} {day:%b}" if day.year == newest.year else f"{day.day} {day:%b %Y}"


def _days(span: Span) -> str:
    first = f"{span.first.day} {span.first:%b}"
    told = first if span.first == span.last else f"{first} to {span.last.day} {span.last:%b}"
    return told if span.finished else f"{told}, not over yet"
