"""The health page: all well, or each fault with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from core.llm import Breakers
from core.runtime import Runtime
from tests.app.browser import Browser
from tests.calling import LOST, OLLAMA, UNPRICED, a_call, failed
from tests.fakes import FakeClock

KEY = SecretStr("sk-ant-api03-" + "k" * 30)
OLLAMA_AT = "http://127.0.0.1:11434"


@pytest.fixture
def set_up(serve: Callable[..., Runtime]) -> Runtime:
    runtime = serve(anthropic_api_key=KEY, ollama_host=OLLAMA_AT)
    runtime.ranker()
    return runtime


def metrics(browser: Browser) -> dict[str, str]:
    return {each.label: each.value for each in browser.app.metric}


def warnings(browser: Browser) -> list[str]:
    return [str(each.value).replace("\\", "") for each in browser.app.warning]


def test_a_local_deployment_is_well_and_says_how_to_set_providers_up(console: Runtime) -> None:
    console.ranker()
    browser = Browser().open("health")
    assert "All is well" in browser.said
    assert "Set ANTHROPIC_API_KEY and restart, or enter a key of your own" in browser.said
    assert "Set OLLAMA_HOST and restart, or enter its address in Settings." in browser.said
    assert metrics(browser) == {
        "Model calls today": "0",
        "Failed today": "0",
        "Tokens today": "0",
        "Cost today": "$0",
    }
    assert "Recommender · trained, version " in browser.said.replace("**", "")
    assert "Jobs · 0 of 16 workers busy" in browser.said.replace("**", "")


def test_the_day_of_each_provider_is_told(set_up: Runtime, clock: FakeClock) -> None:
    now = set_up.clock.now()
    set_up.ledger.write(
        a_call("a", now),
        a_call("b", now, **failed("overloaded")),
        a_call("c", now, **LOST),
        a_call("d", now, **OLLAMA),
    )
    clock.advance(minutes=3)
    browser = Browser().open("health")
    assert "Today 3 calls, 1 failure · at most 6,130 tokens · at most $0.0019" in browser.said
    assert "Half of its answers within 1.2 s, 95 % within 1.2 s." in browser.said
    assert "Today 1 call, 0 failures · 1,830 tokens · $0" in browser.said
    assert metrics(browser)["Model calls today"] == "4"
    assert metrics(browser)["Cost today"] == "$0.0019"
    assert metrics(browser)["Tokens today"] == "7,960"
    notes = {each.label: each.delta for each in browser.app.metric}
    assert notes["Failed today"] == "25 % of calls"
    assert notes["Tokens today"] == "at most: counts were lost"
    assert notes["Cost today"] == "at most"


def test_an_unknown_price_is_no_zero(set_up: Runtime) -> None:
    set_up.ledger.write(a_call("a", set_up.clock.now(), **UNPRICED))
    browser = Browser().open("health")
    assert metrics(browser)["Cost today"] == "unknown"
    assert browser.app.metric[3].delta == "1 call of unknown price"
    assert "cost unknown" in browser.said


def test_a_provider_that_fails_is_said_with_what_to_do(set_up: Runtime) -> None:
    set_up.ledger.write(a_call("a", set_up.clock.now(), **failed("auth")))
    browser = Browser().open("health")
    assert warnings(browser) == [
        "Claude is failing. Claude haiku 5.5 did not accept the key. "
        "Enter a valid key on the Keys page."
    ]
    assert "All is well" not in browser.said


def test_a_provider_that_is_left_alone_says_for_how_long(
    set_up: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    breakers = Breakers(monotonic=lambda: passed[0])
    breakers.heard("ollama", "timeout")
    monkeypatch.setattr(set_up.models, "breakers", breakers)
    set_up.ledger.write(a_call("a", set_up.clock.now(), **(OLLAMA | failed("timeout"))))
    assert warnings(Browser().open("health")) == [
        "Ollama is left alone for 30 s more after an outage. Ollama llama3.2 did not answer in "
        "time. If it lasts, allow more time in Settings or choose a faster model."
    ]
    passed[0] = 40.0
    browser = Browser().open("health")
    assert warnings(browser) == [
        "Ollama is being tried again. The next request sees whether it is back."
    ]


def test_a_ledger_that_cannot_be_read_is_a_sentence_beside_the_other_parts(
    set_up: Runtime,
) -> None:
    browser = Browser().open("health")
    set_up.drain()
    browser.draw()
    assert browser.app.error
    assert "Workflows · 24 loaded" in browser.said.replace("**", "")
