"""Status words, and the recent tasks of the next request, over a clock that jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.catalogue import Catalogue
from core.clock import new_id
from core.errors import UnknownExecution
from core.execute import Execution, History, StepChange
from core.guard import PrivacyRules
from core.ledger import RequestDecided
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import Privacy, Settings
from tests.asking import UNLIMITED, asked, rows, run, to_execute, to_recommend
from tests.fakes import FakeClock, SlowPlanner

WEEK = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def runtime(settings: Settings, clock: FakeClock, embedder: Embedder) -> Iterator[Runtime]:
    """A runtime without limits, whose plans have three steps."""
    free = settings.model_copy(update={"limits": UNLIMITED})
    planner = SlowPlanner(steps=3)
    planner.release_all()
    opened = Runtime(free, clock=clock, planner=planner, embedder=embedder)
    yield opened
    opened.drain()


def do(runtime: Runtime, execution: Execution, *events: str) -> Execution:
    """Do one thing to each step, in order; fewer events than steps leave the rest alone."""
    for number, event in enumerate(events, start=1):
        change = StepChange(number, event)  # type: ignore[arg-type]
        runtime.executor.change_step(execution.execution_id, execution.user_id, change)
    return runtime.history.execution(execution.execution_id)


def complete(runtime: Runtime, title: str, user_id: str = "ada") -> Execution:
    execution = run(runtime, to_execute(title, user_id=user_id))
    return do(runtime, execution, *["done"] * len(execution.steps))


def status_now(runtime: Runtime, execution: Execution) -> str:
    return runtime.history.execution(execution.execution_id).status


# --- status words


def test_a_run_is_active_until_its_last_step_is_settled(runtime: Runtime) -> None:
    execution = run(runtime)
    assert execution.status == "active"
    for number in range(1, len(execution.steps) + 1):
        assert execution.status == "active"
        event = "skipped" if number % 2 else "done"
        runtime.executor.change_step(
            execution.execution_id,
            "ada",
            StepChange(number, event),  # type: ignore[arg-type]
        )
        execution = runtime.history.execution(execution.execution_id)
    assert execution.status == "completed"


def test_a_run_whose_steps_were_all_skipped_is_not_completed(runtime: Runtime) -> None:
    execution = run(runtime)
    execution = do(runtime, execution, *["skipped"] * len(execution.steps))
    assert (execution.status, execution.completed_at) == ("active", None)
    assert do(runtime, execution, "done").status == "completed"


def test_a_completed_run_is_active_again_once_a_step_is_reopened(runtime: Runtime) -> None:
    execution = complete(runtime, "fix it")
    assert execution.status == "completed"
    assert do(runtime, execution, "reopened").status == "active"


def test_a_run_is_abandoned_when_untouched_for_more_than_seven_days(
    runtime: Runtime, clock: FakeClock
) -> None:
    execution = run(runtime)
    clock.set(execution.ts + WEEK)
    assert status_now(runtime, execution) == "active"
    clock.set(execution.ts + WEEK + MICROSECOND)
    assert status_now(runtime, execution) == "abandoned"


def test_every_touch_starts_the_seven_days_anew(runtime: Runtime, clock: FakeClock) -> None:
    execution = run(runtime)
    clock.advance(days=6)
    do(runtime, execution, "started")
    clock.advance(days=6)
    assert status_now(runtime, execution) == "active"
    clock.advance(days=2)
    assert status_now(runtime, execution) == "abandoned"
    assert do(runtime, execution, "done").status == "active"


def test_a_completed_run_is_never_abandoned(runtime: Runtime, clock: FakeClock) -> None:
    execution = complete(runtime, "fix it")
    clock.advance(days=400)
    assert status_now(runtime, execution) == "completed"


def test_failed_cancelled_and_lost_stay_what_they_are(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    planner = SlowPlanner(problem=RuntimeError("no plan"))
    runtime = Runtime(
        settings.model_copy(update={"limits": UNLIMITED}),
        clock=clock,
        planner=planner,
        embedder=embedder,
    )
    cancelled = str(runtime.executor.start(to_execute("cancelled")))
    runtime.executor.cancel(cancelled)
    planner.release_all()
    failed = run(runtime, to_execute("failed")).execution_id
    assert runtime.executor.wait(cancelled, 20)
    lost = new_id()
    unsettled = rows(runtime.ledger, "requests")[0] | {"request_id": lost, "ts": clock.now()}
    runtime.ledger.write(
        RequestDecided(**{**unsettled, "recent_tasks": [], "idempotency_key": None})
    )
    assert runtime.history.execution(lost).status == "planning"
    runtime.drain()
    again = Runtime(settings, clock=clock, embedder=embedder)
    clock.advance(days=30)
    statuses = {each: again.history.execution(each).status for each in (cancelled, failed, lost)}
    again.drain()
    assert statuses == {cancelled: "cancelled", failed: "failed", lost: "lost"}


def test_a_run_of_a_workflow_that_is_gone_keeps_its_steps(
    runtime: Runtime, clock: FakeClock
) -> None:
    execution = run(runtime)
    no_catalogue = History(runtime.ledger, lambda: Catalogue([]), clock, PrivacyRules(Privacy))
    bare = no_catalogue.execution(execution.execution_id)
    assert (bare.workflow_name, bare.icon) == ("bug-fix", "🧭")
    assert (bare.steps, bare.domain) == (execution.steps, "dev")


# --- the list of a person's runs


def test_runs_are_a_persons_own_newest_first(runtime: Runtime) -> None:
    for title in ("first", "second", "third"):
        run(runtime, to_execute(title))
    run(runtime, to_execute("of bob", user_id="bob"))
    asked(runtime, to_recommend("only a question"))
    assert [each.task_title for each in runtime.history.of("ada")] == ["third", "second", "first"]
    assert [each.task_title for each in runtime.history.of("ada", most=2)] == ["third", "second"]
    assert [each.task_title for each in runtime.history.of("bob")] == ["of bob"]
    assert runtime.history.of("nobody") == []


def test_a_question_is_not_a_run(runtime: Runtime) -> None:
    answer = asked(runtime, to_recommend("fix the login bug"))
    with pytest.raises(UnknownExecution):
        runtime.history.execution(answer.request_id)


def test_the_runs_of_one_do_not_mix_their_steps(runtime: Runtime) -> None:
    left, right = run(runtime, to_execute("left")), run(runtime, to_execute("right"))
    do(runtime, left, "done", "skipped")
    do(runtime, right, "started")
    by_title = {each.task_title: each for each in runtime.history.of("ada")}
    assert [state.status for state in by_title["left"].steps[:3]] == ["done", "skipped", "todo"]
    assert [state.status for state in by_title["right"].steps[:3]] == ["doing", "todo", "todo"]


# --- recent tasks


def test_completed_tasks_become_recent_tasks_newest_first(
    runtime: Runtime, clock: FakeClock
) -> None:
    assert runtime.history.recent_tasks("ada") == ()
    for title in ("one", "two", "three"):
        complete(runtime, title)
        clock.advance(minutes=5)
    run(runtime, to_execute("only begun"))
    complete(runtime, "of bob", user_id="bob")
    assert runtime.history.recent_tasks("ada") == ("three", "two", "one")


def test_what_was_completed_last_comes_first_whenever_it_was_begun(
    runtime: Runtime, clock: FakeClock
) -> None:
    old = run(runtime, to_execute("begun first"))
    clock.advance(hours=1)
    complete(runtime, "begun second")
    clock.advance(hours=1)
    do(runtime, old, *["done"] * len(old.steps))
    assert runtime.history.recent_tasks("ada") == ("begun first", "begun second")


def test_a_task_begun_long_ago_and_completed_today_is_recent(
    runtime: Runtime, clock: FakeClock
) -> None:
    old = run(runtime, to_execute("begun long ago"))
    clock.advance(days=20)
    do(runtime, old, *["done"] * len(old.steps))
    assert runtime.history.recent_tasks("ada") == ("begun long ago",)


def test_there_are_at_most_five_recent_tasks_each_once(runtime: Runtime, clock: FakeClock) -> None:
    for title in ("water plants", "2", "3", "4", "5", "6", "water plants"):
        complete(runtime, title)
        clock.advance(minutes=5)
    assert runtime.history.recent_tasks("ada") == ("water plants", "6", "5", "4", "3")


def test_a_task_is_recent_for_seven_days(runtime: Runtime, clock: FakeClock) -> None:
    completed_at = complete(runtime, "fix it").completed_at
    assert completed_at is not None
    clock.set(completed_at + WEEK)
    assert runtime.history.recent_tasks("ada") == ("fix it",)
    clock.set(completed_at + WEEK + MICROSECOND)
    assert runtime.history.recent_tasks("ada") == ()


def test_reopening_a_step_takes_the_task_back(runtime: Runtime) -> None:
    execution = complete(runtime, "fix it")
    do(runtime, execution, "reopened")
    assert runtime.history.recent_tasks("ada") == ()


def test_many_open_runs_do_not_hide_a_completed_one(runtime: Runtime) -> None:
    complete(runtime, "fix it")
    for number in range(60):
        assert isinstance(runtime.executor.start(to_execute(f"open {number}")), str)
    assert runtime.history.recent_tasks("ada") == ("fix it",)


def test_runs_survive_a_restart(
    runtime: Runtime, settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    execution = do(runtime, run(runtime), "done", "skipped", "started")
    done = complete(runtime, "all done")
    runtime.drain()
    again = Runtime(settings, clock=clock, embedder=embedder)
    assert again.history.execution(execution.execution_id) == execution
    assert again.history.execution(done.execution_id) == done
    assert Path(again.ledger.path).exists()
    again.drain()
