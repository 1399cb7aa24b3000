"""The catalogue: what fits the task at hand, then everything, by domain, tag and word."""

from __future__ import annotations

import streamlit as st

from core.catalogue import DOMAINS, Workflow
from core.clock import new_id
from pages.shared.session import errors_shown, person, profile, runtime
from pages.shared.text import count_of, plain
from pages.shared.workflow import details, faults, tile

OPENED = "workflow"


def show(workflow_id: str) -> None:
    st.query_params[OPENED] = workflow_id
    st.session_state["opened_as"] = new_id()


def back() -> None:
    st.query_params.pop(OPENED, None)


def tiles(workflows: list[Workflow], group: str) -> None:
    with st.grid(4, min_column_width=205):
        for workflow in workflows:
            tile(workflow, show, group)


def recommended(workflows: list[Workflow]) -> None:
    """What was recommended for the task at hand comes first."""
    answered = st.session_state.get("answered")
    recalled = answered and runtime().recommender.recall(answered.request_id, person())
    if not recalled:
        return
    recommendation, task = recalled
    by_id = {workflow.workflow_id: workflow for workflow in workflows}
    found = [
        by_id[suggestion.workflow_id]
        for suggestion in recommendation.suggestions
        if suggestion.workflow_id in by_id
    ]
    if found:
        st.markdown(f"### For “{plain(task.title)}”")
        tiles(found, "recommended")


def browse() -> None:
    catalogue = runtime().catalogue
    tags = sorted({tag for workflow in catalogue.workflows for tag in workflow.tags})
    with st.container(horizontal=True, vertical_alignment="center"):
        domains = st.pills(
            "Domains",
            DOMAINS,
            selection_mode="multi",
            key="domain",
            bind="query-params",
            label_visibility="collapsed",
        )
        tag = st.selectbox(
            "Tag",
            tags,
            index=None,
            placeholder="any tag",
            key="tag",
            bind="query-params",
            label_visibility="collapsed",
            width=170,
        )
        words = st.text_input(
            "Search",
            type="search",
            key="q",
            bind="query-params",
            live=True,
            placeholder="Search words",
            label_visibility="collapsed",
            width=240,
        )
    found = catalogue.find(domains, [tag] if tag else [], words or "")
    recommended(found)
    if not found:
        st.info("No workflow has all of these. Take a filter away.", icon=":material/search_off:")
    favourites = profile().favourite_domains
    for domain in sorted(DOMAINS, key=lambda each: each not in favourites):
        of_domain = [workflow for workflow in found if workflow.domain == domain]
        if of_domain:
            st.markdown(f"### {domain.capitalize()}")
            tiles(of_domain, domain)


with errors_shown():
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Workflows", width="content")
        st.space("stretch")
        loaded = count_of(len(runtime().catalogue.workflows), "workflow")
        st.caption(loaded, width="content")
        st.button(
            "Reload files",
            icon=":material/refresh:",
            on_click=runtime().reload_catalogue,
            help="Read all workflow files again.",
        )
    faults(runtime().catalogue.faults)
    if opened := st.query_params.get(OPENED):
        st.button("All workflows", icon=":material/arrow_back:", type="tertiary", on_click=back)
        details(runtime().catalogue.get(opened))
    else:
        browse()
