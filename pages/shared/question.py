"""The question form: a task and its circumstances."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.catalogue import ENERGY_LABELS, Task, task_from
from pages.shared.session import person, profile, runtime, time_of_day
from pages.shared.sidebar import HOURS
from pages.shared.text import SENSITIVE_MEANS, hours

__all__ = ["question_form", "task_asked"]

TIMES = ("morning", "afternoon", "evening")


def task_asked() -> Task:
    """Return the task that the form holds, with what the person completed lately.

    Raises:
        InvalidInput: naming the field that is not acceptable.
    """
    state = st.session_state
    return task_from(
        title=state.get("task") or "",
        description=state.get("description") or "",
        priority=state.get("priority") or "medium",
        energy=state.get("energy") or 2,
        time_of_day=state.get("time_of_day"),
        hours=state.get("hours"),
        recent_tasks=runtime().history.recent_tasks(person()),
    )


def question_form(ask: Callable[[], None]) -> None:
    """Draw the form; only its first line is required. `ask` is called when it is sent."""
    saved = profile()
    with st.form("question", enter_to_submit=True):
        st.text_input(
            "Your task",
            key="task",
            max_chars=200,
            placeholder="fix the login bug, plan my week, save for a laptop …",
            label_visibility="collapsed",
            persist_state="session",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.segmented_control(
                "Energy",
                [1, 2, 3],
                default=saved.usual_energy,
                required=True,
                format_func=lambda level: ENERGY_LABELS[level],
                key="energy",
                persist_state="session",
            )
            st.segmented_control(
                "Time of day",
                TIMES,
                default=time_of_day(),
                required=True,
                key="time_of_day",
                persist_state="session",
            )
            st.segmented_control(
                "Hours",
                HOURS,
                default=saved.usual_hours,
                format_func=hours,
                key="hours",
                persist_state="session",
            )
            with st.popover("More", icon=":material/tune:"):
                st.text_area(
                    "Description", key="description", max_chars=4_000, persist_state="session"
                )
                st.segmented_control(
                    "Priority",
                    ("low", "medium", "high"),
                    default="medium",
                    required=True,
                    key="priority",
                    persist_state="session",
                )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.toggle(
                "Sensitive",
                key="sensitive",
                persist_state="session",
                help=SENSITIVE_MEANS,
            )
            st.space("stretch")
            st.form_submit_button(
                "Recommend", type="primary", icon=":material/explore:", on_click=ask
            )
