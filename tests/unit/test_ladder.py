from __future__ import annotations

import threading
from typing import Any

import pytest

from core.llm import (
    Answer,
    Ask,
    Attempt,
    Breakers,
    Flaw,
    Ladder,
    ModelFailure,
    NoModelLeft,
    Pacing,
    Retry,
    Rung,
    Timing,
)
from tests.asks import ScriptedModel, an_ask, failing, terms
from tests.fakes import FakeClock


class House:
    """Three rungs over two providers, and the time they take."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.now_s = 0.0
        self.took_s = 0.0
        self.recorded: list[Attempt] = []
        self.breakers = Breakers(opens_after=3, pause_s=30, monotonic=lambda: self.now_s)
        providers = ("anthropic", "anthropic", "ollama")
        self.models = [
            ScriptedModel(script, provider=provider, took=self._took)
            for script, provider in zip(scripts, providers, strict=True)
        ]
        timing = Timing(lambda: self.now_s, self._pause, lambda: 0.0)
        self.retry = Retry(self.breakers, FakeClock(), Pacing(), timing)
        self.rungs = [
            Rung(number, f"model-{number}", model)
            for number, model in enumerate(self.models, start=1)
        ]

    def ask(self, ask: Ask | None = None, **given: Any) -> Answer:
        return Ladder(self.rungs, self.retry).ask(ask or an_ask(), terms(self.recorded, **given))

    def _took(self, _: Ask) -> None:
        self.now_s += self.took_s

    def _pause(self, seconds: float, _: threading.Event | None) -> None:
        self.now_s += seconds


def test_the_preferred_model_answers_when_it_can() -> None:
    house = House([], [], [])
    answer = house.ask()
    assert (answer.rung.number, answer.falls) == (1, ())
    assert answer.completion.value == {"answer": 1}
    assert [model.asked for model in house.models[1:]] == [[], []]


def test_each_rung_asks_for_its_own_model() -> None:
    house = House([failing("refused")], [], [])
    assert house.ask().rung.model == "model-2"
    assert [model.asked[0].model for model in house.models[:2]] == ["model-1", "model-2"]


def test_every_fall_says_why_and_every_attempt_is_listed() -> None:
    house = House([failing("truncated")] * 2, [failing("auth")], [])
    answer = house.ask()
    assert [(fall.rung, fall.model, fall.kind, fall.reason) for fall in answer.falls] == [
        (1, "model-1", "truncated", "It was truncated."),
        (2, "model-2", "auth", "It was auth."),
    ]
    assert [(one.number, one.rung, one.error) for one in answer.attempts] == [
        (1, 1, "truncated"),
        (2, 1, "truncated"),
        (3, 2, "auth"),
        (4, 3, None),
    ]
    assert list(answer.attempts) == house.recorded


def test_an_outage_costs_one_timeout_and_not_one_per_rung_or_request() -> None:
    house = House([failing("timeout")] * 99, [failing("timeout")] * 99, [])
    assert [fall.kind for fall in house.ask().falls] == ["timeout", "paused"]
    for _ in range(20):
        assert [fall.kind for fall in house.ask().falls] == ["paused", "paused"]
    assert len(house.models[0].asked) == 1


def test_a_provider_that_comes_back_is_used_again() -> None:
    house = House([failing("timeout")], [], [])
    house.ask()
    house.now_s += 30
    assert house.ask().rung.number == 1


def test_when_none_is_left_the_reason_of_the_last_is_told() -> None:
    house = House(*([failing("bad_request")] for _ in range(3)))
    with pytest.raises(NoModelLeft, match="It was bad_request") as caught:
        house.ask()
    assert [fall.rung for fall in caught.value.falls] == [1, 2, 3]
    assert list(caught.value.attempts) == house.recorded


def test_a_ladder_without_rungs_says_so() -> None:
    with pytest.raises(NoModelLeft, match="No model is set up"):
        Ladder([], House([], [], []).retry).ask(an_ask(), terms())


def test_time_is_left_for_the_rungs_below() -> None:
    house = House([failing("refused")], [failing("refused")], [])
    house.took_s = 1.0
    house.ask(an_ask(deadline_s=10))
    given = [model.asked[0].deadline_s for model in house.models]
    assert given == pytest.approx([6, 5.4, 8])


def test_a_rung_without_time_is_not_tried() -> None:
    house = House([failing("deadline")], [], [])
    house.took_s = 9.9
    with pytest.raises(NoModelLeft) as caught:
        house.ask(an_ask(deadline_s=10))
    assert [fall.kind for fall in caught.value.falls] == ["deadline", "no_time", "no_time"]


def test_nothing_is_asked_of_any_rung_when_models_are_forbidden() -> None:
    house = House([], [], [])
    with pytest.raises(NoModelLeft, match="This task is sensitive"):
        house.ask(allowed=lambda: "This task is sensitive; it stays on this machine.")
    assert [model.asked for model in house.models] == [[], [], []]
    assert house.recorded == []


def test_what_is_forbidden_midway_falls_no_further() -> None:
    answers = [None, "AI is off."]
    house = House([failing("refused")], [], [])
    with pytest.raises(NoModelLeft, match="AI is off") as caught:
        house.ask(allowed=lambda: answers.pop(0))
    assert [fall.kind for fall in caught.value.falls] == ["refused"]
    assert house.models[1].asked == []


def test_a_cancelled_call_falls_no_further() -> None:
    house = House([failing("cancelled")], [], [])
    with pytest.raises(ModelFailure) as caught:
        house.ask()
    assert caught.value.kind == "cancelled"
    assert house.models[1].asked == []


def test_who_answers_twice_against_the_rules_falls() -> None:
    def check(value: Any) -> Flaw | None:
        return None if value == "good" else Flaw("It is bad.", "That was bad.")

    house = House(["bad", "bad"], ["bad", "good"], [])
    answer = house.ask(an_ask(user="?"), check=check)
    assert answer.completion.value == "good"
    assert [(fall.kind, fall.reason) for fall in answer.falls] == [("invalid", "It is bad.")]
    users = [[ask.user for ask in model.asked] for model in house.models]
    assert users == [["?", "?\n\nThat was bad."]] * 2 + [[]]
    assert house.breakers.is_closed("anthropic")
