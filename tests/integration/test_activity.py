"""Every request can be found: by filter, by its words, by its id, page after page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from core.analytics import Activity, ActivityFilter
from core.execute import StepChange
from core.guard import Outcome
from core.ledger import (
    Event,
    Ledger,
    RecommendationMade,
    RequestDecided,
    RequestSettled,
)
from core.runtime import Runtime
from tests.asking import UNLIMITED, asked, run, to_execute, to_recommend

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def decided(
    number: int,
    title: str = "fix the login bug",
    kind: str = "recommend",
    user_id: str = "ada",
    decision: str = "admitted",
    at: datetime | None = None,
) -> RequestDecided:
    return RequestDecided.model_validate(
        {
            "ts": at or AT + timedelta(seconds=number),
            "request_id": f"0192f3a0-0000-7000-8000-{number:012x}",
            "kind": kind,
            "user_id": user_id,
            "source": "console",
            "decision": decision,
            "fingerprint": "f",
            "task_title": title,
            "task_priority": "medium",
            "user_energy": 2,
            "workflow_id": "bug-fix" if kind == "execute" else None,
        }
    )


def settled(of: RequestDecided, outcome: str) -> RequestSettled:
    return RequestSettled(
        ts=of.ts,
        request_id=of.request_id,
        kind=of.kind,
        user_id=of.user_id,
        outcome=outcome,
        error_type="ValueError" if outcome == "failed" else None,
        latency_ms=1.5,
    )


@pytest.fixture
def activity(ledger: Ledger) -> Activity:
    return Activity(ledger)


def titles(activity: Activity, wanted: ActivityFilter) -> list[str]:
    frame, matching = activity.latest(wanted)
    assert matching == len(frame)
    return list(frame["task_title"])


# --- filters


@pytest.fixture
def mixed(ledger: Ledger) -> None:
    """One request of every kind and status, of two people."""
    events: list[Event] = []
    number = 0
    for kind in ("recommend", "execute"):
        for status in (*get_args(Outcome), "denied", "running"):
            number += 1
            decision = "denied" if status == "denied" else "admitted"
            user_id = "bob" if number % 3 == 0 else "ada"
            request = decided(number, f"{kind} {status}", kind, user_id, decision)
            events.append(request)
            if status in get_args(Outcome):
                events.append(settled(request, status))
    ledger.write(*events)


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("kind", ["recommend", "execute"])
@pytest.mark.parametrize("status", [*get_args(Outcome), "denied", "running"])
def test_kind_and_status_together_find_the_one_that_has_both(
    activity: Activity, kind: str, status: str
) -> None:
    assert titles(activity, ActivityFilter(kind=kind, status=status)) == [f"{kind} {status}"]


@pytest.mark.usefixtures("mixed")
def test_each_filter_alone_leaves_the_others_open(activity: Activity) -> None:
    assert len(titles(activity, ActivityFilter())) == 12
    assert len(titles(activity, ActivityFilter(kind="execute"))) == 6
    assert len(titles(activity, ActivityFilter(status="lost"))) == 2
    assert len(titles(activity, ActivityFilter(user_id="bob"))) == 4
    assert len(titles(activity, ActivityFilter(user_id="nobody"))) == 0
    since = AT + timedelta(seconds=10)
    assert len(titles(activity, ActivityFilter(start=since))) == 3
    assert titles(activity, ActivityFilter("execute", "failed", "bob", "FAIL", since)) == []


@pytest.mark.usefixtures("mixed")
def test_the_newest_comes_first(activity: Activity) -> None:
    frame, _ = activity.latest(ActivityFilter())
    assert list(frame["ts"]) == sorted(frame["ts"], reverse=True)
    assert str(frame["ts"].dt.tz) == "UTC"


# --- search


HOSTILE = (
    "100% of it",
    "snake_case",
    "snake case",
    "it's “quoted”",
    'say "hello"',
    "back\\slash",
    "a;DROP TABLE requests;--",
    "Straße ÄÖÜ",
    "日本語 🧑‍🚀",
    "$query $1 {x} ?",
)


@pytest.fixture
def hostile(ledger: Ledger) -> None:
    ledger.write(*(decided(number, title) for number, title in enumerate(HOSTILE)))


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_found_by_itself_and_by_each_of_its_words(
    activity: Activity, title: str
) -> None:
    assert titles(activity, ActivityFilter(query=title)) == [title]
    for word in title.split():
        assert title in titles(activity, ActivityFilter(query=word))


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("%", ["100% of it"]),
        ("_", ["snake_case"]),
        ("e_c", ["snake_case"]),
        ("'", ["it's “quoted”"]),
        ('"', ['say "hello"']),
        ("\\", ["back\\slash"]),
        ("' OR '1'='1", []),
        ("snake%case", []),
        ("SNAKE_CASE", ["snake_case"]),
        ("äöü", ["Straße ÄÖÜ"]),
        ("STRASSE", []),
        ("drop table", ["a;DROP TABLE requests;--"]),
        ("x" * 10_000, []),
    ],
)
def test_every_sign_in_a_search_stands_for_itself(
    activity: Activity, query: str, found: list[str]
) -> None:
    assert titles(activity, ActivityFilter(query=query)) == found


@pytest.mark.usefixtures("hostile")
def test_a_request_is_found_by_its_whole_id_in_any_case(activity: Activity) -> None:
    wanted = decided(3)
    for query in (wanted.request_id, wanted.request_id.upper()):
        assert titles(activity, ActivityFilter(query=query)) == [HOSTILE[3]]
    assert titles(activity, ActivityFilter(query=wanted.request_id[:-1])) == []


# --- pages and counts


def test_pages_hold_every_request_once(ledger: Ledger, activity: Activity) -> None:
    ledger.write(*(decided(number, at=AT if number % 7 else None) for number in range(105)))
    seen: list[str] = []
    for skip in range(0, 120, 10):
        frame, matching = activity.latest(ActivityFilter(), 10, skip)
        assert matching == 105
        seen += list(frame["request_id"])
    assert len(seen) == len(set(seen)) == 105


def test_a_page_past_the_end_is_empty_and_knows_how_many_there_are(
    ledger: Ledger, activity: Activity
) -> None:
    ledger.write(*(decided(number) for number in range(3)))
    frame, matching = activity.latest(ActivityFilter(), 10, 50)
    assert (len(frame), matching) == (0, 3)
    frame, matching = activity.latest(ActivityFilter(user_id="nobody"), 10, 50)
    assert (len(frame), matching) == (0, 0)


def test_an_empty_ledger_has_no_activity(activity: Activity) -> None:
    frame, matching = activity.latest(ActivityFilter())
    assert (len(frame), matching) == (0, 0)
    assert {"ts", "request_id", "status", "workflow", "latency_ms"} <= set(frame.columns)
    assert activity.request("0192f3a0-0000-7000-8000-000000000000") is None


def test_counts_are_of_all_that_match_not_of_the_page(ledger: Ledger, activity: Activity) -> None:
    requests = [decided(number) for number in range(30)]
    ledger.write(*requests, *(settled(each, "succeeded") for each in requests[:20]))
    frame, matching = activity.latest(ActivityFilter(status="succeeded"), 5)
    assert (len(frame), matching) == (5, 20)
    frame, matching = activity.latest(ActivityFilter(status="running"), 5, 5)
    assert (len(frame), matching) == (5, 10)


# --- one request


def test_a_row_names_the_workflow_that_was_recommended_or_run(
    ledger: Ledger, activity: Activity
) -> None:
    question, execution = decided(1), decided(2, kind="execute")
    ledger.write(
        question,
        execution,
        RecommendationMade(
            ts=AT,
            request_id=question.request_id,
            user_id="ada",
            ranker="local",
            ranker_version="1",
            nothing_fits=False,
            top_workflow_id="meal-planning",
            top_confidence=0.75,
            candidates=[],
            shown=[],
            latency_ms=2.5,
        ),
        settled(question, "succeeded"),
    )
    frame, _ = activity.latest(ActivityFilter())
    first, second = frame.to_dict("records")
    assert (first["workflow"], first["status"]) == ("bug-fix", "running")
    assert (second["workflow"], second["top_confidence"], second["latency_ms"]) == (
        "meal-planning",
        0.75,
        1.5,
    )


def test_everything_about_a_request_is_found_by_its_id(runtime: Runtime) -> None:
    runtime.gate.limits = UNLIMITED
    answer = asked(runtime, to_recommend("fix the login bug", description="“It” times out"))
    other = run(runtime, to_execute("another task"))
    execution = run(runtime, to_execute("fix the login bug"))
    change = StepChange(1, "done")
    runtime.executor.change_step(execution.execution_id, "ada", change)
    runtime.executor.rate(execution, useful=True)

    question = runtime.activity.request(answer.request_id)
    assert question is not None
    assert question.request["task_description"] == "“It” times out"
    counted = {part: len(found) for part, found in question.rows.items()}
    assert counted == {
        "settlements": 1,
        "llm_calls": 0,
        "recommendations": 1,
        "executions": 0,
        "step_events": 0,
        "feedback": 0,
        "choices": 0,
    }
    facts = runtime.activity.request(execution.execution_id)
    assert facts is not None
    assert {part: len(found) for part, found in facts.rows.items()} == {
        "settlements": 1,
        "llm_calls": 0,
        "recommendations": 0,
        "executions": 1,
        "step_events": 1,
        "feedback": 1,
        "choices": 0,
    }
    assert facts.request["request_id"] != other.execution_id


def test_a_choice_leads_back_to_its_recommendation(runtime: Runtime) -> None:
    answer = asked(runtime, to_recommend("fix the login bug"))
    chosen = answer.suggestions[1]
    request = to_execute("fix the login bug", chosen.workflow_id)
    request = type(request)(
        request.kind,
        request.user_id,
        request.task,
        workflow_id=chosen.workflow_id,
        recommendation_id=answer.request_id,
        chosen_rank=2,
    )
    execution = run(runtime, request)
    facts = runtime.activity.request(answer.request_id)
    assert facts is not None
    (choice,) = facts.rows["choices"]
    assert (choice["request_id"], choice["workflow_id"], choice["chosen_rank"]) == (
        execution.execution_id,
        chosen.workflow_id,
        2,
    )
