"""A question on its way: answered at once where that is quick, else waited for and cancellable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from core.clock import new_id, stopwatch_ms
from core.errors import Unavailable, WaywardenError
from core.guard import Denied, Request
from core.jobs import Job
from core.recommend import Recommendation
from pages.shared.session import errors_shown, runtime

__all__ = ["ask_for", "asking_panel"]

# The local recommender takes milliseconds; what takes longer is a model.
AT_ONCE_S, POLL_S = 0.5, 0.3
Take = Callable[[Recommendation | Denied], None]


@dataclass(slots=True)
class _Asked:
    """A question under way, and what came of it once its job has ended."""

    key: tuple[str, str | None]
    since_ms: float = field(default_factory=stopwatch_ms)
    job: Job | None = None
    answer: Recommendation | Denied | None = None
    problem: WaywardenError | None = None


def ask_for(request: Request, take: Take) -> None:
    """Ask in the background; `take` gets the answer, at once if it is quick, or by the panel.

    Another question ends the one before it.
    """
    asked = _Asked((request.user_id, request.idempotency_key))
    before: _Asked | None = st.session_state.get("asking")
    if before and before.job and not before.job.ended:
        if before.key == asked.key:
            return  # a second click
        before.job.cancel()
    recommender = runtime().recommender

    def work(job: Job) -> None:
        try:
            asked.answer = recommender.recommend(request, job.stop)
        except WaywardenError as problem:
            asked.problem = problem

    asked.job = runtime().questions.submit(f"ask:{new_id()}", work)
    st.session_state["asking"] = asked
    if asked.job.wait(AT_ONCE_S):
        _taken(asked, take)


def asking_panel(take: Take) -> bool:
    """Draw a question under way, or why nothing came of it; return whether it is under way."""
    asked: _Asked | None = st.session_state.get("asking")
    if asked is None or asked.job is None:
        return False
    if not asked.job.ended:
        _waiting(asked, take)
        return True
    del st.session_state["asking"]  # said once
    with errors_shown():
        if asked.problem:
            raise asked.problem
        if asked.job.status == "cancelled":
            st.info("Cancelled: nothing was recommended.", icon=":material/close:")
        elif asked.answer is None:
            raise Unavailable("The recommender failed; the log says why.")
        else:  # it came while its person looked elsewhere
            take(asked.answer)
    return False


@st.fragment(run_every=POLL_S)
def _waiting(asked: _Asked, take: Take) -> None:
    if asked.job is None or asked.job.ended:
        _taken(asked, take)
        st.rerun()
    with st.container(border=True, key="asking"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**A model looks at your task …**", width="content")
            st.caption(f"{stopwatch_ms(asked.since_ms) / 1_000:.0f} s", width="content")
            st.space("stretch")
            st.button(
                "Cancel", key="cancel-asking", icon=":material/close:", on_click=asked.job.cancel
            )
        st.skeleton(120)


def _taken(asked: _Asked, take: Take) -> None:
    """Hand on what there is; anything else is for the panel to say."""
    if asked.answer is not None:
        st.session_state.pop("asking", None)
        take(asked.answer)
