"""What people chose is remembered for the next time: theirs, others', bounded, erasable."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from core.catalogue import DOMAINS, task_from
from core.recommend import (
    Embedder,
    LocalRanker,
    Memory,
    Profile,
    Recommendation,
    read_labelled,
)
from core.recommend import memory as memory_module
from core.runtime import Runtime
from core.settings import PROJECT, Settings
from tests.asking import UNLIMITED, asked, to_execute, to_recommend
from tests.fakes import FakeClock

FRIENDS = [f"friend of {domain}" for domain in DOMAINS]
ODD = "sync the notes"  # what it means only its person knows


@pytest.fixture
def desk(tmp_path: Path, embedder: Embedder) -> Iterator[Runtime]:
    opened = Runtime(
        Settings(data_dir=tmp_path / "data", limits=UNLIMITED),
        clock=FakeClock(),
        embedder=embedder,
    )
    opened.ranker()
    yield opened
    opened.drain()


@pytest.fixture
def memory(desk: Runtime, embedder: Embedder) -> Memory:
    return Memory(desk.ledger, embedder, lambda: desk.catalogue)


def choose(desk: Runtime, title: str, workflow_id: str, user_id: str = "ada") -> Recommendation:
    answer = asked(desk, to_recommend(title, user_id))
    take(desk, answer, title, workflow_id, user_id)
    return answer


def take(
    desk: Runtime, answer: Recommendation, title: str, workflow_id: str, user_id: str = "ada"
) -> None:
    request = replace(to_execute(title, workflow_id, user_id), recommendation_id=answer.request_id)
    started = desk.executor.start(request)
    assert isinstance(started, str)


def strongest(lean: dict[str, float]) -> str:
    return max(lean, key=lambda each: lean[each])


def test_nothing_chosen_leans_nowhere(memory: Memory) -> None:
    assert memory.lean("ada", ODD) == {}


def test_what_was_chosen_is_an_example_from_the_next_time_on(desk: Runtime) -> None:
    wanted = asked(desk, to_recommend(ODD)).suggestions[1].workflow_id
    choose(desk, ODD, wanted)
    desk.recommender.learn()
    again = asked(desk, to_recommend(ODD))
    assert again.suggestions[0].workflow_id == wanted
    near = asked(desk, to_recommend("sync my notes tonight"))
    assert near.suggestions[0].workflow_id == wanted


def test_a_choice_says_nothing_of_other_tasks(desk: Runtime, memory: Memory) -> None:
    choose(desk, ODD, "music-practice")
    memory.refresh()
    lean = memory.lean("ada", "pay the gas bill")
    # No more than the habit of taking it.
    assert lean == pytest.approx({"music-practice": 0.3 * 0.693147}, rel=1e-4)


def test_what_others_chose_counts_for_half(desk: Runtime, memory: Memory) -> None:
    choose(desk, ODD, "music-practice", "ada")
    memory.refresh()
    habit = 0.3 * 0.693147
    own = memory.lean("ada", ODD)["music-practice"] - habit
    assert own == pytest.approx(8.0, rel=1e-2)
    assert memory.lean("bob", ODD)["music-practice"] == pytest.approx(own / 2, rel=1e-2)


def test_choosing_again_within_one_answer_counts_against_the_first(
    desk: Runtime, memory: Memory
) -> None:
    answer = choose(desk, ODD, "music-practice")
    take(desk, answer, ODD, "writing-session")
    memory.refresh()
    lean = memory.lean("ada", ODD)
    assert strongest(lean) == "writing-session"
    assert lean["music-practice"] == pytest.approx(-4.0, rel=1e-2)


def test_none_of_these_counts_against_all_that_were_shown(desk: Runtime, memory: Memory) -> None:
    answer = asked(desk, to_recommend(ODD))
    desk.feedback.dismiss(answer.request_id, "ada")
    memory.refresh()
    lean = memory.lean("ada", ODD)
    assert lean == pytest.approx({each.workflow_id: -4.0 for each in answer.suggestions}, rel=1e-2)
    before = answer.suggestions[0].confidence
    desk.recommender.learn()
    assert asked(desk, to_recommend(ODD)).suggestions[0].confidence < before


def test_another_workflow_of_the_catalogue_can_be_learnt(desk: Runtime, memory: Memory) -> None:
    answer = asked(desk, to_recommend(ODD))
    shown = {each.workflow_id for each in answer.suggestions}
    other = next(w.workflow_id for w in desk.catalogue.workflows if w.workflow_id not in shown)
    desk.feedback.choose(answer.request_id, "ada", other)
    memory.refresh()
    assert strongest(memory.lean("ada", ODD)) == other


def test_a_favourite_domain_counts_a_little(desk: Runtime, memory: Memory) -> None:
    desk.profiles.save("ada", Profile(favourite_domains=("finance",)))
    memory.refresh()
    lean = memory.lean("ada", ODD)
    assert set(lean) == {w.workflow_id for w in desk.catalogue.workflows if w.domain == "finance"}
    assert set(lean.values()) == {0.3}
    assert memory.lean("bob", ODD) == {}


# --- switched off, forgotten, bounded


def test_who_switches_it_off_is_neither_learnt_from_nor_leant_for(
    desk: Runtime, memory: Memory
) -> None:
    choose(desk, ODD, "music-practice", "ada")
    memory.refresh()
    desk.profiles.save("ada", Profile(learns=False))
    memory.refresh()
    assert memory.lean("ada", ODD) == {}
    assert memory.lean("bob", ODD) == {}
    desk.profiles.save("ada", Profile(learns=True))
    memory.refresh()
    assert strongest(memory.lean("ada", ODD)) == "music-practice"


def test_what_is_forgotten_stays_forgotten_and_what_comes_after_is_learnt(
    desk: Runtime, memory: Memory, embedder: Embedder
) -> None:
    choose(desk, ODD, "music-practice")
    memory.refresh()
    desk.profiles.forget("ada")
    memory.refresh()
    assert memory.lean("ada", ODD) == memory.lean("bob", ODD) == {}
    fresh = Memory(desk.ledger, embedder, lambda: desk.catalogue)
    assert fresh.lean("ada", ODD) == {}  # as after a restart
    choose(desk, ODD, "writing-session")
    memory.refresh()
    assert strongest(memory.lean("ada", ODD)) == "writing-session"
    assert memory.lean("ada", ODD).get("music-practice") is None


def test_only_the_newest_are_remembered(
    desk: Runtime, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "REMEMBERED", 3)
    for title, workflow_id in (
        (ODD, "music-practice"),
        ("pay the gas bill", "bills-taxes"),
        ("mow the lawn", "home-errands"),
        ("run a 5k", "workout-routine"),
    ):
        choose(desk, title, workflow_id, user_id=title[:3])
    memory.refresh()
    assert memory.lean("bob", ODD) == {}
    assert strongest(memory.lean("bob", "mow the lawn")) == "home-errands"


def test_a_choice_of_somebody_elses_answer_is_not_learnt(desk: Runtime, memory: Memory) -> None:
    answer = asked(desk, to_recommend(ODD, "ada"))
    take(desk, answer, ODD, "music-practice", "eve")
    memory.refresh()
    assert memory.lean("ada", ODD) == {}


def test_only_a_new_choice_has_the_recommendations_read_again(
    desk: Runtime, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    table = desk.ledger.table

    def noted(sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        read.append(sql)
        return table(sql, parameters)

    def looks_at_recommendations() -> bool:
        read.clear()
        memory.refresh()
        return any("FROM recommendations" in sql or "JOIN recommendations" in sql for sql in read)

    choose(desk, ODD, "music-practice")
    memory.refresh()
    memory.refresh()  # now it asks from a minute before that choice
    monkeypatch.setattr(desk.ledger, "table", noted)
    assert not looks_at_recommendations()
    choose(desk, "mow the lawn", "home-errands", "bob")
    assert looks_at_recommendations()
    assert strongest(memory.lean("bob", "mow the lawn")) == "home-errands"


def test_it_survives_a_restart(desk: Runtime, embedder: Embedder) -> None:
    choose(desk, ODD, "music-practice")
    assert desk.jobs is not None
    fresh = Memory(desk.ledger, embedder, lambda: desk.catalogue)
    assert strongest(fresh.lean("ada", ODD)) == "music-practice"


# --- does it help? A replay of the labelled tasks


def replay(
    ranker: LocalRanker, desk: Runtime, memory: Memory, seed: int
) -> tuple[list[bool], list[bool], list[bool]]:
    """Whether the first suggestion is right: without, with in the first round, in the second.

    Each task is brought by the friend of its domain, who comes back with it.
    """
    tasks = [each for each in read_labelled(PROJECT / "data" / "labelled.jsonl") if each.accept]
    random.Random(seed).shuffle(tasks)  # noqa: S311 - an order, no secret
    tasks = tasks[:120]
    rounds: list[list[bool]] = [[], [], []]
    for number in range(2):
        for each in tasks:
            person = f"friend of {each.domain}"
            task = task_from(title=each.title)
            lean = memory.lean(person, each.title)
            right = ranker.rank(task, lean)[0].workflow.workflow_id in each.accept
            rounds[1 + number].append(right)
            if number == 0:
                plain = ranker.rank(task)[0].workflow.workflow_id in each.accept
                rounds[0].append(plain)
                choose(desk, each.title, each.accept[0], person)
                memory.refresh()
    return rounds[0], rounds[1], rounds[2]


def test_a_replay_of_our_own_tasks_shows_the_first_suggestion_more_often_right(
    ranker: LocalRanker, desk: Runtime, embedder: Embedder
) -> None:
    without = first = again = 0
    for seed in range(4):
        memory = Memory(desk.ledger, embedder, lambda: desk.catalogue)
        for name in FRIENDS:
            desk.profiles.forget(name)
        rounds = replay(ranker, desk, memory, seed)
        without, first, again = (
            total + sum(each) for total, each in zip((without, first, again), rounds, strict=True)
        )
    said = f"{without} right without memory, {first} with, {again} when they come again"
    sys.stdout.write(f"\nof 480: {said}\n")
    # New to all, a task gains nothing by chance; over both rounds more are right.
    assert first + again > 2 * without
    assert again >= 0.97 * 480
