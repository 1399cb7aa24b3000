"""Someone whom no suggestion serves: says so once, and takes another workflow, or none."""

from __future__ import annotations

from typing import Any

import pytest

from core.catalogue import Catalogue
from core.runtime import Runtime
from core.settings import Limits, Rule
from tests.app.browser import Browser
from tests.asking import rows

NOTED = "Noted: none of these fit."


def pick(browser: Browser, workflow_id: str) -> Browser:
    """Choose in the list of the other workflows."""
    browser.app.selectbox[0].set_value(workflow_id)
    return browser.draw()


def executed(console: Runtime) -> list[dict[str, Any]]:
    return [row for row in rows(console.ledger, "requests") if row["kind"] == "execute"]


def said(console: Runtime) -> list[tuple[str, str | None]]:
    return [(row["kind"], row["workflow_id"]) for row in rows(console.ledger, "feedback")]


def test_before_a_question_nothing_can_be_dismissed(browser: Browser) -> None:
    assert browser.open().buttons("None of these fit") == []


def test_that_none_fits_is_recorded_and_what_to_do_is_said(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug")
    assert NOTED not in browser.said
    assert len(browser.app.selectbox) == 0
    browser.click("None of these fit")
    assert f"**{NOTED}** Say it in other words, or take any other workflow:" in browser.said
    assert browser.buttons("None of these fit") == []
    assert len(browser.buttons("Use this workflow")) == 3
    (row,) = rows(console.ledger, "feedback")
    assert (row["kind"], row["request_id"], row["user_id"], row["useful"]) == (
        "dismissed",
        browser.address["answer"],
        "local",
        None,
    )


def test_a_second_click_and_a_reload_record_nothing_more(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug")
    other_tab = Browser().open(**browser.address)
    browser.click("None of these fit")
    other_tab.click("None of these fit")
    reloaded = Browser().open(**browser.address)
    for tab in (browser, other_tab, reloaded):
        assert NOTED in tab.said
        assert tab.buttons("None of these fit") == []
    assert said(console) == [("dismissed", None)]


def test_the_next_answer_is_not_dismissed_with_the_last(browser: Browser) -> None:
    browser.open().ask("fix the login bug").click("None of these fit").ask("plan my week")
    assert NOTED not in browser.said
    assert len(browser.buttons("None of these fit")) == 1
    assert NOTED in browser.ask("fix the login bug").said


def test_the_rest_of_the_catalogue_is_offered_favourites_first(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug").click("None of these fit")
    offered = browser.app.selectbox[0].options
    assert len(offered) == len(console.catalogue.workflows) - 3
    assert "🐛 Bug fix · dev" not in offered
    assert offered[0].endswith("· dev")
    saved = console.profiles.of("local").model_copy(update={"favourite_domains": ("health",)})
    console.profiles.save("local", saved)
    again = Browser().open(**browser.address)
    assert [line.endswith("· health") for line in again.app.selectbox[0].options[:5]] == [
        *[True] * 4,
        False,
    ]


def test_another_workflow_is_recorded_as_the_choice_and_run(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug").click("None of these fit")
    assert browser.buttons("Use it instead")[0].disabled
    pick(browser, "meal-planning").click("Use it instead").click("Use it instead")
    assert said(console) == [("dismissed", None), ("chosen", "meal-planning")]
    (ran,) = executed(console)
    assert (ran["workflow_id"], ran["recommendation_id"], ran["chosen_rank"]) == (
        "meal-planning",
        browser.address["answer"],
        None,
    )
    assert browser.address["run"] == ran["request_id"]
    assert ran["task_title"] == "fix the login bug"
    assert "### 🥗 Meal planning" in browser.said
    reloaded = Browser().open(**browser.address)
    assert reloaded.app.selectbox[0].value == "meal-planning"
    assert "### 🥗 Meal planning" in reloaded.said


def test_a_choice_is_known_also_when_its_run_is_denied(browser: Browser, console: Runtime) -> None:
    once = (Rule(limit=1, window_s=60),)
    console.gate.limits = Limits(per_user={"execute": once, "recommend": ()})
    browser.open().ask("fix the login bug").use().click("None of these fit")
    first_run = browser.address["run"]
    pick(browser, "self-care").click("Use it instead")
    assert "1 of 1 runs used this minute." in browser.said
    assert browser.address["run"] == first_run
    assert said(console) == [("dismissed", None), ("chosen", "self-care")]


def test_a_workflow_that_is_gone_meanwhile_is_refused_with_a_sentence(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug").click("None of these fit")
    pick(browser, "self-care")
    console.catalogue = Catalogue(
        workflow for workflow in console.catalogue.workflows if workflow.workflow_id != "self-care"
    )
    browser.click("Use it instead")
    assert "There is no workflow called “self-care”." in browser.said
    assert said(console) == [("dismissed", None)]
    assert executed(console) == []


def test_where_there_is_no_other_workflow_only_other_words_are_advised(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug")
    recalled = console.recommender.recall(browser.address["answer"], "local")
    assert recalled is not None
    ids = {suggestion.workflow_id for suggestion in recalled[0].suggestions}
    console.catalogue = Catalogue(
        workflow for workflow in console.catalogue.workflows if workflow.workflow_id in ids
    )
    browser.click("None of these fit")
    assert f"**{NOTED}** Say it in other words." in browser.said
    assert browser.buttons("Use it instead") == []


def test_another_suggestion_of_the_same_answer_is_a_second_run_of_it(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug").use(1)
    first, answer_id = browser.address["run"], browser.address["answer"]
    browser.use(2)
    second = browser.address["run"]
    assert second != first
    assert browser.address["answer"] == answer_id
    assert [
        (row["request_id"], row["recommendation_id"], row["chosen_rank"])
        for row in executed(console)
    ] == [(first, answer_id, 1), (second, answer_id, 2)]
    browser.use(1)
    assert browser.address["run"] == first
    assert len(executed(console)) == 2


def test_an_earlier_answer_can_be_used_again_from_its_address(
    browser: Browser, console: Runtime
) -> None:
    browser.open().ask("fix the login bug").use(1)
    address = {"answer": browser.address["answer"]}
    browser.ask("plan my week").use(1)
    returned = Browser().open(**address).use(3)
    ranks = [
        row["chosen_rank"]
        for row in executed(console)
        if row["recommendation_id"] == address["answer"]
    ]
    assert ranks == [1, 3]
    assert returned.address["answer"] == address["answer"]


@pytest.mark.parametrize("chosen", ["none", "another"])
def test_the_activity_tells_what_was_said_of_an_answer(
    browser: Browser, console: Runtime, chosen: str
) -> None:
    browser.open().ask("fix the login bug").click("None of these fit")
    answer_id = browser.address["answer"]
    if chosen == "another":
        pick(browser, "self-care").click("Use it instead")
        (ran,) = executed(console)
    facts = Browser().open("activity", request=answer_id)
    timeline = next(
        frame.value for frame in facts.app.dataframe if list(frame.value.columns[:1]) == ["Time"]
    )
    told = [(row.What, row.Detail) for row in timeline.itertuples()][3:]
    assert told[0] == ("dismissed", "none of those shown fits")
    assert told[1:] == (
        []
        if chosen == "none"
        else [("chosen", "self-care"), ("chosen", f"self-care, run {ran['request_id']}")]
    )
