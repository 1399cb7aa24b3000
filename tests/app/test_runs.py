"""A run as its person sees it: made, started, ticked off, edited, rated, found again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.runtime import Runtime
from core.settings import Settings
from tests.app.browser import Browser
from tests.asking import PATIENCE_S, UNLIMITED, rows, run, to_execute
from tests.fakes import FakeClock, SlowPlanner


@pytest.fixture
def opened(browser: Browser, console: Runtime) -> Browser:
    """A browser on a run of its own, among the runs."""
    execution = run(console, to_execute(user_id="local"))
    return browser.open("runs", run=execution.execution_id)


def steps(browser: Browser, console: Runtime) -> list[str]:
    return [state.status for state in console.history.execution(browser.address["run"]).steps]


# --- while it is being made


def test_steps_appear_as_they_are_made(serve: Callable[..., Runtime]) -> None:
    planner = SlowPlanner()
    console = serve(planner)
    run_id = str(console.executor.start(to_execute(user_id="local")))
    planner.wait_until_planning()
    browser = Browser().open("runs", run=run_id)
    assert "making the plan · 0 steps so far" in browser.said
    planner.release()
    planner.wait_until_given(1)
    browser.draw()
    assert "making the plan · 1 step so far" in browser.said
    assert "Step 1: fix the login bug" in browser.said
    planner.release_all()
    assert console.executor.wait(run_id, PATIENCE_S)
    browser.draw()
    assert "0 of 3 done" in browser.said
    assert len(browser.app.checkbox) == 3


def test_a_plan_in_the_making_can_be_cancelled(serve: Callable[..., Runtime]) -> None:
    planner = SlowPlanner()
    console = serve(planner)
    run_id = str(console.executor.start(to_execute(user_id="local")))
    planner.wait_until_planning()
    browser = Browser().open("runs", run=run_id).click("Cancel")
    planner.release_all()
    assert console.executor.wait(run_id, PATIENCE_S)
    browser.draw()
    assert "This run was cancelled before its steps were complete." in browser.said
    assert browser.app.checkbox.values == []


def test_a_planner_that_raises_is_said_by_its_type(serve: Callable[..., Runtime]) -> None:
    planner = SlowPlanner(problem=ZeroDivisionError("a secret"))
    planner.release_all()
    execution = run(serve(planner), to_execute(user_id="local"))
    browser = Browser().open("runs", run=execution.execution_id)
    assert "Making the steps failed: ZeroDivisionError." in browser.said
    assert "a secret" not in browser.said


def test_a_lost_run_says_that_the_process_stopped(
    serve: Callable[..., Runtime], settings: Settings
) -> None:
    planner = SlowPlanner()
    first = serve(planner)
    run_id = str(first.executor.start(to_execute(user_id="local")))
    planner.wait_until_planning()
    first.ledger.close()
    planner.release_all()
    first.drain()
    assert serve().settings.data_dir == settings.data_dir
    browser = Browser().open("runs", run=run_id)
    assert "The process stopped while the steps were being made." in browser.said


# --- ticking off


def test_a_step_is_ticked_and_unticked(opened: Browser, console: Runtime) -> None:
    opened.app.checkbox[1].check()
    opened.draw()
    assert steps(opened, console)[:3] == ["todo", "done", "todo"]
    assert "1 of 8 done" in opened.said
    opened.app.checkbox[1].uncheck()
    opened.draw()
    assert steps(opened, console)[1] == "todo"
    assert "0 of 8 done" in opened.said
    assert [row["event"] for row in rows(console.ledger, "step_events")] == ["done", "reopened"]


def test_the_step_at_hand_is_started_done_and_skipped(
    opened: Browser, console: Runtime, clock: FakeClock
) -> None:
    opened.click("Start")
    assert "under way" in opened.said
    assert opened.buttons("Start") == []
    clock.advance(minutes=25)
    opened.click("Done")
    assert "25 min taken" in opened.said
    opened.click("Skip")
    assert steps(opened, console)[:3] == ["done", "skipped", "todo"]
    assert "skipped" in opened.said


def test_a_step_that_is_edited_and_timed_keeps_both(opened: Browser, console: Runtime) -> None:
    (title,) = (each for each in opened.app.text_input if each.label == "Title")
    title.set_value("Ask Ann first")
    (how,) = (each for each in opened.app.text_area if each.label == "How")
    how.set_value("Call her before noon.")
    opened.app.number_input[0].set_value(17)
    opened.click("Save")
    step = console.history.execution(opened.address["run"]).steps[0]
    assert (step.step.title, step.step.description, step.actual_minutes) == (
        "Ask Ann first",
        "Call her before noon.",
        17,
    )
    opened.draw()
    assert "17 min taken" in opened.said
    assert "Call her before noon." in opened.said


def test_a_finished_run_is_completed_and_rated(opened: Browser, console: Runtime) -> None:
    for _ in range(8):
        opened.click("Done")
    assert "8 of 8 done" in opened.said
    assert opened.buttons("Done") == []
    assert "Was this useful?" in opened.said
    opened.app.feedback[0].set_value(1)
    opened.draw()
    assert "Thank you, noted." in opened.said
    execution = console.history.execution(opened.address["run"])
    assert (execution.status, execution.useful) == ("completed", True)
    opened.app.feedback[0].set_value(0)
    opened.draw()
    assert console.history.execution(execution.execution_id).useful is False


def test_nobody_is_asked_whether_an_untouched_plan_was_useful(opened: Browser) -> None:
    assert "Was this useful?" not in opened.said


def test_a_run_can_be_copied_as_a_list(opened: Browser) -> None:
    opened.click("Done").click("Skip")
    (copied,) = (code.value for code in opened.app.code if code.value.startswith("# "))
    lines = str(copied).splitlines()
    assert lines[:3] == ["# fix the login bug", "", "Bug fix"]
    boxes = [line for line in lines if line.startswith("- [")]
    assert len(boxes) == 8
    assert boxes[0].startswith("- [x] **")
    assert "(skipped)" in boxes[1]
    assert boxes[2].startswith("- [ ] **")


def test_another_person_sees_a_run_but_cannot_change_it(opened: Browser, console: Runtime) -> None:
    other = Browser(profile="bob").open("runs", **opened.address)
    other.click("Done")
    assert "This run is not in the ledger" in other.said
    assert set(steps(opened, console)) == {"todo"}


# --- the list of runs


def test_runs_are_listed_by_what_became_of_them(
    serve: Callable[..., Runtime], clock: FakeClock
) -> None:
    planner = SlowPlanner(steps=1)
    planner.release_all()
    console = serve(planner)
    run(console, to_execute("left alone", user_id="local"))
    clock.advance(days=8)
    run(console, to_execute("open one", user_id="local"))
    done = run(console, to_execute("done one", user_id="local"))
    Browser().open("runs", run=done.execution_id).click("Done")
    browser = Browser().open("runs")
    assert "3 runs of local" in browser.said
    assert [button.label for button in browser.app.main.button] == ["Open", "Resume", "Resume"]
    for group, titles in {
        "all": ["done one", "open one", "left alone"],
        "open": ["open one"],
        "completed": ["done one"],
        "abandoned": ["left alone"],
        "not made": [],
    }.items():
        browser.choose("show", group).draw()
        found = [t for t in ("done one", "open one", "left alone") if f"**{t}**" in browser.said]
        assert found == titles, group
    assert "None of your 3 runs is not made." in browser.said


def test_a_run_is_resumed_from_the_list(browser: Browser, console: Runtime) -> None:
    execution = run(console, to_execute(user_id="local"))
    browser.open("runs").click("Resume")
    assert browser.address["run"] == execution.execution_id
    assert len(browser.app.checkbox) == 8
    browser.click("All runs")
    assert "run" not in browser.address
    assert browser.buttons("Resume")


def test_many_runs_are_listed_in_pages(serve: Callable[..., Runtime]) -> None:
    planner = SlowPlanner(steps=1)
    planner.release_all()
    console = serve(planner)
    console.gate.limits = UNLIMITED
    for number in range(17):
        console.executor.start(to_execute(f"task {number}", user_id="local"))
    console.gate.limits = console.settings.limits
    browser = Browser().open("runs")
    assert "17 runs of local" in browser.said
    assert "**task 16**" in browser.said
    assert "**task 1**" not in browser.said
    browser.app.pagination[0].set_value(2)
    browser.draw()
    assert "**task 1**" in browser.said
    assert "**task 16**" not in browser.said


def test_the_time_of_a_run_is_the_viewers(
    browser: Browser, console: Runtime, clock: FakeClock
) -> None:
    run(console, to_execute(user_id="local"))
    assert "today 09:00" in browser.open("runs").said
    assert "today 14:30" in Browser(zone="Asia/Kolkata").open("runs").said
    clock.advance(days=1)
    assert "yesterday 09:00" in browser.open("runs").said
    clock.advance(days=1)
    assert "2 Nov 2026, 09:00" in browser.open("runs").said
