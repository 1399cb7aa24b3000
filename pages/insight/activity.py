"""Every request, newest first; one click leads to everything that is known of it."""

from __future__ import annotations

import streamlit as st

from core.analytics import ActivityFilter
from pages.shared.request import request_facts
from pages.shared.request_table import localised, request_table
from pages.shared.session import errors_shown, person, runtime, zone
from pages.shared.tables import export_button
from pages.shared.text import clock_time, count_of

PAGE_SIZE = 50
MOST_EXPORTED = 10_000
KINDS = ("recommend", "execute")
STATUSES = ("succeeded", "running", "denied", "cancelled", "failed", "lost")


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
        opened = request_table(frame) or st.query_params.get("request")
        st.pagination(max(1, -(-matching // PAGE_SIZE)), key="activity_page")
        if opened:
            request_facts(opened)
