"""Are recommendations right, and is their confidence honest?"""

from __future__ import annotations

import streamlit as st

from core.analytics import Accuracy, AccuracyFilter, FittedCurves
from core.catalogue import DOMAINS
from pages.shared.accuracy_cards import cards, promise
from pages.shared.accuracy_panels import (
    calibration_panel,
    curves_panel,
    domains_panel,
    misses_panel,
    places_panel,
    rankers_panel,
    trend_panel,
)
from pages.shared.cascade_panel import cascade_panel
from pages.shared.evaluation import evaluate_a_file
from pages.shared.session import errors_shown, runtime, zone
from pages.shared.text import clock_time, count_of

PERIODS = {"7 d": 7, "30 d": 30, "90 d": 90, "all": None}


def wanted(rankers: list[str]) -> AccuracyFilter:
    """Draw the filters, all of them in the address."""
    period = st.segmented_control(
        "Period",
        list(PERIODS),
        default="30 d",
        required=True,
        key="period",
        bind="query-params",
        label_visibility="collapsed",
    )
    domain = st.pills(
        "Domain",
        DOMAINS,
        key="domain",
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    ranker = st.selectbox(
        "Ranker",
        rankers,
        index=None,
        placeholder="any ranker",
        key="ranker",
        bind="query-params",
        label_visibility="collapsed",
        width=170,
    )
    return AccuracyFilter(PERIODS[period], ranker, domain)


def header(accuracy: Accuracy) -> None:
    st.title("Accuracy", width="content")
    st.space("stretch")
    known = f"{accuracy.judged:,} of {count_of(accuracy.answers, 'answer')} judged"
    fresh = clock_time(accuracy.as_of, zone())
    st.caption(f"{known} · {zone().key} · as of {fresh}", width="content")


def drawn(accuracy: Accuracy, curves: FittedCurves) -> None:
    """Draw the answer in a sentence, then the figures, the pictures and the tables."""
    promise(accuracy.calibration)
    cards(accuracy)
    if accuracy.judged:
        left, right = st.columns([5, 6])
        with left:
            calibration_panel(accuracy)
        with right:
            trend_panel(accuracy)
        left, right = st.columns([6, 5])
        with left:
            domains_panel(accuracy)
        with right:
            places_panel(accuracy)
        misses_panel(accuracy.misses)
    cascade_panel(accuracy.cascade)
    curves_panel(curves, accuracy.correction)
    rankers_panel(accuracy.rankers)


def nothing(*, asked: bool) -> None:
    """Say what will be here, and what to do."""
    st.info(
        "No recommendation matches these filters."
        if asked
        else "How often recommendations are right, and whether their match can be trusted, "
        "appears here as people use or dismiss them. Nothing was recommended yet.",
        icon=":material/target:",
    )
    st.page_link("operate/recommend.py", label="Bring a task", icon=":material/explore:")


with errors_shown():
    accuracies = runtime().accuracies
    rankers = accuracies.rankers()
    title = st.container(horizontal=True, vertical_alignment="center")
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = wanted(rankers)
    domain_of = {each.workflow_id: each.domain for each in runtime().catalogue.workflows}
    cascade_at = runtime().operator_settings.current.ladder.cascade_at
    seen = accuracies.over(chosen, zone().key, domain_of, cascade_at)
    with title:
        header(seen)
    if not seen.answers:
        nothing(asked=bool(rankers))
    else:
        drawn(seen, accuracies.curves(chosen.ranker or rankers[0]))
    evaluate_a_file()
