"""One person's whole way through the console, and what the ledger has of it afterwards."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from core.recommend import band_of
from tests.e2e.conftest import OpenPage, StartConsole, Watched
from tests.e2e.console import Console, ask, at_rest, cards, go_to, run_panel, ticks, use

TASK = "fix the 500 error when saving a profile"
NEXT_TASK = "plan my week"
EDITED = "Bisect the last five releases"


def test_a_task_is_asked_used_done_and_rated_and_all_of_it_is_in_the_ledger(
    start_console: StartConsole, open_page: OpenPage, watched: Watched
) -> None:
    console = start_console()
    page = open_page(console.url)
    the_first_page_says_what_to_do(page)
    ask(page, TASK)
    three_cards_best_first(page)
    use(page, clicks=3)
    run_id, steps = the_steps_appear(page)
    some_steps_are_done(page)
    a_reload_changes_nothing(page)
    all_is_finished_and_rated(page, steps)
    the_runs_page_lists_and_opens_it(page, steps)
    the_overview_counts_it(page)
    exported = the_activity_tells_all_of_it(page, run_id)
    go_to_recommend_and_ask(page)
    none_of_them_fits_and_another_is_taken(page)
    assert watched.hosts == {"127.0.0.1"}
    console.stop()
    the_ledger_has_the_decisions(console, run_id, exported)
    the_ledger_has_the_run(console, run_id, steps)


def the_first_page_says_what_to_do(page: Page) -> None:
    page.get_by_role("heading", name="What do you want to get done?").wait_for()
    at_rest(page)
    said = page.get_by_text("Type a task in your own words").inner_text()
    assert len(re.findall(r"[.!?](?:\s|$)", said)) == 2
    expect(page.locator("[class*=st-key-try-] button")).to_have_count(3)
    expect(cards(page)).to_have_count(0)


def three_cards_best_first(page: Page) -> None:
    texts = cards(page).all_inner_texts()
    shown = [re.search(r"(\d+)% match\s+(\w+)", text) for text in texts]
    matches = [(int(found[1]), found[2]) for found in shown if found]
    assert len(matches) == 3
    assert matches == sorted(matches, key=lambda match: -match[0])
    assert all(band == band_of(per_cent / 100) for per_cent, band in matches)
    assert all(re.search(r"\d+ steps · (\d+ h ?)?(\d+ min)?", text) for text in texts)
    primary = cards(page).get_by_test_id("stBaseButton-primary")
    expect(primary).to_have_count(1)
    expect(cards(page).first.get_by_test_id("stBaseButton-primary")).to_be_visible()


def the_steps_appear(page: Page) -> tuple[str, int]:
    """Return the run that the address names, and how many steps it has."""
    run = run_panel(page)
    expect(run).to_contain_text(f"“{TASK}”")
    expect(run).to_contain_text(re.compile(r"0 of \d+ done"))
    at_rest(page)
    steps = ticks(run).count()
    assert steps >= 4
    expect(run).to_contain_text(f"0 of {steps} done")
    return parse_qs(urlsplit(page.url).query)["run"][0], steps


def some_steps_are_done(page: Page) -> None:
    """Tick the first, start and do the second, skip the third, edit and time the fourth."""
    run = run_panel(page)
    ticks(run).nth(0).click()
    expect(run).to_contain_text("1 of ")
    act(run, "Start")
    expect(run).to_contain_text("under way")
    act(run, "Done")
    expect(run).to_contain_text("2 of ")
    act(run, "Skip")
    expect(run).to_contain_text("3 of ")
    expect(run).to_contain_text("skipped")
    act(run, "Edit")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Title").fill(EDITED)
    dialog.get_by_role("spinbutton", name="Minutes it really took").fill("7")
    dialog.get_by_role("button", name="Save").click()
    expect(run).to_contain_text(EDITED)
    expect(run).to_contain_text("7 min taken")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    at_rest(page)


def act(run: Locator, name: str) -> None:
    """Press a button of the step at hand, once it is the one that is drawn."""
    at_rest(run.page)
    run.get_by_role("button", name=name, exact=True).click()


def a_reload_changes_nothing(page: Page) -> None:
    before = run_panel(page).aria_snapshot()
    address = page.url
    page.reload()
    expect(run_panel(page)).to_match_aria_snapshot(before)
    assert page.url == address


def all_is_finished_and_rated(page: Page, steps: int) -> None:
    run = run_panel(page)
    for done in range(4, steps + 1):
        act(run, "Done")
        expect(run).to_contain_text(f"{done} of {steps} done")
    expect(run.get_by_role("button", name="Done", exact=True)).to_have_count(0)
    run.get_by_role("radio", name="Thumbs up").click()
    expect(run).to_contain_text("Thank you, noted.")


def the_runs_page_lists_and_opens_it(page: Page, steps: int) -> None:
    go_to(page, "Runs")
    page.get_by_role("radio", name="completed · 1").click()
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text(TASK)
    expect(main).to_contain_text(f"{steps} of {steps} steps")
    expect(main.get_by_text("completed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Open").click()
    expect(run_panel(page)).to_contain_text(f"{steps} of {steps} done")
    expect(run_panel(page)).to_contain_text(EDITED)


def the_overview_counts_it(page: Page) -> None:
    go_to(page, "Overview")
    for label, figure in {
        "Requests today": "2",
        "Executions today": "1",
        "Denials today": "0",
        "Found useful, 14 days": "100 %",
    }.items():
        metric = page.get_by_test_id("stMetric").filter(has_text=label)
        expect(metric.get_by_test_id("stMetricValue")).to_have_text(figure)


def the_activity_tells_all_of_it(page: Page, run_id: str) -> list[dict[str, str]]:
    """Drill into the run; returns the exported rows."""
    go_to(page, "Activity")
    table = page.get_by_test_id("stDataFrame").first
    expect(cell(table, TASK)).to_have_count(2)
    # The first of the two rows, by the box that selects it, below the header.
    table.locator(".dvn-scroller").click(position={"x": 15, "y": 52})
    facts = page.locator(".st-key-request")
    expect(facts).to_contain_text(run_id)
    for fact in ("admitted", "planned", "succeeded", "step started", "step skipped"):
        expect(cell(facts, fact)).to_have_count(1)
    facts.get_by_text("Rows as the ledger has them").click()
    for rows in ("requests", "settlements", "executions", "step_events", "feedback"):
        expect(facts.get_by_test_id("stJson")).to_contain_text(rows)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "activity.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cell(table: Locator, text: str) -> Locator:
    """Tables are painted; this is what they tell a screen reader."""
    return table.locator("td[role=gridcell]").get_by_text(text, exact=True)


def go_to_recommend_and_ask(page: Page) -> None:
    page.get_by_role("navigation", name="App pages").get_by_role("link", name="Recommend").click()
    page.get_by_role("textbox", name="Your task").wait_for()
    at_rest(page)
    ask(page, NEXT_TASK)


def none_of_them_fits_and_another_is_taken(page: Page) -> None:
    page.get_by_role("button", name="None of these fit").dblclick()
    panel = page.locator(".st-key-none-fit")
    expect(panel).to_contain_text("Noted: none of these fit.")
    at_rest(page)
    page.reload()
    expect(panel).to_contain_text("Noted: none of these fit.")
    at_rest(page)
    expect(panel.get_by_role("button", name="Use it instead")).to_be_disabled()
    panel.get_by_role("combobox", name="Another workflow").fill("Meal")
    page.keyboard.press("Enter")
    at_rest(page)
    panel.get_by_role("button", name="Use it instead").dblclick()
    expect(run_panel(page)).to_contain_text(re.compile(r"Meal planning.*0 of \d+ done", re.DOTALL))
    expect(cards(page)).to_have_count(3)
    at_rest(page)


def the_ledger_has_the_decisions(
    console: Console, run_id: str, exported: list[dict[str, str]]
) -> None:
    requests = console.rows("SELECT * FROM requests ORDER BY ts")
    asked, ran, asked_again, ran_other = requests
    assert [row["kind"] for row in requests] == ["recommend", "execute", "recommend", "execute"]
    assert {row["decision"] for row in requests} == {"admitted"}
    assert [row["task_title"] for row in requests] == [TASK, TASK, NEXT_TASK, NEXT_TASK]
    assert ran["request_id"] == run_id
    assert (ran["recommendation_id"], ran["chosen_rank"]) == (asked["request_id"], 1)
    assert json.loads(asked_again["recent_tasks"]) == [TASK]
    assert ran_other["workflow_id"] == "meal-planning"
    assert (ran_other["recommendation_id"], ran_other["chosen_rank"]) == (
        asked_again["request_id"],
        None,
    )
    said = console.rows(
        "SELECT request_id, kind, workflow_id FROM feedback WHERE kind <> 'usefulness' ORDER BY ts"
    )
    assert [tuple(row.values()) for row in said] == [
        (asked_again["request_id"], "dismissed", None),
        (asked_again["request_id"], "chosen", "meal-planning"),
    ]
    answered = console.rows("SELECT * FROM recommendations ORDER BY ts")
    assert [row["request_id"] for row in answered] == [
        asked["request_id"],
        asked_again["request_id"],
    ]
    assert len(json.loads(answered[0]["shown"])) == 3
    assert ran["workflow_id"] == answered[0]["top_workflow_id"]
    settled = console.rows("SELECT request_id, outcome FROM settlements ORDER BY ts")
    assert settled == [
        {"request_id": row["request_id"], "outcome": "succeeded"} for row in requests
    ]
    assert [row["request_id"] for row in exported] == [run_id, asked["request_id"]]
    assert {row["task_title"] for row in exported} == {TASK}


def the_ledger_has_the_run(console: Console, run_id: str, steps: int) -> None:
    executions = console.rows("SELECT * FROM executions ORDER BY ts")
    assert [row["execution_id"] for row in executions][:-1] == [run_id]
    assert executions[0]["step_count"] == steps == len(json.loads(executions[0]["steps"]))
    events: list[dict[str, Any]] = console.rows("SELECT * FROM step_events ORDER BY ts, event_id")
    assert [(row["step"], row["event"]) for row in events] == [
        (1, "done"),
        (2, "started"),
        (2, "done"),
        (3, "skipped"),
        (4, "edited"),
        (4, "timed"),
        *((step, "done") for step in range(4, steps + 1)),
    ]
    assert {row["execution_id"] for row in events} == {run_id}
    assert [row["title"] for row in events if row["event"] == "edited"] == [EDITED]
    assert [row["actual_minutes"] for row in events if row["event"] == "timed"] == [7]
    rated = console.rows("SELECT request_id, useful FROM feedback WHERE kind = 'usefulness'")
    assert rated == [{"request_id": run_id, "useful": True}]
