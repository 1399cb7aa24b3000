"""A question on its way: answered at once where that is quick, else waited for and cancellable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from core.clock import new_id
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

    key: str | None
    since: float = field(default_factory=time.monotonic)
    job: Job | None = None
    answer: Recommendation | Denied | None = None
    problem: WaywardenError | None = None


def ask_for(request: Request, take: Take) -> None:
    """Ask in the background; `take` gets the answer, at once if it is quick, or by the panel."""
    before: _Asked | None = st.session_state.get("asking")
    if before and before.key == request.idempotency_key and before.job and not before.job.ended:
        return  # a second click
    asked = _Asked(request.idempotency_key)
    recommender = runtime().recommender

    def work(job: Job) -> None:
        try:
            asked.answer = recommender.recommend(request, job.stop)
        except WaywardenError as problem:
            asked.problem = problem

    asked.job = runtime().jobs.submit(f"ask:{new_id()}", work)
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
    if asked.problem:
        with errors_shown():
            raise asked.problem
    elif asked.job.status == "cancelled":
        st.info("Cancelled: nothing was recommended.", icon=":material/close:")
    elif asked.answer is None:
        with errors_shown():
            raise Unavailable("The recommender failed; the log says why.")
    return False


@st.fragment(run_every=POLL_S)
def _waiting(asked: _Asked, take: Take) -> None:
    if asked.job is None or asked.job.ended:
        _taken(asked, take)
        st.rerun()
    with st.container(border=True, key="asking"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**A model looks at your task …**", width="content")
            st.caption(f"{time.monotonic() - asked.since:.0f} s", width="content")
            st.space("stretch")
            st.button(
                "Cancel", key="cancel-asking", icon=":material/close:", on_click=asked.job.cancel
            )
        st.skeleton(120)


def _taken(asked: _Asked, take: Take) -> None:
    if asked.answer is not None:
        del st.session_state["asking"]
        take(asked.answer)
