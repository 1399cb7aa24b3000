"""Type a task, get three workflows, use one, tick off its steps."""

from __future__ import annotations

import streamlit as st

from core.guard import Denied, Request
from core.recommend import Recommendation
from pages.shared.asking import ask_for, asking_panel
from pages.shared.cards import denial, recommendation_cards
from pages.shared.dismissal import none_of_these
from pages.shared.question import question_form, task_asked
from pages.shared.session import (
    Answered,
    errors_shown,
    person,
    runtime,
    session_id,
)
from pages.shared.steps import run_panel

EXAMPLES = ("fix the login bug", "plan my week", "save for a laptop")


def ask() -> None:
    """Recommend for what the form holds; the same question again is the same request."""
    state = st.session_state
    state.pop("denied", None)
    with errors_shown():
        task = task_asked()
        marked = bool(state.get("sensitive"))
        key = f"{session_id()}:{state.get('answers', 0)}:{hash((task, marked))}"
        ask_for(Request("recommend", person(), task, idempotency_key=key, marked=marked), take)


def take(answer: Recommendation | Denied) -> None:
    """Show what came of the question."""
    if isinstance(answer, Denied):
        st.session_state["denied"] = answer
        return
    st.query_params.pop("run", None)
    st.query_params["answer"] = answer.request_id


def use(workflow_id: str, rank: int | None) -> None:
    """Start the workflow; however often it is clicked, one run comes of it."""
    state = st.session_state
    state.pop("denied", None)
    answered: Answered = state["answered"]
    with errors_shown():
        started = runtime().executor.start(
            Request(
                "execute",
                person(),
                answered.task,
                idempotency_key=f"{answered.request_id}:{workflow_id}",
                workflow_id=workflow_id,
                recommendation_id=answered.request_id,
                chosen_rank=rank,
                marked=answered.is_sensitive,
            )
        )
        if isinstance(started, Denied):
            state["denied"] = started
            return
        state["answers"] = state.get("answers", 0) + 1
        st.query_params["run"] = started


def try_example(example: str) -> None:
    st.session_state["task"] = example
    ask()


def first_steps() -> None:
    """What the page is for, shown until the first question."""
    st.markdown(
        "Type a task in your own words: Waywarden recommends the workflow that fits, with an "
        "honest confidence. Pick one, and it becomes concrete steps that you tick off."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Try one:", width="content")
        for example in EXAMPLES:
            st.button(example, key=f"try-{example}", on_click=try_example, args=(example,))


def answer() -> None:
    """Draw the cards of the answer that the address names."""
    recalled = None
    if answer_id := st.query_params.get("answer"):
        recalled = runtime().recommender.recall(answer_id, person())
    if recalled is None:
        first_steps()
        return
    recommendation, task = recalled
    st.session_state["answered"] = Answered(
        recommendation.request_id, task, is_sensitive=recommendation.is_sensitive
    )
    if recommendation.nothing_fits:
        st.info(
            "Nothing fits this well. Say it in other words or add a description; "
            "these are the nearest.",
            icon=":material/search_off:",
        )
    recommendation_cards(recommendation, use)
    none_of_these(recommendation, use)


st.title("What do you want to get done?")
question_form(ask)
if denied := st.session_state.get("denied"):
    denial(denied)
if not asking_panel(take):
    with errors_shown():
        answer()
    if run_id := st.query_params.get("run"):
        run_panel(run_id)
