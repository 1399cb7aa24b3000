"""How a deployment is: what is set up, who answers, who is left alone, and which part is ill."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import HeadUnusable
from core.health import ProviderHealth, ProviderState, parts_of, providers_of
from core.jobs import Job
from core.llm import Breakers
from core.recommend import Embedder, Head
from core.runtime import Runtime
from core.settings import Privacy, Settings
from tests.calling import OLLAMA, a_call, failed
from tests.fakes import FakeClock

KEY = "sk-ant-api03-" + "k" * 30


@pytest.fixture
def set_up(settings: Settings, clock: FakeClock, embedder: Embedder) -> Iterator[Runtime]:
    """A deployment with a key for Claude and an address of Ollama."""
    given = settings.model_copy(
        update={
            "anthropic_api_key": SecretStr(KEY),
            "ollama_host": "http://127.0.0.1:11434",
        }
    )
    opened = Runtime(given, clock=clock, embedder=embedder)
    yield opened
    opened.drain()


def standing(
    runtime: Runtime, breakers: Breakers | None = None, user_id: str = "ada"
) -> dict[str, ProviderHealth]:
    return {each.provider: each for each in providers_of(runtime, user_id, "UTC", breakers)}


def states(runtime: Runtime, breakers: Breakers | None = None) -> dict[str, ProviderState]:
    return {name: each.state for name, each in standing(runtime, breakers).items()}


# --- providers


def test_without_key_and_address_no_provider_is_set_up(runtime: Runtime) -> None:
    assert states(runtime) == {"anthropic": "not set up", "ollama": "not set up"}


def test_a_key_of_ones_own_sets_claude_up_for_oneself_alone(runtime: Runtime) -> None:
    runtime.vault.store("ada", "anthropic", KEY, "ada")
    assert standing(runtime)["anthropic"].state == "unasked"
    assert standing(runtime, user_id="bob")["anthropic"].state == "not set up"


def test_what_is_set_up_is_unasked_until_it_is_asked(set_up: Runtime) -> None:
    assert states(set_up, Breakers()) == {"anthropic": "unasked", "ollama": "unasked"}
    assert standing(set_up)["ollama"].address == "http://127.0.0.1:11434"


def test_the_last_call_tells_who_answers_and_who_fails(set_up: Runtime) -> None:
    now = set_up.clock.now()
    set_up.ledger.write(
        a_call("r", now),
        a_call("r", now + timedelta(seconds=2), **failed("auth")),
        a_call("s", now, **(OLLAMA | failed("connection"))),
        a_call("s", now + timedelta(seconds=2), **OLLAMA),
    )
    assert states(set_up) == {"anthropic": "failing", "ollama": "answers"}


@pytest.mark.parametrize("kind", ["refused", "invalid"])
def test_a_question_that_is_declined_says_nothing_against_a_provider(
    set_up: Runtime, kind: str
) -> None:
    set_up.ledger.write(a_call("r", set_up.clock.now(), **failed(kind)))
    assert states(set_up)["anthropic"] == "answers"


def test_a_breaker_that_opens_pauses_its_provider_until_it_is_tried(set_up: Runtime) -> None:
    passed = [0.0]
    breakers = Breakers(monotonic=lambda: passed[0])
    breakers.heard("anthropic", "timeout")
    found = standing(set_up, breakers)
    assert (found["anthropic"].state, found["ollama"].state) == ("paused", "unasked")
    assert found["anthropic"].breaker is not None
    assert found["anthropic"].breaker.tried_again_in_s == 30.0
    passed[0] = 31.0
    assert states(set_up, breakers)["anthropic"] == "tried"
    breakers.heard("anthropic", None)
    assert states(set_up, breakers)["anthropic"] == "unasked"


def save(runtime: Runtime, **sections: object) -> None:
    settings = runtime.operator_settings
    for name, value in sections.items():
        settings.save(name, value, "ada", "Because.", settings.number(name))  # type: ignore[arg-type]


def test_what_an_operator_switches_off_is_off(set_up: Runtime) -> None:
    stored = set_up.operator_settings.stored
    claude = stored.providers.anthropic.model_copy(update={"enabled": False})
    rungs = stored.ladder.model_copy(update={"rungs": ("preferred", "local")})
    save(
        set_up,
        providers=stored.providers.model_copy(update={"anthropic": claude}),
        ladder=rungs,
    )
    assert states(set_up) == {"anthropic": "off", "ollama": "off"}
    save(set_up, privacy=Privacy(ai_off=True))
    assert states(set_up) == {"anthropic": "ai off", "ollama": "ai off"}


# --- parts


def parts(runtime: Runtime) -> dict[str, tuple[str, str]]:
    return {each.check: (each.status, each.detail) for each in parts_of(runtime)}


def test_a_fresh_deployment_is_well(runtime: Runtime) -> None:
    runtime.ranker()
    found = parts(runtime)
    assert {name: status for name, (status, _) in found.items()} == dict.fromkeys(
        ("ledger", "jobs", "recommender", "workflows", "disk"), "ok"
    )
    assert "0 rows waiting" in found["ledger"][1]
    assert found["jobs"][1].startswith("0 of 16 workers busy")
    assert found["recommender"][1].startswith("trained, version ")
    assert found["workflows"][1] == "24 loaded"


def test_jobs_that_wait_are_counted(runtime: Runtime) -> None:
    release = threading.Event()

    def work(job: Job) -> None:
        del job
        release.wait(20)

    jobs = [runtime.jobs.submit(f"job-{number}", work) for number in range(18)]
    try:
        while runtime.jobs.counts() != (16, 2):
            pass
        status, said = parts(runtime)["jobs"]
    finally:
        release.set()
    assert (status, said.split(";")[0]) == ("warning", "16 of 16 workers busy, 2 plans waiting")
    assert all(job.wait(20) for job in jobs)
    assert runtime.jobs.counts() == (0, 0)


def test_a_closed_ledger_is_a_sentence_and_hides_no_other_part(
    settings: Settings, embedder: Embedder
) -> None:
    opened = Runtime(settings, embedder=embedder)
    opened.ranker()
    opened.drain()
    found = parts(opened)
    assert found["ledger"][0] == "failed"
    assert found["ledger"][1].endswith(".")
    assert found["workflows"][0] == "ok"


def test_workflow_files_with_faults_are_a_warning(
    settings: Settings, embedder: Embedder, tmp_path: Path, clock: FakeClock
) -> None:
    extra = tmp_path / "extra" / "dev"
    extra.mkdir(parents=True)
    (extra / "broken.toml").write_text("name = ", encoding="utf-8")
    given = settings.model_copy(update={"extra_workflows": tmp_path / "extra"})
    opened = Runtime(given, clock=clock, embedder=embedder)
    try:
        status, said = parts(opened)["workflows"]
    finally:
        opened.drain()
    assert status == "warning"
    assert "in their files, which the Workflows page lists" in said


def test_a_recommender_that_is_not_trained_says_why(
    settings: Settings, embedder: Embedder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Head:
        raise HeadUnusable("head.npz is missing. Run `make train`.")

    monkeypatch.setattr(Head, "load", missing)
    opened = Runtime(settings, clock=clock, embedder=embedder)
    try:
        opened.ranker()
        found = parts(opened)
    finally:
        opened.drain()
    assert found["recommender"] == ("warning", "head.npz is missing. Run `make train`.")
