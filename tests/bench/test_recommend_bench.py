"""How long a recommendation takes, beside the embedding that it cannot do without."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from core.catalogue import Catalogue, Task, task_from
from core.clock import stopwatch_ms
from core.guard import Gate
from core.jobs import Jobs
from core.ledger import Ledger
from core.recommend import (
    Embedder,
    LocalRanker,
    Recommender,
    Standing,
    read_labelled,
)
from core.settings import PROJECT, Limits
from tests.fakes import FakeClock
from tests.recommending import local_recommender

LABELLED = PROJECT / "data" / "labelled.jsonl"


@pytest.fixture
def recommender(
    catalogue: Catalogue,
    embedder: Embedder,
    ranker: LocalRanker,
    ledger: Ledger,
    clock: FakeClock,
) -> Iterator[Recommender]:
    jobs = Jobs(1)
    yield local_recommender(
        gate=Gate(ledger, Limits(), clock),
        ledger=ledger,
        jobs=jobs,
        clock=clock,
        catalogue=catalogue,
        embedder=embedder,
        ranker=lambda: ranker,
    )
    jobs.drain()


def timed(act: Callable[[Task], object], tasks: list[Task]) -> tuple[list[float], list[float]]:
    """Milliseconds of each call by the wall clock and of CPU, after one round to warm up."""
    for task in tasks:
        act(task)
    wall, cpu = [], []
    for task in tasks:
        since, before = stopwatch_ms(), time.thread_time()
        act(task)
        cpu.append(1_000 * (time.thread_time() - before))
        wall.append(stopwatch_ms(since))
    return wall, cpu


def figures(name: str, times: tuple[list[float], list[float]]) -> tuple[float, float]:
    """Print p50 and p99; return those of CPU, which the wall clock equals on an idle machine."""
    (wall_50, wall_99), (cpu_50, cpu_99) = (np.percentile(each, (50, 99)) for each in times)
    print(
        f"{name:48} p50 {wall_50:6.2f} ms  p99 {wall_99:6.2f} ms   "
        f"CPU p50 {cpu_50:5.2f} ms  p99 {cpu_99:5.2f} ms"
    )
    return float(cpu_50), float(cpu_99)


@pytest.mark.bench
def test_a_recommendation_takes_milliseconds(
    recommender: Recommender, embedder: Embedder, catalogue: Catalogue
) -> None:
    tasks = [task_from(title=row.title) for row in read_labelled(LABELLED)]

    def recommend(task: Task) -> None:
        ranking, confidences = recommender.rank(task)
        recommender._suggested(
            task,
            [
                Standing(ranked.workflow, confidence, None, None, ranked)
                for ranked, confidence in zip(ranking, confidences, strict=False)
            ],
        )

    print()
    figures("the embedding alone", timed(lambda task: embedder.encode([task.title]), tasks))
    figures("ranking with confidences", timed(recommender.rank, tasks))
    name = f"ranking, reasons, steps, minutes ({len(catalogue.workflows)} workflows)"
    p50, p99 = figures(name, timed(recommend, tasks))
    assert len(catalogue.workflows) >= 24
    assert p50 <= 5
    assert p99 <= 20


@pytest.mark.bench
def test_eight_at_once_cost_no_more_than_one_after_the_other(recommender: Recommender) -> None:
    """A library that keeps threads of its own spinning would cost 25 times as much."""
    tasks = [task_from(title=row.title) for row in read_labelled(LABELLED)[:120]]
    timed(recommender.rank, tasks)

    def rank(share: list[Task]) -> None:
        for task in share:
            recommender.rank(task)

    before = time.process_time()
    rank(tasks * 2)
    alone = time.process_time() - before
    threads = [threading.Thread(target=rank, args=(tasks[::4],)) for _ in range(8)]
    before = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = time.process_time() - before
    print(f"\n240 rankings: {alone:.2f} s of CPU one after the other, {together:.2f} by 8 threads")
    assert together <= 2 * alone
