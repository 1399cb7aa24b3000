"""What people say of a recommendation: that nothing fits, or which workflow they took."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from core.catalogue import Catalogue
from core.errors import UnknownRecommendation, UnknownWorkflow
from core.recommend import Embedder, Reaction
from core.runtime import Runtime
from core.settings import Settings
from tests.asking import asked, rows, run, to_recommend
from tests.fakes import FakeClock


@pytest.fixture
def answer_id(runtime: Runtime) -> str:
    return asked(runtime, to_recommend("fix the login bug")).request_id


def said(runtime: Runtime) -> list[tuple[str, str, str, str | None]]:
    return [
        (row["kind"], row["request_id"], row["user_id"], row["workflow_id"])
        for row in rows(runtime.ledger, "feedback")
    ]


def test_of_a_new_answer_nothing_is_said_yet(runtime: Runtime, answer_id: str) -> None:
    assert runtime.feedback.reaction(answer_id, "ada") == Reaction("ada", False, None)
    assert runtime.feedback.owner(answer_id) == "ada"


def test_a_dismissal_is_recorded_once(runtime: Runtime, answer_id: str) -> None:
    for _ in range(3):
        runtime.feedback.dismiss(answer_id, "ada")
    assert said(runtime) == [("dismissed", answer_id, "ada", None)]
    assert runtime.feedback.reaction(answer_id, "ada") == Reaction("ada", True, None)


def test_the_last_choice_counts_and_the_same_again_writes_nothing(
    runtime: Runtime, answer_id: str
) -> None:
    taken = ["bug-fix", "bug-fix", "meal-planning", "bug-fix", "bug-fix"]
    for workflow_id in taken:
        runtime.feedback.choose(answer_id, "ada", workflow_id)
        assert runtime.feedback.reaction(answer_id, "ada").chosen == workflow_id
    assert [row[3] for row in said(runtime)] == ["bug-fix", "meal-planning", "bug-fix"]
    assert {row[0] for row in said(runtime)} == {"chosen"}


def test_every_workflow_of_the_catalogue_can_be_chosen(runtime: Runtime, answer_id: str) -> None:
    ids = [workflow.workflow_id for workflow in runtime.catalogue.workflows]
    for workflow_id in ids:
        runtime.feedback.choose(answer_id, "ada", workflow_id)
    assert [row[3] for row in said(runtime)] == ids


def test_a_dismissal_and_a_choice_stand_beside_each_other(
    runtime: Runtime, answer_id: str
) -> None:
    other = asked(runtime, to_recommend("plan my week")).request_id
    runtime.feedback.dismiss(answer_id, "ada")
    runtime.feedback.choose(answer_id, "ada", "self-care")
    runtime.feedback.dismiss(answer_id, "ada")
    assert runtime.feedback.reaction(answer_id, "ada") == Reaction("ada", True, "self-care")
    assert runtime.feedback.reaction(other, "ada") == Reaction("ada", False, None)
    assert [row[0] for row in said(runtime)] == ["dismissed", "chosen"]


def test_a_choice_counts_again_after_a_dismissal_and_a_dismissal_only_once(
    runtime: Runtime, answer_id: str
) -> None:
    runtime.feedback.choose(answer_id, "ada", "bug-fix")
    runtime.feedback.dismiss(answer_id, "ada")
    assert runtime.feedback.reaction(answer_id, "ada") == Reaction("ada", True, None)
    runtime.feedback.choose(answer_id, "ada", "bug-fix")
    runtime.feedback.dismiss(answer_id, "ada")
    assert runtime.feedback.reaction(answer_id, "ada") == Reaction("ada", True, "bug-fix")
    assert [row[0] for row in said(runtime)] == ["chosen", "dismissed", "chosen"]


@pytest.mark.parametrize("user_id", ["bob", "Ada", ""])
def test_an_answer_to_somebody_else_is_not_theirs_to_judge(
    runtime: Runtime, answer_id: str, user_id: str
) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: runtime.feedback.dismiss(answer_id, user_id),
        lambda: runtime.feedback.choose(answer_id, user_id, "bug-fix"),
        lambda: runtime.feedback.reaction(answer_id, user_id),
    )
    for act in acts:
        with pytest.raises(UnknownRecommendation):
            act()
    assert said(runtime) == []


def test_what_is_no_recommendation_is_refused_with_a_sentence(runtime: Runtime) -> None:
    execution_id = run(runtime).execution_id
    for request_id in (execution_id, "no such", ""):
        with pytest.raises(UnknownRecommendation, match=r"^This recommendation is not in .*\.$"):
            runtime.feedback.dismiss(request_id, "ada")
        with pytest.raises(UnknownRecommendation):
            runtime.feedback.owner(request_id)
    assert said(runtime) == []


def test_a_workflow_that_is_not_loaded_cannot_be_chosen(runtime: Runtime, answer_id: str) -> None:
    with pytest.raises(UnknownWorkflow):
        runtime.feedback.choose(answer_id, "ada", "no-such")
    runtime.catalogue = Catalogue(())
    with pytest.raises(UnknownWorkflow):
        runtime.feedback.choose(answer_id, "ada", "bug-fix")
    assert said(runtime) == []


def test_many_clicks_at_once_are_one_row_of_each_kind(runtime: Runtime, answer_id: str) -> None:
    barrier = Barrier(8)

    def click(number: int) -> None:
        barrier.wait()
        if number % 2:
            runtime.feedback.dismiss(answer_id, "ada")
        else:
            runtime.feedback.choose(answer_id, "ada", "bug-fix")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(click, range(8)))
    assert sorted(row[0] for row in said(runtime)) == ["chosen", "dismissed"]


def test_what_was_said_survives_a_restart(
    runtime: Runtime, settings: Settings, clock: FakeClock, embedder: Embedder, answer_id: str
) -> None:
    runtime.feedback.dismiss(answer_id, "ada")
    runtime.feedback.choose(answer_id, "ada", "self-care")
    runtime.drain()
    clock.set(clock.now() + timedelta(days=1))
    again = Runtime(settings, clock=clock, embedder=embedder)
    again.feedback.dismiss(answer_id, "ada")
    assert again.feedback.reaction(answer_id, "ada") == Reaction("ada", True, "self-care")
    assert len(rows(again.ledger, "feedback")) == 2
    again.drain()


def test_what_is_said_of_recommendations_is_no_rating_of_runs(
    runtime: Runtime, answer_id: str
) -> None:
    execution = run(runtime)
    runtime.feedback.dismiss(answer_id, "ada")
    runtime.feedback.choose(answer_id, "ada", execution.workflow_id)
    assert runtime.executor.execution(execution.execution_id).useful is None
    assert runtime.overviews.last(1, "UTC").today.ratings == 0
