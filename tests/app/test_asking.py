"""A question that a model takes its time for: waited for, left, given up, asked otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from core.runtime import Runtime
from tests.app.browser import Browser
from tests.asking import PATIENCE_S, rows
from tests.wire.answers import sensible
from tests.wire.anthropic_server import KEY, AnthropicServer

WAITING = "A model looks at your task"
SLOW_S = 0.5


@pytest.fixture
def claude() -> Iterator[AnthropicServer]:
    with AnthropicServer(answer=sensible) as server:
        yield server


@pytest.fixture
def console(serve: Callable[..., Runtime], claude: AnthropicServer) -> Runtime:
    opened = serve(anthropic_api_key=SecretStr(KEY), anthropic_base_url=claude.url)
    opened.ranker()
    opened.models.warm_up()
    return opened


@pytest.fixture
def waiting(console: Runtime, claude: AnthropicServer) -> Browser:
    """Somebody whose question is under way."""
    del console
    claude.pause_s = SLOW_S
    browser = Browser().open().ask("fix the login bug")
    claude.wait_until_served(1)
    assert WAITING in browser.said
    return browser


def ended(browser: Browser) -> Browser:
    """Wait until the question has come to something, and look again."""
    assert browser.app.session_state["asking"].job.wait(PATIENCE_S)
    return browser.draw()


def test_the_answer_takes_the_panels_place(waiting: Browser, claude: AnthropicServer) -> None:
    claude.pause_s = 0
    browser = ended(waiting)
    assert WAITING not in browser.said
    assert "Claude haiku 5.5" in browser.said
    assert len(browser.buttons("Use this workflow")) == 3
    assert "answer" in browser.address


def test_an_answer_that_came_while_its_person_was_elsewhere_is_there_when_they_return(
    waiting: Browser, claude: AnthropicServer
) -> None:
    waiting.open("runs")
    claude.pause_s = 0
    assert waiting.app.session_state["asking"].job.wait(PATIENCE_S)
    waiting.app.switch_page("operate/recommend.py")
    browser = waiting.draw()
    assert "Claude haiku 5.5" in browser.said
    assert "answer" in browser.address


def test_what_is_cancelled_says_so_once_and_can_be_asked_again(
    waiting: Browser, claude: AnthropicServer, console: Runtime
) -> None:
    browser = ended(waiting.click("Cancel"))
    assert "Cancelled: nothing was recommended." in browser.said
    assert "Cancelled" not in browser.draw().said
    claude.pause_s = 0
    browser = browser.ask("fix the login bug")
    if "asking" in browser.app.session_state:
        browser = ended(browser)
    assert "Claude haiku 5.5" in browser.said
    outcomes = [row["outcome"] for row in rows(console.ledger, "settlements")]
    assert outcomes == ["cancelled", "succeeded"]


def test_a_second_click_asks_nothing_more(waiting: Browser, claude: AnthropicServer) -> None:
    waiting.click("Recommend")
    claude.pause_s = 0
    ended(waiting)
    assert len(claude.served) == 1


def test_another_question_ends_the_one_before_it(
    waiting: Browser, claude: AnthropicServer, console: Runtime
) -> None:
    first = waiting.app.session_state["asking"].job
    waiting.ask("plan my week")
    assert first.wait(PATIENCE_S)
    assert first.status == "cancelled"
    claude.pause_s = 0
    browser = ended(waiting)
    titles = {row["request_id"]: row["task_title"] for row in rows(console.ledger, "requests")}
    (made,) = rows(console.ledger, "recommendations")
    assert titles[made["request_id"]] == "plan my week"
    assert "Claude haiku 5.5" in browser.said


def test_a_sensitive_task_stays_so_on_the_page_of_another_workflow(
    console: Runtime, claude: AnthropicServer
) -> None:
    browser = Browser().open()
    browser.app.toggle(key="sensitive").set_value(True)
    browser.ask("tell my boss about the diagnosis")
    browser = browser.open("workflows", workflow="bug-fix").click("Use this workflow")
    (row,) = rows(console.ledger, "requests")[1:]
    assert (row["kind"], row["sensitive"]) == ("execute", "marked")
    job = console.jobs.find(row["request_id"])
    assert job is None or job.wait(PATIENCE_S)
    assert claude.served == []
