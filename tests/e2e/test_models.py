"""Claude and Ollama as a person meets them: steps that stream, falls, a wrong key, a cancel."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import Console, ask, at_rest, cards, run_panel, use
from tests.wire.answers import sensible
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.ollama_server import OllamaServer

SLOW_S = 0.5
# With this seed the answer comes in many pieces.
MANY_PIECES = 10


@pytest.fixture
def claude() -> Iterator[AnthropicServer]:
    with AnthropicServer(answer=sensible) as server:
        yield server


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer(answer=sensible) as server:
        yield server


def variables(claude: AnthropicServer, ollama: OllamaServer | None = None) -> dict[str, str]:
    """What a deployment sets that knows these servers."""
    said = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
    return said | ({"OLLAMA_HOST": ollama.url} if ollama else {})


def main(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def test_claude_recommends_and_its_steps_stream_in(
    claude: AnthropicServer, start_console: StartConsole, open_page: OpenPage
) -> None:
    console: Console = start_console(variables=variables(claude))
    page = open_page(console.url)
    ask(page, "fix the login bug")
    expect(main(page)).to_contain_text("Claude haiku 5.5")
    expect(main(page)).to_contain_text("the model’s own claim")
    expect(cards(page).nth(0)).to_contain_text("83% match")
    expect(cards(page).nth(0)).to_contain_text("It is made for this")
    claude.pause_s = SLOW_S
    claude.chance.seed(MANY_PIECES)
    use(page)
    for some in ("[12] steps?", "[34] steps"):
        expect(run_panel(page)).to_contain_text(re.compile(f"making the plan · {some} so far"))
    claude.pause_s = 0
    expect(run_panel(page)).to_contain_text("0 of 5 done")
    expect(run_panel(page)).to_contain_text("Claude sonnet 5.5")
    ranking, plan = claude.served
    tokens = plan.used.input + plan.used.output
    expect(run_panel(page)).to_contain_text(f"{tokens:,} tokens")
    assert ranking.body["model"] == "claude-haiku-5-5"


def test_a_slow_model_is_waited_for_and_can_be_cancelled(
    claude: AnthropicServer, start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console(variables=variables(claude))
    page = open_page(console.url)
    claude.pause_s = 0.5
    field = page.get_by_role("textbox", name="Your task")
    field.fill("fix the login bug")
    field.press("Enter")
    expect(page.locator(".st-key-asking")).to_contain_text("A model looks at your task")
    claude.wait_until_served(1)
    page.get_by_role("button", name="Cancel").click()
    expect(main(page)).to_contain_text("Cancelled: nothing was recommended.")
    (served,) = claude.served
    assert served.left.wait(10)
    console.stop()
    (call,) = console.rows("SELECT outcome, measured FROM llm_calls")
    assert call["outcome"] == "cancelled"
    (settled,) = console.rows("SELECT outcome, cost_nano_usd FROM settlements")
    assert settled["outcome"] == "cancelled"
    assert settled["cost_nano_usd"] > 0


def test_cancelling_a_plan_reaches_the_model_and_says_what_was_used(
    claude: AnthropicServer, start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console(variables=variables(claude))
    page = open_page(console.url)
    ask(page, "fix the login bug")
    claude.pause_s = 0.3
    use(page)
    claude.wait_until_served(2)
    run_panel(page).get_by_role("button", name="Cancel").click()
    expect(run_panel(page)).to_contain_text("This run was cancelled")
    expect(run_panel(page)).to_contain_text("Used until then: at most")
    assert claude.served[1].left.wait(10)


def test_a_provider_that_dies_falls_to_the_next_and_then_to_this_machine(
    claude: AnthropicServer,
    ollama: OllamaServer,
    start_console: StartConsole,
    open_page: OpenPage,
) -> None:
    claude.script.extend(["hangs_up"] * 50)
    console = start_console(variables=variables(claude, ollama))
    page = open_page(console.url)
    ask(page, "fix the login bug")
    expect(main(page)).to_contain_text("Ollama llama3.2 answered instead.")
    ollama.script.extend(["hangs_up"] * 50)
    ask(page, "plan my week")
    expect(main(page)).to_contain_text("the local recommender answered instead.")
    use(page)
    expect(run_panel(page)).to_contain_text("the local planner answered instead.")
    at_rest(page)


def test_a_wrong_key_is_a_sentence(
    claude: AnthropicServer, start_console: StartConsole, open_page: OpenPage
) -> None:
    wrong = "sk-ant-wrong-key"
    console = start_console(variables=variables(claude) | {"ANTHROPIC_API_KEY": wrong})
    page = open_page(console.url)
    ask(page, "fix the login bug")
    sentence = "Claude haiku 5.5 did not accept the key; the local recommender answered instead."
    expect(main(page)).to_contain_text(sentence)
    assert wrong not in page.content()
    assert wrong not in console.log


def test_a_sensitive_task_reaches_no_model(
    claude: AnthropicServer, start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console(variables=variables(claude))
    page = open_page(console.url)
    page.locator("label", has_text="Sensitive").click()
    ask(page, "tell my boss about the diagnosis")
    expect(main(page)).to_contain_text("Sensitive: it stays on this machine")
    use(page)
    expect(run_panel(page)).to_contain_text("0 of ")
    at_rest(page)
    assert claude.served == []
