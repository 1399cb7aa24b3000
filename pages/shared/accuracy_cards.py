"""The promise of a 90 % match in one sentence, and the cards of the accuracy page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core.analytics import Accuracy, Calibration, Estimate
from core.recommend import Evaluation
from pages.shared.accuracy_text import (
    CALIBRATED_FROM,
    per_cent,
    promise_sentence,
    range_of,
    seconds,
)
from pages.shared.text import count_of

__all__ = ["cards", "evaluation_cards", "promise"]

_TAKEN, _COVERED, _RESELECTED, _SECONDS = 0.9, 0.8, 0.05, 30.0
_LEAST_WIDTH_PX = 150
_PICTURED = 2  # points that a line needs
Side = Literal["above", "below"]
Colour = Literal["green", "red", "gray"]


def promise(calibration: Calibration | None) -> None:
    """Say in one sentence whether a 90 % match is right nine times in ten."""
    if calibration is None:
        st.info(
            "Nobody has used or dismissed one of these recommendations yet, so there is nothing "
            "to tell whether a 90 % match is right nine times in ten. It counts here as soon as "
            "somebody does.",
            icon=":material/hourglass_empty:",
        )
        return
    kept = calibration.nine_in_ten
    draw, icon = {
        "kept": (st.success, ":material/check_circle:"),
        "less": (st.warning, ":material/trending_down:"),
        "more": (st.info, ":material/trending_up:"),
        "open": (st.info, ":material/hourglass_top:"),
        "too few": (st.info, ":material/hourglass_empty:"),
    }[kept.verdict]
    draw(promise_sentence(kept), icon=icon)


def cards(accuracy: Accuracy) -> None:
    """Draw the figures, each judged by where its interval lies to its target."""

    def of_spans(name: str) -> list[Estimate]:
        return [getattr(span, name) for span in accuracy.spans]

    with st.grid(5, min_column_width=_LEAST_WIDTH_PX):
        _share("First one taken", accuracy.taken, of_spans("taken"), (_TAKEN, "above"))
        _calibration(accuracy.calibration)
        _share("Something fits", accuracy.covered, of_spans("covered"), (_COVERED, "above"))
        again = of_spans("reselected")
        _share("Chosen again", accuracy.reselected, again, (_RESELECTED, "below"))
        _time(accuracy.seconds_to_choice, of_spans("seconds_to_choice"))


def evaluation_cards(figures: Evaluation, calibration: Calibration) -> None:
    """Draw what an evaluation found."""
    n = figures.n_answerable
    with st.grid(5, min_column_width=_LEAST_WIDTH_PX):
        _share("First one right", Estimate.of_share(round(figures.top1 * n), n))
        _share("One of three right", Estimate.of_share(round(figures.hit3 * n), n))
        _card("MRR", f"{figures.mrr:.2f}" if n else "–", None, f"n = {n:,}")
        _calibration(calibration)
        known = figures.auroc_none is not None
        _card(
            "Nothing fits, told apart",
            f"{figures.auroc_none:.2f}" if known else "–",
            None,
            f"AUROC, n = {figures.n:,}" if known else count_of(figures.n - n, "such task"),
        )


def _share(
    label: str,
    share: Estimate,
    by_span: Sequence[Estimate] = (),
    target: tuple[float, Side] | None = None,
) -> None:
    colour: Colour = "gray"
    if target:
        bound, wanted = target
        label = f"{label} · {'≥' if wanted == 'above' else '<'} {100 * bound:.0f} %"
        colour = _colour(share.against(bound), wanted)
    line = [100 * each.value for each in by_span if each.value is not None]
    interval = range_of(share) if share.n else None
    _card(label, per_cent(share.value), interval, f"n = {share.n:,}", colour, line)


def _calibration(calibration: Calibration | None) -> None:
    label = f"Calibration error · ≤ {CALIBRATED_FROM}"
    if calibration is None:
        _card(label, "–", None, "n = 0")
        return
    kept = calibration.error <= CALIBRATED_FROM
    colour: Colour = "green" if kept else "gray" if calibration.honest else "red"
    _card(
        label,
        f"{calibration.error:.3f}",
        f"chance {calibration.if_calibrated:.3f}",
        f"n = {calibration.n:,}",
        colour,
    )


def _time(median: Estimate, by_span: Sequence[Estimate]) -> None:
    low, high = median.interval
    _card(
        f"Time to choose · < {seconds(_SECONDS)}",
        "–" if median.value is None else seconds(median.value),
        f"{seconds(low)} to {seconds(high)}" if high < float("inf") else None,
        f"n = {median.n:,}",
        _colour(median.against(_SECONDS), "below"),
        [each.value for each in by_span if each.value is not None],
    )


def _card(
    label: str,
    value: str,
    interval: str | None,
    rests_on: str,
    colour: Colour = "gray",
    by_span: Sequence[float] = (),
) -> None:
    st.metric(
        label,
        value,
        delta=interval,
        delta_color=colour,
        delta_arrow="off",
        delta_description=rests_on,
        border=True,
        chart_data=by_span if len(by_span) >= _PICTURED else None,
        height="stretch",
    )


def _colour(side: Side | None, wanted: Side) -> Colour:
    if side is None:
        return "gray"
    return "green" if side == wanted else "red"
