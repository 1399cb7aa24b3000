"""The table of requests, in the viewer's zone; picking a row opens it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared.session import zone

__all__ = ["localised", "request_table"]

COLUMNS = {
    "ts": "Time",
    "kind": "Kind",
    "status": "Status",
    "task_title": "Task",
    "workflow": "Workflow",
    "top_confidence": "Confidence",
    "latency_ms": "Latency",
    "cost_usd": "Cost",
    "user_id": "Person",
    "denied_rule": "Rule",
    "request_id": "Request",
}
_NANO = 1_000_000_000


def localised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table in the viewer's zone, the match in per cent, the cost in USD."""
    return frame.assign(
        ts=frame["ts"].dt.tz_convert(zone().key),
        top_confidence=100 * frame["top_confidence"],
        cost_usd=frame["cost_nano_usd"] / _NANO,
    )


def request_table(frame: pd.DataFrame) -> str | None:
    """Draw the table; returns the request that was picked."""
    picked = st.dataframe(
        localised(frame),
        hide_index=True,
        placeholder="",
        column_order=list(COLUMNS),
        column_config={
            **COLUMNS,
            "ts": st.column_config.DatetimeColumn("Time", format="D MMM, HH:mm:ss"),
            "top_confidence": st.column_config.NumberColumn("Match", format="%.0f %%"),
            "latency_ms": st.column_config.NumberColumn("Latency", format="%.1f ms"),
            "cost_usd": st.column_config.NumberColumn(
                "Cost",
                format="$%.4f",
                help="Empty if unknown; at most this where a model’s count was lost.",
            ),
            "task_title": st.column_config.TextColumn("Task", width="medium"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="requests",
    )
    rows = picked["selection"]["rows"]
    return str(frame["request_id"].iloc[rows[0]]) if rows else None
