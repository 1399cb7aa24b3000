"""The gate after a restart: from the ledger alone, also when the process before was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import task_from
from core.clock import Clock, SystemClock
from core.errors import KeyReused
from core.guard import Admission, Denied, Gate, Request
from core.ledger import Ledger
from core.settings import PROJECT, Limits, Rule
from tests.fakes import FakeClock

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
N = 60
N_AN_HOUR = Limits(
    per_user={"execute": (Rule(limit=N, window_s=3_600),), "recommend": ()},
    deployment={"execute": (), "recommend": ()},
)

# Four threads that ask for as much as they get; each admission is said once it is durable.
GREEDY = f"""
import sys, threading
from pathlib import Path
from core.catalogue import task_from
from core.clock import SystemClock
from core.guard import Admission, Gate, Request
from core.ledger import Ledger
from core.settings import Limits, Rule

limits = Limits(
    per_user={{"execute": (Rule(limit={N}, window_s=3_600),), "recommend": ()}},
    deployment={{"execute": (), "recommend": ()}},
)
gate = Gate(Ledger(Path(sys.argv[1])), limits, SystemClock())
print("recovering", flush=True)
gate.recover()

request = Request("execute", "ada", task_from(title="More"))

def ask():
    while isinstance(answer := gate.admit(request), Admission):
        sys.stdout.write(answer.request_id + "\\n")
        sys.stdout.flush()

threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("full", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.duckdb"


@contextmanager
def started(
    file: Path, clock: Clock | None = None, limits: Limits | None = None
) -> Iterator[tuple[Gate, Ledger, int]]:
    """A process's worth of gate: opened, recovered, and closed in good order."""
    ledger = Ledger(file)
    try:
        gate = Gate(ledger, limits or Limits(), clock or SystemClock())
        yield gate, ledger, gate.recover()
    finally:
        ledger.close()


def killed_after(file: Path, said: int) -> list[str]:
    """Run the greedy process, kill -9 it after that many lines, return the ids it had said."""
    with subprocess.Popen(
        [sys.executable, "-c", GREEDY, str(file)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if len(lines) == said or lines[-1] == "full":
                break
        process.kill()
        lines += [line.strip() for line in process.stdout if line.endswith("\n")]
    return [line for line in lines if line not in {"recovering", "full"}]


def execute(**changes: Any) -> Request:
    return replace(
        Request("execute", "ada", task_from(title="Fix the login bug"), workflow_id="bug-fix"),
        **changes,
    )


def admitted(answer: Admission | Denied) -> Admission:
    assert isinstance(answer, Admission)
    return answer


def denied(answer: Admission | Denied) -> Denied:
    assert isinstance(answer, Denied)
    return answer


def used(gate: Gate) -> list[int]:
    return [usage.used for usage in gate.usage("ada", "execute")]


def outcomes(ledger: Ledger) -> dict[str, list[str]]:
    """The outcomes of every admitted request, by its id."""
    found = ledger.table(
        "SELECT request_id, list(outcome) FILTER (outcome IS NOT NULL) AS outcomes "
        "FROM requests LEFT JOIN settlements USING (request_id) "
        "WHERE decision = 'admitted' GROUP BY request_id"
    ).to_pylist()
    return {row["request_id"]: row["outcomes"] or [] for row in found}


def test_an_empty_ledger_has_nothing_to_recover(file: Path) -> None:
    with started(file) as (gate, ledger, lost):
        assert (lost, used(gate), outcomes(ledger)) == (0, [0, 0, 0], {})


def test_what_was_admitted_and_never_settled_is_lost_exactly_once(file: Path) -> None:
    with started(file) as (gate, _, _):
        settled, open_run = (admitted(gate.admit(execute())) for _ in range(2))
        open_question = admitted(gate.admit(execute(kind="recommend", user_id="bob")))
        gate.settle(settled, "succeeded")
        gate.admit(execute())
        denied(gate.admit(execute()))
    with started(file) as (_, _, lost):
        assert lost == 3
    with started(file) as (_, ledger, lost):
        assert lost == 0
        assert outcomes(ledger)[settled.request_id] == ["succeeded"]
        assert outcomes(ledger)[open_run.request_id] == ["lost"]
        (row,) = ledger.table(
            "SELECT * FROM settlements WHERE request_id = $id", {"id": open_question.request_id}
        ).to_pylist()
        assert (row["kind"], row["user_id"], row["outcome"]) == ("recommend", "bob", "lost")
        assert (row["latency_ms"], row["cost_nano_usd"]) == (None, None)


def test_over_three_kills_the_limit_stays_exactly_what_it_is(file: Path) -> None:
    said = [answer for after in (12, 2, 25) for answer in killed_after(file, after)]
    with started(file, limits=N_AN_HOUR) as (gate, ledger, lost):
        survived = outcomes(ledger)
        assert lost >= 1
        assert set(said) <= survived.keys()
        assert used(gate) == [len(survived)]
        while isinstance(gate.admit(execute()), Admission):
            pass
        assert len(outcomes(ledger)) == N
    with started(file, limits=N_AN_HOUR) as (gate, ledger, _):
        denied(gate.admit(execute()))
        assert list(outcomes(ledger).values()) == [["lost"]] * N


def test_a_kill_between_admission_and_settlement_or_while_recovering_loses_each_once(
    file: Path,
) -> None:
    said = killed_after(file, N + 2)
    assert len(said) == N
    killed_after(file, 1)
    killed_after(file, 1)
    with started(file) as (_, ledger, _):
        assert outcomes(ledger) == {request_id: ["lost"] for request_id in said}


def test_limits_are_exact_after_a_restart(file: Path) -> None:
    clock = FakeClock(NOON)
    with started(file, clock) as (gate, _, _):
        first = admitted(gate.admit(execute()))
        clock.advance(seconds=10)
        gate.admit(execute())
        gate.admit(execute(user_id="bob"))
    with started(file, clock) as (gate, _, _):
        assert used(gate) == [2, 2, 2]
        admitted(gate.admit(execute()))
        answer = denied(gate.admit(execute()))
        assert answer.retry_at == first.ts + timedelta(minutes=1)
        clock.set(answer.retry_at)
        admitted(gate.admit(execute()))
        denied(gate.admit(execute()))


def test_the_deployments_limit_is_exact_after_a_restart(file: Path) -> None:
    limits = Limits(deployment={"execute": (Rule(limit=3, window_s=3_600),), "recommend": ()})
    with started(file, limits=limits) as (gate, _, _):
        for person in ("ada", "bob"):
            gate.admit(execute(user_id=person))
    with started(file, limits=limits) as (gate, _, _):
        admitted(gate.admit(execute(user_id="cy")))
        assert denied(gate.admit(execute(user_id="dee"))).scope == "deployment"


def test_denied_requests_count_for_nothing_after_a_restart(file: Path) -> None:
    clock = FakeClock(NOON)
    with started(file, clock) as (gate, _, _):
        for _ in range(10):
            gate.admit(execute())
    with started(file, clock) as (gate, _, _):
        assert used(gate) == [3, 3, 3]


def test_hits_count_until_a_day_has_passed_and_are_not_loaded_after_it(file: Path) -> None:
    once_a_day = Limits(per_user={"execute": (Rule(limit=1, window_s=86_400),), "recommend": ()})
    with started(file, FakeClock(NOON), once_a_day) as (gate, _, _):
        assert admitted(gate.admit(execute())).ts > NOON
        hit_at = admitted(gate.admit(execute(user_id="bob"))).ts
    # Recovering reads the clock twice: for what to load, and for what it settles.
    with started(file, FakeClock(hit_at + DAY - 3 * MICROSECOND), once_a_day) as (gate, _, _):
        answer = denied(gate.admit(execute(user_id="bob")))
        assert (answer.retry_at, answer.retry_after_s) == (hit_at + DAY, 1)
        admitted(gate.admit(execute(user_id="bob")))
    with started(file, FakeClock(hit_at + DAY + 60 * DAY), once_a_day) as (gate, _, _):
        assert gate._limiter._hits == {}


def test_a_wall_clock_set_back_lets_nobody_in_too_early(file: Path) -> None:
    with started(file, FakeClock(NOON)) as (gate, _, _):
        for _ in range(3):
            hit_at = admitted(gate.admit(execute())).ts
    clock = FakeClock(NOON - timedelta(hours=2))
    with started(file, clock) as (gate, _, _):
        assert used(gate) == [3, 3, 3]
        denied(gate.admit(execute()))
        clock.set(NOON)
        denied(gate.admit(execute()))
        clock.set(hit_at + timedelta(minutes=1))
        admitted(gate.admit(execute()))


def test_admissions_made_while_the_clock_was_back_count_after_the_next_restart(
    file: Path,
) -> None:
    with started(file, FakeClock(NOON)) as (gate, _, _):
        gate.admit(execute())
    with started(file, FakeClock(NOON - timedelta(seconds=30))) as (gate, _, _):
        gate.admit(execute())
        gate.admit(execute())
        denied(gate.admit(execute()))
    with started(file, FakeClock(NOON - timedelta(seconds=15))) as (gate, _, _):
        assert used(gate) == [3, 3, 3]
        denied(gate.admit(execute()))


def test_keys_survive_a_restart_for_a_day(file: Path) -> None:
    with started(file, FakeClock(NOON)) as (gate, _, _):
        first = admitted(gate.admit(execute(idempotency_key="click-1")))
    with started(file, FakeClock(NOON + timedelta(hours=23))) as (gate, ledger, _):
        again = gate.admit(execute(idempotency_key="click-1"))
        assert again == replace(first, replayed=True)
        with pytest.raises(KeyReused):
            gate.admit(execute(idempotency_key="click-1", workflow_id="code-refactor"))
        for changes in ({"user_id": "bob"}, {"kind": "recommend"}):
            assert not admitted(gate.admit(execute(idempotency_key="click-1", **changes))).replayed
        assert len(outcomes(ledger)) == 3
    with started(file, FakeClock(NOON + timedelta(hours=25))) as (gate, _, _):
        assert not admitted(gate.admit(execute(idempotency_key="click-1"))).replayed


def test_a_denied_key_is_free_after_a_restart(file: Path) -> None:
    with started(file, FakeClock(NOON)) as (gate, _, _):
        for _ in range(3):
            gate.admit(execute())
        denied(gate.admit(execute(idempotency_key="click-1")))
    with started(file, FakeClock(NOON + timedelta(minutes=2))) as (gate, _, _):
        assert not admitted(gate.admit(execute(idempotency_key="click-1"))).replayed


def test_attempts_are_numbered_on_after_a_restart(file: Path) -> None:
    clock = FakeClock(NOON)
    with started(file, clock) as (gate, _, _):
        for _ in range(3):
            gate.admit(execute(task=task_from(title="Another task")))
        denied(gate.admit(execute()))
        denied(gate.admit(execute()))
    with started(file, clock) as (gate, _, _):
        denied(gate.admit(execute()))
        clock.advance(minutes=1)
        admitted(gate.admit(execute()))
    with started(file, clock) as (gate, ledger, _):
        admitted(gate.admit(execute()))
        attempts = ledger.table(
            "SELECT decision, attempt FROM requests WHERE task_title LIKE '%login%' ORDER BY ts"
        ).to_pylist()
    assert [(row["decision"], row["attempt"]) for row in attempts] == [
        ("denied", 1),
        ("denied", 2),
        ("denied", 3),
        ("admitted", 4),
        ("admitted", 1),
    ]
