"""The HTTP API, over real connections to a real server."""

from __future__ import annotations

import json
import logging
import math
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from core.api import pool
from core.catalogue import DOMAINS
from core.logs import REQUEST_ID
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import PROJECT, Limits, Rule, Settings
from tests.asking import PATIENCE_S, UNLIMITED, rows
from tests.fakes import FakeClock, SlowPlanner
from tests.serving import (
    API,
    EXECUTE,
    RECOMMEND,
    Answer,
    Served,
    execute_body,
    recommend_body,
    served,
)


@pytest.fixture
def api(runtime: Runtime) -> Iterator[Served]:
    """The API with the usual limits, over a clock that the test sets."""
    with served(runtime) as server:
        yield server


@pytest.fixture(scope="module")
def free_runtime(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("free")
    settings = Settings(data_dir=folder, limits=UNLIMITED)
    opened = Runtime(settings, clock=FakeClock(), embedder=embedder)
    opened.ranker()
    yield opened
    opened.drain()


@pytest.fixture(scope="module")
def free(free_runtime: Runtime) -> Iterator[Served]:
    """The API without limits, for tests that leave nothing behind that others would see."""
    with served(free_runtime) as server:
        yield server


@pytest.fixture
def planner() -> SlowPlanner:
    return SlowPlanner()


@pytest.fixture
def slow_runtime(
    settings: Settings, clock: FakeClock, embedder: Embedder, planner: SlowPlanner
) -> Iterator[Runtime]:
    opened = Runtime(settings, clock=clock, planner=planner, embedder=embedder)
    yield opened
    planner.release_all()
    opened.drain()


@pytest.fixture
def slow(slow_runtime: Runtime) -> Iterator[Served]:
    """The API over a planner that waits for the test."""
    with served(slow_runtime) as server:
        yield server


def is_problem(answer: Answer, status: int, kind: str) -> dict[str, Any]:
    """Return the problem, once it is seen to be a whole one."""
    assert answer.status == status, answer.raw
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.body
    assert said["type"] == f"urn:waywarden:problem:{kind}"
    assert said["status"] == status
    assert said["detail"].endswith(".")
    assert said["request_id"] == answer.headers["x-request-id"]
    return said


def ok(answer: Answer) -> Any:
    assert answer.status == 200, answer.raw
    assert answer.headers["content-type"] == "application/json"
    return answer.body


# --- the catalogue


def found(server: Served, question: str) -> list[str]:
    workflows = ok(server.ask("GET", f"{API}/workflows{question}"))["workflows"]
    return [workflow["workflow_id"] for workflow in workflows]


def test_the_catalogue_is_filtered_by_domain_tag_and_word(free: Served) -> None:
    everything = found(free, "")
    assert len(everything) == 24
    dev = found(free, "?domain=dev")
    assert len(dev) == 4
    assert "bug-fix" in dev
    assert set(found(free, "?domain=dev&domain=health")) > set(dev)
    assert found(free, "?q=login%20bug")[0] == "bug-fix"
    assert found(free, "?domain=health&q=login%20bug") == []
    tag = ok(free.ask("GET", f"{API}/workflows/bug-fix"))["tags"][0]
    assert "bug-fix" in found(free, f"?tag={tag}")
    assert found(free, f"?tag={tag}&tag=no%20such%20tag") == []


def test_a_filter_that_is_left_empty_filters_nothing(free: Served) -> None:
    assert found(free, "?domain=&tag=&q=") == found(free, "")


def test_an_unknown_domain_is_refused_with_the_domains_there_are(free: Served) -> None:
    said = is_problem(free.ask("GET", f"{API}/workflows?domain=cooking"), 422, "invalid-input")
    assert all(f"'{domain}'" in said["detail"] for domain in DOMAINS)


def test_a_workflow_is_shown_by_its_id(free: Served) -> None:
    workflow = ok(free.ask("GET", f"{API}/workflows/bug-fix"))
    assert (workflow["workflow_id"], workflow["domain"]) == ("bug-fix", "dev")
    said = is_problem(free.ask("GET", f"{API}/workflows/no-such"), 404, "unknown-workflow")
    assert said["detail"] == "There is no workflow called “no-such”."


# --- recommending

EVERYTHING = {
    "task_title": "fix the login bug",
    "task_description": "It fails after a password reset.",
    "task_priority": "high",
    "user_energy": 3,
    "time_of_day": "morning",
    "estimated_hours": 1.5,
    "recent_tasks": ["reproduce the login bug"],
    "code_context": {
        "tests_passing": 11,
        "tests_failing": 1,
        "recent_files": ["login.py"],
        "current_branch": "fix/login",
    },
    "user_id": "ada",
}


def test_a_task_gets_three_workflows_best_first(api: Served, runtime: Runtime) -> None:
    answer = ok(api.ask("POST", RECOMMEND, EVERYTHING))
    best, *others = answer["recommendations"]
    assert len(others) == 2
    assert (best["workflow_id"], best["domain"]) == ("bug-fix", "dev")
    confidences = [each["confidence"] for each in answer["recommendations"]]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in confidences)
    assert best["reasoning"]
    assert best["expected_steps"] >= 3
    assert best["estimated_time_minutes"] > 0
    assert answer["nothing_fits"] is (confidences[0] < 0.5)
    (request,) = rows(runtime.ledger, "requests")
    assert (request["request_id"], request["source"]) == (answer["request_id"], "api")
    assert (request["user_id"], request["estimated_hours"]) == ("ada", 1.5)
    assert json.loads(request["code_context"])["recent_files"] == ["login.py"]


def test_a_repeated_key_gives_the_same_recommendation_once(api: Served, runtime: Runtime) -> None:
    key = {"Idempotency-Key": "one"}
    first = ok(api.ask("POST", RECOMMEND, recommend_body(), key))
    again = ok(api.ask("POST", RECOMMEND, recommend_body(), key))
    assert again == first
    assert len(rows(runtime.ledger, "requests")) == 1
    assert len(rows(runtime.ledger, "recommendations")) == 1


# --- executing


def test_an_execution_is_answered_with_its_steps(api: Served, runtime: Runtime) -> None:
    made = ok(api.ask("POST", EXECUTE, execute_body(recommendation_id="r-1", chosen_rank=2)))
    assert made["status"] == "active"
    assert [step["number"] for step in made["steps"]] == [*range(1, len(made["steps"]) + 1)]
    assert {step["status"] for step in made["steps"]} == {"todo"}
    assert all(step["title"] and step["estimated_minutes"] > 0 for step in made["steps"])
    assert ok(api.ask("GET", f"{API}/executions/{made['execution_id']}")) == made
    (request,) = rows(runtime.ledger, "requests")
    assert (request["recommendation_id"], request["chosen_rank"]) == ("r-1", 2)


def test_what_takes_longer_than_the_wait_is_followed_at_its_location(
    slow: Served, planner: SlowPlanner
) -> None:
    started = slow.ask("POST", f"{EXECUTE}?wait=0", execute_body())
    assert started.status == 202
    assert (started.body["status"], started.body["steps"]) == ("planning", [])
    location = started.headers["location"]
    assert location == f"{API}/executions/{started.body['execution_id']}"
    planner.release(2)
    planner.wait_until_given(2)
    under_way = ok(slow.ask("GET", location))
    assert (under_way["status"], len(under_way["steps"])) == ("planning", 2)
    planner.release_all()
    again = slow.ask("POST", EXECUTE, execute_body(user_id="bob"))
    assert (again.status, "location" in again.headers) == (200, False)
    assert ok(slow.ask("GET", location))["status"] == "active"


def test_a_waiting_caller_is_answered_as_soon_as_the_plan_is_made(
    slow: Served, planner: SlowPlanner
) -> None:
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(slow.ask, "POST", f"{EXECUTE}?wait=30", execute_body())
        planner.wait_until_planning()
        assert not answer.done()
        planner.release_all()
        assert len(ok(answer.result(PATIENCE_S))["steps"]) == 3


def test_a_plan_that_fails_is_an_answer_with_the_reason(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    planner = SlowPlanner(problem=ZeroDivisionError("no such luck"))
    planner.release_all()
    runtime = Runtime(settings, clock=clock, planner=planner, embedder=embedder)
    with served(runtime) as server:
        failed = ok(server.ask("POST", EXECUTE, execute_body()))
    runtime.drain()
    assert (failed["status"], failed["error"]) == ("failed", "ZeroDivisionError")
    assert "no such luck" not in json.dumps(failed)


def test_an_unknown_workflow_is_not_charged(api: Served, runtime: Runtime) -> None:
    answer = api.ask("POST", EXECUTE, execute_body(workflow_id="no-such"))
    is_problem(answer, 404, "unknown-workflow")
    assert rows(runtime.ledger, "requests") == []


@pytest.mark.parametrize(
    ("path", "body"), [(RECOMMEND, recommend_body()), (EXECUTE, execute_body())]
)
def test_the_same_key_with_another_body_is_a_conflict(
    api: Served, runtime: Runtime, path: str, body: dict[str, object]
) -> None:
    key = {"Idempotency-Key": "k 1"}
    ok(api.ask("POST", path, body, key))
    for other in ({"task_title": "another"}, {"user_energy": 1}, {"recent_tasks": ["x"]}):
        is_problem(api.ask("POST", path, body | other, key), 409, "idempotency-key-reused")
    assert len(rows(runtime.ledger, "requests")) == 1
    # Another person's key is another key.
    ok(api.ask("POST", path, body | {"user_id": "bob"}, key))


def test_a_key_that_comes_many_times_at_once_is_one_execution(
    api: Served, runtime: Runtime
) -> None:
    def send(_: int) -> str:
        body = execute_body(user_id=" ada  lovelace")
        answer = ok(api.ask("POST", EXECUTE, body, {"Idempotency-Key": "click"}))
        return str(answer["execution_id"])

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(send, range(32)))) == 1
    assert len(rows(runtime.ledger, "requests")) == 1
    assert len(rows(runtime.ledger, "executions")) == 1


@pytest.mark.parametrize("key", ["", "é", "x" * 201, "tab\tbed"])
def test_a_key_that_is_not_plain_is_refused_by_its_header_s_name(free: Served, key: str) -> None:
    answer = free.ask("POST", EXECUTE, execute_body(), {"Idempotency-Key": key})
    said = is_problem(answer, 422, "invalid-input")
    assert [fault["field"] for fault in said["errors"]] == ["Idempotency-Key"]


def test_cancelling_stops_a_plan_in_the_making(
    slow: Served, slow_runtime: Runtime, planner: SlowPlanner
) -> None:
    location = slow.ask("POST", f"{EXECUTE}?wait=0", execute_body()).headers["location"]
    planner.wait_until_planning()
    # The planner is deaf until its next step, so the answer does not wait for it for ever.
    assert ok(slow.ask("DELETE", location))["status"] == "planning"
    planner.release_all()
    assert slow_runtime.executor.wait(location.rsplit("/", 1)[1], PATIENCE_S)
    for method in ("GET", "DELETE"):
        assert ok(slow.ask(method, location))["status"] == "cancelled"


def test_cancelling_what_is_planned_changes_nothing(api: Served) -> None:
    made = ok(api.ask("POST", EXECUTE, execute_body()))
    assert ok(api.ask("DELETE", f"{API}/executions/{made['execution_id']}")) == made


# --- steps and feedback


@pytest.fixture(scope="module")
def run_at(free: Served) -> str:
    made = ok(free.ask("POST", EXECUTE, execute_body()))
    return f"{API}/executions/{made['execution_id']}"


def test_steps_are_started_done_skipped_timed_edited_and_reopened(
    free: Served, run_at: str
) -> None:
    def change(number: int, **event: object) -> Any:
        answer = ok(free.ask("PATCH", f"{run_at}/steps/{number}", event))
        assert ok(free.ask("GET", run_at)) == answer
        return answer["steps"][number - 1]

    assert change(1, event="started")["status"] == "doing"
    done = change(1, event="done", actual_minutes=12)
    assert (done["status"], done["actual_minutes"]) == ("done", 12)
    assert change(1, event="timed", actual_minutes=15)["actual_minutes"] == 15
    assert change(2, event="skipped")["status"] == "skipped"
    assert change(2, event="reopened")["status"] == "todo"
    edited = change(3, event="edited", title="  Say it\nshortly ", description="At once.")
    assert (edited["title"], edited["description"]) == ("Say it shortly", "At once.")


def test_the_same_change_again_is_recorded_once(free: Served, free_runtime: Runtime) -> None:
    made = ok(free.ask("POST", EXECUTE, execute_body()))
    before = len(rows(free_runtime.ledger, "step_events"))
    for _ in range(3):
        ok(
            free.ask(
                "PATCH", f"{API}/executions/{made['execution_id']}/steps/1", {"event": "done"}
            )
        )
    assert len(rows(free_runtime.ledger, "step_events")) == before + 1


def test_all_steps_settled_is_a_completed_run(free: Served) -> None:
    made = ok(free.ask("POST", EXECUTE, execute_body()))
    for step in made["steps"]:
        location = f"{API}/executions/{made['execution_id']}/steps/{step['number']}"
        last = ok(free.ask("PATCH", location, {"event": "done"}))
    assert last["status"] == "completed"


@pytest.mark.parametrize(
    ("number", "change", "field"),
    [
        ("0", {"event": "done"}, "number"),
        ("10", {"event": "done"}, "number"),
        ("11", {"event": "done"}, "number"),
        ("one", {"event": "done"}, "number"),
        ("1", {"event": "finished"}, "event"),
        ("1", {}, "event"),
        ("1", {"event": "timed"}, "actual_minutes"),
        ("1", {"event": "done", "actual_minutes": 0}, "actual_minutes"),
        ("1", {"event": "done", "actual_minutes": 1_441}, "actual_minutes"),
        ("1", {"event": "edited", "title": " "}, "title"),
        ("1", {"event": "edited", "title": "a\u202eb"}, "title"),
        ("1", {"event": "done", "user_id": "mallory"}, "user_id"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_by_field(
    free: Served, run_at: str, number: str, change: dict[str, object], field: str
) -> None:
    before = ok(free.ask("GET", run_at))
    said = is_problem(free.ask("PATCH", f"{run_at}/steps/{number}", change), 422, "invalid-input")
    assert [fault["field"] for fault in said["errors"]] == [field]
    assert ok(free.ask("GET", run_at)) == before


def test_the_last_feedback_counts(free: Served, run_at: str) -> None:
    execution_id = run_at.rsplit("/", 1)[1]
    for useful in (True, False, False):
        said = {"execution_id": execution_id, "useful": useful}
        assert ok(free.ask("POST", f"{API}/feedback", said)) == said
    assert ok(free.ask("GET", run_at))["useful"] is False


NOBODY = str(UUID(int=0))


def recommended(server: Served, **more: object) -> str:
    """Ask, and return the recommendation's id."""
    return str(ok(server.ask("POST", RECOMMEND, recommend_body(**more)))["request_id"])


def test_a_recommendation_is_dismissed_once(api: Served, runtime: Runtime) -> None:
    said = {"recommendation_id": recommended(api), "dismissed": True}
    for _ in range(3):
        assert ok(api.ask("POST", f"{API}/feedback", said)) == said
    (row,) = rows(runtime.ledger, "feedback")
    assert (row["kind"], row["request_id"], row["user_id"], row["workflow_id"]) == (
        "dismissed",
        said["recommendation_id"],
        "ada",
        None,
    )


def test_any_workflow_of_the_catalogue_is_chosen_and_the_last_counts(
    api: Served, runtime: Runtime
) -> None:
    answer_id = recommended(api, user_id=" José  Álvarez")
    for workflow_id in ("meal-planning", "meal-planning", "bug-fix"):
        said = {"recommendation_id": answer_id, "workflow_id": workflow_id}
        assert ok(api.ask("POST", f"{API}/feedback", said)) == said
    chosen = rows(runtime.ledger, "feedback")
    assert [row["workflow_id"] for row in chosen] == ["meal-planning", "bug-fix"]
    assert {(row["kind"], row["user_id"], row["useful"]) for row in chosen} == {
        ("chosen", "José Álvarez", None)
    }
    assert runtime.feedback.reaction(answer_id, "José Álvarez").chosen == "bug-fix"


SEVERAL = "“execution_id” with “useful”"


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({}, "body", SEVERAL),
        ([], "body", SEVERAL),
        ("dismissed", "body", SEVERAL),
        ({"recommendation_id": "r"}, "body", SEVERAL),
        ({"execution_id": "e", "useful": True, "dismissed": True}, "body", SEVERAL),
        ({"execution_id": "e", "useful": True, "workflow_id": "bug-fix"}, "body", SEVERAL),
        ({"recommendation_id": "r", "dismissed": True, "workflow_id": "w"}, "body", SEVERAL),
        (
            {"execution_id": "e", "useful": True, "recommendation_id": "r"},
            "recommendation_id",
            "“recommendation_id” is not a field.",
        ),
        ({"execution_id": "e"}, "useful", "“useful” must be given."),
        ({"useful": False}, "execution_id", "“execution_id” must be given."),
        ({"dismissed": True}, "recommendation_id", "“recommendation_id” must be given."),
        ({"workflow_id": "w"}, "recommendation_id", "“recommendation_id” must be given."),
        (
            {"recommendation_id": "r", "dismissed": False},
            "dismissed",
            "“dismissed” must be true.",
        ),
        ({"recommendation_id": "r", "dismissed": 1}, "dismissed", "“dismissed” must be true."),
        ({"recommendation_id": "r", "workflow_id": ""}, "workflow_id", "“workflow_id” is empty."),
        (
            {"recommendation_id": "r", "workflow_id": None},
            "workflow_id",
            "“workflow_id” must be text.",
        ),
        (
            {"recommendation_id": "r", "dismissed": True, "user_id": "ada"},
            "user_id",
            "“user_id” is not a field.",
        ),
    ],
)
def test_feedback_that_is_none_of_the_three_is_refused_by_field(
    free: Served, body: object, field: str, sentence: str
) -> None:
    said = is_problem(free.ask("POST", f"{API}/feedback", body), 422, "invalid-input")
    (fault,) = said["errors"]
    assert fault["field"] == field
    assert sentence in fault["sentence"]


def test_feedback_on_what_is_not_there_is_not_found(api: Served, runtime: Runtime) -> None:
    answer_id = recommended(api)
    run_id = ok(api.ask("POST", EXECUTE, execute_body()))["execution_id"]
    for body, kind in (
        ({"recommendation_id": NOBODY, "dismissed": True}, "unknown-recommendation"),
        ({"recommendation_id": run_id, "dismissed": True}, "unknown-recommendation"),
        ({"recommendation_id": NOBODY, "workflow_id": "bug-fix"}, "unknown-recommendation"),
        ({"recommendation_id": answer_id, "workflow_id": "no-such"}, "unknown-workflow"),
        ({"execution_id": answer_id, "useful": True}, "unknown-execution"),
    ):
        is_problem(api.ask("POST", f"{API}/feedback", body), 404, kind)
    assert rows(runtime.ledger, "feedback") == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/executions/{NOBODY}", None),
        ("DELETE", f"/executions/{NOBODY}", None),
        ("PATCH", f"/executions/{NOBODY}/steps/1", {"event": "done"}),
        ("POST", "/feedback", {"execution_id": NOBODY, "useful": True}),
    ],
)
def test_an_unknown_run_is_not_found(
    free: Served, method: str, path: str, body: dict[str, object] | None
) -> None:
    is_problem(free.ask(method, API + path, body), 404, "unknown-execution")


# --- limits


def used(server: Served, user_id: str = "ada") -> list[int]:
    usage = ok(server.ask("GET", f"{API}/usage?user_id={user_id}"))
    return [rule["used"] for rule in usage["execute"]]


def test_usage_tells_every_rule_and_when_a_full_one_opens(api: Served, clock: FakeClock) -> None:
    first_at = clock.now()
    for _ in range(3):
        ok(api.ask("POST", EXECUTE, execute_body()))
        clock.advance(seconds=10)
    usage = ok(api.ask("GET", f"{API}/usage?user_id=ada"))
    assert usage["user_id"] == "ada"
    assert [(rule["limit"], rule["window_s"], rule["used"]) for rule in usage["execute"]] == [
        (3, 60, 3),
        (20, 3_600, 3),
        (100, 86_400, 3),
    ]
    opens = [rule["opens_at"] for rule in usage["execute"]]
    assert opens[1:] == [None, None]
    until = datetime.fromisoformat(opens[0]) - first_at
    assert timedelta(seconds=60) <= until < timedelta(seconds=60.1)
    assert [rule["used"] for rule in usage["recommend"]] == [0, 0, 0]


def test_one_person_under_many_spellings_has_one_limit(api: Served, runtime: Runtime) -> None:
    spellings = ["José  Álvarez", " José\u00a0Álvarez ", "Jose\u0301 A\u0301lvarez"]
    for name in spellings:
        made = ok(api.ask("POST", EXECUTE, execute_body(user_id=name)))
        assert made["user_id"] == "José Álvarez"
    denied = api.ask("POST", EXECUTE, execute_body(user_id="José Álvarez"))
    is_problem(denied, 429, "rate-limited")
    assert used(api, "%20Jose%CC%81%20%20%C3%81lvarez%20") == [3, 3, 3]
    assert {row["user_id"] for row in rows(runtime.ledger, "requests")} == {"José Álvarez"}


def test_a_denial_names_its_rule_and_the_second_that_the_next_slot_opens(
    api: Served, clock: FakeClock, runtime: Runtime
) -> None:
    for _ in range(3):
        ok(api.ask("POST", EXECUTE, execute_body()))
        clock.advance(seconds=7)
    clock.advance(seconds=0.5)
    denied = api.ask("POST", EXECUTE, execute_body())
    said = is_problem(denied, 429, "rate-limited")
    assert (said["rule"], said["used"], said["limit"]) == ("user:execute:3/minute", 3, 3)
    assert denied.headers["retry-after"] == "39"
    assert said["retry_after_s"] == 39
    assert "try again in 39 s" in said["detail"]
    (row,) = (row for row in rows(runtime.ledger, "requests") if row["decision"] == "denied")
    assert row["retry_at"] == datetime.fromisoformat(said["retry_at"])

    clock.advance(seconds=38)
    is_problem(api.ask("POST", EXECUTE, execute_body()), 429, "rate-limited")
    clock.advance(seconds=1)
    ok(api.ask("POST", EXECUTE, execute_body()))
    assert used(api) == [3, 4, 4]


def test_a_denied_request_that_comes_back_with_its_key_passes(
    api: Served, clock: FakeClock
) -> None:
    for _ in range(3):
        ok(api.ask("POST", EXECUTE, execute_body()))
    key = {"Idempotency-Key": "patient"}
    denied = api.ask("POST", EXECUTE, execute_body(), key)
    clock.advance(seconds=int(denied.headers["retry-after"]))
    made = ok(api.ask("POST", EXECUTE, execute_body(), key))
    assert ok(api.ask("POST", EXECUTE, execute_body(), key)) == made


def test_two_hundred_at_once_are_three_admitted_and_the_rest_told_when(
    api: Served, clock: FakeClock, runtime: Runtime
) -> None:
    together = threading.Barrier(200)

    def send(_: int) -> Answer:
        together.wait(PATIENCE_S)
        return api.ask("POST", EXECUTE, execute_body())

    with ThreadPoolExecutor(200) as threads:
        answers = list(threads.map(send, range(200)))
    assert Counter(answer.status for answer in answers) == {200: 3, 429: 197}
    first_slot = min(
        row["ts"] for row in rows(runtime.ledger, "requests") if row["decision"] == "admitted"
    ) + timedelta(seconds=60)
    now = clock.now()
    for answer in answers:
        if answer.status == 429:
            assert datetime.fromisoformat(answer.body["retry_at"]) == first_slot
            assert int(answer.headers["retry-after"]) == math.ceil(
                (first_slot - now).total_seconds()
            )
    decisions = Counter(row["decision"] for row in rows(runtime.ledger, "requests"))
    assert decisions == {"admitted": 3, "denied": 197}

    wait_s = int(next(a for a in answers if a.status == 429).headers["retry-after"])
    clock.advance(seconds=wait_s)
    ok(api.ask("POST", EXECUTE, execute_body()))


def test_waiting_as_long_as_told_passes_by_the_real_clock(
    tmp_path: Path, embedder: Embedder
) -> None:
    rule = (Rule(limit=1, window_s=1),)
    limits = Limits(
        per_user={"execute": rule, "recommend": ()}, deployment={"execute": (), "recommend": ()}
    )
    runtime = Runtime(Settings(data_dir=tmp_path, limits=limits), embedder=embedder)
    with served(runtime) as server:
        ok(server.ask("POST", EXECUTE, execute_body()))
        denied = server.ask("POST", EXECUTE, execute_body())
        assert denied.headers["retry-after"] == "1"
        assert denied.body["rule"] == "user:execute:1/1s"
        threading.Event().wait(1)  # what it was told is waited for, and nothing else
        ok(server.ask("POST", EXECUTE, execute_body()))
    runtime.drain()


# --- what cannot be understood


def test_every_faulty_field_is_named_with_a_sentence(free: Served) -> None:
    body = {
        "task_title": "",
        "task_priority": "urgent",
        "user_energy": 4,
        "estimated_hours": 0,
        "code_context": {"tests_passing": -1},
        "colour": "blue",
    }
    said = is_problem(free.ask("POST", EXECUTE, body), 422, "invalid-input")
    sentences = {fault["field"]: fault["sentence"] for fault in said["errors"]}
    assert set(sentences) == {
        "task_title",
        "task_priority",
        "user_energy",
        "estimated_hours",
        "code_context.tests_passing",
        "colour",
        "workflow_id",
    }
    assert all(f"“{field}”" in sentence for field, sentence in sentences.items())
    assert all(sentence.endswith(".") for sentence in sentences.values())


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"task_title": " \n "}, "task_title"),
        ({"task_title": "a\u0000b"}, "task_title"),
        ({"task_description": "\u202egnp.exe"}, "task_description"),
        ({"recent_tasks": ["x" * 201]}, "recent_tasks"),
        ({"user_id": "\u202eada"}, "user_id"),
        ({"user_id": "a/b"}, "user_id"),
        ({"user_id": "a" * 41}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"estimated_hours": 10**400}, "estimated_hours"),
        ({"user_energy": 10**4_000}, "user_energy"),
        ({"chosen_rank": -(2**70)}, "chosen_rank"),
        ({"code_context": {"tests_failing": 10**30}}, "code_context.tests_failing"),
        ({"code_context": []}, "code_context"),
        ({"workflow_id": "x" * 65}, "workflow_id"),
    ],
)
def test_what_a_task_does_not_take_is_said_under_the_api_s_name_for_it(
    free: Served, free_runtime: Runtime, fault: dict[str, object], field: str
) -> None:
    before = len(rows(free_runtime.ledger, "requests"))
    said = is_problem(free.ask("POST", EXECUTE, execute_body(**fault)), 422, "invalid-input")
    assert [each["field"] for each in said["errors"]] == [field]
    assert len(rows(free_runtime.ledger, "requests")) == before


def with_value(value: bytes) -> bytes:
    return b'{"task_title":"x","workflow_id":"bug-fix","estimated_hours":' + value + b"}"


@pytest.mark.parametrize(
    "body",
    [
        with_value(b"NaN"),
        with_value(b"-Infinity"),
        with_value(b"1e999"),
        with_value(b"9" * 5_000),
        with_value(b"1") + b"{}",
        with_value(b"1,"),
        with_value(b'1,"workflow_id":"goal-setting"'),
        with_value(b'1,"x":{"y":1,"y":2}'),
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"task_title":"\\ud800","workflow_id":"bug-fix"}',
        b'{"\\udfff":1}',
        b'{"\\ud800":1,"\\ud800":2}',
        b'{"task_title":"\xff"}',
        b'{"task_title":"\xed\xa0\x80"}',
        '{"task_title":"x"}'.encode("utf-16"),
        b"not json",
        b"   ",
        b"\x00",
        b"'a'",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_not_plain_json_is_a_bad_request(
    free: Served, free_runtime: Runtime, body: bytes
) -> None:
    before = len(rows(free_runtime.ledger, "requests"))
    is_problem(free.ask("POST", EXECUTE, body), 400, "bad-request")
    assert len(rows(free_runtime.ledger, "requests")) == before


@pytest.mark.parametrize("body", [b"", b"null", b"1", b'"x"', b"[]", b"true", b"[{}]"])
def test_json_that_is_no_object_is_invalid(free: Served, body: bytes) -> None:
    is_problem(free.ask("POST", EXECUTE, body), 422, "invalid-input")


def test_json_may_begin_with_a_byte_order_mark(free: Served) -> None:
    ok(free.ask("POST", EXECUTE, b"\xef\xbb\xbf" + json.dumps(execute_body()).encode()))


def test_thousands_of_unknown_fields_get_an_answer_of_bounded_length(free: Served) -> None:
    body = {f"k{number}": 1 for number in range(4_500)}
    answer = free.ask("POST", EXECUTE, body)
    is_problem(answer, 422, "invalid-input")
    assert len(answer.body["errors"]) == 100
    assert len(answer.raw) < 16_000


@pytest.mark.parametrize(
    "segment",
    [
        "%00",
        "%ff%fe",
        "%ED%A0%80",
        "%F0%9F%98%80",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "a" * 65,
        "a" * 9_000,
        "%",
        "%zz",
        "'%20OR%201=1--",
        "%E2%80%AE",
        "*",
        "{execution_id}",
    ],
)
@pytest.mark.parametrize("folder", ["workflows", "executions"])
def test_odd_ids_are_not_found_or_invalid(free: Served, folder: str, segment: str) -> None:
    answer = free.ask("GET", f"{API}/{folder}/{segment}")
    assert answer.status in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "question", ["user_id=%00", "user_id=", "user_id=%ff", "user_id=" + "a" * 9_000]
)
def test_odd_names_in_a_question_are_invalid(free: Served, question: str) -> None:
    said = is_problem(free.ask("GET", f"{API}/usage?{question}"), 422, "invalid-input")
    assert [fault["field"] for fault in said["errors"]] == ["user_id"]


@pytest.mark.parametrize("wait", ["nan", "inf", "-1", "30.1", "x", ""])
def test_a_wait_that_is_no_time_is_refused(free: Served, wait: str) -> None:
    said = is_problem(
        free.ask("POST", f"{EXECUTE}?wait={wait}", execute_body()), 422, "invalid-input"
    )
    assert [fault["field"] for fault in said["errors"]] == ["wait"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/"),
        ("GET", "/api/v2/workflows"),
        ("GET", f"{API}/nothing"),
        ("GET", f"{API}/workflows/"),
        ("GET", f"{API}//workflows"),
        ("GET", f"{API}/executions"),
        ("POST", f"{API}/nothing"),
    ],
)
def test_a_path_that_is_not_there_is_not_found_as_json(
    free: Served, method: str, path: str
) -> None:
    is_problem(free.ask(method, path, {} if method == "POST" else None), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", RECOMMEND, None),
        ("GET", EXECUTE, None),
        ("PUT", f"{API}/usage", "GET"),
        ("DELETE", f"{API}/workflows", "GET"),
        ("POST", "/healthz", "GET"),
        ("PATCH", "/openapi.json", "GET"),
        ("OPTIONS", f"{API}/usage", "GET"),
        ("TRACE", f"{API}/usage", "GET"),
        ("BREW", f"{API}/usage", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_refused_as_json(
    free: Served, method: str, path: str, allowed: str | None
) -> None:
    body: dict[str, object] | None = {} if method in {"PUT", "POST", "PATCH"} else None
    answer = free.ask(method, path, body)
    if allowed is None:
        # These two look like workflows of that name.
        is_problem(answer, 404, "unknown-workflow")
        return
    is_problem(answer, 405, "method-not-allowed")
    assert allowed in answer.headers["allow"].split(", ")


def test_asking_for_the_head_of_something_is_refused_without_a_body(free: Served) -> None:
    answer = free.ask("HEAD", "/healthz")
    assert (answer.status, answer.raw) == (405, b"")


# --- sizes


def test_a_body_of_64_kb_is_read_and_one_more_byte_is_not(free: Served) -> None:
    body = json.dumps(execute_body()).encode()
    ok(free.ask("POST", EXECUTE, body + b" " * (65_536 - len(body))))
    answer = free.ask("POST", EXECUTE, body + b" " * (65_537 - len(body)))
    is_problem(answer, 413, "body-too-large")


def request_head(*headers: str) -> bytes:
    lines = [f"POST {EXECUTE} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


def test_a_body_that_is_announced_too_long_is_refused_before_it_is_sent(free: Served) -> None:
    with free.connected() as wire:
        wire.sendall(request_head("Content-Length: 10000000000"))
        assert wire.recv(4_096).startswith(b"HTTP/1.1 413 ")


def test_a_body_in_chunks_is_refused_once_it_grows_too_long(free: Served) -> None:
    with free.connected() as wire:
        wire.sendall(request_head("Transfer-Encoding: chunked"))
        for _ in range(5):
            wire.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        assert wire.recv(4_096).startswith(b"HTTP/1.1 413 ")


def test_a_body_in_chunks_is_read(free: Served) -> None:
    body = json.dumps(execute_body()).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    answer = free.raw(
        request_head("Transfer-Encoding: chunked", "Connection: close") + chunks + b"0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_headers_are_limited(free: Served) -> None:
    ok(free.ask("GET", "/healthz", headers={"X-Long": "a" * 16_000}))
    is_problem(
        free.ask("GET", "/healthz", headers={"X-Long": "a" * 16_400}), 431, "headers-too-large"
    )
    many = {f"X-{number}": "a" * 50 for number in range(90)}
    ok(free.ask("GET", "/healthz", headers=many))
    is_problem(
        free.ask("GET", "/healthz", headers={**many, "X-Long": "a" * 15_000}),
        431,
        "headers-too-large",
    )


# --- ids


def test_every_answer_carries_an_id_of_its_own(free: Served) -> None:
    answers = [
        free.ask("GET", "/healthz"),
        free.ask("GET", "/openapi.json"),
        free.ask("POST", EXECUTE, execute_body()),
        free.ask("POST", EXECUTE, {}),
        free.ask("POST", EXECUTE, b"no"),
        free.ask("POST", EXECUTE, b"{}", {"Content-Type": "text/plain"}),
        free.ask("POST", EXECUTE, b" " * 70_000),
        free.ask("GET", f"{API}/nothing"),
        free.ask("DELETE", "/healthz"),
        free.ask("GET", "/healthz", headers={"X-Long": "a" * 17_000}),
        free.ask("GET", f"{API}/usage", headers={"Host": "evil.example"}),
        free.ask("GET", "/healthz", headers={"X-Request-Id": "mine"}),
    ]
    assert [answer.status for answer in answers] == [
        200, 200, 200, 422, 400, 415, 413, 404, 405, 431, 403, 200,
    ]  # fmt: skip
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len({UUID(each) for each in ids}) == len(answers)


class Remembered(logging.Handler):
    """Keeps the request's id and the thread of every line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str | None, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((REQUEST_ID.get(), record.threadName or "", record.getMessage()))


class FlatEmbedder(Embedder):
    """An embedder to which all texts are the same; it loads no model."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.full((len(texts), self.dimensions), 512**-0.5, dtype=np.float32)


class TellingEmbedder(FlatEmbedder):
    """An embedder that says in the log that it was asked."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        logging.getLogger("core.told").warning("asked for %d", len(texts))
        return super().encode(texts)


def test_what_a_request_logs_in_its_worker_thread_carries_its_id(
    settings: Settings, clock: FakeClock
) -> None:
    telling = TellingEmbedder()
    runtime = Runtime(settings, clock=clock, embedder=telling)
    runtime.ranker()
    heard = Remembered()
    logging.getLogger("core.told").addHandler(heard)
    try:
        with served(runtime) as server, ThreadPoolExecutor(8) as threads:
            asked = [
                threads.submit(
                    server.ask, "POST", RECOMMEND, recommend_body(task_title=f"task {n}")
                )
                for n in range(16)
            ]
            ids = {each.result(PATIENCE_S).headers["x-request-id"] for each in asked}
    finally:
        logging.getLogger("core.told").removeHandler(heard)
        runtime.drain()
    assert len(ids) == 16
    assert {request_id for request_id, _, _ in heard.lines} == ids
    assert all(thread.startswith("api") for _, thread, _ in heard.lines)


# --- trouble


class BrokenEmbedder(Embedder):
    """An embedder that has no model."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise MemoryError(f"no room at /home/ada for {len(texts)}")


def test_what_nobody_thought_of_is_a_500_that_tells_nothing(
    settings: Settings, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = Runtime(settings, clock=clock, embedder=BrokenEmbedder())
    with served(runtime) as server, caplog.at_level(logging.ERROR):
        answer = server.ask("POST", RECOMMEND, recommend_body())
        said = is_problem(answer, 500, "internal")
        assert ok(server.ask("POST", EXECUTE, execute_body()))["status"] == "active"
    runtime.drain()
    assert "no room" not in answer.raw.decode()
    (record,) = (record for record in caplog.records if said["request_id"] in record.getMessage())
    assert record.exc_info
    assert record.exc_info[0] is MemoryError
    assert sum("MemoryError" in str(record.exc_info) for record in caplog.records) == 1


def test_a_ledger_that_fails_is_a_503_that_says_when_to_come_back(
    api: Served, runtime: Runtime, settings: Settings
) -> None:
    made = ok(api.ask("POST", EXECUTE, execute_body()))
    runtime.ledger.close()
    for method, path, body in [
        ("POST", EXECUTE, execute_body()),
        ("POST", RECOMMEND, recommend_body()),
        ("GET", f"{API}/executions/{made['execution_id']}", None),
        ("POST", f"{API}/feedback", {"execution_id": made["execution_id"], "useful": True}),
        ("GET", "/readyz", None),
    ]:
        answer = api.ask(method, path, body)
        assert answer.status == 503, path
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(settings.data_dir) not in answer.raw.decode()
    assert ok(api.ask("GET", "/healthz")) == {"status": "ok"}


def test_a_run_that_a_stopping_server_cannot_begin_is_a_503_and_cancelled(
    api: Served, runtime: Runtime
) -> None:
    runtime.jobs.drain()
    is_problem(api.ask("POST", EXECUTE, execute_body()), 503, "unavailable")
    assert [row["outcome"] for row in rows(runtime.ledger, "settlements")] == ["cancelled"]


def test_past_a_bound_of_waiting_requests_callers_are_told_to_come_back(
    free: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MOST_WAITING", 0)
    answer = free.ask("POST", EXECUTE, execute_body())
    is_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    monkeypatch.undo()
    ok(free.ask("POST", EXECUTE, execute_body()))


class LateEmbedder(FlatEmbedder):
    """An embedder that answers only once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.let_go.wait(PATIENCE_S)
        return super().encode(texts)


def test_it_is_ready_once_the_recommender_is_loaded_and_alive_before(
    settings: Settings, clock: FakeClock
) -> None:
    late = LateEmbedder()
    runtime = Runtime(settings, clock=clock, embedder=late)
    with served(runtime) as server:
        assert ok(server.ask("GET", "/healthz")) == {"status": "ok"}
        said = is_problem(server.ask("GET", "/readyz"), 503, "not-ready")
        assert "starting" in said["detail"]
        late.let_go.set()
        runtime.ranker()
        assert ok(server.ask("GET", "/readyz")) == {"status": "ok"}
    runtime.drain()


HOLDER = """
import sys
from pathlib import Path
from core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
ledger.close()
"""


def test_a_ledger_that_is_locked_is_a_503_until_it_is_free(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, embedder: Embedder
) -> None:
    monkeypatch.setenv("WAYWARDEN_DATA_DIR", str(settings.data_dir))
    with served(None) as server:
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(settings.ledger_path)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            answer = server.ask("POST", EXECUTE, execute_body())
            is_problem(answer, 503, "unavailable")
            is_problem(server.ask("GET", "/readyz"), 503, "not-ready")
            ok(server.ask("GET", "/healthz"))
            assert str(settings.data_dir) not in answer.raw.decode()
            holder.communicate()
        monkeypatch.setenv("WAYWARDEN_PORT", "eighty")
        is_problem(server.ask("POST", EXECUTE, execute_body()), 503, "unavailable")
        is_problem(server.ask("GET", "/readyz"), 503, "not-ready")
        monkeypatch.delenv("WAYWARDEN_PORT")
        runtime = Runtime(settings, embedder=embedder)
        with served(runtime) as free_again:
            ok(free_again.ask("POST", EXECUTE, execute_body()))
        runtime.drain()


# --- callers that go away


@pytest.mark.parametrize(
    "sent",
    [
        request_head("Content-Length: 500") + json.dumps(execute_body()).encode(),
        request_head("Transfer-Encoding: chunked")
        + b"%x\r\n%s\r\n" % (len(json.dumps(execute_body())), json.dumps(execute_body()).encode()),
        request_head("Content-Length: 10"),
        b"POST /api/v1/workf",
    ],
    ids=["half of a body", "chunks without the last", "no body", "half of a head"],
)
def test_a_caller_that_goes_away_in_mid_request_has_asked_for_nothing(
    free: Served, free_runtime: Runtime, sent: bytes
) -> None:
    before = len(rows(free_runtime.ledger, "requests"))
    for reset in (False, True):
        with free.connected() as wire:
            wire.sendall(sent)
            if reset:
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    ok(free.ask("POST", EXECUTE, execute_body()))
    assert len(rows(free_runtime.ledger, "requests")) == before + 1


def test_a_caller_that_goes_away_while_it_waits_leaves_a_whole_run(
    slow: Served, slow_runtime: Runtime, planner: SlowPlanner
) -> None:
    body = json.dumps(execute_body()).encode()
    with slow.connected() as wire:
        wire.sendall(request_head(f"Content-Length: {len(body)}") + body)
        planner.wait_until_planning()
    planner.release_all()
    (request,) = rows(slow_runtime.ledger, "requests")
    assert slow_runtime.executor.wait(request["request_id"], PATIENCE_S)
    answer = ok(slow.ask("GET", f"{API}/executions/{request['request_id']}"))
    assert (answer["status"], len(answer["steps"])) == ("active", 3)
