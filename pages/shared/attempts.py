"""A request's attempts to get an answer from a model: as a strip of time, as a table, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.analytics import ModelCall, RequestFacts, Spending
from pages.shared.charts import dressed, show
from pages.shared.model_text import (
    Passed,
    advice,
    cost_said,
    latency,
    model_name,
    money,
    outcome_said,
    passed_by,
    tokens_said,
    why_passed,
)
from pages.shared.session import is_dark
from pages.shared.text import count_of, escaped, plain

__all__ = ["Segment", "attempts_panel", "finding_of", "segments_of", "strip"]

Kind = Literal["checking or waiting", "answered", "failed", "cancelled"]
COLOURS: dict[Kind, tuple[str, str]] = {
    "answered": ("#0F766E", "#5CC9BE"),
    "failed": ("#D55E00", "#F0803C"),
    "cancelled": ("#5B6B7A", "#93A4B3"),
    "checking or waiting": ("#8796A3", "#8796A3"),
}
PALE = 0.4
ROW_PX, FRAME_PX = 44, 84
LEAST_GAP_S = 0.001
_NANO = 1_000_000_000
READING = (
    "Paler: until the first token came. Hatched: between attempts, when an answer was checked or "
    "the next try waited for."
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time on one row, in seconds after the admission."""

    row: str
    kind: Kind
    start_s: float
    length_s: float
    pale: bool = False


def attempts_panel(facts: RequestFacts) -> None:
    """Draw all attempts of a request; nothing where no model was asked."""
    calls = facts.calls
    if not calls:
        return
    show(
        strip(facts),
        key="attempts",
        finding=plain(finding_of(facts)),
        reading=READING,
        table=pd.DataFrame(map(asdict, calls)),
    )
    _falls(facts)
    _table(facts.request["ts"], calls)


def finding_of(facts: RequestFacts) -> str:
    """Say how many attempts there were, who answered in the end, and what it cost."""
    calls = facts.calls
    took = latency(sum(call.latency_ms for call in calls))
    last = calls[-1]
    who = model_name(last.provider, last.model)
    answered = f"{who} answered" if last.outcome == "succeeded" else f"{who} {outcome_said(last)}"
    spent = Spending.of(calls)
    return (
        f"{count_of(len(calls), 'attempt')}, {took} of models: {answered} · "
        f"{tokens_said(spent)} · {cost_said(spent)}"
    )


def segments_of(facts: RequestFacts) -> list[Segment]:
    """Cut a request's time into stretches: each attempt, and what passed before it."""
    start: datetime = facts.request["ts"]

    def seconds(moment: datetime) -> float:
        return (moment - start).total_seconds()

    segments: list[Segment] = []
    free_from = 0.0
    for call in facts.calls:
        row, began = _row(call), seconds(call.began)
        segments += _gap(row, free_from, began)
        segments += _attempt(row, call, began)
        free_from = max(free_from, seconds(call.ended))
    for settled in facts.rows["settlements"]:
        segments += _gap("settled", free_from, seconds(settled["ts"]))
    return segments


def strip(facts: RequestFacts) -> go.Figure:
    """Return the strip: admission on top, one row an attempt, settlement below."""
    segments, figure = segments_of(facts), go.Figure()
    settled = [
        (row["ts"] - facts.request["ts"]).total_seconds() for row in facts.rows["settlements"]
    ]
    rows = ["admitted", *map(_row, facts.calls), *(["settled"] if settled else [])]
    for kind, colours in COLOURS.items():
        found = [each for each in segments if each.kind == kind]
        figure.add_bar(
            x=[each.length_s for each in found],
            y=[each.row for each in found],
            base=[each.start_s for each in found],
            orientation="h",
            name=kind,
            showlegend=bool(found),
            marker={
                "color": colours[is_dark()],
                "opacity": [PALE if each.pale else 1.0 for each in found],
                "line": {"width": 0},
                "pattern": {"shape": "/" if kind == "checking or waiting" else "", "size": 5},
            },
            customdata=[latency(1_000 * each.length_s) for each in found],
            hovertemplate=f"{kind}: %{{customdata}}<extra></extra>",
        )
    figure.add_scatter(
        x=[0.0, *settled],
        y=["admitted", *("settled" for _ in settled)],
        mode="markers",
        cliponaxis=False,
        marker={"symbol": "diamond", "size": 10, "color": COLOURS["cancelled"][is_dark()]},
        showlegend=False,
        hovertemplate="%{y} after %{x:.3f} s<extra></extra>",
    )
    dressed(figure, "", FRAME_PX + ROW_PX * len(rows))
    figure.update_layout(barmode="overlay", hovermode="closest", bargap=0.45)
    figure.update_layout(legend={"y": 1, "yanchor": "bottom"})
    figure.update_xaxes(
        title={"text": "seconds after admission", "font": {"size": 12}},
        rangemode="tozero",
        showgrid=True,
    )
    figure.update_yaxes(
        title=None, categoryorder="array", categoryarray=rows[::-1], showgrid=False
    )
    return figure


def _row(call: ModelCall) -> str:
    name = escaped(model_name(call.provider, call.model))
    return f"{name}<br>rung {call.rung}, attempt {call.number}"


def _gap(row: str, start_s: float, end_s: float) -> Iterator[Segment]:
    if end_s - start_s >= LEAST_GAP_S:
        yield Segment(row, "checking or waiting", start_s, end_s - start_s)


def _attempt(row: str, call: ModelCall, began_s: float) -> Iterator[Segment]:
    kinds: dict[str, Kind] = {"succeeded": "answered", "cancelled": "cancelled"}
    kind = kinds.get(call.outcome, "failed")
    first_s = min(call.first_token_ms or 0.0, call.latency_ms) / 1_000
    if first_s:
        yield Segment(row, kind, began_s, first_s, pale=True)
    yield Segment(row, kind, began_s + first_s, call.latency_ms / 1_000 - first_s)


def _falls(facts: RequestFacts) -> None:
    """Say of each model that did not answer why, and what to do about it."""
    recorded = [
        Passed(fall["provider"], fall["model"], fall["kind"])
        for row in (*facts.rows["recommendations"], *facts.rows["executions"])
        for fall in json.loads(row["source"] or "{}").get("falls", [])
    ]
    for passed in recorded or passed_by(facts.calls):
        said = f"{why_passed(passed)} {advice(passed.kind)}"
        st.caption(f":material/subdirectory_arrow_right: {plain(said)}")


def _table(admitted: datetime, calls: Sequence[ModelCall]) -> None:
    st.dataframe(
        pd.DataFrame([_line(admitted, call) for call in calls]),
        hide_index=True,
        placeholder="",
        column_config={
            "Starts": st.column_config.NumberColumn(format="%.2f s", help="After the admission."),
            "Took": st.column_config.NumberColumn(format="%.2f s"),
            "First token": st.column_config.NumberColumn(format="%.2f s"),
            "In": st.column_config.NumberColumn("Tokens in", format="localized"),
            "Out": st.column_config.NumberColumn("Tokens out", format="localized"),
            "Bound": st.column_config.TextColumn(
                "At most", help="What it could have cost, as reckoned before it began."
            ),
            "Counted": st.column_config.TextColumn(
                help="By the provider; where its count was lost, tokens and cost are upper limits."
            ),
        },
    )


def _line(admitted: datetime, call: ModelCall) -> dict[str, object]:
    bound = call.bound_nano_usd
    return {
        "Attempt": call.number,
        "Rung": call.rung,
        "Model": model_name(call.provider, call.model),
        "Outcome": outcome_said(call),
        "Starts": (call.began - admitted).total_seconds(),
        "Took": call.latency_ms / 1_000,
        "First token": None if call.first_token_ms is None else call.first_token_ms / 1_000,
        "In": call.input_tokens,
        "Out": call.output_tokens,
        "Cost": cost_said(Spending.of([call])).removeprefix("cost "),
        "Bound": "unknown" if bound is None else money(bound, up=True),
        "Counted": "by the provider" if call.measured else "lost: upper limit",
        "For": call.purpose,
    }
