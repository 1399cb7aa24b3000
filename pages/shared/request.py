"""Everything the ledger knows about one request, in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.analytics import ModelCall, RequestFacts
from pages.shared.attempts import attempts_panel
from pages.shared.model_text import latency, model_name, money, outcome_said
from pages.shared.session import runtime, zone
from pages.shared.text import clock_time, duration, plain

__all__ = ["request_facts"]


def request_facts(request_id: str) -> None:
    """Draw a request: what was asked, what was answered, what people did with it."""
    facts = runtime().activity.request(request_id)
    with st.container(border=True, key="request"):
        if facts is None:
            st.info("No request has this id.", icon=":material/search_off:")
            return
        request = facts.request
        st.markdown(f"### {plain(request['task_title'])}")
        st.code(request_id, language=None)
        st.caption(" · ".join(map(plain, _circumstances(request))))
        if request["task_description"]:
            st.text(request["task_description"])
        st.dataframe(pd.DataFrame(_timeline(facts)), hide_index=True)
        attempts_panel(facts)
        for row in facts.rows["recommendations"]:
            st.markdown("**All scores of the top ten**")
            st.dataframe(pd.DataFrame(json.loads(row["candidates"])), hide_index=True)
        for row in facts.rows["executions"]:
            st.markdown("**The plan as it was made**")
            st.dataframe(pd.DataFrame(json.loads(row["steps"])), hide_index=True)
        with st.expander("Rows as the ledger has them", icon=":material/data_object:"):
            tables = {"requests": [request], **facts.rows}
            st.json({name: rows for name, rows in tables.items() if rows}, expanded=2)


def _circumstances(request: dict[str, Any]) -> list[str]:
    hours = request["estimated_hours"]
    return [
        request["kind"],
        f"by {request['user_id']}",
        f"from {request['source']}",
        f"{request['task_priority']} priority",
        f"energy {request['user_energy']}",
        request["time_of_day"] or "any time of day",
        f"{hours:g} h" if hours else "any hours",
        f"attempt {request['attempt']}",
    ]


def _timeline(facts: RequestFacts) -> list[dict[str, str]]:
    """One line a fact, oldest first."""
    request, rows = facts.request, facts.rows
    said = [(request["ts"], request["decision"], _decision(request))]
    for row in rows["recommendations"]:
        share = f"{row['top_workflow_id']} at {100 * row['top_confidence']:.0f} %"
        ranker = f"{row['ranker']} ranker {row['ranker_version']}"
        said.append((row["ts"], "recommended", f"{share}, {ranker}"))
    for call in facts.calls:
        model = model_name(call.provider, call.model)
        said.append((call.began, f"asked {model}", f"rung {call.rung}: {outcome_said(call)}"))
    for row in rows["executions"]:
        size = f"{row['step_count']} steps, {duration(row['planned_minutes'])}"
        plan = f"{row['workflow_id']}: {size}, {row['planner']} planner"
        said.append((row["ts"], "planned", plan))
    said += [
        (row["ts"], row["outcome"], _settlement(row, facts.calls)) for row in rows["settlements"]
    ]
    for row in rows["choices"]:
        place = f", place {row['chosen_rank']}" if row["chosen_rank"] else ""
        said.append((row["ts"], "chosen", f"{row['workflow_id']}{place}, run {row['request_id']}"))
    for row in rows["step_events"]:
        minutes = f", {row['actual_minutes']} min" if row["actual_minutes"] else ""
        said.append((row["ts"], f"step {row['event']}", f"step {row['step']}{minutes}"))
    said += [(row["ts"], *_opinion(row)) for row in rows["feedback"]]
    return [
        {"Time": clock_time(ts, zone()), "What": what, "Detail": detail}
        for ts, what, detail in sorted(said, key=lambda each: each[0])
    ]


def _opinion(row: dict[str, Any]) -> tuple[str, str]:
    if row["kind"] == "dismissed":
        return "dismissed", "none of those shown fits"
    if row["kind"] == "chosen":
        return "chosen", row["workflow_id"]
    return "rated", "useful" if row["useful"] else "not useful"


def _settlement(row: dict[str, Any], calls: Sequence[ModelCall]) -> str:
    took = latency(row["latency_ms"]) if row["latency_ms"] is not None else ""
    cost = "cost unknown" if calls else ""
    if row["cost_nano_usd"] is not None:
        is_limit = any(call.cost_nano_usd and not call.measured for call in calls)
        cost = ("at most " if is_limit else "") + money(row["cost_nano_usd"], up=is_limit)
    return ", ".join(filter(None, (row["error_type"], took, cost)))


def _decision(request: dict[str, Any]) -> str:
    if request["decision"] == "admitted":
        return "within all limits"
    used = f"{request['denied_used']} of {request['denied_limit']} used"
    return f"{request['denied_rule']}: {used}, next at {clock_time(request['retry_at'], zone())}"
