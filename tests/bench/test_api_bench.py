"""The whole server under load, console and API in one process: a child, over loopback."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from threading import Barrier

import pytest

from core.settings import Limits
from tests.soak.caller import Caller
from tests.soak.evidence import Evidence
from tests.soak.load import Load, Running
from tests.soak.process import NO_LIMITS, ROOMY, Server, serving
from tests.soak.viewer import Viewer, viewing

pytestmark = pytest.mark.bench

ROUNDS = 3
WARM_UP_S, COUNTED_S = 3.0, 15.0
LEAST_PER_S, MOST_P95_MS = 120.0, 250.0
TURNS, RERUNS, PAUSE_S = 3, 12, 0.1
MOST_TIMES_IDLE = 3.0
AT_ONCE = 200
# As shipped for runs; recommendations are not held back.
AS_SHIPPED = Limits(
    per_user={"execute": Limits().per_user["execute"], "recommend": ROOMY},
    deployment=NO_LIMITS.deployment,
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data_dir: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(data_dir, f"bench-{request.node.name}", AS_SHIPPED) as server:
        yield server


def test_sixteen_callers_get_120_durable_recommendations_a_second(
    server: Server, data_dir: Path
) -> None:
    """The machine may be busy with other things: of several rounds, one has to do it."""
    answers, met = 0, False
    for turn in range(ROUNDS):
        load = Load(server.port, WARM_UP_S + COUNTED_S, warm_up_s=WARM_UP_S)
        with Running(load) as running:
            report = running.report()
        print(
            f"\nrecommend, {load.callers} callers, round {turn + 1}: {report.per_s:.0f}/s, p50 "
            f"{report.p50_ms:.0f} ms, p95 {report.p95_ms:.0f} ms, p99 {report.p99_ms:.0f} ms, "
            f"errors {report.errors or 0} (n = {report.answers:,}, {COUNTED_S:.0f} s)"
        )
        answers += report.answers
        assert not report.errors
        met = report.per_s >= LEAST_PER_S and report.p95_ms <= MOST_P95_MS
        if met:
            break
    server.stop()
    evidence = Evidence(data_dir / "ledger.duckdb")
    assert len(evidence.all("recommendations")) >= answers
    assert evidence.half_written() == []
    assert met, f"no round reached {LEAST_PER_S:.0f}/s with a p95 of {MOST_P95_MS:.0f} ms"


def test_a_page_answers_within_three_times_its_idle_time_at_half_of_the_apis_load(
    server: Server,
) -> None:
    with Running(Load(server.port, 6.0, warm_up_s=WARM_UP_S)) as running:
        most_per_s = running.report().per_s
    idle_ms: list[float] = []
    loaded_ms: list[float] = []
    with viewing(server.port, "workflows", "Search") as viewer:
        reruns_ms(viewer)
        for _ in range(TURNS):
            idle_ms += reruns_ms(viewer)
            # Longer than the reruns ever take; the load ends with its block.
            with Running(Load(server.port, 60.0, per_s=most_per_s / 2, callers=8)) as running:
                time.sleep(1.0)
                loaded_ms += reruns_ms(viewer)
                assert not running.ended
    ratio = median(loaded_ms) / median(idle_ms)
    print(
        f"\nrerun of the workflows page: idle {median(idle_ms):.0f} ms, under "
        f"{most_per_s / 2:.0f} recommendations a second (half of {most_per_s:.0f}) "
        f"{median(loaded_ms):.0f} ms, ratio {ratio:.2f} (medians, n = {len(idle_ms)} each)"
    )
    assert ratio <= MOST_TIMES_IDLE


def test_of_200_runs_that_one_person_starts_at_once_exactly_three_are_allowed(
    server: Server, data_dir: Path
) -> None:
    together = Barrier(AT_ONCE)

    def start(number: int) -> int:
        caller = Caller(server.port)
        task = {"task_title": f"fix it, {number}", "user_id": "ada", "workflow_id": "bug-fix"}
        together.wait()
        answer = caller.execute(task)
        caller.close()
        return answer.status

    since = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = Counter(threads.map(start, range(AT_ONCE)))
    taken_s = time.perf_counter() - since
    print(f"\n{AT_ONCE} runs at once by one person: {dict(answers)} in {taken_s:.1f} s")
    assert answers == {200: 3, 429: AT_ONCE - 3}
    server.stop()
    evidence = Evidence(data_dir / "ledger.duckdb")
    decisions = Counter(row["decision"] for row in evidence.all("requests"))
    assert decisions == {"admitted": 3, "denied": AT_ONCE - 3}


def reruns_ms(viewer: Viewer) -> list[float]:
    """Search for something, then for nothing, over and over, as slowly as a person does."""
    taken_ms = []
    for number in range(RERUNS):
        taken_ms.append(viewer.search("plan" if number % 2 else ""))
        time.sleep(PAUSE_S)
    return taken_ms
