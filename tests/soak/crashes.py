"""A server that is killed under load again and again, and what its ledger says each time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from threading import Barrier
from urllib.parse import quote

from core.settings import PROJECT, Limits, Rule
from tests.soak.caller import API, Caller
from tests.soak.evidence import Evidence
from tests.soak.notebook import Notebook, Noted, answered, read, unanswered
from tests.soak.process import NO_LIMITS, PATIENCE_S, Server

EXECUTE = Rule(limit=3, window_s=3_600)
RECOMMEND = Rule(limit=20, window_s=15)
LIMITS = Limits(
    per_user={"execute": (EXECUTE,), "recommend": (RECOMMEND,)}, deployment=NO_LIMITS.deployment
)
AT_ONCE = 8
MOST_NOTED_BYTES = 250_000
LONGEST_START_S = 0.8
ANSWERS = {200, 429}


@dataclass
class Tally:
    """What was looked at, over all lives of the server."""

    kills: int = 0
    kills_while_starting: int = 0
    sent_again: int = 0
    exact_limits: int = 0
    never_settled: int = 0
    acknowledged: int = 0
    acts: str = ""

    def __str__(self) -> str:
        return (
            f"{self.kills} kills under load, {self.kills_while_starting} while starting; "
            f"{self.acknowledged:,} acknowledged requests ({self.acts}): 0 lost, 0 twice, "
            f"0 half-written; {self.sent_again} unanswered ones sent again: each there once; "
            f"{self.never_settled} never settled: each lost once; "
            f"limits exact in {self.exact_limits} of {self.exact_limits} looks after a restart"
        )


class Crashes:
    """One ledger, many servers; each is killed at a moment that nobody chose."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.tally = Tally()
        self._data_dir = folder / "data"
        self._file = folder / "notebook.jsonl"
        self._notebook = Notebook(self._file)
        self._name = name
        self._chance = Random(seed)  # noqa: S311 - when to kill
        self._life = 0
        self._servers: list[Server] = []
        self._never_settled: set[str] = set()
        self._evidence: Evidence

    def run(self, kills: int, kills_while_starting: int) -> Tally:
        """Kill so often, look at all that was promised after each kill, and stop in order."""
        self._load_a_server()
        try:
            for kill in range(kills):
                if 0 < kill <= kills_while_starting:
                    self._kill_while_starting()
                server = self._started()
                self._load_a_server()
                self._kill_under_load(server)
            server = self._started()
            server.stop()
            self._look_after_a_life(server)
            assert not self._evidence.unsettled()
        finally:
            self._notebook.close()
            for server in self._servers:
                server.close()
        return self.tally

    def _load_a_server(self) -> None:
        """Load the next server, so that it can open the ledger as soon as the last is dead."""
        name = f"{self._name}-{len(self._servers)}"
        self._servers.append(Server(self._data_dir, name, LIMITS, "often"))

    def _started(self) -> Server:
        server = self._servers[-1]
        server.open()
        server.wait_until_ready()
        if self._life:
            self._look_after_a_start(server)
        self._life += 1
        return server

    def _kill_while_starting(self) -> None:
        server = self._servers[-1]
        server.open()
        time.sleep(self._chance.random() * LONGEST_START_S)
        server.kill()
        self.tally.kills_while_starting += 1
        evidence = self._look_at_the_ledger()
        assert {*evidence.lost()} <= self._never_settled
        self._load_a_server()

    def _kill_under_load(self, server: Server) -> None:
        enough = self._noted_bytes() + self._chance.randrange(MOST_NOTED_BYTES)
        arguments = [str(server.port), str(self._file), str(self._life)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.soak.walkers", *arguments], cwd=PROJECT
        ) as walkers:
            try:
                deadline = time.monotonic() + PATIENCE_S
                while self._noted_bytes() <= enough:
                    assert walkers.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
                server.kill()
                assert walkers.wait(PATIENCE_S) == 0
            finally:
                walkers.kill()
        self.tally.kills += 1
        self._look_after_a_life(server)

    def _noted_bytes(self) -> int:
        return self._file.stat().st_size

    def _look_after_a_life(self, server: Server) -> None:
        assert "Traceback" not in server.log
        evidence = self._look_at_the_ledger()
        assert {*evidence.lost()} == self._never_settled
        self._never_settled |= evidence.unsettled()
        self.tally.never_settled = len(self._never_settled)

    def _look_at_the_ledger(self) -> Evidence:
        """Hold all that was ever promised against what a dead server left."""
        evidence, notes = Evidence(self._data_dir / "ledger.duckdb"), read(self._file)
        answers = answered(notes)
        assert [answer for answer in answers if answer.status not in ANSWERS] == []
        assert evidence.missing(answers) == []
        assert evidence.half_written() == []
        assert evidence.repeated() == []
        assert evidence.strangers(notes) == set()
        assert evidence.wrong_decisions("execute", EXECUTE) == []
        assert evidence.wrong_decisions("recommend", RECOMMEND) == []
        assert len(evidence.lost()) == len({*evidence.lost()})
        acts = Counter("denial" if each.status == 429 else each.act for each in answers)
        self.tally.acknowledged = len(answers)
        self.tally.acts = ", ".join(f"{count:,} {act}" for act, count in acts.most_common())
        self._evidence = evidence
        return evidence

    def _look_after_a_start(self, server: Server) -> None:
        """See that limits and idempotency keys go on exactly where the dead server's stood."""
        caller = Caller(server.port)
        for life in range(1, self._life + 1):
            admitted = len(self._evidence.admitted(_limited(life), "execute"))
            usage = caller.get(f"{API}/usage?user_id={quote(_limited(life))}")
            assert [rule["used"] for rule in usage.body["execute"]] == [admitted]
            asked = AT_ONCE if life == self._life else 1
            answers = self._ask_at_once(server.port, _limited(life), asked)
            assert answers[200] == min(asked, EXECUTE.limit - admitted)
            assert answers[429] == asked - answers[200]
            self.tally.exact_limits += 1
        for request in unanswered(read(self._file)):
            if request.body.get("user_id", "walker").startswith("walker"):
                self._notebook.ask(caller, replace(request, again=True))
                self.tally.sent_again += 1
        caller.close()

    def _ask_at_once(self, port: int, user_id: str, callers: int) -> Counter[int]:
        """Let one person run that many things at the same time, and count the answers."""
        together = Barrier(callers)

        def ask(number: int) -> int:
            caller = Caller(port)
            task = {"task_title": f"fix it ({user_id}, {number})", "user_id": user_id}
            together.wait()
            answer = self._notebook.ask(
                caller, Noted("execute", task | {"workflow_id": "bug-fix"})
            )
            caller.close()
            return answer.status

        with ThreadPoolExecutor(callers) as threads:
            return Counter(threads.map(ask, range(callers)))


def _limited(life: int) -> str:
    """Who runs things one after the other in that life of the server."""
    return f"limited {life}"
