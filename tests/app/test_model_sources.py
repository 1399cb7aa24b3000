"""Every answer and run says where it is from, what it cost, and who was to give it first."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.runtime import Runtime
from tests.app.browser import Browser
from tests.calling import (
    LOST,
    OLLAMA,
    SONNET,
    UNPRICED,
    asked_models,
    by_model,
    failed,
    run_by_models,
)

MARKED_UP = re.compile(r"(?<!\\)(?:!\[|<img)")
INSTEAD = "; the local recommender answered instead."
CLAUDE: dict[str, Any] = {}


SOURCE = re.compile(r"local|(?:Claude|Ollama) [a-z0-9. ]+")


def badges(browser: Browser) -> list[str]:
    return [each for each in browser.said.splitlines() if SOURCE.fullmatch(each)]


def line_with(browser: Browser, part: str) -> str:
    (line,) = [each for each in browser.said.splitlines() if part in each]
    return line


@pytest.mark.parametrize(
    ("attempts", "model", "badge", "facts", "fell"),
    [
        ([], None, "local", " · $0", None),
        ([CLAUDE], "claude-haiku-5-5", "Claude haiku 5.5", " · 1,830 tokens · $0.0006", None),
        ([OLLAMA], "llama3.2", "Ollama llama3.2", " · 1,830 tokens · $0", None),
        (
            [failed("timeout"), failed("timeout")],
            None,
            "local",
            " · $0",
            "Claude haiku 5.5 did not answer in time" + INSTEAD,
        ),
        (
            [failed("auth"), {**OLLAMA, "rung": 2}],
            "llama3.2",
            "Ollama llama3.2",
            " · 1,830 tokens · $0",
            "Claude haiku 5.5 did not accept the key; Ollama llama3.2 answered instead.",
        ),
        (
            [{**failed("dropped"), **LOST}],
            None,
            "local",
            " · at most 4,000 tokens · at most $0.0013",
            "Claude haiku 5.5 broke off in the middle" + INSTEAD,
        ),
        (
            [UNPRICED],
            "claude-haiku-5-5",
            "Claude haiku 5.5",
            " · 1,830 tokens · cost unknown",
            None,
        ),
    ],
    ids=["local", "Claude", "Ollama", "fell", "fell to Ollama", "unmeasured", "unknown price"],
)
def test_an_answer_says_where_it_is_from(
    console: Runtime,
    attempts: list[dict[str, Any]],
    model: str | None,
    badge: str,
    facts: str,
    fell: str | None,
) -> None:
    browser = Browser().open(answer=asked_models(console, *attempts, model=model))
    assert badges(browser) == [badge]
    line = line_with(browser, "Three that fit best · ")
    assert ("local recommender" in line) == (badge == "local")
    assert line.endswith(f"ms{facts}")
    assert ("answered instead" in browser.said) == (fell is not None)
    assert fell is None or fell in browser.said


RAN = by_model(SONNET)
LOCAL = {"name": "local", "version": "1"}
BY_SONNET = {"gen_ai_request_model": SONNET}


def fall(kind: str, model: str = SONNET) -> dict[str, Any]:
    return {"rung": 1, "provider": "anthropic", "model": model, "kind": kind, "reason": "So."}


def test_a_run_of_the_local_planner_costs_nothing(console: Runtime) -> None:
    run = run_by_models(console)
    browser = Browser().open("runs", run=run)
    assert "local planner · $0" in browser.said
    assert badges(browser) == ["local"]
    assert set(badges(Browser().open("runs"))) == {"local"}


def test_a_run_by_claude_says_so_where_it_is_and_in_the_list(console: Runtime) -> None:
    run = run_by_models(console, BY_SONNET, source=RAN)
    browser = Browser().open("runs", run=run)
    assert badges(browser) == ["Claude sonnet 5.5"]
    assert "1,830 tokens · $0.0006" in browser.said
    assert "answered instead" not in browser.said
    browser = Browser().open("runs")
    assert badges(browser) == ["Claude sonnet 5.5", "local"]
    assert line_with(browser, "$0.0006").startswith("Bug fix · today ")


def test_a_run_that_fell_says_so_also_where_a_provider_was_left_alone(console: Runtime) -> None:
    source = LOCAL | {"falls": [fall("paused"), fall("timeout", "claude-haiku-5-5")]}
    run = run_by_models(console, failed("timeout"), source=source)
    browser = Browser().open("runs", run=run)
    assert (
        "Claude sonnet 5.5 had to pause after an outage, Claude haiku 5.5 did not answer in time; "
        "the local planner answered instead."
    ) in browser.said


def test_a_run_that_no_model_may_see_says_why(console: Runtime) -> None:
    run = run_by_models(console, source=LOCAL | {"reason": "AI is off."})
    browser = Browser().open("runs", run=run)
    assert "No model was asked: AI is off." in browser.said
    assert "local planner · $0" in browser.said


# --- one request, drilled into


def drilled(request_id: str) -> tuple[Browser, Any]:
    """The page of a request, and its table of attempts."""
    browser = Browser().open("activity", request=request_id)
    tables = [frame.value for frame in browser.app.dataframe]
    return browser, next(iter(each for each in tables if "Attempt" in each), None)


def test_a_request_without_models_has_no_attempts(console: Runtime) -> None:
    browser, attempts = drilled(asked_models(console, model=None))
    assert attempts is None
    assert not browser.app.get("plotly_chart")


def test_a_request_shows_each_attempt_and_why_it_fell(console: Runtime) -> None:
    request = asked_models(
        console,
        {**failed("dropped"), **LOST},
        failed("overloaded"),
        {**OLLAMA, "rung": 2, "bound_nano_usd": 0},
        model="llama3.2",
    )
    browser, attempts = drilled(request)
    assert list(attempts["Attempt"]) == [1, 2, 3]
    assert list(attempts["Rung"]) == [1, 1, 2]
    assert list(attempts["Outcome"]) == [
        "broke off in the middle",
        "had no room for more requests",
        "answered",
    ]
    assert list(attempts["Cost"]) == ["at most $0.0013", "$0", "$0"]
    assert list(attempts["Counted"]) == ["lost: upper limit", "by the provider", "by the provider"]
    assert list(attempts["Bound"]) == ["$0.0009", "$0.0009", "$0"]
    assert list(attempts["Starts"]) == pytest.approx([0.01, 1.26, 2.51])
    assert "3 attempts, 3.6 s of models: Ollama llama3.2 answered" in browser.said
    assert (
        "Claude haiku 5.5 had no room for more requests. "
        "It passes by itself; the next rung answers meanwhile."
    ) in browser.said
    timeline = browser.app.dataframe[1].value
    assert list(timeline["What"])[1:4] == [
        "asked Claude haiku 5.5",
        "asked Claude haiku 5.5",
        "asked Ollama llama3.2",
    ]
    assert timeline["Detail"].iloc[-1] == "2.0 s, at most $0.0013"
    (strip,) = browser.app.get("plotly_chart")
    assert "rung 2, attempt 3" in strip.proto.spec


def test_an_unknown_price_is_unknown_wherever_it_stands(console: Runtime) -> None:
    request = asked_models(console, UNPRICED)
    browser, attempts = drilled(request)
    assert list(attempts["Cost"]) == ["unknown"]
    assert list(attempts["Bound"]) == ["unknown"]
    assert "cost unknown" in browser.said
    table = browser.app.dataframe[0].value.set_index("request_id")
    assert table["cost_usd"].isna().to_dict()[request]
    timeline = browser.app.dataframe[1].value
    assert timeline["Detail"].iloc[-1].endswith("cost unknown")


def test_hostile_names_of_models_stay_words(console: Runtime) -> None:
    name = "![x](http://127.0.0.1:9/x.png) <img src=x>]"
    request = asked_models(console, {"gen_ai_request_model": name})
    for page, query in (("recommend", {"answer": request}), ("activity", {"request": request})):
        browser = Browser().open(page, **query)
        assert not [each for each in browser.markdown if MARKED_UP.search(each)]
    (strip,) = browser.app.get("plotly_chart")
    assert "<img" not in strip.proto.spec
