"""When no suggestion fits: it is said once, and any other workflow can be taken instead."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.catalogue import DOMAINS, Workflow
from core.recommend import Reaction, Recommendation
from pages.shared.session import errors_shown, person, profile, runtime

__all__ = ["none_of_these"]

CONTROLS_PX = 410


def none_of_these(recommendation: Recommendation, use: Callable[[str, int | None], None]) -> None:
    """Draw below the cards what helps when none of them does.

    Args:
        recommendation: the answer that is shown.
        use: starts a workflow that is not among those shown, so without a rank.
    """
    answer_id = recommendation.request_id
    reaction = runtime().feedback.reaction(answer_id, person())
    with st.container(key="none-fit"):
        if reaction.dismissed:
            _instead(recommendation, reaction, use)
            return
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button(
                "None of these fit",
                key="dismiss",
                type="tertiary",
                icon=":material/thumb_down:",
                help="Tells the recommender, and lets you take any other workflow.",
                on_click=_dismiss,
                args=(answer_id,),
            )


def _instead(
    recommendation: Recommendation, reaction: Reaction, use: Callable[[str, int | None], None]
) -> None:
    answer_id = recommendation.request_id
    shown = {suggestion.workflow_id for suggestion in recommendation.suggestions}
    others = {each.workflow_id: each for each in _by_domain() if each.workflow_id not in shown}
    ids = list(others)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        do = "Say it in other words" + (", or take any other workflow:" if ids else ".")
        st.markdown(f"**Noted: none of these fit.** {do}", width="content")
        if not ids:
            return
        st.space("stretch")
        with st.container(horizontal=True, width=CONTROLS_PX):
            picked = st.selectbox(
                "Another workflow",
                ids,
                index=ids.index(reaction.chosen) if reaction.chosen in others else None,
                format_func=lambda each: _line(others[each]),
                placeholder="Pick or type a name",
                key=f"other-{answer_id}",
                label_visibility="collapsed",
            )
            st.button(
                "Use it instead",
                key="use-other",
                disabled=picked is None,
                on_click=_take,
                args=(answer_id, use),
            )


def _by_domain() -> list[Workflow]:
    """Return the catalogue by domain, the person's favourite ones first."""
    favourites = profile().favourite_domains
    domains = sorted(DOMAINS, key=lambda each: each not in favourites)
    return sorted(runtime().catalogue.workflows, key=lambda each: domains.index(each.domain))


def _line(workflow: Workflow) -> str:
    return f"{workflow.default_icon} {workflow.name} · {workflow.domain}"


def _dismiss(answer_id: str) -> None:
    with errors_shown():
        runtime().feedback.dismiss(answer_id, person())


def _take(answer_id: str, use: Callable[[str, int | None], None]) -> None:
    """Record the choice before the run, so that it is known also when a limit denies the run."""
    workflow_id: str = st.session_state[f"other-{answer_id}"]
    with errors_shown():
        runtime().feedback.choose(answer_id, person(), workflow_id)
        use(workflow_id, None)
