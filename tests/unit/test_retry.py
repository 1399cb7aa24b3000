from __future__ import annotations

import threading
from typing import Any

import pytest

from core.llm import (
    Ask,
    Attempt,
    Breakers,
    FailureKind,
    Flaw,
    InvalidAnswer,
    ModelFailure,
    ModelsForbidden,
    Pacing,
    Retry,
    Rung,
    Timing,
    Usage,
)
from tests.asks import ScriptedModel, an_ask, failing, terms
from tests.fakes import FakeClock

RETRIED: list[FailureKind] = [
    *("rate_limited", "overloaded", "server", "connection", "dropped"),
    *("empty", "malformed", "truncated"),
]
FINAL: list[FailureKind] = ["refused", "auth", "bad_request", "cancelled", "deadline"]


class Waiting:
    """Time that passes by waiting only; `pauses` remembers."""

    def __init__(self, chance: float = 1.0) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []
        self.timing = Timing(lambda: self.now_s, self.pause, lambda: chance)

    def pause(self, seconds: float, _: threading.Event | None) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def asked(
    model: ScriptedModel,
    waiting: Waiting,
    *,
    ask: Ask | None = None,
    pacing: Pacing | None = None,
    breakers: Breakers | None = None,
    **given: Any,
) -> list[Attempt]:
    """Ask, and return the attempts as they were recorded, also when the last one failed."""
    recorded: list[Attempt] = []
    breakers = breakers or Breakers(opens_after=99, monotonic=lambda: waiting.now_s)
    retry = Retry(breakers, FakeClock(), pacing, waiting.timing)
    tried: list[Attempt] = []
    try:
        retry.complete(Rung(2, "m", model), ask or an_ask(), terms(recorded, **given), tried)
    except ModelFailure:
        assert recorded[-1].outcome != "succeeded"
    assert tried == recorded
    return recorded


def errors(attempts: list[Attempt]) -> list[str | None]:
    return [attempt.error for attempt in attempts]


@pytest.mark.parametrize("kind", RETRIED)
def test_what_may_pass_is_tried_again(kind: FailureKind, waiting: Waiting) -> None:
    assert errors(asked(ScriptedModel([failing(kind)]), waiting)) == [kind, None]


@pytest.mark.parametrize("kind", FINAL)
def test_what_will_not_pass_is_not(kind: FailureKind, waiting: Waiting) -> None:
    assert errors(asked(ScriptedModel([failing(kind)]), waiting)) == [kind]


def test_a_provider_gets_three_attempts_and_a_bad_answer_two(waiting: Waiting) -> None:
    assert len(asked(ScriptedModel([failing("server")] * 9), waiting)) == 3
    assert len(asked(ScriptedModel([failing("malformed")] * 9), waiting)) == 2


def test_pauses_double_up_to_the_longest_and_are_shortened_by_chance() -> None:
    pacing = Pacing(attempts=6, first_pause_s=0.5, longest_pause_s=3)
    for chance, pauses in ((1.0, [0.5, 1, 2, 3, 3]), (0.5, [0.25, 0.5, 1, 1.5, 1.5])):
        waiting = Waiting(chance)
        model = ScriptedModel([failing("server")] * 9)
        asked(model, waiting, pacing=pacing, ask=an_ask(deadline_s=60))
        assert waiting.pauses == pauses


def test_a_provider_is_not_asked_before_it_wants_to_be(waiting: Waiting) -> None:
    model = ScriptedModel([failing("rate_limited", retry_after_s=7.0)])
    asked(model, waiting)
    assert waiting.pauses == [7.5]


def test_who_wants_to_be_left_alone_for_long_is_not_asked_again(waiting: Waiting) -> None:
    model = ScriptedModel([failing("rate_limited", retry_after_s=10.1)])
    attempts = asked(model, waiting, ask=an_ask(deadline_s=600))
    assert (len(attempts), waiting.pauses) == (1, [])


def test_no_pause_goes_past_the_deadline(waiting: Waiting) -> None:
    model = ScriptedModel([failing("rate_limited", retry_after_s=5.0)])
    attempts = asked(model, waiting, ask=an_ask(deadline_s=5.5))
    assert (len(attempts), waiting.pauses) == (1, [])


def test_each_attempt_gets_what_is_left_of_the_time(waiting: Waiting) -> None:
    def took(_: Ask) -> None:
        waiting.now_s += 3

    model = ScriptedModel([failing("server")] * 2, took=took)
    asked(model, waiting, ask=an_ask(deadline_s=10))
    assert [ask.deadline_s for ask in model.asked] == [10, 6.5, 2.5]


def test_an_outage_that_opens_the_breaker_ends_the_attempts(waiting: Waiting) -> None:
    breakers = Breakers(opens_after=2, monotonic=lambda: waiting.now_s)
    attempts = asked(ScriptedModel([failing("server")] * 9), waiting, breakers=breakers)
    assert len(attempts) == 2


def test_the_bound_is_known_before_the_attempt_and_the_row_before_the_answer(
    waiting: Waiting,
) -> None:
    order: list[str] = []

    def bound(provider: str, ask: Ask) -> int:
        order.append(f"bound {provider} {ask.max_tokens}")
        return 7

    def took(_: Ask) -> None:
        order.append("asked")

    def record(attempt: Attempt) -> None:
        order.append(f"recorded {attempt.number} {attempt.outcome} {attempt.bound_nano_usd}")

    model = ScriptedModel([failing("server")], took=took)
    retry = Retry(Breakers(), FakeClock(), None, waiting.timing)
    retry.complete(Rung(1, "m", model), an_ask(), terms(bound=bound, record=record), [])
    assert order == [
        *("bound anthropic 800", "asked", "recorded 1 failed 7"),
        *("bound anthropic 800", "asked", "recorded 2 succeeded 7"),
    ]


def test_an_attempt_whose_bound_is_too_much_is_not_made(waiting: Waiting) -> None:
    def bound(*_: object) -> int:
        raise LookupError("no budget")

    model = ScriptedModel()
    with pytest.raises(LookupError):
        asked(model, waiting, bound=bound)
    assert model.asked == []


def test_an_answer_that_cannot_be_recorded_is_not_given(waiting: Waiting) -> None:
    def record(_: Attempt) -> None:
        raise OSError("disk full")

    retry = Retry(Breakers(), FakeClock(), None, waiting.timing)
    with pytest.raises(OSError, match="disk full"):
        retry.complete(Rung(1, "m", ScriptedModel()), an_ask(), terms(record=record), [])


def test_lost_usage_is_recorded_as_its_upper_limit(waiting: Waiting) -> None:
    known = Usage(50, 800, measured=False)
    ask = an_ask()
    script = [failing("server"), failing("dropped", usage=known)]
    lost, half, whole = asked(ScriptedModel(script), waiting, ask=ask)
    assert lost.usage == ask.most
    assert not lost.usage.measured
    assert lost.usage.input_tokens == lost.usage.cache_write_tokens == ask.input_bytes + 1_000
    assert lost.usage.output_tokens == 800
    assert half.usage == known
    assert whole.usage == Usage(100, 10)


def test_a_forbidden_model_is_not_asked_nor_asked_again(waiting: Waiting) -> None:
    answers: list[str | None] = [None, "AI is switched off."]
    model = ScriptedModel([failing("server")])
    with pytest.raises(ModelsForbidden, match="AI is switched off"):
        asked(model, waiting, allowed=lambda: answers.pop(0))
    assert len(model.asked) == 1


def test_who_has_enough_of_a_partial_answer_gets_his_error_and_the_row_is_kept(
    waiting: Waiting,
) -> None:
    class Enough(Exception):
        pass

    def on_partial(_: object) -> None:
        raise Enough

    recorded: list[Attempt] = []
    retry = Retry(Breakers(), FakeClock(), None, waiting.timing)
    under = terms(recorded, on_partial=on_partial)
    with pytest.raises(Enough):
        retry.complete(Rung(1, "m", ScriptedModel()), an_ask(), under, [])
    (attempt,) = recorded
    assert (attempt.outcome, attempt.error, attempt.usage.measured) == (
        "cancelled",
        "cancelled",
        False,
    )


def test_a_stopped_call_is_not_even_begun(waiting: Waiting) -> None:
    stop = threading.Event()
    stop.set()
    model = ScriptedModel()
    retry = Retry(Breakers(), FakeClock(), None, waiting.timing)
    with pytest.raises(ModelFailure) as caught:
        retry.complete(Rung(1, "m", model), an_ask(), terms(stop=stop), [])
    assert caught.value.kind == "cancelled"
    assert model.asked == []


def test_stopping_ends_a_pause_at_once() -> None:
    stop = threading.Event()
    timing = Timing(chance=lambda: 1.0)
    pacing = Pacing(first_pause_s=60, longest_pause_s=60)
    retry = Retry(Breakers(), FakeClock(), pacing, timing)
    model = ScriptedModel(
        [failing("server")], took=lambda _: threading.Timer(0.05, stop.set).start()
    )
    with pytest.raises(ModelFailure) as caught:
        retry.complete(Rung(1, "m", model), an_ask(deadline_s=600), terms(stop=stop), [])
    assert caught.value.kind == "cancelled"
    assert len(model.asked) == 1


# --- answers that are whole, but against the rules


def too_low(value: Any) -> Flaw | None:
    if value["answer"] >= 3:
        return None
    return Flaw("The answer is too low.", f"{value['answer']} is too low; say more.")


def test_a_flawed_answer_is_told_why_and_asked_once_more(waiting: Waiting) -> None:
    model = ScriptedModel([{"answer": 2}, {"answer": 3}])
    flawed, whole = asked(model, waiting, ask=an_ask(user="How much?"), check=too_low)
    assert [ask.user for ask in model.asked] == [
        "How much?",
        "How much?\n\n2 is too low; say more.",
    ]
    assert (flawed.outcome, flawed.error, whole.outcome) == ("failed", "invalid", "succeeded")
    assert (flawed.usage, flawed.response_id) == (Usage(100, 10), "msg_1")
    assert flawed.stop_reason == "end_turn"


def test_a_model_mends_its_answer_once_and_no_more(waiting: Waiting) -> None:
    model = ScriptedModel([{"answer": 1}, {"answer": 2}, {"answer": 3}])
    assert errors(asked(model, waiting, check=too_low)) == ["invalid", "invalid"]


def test_it_may_mend_its_answer_whatever_came_before_and_between(waiting: Waiting) -> None:
    script = [failing("rate_limited"), {"answer": 1}, failing("server"), {"answer": 3}]
    pacing = Pacing(attempts=4, bad_answers=1)
    model = ScriptedModel(script)
    attempts = asked(model, waiting, check=too_low, pacing=pacing)
    assert errors(attempts) == ["rate_limited", "invalid", "server", None]
    assert ["too low" in ask.user for ask in model.asked] == [False, False, True, True]


def test_mending_is_within_the_same_time(waiting: Waiting) -> None:
    def took(_: Ask) -> None:
        waiting.now_s += 4

    model = ScriptedModel([{"answer": 1}, {"answer": 3}], took=took)
    asked(model, waiting, ask=an_ask(deadline_s=10), check=too_low)
    assert [ask.deadline_s for ask in model.asked] == [10, 6]
    late = ScriptedModel([{"answer": 1}, {"answer": 3}], took=took)
    assert errors(asked(late, waiting, ask=an_ask(deadline_s=4.1), check=too_low)) == ["invalid"]


def test_the_failure_is_the_sentence_for_people(waiting: Waiting) -> None:
    retry = Retry(Breakers(), FakeClock(), None, waiting.timing)
    model = ScriptedModel([{"answer": 1}, {"answer": 1}])
    with pytest.raises(InvalidAnswer, match=r"^The answer is too low\.$"):
        retry.complete(Rung(1, "m", model), an_ask(), terms(check=too_low), [])
