"""Which requests reach a model, and what the ledger holds of those that do and do not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import Unavailable, WaywardenError
from core.execute import StepChange
from core.guard import Admission, Request
from core.jobs import Cancelled
from core.ledger import Ledger
from core.recommend import Embedder, Recommendation
from core.runtime import Runtime
from core.settings import SectionName, Settings
from tests.asking import UNLIMITED, asked, rows, run, to_execute, to_recommend
from tests.fakes import FakeClock
from tests.wire.answers import sensible
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.ollama_server import OllamaServer

HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
UNUSUAL = "zygomorphic quincunx"


class House:
    """A runtime whose Claude and Ollama are on this machine."""

    def __init__(self, runtime: Runtime, claude: AnthropicServer, ollama: OllamaServer) -> None:
        self.runtime = runtime
        self.claude = claude
        self.ollama = ollama

    def set(self, section: SectionName, **changes: Any) -> None:
        """Change settings as an operator does."""
        settings = self.runtime.operator_settings
        value = getattr(settings.stored, section).model_dump() | changes
        settings.save(
            section,
            value,
            actor="ann",
            reason="to test",
            expected_version=settings.number(section),
        )

    def ask(self, title: str = "fix the login bug", **more: Any) -> Recommendation:
        return asked(self.runtime, replace(to_recommend(title), **more))

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows(self.runtime.ledger, table)

    @property
    def served(self) -> int:
        return len(self.claude.served) + len(self.ollama.served)

    def holds(self, words: str) -> list[str]:
        """Return the tables of the ledger that hold some words, anywhere in a row."""
        tables = self.runtime.ledger.table(
            "SELECT table_name AS name FROM duckdb_tables() ORDER BY name"
        ).to_pylist()
        return [
            table["name"]
            for table in tables
            if words in repr(self.runtime.ledger.table(f"FROM {table['name']}").to_pylist())
        ]


@pytest.fixture
def house(settings: Settings, clock: FakeClock, embedder: Embedder) -> Iterator[House]:
    with AnthropicServer(answer=sensible) as claude, OllamaServer(answer=sensible) as ollama:
        known = settings.model_copy(
            update={
                "anthropic_api_key": SecretStr(KEY),
                "anthropic_base_url": claude.url,
                "ollama_host": ollama.url,
                "limits": UNLIMITED,
            }
        )
        runtime = Runtime(known, clock=clock, embedder=embedder)
        yield House(runtime, claude, ollama)
        runtime.drain()


# --- those that do


def test_a_model_recommends_and_the_ledger_has_where_it_is_from(house: House) -> None:
    answer = house.ask()
    (served,) = house.claude.served
    assert [each.reasoning for each in answer.suggestions] == [
        f"It is made for this: {each.workflow_id}." for each in answer.suggestions
    ]
    assert answer.suggestions[0].confidence == 0.83
    assert answer.is_own_claim
    assert (answer.source.provider, answer.source.model) == ("anthropic", HAIKU)
    (row,) = house.rows("recommendations")
    (call,) = house.rows("llm_calls")
    assert (row["ranker"], row["local_top"]) == ("model", "bug-fix")
    assert 0.5 < row["local_confidence"] <= 0.99
    offered, listed = json.loads(row["offered"]), served.body["messages"][0]["content"]
    assert len(offered) == len(house.runtime.catalogue.workflows)
    assert sorted(offered, key=lambda each: listed.index(f"{each} | ")) == offered
    (settled,) = house.rows("settlements")
    assert settled["cost_nano_usd"] == call["cost_nano_usd"] == answer.source.cost_nano_usd
    assert call["cost_nano_usd"] > 0
    assert house.runtime.recommender.recall(answer.request_id, "ada") == (
        answer,
        to_recommend("fix the login bug").task,
    )


def test_a_model_plans(house: House) -> None:
    execution = run(house.runtime)
    assert (execution.planner, len(execution.steps)) == ("model", 5)
    assert execution.source is not None
    assert (execution.source.model, execution.source.rung) == (SONNET, 1)
    assert house.claude.served[0].body["max_tokens"] == 4_096


def test_each_rung_asks_with_its_own_limits(house: House) -> None:
    house.set("ladder", rungs=("preferred", "ollama", "local"), retries=0)
    house.set(
        "providers",
        anthropic={"ranking_max_tokens": 700},
        ollama={"ranking_max_tokens": 300},
    )
    house.claude.script.extend(["overloaded"])
    answer = house.ask()
    assert (answer.source.provider, answer.source.rung) == ("ollama", 2)
    first, second = house.rows("llm_calls")
    assert (first["key_id"] is None, second["key_id"]) == (False, None)
    assert [call["gen_ai_request_max_tokens"] for call in (first, second)] == [700, 300]
    assert house.ollama.served[0].body["options"]["num_predict"] == 300
    assert [(fall.rung, fall.kind) for fall in answer.source.falls] == [(1, "overloaded")]


def test_a_change_of_settings_is_in_force_at_the_next_request(house: House) -> None:
    house.set("providers", anthropic={"ranking_model": SONNET})
    house.ask()
    house.set("privacy", ai_off=True)
    house.ask("plan my week")
    assert [served.body["model"] for served in house.claude.served] == [SONNET]


def test_a_second_click_waits_for_the_first_answer(house: House) -> None:
    house.claude.pause_s = 0.05
    request = to_recommend("fix the login bug", key="once")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: asked(house.runtime, request), range(4)))
    assert house.served == 1
    assert len({answer.request_id for answer in answers}) == 1
    assert all(answer.suggestions == answers[0].suggestions for answer in answers)


def test_a_question_that_is_given_up_ends_the_call_and_is_billed(house: House) -> None:
    house.claude.pause_s = 0.2
    stop = threading.Event()
    threading.Timer(0.6, stop.set).start()
    with pytest.raises(Cancelled):
        house.runtime.recommender.recommend(to_recommend("fix the login bug"), stop)
    assert house.claude.served[0].left.wait(5)
    (settled,) = house.rows("settlements")
    (call,) = house.rows("llm_calls")
    assert (settled["outcome"], call["outcome"]) == ("cancelled", "cancelled")
    assert settled["cost_nano_usd"] == call["cost_nano_usd"] > 0


@pytest.mark.parametrize("came_to", ["cancelled", "failed"])
def test_what_came_to_nothing_is_asked_again_as_a_request_of_its_own(
    came_to: str, house: House
) -> None:
    request = to_recommend("fix the login bug", key="once")
    if came_to == "cancelled":
        house.claude.pause_s = 0.2
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        with pytest.raises(Cancelled):
            house.runtime.recommender.recommend(request, stop)
        house.claude.pause_s = 0
    else:
        admission = house.runtime.gate.admit(request)
        assert isinstance(admission, Admission)
        house.runtime.gate.settle(admission, "failed", error_type="Test")
    answer = asked(house.runtime, request)
    assert answer.source.provider == "anthropic"
    assert len(house.rows("requests")) == len(house.rows("settlements")) == 2
    again = asked(house.runtime, request)
    assert again.request_id == answer.request_id
    assert len(house.claude.served) == (2 if came_to == "cancelled" else 1)


def test_what_stops_before_it_is_admitted_costs_nothing(house: House) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        house.runtime.recommender.recommend(to_recommend("fix the login bug"), stop)
    assert house.rows("requests") == []


def test_a_process_that_stops_ends_its_questions_and_bills_them(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    with AnthropicServer(answer=sensible) as claude:
        claude.pause_s = 0.5
        known = {"anthropic_api_key": SecretStr(KEY), "anthropic_base_url": claude.url}
        runtime = Runtime(settings.model_copy(update=known), clock=clock, embedder=embedder)
        with ThreadPoolExecutor(1) as threads:
            asking = threads.submit(
                runtime.recommender.recommend, to_recommend("fix the login bug")
            )
            claude.wait_until_served(1)
            runtime.drain()
            with pytest.raises(Cancelled):
                asking.result(5)
            with pytest.raises(Unavailable, match="stopping"):
                runtime.recommender.recommend(to_recommend("plan my week"))
    after = Ledger(settings.ledger_path)
    try:
        (call,) = rows(after, "llm_calls")
        (settled,) = rows(after, "settlements")
    finally:
        after.close()
    assert (call["outcome"], settled["outcome"]) == ("cancelled", "cancelled")
    assert settled["cost_nano_usd"] == call["cost_nano_usd"] > 0


def test_a_provider_whose_setup_fails_is_no_dead_end(house: House) -> None:
    def fails(user_id: str, aim: str) -> None:
        raise WaywardenError(f"No {aim} for {user_id}.")

    house.runtime.models.setup = fails  # type: ignore[method-assign]
    answer = house.ask()
    assert (answer.source.name, answer.source.reason) == ("local", "No rank for ada.")


# --- those that do not


@pytest.mark.parametrize("kind", ["marked", "word", "domain", "AI off"])
def test_what_is_sensitive_is_answered_here(kind: str, house: House) -> None:
    if kind == "word":
        house.set("privacy", words=("login*",))
    if kind == "domain":
        house.set("privacy", domains=("dev",))
    if kind == "AI off":
        house.set("privacy", ai_off=True)
    marked = kind == "marked"
    answer = house.ask(marked=marked)
    execution = run(house.runtime, replace(to_execute(), marked=marked))
    assert house.served == 0
    assert (answer.source.name, execution.planner) == ("local", "local")
    assert answer.source.reason
    assert execution.source is not None
    assert execution.source.reason == answer.source.reason
    sensitive = None if kind == "AI off" else kind
    assert [row["sensitive"] for row in house.rows("requests")] == [sensitive] * 2


def test_a_run_of_a_sensitive_answer_is_sensitive_whatever_its_caller_says(house: House) -> None:
    answer = house.ask(marked=True)
    request = replace(to_execute(), recommendation_id=answer.request_id)
    execution = run(house.runtime, request)
    assert execution.is_sensitive
    again = house.runtime.executor.again(execution.execution_id, "ada")
    assert again == execution.execution_id
    assert house.served == 0


def test_what_people_chose_counts_for_what_is_sensitive_too(house: House) -> None:
    """The domain is that of the answer that is given, with what was learnt in it."""
    title = "sort it out at last"
    house.set("privacy", ai_off=True)
    answer = house.ask(title)
    for _ in range(3):
        run(
            house.runtime,
            replace(to_execute(title, "self-care"), recommendation_id=answer.request_id),
        )
    house.runtime.recommender.learn()
    house.set("privacy", ai_off=False, domains=("health",), keep_text_of_sensitive=False)
    given = house.ask(title)
    assert given.suggestions[0].domain == "health"
    assert given.is_sensitive
    assert house.rows("requests")[-1]["sensitive"] == "domain"
    assert house.served == 0


def test_tasks_of_a_domain_that_became_sensitive_are_not_told_any_more(house: House) -> None:
    house.set("privacy", ai_off=True)
    execution = run(house.runtime)
    for number in range(1, len(execution.steps) + 1):
        change = StepChange(number, "done")
        house.runtime.executor.change_step(execution.execution_id, "ada", change)
    assert house.runtime.history.recent_tasks("ada") == ("fix the login bug",)
    house.set("privacy", ai_off=False, domains=("dev",))
    assert house.runtime.history.recent_tasks("ada") == ()


def test_a_sensitive_task_uses_nobodys_key(house: House) -> None:
    house.runtime.vault.store("ada", "anthropic", KEY, "ada")
    house.ask(marked=True)
    run(house.runtime, replace(to_execute(), marked=True))
    (entry,) = house.runtime.vault.listed("ada")
    assert entry.last_used is None


def test_sensitive_tasks_are_not_told_with_later_ones(house: House) -> None:
    execution = run(house.runtime, replace(to_execute(UNUSUAL), marked=True))
    for number in range(1, len(execution.steps) + 1):
        house.runtime.executor.change_step(
            execution.execution_id, "ada", StepChange(number, "done")
        )
    assert house.runtime.executor.execution(execution.execution_id).status == "completed"
    assert house.runtime.history.recent_tasks("ada") == ()


def test_words_that_are_not_kept_are_nowhere_in_the_ledger(house: House) -> None:
    house.set("privacy", keep_text_of_sensitive=False)
    task = to_recommend(
        f"fix the {UNUSUAL}", description=f"about {UNUSUAL}", recent_tasks=[f"the {UNUSUAL}"]
    ).task
    answer = asked(house.runtime, Request("recommend", "ada", task, marked=True))
    request = Request(
        "execute",
        "ada",
        task,
        workflow_id=answer.suggestions[0].workflow_id,
        recommendation_id=answer.request_id,
    )
    execution = run(house.runtime, request)
    house.runtime.recommender.learn()
    assert len(execution.steps) >= 3
    assert execution.task_title.startswith("Private task ")
    assert house.holds("zygomorphic") == house.holds("quincunx") == []
    assert house.served == 0
    recalled = house.runtime.recommender.recall(answer.request_id, "ada")
    assert recalled is not None
    assert recalled[0].is_sensitive


def test_what_is_sensitive_is_not_learnt_from(house: House) -> None:
    house.set("privacy", ai_off=True)
    for marked in (True, False):
        answer = house.ask("sort it out at last", marked=marked)
        second = answer.suggestions[1].workflow_id
        request = to_execute("sort it out at last", second)
        run(house.runtime, replace(request, recommendation_id=answer.request_id))
        house.runtime.recommender.learn()
        learnt = house.ask("sort it out at last").suggestions[0].workflow_id == second
        assert learnt is not marked


def test_the_local_ranker_answers_alone_where_it_is_sure_enough(house: House) -> None:
    house.set("ladder", cascade_at=0.9)
    sure = house.ask("fix the login bug")
    unsure = house.ask("think about the thing with the other thing")
    assert (sure.source.name, unsure.source.name) == ("local", "model")
    assert "sure enough" in (sure.source.reason or "")
    assert house.served == 1


def test_with_every_provider_down_everybody_gets_an_answer_in_time(house: House) -> None:
    house.claude.script.extend(["hangs_up"] * 500)
    house.ollama.script.extend(["hangs_up"] * 500)
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda n: house.ask(f"plan my week {n}", user_id=f"p{n}"), range(100))
        )
    slowest = max(answer.latency_ms for answer in answers)
    assert {answer.source.name for answer in answers} == {"local"}
    assert slowest < 60_000
    # An outage costs some calls, and not some for each request.
    assert house.served < 100


def test_500_tasks_that_no_model_may_see_open_no_connection(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def trapped(_: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("no connections here")

    monkeypatch.setattr(socket.socket, "connect", trapped)
    monkeypatch.setattr(socket.socket, "connect_ex", trapped)
    for number in range(250):
        house.ask(f"call the clinic about result {number}", marked=True)
    house.set("privacy", ai_off=True)
    for number in range(200):
        house.ask(f"plan week {number}")
    for _ in range(50):
        run(house.runtime)
    assert tried == []
    assert house.rows("llm_calls") == []
