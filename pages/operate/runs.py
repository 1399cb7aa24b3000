"""My runs: what is open, what is done, and the way back into each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics import ModelCall
from core.execute import Execution, Status
from pages.shared.cards import denial
from pages.shared.model_text import cost_said
from pages.shared.session import errors_shown, person, runtime, zone
from pages.shared.source import badge, run_origin
from pages.shared.steps import run_panel
from pages.shared.text import count_of, day_time, plain

PAGE_SIZE = 15
OPEN: tuple[Status, ...] = ("planning", "active")
GROUPS: dict[str, tuple[Status, ...]] = {
    "open": OPEN,
    "completed": ("completed",),
    "abandoned": ("abandoned",),
    "not made": ("failed", "cancelled", "lost"),
}
BADGES = {
    "planning": "gray",
    "active": "blue",
    "completed": "green",
    "abandoned": "gray",
    "failed": "red",
    "cancelled": "gray",
    "lost": "orange",
}


def open_run(execution_id: str) -> None:
    st.query_params["run"] = execution_id


def close_run() -> None:
    st.session_state.pop("denied", None)
    st.query_params.pop("run", None)


def row(execution: Execution, calls: Sequence[ModelCall]) -> None:
    now = runtime().clock.now()
    origin = run_origin(execution, calls)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"{execution.icon} **{plain(execution.task_title)}**")
            facts = [execution.workflow_name, day_time(execution.ts, now, zone())]
            if execution.steps:
                facts.append(f"{execution.settled_steps} of {len(execution.steps)} steps")
            if execution.steps or calls:
                facts.append(cost_said(origin.spent))
            st.caption(" · ".join(map(plain, facts)))
        if execution.steps:
            badge(origin)
        st.badge(execution.status, color=BADGES[execution.status])  # type: ignore[arg-type]
        resumable = execution.status in {*OPEN, "abandoned"}
        st.button(
            "Resume" if resumable else "Open",
            key=f"open-{execution.execution_id}",
            on_click=open_run,
            args=(execution.execution_id,),
        )


def listed(executions: list[Execution]) -> None:
    if not executions:
        st.info(
            "Runs appear here as soon as you use a workflow for a task.",
            icon=":material/checklist:",
        )
        st.page_link("operate/recommend.py", label="Bring a task", icon=":material/explore:")
        return
    counts = {
        name: sum(execution.status in statuses for execution in executions)
        for name, statuses in GROUPS.items()
    }
    group = st.segmented_control(
        "Show",
        ["all", *GROUPS],
        default="all",
        required=True,
        format_func=lambda name: f"{name} · {counts.get(name, len(executions))}",
        key="show",
        bind="query-params",
        label_visibility="collapsed",
    )
    wanted = [each for each in executions if group == "all" or each.status in GROUPS[group]]
    if not wanted:
        st.caption(f"None of your {count_of(len(executions), 'run')} is {group}.")
        return
    pages = -(-len(wanted) // PAGE_SIZE)
    place = st.container()
    at = st.pagination(pages, key="runs_page") if pages > 1 else 1
    with place:
        shown = wanted[(at - 1) * PAGE_SIZE : at * PAGE_SIZE]
        calls = runtime().model_calls.of_all([each.execution_id for each in shown])
        for execution in shown:
            row(execution, calls[execution.execution_id])


with errors_shown():
    mine = runtime().history.of(person())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Runs", width="content")
        st.space("stretch")
        st.caption(f"{count_of(len(mine), 'run')} of {plain(person())}", width="content")
    if run_id := st.query_params.get("run"):
        st.button("All runs", icon=":material/arrow_back:", type="tertiary", on_click=close_run)
        if denied := st.session_state.get("denied"):
            denial(denied)
        run_panel(run_id)
    else:
        listed(mine)
