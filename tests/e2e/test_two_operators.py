"""Two people look at one run at the same time."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import at_rest, run_of, run_panel, ticks


def test_two_browsers_that_tick_steps_of_one_run_both_end_up_right(
    start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console()
    first = open_page(f"{console.url}/?profile=ann")
    run = run_of(first, "plan my week")
    steps = ticks(run).count()
    second = open_page(first.url)
    same = run_panel(second)
    expect(same).to_contain_text(f"0 of {steps} done")
    at_rest(second)
    who = second.get_by_test_id("stSidebarUserContent")
    expect(who).to_contain_text(re.compile("ann.*1 of 20 runs", re.DOTALL))

    ticks(run).nth(0).click()
    expect(run).to_contain_text(f"1 of {steps} done")
    # The second still sees the first step as open, and ticks it as well, and then another.
    ticks(same).nth(0).click()
    expect(same).to_contain_text(f"1 of {steps} done")
    at_rest(second)
    ticks(same).nth(2).click()
    expect(same).to_contain_text(f"2 of {steps} done")
    at_rest(first)
    ticks(run).nth(1).click()
    expect(run).to_contain_text(f"3 of {steps} done")

    for page in (first, second):
        page.reload()
        expect(run_panel(page)).to_contain_text(f"3 of {steps} done")
        at_rest(page)
        ticked = run_panel(page).get_by_role("checkbox", checked=True)
        expect(ticked).to_have_count(3)
    console.stop()
    events = console.rows("SELECT step, event FROM step_events ORDER BY ts")
    assert events == [{"step": step, "event": "done"} for step in (1, 3, 2)]
