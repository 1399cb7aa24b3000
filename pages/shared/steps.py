"""A run: its steps as they are made, done, skipped, edited and timed."""

from __future__ import annotations

from functools import partial
from typing import Literal

import streamlit as st

from core.execute import Execution, StepChange, StepState
from core.guard import Denied
from pages.shared.session import errors_shown, person, runtime
from pages.shared.source import badge, fall_line, run_origin, spent_until_then
from pages.shared.text import count_of, duration, plain

__all__ = ["as_markdown", "run_panel"]

POLL_S = 0.4
_QUIET = {"done", "skipped"}
_ENDED = {
    "cancelled": "This run was cancelled before its steps were complete.",
    "failed": "Making the steps failed",
    "lost": "The process stopped while the steps were being made.",
}


def run_panel(execution_id: str) -> None:
    """Draw a run; while its steps are being made it redraws itself."""
    with errors_shown():
        execution = runtime().executor.execution(execution_id)
        with st.container(border=True, key="run"):
            if execution.status == "planning":
                _planning(execution_id)
            else:
                _settled(execution_id)


@st.fragment(run_every=POLL_S)
def _planning(execution_id: str) -> None:
    execution = runtime().executor.execution(execution_id)
    if execution.status != "planning":
        st.rerun()
    _heading(execution, f"making the plan · {count_of(len(execution.steps), 'step')} so far")
    st.progress(0, text=None)
    for state in execution.steps:
        with st.container(horizontal=True):
            st.markdown(plain(state.step.title), width="content")
            st.space("stretch")
            st.caption(_facts(state), width="content")
    st.skeleton(28)
    st.button(
        "Cancel",
        key="cancel-plan",
        icon=":material/close:",
        on_click=runtime().executor.cancel,
        args=(execution_id,),
    )


@st.fragment
def _settled(execution_id: str) -> None:
    execution = runtime().executor.execution(execution_id)
    if execution.status in _ENDED:
        detail = f": {execution.error}." if execution.status == "failed" else ""
        _heading(execution, execution.status)
        st.markdown(plain(_ENDED[execution.status] + detail))
        spent_until_then(execution.execution_id)
        if st.button("Start again", key="again", icon=":material/replay:"):
            _again(execution_id)
        return
    total, done = len(execution.steps), execution.settled_steps
    _heading(
        execution,
        f"{done} of {total} done · {execution.settled_minutes} of "
        f"{execution.planned_minutes} minutes",
    )
    st.progress(done / total if total else 0.0)
    current = execution.current
    for state in execution.steps:
        _row(execution, state, is_current=current is not None and state.number == current.number)
    _foot(execution)


def _again(execution_id: str) -> None:
    with errors_shown():
        started = runtime().executor.again(execution_id, person())
        if isinstance(started, Denied):
            st.session_state["denied"] = started
        else:
            st.session_state.pop("denied", None)
            st.query_params["run"] = started
        st.rerun()


def _heading(execution: Execution, right: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"### {execution.icon} {plain(execution.workflow_name)}", width="content")
        st.caption(f"“{plain(execution.task_title)}”", width="content")
        st.space("stretch")
        st.caption(right, width="content")


def _row(execution: Execution, state: StepState, *, is_current: bool) -> None:
    quiet = state.status in _QUIET
    title = plain(state.step.title)
    key = f"{execution.execution_id}-{state.number}-{state.status}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.checkbox(
            f":gray[{title}]" if quiet else f"**{title}**" if is_current else title,
            value=state.status == "done",
            key=f"tick-{key}",
            on_change=partial(
                _change, execution, state, "reopened" if state.status == "done" else "done"
            ),
            width="content",
        )
        if state.status in {"skipped", "doing"}:
            st.badge("skipped" if quiet else "under way", color="gray" if quiet else "primary")
        st.space("stretch")
        st.caption(_facts(state), width="content")
    if is_current:
        _current(execution, state, key)


def _current(execution: Execution, state: StepState, key: str) -> None:
    """Only the step at hand shows how to do it, and what can be done with it."""
    step = state.step
    with st.container(key=f"current-{state.number}", gap="small"):
        st.markdown(f"{step.icon} {plain(step.description)}")
        if step.expected_outcome:
            st.caption(f"Outcome: {plain(step.expected_outcome)}")
        if step.validation_command:
            st.code(step.validation_command, language="bash")
        with st.container(horizontal=True, vertical_alignment="center"):
            if state.status == "todo":
                _act(execution, state, "started", "Start", ":material/play_arrow:", key)
            _act(execution, state, "done", "Done", ":material/check:", key)
            _act(execution, state, "skipped", "Skip", ":material/skip_next:", key)
            _edit(execution, state, key)


def _act(
    execution: Execution,
    state: StepState,
    event: Literal["started", "done", "skipped"],
    label: str,
    icon: str,
    key: str,
) -> None:
    st.button(
        label,
        key=f"{event}-{key}",
        icon=icon,
        on_click=_change,
        args=(execution, state, event),
    )


def _edit(execution: Execution, state: StepState, key: str) -> None:
    with st.popover("Edit", icon=":material/edit:"), st.form(f"edit-{key}", border=False):
        st.text_input("Title", state.step.title, max_chars=200, key=f"title-{key}")
        st.text_area("How", state.step.description, max_chars=2_000, key=f"how-{key}")
        st.number_input(
            "Minutes it really took",
            min_value=1,
            max_value=1_440,
            value=state.actual_minutes,
            placeholder=f"planned {state.step.estimated_minutes}",
            key=f"minutes-{key}",
        )
        st.form_submit_button("Save", type="primary", on_click=_save, args=(execution, state, key))


def _save(execution: Execution, state: StepState, key: str) -> None:
    typed = st.session_state
    title, description = typed[f"title-{key}"] or "", typed[f"how-{key}"] or ""
    minutes = typed[f"minutes-{key}"]
    changes = []
    if (title, description) != (state.step.title, state.step.description):
        changes.append(StepChange(state.number, "edited", title=title, description=description))
    if minutes is not None and minutes != state.actual_minutes:
        changes.append(StepChange(state.number, "timed", actual_minutes=minutes))
    with errors_shown():
        for change in changes:
            runtime().executor.change_step(execution.execution_id, person(), change)


def _change(
    execution: Execution,
    state: StepState,
    event: Literal["started", "done", "skipped", "reopened"],
) -> None:
    with errors_shown():
        change = StepChange(state.number, event)
        runtime().executor.change_step(execution.execution_id, person(), change)


def _facts(state: StepState) -> str:
    step = state.step
    planned = f"{step.estimated_minutes} min · {step.energy_level}"
    return f"{state.actual_minutes} min taken · {planned}" if state.actual_minutes else planned


def _foot(execution: Execution) -> None:
    notes = [
        f"{duration(execution.break_minutes)} of breaks" if execution.break_minutes else "",
        f"{duration(execution.buffer_minutes)} to spare" if execution.buffer_minutes else "",
    ]
    origin = run_origin(execution, runtime().model_calls.of(execution.execution_id))
    said = " · ".join([origin.facts(), *filter(None, notes)])
    fall_line(origin, is_sensitive=execution.is_sensitive)
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(origin)
        st.caption(said, width="content", help="  \n".join(map(plain, execution.notes)) or None)
        st.space("stretch")
        with st.popover("Copy as Markdown", icon=":material/content_copy:", type="tertiary"):
            st.code(as_markdown(execution), language="markdown", wrap_lines=True)
    if execution.settled_steps:
        _rating(execution)


def _rating(execution: Execution) -> None:
    key = f"useful-{execution.execution_id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Was this useful?", width="content")
        st.feedback(
            "thumbs",
            key=key,
            default=None if execution.useful is None else int(execution.useful),
            on_change=partial(_rate, execution, key),
        )
        if execution.useful is not None:
            st.caption("Thank you, noted.", width="content")


def _rate(execution: Execution, key: str) -> None:
    answer = st.session_state.get(key)
    if answer is not None:
        with errors_shown():
            runtime().executor.rate(execution, useful=bool(answer))


def as_markdown(execution: Execution) -> str:
    """Return the run as a Markdown check list."""
    lines = [f"# {execution.task_title}", "", f"{execution.workflow_name}", ""]
    for state in execution.steps:
        step, mark = state.step, "x" if state.status == "done" else " "
        skipped = " (skipped)" if state.status == "skipped" else ""
        lines.append(
            f"- [{mark}] **{step.title}**{skipped} "
            f"({step.estimated_minutes} min, {step.energy_level})  "
        )
        lines.append(f"  {step.description}")
        if step.validation_command:
            lines.append(f"  `{step.validation_command}`")
    return "\n".join(lines) + "\n"
