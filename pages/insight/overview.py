"""Today at a glance: what was asked, run and denied, and whether it helped."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.analytics import DayCounts, Overview
from core.catalogue import DOMAINS
from pages.shared.charts import bars, domain_colour, horizontal_bars, show
from pages.shared.scorecards import today_cards
from pages.shared.session import errors_shown, runtime, zone
from pages.shared.text import clock_time, count_of

DAYS = 14
KINDS = {"recommendations": "#2F9C92", "executions": "#0072B2", "denials": "#D55E00"}


def header(overview: Overview) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Overview", width="content")
        st.space("stretch")
        asked = count_of(sum(day.requests for day in overview.days), "request")
        fresh = clock_time(overview.as_of, zone())
        st.caption(f"{asked} in {DAYS} days · {zone().key} · as of {fresh}", width="content")


def hours_chart(overview: Overview) -> None:
    """Requests of today by hour; the hour under way is hatched."""
    today: DayCounts = overview.today
    start = today.day.start
    length = int((today.day.end - start) / timedelta(hours=1))
    labels = [f"{(start + timedelta(hours=h)).astimezone(zone()):%H:%M}" for h in range(length)]
    by_hour = overview.by_hour.set_index("hour")
    values = {kind: [int(by_hour[kind].get(hour, 0)) for hour in range(length)] for kind in KINDS}
    totals = [sum(values[kind][hour] for kind in KINDS) for hour in range(length)]
    busiest = totals.index(max(totals))
    finding = f"{count_of(today.requests, 'request')} today, most of them from {labels[busiest]}"
    if today.denials:
        finding += f"; {count_of(today.denials, 'denial')}"
    under_way = int((overview.as_of - start) / timedelta(hours=1))
    show(
        bars(
            labels,
            {kind: (values[kind], colour) for kind, colour in KINDS.items()},
            finding=finding if today.requests else "No request today yet",
            unit="requests an hour",
            unfinished=under_way,
        ),
        key="by-hour",
    )


def supporting(overview: Overview) -> None:
    by_workflow = overview.by_workflow
    left, right = st.columns(2)
    total = int(by_workflow["executions"].sum())
    by_domain = by_workflow.groupby("domain")["executions"].sum()
    domains = sorted(DOMAINS, key=lambda domain: -int(by_domain.get(domain, 0)))
    values = [int(by_domain.get(domain, 0)) for domain in domains]
    share = 100 * values[0] / total if total else 0
    finding = f"{domains[0].capitalize()} leads: {share:.0f} % of {count_of(total, 'plan')}"
    with left:
        show(
            horizontal_bars(
                domains,
                values,
                [domain_colour(domain) for domain in domains],
                finding=finding,
                unit="plans",
            ),
            key="by-domain",
        )
    with right, st.container(border=True, height="stretch"):
        st.markdown(f"**Most used in {DAYS} days**")
        st.dataframe(
            by_workflow[["workflow_id", "executions", "ratings", "useful"]].head(10),
            hide_index=True,
            column_config={
                "workflow_id": "Workflow",
                "executions": st.column_config.ProgressColumn(
                    "Plans", format="%d", max_value=int(by_workflow["executions"].max())
                ),
                "ratings": "Rated",
                "useful": "Useful",
            },
        )


with errors_shown():
    seen = runtime().overviews.last(DAYS, zone().key)
    header(seen)
    if any(day.requests for day in seen.days):
        today_cards(seen)
        hours_chart(seen)
        if len(seen.by_workflow):
            supporting(seen)
    else:
        st.info(
            "Requests, executions, denials and ratings appear here as they happen. "
            f"Nothing was asked in the last {DAYS} days.",
            icon=":material/monitoring:",
        )
        st.page_link("operate/recommend.py", label="Bring a task", icon=":material/explore:")
