"""The wiring: what opens, what stays closed, what a reload and a stop do."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from core import runtime as runtimes
from core.catalogue import task_from
from core.errors import (
    InvalidInput,
    LedgerLocked,
    LedgerUnavailable,
    Unavailable,
    UnknownWorkflow,
)
from core.guard import Denied
from core.ledger import Ledger
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import PROJECT, Settings
from tests.asking import PATIENCE_S, asked, rows, run, to_execute, to_recommend
from tests.fakes import FakeClock, SlowPlanner

BEES = """
workflow_id = "beekeeping"
name = "Beekeeping"
description = "Look after honey bees: inspect the hive, treat mites, harvest honey."
domain = "personal"
expected_step_count = 4
examples = ["inspect the beehive", "treat my bees against mites", "harvest the honey"]
system_prompt = "You plan work with bees."
user_prompt_template = "Plan this work with bees: {task_title}"
"""


@pytest.fixture
def no_runtime() -> Iterator[None]:
    runtimes.use(None)
    yield
    runtimes.use(None)


@pytest.fixture
def extra(tmp_path: Path) -> Path:
    folder = tmp_path / "extra"
    folder.mkdir()
    return folder


# --- opening


@pytest.mark.usefixtures("no_runtime")
def test_the_runtime_of_the_process_is_opened_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Settings] = []

    def open_one(settings: Settings) -> Runtime:
        opened.append(settings)
        return runtime

    monkeypatch.setattr(runtimes, "Runtime", open_one)
    found: list[Runtime] = []
    threads = [threading.Thread(target=lambda: found.append(runtimes.current())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [runtime] * 8
    assert len(opened) == 1


@pytest.mark.usefixtures("no_runtime")
def test_a_bad_variable_is_said_in_a_sentence_and_the_next_call_tries_again(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    monkeypatch.setenv("WAYWARDEN_PORT", "eighty")
    for _ in range(2):
        with pytest.raises(InvalidInput, match=r"^WAYWARDEN_PORT: .*\.$"):
            runtimes.current()
    runtimes.use(runtime)
    assert runtimes.current() is runtime


HOLDER = """
import sys
from pathlib import Path
from core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
ledger.close()
"""


@pytest.mark.usefixtures("no_runtime")
def test_a_locked_ledger_stops_no_server_and_opens_once_it_is_free(
    settings: Settings,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("WAYWARDEN_DATA_DIR", str(settings.data_dir))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(settings.ledger_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"

        async def serve() -> None:
            async with runtimes.lifespan(None):
                with pytest.raises(LedgerLocked) as locked:
                    runtimes.current()
                assert locked.value.pid == holder.pid
                assert f"is open in process {holder.pid}" in str(locked.value)

        with caplog.at_level(logging.ERROR, "core.runtime"):
            asyncio.run(serve())
        holder.communicate()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Traceback" not in caplog.text
    opened = Runtime(settings, embedder=embedder)
    assert rows(opened.ledger, "requests") == []
    opened.drain()


@pytest.mark.usefixtures("no_runtime")
def test_the_server_drains_the_runtime_when_it_stops(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    planner = SlowPlanner()
    runtime = Runtime(settings, clock=clock, planner=planner, embedder=embedder)

    async def serve() -> str:
        async with runtimes.lifespan(None):
            started = runtimes.current().executor.start(to_execute())
            planner.wait_until_planning()
            planner.release_all()
            return str(started)

    runtimes.use(runtime)
    execution_id = asyncio.run(serve())
    with pytest.raises(LedgerUnavailable):
        rows(runtime.ledger, "requests")
    again = Runtime(settings, clock=clock, embedder=embedder)
    assert again.executor.execution(execution_id).status == "active"
    again.drain()


def test_a_start_that_fails_half_way_leaves_the_ledger_free_for_the_next(
    settings: Settings, embedder: Embedder
) -> None:
    Ledger(settings.ledger_path).close()
    with duckdb.connect(str(settings.ledger_path)) as connection:
        connection.execute(
            "INSERT INTO requests (request_id, ts, kind, user_id, decision, fingerprint) "
            "VALUES ('r', now(), 'a kind of another version', 'ada', 'admitted', 'f')"
        )
    for _ in range(2):
        with pytest.raises(Exception, match="kind"):
            Runtime(settings, embedder=embedder)
    with duckdb.connect(str(settings.ledger_path)) as connection:
        connection.execute("DELETE FROM requests")
    Runtime(settings, embedder=embedder).drain()


def test_what_was_lost_is_counted_in_the_log(
    settings: Settings,
    clock: FakeClock,
    embedder: Embedder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    planner = SlowPlanner()
    runtime = Runtime(settings, clock=clock, planner=planner, embedder=embedder)
    for _ in range(2):
        runtime.executor.start(to_execute())
    planner.wait_until_planning(2)
    runtime.ledger.close()
    planner.release_all()
    runtime.drain()
    with caplog.at_level(logging.WARNING, "core.runtime"):
        again = Runtime(settings, clock=clock, embedder=embedder)
    assert caplog.messages[-1].startswith("2 requests of the previous process")
    assert [row["outcome"] for row in rows(again.ledger, "settlements")] == ["lost", "lost"]
    again.drain()
    third = Runtime(settings, clock=clock, embedder=embedder)
    assert len(rows(third.ledger, "settlements")) == 2
    third.drain()


def test_limits_hold_across_a_restart(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    for _ in range(3):
        runtime = Runtime(settings, clock=clock, embedder=embedder)
        run(runtime)
        runtime.drain()
    runtime = Runtime(settings, clock=clock, embedder=embedder)
    assert isinstance(runtime.executor.start(to_execute()), Denied)
    clock.advance(minutes=1)
    assert isinstance(runtime.executor.start(to_execute()), str)
    runtime.drain()


def test_draining_twice_is_harmless(runtime: Runtime) -> None:
    run(runtime)
    runtime.drain()
    runtime.drain()
    with pytest.raises((LedgerUnavailable, Unavailable)):
        runtime.executor.start(to_execute())


# --- warming up


class StuckEmbedder(Embedder):
    """An embedder that answers only once it is let go."""

    def __init__(self, problem: Exception | None = None) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self._problem = problem

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.let_go.wait(PATIENCE_S)
        if self._problem:
            raise self._problem
        return np.full((len(texts), self.dimensions), 512**-0.5, dtype=np.float32)


def test_everything_but_the_recommender_works_while_it_warms_up(
    settings: Settings, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtimes, "WARM_UP_S", 0.01)
    stuck = StuckEmbedder()
    runtime = Runtime(settings, clock=clock, embedder=stuck)
    assert run(runtime).status == "active"
    with pytest.raises(Unavailable, match="still starting"):
        runtime.recommender.recommend(to_recommend("fix the login bug"))
    assert len(rows(runtime.ledger, "requests")) == 1
    stuck.let_go.set()
    monkeypatch.setattr(runtimes, "WARM_UP_S", PATIENCE_S)
    assert len(asked(runtime, to_recommend("fix the login bug")).suggestions) == 3
    runtime.drain()


def test_a_warm_up_that_fails_is_told_to_whoever_asks(
    settings: Settings, clock: FakeClock
) -> None:
    stuck = StuckEmbedder(MemoryError("no room for the model"))
    stuck.let_go.set()
    runtime = Runtime(settings, clock=clock, embedder=stuck)
    for _ in range(2):
        with pytest.raises(MemoryError, match="no room"):
            runtime.ranker()
    assert rows(runtime.ledger, "requests") == []
    runtime.drain()


# --- workflow files


def test_a_further_folder_of_workflows_is_recommended_and_run(
    settings: Settings, clock: FakeClock, embedder: Embedder, extra: Path
) -> None:
    (extra / "beekeeping.toml").write_text(BEES, encoding="utf-8")
    more = settings.model_copy(update={"extra_workflows": extra})
    runtime = Runtime(more, clock=clock, embedder=embedder)
    assert runtime.catalogue.faults == ()
    answer = asked(runtime, to_recommend("harvest honey from the hive"))
    assert answer.suggestions[0].workflow_id == "beekeeping"
    execution = run(runtime, to_execute("harvest honey from the hive", "beekeeping"))
    assert (execution.status, execution.workflow_name) == ("active", "Beekeeping")
    assert len(execution.steps) == answer.suggestions[0].expected_steps
    runtime.drain()


def test_reloading_finds_new_files_and_keeps_what_is_under_way(
    settings: Settings, clock: FakeClock, embedder: Embedder, extra: Path
) -> None:
    planner = SlowPlanner()
    runtime = Runtime(
        settings.model_copy(update={"extra_workflows": extra}),
        clock=clock,
        planner=planner,
        embedder=embedder,
    )
    with pytest.raises(UnknownWorkflow):
        runtime.executor.start(to_execute("feed the bees", "beekeeping"))
    file = extra / "beekeeping.toml"
    file.write_text(BEES, encoding="utf-8")
    runtime.reload_catalogue()
    started = runtime.executor.start(to_execute("feed the bees", "beekeeping"))
    planner.wait_until_planning()
    file.write_text(BEES.replace("description =", "descripton ="), encoding="utf-8")
    runtime.reload_catalogue()
    planner.release_all()
    assert runtime.executor.wait(str(started), PATIENCE_S)
    execution = runtime.executor.execution(str(started))
    assert (execution.status, execution.workflow_name) == ("active", "beekeeping")
    assert {(fault.key, fault.line) for fault in runtime.catalogue.faults} == {
        ("descripton", 4),
        ("description", None),
    }
    answer = asked(runtime, to_recommend("harvest honey from the hive"))
    assert "beekeeping" not in {each.workflow_id for each in answer.suggestions}
    runtime.drain()


def test_a_preview_records_nothing(runtime: Runtime) -> None:
    for workflow in runtime.catalogue.workflows:
        assert runtime.preview(workflow, task_from(title="fix the login bug")).steps
    for table in ("requests", "executions", "settlements"):
        assert rows(runtime.ledger, table) == []
