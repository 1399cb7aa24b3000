"""What kill -9 leaves: every row that was acknowledged, and no half of a write."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

import pytest

from core.clock import new_id
from core.ledger import FeedbackGiven, Ledger, StepChanged, writer

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
KILLS = 5
CHANCE = Random(7)  # noqa: S311 - where to kill


def write_until_killed(path: str) -> None:
    """Write pairs of rows from 8 threads and print each pair's id once it is acknowledged."""
    writer.CHECKPOINT_BYTES = 60_000  # so that some kills meet a checkpoint
    sys.stdin.readline()
    ledger = Ledger(Path(path))

    def write() -> None:
        while True:
            pair = new_id()
            ledger.write(_step(pair), _feedback(pair))
            os.write(1, f"{pair}\n".encode())

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    threads[0].join()


def make_until_killed(folder: str) -> None:
    """Make one ledger after the other."""
    sys.stdin.readline()
    for number in count():
        ledger = Ledger(Path(folder) / f"{number:04}" / "ledger.duckdb")
        os.write(1, b"made\n")
        ledger.close()


def _step(pair: str) -> StepChanged:
    return StepChanged(
        ts=NOON,
        event_id=pair,
        execution_id="x",
        user_id="ana",
        step=1,
        event="edited",
        description=os.urandom(500).hex(),
    )


def _feedback(pair: str) -> FeedbackGiven:
    return FeedbackGiven(
        ts=NOON, feedback_id=pair, user_id="ana", request_id="r", workflow_id="w", useful=True
    )


@contextmanager
def child(function: str, where: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a function of this file in a process that waits for a line before it begins."""
    code = f"import sys, tests.integration.test_ledger_kill as k; k.{function}(sys.argv[1])"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(where)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_until_killed(process: subprocess.Popen[str], after: int) -> list[str]:
    """Let the child begin, kill it after so many lines, and return all lines it printed."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(after)]
    process.kill()
    lines += process.stdout.readlines()
    assert process.wait() == -9
    return [line.strip() for line in lines if line.endswith("\n")]


def names(ledger: Ledger, sql: str) -> list[str]:
    found: list[str] = ledger.table(sql).column(0).to_pylist()
    return found


def test_five_kills_lose_no_acknowledged_row_and_leave_no_half_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    acknowledged: set[str] = set()
    with ExitStack() as stack:
        # All start at once, so that each is ready when the one before has been killed.
        children = [stack.enter_context(child("write_until_killed", path)) for _ in range(KILLS)]
        for process in children:
            acknowledged |= {*lines_until_killed(process, after=CHANCE.randint(1, 300))}

            ledger = Ledger(path)
            steps = names(ledger, "SELECT event_id FROM step_events ORDER BY ALL")
            feedback = names(ledger, "SELECT feedback_id FROM feedback ORDER BY ALL")
            ledger.close()
            assert acknowledged <= {*steps}
            assert steps == feedback
            assert len(steps) == len({*steps})
    assert len(acknowledged) > KILLS


def test_a_log_torn_anywhere_loses_only_its_end_and_no_half_of_a_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    log = tmp_path / "ledger.duckdb.wal"
    ledger = Ledger(path)
    for number in range(20):
        ledger.write(_step(f"{number:02}"), _feedback(f"{number:02}"))
    copies = path.read_bytes(), log.read_bytes()
    ledger.close()

    lengths = []
    for _ in range(12):
        path.write_bytes(copies[0])
        log.write_bytes(copies[1][: CHANCE.randrange(len(copies[1]))])
        ledger = Ledger(path)
        steps = names(ledger, "SELECT event_id FROM step_events ORDER BY ALL")
        assert steps == names(ledger, "SELECT feedback_id FROM feedback ORDER BY ALL")
        assert steps == [f"{number:02}" for number in range(len(steps))]
        ledger.write(_step("after"))
        ledger.close()
        lengths.append(len(steps))
    assert len({*lengths}) > 3


@pytest.mark.parametrize("kill", range(2))
def test_a_kill_while_a_ledger_is_made_leaves_none_or_one_that_works(
    tmp_path: Path, kill: int
) -> None:
    with child("make_until_killed", tmp_path) as process:
        made = lines_until_killed(process, after=1 + 3 * kill)

    files = sorted(tmp_path.glob("*/ledger.duckdb"))
    assert len(files) >= len(made)
    for folder in tmp_path.iterdir():
        ledger = Ledger(folder / "ledger.duckdb")
        ledger.write(_feedback("after"))
        assert names(ledger, "SELECT feedback_id FROM feedback") == ["after"]
        ledger.close()
