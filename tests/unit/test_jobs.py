"""Background jobs: one per key, stopped when asked, drained at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import jobs as jobs_module
from core.errors import Unavailable
from core.jobs import Cancelled, Job, Jobs
from tests.fakes import PATIENCE_S


class Work:
    """Work that waits for the test, and remembers which jobs ran it."""

    def __init__(self) -> None:
        self.ran: list[Job] = []
        self.started = threading.Event()
        self.going = threading.Event()

    def __call__(self, job: Job) -> None:
        self.ran.append(job)
        self.started.set()
        assert self.going.wait(PATIENCE_S)


class Untiring:
    """Work that ends only when it is asked to stop."""

    def __init__(self) -> None:
        self.started = threading.Event()

    def __call__(self, job: Job) -> None:
        self.started.set()
        job.pause(PATIENCE_S)
        raise AssertionError("nobody asked this work to stop")


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    opened = Jobs(workers=2)
    yield opened
    opened.drain(PATIENCE_S)


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.going.set()


def nothing(job: Job) -> None:
    assert status_of(job) == "running"


def fail(job: Job) -> None:
    raise ValueError(f"{job.key} went wrong")


def status_of(job: Job) -> str:
    return job.status


# --- keys


def test_a_job_runs_once_and_is_remembered(jobs: Jobs) -> None:
    job = jobs.submit("a", nothing)

    assert job.wait(PATIENCE_S)
    assert job.ended
    assert status_of(job) == "finished"
    assert jobs.find("a") is job


def test_the_same_key_is_the_same_job_while_it_runs_and_after(jobs: Jobs, work: Work) -> None:
    first = jobs.submit("a", work)
    assert work.started.wait(PATIENCE_S)
    second = jobs.submit("a", fail)
    work.going.set()
    assert first.wait(PATIENCE_S)
    third = jobs.submit("a", fail)

    assert first is second is third
    assert work.ran == [first]
    assert status_of(first) == "finished"


def test_different_keys_are_different_jobs(jobs: Jobs, work: Work) -> None:
    one, two = jobs.submit("a", work), jobs.submit("b", work)
    work.going.set()

    assert one.wait(PATIENCE_S)
    assert two.wait(PATIENCE_S)
    assert {job.key for job in work.ran} == {"a", "b"}


def test_sixty_four_threads_that_submit_one_key_start_one_job(jobs: Jobs, work: Work) -> None:
    together = threading.Barrier(64)

    def submit(_: int) -> Job:
        together.wait(PATIENCE_S)
        return jobs.submit("a", work)

    with ThreadPoolExecutor(64) as pool:
        submitted = list(pool.map(submit, range(64)))
    work.going.set()

    assert len({id(job) for job in submitted}) == 1
    assert submitted[0].wait(PATIENCE_S)
    assert work.ran == [submitted[0]]


def test_an_unknown_key_finds_nothing(jobs: Jobs) -> None:
    assert jobs.find("nobody") is None


def test_a_job_knows_whether_it_ended_within_a_time(jobs: Jobs, work: Work) -> None:
    job = jobs.submit("a", work)

    assert not job.wait(0)
    assert not job.wait(0.01)
    assert not job.ended
    work.going.set()
    assert job.wait()


# --- failing


def test_a_failing_job_is_logged_and_remembered(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    job = jobs.submit("a", fail)
    assert job.wait(PATIENCE_S)

    assert status_of(job) == "failed"
    assert jobs.submit("a", nothing) is job
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "Job a failed"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a went wrong"


@pytest.mark.parametrize("problem", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_not_even_an_exit_inside_a_job_ends_its_pool(
    jobs: Jobs, problem: type[BaseException]
) -> None:
    def leave(job: Job) -> None:
        raise problem(job.key)

    left = [jobs.submit(f"leaves {n}", leave) for n in range(5)]

    assert all(job.wait(PATIENCE_S) for job in left)
    assert {job.status for job in left} == {"failed"}
    assert jobs.submit("b", nothing).wait(PATIENCE_S)


def test_what_could_not_be_started_is_not_remembered() -> None:
    jobs = Jobs(workers=1)
    jobs._pool.shutdown()  # as the interpreter does when it ends

    with pytest.raises(RuntimeError):
        jobs.submit("a", nothing)
    assert jobs.find("a") is None


# --- cancelling


def test_a_job_cancelled_before_it_starts_learns_so_at_its_first_stopping_point(
    jobs: Jobs, work: Work
) -> None:
    seen: list[str] = []

    def tidy_up(job: Job) -> None:
        seen.append("begun")
        try:
            job.stop_if_cancelled()
            seen.append("went on")
        finally:
            seen.append("tidied up")

    for key in ("busy", "busy too"):
        jobs.submit(key, work)
    job = jobs.submit("a", tidy_up)
    assert status_of(job) == "waiting"
    job.cancel()
    work.going.set()

    assert job.wait(PATIENCE_S)
    assert status_of(job) == "cancelled"
    assert seen == ["begun", "tidied up"]


def test_a_job_cancelled_while_it_runs_stops_at_once_also_from_a_pause(jobs: Jobs) -> None:
    untiring = Untiring()
    job = jobs.submit("a", untiring)
    assert untiring.started.wait(PATIENCE_S)
    assert status_of(job) == "running"

    job.cancel()

    assert job.wait(PATIENCE_S)
    assert status_of(job) == "cancelled"


def test_work_that_waits_for_something_else_can_wait_for_the_stop_too(jobs: Jobs) -> None:
    def wait(job: Job) -> None:
        assert job.stop.wait(PATIENCE_S)

    job = jobs.submit("a", wait)
    assert not job.stop.is_set()
    job.cancel()
    assert job.wait(PATIENCE_S)
    assert status_of(job) == "finished"


def test_cancelling_a_job_that_has_ended_changes_nothing(jobs: Jobs) -> None:
    job = jobs.submit("a", nothing)
    assert job.wait(PATIENCE_S)

    job.cancel()
    job.cancel()

    assert status_of(job) == "finished"
    assert jobs.submit("a", fail) is job


def test_a_job_that_nobody_cancels_goes_on_at_its_stopping_points() -> None:
    job = Job("a")

    job.stop_if_cancelled()
    job.pause(0)
    job.cancel()

    for stop in (job.stop_if_cancelled, lambda: job.pause(PATIENCE_S)):
        with pytest.raises(Cancelled):
            stop()


# --- draining


def test_draining_lets_running_and_waiting_work_end(work: Work) -> None:
    jobs = Jobs(workers=1)
    running, waiting = jobs.submit("a", work), jobs.submit("b", work)
    assert work.started.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(jobs.drain, PATIENCE_S)
        assert not drained.done()
        work.going.set()
        drained.result(PATIENCE_S)

    assert (running.status, waiting.status) == ("finished", "finished")


def test_draining_asks_what_is_late_to_stop_and_waits_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs = Jobs(workers=1)
    running, waiting = jobs.submit("a", Untiring()), jobs.submit("b", Untiring())
    ended = jobs.submit("c", nothing)

    jobs.drain(timeout_s=0.01)

    assert (running.status, waiting.status) == ("cancelled", "cancelled")
    assert status_of(ended) == "finished"
    assert [record.getMessage() for record in caplog.records] == [
        "3 jobs did not end in 0.01 s and are asked to stop"
    ]


def test_a_draining_pool_starts_nothing_but_still_knows_its_jobs(jobs: Jobs) -> None:
    job = jobs.submit("a", nothing)
    jobs.drain()

    with pytest.raises(Unavailable, match="stopping; try again"):
        jobs.submit("b", nothing)
    assert jobs.submit("a", fail) is job
    assert jobs.find("b") is None


def test_draining_twice_and_draining_nothing_are_harmless() -> None:
    jobs = Jobs(workers=1)

    jobs.drain()
    jobs.drain()


def test_submitting_while_draining_is_refused_or_run_to_its_end() -> None:
    for _ in range(20):
        jobs = Jobs(workers=4)
        together = threading.Barrier(9)

        def submit(number: int, jobs: Jobs = jobs, together: threading.Barrier = together) -> str:
            together.wait(PATIENCE_S)
            try:
                job = jobs.submit(str(number), nothing)
            except Unavailable:
                return "refused"
            assert job.wait(PATIENCE_S)
            return job.status

        with ThreadPoolExecutor(8) as pool:
            said = [pool.submit(submit, number) for number in range(8)]
            together.wait(PATIENCE_S)
            jobs.drain()
            assert {call.result(PATIENCE_S) for call in said} <= {"refused", "finished"}


# --- forgetting


def test_old_jobs_are_forgotten_and_unfinished_ones_never(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "REMEMBERED", 10)
    jobs = Jobs(workers=2)
    oldest = jobs.submit("oldest", work)
    assert work.started.wait(PATIENCE_S)

    for number in range(50):
        assert jobs.submit(str(number), nothing).wait(PATIENCE_S)

    assert jobs.find("oldest") is oldest
    assert jobs.submit("oldest", fail) is oldest
    assert jobs.find("0") is None
    assert all(jobs.find(str(number)) for number in range(46, 50))
    assert len(jobs._jobs) <= 11
    work.going.set()
    jobs.drain()
    assert status_of(oldest) == "finished"


def test_more_unfinished_jobs_than_are_remembered_are_all_kept_and_run(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "REMEMBERED", 10)
    jobs = Jobs(workers=2)

    submitted = [jobs.submit(str(number), work) for number in range(100)]
    assert [jobs.find(str(number)) for number in range(100)] == submitted
    work.going.set()
    jobs.drain()

    assert {job.status for job in submitted} == {"finished"}
    assert len(work.ran) == 100
