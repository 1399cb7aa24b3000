from __future__ import annotations

import pytest

from core.llm import Breakers, FailureKind


class Watch:
    """Seconds that only a test lets pass."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def breakers(watch: Watch) -> Breakers:
    return Breakers(opens_after=3, pause_s=30, monotonic=watch)


def after(breakers: Breakers, *failures: FailureKind | None) -> bool:
    """Whether the provider is asked after calls that ended so."""
    for failure in failures:
        breakers.heard("anthropic", failure)
    return breakers.admits("anthropic")


def state(breakers: Breakers) -> str:
    return breakers.states()[0].state


def test_it_opens_after_so_many_outages_in_a_row(breakers: Breakers) -> None:
    assert after(breakers, "server", "dropped")
    assert not after(breakers, "connection")
    assert state(breakers) == "open"


def test_a_success_in_between_begins_the_count_anew(breakers: Breakers) -> None:
    assert after(breakers, "server", "server", None, "server", "server")


def test_one_timeout_is_enough(breakers: Breakers) -> None:
    assert not after(breakers, "timeout")


@pytest.mark.parametrize(
    "kind",
    ["rate_limited", "malformed", "truncated", "refused", "auth", "bad_request", "deadline"],
)
def test_what_shows_that_the_provider_is_there_does_not_open_it(
    breakers: Breakers, kind: FailureKind
) -> None:
    assert after(breakers, *[kind] * 9)
    assert after(breakers, "server", "server", kind, "server")


def test_what_was_cancelled_says_nothing(breakers: Breakers) -> None:
    assert not after(breakers, "server", "server", "cancelled", "server")


def test_after_a_pause_one_call_is_let_through(breakers: Breakers, watch: Watch) -> None:
    after(breakers, "timeout")
    watch.now_s += 29.9
    assert not breakers.admits("anthropic")
    watch.now_s += 0.1
    assert state(breakers) == "half_open"
    assert [breakers.admits("anthropic") for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_closes_it(breakers: Breakers, watch: Watch) -> None:
    after(breakers, "timeout")
    watch.now_s += 30
    assert breakers.admits("anthropic")
    assert after(breakers, None)
    assert breakers.is_closed("anthropic")
    assert state(breakers) == "closed"


def test_a_trial_that_fails_opens_it_for_another_pause(breakers: Breakers, watch: Watch) -> None:
    after(breakers, "timeout")
    watch.now_s += 30
    assert breakers.admits("anthropic")
    assert not after(breakers, "server")
    assert breakers.states()[0].tried_again_in_s == 30


def test_a_cancelled_trial_makes_room_for_the_next(breakers: Breakers, watch: Watch) -> None:
    after(breakers, "timeout")
    watch.now_s += 30
    assert breakers.admits("anthropic")
    assert after(breakers, "cancelled")


def test_a_trial_that_nobody_reports_on_is_given_up(breakers: Breakers, watch: Watch) -> None:
    after(breakers, "timeout")
    watch.now_s += 30
    assert breakers.admits("anthropic")
    watch.now_s += 30
    assert breakers.admits("anthropic")


def test_providers_do_not_stand_in_for_each_other(breakers: Breakers) -> None:
    after(breakers, "timeout")
    assert breakers.admits("ollama")
    assert [(known.provider, known.state) for known in breakers.states()] == [
        ("anthropic", "open"),
        ("ollama", "closed"),
    ]


def test_a_state_says_why_and_how_long(breakers: Breakers, watch: Watch) -> None:
    after(breakers, "server", "server", "dropped")
    watch.now_s += 10
    (known,) = breakers.states()
    assert (known.failures, known.reason, known.tried_again_in_s) == (3, "dropped", 20)
