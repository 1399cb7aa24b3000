"""People who recommend, execute, tick steps and rate until their server is gone: a program."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from core.settings import PROJECT
from tests.soak.caller import BROKEN, Caller
from tests.soak.notebook import Notebook, Noted

CALLERS = 16
_TITLES = PROJECT / "data" / "labelled.jsonl"


class Walkers:
    """The callers of one life of the server; each person of theirs is new."""

    def __init__(self, port: int, file: Path, life: int) -> None:
        self._port = port
        self._notebook = Notebook(file)
        self._life = life
        lines = _TITLES.read_text(encoding="utf-8").splitlines()
        self._titles = [json.loads(line)["title"] for line in lines]

    def until_the_server_is_gone(self) -> None:
        people = [self._hurry, self._persist] + [self._walk] * (CALLERS - 2)
        threads = [
            threading.Thread(target=self._call, args=(person, number))
            for number, person in enumerate(people)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _call(self, person: Callable[[Caller, str, Random], None], number: int) -> None:
        turn, caller = 0, Caller(self._port)
        chance = Random(f"{self._life} {number}")  # noqa: S311 - who does what
        try:
            while True:
                person(caller, f"{self._life}-{number}-{turn}", chance)
                turn += 1
        except BROKEN:
            caller.close()

    def _walk(self, caller: Caller, name: str, chance: Random) -> None:
        """One task from its recommendation to the last word on its run."""
        task = self._task(f"walker {name}", name, chance)
        answer = self._notebook.ask(caller, Noted("recommend", task)).answer
        best = answer["recommendations"][0]["workflow_id"]
        chosen = {"recommendation_id": answer["request_id"], "chosen_rank": 1}
        request = Noted("execute", task | chosen | {"workflow_id": best})
        run = self._notebook.ask(caller, request).answer
        for step in run["steps"][:2]:
            path = f"/{run['execution_id']}/steps/{step['number']}"
            self._notebook.ask(caller, Noted("step", {"event": "started"}, path))
            done = {"event": "done", "actual_minutes": chance.randint(1, 90)}
            self._notebook.ask(caller, Noted("step", done, path))
        useful = chance.random() < 0.8
        rating = {"execution_id": run["execution_id"], "useful": useful}
        self._notebook.ask(caller, Noted("feedback", rating))

    def _persist(self, caller: Caller, name: str, chance: Random) -> None:
        """One person, the same in all turns of this life, who runs one thing after the other."""
        time.sleep(chance.random() * 0.4)
        task = self._task(f"limited {self._life}", name, chance) | {"workflow_id": "bug-fix"}
        self._notebook.ask(caller, Noted("execute", task))

    def _hurry(self, caller: Caller, name: str, chance: Random) -> None:
        """One person, the same in all lives, who asks more often than any rule allows."""
        time.sleep(chance.random() * 0.1)
        self._notebook.ask(caller, Noted("recommend", self._task("hurried", name, chance)))

    def _task(self, user: str, name: str, chance: Random) -> dict[str, Any]:
        title = f"{chance.choice(self._titles)[:150]} ({name})"
        return {
            "task_title": title,
            "task_description": "As said in the meeting. " * chance.randint(0, 20),
            "user_energy": chance.randint(1, 3),
            "estimated_hours": chance.choice([None, 0.5, 2.0]),
            "user_id": user,
        }


if __name__ == "__main__":
    Walkers(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])).until_the_server_is_gone()
