"""The gate over a real ledger: what it lets in, what it says, and what it writes down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import ValidationError

from core.catalogue import task_from
from core.clock import SystemClock
from core.errors import InvalidInput, KeyReused, LedgerUnavailable, RowRefused
from core.guard import Admission, Denied, Gate, Request, profile_name
from core.ledger import Event, FeedbackGiven, Ledger
from core.settings import Limits, Rule
from tests.fakes import PATIENCE_S, FakeClock

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPEN = (Rule(limit=1_000, window_s=60),)
T = TypeVar("T")


class StumblingLedger(Ledger):
    """A ledger that refuses or holds its writes while the test wants it to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.refusing = False
        self.going = threading.Event()
        self.going.set()
        self.asked = threading.Semaphore(0)

    def write(self, *events: Event) -> None:
        self.asked.release()
        assert self.going.wait(PATIENCE_S)
        if self.refusing:
            raise LedgerUnavailable("The ledger stumbles.")
        super().write(*events)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[StumblingLedger]:
    opened = StumblingLedger(tmp_path / "ledger.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def gate(ledger: Ledger, clock: FakeClock) -> Gate:
    return Gate(ledger, Limits(), clock)


def execute(title: str = "Fix the login bug", **changes: Any) -> Request:
    request = Request(
        kind="execute", user_id="ada", task=task_from(title=title), workflow_id="bug-fix"
    )
    return replace(request, **changes)


def rows(ledger: Ledger, table: str = "requests") -> list[dict[str, Any]]:
    question = f"SELECT * FROM {table} ORDER BY ts"  # noqa: S608 - a table's name from below
    found: list[dict[str, Any]] = ledger.table(question).to_pylist()
    return found


def admitted(answer: Admission | Denied) -> Admission:
    assert isinstance(answer, Admission)
    return answer


def denied(answer: Admission | Denied) -> Denied:
    assert isinstance(answer, Denied)
    return answer


def is_refused(gate: Gate, request: Request) -> None:
    with pytest.raises(LedgerUnavailable):
        gate.admit(request)


def used(gate: Gate, user_id: str = "ada") -> list[int]:
    return [usage.used for usage in gate.usage(user_id, "execute")]


def at_once(act: Callable[[int], T], times: int) -> list[T]:
    """Let that many threads act at the same moment; returns what each got."""
    start = threading.Barrier(times)

    def waiting(number: int) -> T:
        start.wait(PATIENCE_S)
        return act(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(waiting, range(times)))


# What is written down


def test_an_admission_is_a_row_before_anybody_hears_of_it(gate: Gate, ledger: Ledger) -> None:
    task = task_from(
        title="Fix the login bug",
        description="It fails\nfor “Zoë” 🐞",
        priority="high",
        energy=3,
        time_of_day="morning",
        hours=1.5,
        recent_tasks=("Write the tests",),
        code_context={"tests_failing": 2, "recent_files": ["login.py"]},
    )
    answer = admitted(
        gate.admit(
            execute(
                task=task,
                source="api",
                idempotency_key="click-1",
                recommendation_id="r-1",
                chosen_rank=2,
            )
        )
    )
    (row,) = rows(ledger)
    assert row.pop("code_context") is not None
    assert row == {
        "request_id": answer.request_id,
        "ts": answer.ts,
        "kind": "execute",
        "user_id": "ada",
        "source": "api",
        "decision": "admitted",
        "denied_rule": None,
        "denied_used": None,
        "denied_limit": None,
        "retry_at": None,
        "attempt": 1,
        "idempotency_key": "click-1",
        "fingerprint": answer.fingerprint,
        "task_title": "Fix the login bug",
        "task_description": "It fails\nfor “Zoë” 🐞",
        "task_priority": "high",
        "user_energy": 3,
        "time_of_day": "morning",
        "estimated_hours": 1.5,
        "recent_tasks": '["Write the tests"]',
        "workflow_id": "bug-fix",
        "recommendation_id": "r-1",
        "chosen_rank": 2,
        "sensitive": None,
    }


def test_a_denial_is_a_row_that_says_what_the_answer_says(gate: Gate, ledger: Ledger) -> None:
    for _ in range(3):
        gate.admit(execute())
    answer = denied(gate.admit(execute()))
    row = rows(ledger)[-1]
    assert (row["request_id"], row["decision"]) == (answer.request_id, "denied")
    assert (row["denied_rule"], row["denied_used"], row["denied_limit"], row["retry_at"]) == (
        "user:execute:3/minute",
        3,
        3,
        answer.retry_at,
    )


def test_text_meant_as_sql_is_stored_as_text(gate: Gate, ledger: Ledger) -> None:
    title = "'); DROP TABLE requests; --"
    gate.admit(execute(title, idempotency_key="' OR 1=1 --", workflow_id="$x ? ''"))
    (row,) = rows(ledger)
    assert (row["task_title"], row["idempotency_key"]) == (title, "' OR 1=1 --")


def test_two_hundred_concurrent_executes_of_one_person_give_three_runs(
    gate: Gate, ledger: Ledger
) -> None:
    answers = at_once(lambda number: gate.admit(execute(f"Task {number}")), 200)
    ids = {answer.request_id for answer in answers}
    decisions = {row["request_id"]: row["decision"] for row in rows(ledger)}
    assert decisions.keys() == ids
    assert len(ids) == 200
    assert sum(isinstance(answer, Admission) for answer in answers) == 3
    assert list(decisions.values()).count("admitted") == 3
    assert list(decisions.values()).count("denied") == 197


# Limits and what a denial says


def test_a_denial_names_the_rule_its_use_and_the_moment_a_slot_opens(
    gate: Gate, clock: FakeClock
) -> None:
    first = admitted(gate.admit(execute()))
    clock.advance(seconds=20)
    gate.admit(execute())
    gate.admit(execute())
    clock.advance(seconds=10.5)
    answer = denied(gate.admit(execute()))
    assert (answer.kind, answer.scope, answer.rule) == (
        "execute",
        "user",
        Rule(limit=3, window_s=60),
    )
    assert (answer.rule_name, answer.used) == ("user:execute:3/minute", 3)
    assert answer.retry_at == first.ts + MINUTE
    assert answer.retry_after_s == 30


def test_a_retry_passes_at_retry_at_and_not_a_microsecond_before(
    gate: Gate, clock: FakeClock
) -> None:
    for _ in range(3):
        gate.admit(execute())
    retry_at = denied(gate.admit(execute())).retry_at
    clock.set(retry_at - timedelta(microseconds=1))
    assert denied(gate.admit(execute())).retry_at == retry_at
    clock.set(retry_at)
    assert admitted(gate.admit(execute())).ts == retry_at


def test_a_retry_after_the_seconds_named_passes(gate: Gate, clock: FakeClock) -> None:
    for _ in range(3):
        gate.admit(execute())
        clock.advance(seconds=7.3)
    clock.set(NOON + timedelta(seconds=31.4))
    answer = denied(gate.admit(execute()))
    clock.set(NOON + timedelta(seconds=31.4 + answer.retry_after_s - 1))
    denied(gate.admit(execute()))
    clock.set(NOON + timedelta(seconds=31.4 + answer.retry_after_s))
    admitted(gate.admit(execute()))


def test_each_of_the_three_windows_denies_in_its_turn(gate: Gate, clock: FakeClock) -> None:
    names = []
    for _ in range(100):
        while isinstance(answer := gate.admit(execute()), Denied):
            names.append(answer.rule_name)
            clock.set(answer.retry_at)
    assert list(dict.fromkeys(names)) == ["user:execute:3/minute", "user:execute:20/hour"]
    assert used(gate)[2] == 100
    assert denied(gate.admit(execute())).rule_name == "user:execute:100/day"


@pytest.mark.parametrize(
    "turn",
    [
        datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC),
    ],
)
def test_a_window_runs_through_midnight_and_a_change_of_the_clocks(
    gate: Gate, clock: FakeClock, turn: datetime
) -> None:
    clock.set(turn)
    for _ in range(3):
        gate.admit(execute())
    clock.set(turn + timedelta(seconds=20))
    assert denied(gate.admit(execute())).retry_at == turn + MINUTE


def test_people_and_kinds_are_counted_apart(gate: Gate) -> None:
    for _ in range(3):
        gate.admit(execute())
    denied(gate.admit(execute()))
    admitted(gate.admit(execute(user_id="bob")))
    admitted(gate.admit(execute(kind="recommend")))


def test_when_the_deployment_is_full_nobody_is_charged(ledger: Ledger, clock: FakeClock) -> None:
    everyone = {"execute": (Rule(limit=2, window_s=60),), "recommend": OPEN}
    gate = Gate(ledger, Limits(deployment=everyone), clock)
    for person in ("ada", "bob"):
        gate.admit(execute(user_id=person))
    answer = denied(gate.admit(execute(user_id="cy")))
    assert (answer.scope, answer.rule_name) == ("deployment", "deployment:execute:2/minute")
    assert used(gate, "cy") == [0, 0, 0]


def test_replaced_limits_count_what_was_used_before(gate: Gate, clock: FakeClock) -> None:
    for _ in range(3):
        gate.admit(execute())
    five, two = (
        {"execute": (Rule(limit=limit, window_s=60),), "recommend": OPEN} for limit in (5, 2)
    )
    gate.limits = Limits(per_user=five)
    assert used(gate) == [3]
    assert [type(gate.admit(execute())) for _ in range(3)] == [Admission, Admission, Denied]
    gate.limits = Limits(per_user=two)
    answer = denied(gate.admit(execute()))
    assert (answer.used, answer.rule.limit) == (5, 2)
    clock.set(answer.retry_at)
    admitted(gate.admit(execute()))


def test_usage_says_what_is_used_and_when_the_full_rule_opens(gate: Gate) -> None:
    first = admitted(gate.admit(execute()))
    gate.admit(execute())
    gate.admit(execute())
    minute, hour, day = gate.usage("  ada ", "execute")
    assert (minute.used, minute.opens_at) == (3, first.ts + MINUTE)
    assert [(usage.used, usage.opens_at) for usage in (hour, day)] == [(3, None), (3, None)]
    assert [usage.used for usage in gate.usage("ada", "recommend")] == [0, 0, 0]


def test_attempts_of_one_request_are_numbered_until_it_is_admitted(
    gate: Gate, ledger: Ledger, clock: FakeClock
) -> None:
    for _ in range(3):
        gate.admit(execute("Another task"))
    for _ in range(3):
        gate.admit(execute())
    gate.admit(execute("A third task"))
    clock.advance(seconds=61)
    for _ in range(4):
        gate.admit(execute())
    numbered = [
        (row["decision"], row["attempt"]) for row in rows(ledger) if "login" in row["task_title"]
    ]
    assert numbered == [
        *(("denied", number) for number in (1, 2, 3)),
        ("admitted", 4),
        ("admitted", 1),
        ("admitted", 1),
        ("denied", 1),
    ]


def test_attempts_made_at_once_have_different_numbers(gate: Gate, ledger: Ledger) -> None:
    for _ in range(3):
        gate.admit(execute("Another task"))
    at_once(lambda _: gate.admit(execute()), 40)
    attempts = [row["attempt"] for row in rows(ledger) if row["decision"] == "denied"]
    assert sorted(attempts) == list(range(1, 41))


def test_only_so_many_denied_requests_are_remembered(
    gate: Gate, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.guard.gate.REMEMBERED", 2)
    for _ in range(3):
        gate.admit(execute("Another task"))
    for title in ("first", "second", "first", "third", "first", "second"):
        denied(gate.admit(execute(title)))
    attempts = [row["attempt"] for row in rows(ledger) if row["decision"] == "denied"]
    assert attempts == [1, 1, 2, 1, 3, 1]


# When the decision cannot be made durable


def test_a_closed_ledger_lets_nothing_in_and_charges_nothing(gate: Gate, ledger: Ledger) -> None:
    ledger.close()
    for _ in range(5):
        with pytest.raises(LedgerUnavailable):
            gate.admit(execute())
    assert used(gate) == [0, 0, 0]


def test_after_a_refusal_of_the_ledger_the_whole_limit_is_there(
    gate: Gate, ledger: StumblingLedger
) -> None:
    ledger.refusing = True
    at_once(lambda _: is_refused(gate, execute()), 3)
    ledger.refusing = False
    answers = [gate.admit(execute()) for _ in range(4)]
    assert [type(answer) for answer in answers] == [Admission] * 3 + [Denied]
    assert len(rows(ledger)) == 4


def test_a_denial_that_cannot_be_written_is_an_error_and_not_an_answer(
    gate: Gate, ledger: StumblingLedger
) -> None:
    for _ in range(3):
        gate.admit(execute())
    ledger.refusing = True
    with pytest.raises(LedgerUnavailable):
        gate.admit(execute())
    assert used(gate) == [3, 3, 3]


def test_an_attempt_keeps_its_number_when_its_admission_could_not_be_written(
    gate: Gate, ledger: StumblingLedger, clock: FakeClock
) -> None:
    for _ in range(3):
        gate.admit(execute("Another task"))
    gate.admit(execute())
    clock.advance(seconds=61)
    ledger.refusing = True
    with pytest.raises(LedgerUnavailable):
        gate.admit(execute())
    ledger.refusing = False
    gate.admit(execute())
    assert rows(ledger)[-1]["attempt"] == 2


def test_a_request_that_does_not_make_a_row_charges_nothing(gate: Gate, ledger: Ledger) -> None:
    with pytest.raises(ValidationError):
        gate.admit(execute(chosen_rank=-1))
    with pytest.raises(RowRefused):
        gate.admit(execute(recommendation_id="\ud800"))
    assert used(gate) == [0, 0, 0]
    assert rows(ledger) == []


# Idempotency keys


def test_a_repeated_key_gets_the_first_answer_and_no_second_charge(
    gate: Gate, ledger: Ledger
) -> None:
    first = admitted(gate.admit(execute(idempotency_key="click-1")))
    again = [admitted(gate.admit(execute(idempotency_key="click-1"))) for _ in range(10)]
    assert again == [replace(first, replayed=True)] * 10
    assert not first.replayed
    assert len(rows(ledger)) == 1
    assert used(gate) == [1, 1, 1]


def test_sixty_four_threads_with_one_key_make_one_request(gate: Gate, ledger: Ledger) -> None:
    answers = at_once(lambda _: admitted(gate.admit(execute(idempotency_key="click-1"))), 64)
    assert len({answer.request_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert [row["decision"] for row in rows(ledger)] == ["admitted"]


def test_a_denied_key_can_be_tried_again(gate: Gate, ledger: Ledger, clock: FakeClock) -> None:
    for _ in range(3):
        gate.admit(execute())
    refusal = denied(gate.admit(execute(idempotency_key="click-1")))
    clock.set(refusal.retry_at)
    answer = admitted(gate.admit(execute(idempotency_key="click-1")))
    assert (answer.request_id != refusal.request_id, answer.replayed) == (True, False)
    assert admitted(gate.admit(execute(idempotency_key="click-1"))).replayed
    assert [row["decision"] for row in rows(ledger)[3:]] == ["denied", "admitted"]


def test_a_key_is_of_one_person_and_one_kind(gate: Gate) -> None:
    answers = [
        admitted(gate.admit(execute(idempotency_key="click-1", **changes)))
        for changes in ({}, {"user_id": "bob"}, {"kind": "recommend"})
    ]
    assert len({answer.request_id for answer in answers}) == 3
    assert not any(answer.replayed for answer in answers)


@pytest.mark.parametrize(
    "changes", [{"task": task_from(title="Another task")}, {"workflow_id": "code-refactor"}]
)
def test_a_key_with_another_request_is_refused(
    gate: Gate, ledger: Ledger, changes: dict[str, Any]
) -> None:
    gate.admit(execute(idempotency_key="click-1"))
    with pytest.raises(KeyReused) as refusal:
        gate.admit(execute(idempotency_key="click-1", **changes))
    assert refusal.value.key == "click-1"
    assert len(rows(ledger)) == 1


def test_a_key_under_way_is_waited_for_by_its_own_request_and_refused_to_another(
    gate: Gate, ledger: StumblingLedger
) -> None:
    ledger.going.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(gate.admit, execute(idempotency_key="click-1"))
        assert ledger.asked.acquire(timeout=PATIENCE_S)
        second = pool.submit(gate.admit, execute(idempotency_key="click-1"))
        with pytest.raises(KeyReused):
            gate.admit(execute("Another task", idempotency_key="click-1"))
        assert not second.done()
        ledger.going.set()
        assert second.result().request_id == first.result().request_id
    assert len(rows(ledger)) == 1


def test_every_denial_that_is_heard_under_one_key_is_a_row(gate: Gate, ledger: Ledger) -> None:
    for _ in range(3):
        gate.admit(execute())
    answers = at_once(lambda _: denied(gate.admit(execute(idempotency_key="click-1"))), 16)
    written = {row["request_id"] for row in rows(ledger) if row["decision"] == "denied"}
    assert {answer.request_id for answer in answers} == written


def test_whoever_waits_for_a_key_that_fails_hears_of_it_and_can_try_again(
    gate: Gate, ledger: StumblingLedger
) -> None:
    ledger.refusing = True
    request = execute(idempotency_key="click-1")
    at_once(lambda _: is_refused(gate, request), 8)
    ledger.refusing = False
    assert not admitted(gate.admit(request)).replayed
    assert used(gate) == [1, 1, 1]


def test_a_key_that_is_not_short_plain_text_is_refused(gate: Gate) -> None:
    for key in ("", "k" * 201, "line\nbreak", "nul\0", "clé", "\ud800"):
        with pytest.raises(InvalidInput) as refusal:
            gate.admit(execute(idempotency_key=key))
        assert refusal.value.field == "idempotency_key"
    assert used(gate) == [0, 0, 0]
    admitted(gate.admit(execute(idempotency_key="k" * 200)))


def test_only_so_many_keys_are_remembered(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.guard.idempotency.REMEMBERED", 5)
    gate.limits = Limits(per_user={"execute": (), "recommend": ()})
    for click in range(20):
        gate.admit(execute(idempotency_key=f"click-{click}"))
    assert len(gate._idempotency._admitted) == 5
    assert gate._idempotency._under_way == {}
    assert admitted(gate.admit(execute(idempotency_key="click-19"))).replayed


# Profile names


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ada", "ada"),
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\u00a0Lovelace", "Ada Lovelace"),
        ("Zoë Ångström", "Zoë Ångström"),
        ("Jose\u0301", "José"),
        ("李小龍", "李小龍"),
        ("हिन्दी", "हिन्दी"),
        ("o.brien+test@example.org", "o.brien+test@example.org"),
        ("7", "7"),
        ("n" * 40, "n" * 40),
        (" " * 10 + "n" * 40 + " " * 10, "n" * 40),
    ],
)
def test_a_name_has_one_spelling(typed: str, name: str) -> None:
    assert profile_name(typed) == profile_name(name) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "n" * 41,
        "a\0b",
        "a\nb",
        "ada\n",
        "\tada",
        "a\x1fb",
        "a\x7fb",
        "a\x85b",
        "a\u200bb",
        "a\u202eb",
        "\ud800",
        "-ada",
        ".hidden",
        "_ada",
        "\u0301ada",
        "a/b",
        "a:b",
        "<b>ada</b>",
        "![x](http://example.org/x.png)",
        "ada'; DROP TABLE requests; --",
    ],
)
def test_a_name_of_nothing_too_much_or_strange_characters_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        profile_name(typed)
    assert refusal.value.field == "user_id"


def test_the_gate_stores_and_counts_the_normalised_name(gate: Gate, ledger: Ledger) -> None:
    answer = admitted(gate.admit(execute(user_id="  Jose\u0301   Lima ")))
    assert answer.user_id == "José Lima"
    gate.settle(answer, "succeeded")
    gate.admit(execute(user_id="José Lima"))
    assert [row["user_id"] for row in rows(ledger)] == ["José Lima"] * 2
    assert [row["user_id"] for row in rows(ledger, "settlements")] == ["José Lima"]
    assert used(gate, "Jose\u0301 Lima") == used(gate, "José Lima ") == [2, 2, 2]


def test_the_gate_refuses_a_name_before_anything_is_counted(gate: Gate, ledger: Ledger) -> None:
    for name in ("", "a\0b", "n" * 41):
        with pytest.raises(InvalidInput):
            gate.admit(execute(user_id=name))
        with pytest.raises(InvalidInput):
            gate.usage(name, "execute")
    assert rows(ledger) == []
    assert gate._limiter._hits == {}


def test_a_key_sent_with_another_spelling_of_the_name_is_the_same_request(gate: Gate) -> None:
    first = gate.admit(execute(user_id="José", idempotency_key="click-1"))
    again = gate.admit(execute(user_id=" Jose\u0301", idempotency_key="click-1"))
    assert admitted(again) == replace(admitted(first), replayed=True)


# Settlements


def feedback(request_id: str, user_id: str = "ada") -> FeedbackGiven:
    return FeedbackGiven(
        ts=NOON,
        feedback_id="f-1",
        user_id=user_id,
        request_id=request_id,
        workflow_id="bug-fix",
        useful=True,
    )


def test_a_settlement_and_its_facts_are_written_together(gate: Gate, ledger: Ledger) -> None:
    answer = admitted(gate.admit(execute()))
    gate.settle(answer, "failed", feedback(answer.request_id), latency_ms=12.5, error_type="Oops")
    (settled,) = rows(ledger, "settlements")
    assert settled.pop("ts") > answer.ts
    assert settled == {
        "request_id": answer.request_id,
        "kind": "execute",
        "user_id": "ada",
        "outcome": "failed",
        "error_type": "Oops",
        "latency_ms": 12.5,
        "cost_nano_usd": 0,
    }
    assert len(rows(ledger, "feedback")) == 1


@pytest.mark.parametrize("cost", [0, 123_456_789, None])
def test_a_settlement_says_what_it_cost_or_that_nobody_knows(
    gate: Gate, ledger: Ledger, cost: int | None
) -> None:
    gate.settle(admitted(gate.admit(execute())), "succeeded", cost_nano_usd=cost)
    assert [row["cost_nano_usd"] for row in rows(ledger, "settlements")] == [cost]


def test_when_a_fact_is_refused_the_settlement_is_not_written_either(
    gate: Gate, ledger: Ledger
) -> None:
    answer = admitted(gate.admit(execute()))
    with pytest.raises(RowRefused):
        gate.settle(answer, "succeeded", feedback(answer.request_id, user_id="\ud800"))
    assert rows(ledger, "settlements") == []
    assert rows(ledger, "feedback") == []


def test_the_systems_clock_gives_every_decision_its_own_moment(ledger: Ledger) -> None:
    gate = Gate(ledger, Limits(), SystemClock())
    at_once(lambda _: gate.admit(execute()), 32)
    assert len({row["ts"] for row in rows(ledger)}) == 32
