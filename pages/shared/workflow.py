"""One workflow: its tile, its details, and the faults of files that could not be loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from core.catalogue import Fault, Task, Workflow, render, task_from
from core.guard import Denied, Request
from pages.shared.cards import denial
from pages.shared.session import Answered, errors_shown, person, runtime, session_id, time_of_day
from pages.shared.text import SENSITIVE_MEANS, count_of, duration, plain

__all__ = ["details", "faults", "tile"]

SHOWN_EXAMPLES = 12


def tile(workflow: Workflow, show: Callable[[str], None], group: str) -> None:
    """Draw a workflow as a card that opens its details."""
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown(f"**{workflow.default_icon} {plain(workflow.name)}**")
        st.caption(plain(workflow.description))
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_facts(workflow), width="content")
            st.space("stretch")
            st.button(
                "Details",
                key=f"details-{group}-{workflow.workflow_id}",
                type="tertiary",
                icon=":material/chevron_right:",
                icon_position="right",
                on_click=show,
                args=(workflow.workflow_id,),
            )


def details(workflow: Workflow) -> None:
    """Draw everything about a workflow, its prompts rendered for the task at hand."""
    answered: Answered | None = st.session_state.get("answered")
    task = answered.task if answered else task_from(title=_example(workflow))
    with st.container(border=True):
        st.markdown(f"## {workflow.default_icon} {plain(workflow.name)}")
        st.markdown(plain(workflow.description))
        about = (
            workflow.domain,
            workflow.workflow_id,
            f"version {workflow.version}",
            f"by {workflow.author}",
        )
        st.caption(" · ".join(map(plain, (_facts(workflow), *about))))
        with st.container(horizontal=True):
            for tag in workflow.tags:
                st.badge(plain(tag), color="gray")
        _run_it(workflow, task, is_sensitive=bool(answered and answered.is_sensitive))
    outline, prompts, examples = st.tabs(["Steps", "Prompts", "Examples"])
    with outline:
        _plan(workflow, task)
    with prompts:
        st.caption(f"As a model would see them for “{plain(task.title)}”.")
        values = task.template_values(workflow.expected_step_count)
        st.markdown("**System prompt**")
        st.code(render(workflow.system_prompt, values), language=None, wrap_lines=True)
        st.markdown("**User prompt**")
        st.code(render(workflow.user_prompt_template, values), language=None, wrap_lines=True)
    with examples:
        st.caption("Tasks that the recommender knows this workflow is right for.")
        for example in workflow.examples[:SHOWN_EXAMPLES]:
            st.markdown(f"- {plain(example)}")
        if (more := len(workflow.examples) - SHOWN_EXAMPLES) > 0:
            st.caption(f"and {more} more in its file")


def faults(found: Sequence[Fault]) -> None:
    """List every fault of every file, if there is any."""
    if not found:
        return
    files = len({fault.file for fault in found})
    said = f"{count_of(len(found), 'fault')} in {count_of(files, 'workflow file')}"
    with st.expander(f"{said}: left out until mended", icon=":material/error:", expanded=True):
        st.dataframe(
            pd.DataFrame(
                {
                    "File": [fault.file for fault in found],
                    "Line": [fault.line for fault in found],
                    "Key": [fault.key for fault in found],
                    "Fault": [fault.message for fault in found],
                }
            ),
            hide_index=True,
        )


def _facts(workflow: Workflow) -> str:
    minutes = workflow.nominal_minutes
    steps = count_of(workflow.expected_step_count, "step")
    return steps + (f" · {duration(minutes)}" if minutes else "")


def _example(workflow: Workflow) -> str:
    return workflow.examples[0] if workflow.examples else workflow.name


def _run_it(workflow: Workflow, task: Task, *, is_sensitive: bool) -> None:
    """Run this workflow for a task, recommended or not."""
    with (
        st.form(f"run-{workflow.workflow_id}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        title = st.text_input("Your task", task.title, max_chars=200)
        marked = st.toggle("Sensitive", is_sensitive, help=SENSITIVE_MEANS)
        sent = st.form_submit_button("Use this workflow", type="primary")
    if not sent:
        return
    with errors_shown():
        opened = st.session_state.get("opened_as") or session_id()
        key = f"{opened}:{workflow.workflow_id}:{hash((title, marked))}"
        wanted = task_from(**{**task.model_dump(), "title": title, "time_of_day": time_of_day()})
        started = runtime().executor.start(
            Request(
                "execute",
                person(),
                wanted,
                idempotency_key=key,
                workflow_id=workflow.workflow_id,
                marked=marked,
            )
        )
        if isinstance(started, Denied):
            denial(started)
        else:
            st.switch_page("operate/runs.py", query_params={"run": started})


def _plan(workflow: Workflow, task: Task) -> None:
    """Preview the steps that the local planner makes of the outline."""
    plan = runtime().preview(workflow, task)
    said = (
        f"As the local planner would fit it for “{plain(task.title)}”: {duration(plan.minutes)}."
    )
    st.caption(said if workflow.outline else f"{said} Its file has no outline of its own.")
    for number, step in enumerate(plan.steps, start=1):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{number}. {step.icon} **{plain(step.title)}**", width="content")
            st.space("stretch")
            st.caption(f"{step.estimated_minutes} min · {step.energy_level}", width="content")
        st.caption(plain(step.description))
