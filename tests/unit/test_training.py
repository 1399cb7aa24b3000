"""Training: the same input gives the same arrays, and what is new competes fairly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from core.catalogue import Catalogue, Workflow, task_from
from core.errors import InvalidInput
from core.recommend import (
    Curves,
    Embedder,
    Head,
    LocalRanker,
    Phrase,
    phrases_in,
    train,
)

IDS = ("bug-fix", "meal-planning", "savings-goal")


@pytest.fixture(scope="module")
def few(catalogue: Catalogue) -> Catalogue:
    return Catalogue([catalogue.get(each) for each in IDS])


@pytest.fixture(scope="module")
def phrases() -> list[Phrase]:
    """Forty phrases of each of three workflows and forty that none serves, of all files."""
    every = phrases_in()
    of_each = [[each for each in every if each.workflow == wanted] for wanted in (*IDS, "")]
    return [phrase for own in of_each for phrase in own[:: len(own) // 40][:40]]


@pytest.fixture(scope="module")
def trained(few: Catalogue, embedder: Embedder, phrases: Sequence[Phrase]) -> tuple[Head, Curves]:
    return train(few, embedder, phrases, "these files")


def test_the_same_input_gives_the_same_arrays(
    few: Catalogue,
    embedder: Embedder,
    phrases: Sequence[Phrase],
    trained: tuple[Head, Curves],
) -> None:
    head, curves = train(few, embedder, phrases, "these files")
    for field in fields(head):
        assert np.array_equal(getattr(head, field.name), getattr(trained[0], field.name))
    assert curves == trained[1]
    assert head.came_from == "these files"


def test_a_head_knows_its_workflows_and_none(
    trained: tuple[Head, Curves], phrases: Sequence[Phrase]
) -> None:
    head, curves = trained
    assert head.classes.tolist() == [*IDS, ""]
    assert [each.ranker for each in curves.curves] == ["local", "local"]
    assert curves.of("local", f"2.{head.checksum[:8]}").rows == sum(
        phrase.natural for phrase in phrases
    )


def test_a_trained_ranker_tells_what_nothing_serves_from_the_rest(
    few: Catalogue, embedder: Embedder, trained: tuple[Head, Curves]
) -> None:
    ranker = LocalRanker(few, embedder, trained[0])
    for title, workflow_id in (("the app crashes on start", "bug-fix"), ("soup", "meal-planning")):
        ranking = ranker.rank(task_from(title=title))
        assert ranking[0].workflow.workflow_id == workflow_id
        assert np.exp([each.score for each in ranking]).sum() > 0.5
    nothing = ranker.rank(task_from(title="what time is it in Oslo"))
    assert np.exp([each.score for each in nothing]).sum() < 0.5


def test_a_phrase_of_a_workflow_that_is_not_loaded_is_refused(
    few: Catalogue, embedder: Embedder
) -> None:
    with pytest.raises(InvalidInput, match="No workflow is called sail-the-seas"):
        train(few, embedder, [Phrase(title="a", workflow="sail-the-seas")], "")


@pytest.mark.parametrize("line", ["{", '{"title": "a"}', '{"title": 3, "workflow": ""}', "[]"])
def test_a_line_that_is_no_phrase_is_named(line: str, tmp_path: Path) -> None:
    good = '{"title": "a", "workflow": ""}\n'
    (tmp_path / "own.jsonl").write_text(f"{good}{line}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"own\.jsonl, line 2"):
        phrases_in(tmp_path)


def test_a_folder_without_phrases_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no phrases"):
        phrases_in(tmp_path)


def test_each_training_phrase_is_of_a_workflow_or_of_none_and_comes_once(
    catalogue: Catalogue,
) -> None:
    every = phrases_in()
    known = {each.workflow_id for each in catalogue.workflows} | {""}
    assert {each.workflow for each in every} == known
    titles = [each.title.casefold() for each in every]
    assert len(set(titles)) == len(titles)
    assert sum(each.workflow == "" for each in every) >= 150


# --- a workflow that the head has never seen


@pytest.fixture
def beekeeping(catalogue: Catalogue) -> Workflow:
    return catalogue.get("home-errands").model_copy(
        update={
            "workflow_id": "beekeeping",
            "name": "Beekeeping",
            "description": "Look after honey bees: inspect hives, treat mites, harvest honey.",
            "examples": (
                "inspect the hive",
                "varroa treatment in august",
                "harvest honey from two supers",
                "requeen the weak colony",
                "order frames and foundation",
                "feed the bees before winter",
                "swarm in the neighbour's tree",
                "clean the smoker and suit",
                "split the strong colony",
                "bottle and label the honey",
            ),
        }
    )


def test_a_workflow_added_a_minute_ago_is_found_by_ten_examples(
    catalogue: Catalogue, embedder: Embedder, beekeeping: Workflow
) -> None:
    ranker = LocalRanker(Catalogue([*catalogue.workflows, beekeeping]), embedder, Head.load())
    curve = Curves.load().of(ranker.name, ranker.version)
    rankings = [
        ranker.rank(task_from(title=title))
        for title in (
            "look into the hives on sunday",
            "treat the bees against mites",
            "catch the swarm",
            "jars for this year's honey",
            "buy a new queen for colony 3",
            "sugar syrup for the bees",
        )
    ]
    found = [ranking[0].workflow.workflow_id for ranking in rankings]
    assert found.count("beekeeping") >= 5  # buying is an errand too
    # The head knows nothing of bees, so nearness alone has to speak against "nothing fits".
    sure = [curve.confidences(ranking, 1)[0] for ranking in rankings]
    assert np.mean(sure) >= 0.5


def test_an_added_workflow_takes_nothing_from_the_others(
    catalogue: Catalogue, embedder: Embedder, ranker: LocalRanker, beekeeping: Workflow
) -> None:
    head = Head.load()
    more = LocalRanker(Catalogue([*catalogue.workflows, beekeeping]), embedder, head)
    for workflow in catalogue.workflows:
        for title in workflow.examples[:3]:
            task = task_from(title=title)
            assert more.rank(task)[0].workflow == ranker.rank(task)[0].workflow
