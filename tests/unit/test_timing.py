"""How long the steps of a plan take, and what gives way to little time."""

from __future__ import annotations

import pytest

from tests.planning import minutes, plan_of, step, titles

PLAIN = (step("Begin"), step("Go on"), step("End"))


def test_without_hours_each_step_has_its_usual_minutes() -> None:
    plan = plan_of(PLAIN)
    assert minutes(plan) == [30, 30, 30]
    assert (plan.break_minutes, plan.buffer_minutes) == (5, 9)
    assert plan.minutes == 104


@pytest.mark.parametrize(("energy", "breaks"), [(3, 5), (2, 10), (1, 15)])
def test_the_tired_have_more_breaks(energy: int, breaks: int) -> None:
    whole = [step(least_minutes=30), *[step(least_minutes=30, minutes=40)] * 3]
    assert plan_of(whole, energy=energy).break_minutes == breaks


def test_little_time_shortens_all_steps_alike() -> None:
    plan = plan_of(PLAIN, hours=1)
    assert len(set(minutes(plan))) == 1
    assert 45 <= sum(minutes(plan)) < 60
    assert plan.notes == ()


def test_little_time_drops_the_longest_step_that_can_be_spared() -> None:
    spared = [
        step("Tidy", drop_when=["short_time"], minutes=10),
        step("Adorn", drop_when=["short_time"], minutes=60),
    ]
    plan = plan_of([*PLAIN, *spared], hours=1.5)
    assert plan.notes == ("Left out “Adorn” to fit your time.",)
    assert titles([*PLAIN, *spared], hours=1.5) == ["Begin", "Go on", "End", "Tidy"]


def test_with_time_enough_nothing_is_dropped() -> None:
    spared = step("Tidy", drop_when=["short_time"])
    assert len(plan_of([*PLAIN, spared], hours=3).steps) == 4


def test_no_step_is_shorter_than_makes_sense_while_another_can_be() -> None:
    whole = step("Bake", minutes=40, least_minutes=40)
    plan = plan_of([whole, step("Eat"), step("Wash up")], hours=1.25)
    assert plan.steps[0].minutes == 40
    assert plan.minutes <= 75


def test_far_too_little_time_plans_the_beginning_and_puts_off_the_rest() -> None:
    long = [step(f"Part {n}", minutes=120, least_minutes=60) for n in range(1, 6)]
    plan = plan_of(long, hours=0.5)
    assert titles(long, hours=0.5) == ["Part 1", "Part 2"]
    assert plan.minutes <= 30
    assert plan.notes == (
        "Put off “Part 3” until you have more time.",
        "Put off “Part 4” until you have more time.",
        "Put off “Part 5” until you have more time.",
        "Time is very short for this: stop each step when its minutes are up.",
    )


def test_spare_time_goes_to_the_demanding_steps() -> None:
    plan = plan_of([step("Begin"), step("Work", energy="high"), step("End")], hours=4)
    assert minutes(plan) == [30, 45, 30]


def test_spare_time_is_not_used_up_when_energy_is_low() -> None:
    outline = [step("Begin"), step("Work", energy="high"), step("End")]
    assert plan_of(outline, hours=8, energy=1).minutes < plan_of(outline, hours=8).minutes


def test_no_step_is_longer_than_eight_hours() -> None:
    day = [step("Work", minutes=480, energy="high"), *PLAIN]
    assert max(minutes(plan_of(day, hours=24))) == 480


def test_a_demanding_step_is_shorter_in_the_evening() -> None:
    outline = [step("Work", minutes=60, energy="high"), *PLAIN]
    assert minutes(plan_of(outline, time_of_day="evening")) == [50, 30, 30, 30]
