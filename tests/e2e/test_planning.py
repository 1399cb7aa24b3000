"""While a plan is being made, reloads, closed tabs and a cancellation."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import PATIENCE_S, Console, ask, go_to, run_panel, ticks, use

ALL = 99


class Held:
    """A console whose planner waits for the test before it gives a step."""

    def __init__(self, folder: Path, start_console: StartConsole) -> None:
        self._folder = folder
        self.release(0)
        launcher = ("-m", "tests.e2e.slow_app", str(folder))
        self.console: Console = start_console(command=(sys.executable, *launcher))

    def release(self, steps: int) -> None:
        """Let every plan have its first `steps` steps."""
        fresh = self._folder / "released.new"
        fresh.write_text(str(steps), encoding="utf-8")
        fresh.rename(self._folder / "released")

    def wait_until_planned(self, task: str) -> None:
        """Return once the task's plan is complete; no page is asked."""
        planned, deadline = self._folder / "planned", time.monotonic() + PATIENCE_S
        while not planned.exists() or task not in planned.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline, f"no plan for {task}"
            time.sleep(0.02)


@pytest.fixture
def held(tmp_path: Path, start_console: StartConsole) -> Held:
    return Held(tmp_path, start_console)


def planning(page: Page, task: str) -> str:
    """Ask and use the first card; returns the run that the address names."""
    ask(page, task)
    use(page)
    expect(run_panel(page)).to_contain_text("making the plan")
    return parse_qs(urlsplit(page.url).query)["run"][0]


def shows(page: Page, steps: int) -> None:
    noun = "step" if steps == 1 else "steps"
    expect(run_panel(page)).to_contain_text(f"making the plan · {steps} {noun} so far")


def test_steps_stream_in_and_neither_reload_nor_closed_tab_starts_or_stops_a_run(
    held: Held, open_page: OpenPage
) -> None:
    page = open_page(held.console.url)
    run_id = planning(page, "plan my week")
    for given in (1, 2):
        held.release(given)
        shows(page, given)
    first_step = run_panel(page).get_by_test_id("stMarkdown").nth(1).inner_text()

    page.reload()
    shows(page, 2)
    expect(run_panel(page)).to_contain_text(first_step)
    assert parse_qs(urlsplit(page.url).query)["run"] == [run_id]
    held.release(3)
    shows(page, 3)

    address, context = page.url, page.context
    page.close()
    held.release(ALL)
    held.wait_until_planned("plan my week")
    back = open_page(address, context=context)
    expect(run_panel(back)).to_contain_text("0 of ")
    expect(run_panel(back)).to_contain_text(first_step)
    expect(ticks(run_panel(back)).first).to_be_visible()

    held.console.stop()
    (execution,) = held.console.rows("SELECT execution_id, step_count FROM executions")
    assert execution["execution_id"] == run_id
    assert execution["step_count"] >= 4
    admitted = held.console.rows("SELECT request_id FROM requests WHERE kind = 'execute'")
    assert admitted == [{"request_id": run_id}]
    assert outcomes(held) == {run_id: "succeeded"}


def test_a_cancelled_plan_has_no_steps_and_the_next_comes_whole_without_a_click(
    held: Held, open_page: OpenPage
) -> None:
    page = open_page(held.console.url)
    run_id = planning(page, "fix the login bug")
    held.release(1)
    shows(page, 1)
    run_panel(page).get_by_role("button", name="Cancel").click()
    step_by_step_until_cancelled(held, page)
    expect(ticks(run_panel(page))).to_have_count(0)

    held.release(0)
    page = open_page(held.console.url)
    next_id = planning(page, "save for a laptop")
    held.release(ALL)
    expect(run_panel(page)).to_contain_text("0 of ")
    expect(ticks(run_panel(page)).nth(3)).to_be_visible()

    go_to(page, "Runs")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("cancelled", exact=True)).to_be_visible()
    expect(main.get_by_role("button", name="Resume")).to_have_count(1)

    held.console.stop()
    planned = held.console.rows("SELECT execution_id FROM executions")
    assert planned == [{"execution_id": next_id}]
    assert outcomes(held) == {run_id: "cancelled", next_id: "succeeded"}


def outcomes(held: Held) -> dict[str, str]:
    """How each run was settled; none is settled twice."""
    rows = held.console.rows(
        "SELECT request_id, outcome FROM settlements WHERE kind = 'execute' ORDER BY ts"
    )
    settled = {row["request_id"]: row["outcome"] for row in rows}
    assert len(settled) == len(rows)
    return settled


def step_by_step_until_cancelled(held: Held, page: Page) -> None:
    """Let go one step after the other; the click is taken note of at the next one."""
    cancelled = run_panel(page).get_by_text("This run was cancelled")
    for released in range(2, 8):
        held.release(released)
        gone_on = run_panel(page).get_by_text(f"{released} steps so far")
        cancelled.or_(gone_on).wait_for()
        if cancelled.is_visible():
            return
    raise AssertionError("The plan went on although it was cancelled.")
