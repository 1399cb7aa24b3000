"""Reasons: whatever they quote is really there, and they say what the circumstances did."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from core.catalogue import Catalogue, Task, Workflow, content_stems, stem, task_from, words_of
from core.recommend import Ranked, Ranker, read_labelled
from core.recommend.reason import reason_for
from core.settings import PROJECT

QUOTED = re.compile("“([^”]*)”")
PLACES = re.compile("^(.*) (?:is|are) in its (examples|description|name); the closest is ")


@dataclass(frozen=True)
class Size:
    """What a planner says of a plan."""

    steps: int = 6
    minutes: int = 90
    notes: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def reasons(remembering_ranker: Ranker) -> list[tuple[Task, Ranked, str]]:
    """The reasons of the first three places of every labelled task."""
    return [
        (task, ranked, reason_for(task, ranked, Size()))
        for row in read_labelled(PROJECT / "data" / "labelled.jsonl")
        for task in [task_from(title=row.title, description=row.description)]
        for ranked in remembering_ranker.rank(task)[:3]
    ]


def text_at(workflow: Workflow, place: str) -> str:
    return {
        "examples": " ".join(workflow.examples),
        "description": workflow.description,
        "name": workflow.name,
    }[place]


def test_everything_quoted_occurs_in_the_title_or_the_workflow(
    reasons: list[tuple[Task, Ranked, str]],
) -> None:
    assert len(reasons) > 1_000
    for task, ranked, reason in reasons:
        own = (ranked.workflow.name, *ranked.workflow.examples)
        for quoted in QUOTED.findall(reason):
            assert quoted in own or quoted in words_of(task.title), reason


def test_a_word_said_to_be_somewhere_is_there_by_its_stem(
    reasons: list[tuple[Task, Ranked, str]],
) -> None:
    found = 0
    for task, ranked, reason in reasons:
        if said := PLACES.match(reason):
            words, place = QUOTED.findall(said.group(1)), said.group(2)
            known = content_stems(text_at(ranked.workflow, place))
            assert 1 <= len(words) <= 3
            assert all(word in words_of(task.title) for word in words), reason
            assert all(stem(word) in known for word in words), reason
            found += 1
    assert found > 500


def test_no_word_in_common_is_said_only_when_it_is_so(
    reasons: list[tuple[Task, Ranked, str]],
) -> None:
    found = 0
    for task, ranked, reason in reasons:
        if reason.startswith("No word in common"):
            text = " ".join(text_at(ranked.workflow, place) for place in ("examples", "name"))
            known = content_stems(f"{text} {ranked.workflow.description}")
            assert not content_stems(task.title) & known, reason
            found += 1
    assert found > 20


def test_the_nearest_example_is_the_nearest_one(
    reasons: list[tuple[Task, Ranked, str]],
) -> None:
    for _, ranked, reason in reasons:
        workflow = ranked.workflow
        if ranked.closest in workflow.examples:
            assert f"“{ranked.closest}”" in reason
        elif ranked.closest == workflow.name:
            assert f"its name, “{workflow.name}”" in reason
        else:
            assert "its description" in reason


def test_a_reason_is_one_or_two_short_sentences(reasons: list[tuple[Task, Ranked, str]]) -> None:
    for _, _, reason in reasons:
        assert reason == reason.strip()
        assert reason.endswith(".")
        assert "  " not in reason
        assert len(reason) <= 400


def ranked_for(catalogue: Catalogue, closest: str) -> Ranked:
    return Ranked(catalogue.get("bug-fix"), 5.0, 0.5, 0.5, 2.0, closest)


def test_words_of_the_closest_example_are_named_first(catalogue: Catalogue) -> None:
    closest = "login button does nothing on safari"
    task = task_from(title="Flaky checkout in the cart, and the login button on Safari")
    reason = reason_for(task, ranked_for(catalogue, closest), Size())
    assert reason == (
        "“login”, “button” and “safari” are in its examples; "
        "the closest is “login button does nothing on safari”."
    )


def test_the_same_task_is_said_to_be_the_same(catalogue: Catalogue) -> None:
    closest = "login button does nothing on safari"
    reason = reason_for(
        task_from(title="The LOGIN button does nothing in Safari!"),
        ranked_for(catalogue, closest),
        Size(),
    )
    assert reason == f"Its example “{closest}” is the same task."


@pytest.mark.parametrize(
    ("closest", "said"),
    [
        ("Bug fix", "its name, “Bug fix”."),
        (None, "its description."),
        ("flaky checkout test", "“flaky checkout test”."),
    ],
)
def test_without_a_common_word_the_nearness_is_said(
    catalogue: Catalogue, closest: str | None, said: str
) -> None:
    workflow = catalogue.get("bug-fix")
    ranked = ranked_for(catalogue, closest or workflow.description)
    reason = reason_for(task_from(title="日本語"), ranked, Size())
    assert reason == f"No word in common, but near in meaning to {said}"


@pytest.mark.parametrize(
    ("fields", "size", "said"),
    [
        ({}, Size(), ""),
        ({"energy": 1}, Size(), "Lighter steps for low energy."),
        ({"energy": 3}, Size(), "Longer stretches for high energy."),
        ({"time_of_day": "evening"}, Size(), "Demanding parts shortened for the evening."),
        ({"time_of_day": "morning"}, Size(), ""),
        ({"hours": 2}, Size(minutes=120, notes=("x",)), "Fitted into 2 h, 1 step left out."),
        (
            {"hours": 0.5},
            Size(minutes=30, notes=("x", "y")),
            "Fitted into 0.5 h, 2 steps left out.",
        ),
        ({"hours": 8}, Size(minutes=60), ""),
    ],
)
def test_the_circumstances_are_said_in_a_second_sentence(
    catalogue: Catalogue, fields: dict[str, object], size: Size, said: str
) -> None:
    task = task_from(title="日本語", **fields)
    reason = reason_for(task, ranked_for(catalogue, "flaky checkout test"), size)
    first = "No word in common, but near in meaning to “flaky checkout test”."
    assert reason == f"{first} {said}".strip()
