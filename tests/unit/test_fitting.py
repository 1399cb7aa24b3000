"""An outline fitted to circumstances: which steps, how long, how demanding, in which words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, OutlineStep, Workflow, task_from
from core.execute.fitting import FEWEST_STEPS, fitted
from core.execute.timing import LONGEST_STEP
from core.execute.wording import slots_of
from core.settings import PROJECT
from tests.planning import plan_of, step, titles

SHIPPED = Catalogue.load([PROJECT / "workflows"]).workflows
DONE = [
    step.done_by[0] for workflow in SHIPPED for step in workflow.outline[:4] if step.done_by
] + [example for workflow in SHIPPED for example in workflow.examples[:2]]

workflows = st.sampled_from(SHIPPED)
hours = st.none() | st.floats(min_value=0.25, max_value=24.0, allow_nan=False)
times = st.sampled_from([None, "morning", "afternoon", "evening"])
recent_tasks = st.lists(st.sampled_from(DONE) | st.text("abc{} ", min_size=1), max_size=5).map(
    lambda titles: [title for title in titles if title.strip()]
)
circumstances = st.fixed_dictionaries(
    {"hours": hours, "time_of_day": times, "recent_tasks": recent_tasks}
)


def described(one: OutlineStep, title: str = "x", **more: object) -> str:
    """Return the description of the step as the first of a plan with two more."""
    task = task_from(title=title, **more)
    slots = slots_of(task)
    outline = [one, step("Go on"), step("End")]
    return fitted(outline, task, slots).steps[0].worded(task, slots).description


@st.composite
def tasks(draw: st.DrawFn, workflow: Workflow) -> dict[str, Any]:
    title = draw(st.sampled_from(workflow.examples) | st.sampled_from(DONE))
    return {"title": title, **draw(circumstances)}


class TestAnyOutlineInAnyCircumstances:
    @given(st.data(), workflows, st.integers(1, 3))
    def test_everything_fits_into_the_hours(
        self, data: st.DataObject, workflow: Workflow, energy: int
    ) -> None:
        asked = data.draw(tasks(workflow))
        task = task_from(energy=energy, **asked)
        plan = fitted(workflow.outline, task, slots_of(task))
        assert FEWEST_STEPS <= len(plan.steps) <= len(workflow.outline)
        assert all(1 <= fit.minutes <= LONGEST_STEP for fit in plan.steps)
        assert plan.break_minutes >= 0
        assert plan.buffer_minutes >= 0
        assert task.hours is None or plan.minutes <= task.hours * 60
        assert plan == fitted(workflow.outline, task, slots_of(task))

    @given(st.data(), workflows)
    def test_low_energy_never_means_more_steps_or_more_minutes(
        self, data: st.DataObject, workflow: Workflow
    ) -> None:
        asked = data.draw(tasks(workflow))
        tired, rested = (plan_of(workflow.outline, energy=energy, **asked) for energy in (1, 3))
        assert len(tired.steps) <= len(rested.steps)
        assert tired.minutes <= rested.minutes

    @given(st.data(), workflows, st.integers(1, 3))
    def test_each_step_of_the_outline_is_planned_noted_or_skipped(
        self, data: st.DataObject, workflow: Workflow, energy: int
    ) -> None:
        asked = data.draw(tasks(workflow))
        task = task_from(energy=energy, **asked)
        plan = fitted(workflow.outline, task, slots_of(task))
        left_out = [note for note in plan.notes if note.startswith(("Left out", "Put off"))]
        skipped = sum(one.skippable for one in workflow.outline)
        accounted = len(plan.steps) + len(left_out)
        assert len(workflow.outline) - skipped <= accounted <= len(workflow.outline)
        order = [workflow.outline.index(fit.outline) for fit in plan.steps]
        assert order == sorted(order)

    @pytest.mark.parametrize("workflow", SHIPPED, ids=lambda flow: flow.workflow_id)
    def test_a_tired_evening_is_easier_than_a_fresh_morning(self, workflow: Workflow) -> None:
        fewer = 0
        for title in workflow.examples[::4]:
            tired = plan_of(workflow.outline, title, energy=1, time_of_day="evening")
            fresh = plan_of(workflow.outline, title, energy=3, time_of_day="morning")
            assert tired.minutes < fresh.minutes
            assert not any(fit.energy == "high" for fit in tired.steps)
            fewer += len(tired.steps) < len(fresh.steps)
        assert fewer >= 5


class TestEnergy:
    OUTLINE = (
        step("Begin", energy="medium"),
        step("Think hard", energy="high", drop_when=["low_energy"]),
        step("Work", energy="high"),
    )

    def test_low_energy_leaves_out_what_drains_and_says_so(self) -> None:
        plan = plan_of(self.OUTLINE, energy=1)
        assert titles(self.OUTLINE, energy=1) == ["Begin", "Work"]
        assert plan.notes == ("Left out “Think hard” to spare your energy.",)
        assert len(plan_of(self.OUTLINE, energy=2).steps) == 3

    def test_low_energy_makes_each_step_less_demanding(self) -> None:
        assert [fit.energy for fit in plan_of(self.OUTLINE, energy=1).steps] == ["low", "medium"]
        assert [fit.energy for fit in plan_of(self.OUTLINE, energy=3).steps] == [
            "medium",
            "high",
            "high",
        ]

    def test_two_steps_stay_however_draining(self) -> None:
        draining = [step(f"Part {n}", drop_when=["low_energy"]) for n in range(3)]
        assert len(plan_of(draining, energy=1).steps) == 3

    def test_low_energy_is_told_the_easier_form(self) -> None:
        one = step(easier="Just touch {object}.")
        assert described(one, "mow the lawn", energy=1) == "Just touch the lawn."
        assert described(one, "mow the lawn") == "As ever."

    def test_a_step_with_less_than_half_its_minutes_is_told_the_easier_form(self) -> None:
        one = step(minutes=120, least_minutes=5, easier="The short way.")
        assert described(one, hours=1) == "The short way."
        assert described(one, hours=3) == "As ever."


class TestRecentTasks:
    OUTLINE = (
        step("Buy seeds for {topic}", done_by=["buy seeds", "seeds"]),
        step("Dig {object}"),
        step("Plant {object}"),
        step("Water {object}"),
    )

    @pytest.mark.parametrize(
        "recent", ["buy seeds", "Buying the seeds", "bought it: buy some seeds", "SEEDS"]
    )
    def test_work_that_was_done_is_left_out_and_noted(self, recent: str) -> None:
        plan = plan_of(self.OUTLINE, "the flower bed", recent_tasks=[recent])
        assert [fit.outline.title for fit in plan.steps] == [
            "Dig {object}",
            "Plant {object}",
            "Water {object}",
        ]
        assert plan.notes == (
            f"Left out “Buy seeds for the flower bed”: you did “{recent}” recently.",
        )

    @pytest.mark.parametrize(
        "recent", ["sunflower seeds article", "buy bread", "seed funding deck", "!!!"]
    )
    def test_other_work_is_not_taken_for_it(self, recent: str) -> None:
        assert len(plan_of(self.OUTLINE, "the vegetable bed", recent_tasks=[recent]).steps) == 4

    def test_a_single_word_counts_for_a_task_of_the_same_subject(self) -> None:
        plan = plan_of(self.OUTLINE, "the vegetable bed", recent_tasks=["vegetable seeds"])
        assert len(plan.steps) == 3

    def test_a_recent_task_that_reads_like_a_steps_title_is_that_step(self) -> None:
        plan = plan_of(self.OUTLINE, "the flower bed", recent_tasks=["dig flower bed"])
        assert plan.notes == ("Left out “Dig the flower bed”: you did “dig flower bed” recently.",)

    def test_two_steps_stay_whatever_was_done(self) -> None:
        done = ["buy seeds", "dig flower bed", "plant flower bed", "water flower bed"]
        plan = plan_of(self.OUTLINE, "the flower bed", recent_tasks=done)
        assert len(plan.steps) == FEWEST_STEPS

    def test_what_a_note_quotes_stays_as_typed(self) -> None:
        recent = "buy seeds {task} [x] %s"
        plan = plan_of(self.OUTLINE, "the {topic} bed", recent_tasks=[recent])
        assert plan.notes == (
            f"Left out “Buy seeds for the {{topic}} bed”: you did “{recent}” recently.",
        )

    def test_quotes_within_quotes_are_simple_ones(self) -> None:
        outline = [step("Draw up “{task}”", done_by=["draw up"]), *self.OUTLINE]
        plan = plan_of(outline, "the bed", recent_tasks=["draw up plans"])
        assert plan.notes == ("Left out “Draw up ‘the bed’”: you did “draw up plans” recently.",)

    @pytest.mark.parametrize("workflow", SHIPPED, ids=lambda flow: flow.workflow_id)
    def test_every_shipped_step_can_be_found_done(self, workflow: Workflow) -> None:
        """Each `done_by` of two words or more leaves its own step out."""
        task = workflow.examples[0]
        steps = {fit.outline.title for fit in plan_of(workflow.outline, task).steps}
        for one in workflow.outline:
            for recent in (phrase for phrase in one.done_by if " " in phrase):
                plan = plan_of(workflow.outline, task, recent_tasks=[recent])
                assert one not in [fit.outline for fit in plan.steps], recent
                quoted = f": you did “{recent}” recently."
                assert one.title not in steps or any(n.endswith(quoted) for n in plan.notes)


class TestVariants:
    OUTLINE = (
        step(
            "Look",
            variants=[
                {"when": ["cat"], "unless": ["catalogue", "scan"], "title": "Look at the cat"},
                {"when": ["dog"], "title": "Look at the dog", "minutes": 10, "energy": "low"},
            ],
        ),
        step("Skip me", variants=[{"when": ["already looked"], "skip": True}]),
        step("Go"),
        step("End"),
    )

    @pytest.mark.parametrize(
        ("title", "chosen"),
        [
            ("feed the cat", "Look at the cat"),
            ("two cats", "Look at the cat"),
            ("feed the dogs", "Look at the dog"),
            ("cat and dog", "Look at the cat"),
            ("cat scan", "Look"),
            ("cat scan of the dog", "Look at the dog"),
            ("concatenate", "Look"),
        ],
    )
    def test_the_first_variant_that_the_task_speaks_of_is_taken(
        self, title: str, chosen: str
    ) -> None:
        assert titles(self.OUTLINE, title)[0] == chosen

    def test_what_the_title_says_goes_before_what_the_description_says(self) -> None:
        assert titles(self.OUTLINE, "feed the dog", description="The cat watches.")[0] == (
            "Look at the dog"
        )
        assert titles(self.OUTLINE, "feed it", description="It is a cat.")[0] == "Look at the cat"

    def test_a_variant_brings_its_own_minutes_and_energy(self) -> None:
        fit = plan_of(self.OUTLINE, "feed the dog").steps[0]
        assert (fit.minutes, fit.energy, fit.floor) == (10, "low", 5)

    def test_a_step_that_the_task_does_not_need_is_skipped_without_a_note(self) -> None:
        plan = plan_of(self.OUTLINE, "decide, I already looked")
        assert [fit.outline.title for fit in plan.steps] == ["Look", "Go", "End"]
        assert plan.notes == ()

    def test_a_variants_own_wording_is_never_mixed_with_the_steps(self) -> None:
        one = step(
            easier="The step's easy way.",
            at={"evening": "By lamplight."},
            variants=[
                {"when": ["cat"], "description": "Stroke it."},
                {"when": ["dog"], "description": "Walk it.", "easier": "Pat it.", "at": {}},
                {"when": ["cow"], "title": "Milk it"},
            ],
        )
        assert described(one, "the cat", energy=1) == "Stroke it."
        assert described(one, "the dog", energy=1) == "Pat it."
        assert described(one, "the cow", energy=1) == "The step's easy way."
        assert described(one, "the cat", time_of_day="evening") == "Stroke it. By lamplight."
        assert described(one, "the dog", time_of_day="evening") == "Walk it."

    def test_the_time_of_day_has_its_say(self) -> None:
        one = step(at={"morning": "Before breakfast."})
        assert described(one, time_of_day="morning") == "As ever. Before breakfast."
        assert described(one, time_of_day="evening") == "As ever."
        assert described(one) == "As ever."
