"""Someone with a task: types it, gets three workflows, uses one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from core.runtime import Runtime
from core.settings import Limits, Rule
from tests.app.browser import Browser
from tests.asking import rows
from tests.fakes import FakeClock

BADGE = re.compile(
    r"(#[0-9a-f]{6}).*?(\d+)% match.*?>(excellent|good|moderate|weak|poor)<", re.DOTALL
)
COLOURS = {
    "excellent": "#859900",
    "good": "#b58900",
    "moderate": "#cb4b16",
    "weak": "#dc322f",
    "poor": "#dc322f",
}


def badges(browser: Browser) -> list[tuple[str, int, str]]:
    found = (BADGE.search(str(html.value)) for html in browser.app.html)
    return [(each[1], int(each[2]), each[3]) for each in found if each]


def names(browser: Browser) -> list[str]:
    return re.findall(r"^### (?!“)(.+)$", browser.said, re.MULTILINE)


def test_a_task_becomes_three_cards(browser: Browser, console: Runtime) -> None:
    browser.open().ask("fix the login bug")
    assert names(browser)[0] == "🐛 Bug fix"
    assert len(browser.buttons("Use this workflow")) == 3
    assert "Three that fit best · local recommender · " in browser.said
    assert "in its examples; the closest is" in browser.said
    shown = badges(browser)
    assert [per_cent for _, per_cent, _ in shown] == sorted(
        (per_cent for _, per_cent, _ in shown), reverse=True
    )
    assert all(colour == COLOURS[band] for colour, _, band in shown)
    (row,) = rows(console.ledger, "recommendations")
    assert browser.address["answer"] == row["request_id"]
    assert [round(100 * each["confidence"]) for each in json.loads(row["candidates"])[:3]] == [
        per_cent for _, per_cent, _ in shown
    ]


def test_what_the_form_holds_is_what_is_asked(browser: Browser, console: Runtime) -> None:
    browser.open().choose("energy", 1).choose("hours", 0.5).choose("time_of_day", "evening")
    browser.choose("priority", "high")
    browser.app.text_area(key="description").set_value("It times out.")
    browser.ask("  fix   the login bug ")
    (row,) = rows(console.ledger, "requests")
    assert (row["task_title"], row["task_description"], row["task_priority"]) == (
        "fix the login bug",
        "It times out.",
        "high",
    )
    assert (row["user_energy"], row["estimated_hours"], row["time_of_day"]) == (1, 0.5, "evening")
    assert (row["kind"], row["user_id"], row["source"]) == ("recommend", "local", "console")
    assert "Lighter steps for low energy" in browser.said


@pytest.mark.parametrize(
    ("zone", "part"),
    [("UTC", "morning"), ("Asia/Kolkata", "afternoon"), ("Asia/Tokyo", "evening")],
)
@pytest.mark.usefixtures("console")
def test_the_time_of_day_starts_as_it_is_for_the_viewer(zone: str, part: str) -> None:
    browser = Browser(zone=zone).draw()
    assert browser.app.button_group(key="time_of_day").value == part


def test_an_empty_task_is_answered_with_a_sentence(browser: Browser, console: Runtime) -> None:
    browser.open()
    for task in ("", "   "):
        browser.ask(task)
        assert "The task is empty: say in a few words what you want to get done." in browser.said
        assert browser.buttons("Use this workflow") == []
    assert rows(console.ledger, "requests") == []


def test_a_task_that_cannot_be_shown_is_answered_with_a_sentence(browser: Browser) -> None:
    said = browser.open().ask("fix \u202e it").said
    assert "The task contains characters that cannot be shown; remove them." in said


def test_nothing_fits_is_said_and_the_nearest_are_shown(browser: Browser) -> None:
    browser.open().ask("qwertzuiop")
    assert "Nothing fits this well." in browser.said
    assert "The nearest there is" in browser.said
    assert len(browser.buttons("Use this workflow")) == 3
    assert {band for _, _, band in badges(browser)} <= {"weak", "poor"}


def test_asking_the_same_again_is_the_same_request(browser: Browser, console: Runtime) -> None:
    browser.open().ask("fix the login bug")
    first = browser.address["answer"]
    browser.ask("fix the login bug")
    assert browser.address["answer"] == first
    assert len(rows(console.ledger, "requests")) == 1
    browser.ask("plan my week")
    assert browser.address["answer"] != first
    assert len(rows(console.ledger, "requests")) == 2


def test_an_example_is_asked_with_one_click(browser: Browser) -> None:
    browser.open().click("plan my week")
    assert names(browser)[0] == "🗓️ Daily planning"
    assert browser.app.text_input(key="task").value == "plan my week"


def test_using_a_workflow_shows_its_steps(browser: Browser, console: Runtime) -> None:
    browser.open().ask("fix the login bug").use()
    run_id = browser.address["run"]
    execution = console.history.execution(run_id)
    assert [box.label.strip("*") for box in browser.app.checkbox] == [
        re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", state.step.title) for state in execution.steps
    ]
    assert f"0 of {len(execution.steps)} done" in browser.said
    assert "local planner · $0" in browser.said
    row = rows(console.ledger, "requests")[-1]
    assert (row["kind"], row["chosen_rank"], row["recommendation_id"]) == (
        "execute",
        1,
        browser.address["answer"],
    )
    assert browser.app.sidebar.caption[-1].value == "1 of 20 runs this hour"


def test_clicking_twice_makes_one_run(browser: Browser, console: Runtime) -> None:
    browser.open().ask("fix the login bug").use().use()
    assert len(rows(console.ledger, "executions")) == 1


def test_a_reload_brings_answer_and_steps_back(browser: Browser) -> None:
    browser.open().ask("fix the login bug").use(2)
    reloaded = Browser().open(**browser.address)
    assert names(reloaded) == names(browser)
    assert [box.label for box in reloaded.app.checkbox] == [
        box.label for box in browser.app.checkbox
    ]


def test_another_persons_answer_is_not_shown(browser: Browser) -> None:
    browser.open().ask("fix the login bug")
    other = Browser(profile="bob").open(answer=browser.address["answer"])
    other.draw()
    assert other.buttons("Use this workflow") == []
    assert "Try one:" in other.said


def test_a_denial_names_the_rule_and_counts_down(
    browser: Browser, console: Runtime, clock: FakeClock
) -> None:
    browser.open().ask("fix the login bug").use(1).use(2).use(3)
    browser.ask("plan my week").use()
    assert "3 of 3 runs used this minute. Next one at 09:01:00, in 1:00 min." in browser.said
    assert "run" not in browser.address
    assert len(rows(console.ledger, "executions")) == 3
    assert rows(console.ledger, "requests")[-1]["decision"] == "denied"
    clock.advance(seconds=51)
    assert "Next one at 09:01:00, in 9 s." in browser.draw().said
    clock.advance(seconds=9)
    assert "The next slot is open: try again." in browser.draw().said
    browser.use()
    assert "used this minute" not in browser.said
    assert len(rows(console.ledger, "executions")) == 4


def test_a_denied_question_says_so_too(browser: Browser, console: Runtime) -> None:
    twice = (Rule(limit=2, window_s=3_600),)
    console.gate.limits = Limits(per_user={"execute": twice, "recommend": twice})
    browser.open().ask("fix a bug").ask("fix another bug")
    assert "used this hour" not in browser.said
    said = browser.ask("fix one bug more").said
    assert "2 of 2 recommendations used this hour. Next one at 10:00:00, in 1 h 00 min." in said


def test_the_denial_is_in_the_viewers_zone(console: Runtime) -> None:
    console.ranker()
    browser = Browser(zone="Asia/Kolkata").draw()
    browser.ask("fix the login bug").use(1).use(2).use(3)
    assert "Next one at 14:31:00" in browser.ask("plan my week").use().said


def test_an_empty_catalogue_is_said_in_a_sentence(
    serve: Callable[..., Runtime],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = tmp_path_factory.mktemp("project")
    monkeypatch.setattr("core.runtime.WORKFLOWS", empty)
    console = serve()
    assert console.catalogue.workflows == ()
    browser = Browser().draw().ask("fix the login bug")
    assert "No workflow is loaded; the Workflows page lists the faults." in browser.said
    assert "0 workflows" in browser.open("workflows").said


def test_completed_tasks_are_the_recent_ones_of_the_next_question(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug").use()
    for _ in range(len(browser.app.checkbox)):
        browser.click("Done")
    browser.ask("fix the logout bug")
    row = rows(console.ledger, "requests")[-1]
    assert json.loads(row["recent_tasks"]) == ["fix the login bug"]
