"""Rankings by models: over the wire, under the real SDK, with every attempt in the ledger."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from core.catalogue import Catalogue, Task, task_from
from core.errors import CatalogueEmpty
from core.ledger import CurveFitted, Ledger
from core.llm import (
    Breakers,
    Calls,
    Claude,
    Connections,
    Ladder,
    ModelFailure,
    NoModelLeft,
    Ollama,
    Pacing,
    Price,
    Retry,
    Rung,
    Setup,
    Timing,
)
from core.recommend import (
    Asking,
    Confidence,
    Curves,
    LocalRanker,
    ModelRanker,
    ModelRanking,
    Ranked,
    Ranker,
    RankerName,
)
from core.recommend.model_prompt import PROMPT_VERSION, SYSTEM
from tests.asking import rows
from tests.fakes import FakeClock
from tests.hostile import HOSTILE
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.ollama_server import OllamaServer
from tests.wire.play import RatesForTests, cost_of

LOGIN = task_from(title="fix the login bug")
CLAIMS = (("bug-fix", 83), ("backend-api-feature", 9), ("code-refactor", 4))
Said = Callable[[dict[str, Any]], Any]


def an_answer(claims: Sequence[tuple[str, int]] = CLAIMS) -> dict[str, Any]:
    return {
        "workflows": [
            {"id": name, "reason": f"It is {name}.", "confidence": confidence}
            for name, confidence in claims
        ]
    }


def in_turn(*answers: Any) -> Said:
    """A model that gives these answers in turn, and the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class FixedRanker:
    """Ranks a catalogue as its files are ordered, each half as likely as the one before."""

    name, version = "fixed", "1"

    def __init__(self, catalogue: Catalogue) -> None:
        self._workflows = catalogue.workflows
        self.leans: list[Mapping[str, float] | None] = []

    def rank(self, task: Task, lean: Mapping[str, float] | None = None) -> list[Ranked]:
        self.leans.append(lean)
        return [
            Ranked(workflow, math.log(0.5**place), 0.1, 0.1, 0.0, task.title)
            for place, workflow in enumerate(self._workflows, start=1)
        ]


class House:
    """A ranker over Claude and Ollama, both on this machine, and what they were sent."""

    def __init__(self, catalogue: Catalogue, local: Ranker, ledger: Ledger) -> None:
        self.clock = FakeClock()
        self.claude = AnthropicServer(answer=in_turn(an_answer()))
        self.ollama = OllamaServer(answer=in_turn(an_answer()))
        self._catalogue, self._local, self._ledger = catalogue, local, ledger
        self.ranker = self.ranker_with(RatesForTests())
        self._rungs: list[Rung] = []
        self._retry = Retry(Breakers(), self.clock, Pacing(), Timing(chance=lambda: 0.0))

    def ranker_with(self, rates: RatesForTests) -> ModelRanker:
        return ModelRanker(
            catalogue=lambda: self._catalogue,
            calls=Calls(self._ledger, rates, self.clock),
            confidence=Confidence(self._ledger, Curves.load(), self.clock),
            chance=random.Random(5),  # noqa: S311 - repeatable, not secret
        )

    def open(self, connections: Connections) -> None:
        claude = Claude(KEY, self.claude.url, connections)
        self._rungs = [
            Rung(1, "claude-sonnet-5-5", claude, 600, "low", key_id="key-1"),
            Rung(2, "claude-haiku-5-5", claude, 600, "low", key_id="key-1"),
            Rung(3, "qwen3:8b", Ollama(self.ollama.url, connections)),
        ]

    def says(self, *answers: Any) -> None:
        self.claude._answer = in_turn(*answers)

    def rank(
        self, task: Task = LOGIN, lean: Mapping[str, float] | None = None, **more: Any
    ) -> ModelRanking:
        given: dict[str, Any] = {"allowed": lambda: None, **more}
        setup = Setup(Ladder(self._rungs, self._retry), given.pop("deadline_s", 10.0))
        ranking = self._local.rank(task, lean)
        return self.ranker.rank(task, ranking, setup, Asking("request-1", "ada", **given))

    def calls(self) -> list[dict[str, Any]]:
        return rows(self._ledger, "llm_calls")

    def bodies(self) -> list[dict[str, Any]]:
        return [served.body for served in self.claude.served]

    def users(self) -> list[str]:
        return [body["messages"][0]["content"] for body in self.bodies()]


def opened(house: House, connections: Connections) -> Iterator[House]:
    with house.claude, house.ollama:
        house.open(connections)
        yield house


@pytest.fixture
def house(
    catalogue: Catalogue, ranker: LocalRanker, ledger: Ledger, connections: Connections
) -> Iterator[House]:
    yield from opened(House(catalogue, ranker, ledger), connections)


@pytest.fixture
def crowded(
    catalogue: Catalogue, ledger: Ledger, connections: Connections
) -> Iterator[tuple[House, FixedRanker]]:
    """A catalogue of 60 workflows."""
    many = Catalogue(
        workflow.model_copy(update={"workflow_id": f"{workflow.workflow_id}-{copy}"})
        for copy in range(3)
        for workflow in catalogue.workflows[:20]
    )
    local = FixedRanker(many)
    for house in opened(House(many, local, ledger), connections):
        yield house, local


# --- answers


def test_the_models_ranking_comes_first_with_its_reasons_and_claims(house: House) -> None:
    ranking = house.rank()
    assert [
        (each.workflow.workflow_id, each.confidence, each.claimed, each.reason)
        for each in ranking.standings[:3]
    ] == [
        ("bug-fix", 0.83, 0.83, "It is bug-fix."),
        ("backend-api-feature", 0.09, 0.09, "It is backend-api-feature."),
        ("code-refactor", 0.04, 0.04, "It is code-refactor."),
    ]
    assert ranking.curve_id is None
    assert (ranking.source.provider, ranking.source.model, ranking.source.rung) == (
        "anthropic",
        "claude-sonnet-5-5",
        1,
    )
    assert (ranking.source.name, ranking.source.version) == (
        "model",
        f"model:claude-sonnet-5-5:{PROMPT_VERSION}",
    )
    assert (len(house.calls()), ranking.source.falls) == (1, ())


def test_the_rest_of_the_catalogue_follows_as_the_local_ranker_has_it(
    house: House, ranker: LocalRanker, catalogue: Catalogue
) -> None:
    ranking = house.rank()
    names = [each.workflow.workflow_id for each in ranking.standings]
    local = [ranked.workflow.workflow_id for ranked in ranker.rank(LOGIN)]
    assert sorted(names) == sorted(workflow.workflow_id for workflow in catalogue.workflows)
    assert names[3:] == [name for name in local if name not in names[:3]]
    sure = [each.confidence for each in ranking.standings]
    assert sure == sorted(sure, reverse=True)
    assert all(each.local is not None for each in ranking.standings)
    assert {(each.claimed, each.reason) for each in ranking.standings[3:]} == {(None, None)}


def test_what_the_local_ranker_is_sure_of_stays_below_what_the_model_chose(
    crowded: tuple[House, FixedRanker], catalogue: Catalogue
) -> None:
    house, _ = crowded
    last = [f"{workflow.workflow_id}-0" for workflow in catalogue.workflows[17:20]]
    house.says(an_answer([(last[0], 60), (last[1], 20), (last[2], 10)]))
    ranking = house.rank()
    assert [each.confidence for each in ranking.standings[:6]] == [0.6, 0.2, 0.1, 0.1, 0.1, 0.1]
    assert ranking.standings[6].confidence == 0.5**4


def test_the_attempt_is_a_row_with_the_prompts_version_and_what_it_cost(house: House) -> None:
    ranking = house.rank()
    (row,) = house.calls()
    assert (row["request_id"], row["user_id"], row["purpose"]) == ("request-1", "ada", "rank")
    assert (row["prompt_version"], row["key_id"]) == (PROMPT_VERSION, "key-1")
    truth = cost_of("claude-sonnet-5-5", house.claude.served[0])
    assert ranking.source.cost_nano_usd == row["cost_nano_usd"] == truth


def test_what_is_sent_is_the_rules_the_catalogue_and_the_task_as_data(
    house: House, catalogue: Catalogue
) -> None:
    ranking = house.rank()
    house.rank(task_from(title="plan my week"))
    first, second = house.bodies()
    assert first["system"] == second["system"]
    assert first["system"] == [
        {"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}
    ]
    assert first["output_config"]["format"] == second["output_config"]["format"]
    assert (first["max_tokens"], first["output_config"]["effort"]) == (600, "low")
    user = house.users()[0]
    assert user.count("fix the login bug") == 1
    assert '\n{"title": "fix the login bug"}\n' in user
    shown = [line.partition(" | ")[0] for line in user.splitlines() if " | " in line]
    assert tuple(shown) == ranking.offered
    assert set(shown) == {workflow.workflow_id for workflow in catalogue.workflows}
    assert ranking.offered != house.rank().offered


# --- large and small catalogues


def test_of_a_large_catalogue_the_model_sees_the_local_rankers_best(
    crowded: tuple[House, FixedRanker],
) -> None:
    house, local = crowded
    best = [ranked.workflow.workflow_id for ranked in local.rank(LOGIN)[:20]]
    house.says(an_answer([(best[7], 50), (best[0], 30), (best[19], 10)]))
    ranking = house.rank(lean={"bug-fix-0": 0.5})
    assert set(ranking.offered) == set(best)
    assert local.leans[-1] == {"bug-fix-0": 0.5}
    assert len(ranking.standings) == 60
    schema = json.dumps(house.bodies()[0]["output_config"]["format"]["schema"])
    assert f'"{best[19]}"' in schema
    assert '"bug-fix-2"' not in schema


def test_of_two_workflows_two_are_asked_for(
    catalogue: Catalogue, ledger: Ledger, connections: Connections
) -> None:
    two = Catalogue(catalogue.workflows[:2])
    ids = [workflow.workflow_id for workflow in two.workflows]
    for house in opened(House(two, FixedRanker(two), ledger), connections):
        house.says(an_answer([(ids[1], 70), (ids[0], 5)]))
        assert [each.workflow.workflow_id for each in house.rank().standings] == [ids[1], ids[0]]


def test_without_workflows_there_is_nothing_to_ask(
    ledger: Ledger, connections: Connections
) -> None:
    none = Catalogue([])
    for house in opened(House(none, FixedRanker(none), ledger), connections):
        with pytest.raises(CatalogueEmpty):
            house.rank()
        assert house.claude.served == []


# --- answers against the rules


def test_a_flawed_answer_is_sent_back_once_with_its_faults(house: House) -> None:
    flawed = an_answer([("bug-fix", 83), ("bug-fix", 120), ("rm-rf", 4)])
    house.says(flawed, an_answer())
    ranking = house.rank()
    assert ranking.source.rung == 1
    assert ranking.source.falls == ()
    assert [(row["outcome"], row["error_type"]) for row in house.calls()] == [
        ("failed", "invalid"),
        ("succeeded", None),
    ]
    first, again = house.users()
    assert again.startswith(first)
    assert "The `id` of workflow 2 occurs twice." in again
    assert "The `confidence` of workflow 2 is no whole number from 0 to 100." in again
    assert "The `id` of workflow 3 is not in the list." in again
    truth = sum(cost_of("claude-sonnet-5-5", served) for served in house.claude.served)
    assert ranking.source.cost_nano_usd == truth
    assert all(row["measured"] for row in house.calls())


def test_a_model_that_does_not_mend_it_falls_to_the_next(house: House) -> None:
    flawed = an_answer(CLAIMS[:2])
    house.says(flawed, flawed, an_answer())
    ranking = house.rank()
    assert (ranking.source.rung, ranking.source.model) == (2, "claude-haiku-5-5")
    assert ranking.source.version == f"model:claude-haiku-5-5:{PROMPT_VERSION}"
    assert [(fall.rung, fall.kind, fall.reason) for fall in ranking.source.falls] == [
        (1, "invalid", "The model’s ranking cannot be used. It has 2 workflows instead of 3.")
    ]
    assert "cannot be used" not in house.users()[2]


def test_a_provider_that_is_down_falls_to_ollama(house: House) -> None:
    house.claude.script.extend(["hangs_up"] * 9)
    ranking = house.rank()
    assert (ranking.source.provider, ranking.source.model, ranking.source.rung) == (
        "ollama",
        "qwen3:8b",
        3,
    )
    assert ranking.standings[0].workflow.workflow_id == "bug-fix"
    assert [fall.rung for fall in ranking.source.falls] == [1, 2]
    sent = house.ollama.served[0].body
    assert sent["messages"][0]["content"] == SYSTEM
    ids = sent["format"]["properties"]["workflows"]["items"]["properties"]["id"]["enum"]
    assert ids == sorted(ranking.offered)


def test_when_no_model_gives_a_ranking_it_is_said_why(house: House) -> None:
    house.says({"workflows": []})
    house.ollama._answer = in_turn({"workflows": []})
    with pytest.raises(NoModelLeft, match="It has 0 workflows instead of 3") as caught:
        house.rank()
    assert [fall.kind for fall in caught.value.falls] == ["invalid"] * 3
    assert len(caught.value.attempts) == len(house.calls()) == 6


def test_a_forbidden_task_is_not_sent(house: House) -> None:
    with pytest.raises(NoModelLeft, match="This task is sensitive"):
        house.rank(allowed=lambda: "This task is sensitive.")
    assert house.claude.served == house.ollama.served == []


def test_a_cancelled_ranking_ends(house: House) -> None:
    house.claude.script.append("silent")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(ModelFailure) as caught:
        house.rank(stop=stop)
    assert caught.value.kind == "cancelled"


def test_an_attempt_without_a_price_makes_the_cost_unknown(house: House, ledger: Ledger) -> None:
    class Unknown(RatesForTests):
        def cost(self, *_: object) -> Price:
            return Price(None, "unknown", "1")

    house.ranker = house.ranker_with(Unknown())
    assert house.rank().source.cost_nano_usd is None
    (row,) = rows(ledger, "llm_calls")
    assert row["cost_nano_usd"] is None


# --- hostile words


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_task_says_only_the_catalogue_is_recommended(
    text: str, house: House, catalogue: Catalogue
) -> None:
    """Also by a model that obeys: it answers with what the task tells it, and its rung falls."""
    known = {workflow.workflow_id for workflow in catalogue.workflows}

    def obey(body: dict[str, Any]) -> Any:
        assert text[:20] not in body["system"][0]["text"]
        return an_answer([("rm-rf", 100), (text, 100), ("evil-1", 100)])

    house.claude._answer = obey
    ranking = house.rank(task_from(title="help", description=text))
    assert (ranking.source.provider, ranking.source.rung) == ("ollama", 3)
    assert {each.workflow.workflow_id for each in ranking.standings} == known
    assert set(ranking.offered) == known
    schemas = [json.dumps(body["output_config"]["format"]) for body in house.bodies()]
    assert len(set(schemas)) == 1
    assert "rm-rf" not in schemas[0]


# --- confidence


def curve(ranker: str, version: str, clock: FakeClock) -> CurveFitted:
    return CurveFitted(
        ts=clock.now(),
        curve_id="curve-1",
        ranker=ranker,
        ranker_version=version,
        slope=0.5,
        intercept=-0.2,
        fitted_on=140,
        tested_on=60,
        log_loss_before=0.6,
        log_loss_after=0.5,
        adopted=True,
        reason="Better.",
    )


def test_a_curve_of_that_model_and_prompt_corrects_its_claims(
    house: House, ledger: Ledger
) -> None:
    ledger.write(curve("model", f"model:claude-sonnet-5-5:{PROMPT_VERSION}", house.clock))
    ranking = house.rank()
    logit = 0.5 * math.log(0.83 / 0.17) - 0.2
    first = ranking.standings[0]
    assert first.confidence == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)
    assert first.claimed == 0.83
    assert ranking.curve_id == "curve-1"
    sure = [each.confidence for each in ranking.standings]
    assert sure == sorted(sure, reverse=True)


@pytest.mark.parametrize(
    "version", ["model:claude-haiku-5-5:{}", "model:claude-sonnet-5-5:00000000"]
)
def test_a_curve_of_another_model_or_prompt_does_not(
    version: str, house: House, ledger: Ledger
) -> None:
    ledger.write(curve("model", version.format(PROMPT_VERSION), house.clock))
    assert house.rank().curve_id is None


def test_a_models_curve_is_fitted_once_enough_was_judged(house: House, ledger: Ledger) -> None:
    ranking = house.rank()
    confidence = Confidence(ledger, Curves.load(), house.clock)
    assert confidence.refit(RankerName(ranking.source.name, ranking.source.version)) is None
