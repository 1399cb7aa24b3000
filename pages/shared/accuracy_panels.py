"""The tables of the accuracy page, each with its export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from core.analytics import Accuracy, Correction, Estimate, FittedCurves, Span
from core.recommend import Miss
from pages.shared.accuracy_charts import domain_matrix, over_time, places, reliability
from pages.shared.accuracy_text import (
    calibration_finding,
    calibration_reading,
    curve_fact,
    domain_finding,
    place_finding,
    trend_finding,
    trend_reading,
)
from pages.shared.charts import show
from pages.shared.session import runtime, zone
from pages.shared.tables import headed
from pages.shared.text import count_of, day_time, plain

__all__ = [
    "calibration_panel",
    "curves_panel",
    "domains_panel",
    "evaluation_misses",
    "misses_panel",
    "places_panel",
    "rankers_panel",
    "trend_panel",
]

_OVER_TIME = (
    "covered",
    "taken",
    "in_three",
    "reciprocal_rank",
    "reselected",
    "seconds_to_choice",
)
_MISSES: Mapping[str, Any] = {
    "top_confidence": st.column_config.NumberColumn("Match", format="%.0f %%"),
    "task_title": st.column_config.TextColumn("Task", width="large"),
    "top_workflow_id": "Recommended",
    "choice": "Chosen",
    "ts": st.column_config.DatetimeColumn("Time", format="D MMM, HH:mm"),
    "user_id": "Person",
}
_LABELLED: Mapping[str, Any] = {
    "confidence": st.column_config.NumberColumn("Match", format="%.0f %%"),
    "title": "Task",
    "first": "Recommended",
    "accept": "Accepted",
}
_RANKERS: Mapping[str, Any] = {
    "ranker": "Ranker",
    "answers": st.column_config.NumberColumn("Answers", format="localized"),
    "judged": st.column_config.NumberColumn("Judged", format="localized"),
    "taken": st.column_config.ProgressColumn(
        "First taken", format="%.0f %%", min_value=0, max_value=100
    ),
    "interval": "at 95 %",
    "in_three": st.column_config.NumberColumn("One of three", format="%.0f %%"),
    "reciprocal_rank": st.column_config.NumberColumn("MRR", format="%.2f"),
    "confidence": st.column_config.NumberColumn("Mean match", format="%.0f %%"),
    "error": st.column_config.NumberColumn("ECE", format="%.3f"),
    "if_calibrated": st.column_config.NumberColumn("by chance", format="%.3f"),
    "covered": st.column_config.NumberColumn("Fits", format="%.0f %%"),
    "last_used": st.column_config.DatetimeColumn("Last used", format="D MMM, HH:mm"),
}
_CURVES: Mapping[str, Any] = {
    "ts": st.column_config.DatetimeColumn("Fitted", format="D MMM, HH:mm"),
    "adopted": "Taken",
    "reason": st.column_config.TextColumn("Why", width="large"),
    "fitted_on": st.column_config.NumberColumn("Fitted on", format="localized"),
    "tested_on": st.column_config.NumberColumn("Tested on", format="localized"),
    "log_loss_before": st.column_config.NumberColumn("Loss before", format="%.3f"),
    "log_loss_after": st.column_config.NumberColumn("after", format="%.3f"),
    "answers": st.column_config.NumberColumn("Answers", format="localized"),
}


def calibration_panel(accuracy: Accuracy) -> None:
    """Draw how often each match came true."""
    if accuracy.calibration:
        show(
            reliability(accuracy.calibration, accuracy.correction),
            key="reliability",
            finding=calibration_finding(accuracy.calibration),
            reading=calibration_reading(accuracy.calibration),
            table=pd.DataFrame([asdict(each) for each in accuracy.calibration.bins]),
        )


def trend_panel(accuracy: Accuracy) -> None:
    """Draw how often a suggestion was taken, over time."""
    show(
        over_time(accuracy.spans),
        key="over-time",
        finding=trend_finding(accuracy),
        reading=trend_reading(accuracy),
        table=_spans(accuracy.spans),
    )


def domains_panel(accuracy: Accuracy) -> None:
    """Draw which domains were chosen where others were recommended."""
    show(
        domain_matrix(accuracy.by_domain),
        key="domains",
        finding=domain_finding(accuracy.by_domain),
        table=accuracy.by_domain,
    )


def places_panel(accuracy: Accuracy) -> None:
    """Draw where in the list stood what was chosen."""
    show(
        places(accuracy.by_place),
        key="places",
        finding=place_finding(accuracy.by_place),
        table=pd.DataFrame(accuracy.by_place.items(), columns=["place", "answers"]),
    )


@st.fragment
def misses_panel(misses: pd.DataFrame) -> None:
    """List the answers that were surest and not taken; picking one opens its call."""
    with st.container(border=True):
        headed("Worst recent misses", misses, "misses")
        if misses.empty:
            st.caption("Of every judged answer the first suggestion was taken.")
            return
        st.caption(
            "The surest answers whose first suggestion was not taken, the newest of them first. "
            "Pick a row to open its call."
        )
        picked = st.dataframe(
            misses.assign(
                ts=misses["ts"].dt.tz_convert(zone().key),
                top_confidence=100 * misses["top_confidence"],
                choice=misses["choice"].fillna("none of them"),
            ),
            hide_index=True,
            column_order=list(_MISSES),
            column_config=_MISSES,
            on_select="rerun",
            selection_mode="single-row",
            key="misses",
        )
        if rows := picked["selection"]["rows"]:
            request_id = str(misses["request_id"].iloc[rows[0]])
            st.switch_page(
                "insight/activity.py", query_params={"find": request_id, "request": request_id}
            )


def rankers_panel(rankers: pd.DataFrame) -> None:
    """Put every ranker and version beside the others."""
    shares = ("taken", "taken_low", "taken_high", "in_three", "confidence", "covered")
    shown = rankers.assign(
        last_used=rankers["last_used"].dt.tz_convert(zone().key),
        **{name: 100 * rankers[name].astype(float) for name in shares},
    )
    bounds = zip(shown["judged"], shown["taken_low"], shown["taken_high"], strict=True)
    with st.container(border=True):
        headed("Rankers and versions side by side", rankers, "rankers")
        st.dataframe(
            shown.assign(
                interval=[f"{low:.0f}-{high:.0f} %" if n else "" for n, low, high in bounds]
            ),
            hide_index=True,
            column_order=list(_RANKERS),
            column_config=_RANKERS,
        )


def curves_panel(curves: FittedCurves, correction: Correction | None) -> None:
    """Say which calibration curve is in force and why, and list all that were fitted."""
    fit, newest = curves.in_force, next(iter(curves.fits), None)
    table = pd.DataFrame([asdict(each) for each in curves.fits])
    with st.container(border=True, height="stretch"):
        which = "A curve fitted on feedback" if fit else "The shipped curve"
        headed(f"{which} is in force for {plain(curves.ranker)}", table, "curves")
        if told := fit or newest:
            rejected = "" if fit else "The newest one fitted on feedback was not taken. "
            fitted = day_time(told.ts, runtime().clock.now(), zone())
            st.markdown(rejected + curve_fact(told, fitted))
        else:
            st.markdown(
                "It comes with the recommender. When there is enough feedback, a curve is fitted "
                "on it, and is taken only if it predicts later answers better."
            )
        if correction:
            st.markdown(
                f"On the newest {count_of(correction.after.n, 'judged answer')} that a fitted "
                f"curve corrected, the calibration error is **{correction.after.error:.3f}**; by "
                f"the shipped curve it would be {correction.before.error:.3f}."
            )
        if curves.fits:
            st.dataframe(
                table.assign(ts=pd.to_datetime(table["ts"]).dt.tz_convert(zone().key)),
                hide_index=True,
                column_order=list(_CURVES),
                column_config=_CURVES,
            )


def evaluation_misses(misses: tuple[Miss, ...]) -> None:
    """List the tasks of a file whose first suggestion is not right."""
    table = pd.DataFrame(
        {
            "confidence": [each.confidence for each in misses],
            "title": [each.title for each in misses],
            "first": [each.first for each in misses],
            "accept": [", ".join(each.accept) or "nothing fits" for each in misses],
        }
    ).sort_values("confidence", ascending=False)
    with st.container(border=True, height="stretch"):
        headed(f"{count_of(len(table), 'task')} whose first one is not right", table, "evaluated")
        if len(table):
            st.dataframe(
                table.assign(confidence=100 * table["confidence"]),
                hide_index=True,
                column_config=_LABELLED,
                height="stretch",
            )


def _spans(spans: Sequence[Span]) -> pd.DataFrame:
    """Return a row a span, with each figure's value, interval and n."""
    rows = []
    for span in spans:
        row: dict[str, object] = {
            "first": span.first,
            "last": span.last,
            "finished": span.finished,
        }
        for name in _OVER_TIME:
            estimate: Estimate = getattr(span, name)
            low, high = estimate.interval
            row |= {
                name: estimate.value,
                f"{name}_low": low,
                f"{name}_high": high,
                f"{name}_n": estimate.n,
            }
        rows.append(row)
    return pd.DataFrame(rows)
