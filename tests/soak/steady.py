"""A server under a steady load: what it answers, and what it keeps of memory and files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median

import psutil

from tests.soak.load import Load, Report, Running
from tests.soak.process import serving

PER_S = 50.0
SETTLED_S = 3.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server held at a time, in seconds since the load began."""

    at_s: float
    memory_mb: float
    files: int


@dataclass(frozen=True, slots=True)
class Held:
    """The report of a load, and samples of the server under it."""

    report: Report
    samples: list[Sample]

    @property
    def mb_per_minute(self) -> float:
        """The slope of resident memory: the median of the slopes between any two samples.

        What a checkpoint takes for a second, up to 50 MB, hardly moves it, as it would move a
        least-squares line when it falls on the end. Source: Theil (1950), Sen (1968).
        """
        slopes = [
            (later.memory_mb - earlier.memory_mb) / (later.at_s - earlier.at_s) * 60
            for earlier, later in combinations(self.samples, 2)
        ]
        return median(slopes)

    @property
    def files(self) -> list[int]:
        """How many file descriptors were open, each number once."""
        return sorted({sample.files for sample in self.samples})

    @property
    def files_grew_by(self) -> int:
        """How many more were open in the last third than in the first, by their medians."""
        third = len(self.samples) // 3
        first, last = self.samples[:third], self.samples[-third:]
        return round(median(each.files for each in last) - median(each.files for each in first))

    def __str__(self) -> str:
        memory = [sample.memory_mb for sample in self.samples]
        said = self.report
        return (
            f"{said.answers:,} answers, {said.per_s:.1f}/s, p50 {said.p50_ms:.0f} ms, "
            f"p95 {said.p95_ms:.0f} ms, errors {said.errors or 0}; memory {memory[0]:.0f} MB to "
            f"{memory[-1]:.0f} MB, {self.mb_per_minute:+.2f} MB a minute "
            f"(n = {len(memory)}); open files {self.files}"
        )


def held(folder: Path, name: str, *, seconds: float, warm_up_s: float, every_s: float) -> Held:
    """Load a fresh server with everything that the API can be asked.

    It warms up under all that it can answer, so that caches that are bounded are full, and is
    measured under a steady load.
    """
    samples = []
    with serving(folder / "data", name) as server:
        with Running(Load(server.port, warm_up_s, mix="everything")) as warming_up:
            warming_up.report()
        process = psutil.Process(server.process.pid)
        since = time.monotonic()
        with Running(Load(server.port, seconds, per_s=PER_S, mix="everything")) as running:
            while not running.ended:
                time.sleep(every_s)
                at_s = time.monotonic() - since
                # The first second or two: they connect; the last: they hang up.
                if SETTLED_S <= at_s <= seconds:
                    samples.append(_sample(process, at_s))
            return Held(running.report(), samples)


def _sample(process: psutil.Process, at_s: float) -> Sample:
    with process.oneshot():
        return Sample(at_s, process.memory_info().rss / 2**20, process.num_fds())
