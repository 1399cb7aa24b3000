"""Every request, newest first; one click leads to everything that is known of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analytics import ActivityFilter
from pages.shared.request import request_facts
from pages.shared.session import errors_shown, person, runtime, zone
from pages.shared.tables import export_button
from pages.shared.text import clock_time, count_of

PAGE_SIZE = 50
MOST_EXPORTED = 10_000
KINDS = ("recommend", "execute")
STATUSES = ("succeeded", "running", "denied", "cancelled", "failed", "lost")
COLUMNS = {
    "ts": "Time",
    "kind": "Kind",
    "status": "Status",
    "task_title": "Task",
    "workflow": "Workflow",
    "top_confidence": "Confidence",
    "latency_ms": "Latency",
    "user_id": "Person",
    "denied_rule": "Rule",
    "request_id": "Request",
}


def wanted() -> ActivityFilter:
    """Draw the filters, all of them in the address."""
    kind = st.segmented_control(
        "Kind", KINDS, key="kind", bind="query-params", label_visibility="collapsed"
    )
    status = st.pills(
        "Status", STATUSES, key="status", bind="query-params", label_visibility="collapsed"
    )
    mine = st.toggle("Only mine", key="mine", bind="query-params")
    query = st.text_input(
        "Search",
        type="search",
        key="find",
        bind="query-params",
        placeholder="Task or request id",
        label_visibility="collapsed",
        width=190,
    )
    return ActivityFilter(kind, status, person() if mine else None, (query or "").strip() or None)


def localised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table in the viewer's zone, the match in per cent."""
    return frame.assign(
        ts=frame["ts"].dt.tz_convert(zone().key), top_confidence=100 * frame["top_confidence"]
    )


def table(frame: pd.DataFrame) -> str | None:
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
            "task_title": st.column_config.TextColumn("Task", width="large"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="requests",
    )
    rows = picked["selection"]["rows"]
    return str(frame["request_id"].iloc[rows[0]]) if rows else None


with errors_shown():
    activity = runtime().activity
    title = st.container(horizontal=True, vertical_alignment="center")
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = wanted()
        st.space("stretch")
        export = st.container(width="content")
    at = st.session_state.get("activity_page") or 1
    frame, matching = activity.latest(chosen, PAGE_SIZE, (at - 1) * PAGE_SIZE)
    if frame.empty and matching:  # a filter was set on a page that no longer exists
        frame, matching = activity.latest(chosen, PAGE_SIZE)
    with title:
        st.title("Activity", width="content")
        st.space("stretch")
        fresh = clock_time(runtime().clock.now(), zone())
        st.caption(
            f"{count_of(matching, 'request')} · {zone().key} · as of {fresh}", width="content"
        )
    with export:
        export_button(
            lambda: localised(activity.latest(chosen, MOST_EXPORTED)[0]),
            "activity",
            disabled=not matching,
        )
    if frame.empty:
        st.info(
            "No request matches these filters."
            if chosen != ActivityFilter()
            else "Every recommendation and run appears here, also the denied and the lost ones. "
            "Nothing was asked yet.",
            icon=":material/list_alt:",
        )
        st.page_link("operate/recommend.py", label="Bring a task", icon=":material/explore:")
    else:
        opened = table(frame) or st.query_params.get("request")
        st.pagination(max(1, -(-matching // PAGE_SIZE)), key="activity_page")
        if opened:
            request_facts(opened)
