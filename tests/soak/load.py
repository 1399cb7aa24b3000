"""Callers that ask the API steadily, or as fast as they are answered: a program.

Its one line of output is a `Report`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from statistics import quantiles
from typing import Any, Literal

from core.settings import PROJECT
from tests.soak.caller import API, BROKEN, Answer, Caller

PEOPLE = 400
TITLES = PROJECT / "data" / "labelled.jsonl"
PATIENCE_S = 60.0
Mix = Literal["recommend", "everything", "look", "execute", "step", "usage", "rate"]


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: `per_s` None means as much as can be; what warms up is not counted."""

    port: int
    seconds: float
    per_s: float | None = None
    mix: Mix = "recommend"
    callers: int = 16
    warm_up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What came back: answers a second, their times, and how many were no success."""

    answers: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: dict[str, int]


class Callers:
    """Threads that each take the next request when they are free, and not before it is due."""

    def __init__(self, load: Load) -> None:
        self._load = load
        lines = TITLES.read_text(encoding="utf-8").splitlines()
        self._titles: list[str] = [json.loads(line)["title"] for line in lines]
        self._numbers = count()
        self._taken_ms: list[float] = []
        self._errors: Counter[str] = Counter()

    def run(self) -> Report:
        self._since = time.perf_counter()
        threads = [threading.Thread(target=self._call) for _ in range(self._load.callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counted_s = time.perf_counter() - self._since - self._load.warm_up_s
        cuts = quantiles(self._taken_ms, n=100)
        return Report(
            answers=len(self._taken_ms),
            per_s=len(self._taken_ms) / counted_s,
            p50_ms=cuts[49],
            p95_ms=cuts[94],
            p99_ms=cuts[98],
            errors=dict(self._errors),
        )

    def _call(self) -> None:
        person = Person(Caller(self._load.port), self._titles)
        acts = (
            person.everything
            if self._load.mix == "everything"
            else [getattr(person, self._load.mix)]
        )
        while self._is_due(number := next(self._numbers)):
            asked = time.perf_counter()
            try:
                answer = acts[number % len(acts)](number)
                problem = None if answer.status == 200 else str(answer.status)
            except BROKEN as broken:
                problem = type(broken).__name__
            if asked - self._since >= self._load.warm_up_s:
                self._taken_ms.append((time.perf_counter() - asked) * 1e3)
            if problem:
                self._errors[problem] += 1
        person.leave()

    def _is_due(self, number: int) -> bool:
        """Wait until the request is due, and return whether that is within the time given."""
        due = time.perf_counter()
        if self._load.per_s:
            due = max(due, self._since + number / self._load.per_s)
            time.sleep(max(0.0, due - time.perf_counter()))
        return due < self._since + self._load.seconds


class Person:
    """What one caller may ask; steps and ratings are of the run that it began last."""

    def __init__(self, caller: Caller, titles: list[str]) -> None:
        self._caller = caller
        self._titles = titles
        self._execution: str | None = None
        self.everything: list[Callable[[int], Answer]] = [
            self.recommend,
            self.execute,
            self.recommend,
            self.step,
            self.recommend,
            self.rate,
            self.recommend,
            self.look,
            self.recommend,
            self.usage,
        ]

    def recommend(self, number: int) -> Answer:
        return self._caller.recommend(self._task(number))

    def execute(self, number: int) -> Answer:
        answer = self._caller.execute(self._task(number) | {"workflow_id": "bug-fix"})
        self._execution = answer.body.get("execution_id")
        return answer

    def step(self, number: int) -> Answer:
        event = ("started", "done", "reopened")[number % 3]
        return self._of_the_run(number, "PATCH", "/steps/1", {"event": event})

    def look(self, number: int) -> Answer:
        return self._of_the_run(number, "GET", "")

    def rate(self, number: int) -> Answer:
        if self._execution is None:
            return self.execute(number)
        rating = {"execution_id": self._execution, "useful": number % 2 == 0}
        return self._caller.ask("POST", f"{API}/feedback", rating)

    def usage(self, number: int) -> Answer:
        return self._caller.get(f"{API}/usage?user_id=person-{number % PEOPLE}")

    def leave(self) -> None:
        self._caller.close()

    def _of_the_run(
        self, number: int, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer:
        if self._execution is None:
            return self.execute(number)
        return self._caller.ask(method, f"{API}/executions/{self._execution}{path}", body)

    def _task(self, number: int) -> dict[str, Any]:
        title = self._titles[number * 7 % len(self._titles)]
        return {"task_title": title, "user_id": f"person-{number % PEOPLE}", "user_energy": 2}


class Running:
    """A load in a process of its own; leave it and it ends."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.load", json.dumps(asdict(load))],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def report(self) -> Report:
        """Wait for the end, and return what came back."""
        output, _ = self._process.communicate(timeout=self._load.seconds + PATIENCE_S)
        assert self._process.returncode == 0
        return Report(**json.loads(output))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(Callers(Load(**json.loads(sys.argv[1]))).run())))
