"""The executor over a real ledger and job pool: every request ends as exactly one thing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import Task, Workflow
from core.errors import (
    InvalidInput,
    LedgerUnavailable,
    Unavailable,
    UnknownExecution,
    UnknownWorkflow,
)
from core.execute import Execution, Plan, PlanFor, Planner, StepChange
from core.guard import Denied
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import PROJECT, Settings
from tests.asking import PATIENCE_S, UNLIMITED, rows, run, to_execute
from tests.fakes import FakeClock, SlowPlanner

Open = Callable[[Planner], Runtime]


@pytest.fixture
def open_runtime(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> Iterator[Callable[..., Runtime]]:
    """Opens a runtime with another planner or other settings; drains it after the test."""
    opened: list[Runtime] = []

    def open_one(planner: Planner, **changed: object) -> Runtime:
        given = settings.model_copy(update={"limits": UNLIMITED, **changed})
        opened.append(Runtime(given, clock=clock, planner=planner, embedder=embedder))
        return opened[-1]

    yield open_one
    for runtime in opened:
        runtime.drain()


@pytest.fixture
def planner() -> Iterator[SlowPlanner]:
    slow = SlowPlanner()
    yield slow
    slow.release_all()


@pytest.fixture
def slow(open_runtime: Open, planner: SlowPlanner) -> Iterator[Runtime]:
    yield open_runtime(planner)
    planner.release_all()


def start(runtime: Runtime, **request: str) -> str:
    started = runtime.executor.start(to_execute(**request))
    assert isinstance(started, str)
    return started


def ended(runtime: Runtime, execution_id: str) -> Execution:
    assert runtime.executor.wait(execution_id, PATIENCE_S)
    return runtime.executor.execution(execution_id)


def at_once(count: int, act: Callable[[], object]) -> None:
    """Let that many threads act at the same time."""
    barrier = threading.Barrier(count)

    def one() -> None:
        barrier.wait()
        act()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- one request, one plan, one settlement


def test_an_admitted_request_becomes_one_plan_and_one_settlement(runtime: Runtime) -> None:
    execution = run(runtime)
    assert execution.status == "active"
    (request,) = rows(runtime.ledger, "requests")
    (plan,) = rows(runtime.ledger, "executions")
    (settlement,) = rows(runtime.ledger, "settlements")
    assert request["request_id"] == plan["execution_id"] == settlement["request_id"]
    assert (request["decision"], settlement["outcome"]) == ("admitted", "succeeded")
    assert settlement["error_type"] is None
    assert settlement["latency_ms"] > 0
    assert plan["step_count"] == len(execution.steps) >= 3
    assert plan["planned_minutes"] == (
        execution.planned_minutes + execution.break_minutes + execution.buffer_minutes
    )


def test_one_key_from_64_threads_is_one_execution(slow: Runtime, planner: SlowPlanner) -> None:
    ids: list[str | Denied] = []
    at_once(64, lambda: ids.append(slow.executor.start(to_execute(key="one click"))))
    assert len(ids) == 64
    assert len(set(ids)) == 1
    planner.release_all()
    ended(slow, str(ids[0]))
    assert len(planner.planned) == 1
    counted = {
        table: len(rows(slow.ledger, table)) for table in ("requests", "executions", "settlements")
    }
    assert counted == {"requests": 1, "executions": 1, "settlements": 1}


def test_a_key_sent_again_after_the_plan_is_made_plans_nothing_more(runtime: Runtime) -> None:
    first = run(runtime, to_execute(key="again"))
    second = run(runtime, to_execute(key="again"))
    assert first == second
    assert len(rows(runtime.ledger, "executions")) == 1


def test_many_requests_at_once_are_each_planned_once(runtime: Runtime) -> None:
    runtime.gate.limits = UNLIMITED
    ids: list[str | Denied] = []
    at_once(24, lambda: ids.append(runtime.executor.start(to_execute())))
    for each in ids:
        assert ended(runtime, str(each)).status == "active"
    assert sorted(row["execution_id"] for row in rows(runtime.ledger, "executions")) == sorted(
        str(each) for each in ids
    )
    assert len(rows(runtime.ledger, "settlements")) == 24


def test_a_denial_is_returned_and_recorded_and_nothing_is_planned(runtime: Runtime) -> None:
    for _ in range(3):
        run(runtime)
    denied = runtime.executor.start(to_execute())
    assert isinstance(denied, Denied)
    assert (denied.rule_name, denied.used) == ("user:execute:3/minute", 3)
    newest = rows(runtime.ledger, "requests")[-1]
    assert newest["request_id"] == denied.request_id
    assert (newest["decision"], newest["denied_rule"], newest["denied_used"]) == (
        "denied",
        "user:execute:3/minute",
        3,
    )
    assert newest["retry_at"] == denied.retry_at
    assert len(rows(runtime.ledger, "executions")) == 3
    assert len(rows(runtime.ledger, "settlements")) == 3
    with pytest.raises(UnknownExecution):
        runtime.executor.execution(denied.request_id)


def test_an_unknown_workflow_is_refused_before_anything_is_charged(runtime: Runtime) -> None:
    with pytest.raises(UnknownWorkflow, match="There is no workflow called “tea-making”"):
        runtime.executor.start(to_execute(workflow_id="tea-making"))
    assert rows(runtime.ledger, "requests") == []
    assert [usage.used for usage in runtime.gate.usage("ada", "execute")] == [0, 0, 0]


def test_an_unknown_execution_is_said_in_a_sentence(runtime: Runtime) -> None:
    with pytest.raises(UnknownExecution, match=r"^This run is not in the ledger.*\.$"):
        runtime.executor.execution("0192f3a0-0000-7000-8000-000000000000")


# --- while it is being planned


def test_steps_are_visible_as_they_are_made(slow: Runtime, planner: SlowPlanner) -> None:
    execution_id = start(slow)
    planner.wait_until_planning()
    for made in range(3):
        planner.wait_until_given(made)
        execution = slow.executor.execution(execution_id)
        assert execution.status == "planning"
        assert [state.number for state in execution.steps] == list(range(1, made + 1))
        assert not slow.executor.wait(execution_id, 0)
        planner.release()
    execution = ended(slow, execution_id)
    assert execution.status == "active"
    assert [state.step.estimated_minutes for state in execution.steps] == [10, 20, 30]


def test_a_plan_cancelled_on_the_way_leaves_no_plan(slow: Runtime, planner: SlowPlanner) -> None:
    execution_id = start(slow)
    planner.release()
    planner.wait_until_given(1)
    slow.executor.cancel(execution_id)
    planner.release()
    execution = ended(slow, execution_id)
    assert (execution.status, execution.steps) == ("cancelled", ())
    assert rows(slow.ledger, "executions") == []
    (settlement,) = rows(slow.ledger, "settlements")
    assert (settlement["outcome"], settlement["error_type"]) == ("cancelled", None)


def test_a_plan_cancelled_while_it_waits_for_a_worker_is_never_begun(
    open_runtime: Callable[..., Runtime], planner: SlowPlanner
) -> None:
    runtime = open_runtime(planner, job_workers=1)
    first, second = start(runtime), start(runtime, title="the second task")
    planner.wait_until_planning()
    runtime.executor.cancel(second)
    planner.release_all()
    assert ended(runtime, first).status == "active"
    assert ended(runtime, second).status == "cancelled"
    assert [task.title for _, task in planner.planned] == ["fix the login bug"]


def test_a_plan_cancelled_after_its_last_step_is_cancelled(
    open_runtime: Open,
) -> None:
    class CancelsItself(SlowPlanner):
        def plan(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> Plan:
            self.release_all()
            plan = super().plan(workflow, task, plan_for)
            runtime.executor.cancel(execution_id_known.result())
            return plan

    execution_id_known: Future[str] = Future()
    runtime = open_runtime(CancelsItself())
    execution_id_known.set_result(start(runtime))
    assert ended(runtime, execution_id_known.result()).status == "cancelled"
    assert rows(runtime.ledger, "executions") == []


def test_cancelling_a_plan_that_is_made_changes_nothing(runtime: Runtime) -> None:
    execution = run(runtime)
    runtime.executor.cancel(execution.execution_id)
    runtime.executor.cancel("no such run")
    assert runtime.executor.execution(execution.execution_id) == execution


def test_a_planner_that_raises_settles_as_failed_with_its_type(open_runtime: Open) -> None:
    broken = SlowPlanner(problem=ZeroDivisionError("by zero"))
    broken.release_all()
    runtime = open_runtime(broken)
    execution = ended(runtime, start(runtime))
    assert (execution.status, execution.error) == ("failed", "ZeroDivisionError")
    assert execution.steps == ()
    assert rows(runtime.ledger, "executions") == []
    (settlement,) = rows(runtime.ledger, "settlements")
    assert (settlement["outcome"], settlement["error_type"]) == ("failed", "ZeroDivisionError")


def test_a_planner_that_gives_no_step_settles_as_failed(open_runtime: Open) -> None:
    idle = SlowPlanner(steps=0)
    runtime = open_runtime(idle)
    execution = ended(runtime, start(runtime))
    assert (execution.status, execution.error) == ("failed", "ValidationError")


def test_a_plan_that_the_ledger_refuses_settles_as_failed(open_runtime: Open) -> None:
    class Unwritable(SlowPlanner):
        version = "1\ud800"  # half a character: no database can hold it

    unwritable = Unwritable()
    unwritable.release_all()
    runtime = open_runtime(unwritable)
    execution = ended(runtime, start(runtime))
    assert execution.status == "failed"
    assert execution.error == "RowRefused"
    assert len(rows(runtime.ledger, "settlements")) == 1


# --- once more


def test_what_was_not_made_is_started_again_as_one_new_run(open_runtime: Open) -> None:
    broken = SlowPlanner(problem=ZeroDivisionError("by zero"))
    broken.release_all()
    runtime = open_runtime(broken)
    failed = start(runtime, title="fix it", key="first try")
    assert ended(runtime, failed).status == "failed"
    again = runtime.executor.again(failed, "ada")
    assert again == runtime.executor.again(failed, "ada")
    assert again != failed
    assert ended(runtime, str(again)).task_title == "fix it"
    assert ended(runtime, failed).status == "failed"
    assert [task.title for _, task in broken.planned] == ["fix it", "fix it"]
    first, second = rows(runtime.ledger, "requests")
    assert first["fingerprint"] == second["fingerprint"]


def test_nobody_starts_another_persons_run_again(slow: Runtime) -> None:
    execution_id = start(slow)
    slow.executor.cancel(execution_id)
    with pytest.raises(UnknownExecution):
        slow.executor.again(execution_id, "bob")
    with pytest.raises(UnknownExecution):
        slow.executor.again("no such run", "ada")
    assert len(rows(slow.ledger, "requests")) == 1


# --- when the ledger or the process ends first


def test_a_ledger_that_fails_while_planning_leaves_no_job_hanging(
    slow: Runtime, planner: SlowPlanner, open_runtime: Open
) -> None:
    execution_id = start(slow)
    planner.wait_until_planning()
    slow.ledger.close()
    planner.release_all()
    assert slow.executor.wait(execution_id, PATIENCE_S)
    with pytest.raises(LedgerUnavailable):
        slow.executor.execution(execution_id)
    again = open_runtime(planner)
    assert again.executor.execution(execution_id).status == "lost"
    assert len(rows(again.ledger, "settlements")) == 1


def test_a_run_whose_end_could_not_be_written_is_shown_as_lost_at_once(
    slow: Runtime, planner: SlowPlanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LedgerUnavailable("The disk is full; free some room and try again.")

    execution_id = start(slow)
    planner.wait_until_planning()
    monkeypatch.setattr(slow.gate, "settle", refuse)
    planner.release_all()
    assert ended(slow, execution_id).status == "lost"


def test_what_comes_while_the_pool_stops_is_refused_and_settled(runtime: Runtime) -> None:
    runtime.jobs.drain()
    with pytest.raises(Unavailable, match="stopping"):
        runtime.executor.start(to_execute())
    (settlement,) = rows(runtime.ledger, "settlements")
    assert settlement["outcome"] == "cancelled"
    assert runtime.executor.execution(settlement["request_id"]).status == "cancelled"


def test_draining_waits_for_the_plan_in_the_making(
    slow: Runtime, planner: SlowPlanner, open_runtime: Open
) -> None:
    execution_id = start(slow)
    planner.wait_until_planning()
    draining = threading.Thread(target=slow.drain)
    draining.start()
    planner.release_all()
    draining.join()
    assert open_runtime(planner).executor.execution(execution_id).status == "active"


KILLED = """
import sys
from pathlib import Path
from core.runtime import Runtime
from core.settings import Settings
from tests.asking import to_execute
from tests.fakes import SlowPlanner

planner = SlowPlanner()
runtime = Runtime(Settings(data_dir=Path(sys.argv[1])), planner=planner)
execution_id = runtime.executor.start(to_execute(key="before the kill"))
planner.release()
planner.wait_until_given(1)
print(execution_id, flush=True)
sys.stdin.read()
"""


def test_a_run_of_a_killed_process_is_lost_and_its_key_stays_used(
    settings: Settings, open_runtime: Open, planner: SlowPlanner
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(settings.data_dir)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        execution_id = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
    runtime = open_runtime(planner)
    execution = runtime.executor.execution(execution_id)
    assert (execution.status, execution.steps) == ("lost", ())
    assert runtime.executor.start(to_execute(key="before the kill")) == execution_id
    assert planner.planned == []
    (settlement,) = rows(runtime.ledger, "settlements")
    assert settlement["outcome"] == "lost"


# --- what a person does with the steps


@pytest.fixture(scope="module")
def desk_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, desk_clock: FakeClock, embedder: Embedder
) -> Iterator[Runtime]:
    """A runtime that the tests below share; each makes a run of its own."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("desk"), limits=UNLIMITED)
    opened = Runtime(settings, clock=desk_clock, embedder=embedder)
    yield opened
    opened.drain()


def events_of(
    desk: Runtime, execution: Execution, table: str = "step_events"
) -> list[dict[str, Any]]:
    key = "execution_id" if table == "step_events" else "request_id"
    return [row for row in rows(desk.ledger, table) if row[key] == execution.execution_id]


def change(desk: Runtime, execution: Execution, *changes: StepChange) -> Execution:
    for each in changes:
        desk.executor.change_step(execution.execution_id, execution.user_id, each)
    return desk.executor.execution(execution.execution_id)


@pytest.mark.parametrize(
    ("event", "status"),
    [("started", "doing"), ("done", "done"), ("skipped", "skipped")],
)
def test_a_step_can_be_started_done_and_skipped_and_reopened(
    desk: Runtime, event: str, status: str
) -> None:
    execution = run(desk)
    execution = change(desk, execution, StepChange(2, event))  # type: ignore[arg-type]
    assert [state.status for state in execution.steps[:3]] == ["todo", status, "todo"]
    execution = change(desk, execution, StepChange(2, "reopened"))
    assert {state.status for state in execution.steps} == {"todo"}
    assert [row["event"] for row in events_of(desk, execution)] == [event, "reopened"]


def test_the_step_at_hand_is_the_started_one_else_the_first_open_one(desk: Runtime) -> None:
    execution = run(desk)
    assert execution.current == execution.steps[0]
    execution = change(desk, execution, StepChange(1, "done"), StepChange(2, "skipped"))
    assert execution.current == execution.steps[2]
    execution = change(desk, execution, StepChange(4, "started"))
    assert execution.current == execution.steps[3]
    assert execution.settled_steps == 2
    assert execution.settled_minutes == sum(
        state.step.estimated_minutes for state in execution.steps[:2]
    )


def test_an_edited_step_keeps_everything_else(desk: Runtime) -> None:
    execution = run(desk)
    before = execution.steps[0]
    execution = change(
        desk, execution, StepChange(1, "done"), StepChange(1, "edited", title=" Ask\n Ann ")
    )
    after = execution.steps[0]
    assert after.step == before.step.model_copy(update={"title": "Ask Ann"})
    assert after.status == "done"
    execution = change(desk, execution, StepChange(1, "edited", description="Call her."))
    assert (execution.steps[0].step.title, execution.steps[0].step.description) == (
        "Ask Ann",
        "Call her.",
    )


@pytest.mark.parametrize("event", ["started", "done", "skipped", "reopened"])
def test_a_double_click_records_once(desk: Runtime, event: str) -> None:
    execution = run(desk)
    if event == "reopened":
        change(desk, execution, StepChange(1, "done"))
    before = len(events_of(desk, execution))
    twice = StepChange(1, event)  # type: ignore[arg-type]
    change(desk, execution, twice, twice)
    assert len(events_of(desk, execution)) == before + 1


@pytest.mark.parametrize(
    "click",
    [
        StepChange(1, "done"),
        StepChange(1, "edited", title="Ask Ann"),
        StepChange(1, "timed", actual_minutes=12),
    ],
)
def test_clicks_from_16_threads_at_once_record_once(desk: Runtime, click: StepChange) -> None:
    execution = run(desk)
    at_once(16, lambda: change(desk, execution, click))
    assert len(events_of(desk, execution)) == 1


def test_reopening_what_was_never_touched_records_nothing(desk: Runtime) -> None:
    execution = change(desk, run(desk), StepChange(1, "reopened"))
    assert events_of(desk, execution) == []


def test_another_person_cannot_touch_a_run(desk: Runtime) -> None:
    execution = run(desk)
    for other in ("bob", "Ada", "ada ", ""):
        with pytest.raises(UnknownExecution):
            desk.executor.change_step(execution.execution_id, other, StepChange(1, "done"))
    assert desk.executor.execution(execution.execution_id) == execution
    assert events_of(desk, execution) == []


@pytest.mark.parametrize("step", [-1, 0, 9, 2**63])
def test_a_step_out_of_range_is_refused_in_a_sentence(desk: Runtime, step: int) -> None:
    execution = run(desk)
    assert len(execution.steps) == 8
    with pytest.raises(InvalidInput, match=r"^This run has 8 steps.$") as refused:
        change(desk, execution, StepChange(step, "done"))
    assert refused.value.field == "step"
    assert events_of(desk, execution) == []


@pytest.mark.parametrize("minutes", [-5, 0, 1_441, 2**63])
@pytest.mark.parametrize("event", ["timed", "done"])
def test_minutes_out_of_range_are_refused_in_a_sentence(
    desk: Runtime, event: str, minutes: int
) -> None:
    execution = run(desk)
    change_of = StepChange(1, event, actual_minutes=minutes)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"^The minutes must be between 1 and 1,440.$"):
        change(desk, execution, change_of)
    assert events_of(desk, execution) == []


def test_timing_a_step_without_minutes_is_refused(desk: Runtime) -> None:
    with pytest.raises(InvalidInput, match=r"^Say how many minutes the step took.$"):
        change(desk, run(desk), StepChange(1, "timed"))


@pytest.mark.parametrize(
    "title",
    ["", "   \n\t ", "x" * 201, "a\x00b", "a\x1b[31mb", "a\u202eb", "a\u2066b", "half \ud800"],
)
def test_a_title_that_cannot_be_shown_is_refused_in_a_sentence(desk: Runtime, title: str) -> None:
    execution = run(desk)
    with pytest.raises(InvalidInput, match=r"^A step needs a title.*\.$"):
        change(desk, execution, StepChange(1, "edited", title=title))
    assert events_of(desk, execution) == []


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE step_events; --",
        '{"steps": [], "x": "\\u0000"}',
        "{task_title} {0.__class__} %s $1 ${x}",
        "<script>alert(1)</script> ![](http://example.invalid/x.png)",
        "日本語 עברית 🧑‍🚀 é",
        "=cmd|' /C calc'!A0",
    ],
)
def test_hostile_text_in_an_edit_is_kept_as_it_was_typed(desk: Runtime, text: str) -> None:
    edit = StepChange(1, "edited", title=text, description=f"{text}\n{text}")
    execution = change(desk, run(desk), edit, StepChange(2, "done"))
    assert execution.steps[0].step.title == text
    assert execution.steps[0].step.description == f"{text}\n{text}"
    assert len(events_of(desk, execution)) == 2


# --- minutes


def test_the_minutes_from_start_to_done_are_recorded(desk: Runtime, desk_clock: FakeClock) -> None:
    execution = change(desk, run(desk), StepChange(1, "started"))
    desk_clock.advance(minutes=24, seconds=40)
    execution = change(desk, execution, StepChange(1, "done"))
    assert execution.steps[0].actual_minutes == 25
    assert events_of(desk, execution)[-1]["actual_minutes"] == 25


@pytest.mark.parametrize("seconds", [5, 86_400 + 31])
def test_a_span_that_cannot_be_work_is_not_taken_for_minutes(
    desk: Runtime, desk_clock: FakeClock, seconds: int
) -> None:
    execution = change(desk, run(desk), StepChange(1, "started"))
    desk_clock.advance(seconds=seconds)
    execution = change(desk, execution, StepChange(1, "done"))
    assert execution.steps[0].status == "done"
    assert execution.steps[0].actual_minutes is None


def test_minutes_that_were_said_win_over_the_clock(desk: Runtime, desk_clock: FakeClock) -> None:
    execution = change(desk, run(desk), StepChange(1, "started"))
    desk_clock.advance(minutes=50)
    execution = change(desk, execution, StepChange(1, "done", actual_minutes=20))
    assert execution.steps[0].actual_minutes == 20
    execution = change(desk, execution, StepChange(1, "timed", actual_minutes=35))
    assert execution.steps[0].actual_minutes == 35


def test_a_step_that_was_never_started_has_no_minutes(
    desk: Runtime, desk_clock: FakeClock
) -> None:
    execution = run(desk)
    desk_clock.advance(minutes=50)
    execution = change(desk, execution, StepChange(1, "done"))
    assert execution.steps[0].actual_minutes is None


def test_a_reopened_step_is_timed_from_its_new_start(desk: Runtime, desk_clock: FakeClock) -> None:
    execution = change(desk, run(desk), StepChange(1, "started"))
    desk_clock.advance(minutes=50)
    execution = change(desk, execution, StepChange(1, "done"), StepChange(1, "reopened"))
    assert execution.steps[0].started_at is None
    desk_clock.advance(hours=5)
    execution = change(desk, execution, StepChange(1, "started"))
    desk_clock.advance(minutes=7)
    execution = change(desk, execution, StepChange(1, "done"))
    assert execution.steps[0].actual_minutes == 7


# --- was it useful


def test_the_newest_rating_counts_and_the_same_again_records_nothing(
    desk: Runtime, desk_clock: FakeClock
) -> None:
    execution = run(desk)
    assert execution.useful is None
    for useful in (True, True, False, False):
        desk_clock.advance(minutes=1)
        desk.executor.rate(desk.executor.execution(execution.execution_id), useful=useful)
    assert desk.executor.execution(execution.execution_id).useful is False
    assert [row["useful"] for row in events_of(desk, execution, "feedback")] == [True, False]


def test_the_steps_of_a_plan_are_those_of_its_preview(runtime: Runtime) -> None:
    request = to_execute(energy=1, hours=1.5, time_of_day="evening")
    execution = run(runtime, request)
    preview = runtime.preview(runtime.catalogue.get("bug-fix"), request.task)
    assert tuple(state.step for state in execution.steps) == preview.steps
    assert (execution.break_minutes, execution.buffer_minutes, execution.notes) == (
        preview.break_minutes,
        preview.buffer_minutes,
        preview.notes,
    )
    assert timedelta(minutes=preview.minutes) <= timedelta(hours=1.5)


def test_ids_sort_by_the_time_they_were_made(runtime: Runtime) -> None:
    ids = [run(runtime).execution_id for _ in range(3)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in ids)


def test_the_ledger_file_is_where_the_settings_say(runtime: Runtime, settings: Settings) -> None:
    assert runtime.ledger.path == settings.ledger_path == Path(settings.data_dir, "ledger.duckdb")
