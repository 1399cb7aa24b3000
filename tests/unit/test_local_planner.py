"""Whole plans of the local planner: fitting to their task, and never the same for two tasks."""

from __future__ import annotations

import random
import statistics
import time
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.catalogue import Catalogue, Task, Workflow, task_from
from core.errors import InvalidInput
from core.execute import Plan, PlanFor, Step
from core.execute.local_planner import LocalPlanner
from core.settings import PROJECT

PLANNER = LocalPlanner()
SHIPPED = Catalogue.load([PROJECT / "workflows"]).workflows
HOURS = (None, 0.25, 0.5, 1.0, 2.0, 8.0)
TIMES = (None, "morning", "afternoon", "evening")
UNFILLED = ("{object}", "{topic}", "{task}", "{detail}", "{note}", "[,", "[ ", "[:", " ,", "  ")

each_shipped = pytest.mark.parametrize("workflow", SHIPPED, ids=lambda flow: flow.workflow_id)


def plan(workflow: Workflow, task: Task) -> Plan:
    return PLANNER.preview(workflow, task)


def plan_for(workflow: Workflow, title: str, **more: object) -> Plan:
    return plan(workflow, task_from(title=title, **more))


def general(steps: int, *fields: str) -> Workflow:
    """A workflow with no outline of its own."""
    return Workflow.model_validate(
        {
            "workflow_id": "plants",
            "name": "Plants",
            "description": "Keeps them alive.",
            "domain": "personal",
            "expected_step_count": steps,
            "step_fields": fields,
            "system_prompt": "You are a patient gardener who loves plants.",
            "user_prompt_template": "Plan this task: {task_title}.",
        }
    )


def shares_kept(one: Plan, other: Plan) -> tuple[float, float]:
    """Return the shares of the steps whose title, and whose whole wording, the other plan has."""
    titles = {step.title for step in other.steps}
    wordings = {(step.title, step.description) for step in other.steps}
    same = sum((step.title, step.description) in wordings for step in one.steps)
    return (
        sum(step.title in titles for step in one.steps) / len(one.steps),
        same / len(one.steps),
    )


@each_shipped
def test_plans_of_two_tasks_differ_in_at_least_half_of_their_steps(workflow: Workflow) -> None:
    for chosen in (workflow.examples[::5], workflow.examples[2::5]):
        plans = [plan_for(workflow, title) for title in chosen]
        assert len(plans) == 8
        for one, other in combinations(plans, 2):
            longer = max(one, other, key=lambda made: len(made.steps))
            titles, wordings = shares_kept(longer, one if longer is other else other)
            assert titles <= 0.5, (one.steps[0].title, other.steps[0].title)
            assert wordings <= 0.5, (one.steps[0].title, other.steps[0].title)


@each_shipped
def test_every_example_has_a_plan_in_any_circumstances(workflow: Workflow) -> None:
    chance = random.Random(workflow.workflow_id)  # noqa: S311 - the same circumstances each time
    for title in workflow.examples:
        hours = chance.choice(HOURS)
        task = task_from(
            title=title,
            hours=hours,
            energy=chance.choice([1, 2, 3]),
            time_of_day=chance.choice(TIMES),
            recent_tasks=chance.sample(workflow.examples, chance.randrange(4)),
            description=chance.choice(["", "It has to look good. Mum helps."]),
        )
        made = plan(workflow, task)
        assert len(made.steps) >= 2 <= workflow.expected_step_count
        assert hours is None or made.minutes <= hours * 60
        titles = [step.title for step in made.steps]
        assert len(set(titles)) == len(titles), titles
        for step in made.steps:
            assert len(step.title) <= 90
            for text in (step.title, step.description, step.expected_outcome or ""):
                assert not any(sign in text for sign in UNFILLED), text
                assert not text or text[0] == text[0].upper() or text[0] in "“{", text


@each_shipped
def test_the_estimate_is_the_size_of_the_plan(workflow: Workflow) -> None:
    for number, title in enumerate(workflow.examples):
        task = task_from(
            title=title,
            hours=HOURS[number % len(HOURS)],
            energy=number % 3 + 1,
            time_of_day=TIMES[number % len(TIMES)],
            recent_tasks=[workflow.examples[-number]],
        )
        made, estimate = plan(workflow, task), PLANNER.estimate(workflow, task)
        assert (estimate.steps, estimate.minutes) == (len(made.steps), made.minutes)
        assert set(estimate.notes) <= set(made.notes)
        assert all(note.startswith(("Left out “", "Put off “")) for note in estimate.notes)


@each_shipped
def test_the_task_itself_is_in_the_plan(workflow: Workflow) -> None:
    made = plan_for(workflow, "the Zanzibar quokka")
    titles = " ".join(step.title for step in made.steps)
    assert titles.count("Zanzibar quokka") >= len(made.steps) / 2


@each_shipped
def test_an_evening_plan_is_not_worded_like_a_morning_plan(workflow: Workflow) -> None:
    wordings = [
        [step.description for made in plans for step in made.steps]
        for plans in (
            [plan_for(workflow, title, time_of_day=when) for title in workflow.examples[:10]]
            for when in ("morning", "evening")
        )
    ]
    assert wordings[0] != wordings[1]


@each_shipped
def test_a_recent_tasks_work_is_not_planned_again_and_the_note_says_so(workflow: Workflow) -> None:
    found = 0
    for step in workflow.outline:
        for recent in step.done_by:
            before = plan_for(workflow, "zanzibar quokka")
            after = plan_for(workflow, "zanzibar quokka", recent_tasks=[recent])
            gone = {s.title for s in before.steps} - {s.title for s in after.steps}
            for title in gone:
                found += 1
                inside = title.translate(str.maketrans("“”", "‘’"))
                assert f"Left out “{inside}”: you did “{recent}” recently." in after.notes
    assert found >= 3


@pytest.mark.parametrize("steps", range(3, 11))
def test_a_workflow_without_an_outline_gets_a_general_plan(steps: int) -> None:
    made = plan_for(general(steps), "repot the fern by friday")
    assert len(made.steps) == steps
    assert "fern" in made.steps[0].title
    assert len({step.title for step in made.steps}) == steps
    assert sum("fern" in step.title + step.description for step in made.steps) >= steps / 2


@pytest.mark.parametrize("steps", range(3, 11))
def test_a_general_plan_fits_circumstances_too(steps: int) -> None:
    for hours in HOURS[1:]:
        made = plan_for(general(steps), "repot the fern", hours=hours, energy=1)
        assert made.minutes <= (hours or 0) * 60
        assert len(made.steps) >= 2


def test_a_step_has_the_fields_that_the_workflow_asks_for() -> None:
    outcomes = plan_for(general(4, "expected_outcome"), "repot the fern").steps
    assert all(step.expected_outcome for step in outcomes)
    assert plan_for(general(4), "repot the fern").steps[0].expected_outcome is None


def test_a_command_is_shown_as_it_is_in_the_file(catalogue: Catalogue) -> None:
    workflow = catalogue.get("bug-fix")
    commands = {step.validation_command for step in plan_for(workflow, "{x} [y] fails").steps}
    written = {step.validation_command for step in workflow.outline}
    assert commands & written - {None}


def test_each_step_is_told_as_soon_as_it_is_made(catalogue: Catalogue) -> None:
    told: list[Step] = []
    plan_for = PlanFor("request", "ada", told.append)
    made = PLANNER.plan(catalogue.get("bug-fix"), task_from(title="login fails"), plan_for)
    assert tuple(told) == made.steps


def test_what_the_person_typed_is_never_read_as_wording(catalogue: Catalogue) -> None:
    title = "Sort the {object} list [{note}] {{x}} %s \\1"
    for workflow in catalogue.workflows:
        for step in plan_for(workflow, title).steps:
            for text in (step.title, step.description):
                assert "{task}" not in text
                assert "{topic}" not in text
                assert text.count("{object}") == text.count("{object} list")


def accepted(title: str) -> bool:
    try:
        task_from(title=title)
    except InvalidInput:
        return False
    return True


@given(st.text(min_size=1, max_size=200).filter(accepted), st.sampled_from(SHIPPED), st.text())
@example("( a", SHIPPED[0], "")
@example("İ ı ſunday", SHIPPED[1], "\r\n")
@example("🏳️‍🌈" * 20, SHIPPED[2], " ")
@example("by friday", SHIPPED[3], "!")
@example("W" * 200, SHIPPED[4], "a\r\u2028b")
def test_any_title_has_a_plan_that_can_be_shown(
    title: str, workflow: Workflow, description: str
) -> None:
    try:
        task = task_from(title=title, description=description, hours=1)
    except InvalidInput:
        task = task_from(title=title, hours=1)
    made = plan(workflow, task)
    assert len(made.steps) >= 2
    assert made.minutes <= 60
    assert all(step.title.strip() and step.description.strip() for step in made.steps)
    assert made == plan(workflow, task)


def test_planning_costs_less_than_two_milliseconds() -> None:
    """Half of the plans, in processor time, each task planned for the first time."""
    tasks = [
        (
            workflow,
            task_from(title=f"{title} again", hours=1, recent_tasks=["buy milk", "fix a bug"]),
        )
        for workflow in SHIPPED
        for title in workflow.examples[::4]
    ]
    for workflow in SHIPPED:
        plan_for(workflow, "warm up", recent_tasks=["stretch"])
    planned, estimated = [], []
    for workflow, task in tasks:
        begun = time.process_time_ns()
        PLANNER.estimate(workflow, task)
        between = time.process_time_ns()
        plan(workflow, task)
        planned.append(time.process_time_ns() - between)
        estimated.append(between - begun)
    assert statistics.median(planned) < 2_000_000
    assert statistics.median(estimated) < 1_500_000
