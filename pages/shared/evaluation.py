"""Evaluate a file of labelled tasks, as `waywarden evaluate` does, with a picture."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics import Calibration
from core.errors import InvalidInput
from core.recommend import Judged, LabelledTask, judge, labelled_in
from pages.shared.accuracy_cards import evaluation_cards
from pages.shared.accuracy_charts import reliability
from pages.shared.accuracy_panels import evaluation_misses
from pages.shared.accuracy_text import calibration_finding, calibration_reading
from pages.shared.charts import show
from pages.shared.session import errors_shown, runtime
from pages.shared.text import count_of, plain

__all__ = ["evaluate_a_file"]

MOST_TASKS = 5_000
_KINDS = ("jsonl", "ndjson", "json", "txt")
_LINE = '{"title": "fix the login bug", "accept": ["bug-fix"]}'
_STEPS, MOST_NAMED = 100, 5


@st.fragment
def evaluate_a_file() -> None:
    """Take a file, rank each of its tasks and compare."""
    with st.container(border=True, key="evaluate"):
        st.markdown("**Evaluate a file**")
        st.caption(
            "One JSON object a line, with a title and every workflow that is right for it; none "
            "where nothing fits. Nothing of the file is kept."
        )
        st.code(_LINE, language=None, wrap_lines=True)
        file = st.file_uploader(
            "Labelled tasks", _KINDS, key="labelled", label_visibility="collapsed"
        )
        if file is not None:
            with errors_shown():
                rows = _rows(file.name, file.getvalue())
                _results(_judged(file.file_id, rows), rows)


def _rows(name: str, content: bytes) -> list[LabelledTask]:
    """Return the tasks of a file.

    Raises:
        InvalidInput: a line is not a labelled task, or there are too many; the sentence names it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise InvalidInput("file", f"{name}, line {line}: not UTF-8 text.") from None
    rows = labelled_in(text, name)
    if len(rows) > MOST_TASKS:
        raise InvalidInput(
            "file",
            f"{name} holds {len(rows):,} tasks; this page takes up to {MOST_TASKS:,}, "
            "“waywarden evaluate” any number.",
        )
    return rows


def _judged(file_id: str, rows: Sequence[LabelledTask]) -> Judged:
    """Rank the tasks, once for each file and version of the ranker, and show how far it is."""
    recommender, version = runtime().recommender, runtime().ranker().version
    known: tuple[tuple[str, str], Judged] | None = st.session_state.get("evaluated")
    if known and known[0] == (file_id, version):
        return known[1]
    bar = st.progress(0.0, "Ranking …")
    step = max(1, len(rows) // _STEPS)

    def tell(done: int) -> None:
        if done % step == 0:
            bar.progress(done / len(rows), f"{done:,} of {count_of(len(rows), 'task')} ranked")

    judged = judge(recommender.rank, rows, tell)
    bar.empty()
    st.session_state["evaluated"] = ((file_id, version), judged)
    return judged


def _results(judged: Judged, rows: Sequence[LabelledTask]) -> None:
    calibration = Calibration.of(judged.confidence, judged.right)
    if calibration is None:
        return
    evaluation_cards(judged.figures, calibration)
    known = {workflow.workflow_id for workflow in runtime().catalogue.workflows}
    if unknown := sorted({each for row in rows for each in row.accept} - known):
        st.caption(f"Accepted, but not loaded: {plain(', '.join(unknown[:MOST_NAMED]))}.")
    left, right = st.columns(2)
    with left:
        show(
            reliability(calibration),
            key="evaluated",
            finding=calibration_finding(calibration),
            reading=calibration_reading(calibration),
        )
    with right:
        evaluation_misses(judged.misses)
