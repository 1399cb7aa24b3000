"""Background work with idempotency keys: no rerun, closed tab or second click can hurt it."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Literal

from core.errors import Unavailable

__all__ = ["Cancelled", "Job", "Jobs"]

log = logging.getLogger(__name__)

REMEMBERED = 1_000
Status = Literal["waiting", "running", "finished", "failed", "cancelled"]


class Cancelled(Exception):
    """The job was asked to stop."""


class Job:
    """One piece of work; its function sees it, to learn whether it should stop."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._stop = threading.Event()
        self._done: Future[None] = Future()
        self.status: Status = "waiting"

    @property
    def stop(self) -> threading.Event:
        """Set once the job is asked to stop, for work that waits for something else."""
        return self._stop

    @property
    def ended(self) -> bool:
        return self._done.done()

    def cancel(self) -> None:
        """Ask the work to stop at its next stopping point; harmless when it has ended."""
        self._stop.set()

    def stop_if_cancelled(self) -> None:
        """Raise `Cancelled` once the job was asked to stop."""
        if self._stop.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Sleep, but wake and raise `Cancelled` as soon as the job is asked to stop."""
        if self._stop.wait(seconds):
            raise Cancelled

    def when_ended(self, act: Callable[[], None]) -> None:
        """Call `act`, from some thread, once the work has ended; at once if it has."""
        self._done.add_done_callback(lambda _: act())

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return whether the work ended within the time given."""
        done, _ = wait([self._done], timeout_s)
        return bool(done)


class Jobs:
    """A pool of threads of its own; the same key never starts a second job."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._closing = False

    def submit(self, key: str, work: Callable[[Job], None]) -> Job:
        """Start `work`, or return the job that already has this key.

        Raises:
            Unavailable: the pool is stopping.
        """
        with self._lock:
            if key in self._jobs:
                return self._jobs[key]
            if self._closing:
                raise Unavailable("Waywarden is stopping; try again in a moment.")
            job = Job(key)
            self._pool.submit(self._run, job, work)
            self._jobs[key] = job
            self._forget_old()
            return job

    def find(self, key: str) -> Job | None:
        """Return the job of this key, if it is still remembered."""
        with self._lock:
            return self._jobs.get(key)

    def counts(self) -> tuple[int, int]:
        """Return how many jobs run, and how many wait for a thread."""
        with self._lock:
            open_ones = [job.status for job in self._jobs.values() if not job.ended]
        return open_ones.count("running"), open_ones.count("waiting")

    def drain(self, timeout_s: float = 20.0) -> None:
        """Let all work end; what does not end in time is asked to stop, and waited for."""
        with self._lock:
            self._closing = True
            jobs = list(self._jobs.values())
        wait([job._done for job in jobs], timeout_s)  # noqa: SLF001 - same concept
        if late := [job for job in jobs if not job.ended]:
            log.warning("%d jobs did not end in %g s and are asked to stop", len(late), timeout_s)
            for job in late:
                job.cancel()
        self._pool.shutdown(wait=True)

    def _run(self, job: Job, work: Callable[[Job], None]) -> None:
        job.status = "running"
        try:
            work(job)
            job.status = "finished"
        except Cancelled:
            job.status = "cancelled"
        except BaseException:
            job.status = "failed"
            log.exception("Job %s failed", job.key)
        finally:
            job._done.set_result(None)  # noqa: SLF001 - same concept

    def _forget_old(self) -> None:
        if len(self._jobs) <= REMEMBERED:
            return
        for key in [key for key, job in self._jobs.items() if job.ended][: REMEMBERED // 2]:
            del self._jobs[key]
