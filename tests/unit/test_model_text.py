"""Costs as honest as they are known, models by the names people know, falls in one sentence."""

from __future__ import annotations

from typing import get_args

import pytest

from core.analytics import Spending
from core.llm import FailureKind
from pages.shared.model_text import (
    Passed,
    advice,
    cost_said,
    fall_sentence,
    latency,
    model_name,
    money,
    tokens_said,
    why_passed,
)

HAIKU = ("anthropic", "claude-haiku-5-5")
SONNET = ("anthropic", "claude-sonnet-5-5")


@pytest.mark.parametrize(
    ("provider", "model", "name"),
    [
        (*HAIKU, "Claude haiku 5.5"),
        ("anthropic", "claude-opus-5-5-20260914", "Claude opus 5.5"),
        ("anthropic", "claude-fable-5", "Claude fable 5"),
        ("anthropic", "claude-3-5-sonnet", "claude-3-5-sonnet"),
        ("anthropic", "house-model", "Claude house-model"),
        ("ollama", "qwen3:8b", "Ollama qwen3:8b"),
        ("elsewhere", "m", "elsewhere m"),
    ],
)
def test_a_model_goes_by_the_name_that_people_know(provider: str, model: str, name: str) -> None:
    assert model_name(provider, model) == name


@pytest.mark.parametrize(
    ("nano_usd", "said", "most"),
    [
        (0, "$0", "$0"),
        (1, "under $0.0001", "$0.0001"),
        (600_000, "$0.0006", "$0.0006"),
        (640_000, "$0.0006", "$0.0007"),
        (16_500_000, "$0.0165", "$0.0165"),
        (999_990_000, "$1.0000", "$1.0000"),
        (1_234_500_000, "$1.23", "$1.24"),
        (4_200_000_000_000, "$4,200.00", "$4,200.00"),
    ],
)
def test_money_is_rounded_and_an_upper_limit_never_down(
    nano_usd: int, said: str, most: str
) -> None:
    assert money(nano_usd) == said
    assert money(nano_usd, up=True) == most


@pytest.mark.parametrize(
    ("spent", "cost", "tokens"),
    [
        (Spending(), "$0", "0 tokens"),
        (Spending(1, 1_530, 300, 600_000), "$0.0006", "1,830 tokens"),
        (Spending(1, 4_000, 300, 0, 1_234_567, 1), "at most $0.0013", "at most 4,300 tokens"),
        (Spending(2, 9, 1, 600_000, 50, 1), "at most $0.0007", "at most 10 tokens"),
        (Spending(1, 9, 1, unpriced=1), "cost unknown", "10 tokens"),
        (Spending(2, 9, 1, 600_000, unpriced=1), "$0.0006 and an unknown part", "10 tokens"),
        # A local model is free by declaration, also where its count was lost.
        (Spending(1, 9, 1, unmeasured=1), "$0", "at most 10 tokens"),
    ],
)
def test_a_cost_says_how_well_it_is_known(spent: Spending, cost: str, tokens: str) -> None:
    assert cost_said(spent) == cost
    assert tokens_said(spent) == tokens


def test_one_fall_says_who_failed_why_and_who_answered() -> None:
    said = fall_sentence([Passed(*HAIKU, "timeout")], "the local recommender")
    assert said == (
        "Claude haiku 5.5 did not answer in time; the local recommender answered instead."
    )


def test_falls_of_one_reason_share_their_words() -> None:
    passed = [
        Passed(*SONNET, "overloaded"),
        Passed(*HAIKU, "paused"),
        Passed("ollama", "llama3.2", "paused"),
    ]
    assert fall_sentence(passed, "the local planner") == (
        "Claude sonnet 5.5 had no room for more requests, Claude haiku 5.5 and Ollama llama3.2 "
        "had to pause after an outage; the local planner answered instead."
    )


def test_nobody_passed_says_nothing() -> None:
    assert fall_sentence([], "Claude haiku 5.5") == ""


@pytest.mark.parametrize("kind", [*get_args(FailureKind), "paused", "no_time"])
def test_every_failure_has_words_and_something_to_do(kind: str) -> None:
    assert "that could not be used" not in why_passed(Passed(*HAIKU, kind))
    assert advice(kind).endswith(".")
    assert "Activity" not in advice(kind)


def test_a_failure_of_a_later_version_is_said_too() -> None:
    assert why_passed(Passed(*HAIKU, "new")) == (
        "Claude haiku 5.5 gave no answer that could be used."
    )
    assert advice("new") == "Look at its calls in Activity."


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0.4, "under 1 ms"),
        (18.2, "18 ms"),
        (999.6, "1.0 s"),
        (1_234, "1.2 s"),
        (125_000, "2 min 5 s"),
    ],
)
def test_latencies_are_written_in_the_unit_that_fits(milliseconds: float, said: str) -> None:
    assert latency(milliseconds) == said
