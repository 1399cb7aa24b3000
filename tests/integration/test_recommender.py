"""Three ranked workflows for a task, and everything that was known when they were named."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import Catalogue, CodeContext, Task, Workflow, task_from
from core.errors import CatalogueEmpty, KeyReused, LedgerUnavailable
from core.guard import Denied
from core.recommend import (
    BANDS,
    FITS_FROM,
    Embedder,
    LocalRanker,
    Ranked,
    Recommendation,
    band_of,
)
from core.runtime import Runtime
from core.settings import Limits, Rule, Settings
from tests.asking import UNLIMITED, asked, rows, run, to_execute, to_recommend
from tests.fakes import FakeClock
from tests.recommending import local_recommender

NOTHING_FITS = (
    "qwertzuiop",
    "tell me a joke",
    "the capital of Mongolia",
    "who won the world cup in 1998",
    "??",
    "🚀🚀🚀",
)
TITLES = (
    "fix the login bug",
    "plan my week",
    "save for a laptop",
    "run a 5k before june",
    "learn enough Spanish for a holiday",
    "paint the fence",
    "add an endpoint for invoices",
    "lunch",
    *NOTHING_FITS,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Runtime]:
    """A runtime without limits, for the tests that only read what they asked themselves."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("desk"), limits=UNLIMITED)
    opened = Runtime(settings, clock=FakeClock(), embedder=embedder)
    yield opened
    opened.drain()


def row_of(runtime: Runtime, answer: Recommendation) -> dict[str, object]:
    (row,) = (
        row
        for row in rows(runtime.ledger, "recommendations")
        if row["request_id"] == answer.request_id
    )
    return row


# --- the answer


@pytest.mark.parametrize("title", TITLES)
def test_three_workflows_are_suggested_best_first(desk: Runtime, title: str) -> None:
    answer = asked(desk, to_recommend(title))
    confidences = [suggestion.confidence for suggestion in answer.suggestions]
    assert len({suggestion.workflow_id for suggestion in answer.suggestions}) == 3
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in confidences)
    for suggestion in answer.suggestions:
        workflow = desk.catalogue.get(suggestion.workflow_id)
        assert (suggestion.name, suggestion.icon, suggestion.domain) == (
            workflow.name,
            workflow.default_icon,
            workflow.domain,
        )
        assert suggestion.reasoning.endswith(".")
        assert suggestion.expected_steps >= 2
        assert suggestion.estimated_time_minutes >= 1


@pytest.mark.parametrize(
    ("title", "workflow_id"),
    [
        ("fix the login bug", "bug-fix"),
        ("plan my week", "daily-planning"),
        ("save for a laptop", "savings-goal"),
        ("  Fix   the LOGIN bug!! ", "bug-fix"),
    ],
)
def test_a_plain_task_gets_its_workflow_with_good_confidence(
    desk: Runtime, title: str, workflow_id: str
) -> None:
    answer = asked(desk, to_recommend(title))
    assert answer.suggestions[0].workflow_id == workflow_id
    assert answer.suggestions[0].confidence >= 0.7
    assert not answer.nothing_fits


@pytest.mark.parametrize("title", NOTHING_FITS)
def test_nothing_fits_is_said_when_the_best_is_below_one_half(desk: Runtime, title: str) -> None:
    answer = asked(desk, to_recommend(title))
    assert answer.suggestions[0].confidence < FITS_FROM == 0.5
    assert answer.nothing_fits
    assert row_of(desk, answer)["nothing_fits"] is True


def test_confidences_have_words() -> None:
    assert [band_of(least) for least, _ in BANDS] == [word for _, word in BANDS]
    assert [band_of(c) for c in (1.0, 0.9, 0.899, 0.7, 0.5, 0.499, 0.3, 0.299, 0.0)] == [
        "excellent",
        "excellent",
        "good",
        "good",
        "moderate",
        "weak",
        "weak",
        "poor",
        "poor",
    ]


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"energy": 1, "hours": 0.5, "time_of_day": "evening"},
        {"energy": 3, "hours": 4.0, "time_of_day": "morning", "recent_tasks": ("reproduce it",)},
    ],
)
def test_the_steps_and_minutes_that_are_named_are_those_of_the_plan(
    desk: Runtime, context: dict[str, Any]
) -> None:
    answer = asked(desk, to_recommend("fix the login bug", **context))
    for suggestion in answer.suggestions:
        request = to_execute("fix the login bug", suggestion.workflow_id, **context)
        execution = run(desk, request)
        minutes = execution.planned_minutes + execution.break_minutes + execution.buffer_minutes
        assert (len(execution.steps), minutes) == (
            suggestion.expected_steps,
            suggestion.estimated_time_minutes,
        )


# --- what ranks


CONTEXTS: tuple[dict[str, object], ...] = (
    {"energy": 1},
    {"energy": 3},
    {"hours": 0.25},
    {"hours": 24.0},
    {"time_of_day": "morning"},
    {"time_of_day": "evening"},
    {"priority": "high"},
    {"recent_tasks": ("plan my week", "fix the login bug", "buy milk")},
    {"code_context": CodeContext(tests_failing=3, recent_files=("auth.py",))},
    {"energy": 1, "hours": 0.5, "time_of_day": "evening", "recent_tasks": ("yoga",)},
)


@pytest.mark.parametrize("title", TITLES)
def test_the_circumstances_never_change_order_or_confidence(desk: Runtime, title: str) -> None:
    plain = desk.recommender.rank(task_from(title=title))
    for context in CONTEXTS:
        assert desk.recommender.rank(task_from(title=title, **context)) == plain


def test_the_circumstances_change_steps_minutes_and_the_reasons_words(desk: Runtime) -> None:
    usual = asked(desk, to_recommend("fix the login bug"))
    hurried = asked(
        desk, to_recommend("fix the login bug", energy=1, hours=0.5, time_of_day="evening")
    )
    assert [each.workflow_id for each in usual.suggestions] == [
        each.workflow_id for each in hurried.suggestions
    ]
    for before, after in zip(usual.suggestions, hurried.suggestions, strict=True):
        assert after.confidence == before.confidence
        assert after.expected_steps < before.expected_steps
        assert after.estimated_time_minutes <= 30 < before.estimated_time_minutes
        assert "low energy" in after.reasoning
        assert "evening" in after.reasoning
        assert "low energy" not in before.reasoning


def order(ranking: list[Ranked]) -> list[str]:
    return [ranked.workflow.workflow_id for ranked in ranking]


def test_the_description_breaks_a_tie(catalogue: Catalogue, embedder: Embedder) -> None:
    ranker = LocalRanker(catalogue, embedder)  # no training moves its ties
    title = "whittle a spoon"
    first, second, third = ranker.rank(task_from(title=title))[:3]
    assert first.score - second.score < 0.05 < second.score - third.score
    cooking = task_from(title=title, description="Then cook soup for dinner and eat with it.")
    chores = task_from(title=title, description="A repair for the house: mend, glue and sand it.")
    assert order(ranker.rank(cooking))[:2] == ["meal-planning", "home-errands"]
    assert order(ranker.rank(chores))[:2] == ["home-errands", "meal-planning"]


@pytest.mark.parametrize("title", TITLES)
def test_the_description_breaks_nothing_but_ties(
    ranker: LocalRanker, catalogue: Catalogue, title: str
) -> None:
    plain = ranker.rank(task_from(title=title))
    score = {ranked.workflow.workflow_id: ranked.score for ranked in plain}
    last = catalogue.get(plain[-1].workflow.workflow_id)
    misleading = task_from(title=title, description=f"{last.name}. {last.description}")
    reordered = order(ranker.rank(misleading))
    for place, better in enumerate(reordered):
        for worse in reordered[place + 1 :]:
            assert score[worse] - score[better] <= 0.05


def test_a_title_with_nothing_to_say_still_gets_an_order(ranker: LocalRanker) -> None:
    for title in ("the", "!", "x" * 200, "日本語", "\N{HANGUL FILLER}"):
        assert len(ranker.rank(task_from(title=title))) == 24


def test_ranks_are_the_same_from_8_threads(ranker: LocalRanker) -> None:
    tasks = [task_from(title=f"{title} {number}") for number in range(3) for title in TITLES]
    alone = [ranker.rank(task) for task in tasks]
    together: list[list[list[Ranked]]] = []
    barrier = threading.Barrier(8)

    def rank_all() -> None:
        barrier.wait()
        together.append([ranker.rank(task) for task in tasks])

    threads = [threading.Thread(target=rank_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 8


# --- a catalogue that is not the shipped one


def bare(workflow: Workflow, **changed: object) -> Workflow:
    return workflow.model_copy(update={"examples": (), **changed})


def test_a_workflow_without_examples_counts_by_its_name_and_description(
    catalogue: Catalogue, embedder: Embedder
) -> None:
    bees = bare(
        catalogue.get("home-errands"),
        workflow_id="beekeeping",
        name="Beekeeping",
        description="Look after honey bees: inspect the hive, treat mites, harvest honey.",
    )
    ranker = LocalRanker(Catalogue([*catalogue.workflows, bees]), embedder)
    for title in ("inspect the beehive", "harvest the honey", "treat the bees against mites"):
        assert order(ranker.rank(task_from(title=title)))[0] == "beekeeping"
    assert order(ranker.rank(task_from(title="fix the login bug")))[0] == "bug-fix"


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_workflows_are_all_suggested(
    catalogue: Catalogue, embedder: Embedder, desk: Runtime, count: int
) -> None:
    few = Catalogue([bare(workflow) for workflow in catalogue.workflows[:count]])
    recommender = local_recommender(
        gate=desk.gate,
        ledger=desk.ledger,
        jobs=desk.jobs,
        clock=desk.clock,
        catalogue=few,
        embedder=embedder,
        ranker=lambda: LocalRanker(few, embedder),
    )
    request = to_recommend("fix the login bug")
    answer = recommender.recommend(request)
    assert isinstance(answer, Recommendation)
    assert len(answer.suggestions) == count
    assert recommender.recall(answer.request_id, "ada") == (answer, request.task)


def test_an_empty_catalogue_is_said_in_a_sentence_and_nothing_is_charged(
    settings: Settings, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runtime.WORKFLOWS", tmp_path / "none")
    runtime = Runtime(settings, embedder=embedder)
    with pytest.raises(CatalogueEmpty, match=r"^No workflow is loaded; .*\.$"):
        runtime.recommender.recommend(to_recommend("fix the login bug"))
    assert rows(runtime.ledger, "requests") == []
    runtime.drain()


# --- the rows


def test_ten_candidates_are_kept_with_scores_and_propensities(desk: Runtime) -> None:
    request = to_recommend("fix the login bug", description="It times out.", energy=3, hours=2.0)
    answer = asked(desk, request)
    row = row_of(desk, answer)
    ranking, confidences = desk.recommender.rank(request.task)
    candidates = json.loads(str(row["candidates"]))
    assert [each["workflow_id"] for each in candidates] == order(ranking)[:10]
    assert [each["confidence"] for each in candidates] == confidences
    for each, ranked in zip(candidates, ranking, strict=False):
        for part in ("score", "centroid", "examples", "bm25"):
            assert each[part] == pytest.approx(getattr(ranked, part), abs=1e-6)
    # What is shown had to be shown: the ranking is deterministic.
    assert [each["propensity"] for each in candidates] == [1.0] * 3 + [0.0] * 7
    assert (row["ranker"], row["ranker_version"]) == (LocalRanker.name, desk.ranker().version)
    assert (row["top_workflow_id"], row["top_confidence"]) == (
        answer.suggestions[0].workflow_id,
        answer.suggestions[0].confidence,
    )
    assert row["user_id"] == "ada"
    assert json.loads(str(row["shown"])) == [
        {
            "workflow_id": each.workflow_id,
            "steps": each.expected_steps,
            "minutes": each.estimated_time_minutes,
            "reason": each.reasoning,
        }
        for each in answer.suggestions
    ]


def test_a_question_is_one_request_one_recommendation_one_settlement(runtime: Runtime) -> None:
    answer = asked(runtime, to_recommend("fix the login bug"))
    for table in ("requests", "recommendations", "settlements"):
        (row,) = rows(runtime.ledger, table)
        assert row["request_id"] == answer.request_id
    assert rows(runtime.ledger, "settlements")[0]["outcome"] == "succeeded"


def test_a_key_sent_again_gives_the_same_answer_and_writes_nothing(runtime: Runtime) -> None:
    first = asked(runtime, to_recommend("fix the login bug", key="k"))
    assert [asked(runtime, to_recommend("fix the login bug", key="k")) for _ in range(3)] == [
        first
    ] * 3
    for table in ("requests", "recommendations", "settlements"):
        assert len(rows(runtime.ledger, table)) == 1
    with pytest.raises(KeyReused):
        runtime.recommender.recommend(to_recommend("plan my week", key="k"))


def test_one_key_from_16_threads_writes_once(runtime: Runtime) -> None:
    answers: list[Recommendation] = []
    barrier = threading.Barrier(16)

    def ask() -> None:
        barrier.wait()
        answers.append(asked(runtime, to_recommend("fix the login bug", key="k")))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 16
    assert len({(answer.request_id, answer.suggestions) for answer in answers}) == 1
    for table in ("requests", "recommendations", "settlements"):
        assert len(rows(runtime.ledger, table)) == 1


def test_a_denied_question_is_recorded_and_not_answered(runtime: Runtime) -> None:
    rule = Rule(limit=1, window_s=60)
    runtime.gate.limits = Limits(
        per_user={"execute": (), "recommend": (rule,)},
        deployment={"execute": (), "recommend": ()},
    )
    asked(runtime, to_recommend("fix the login bug"))
    denied = runtime.recommender.recommend(to_recommend("plan my week"))
    assert isinstance(denied, Denied)
    assert denied.rule_name == "user:recommend:1/minute"
    assert [row["decision"] for row in rows(runtime.ledger, "requests")] == ["admitted", "denied"]
    assert len(rows(runtime.ledger, "recommendations")) == 1
    assert len(rows(runtime.ledger, "settlements")) == 1


class BrokenRanker:
    """A ranker that always raises."""

    name = "broken"
    version = "1"

    def rank(self, task: Task, lean: Mapping[str, float] | None = None) -> list[Ranked]:
        del lean
        raise ZeroDivisionError(task.title)


def test_a_ranker_that_raises_is_settled_as_failed(runtime: Runtime, embedder: Embedder) -> None:
    recommender = local_recommender(
        gate=runtime.gate,
        ledger=runtime.ledger,
        jobs=runtime.jobs,
        clock=runtime.clock,
        catalogue=runtime.catalogue,
        embedder=embedder,
        ranker=BrokenRanker,
    )
    with pytest.raises(ZeroDivisionError):
        recommender.recommend(to_recommend("fix the login bug"))
    (settlement,) = rows(runtime.ledger, "settlements")
    assert (settlement["outcome"], settlement["error_type"]) == ("failed", "ZeroDivisionError")
    assert rows(runtime.ledger, "recommendations") == []


def test_a_ledger_that_cannot_be_written_gives_no_answer(runtime: Runtime) -> None:
    runtime.ranker()
    runtime.ledger.close()
    with pytest.raises(LedgerUnavailable):
        runtime.recommender.recommend(to_recommend("fix the login bug"))
    assert [usage.used for usage in runtime.gate.usage("ada", "recommend")] == [0, 0, 0]


# --- recalling an answer


@pytest.mark.parametrize("title", TITLES)
def test_a_recalled_answer_is_the_answer_that_was_given(desk: Runtime, title: str) -> None:
    request = to_recommend(
        title,
        description="Two lines\nof it.",
        priority="high",
        energy=1,
        time_of_day="evening",
        hours=1.5,
        recent_tasks=("ünïcode “quoted”", "two"),
        code_context=CodeContext(tests_failing=2, recent_files=("a.py",), current_branch="main"),
    )
    answer = asked(desk, request)
    assert desk.recommender.recall(answer.request_id, "ada") == (answer, request.task)


def test_another_person_cannot_recall_an_answer(runtime: Runtime) -> None:
    answer = asked(runtime, to_recommend("fix the login bug"))
    for other in ("bob", "Ada", "", "ada' OR '1'='1"):
        assert runtime.recommender.recall(answer.request_id, other) is None
    assert runtime.recommender.recall("no such answer", "ada") is None


def test_an_answer_survives_a_restart(
    runtime: Runtime, settings: Settings, embedder: Embedder
) -> None:
    answer = asked(runtime, to_recommend("fix the login bug", key="k"))
    runtime.drain()
    again = Runtime(settings, clock=runtime.clock, embedder=embedder)
    recalled = again.recommender.recall(answer.request_id, "ada")
    assert recalled is not None
    assert recalled[0] == answer
    assert asked(again, to_recommend("fix the login bug", key="k")) == answer
    again.drain()


def test_an_answer_is_recalled_without_the_workflows_that_are_gone(
    runtime: Runtime, catalogue: Catalogue
) -> None:
    answer = asked(runtime, to_recommend("fix the login bug"))
    ids = [suggestion.workflow_id for suggestion in answer.suggestions]
    runtime.catalogue = Catalogue(
        workflow for workflow in catalogue.workflows if workflow.workflow_id != ids[0]
    )
    recalled = runtime.recommender.recall(answer.request_id, "ada")
    assert recalled is not None
    assert recalled[0].suggestions == answer.suggestions[1:]
    runtime.catalogue = Catalogue(
        workflow for workflow in catalogue.workflows if workflow.workflow_id not in ids
    )
    assert runtime.recommender.recall(answer.request_id, "ada") is None
