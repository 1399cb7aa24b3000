"""The ledger on a real file: what goes in comes out, whole, once, from any thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import LedgerBusy, LedgerLocked, LedgerTooNew, LedgerUnavailable, RowRefused
from core.ledger import (
    EVENTS,
    CurveFitted,
    Event,
    ExecutionPlanned,
    FeedbackGiven,
    KeyChanged,
    KeySealed,
    Ledger,
    LlmCall,
    LlmCallBegun,
    ProfileSaved,
    Queries,
    RecommendationMade,
    RequestDecided,
    RequestSettled,
    SettingsSaved,
    StepChanged,
    database,
    writer,
)
from core.ledger.database import MIGRATIONS, Database
from core.ledger.writer import ARROW_FROM_ROWS, BATCH_ROWS
from tests.fakes import PATIENCE_S

THREADS = 64

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MANY = ARROW_FROM_ROWS + 14
HOSTILE = (
    "Zoë’s 日本語 \U0001f3f3️‍\U0001f308 \U0001d518 \u202e\u200b "
    '\'); DROP TABLE requests; -- $1 ? {x} %s \\ "quoted" \t\r\n \0 end'
)

CALL = LlmCall(
    ts=NOON,
    call_id="c1",
    request_id="r1",
    user_id="ana",
    purpose="plan",
    attempt=2,
    rung=1,
    prompt_version="1",
    key_id="k1",
    gen_ai_provider_name="anthropic",
    gen_ai_request_model="claude-haiku-5-5",
    gen_ai_request_max_tokens=2**63 - 1,
    gen_ai_response_id="msg_1",
    gen_ai_response_finish_reasons=["end_turn", HOSTILE],
    gen_ai_usage_input_tokens=4_000,
    gen_ai_usage_cache_read_input_tokens=3_000,
    gen_ai_usage_cache_write_input_tokens=900,
    gen_ai_usage_output_tokens=500,
    gen_ai_usage_reasoning_output_tokens=100,
    measured=False,
    outcome="failed",
    error_type="dropped",
    cost_nano_usd=2**63 - 1,
    cost_source="genai-prices",
    cost_version="0.2.3",
    bound_nano_usd=1,
    first_token_ms=0.1,
    latency_ms=1e9,
)

WHOLE: dict[type[Event], Event] = {
    event.__class__: event
    for event in (
        RequestDecided(
            ts=NOON,
            request_id="r1",
            kind="execute",
            user_id="ana",
            source="api",
            decision="denied",
            denied_rule="user:execute:3/minute",
            denied_used=3,
            denied_limit=2**63 - 1,
            retry_at=NOON + timedelta(microseconds=1),
            attempt=2,
            idempotency_key="key",
            fingerprint="f" * 32,
            task_title=HOSTILE,
            task_description=HOSTILE * 100,
            task_priority="high",
            user_energy=3,
            time_of_day="morning",
            estimated_hours=0.1,
            recent_tasks=["one", HOSTILE],
            code_context={HOSTILE: [None, True, 1.5, 10**30, {"deep": [[]]}], "": {}},
            workflow_id="bug-fix",
            recommendation_id="r0",
            chosen_rank=0,
            sensitive="word",
        ),
        RecommendationMade(
            ts=NOON,
            request_id="r1",
            user_id="ana",
            ranker="local",
            ranker_version="1",
            nothing_fits=False,
            top_workflow_id="bug-fix",
            top_confidence=1 / 3,
            candidates=[{"workflow_id": "bug-fix", "score": 5e-324}],
            shown=[],
            latency_ms=1.7976931348623157e308,
            curve="shipped",
            source={"name": "model", "falls": [{"reason": HOSTILE}]},
            offered=["a", HOSTILE],
            local_top="bug-fix",
            local_confidence=0.1,
            cascade_at=0.9,
        ),
        ExecutionPlanned(
            ts=NOON,
            execution_id="r1",
            user_id="ana",
            workflow_id="bug-fix",
            workflow_version="1",
            domain="dev",
            planner="local",
            planner_version="1",
            steps=[{"title": HOSTILE, "minutes": 5}],
            step_count=1,
            planned_minutes=5,
            break_minutes=0,
            buffer_minutes=0,
            notes=[HOSTILE],
            source={"planner": "local", "reason": HOSTILE},
        ),
        StepChanged(
            ts=NOON,
            event_id="e1",
            execution_id="r1",
            user_id="ana",
            step=1,
            event="edited",
            actual_minutes=7,
            title=HOSTILE,
            description="",
        ),
        RequestSettled(
            ts=NOON,
            request_id="r1",
            kind="execute",
            user_id="ana",
            outcome="failed",
            error_type="ValueError",
            latency_ms=12.5,
            cost_nano_usd=0,
        ),
        FeedbackGiven(
            ts=NOON,
            feedback_id="f1",
            user_id="ana",
            request_id="r1",
            workflow_id="bug-fix",
            useful=False,
        ),
        ProfileSaved(
            ts=NOON,
            user_id="ana",
            usual_energy=3,
            usual_hours=2.5,
            favourite_domains=["dev"],
            learns=False,
            forgotten_until=NOON,
        ),
        CurveFitted(
            ts=NOON,
            curve_id="c1",
            ranker="local",
            ranker_version="1",
            slope=0.5,
            intercept=-0.25,
            fitted_on=700,
            tested_on=300,
            log_loss_before=0.75,
            log_loss_after=0.5,
            adopted=True,
            reason="better on later answers",
        ),
        CALL,
        LlmCallBegun(**CALL.model_dump()),
        SettingsSaved(
            ts=NOON,
            version_id="v2",
            section="privacy",
            version=2,
            schema_version=1,
            value={"words": [HOSTILE], "ai_off": True},
            changes=[{"field": "words", "before": None, "after": [HOSTILE]}],
            actor="ana",
            reason=HOSTILE,
            restored_from="v1",
        ),
        KeySealed(
            ts=NOON,
            key_id="k1",
            user_id="ana",
            provider="anthropic",
            last_four="YcHd",
            actor=HOSTILE,
            master_id="m1",
            sealed="c2VhbGVk",
        ),
        KeyChanged(
            ts=NOON,
            event_id="e1",
            key_id="k1",
            user_id="ana",
            provider="anthropic",
            event="resealed",
            actor=HOSTILE,
            master_id="m2",
        ),
    )
}


class HeldCursor:
    """The writer's cursor, which begins no transaction until the test lets it."""

    def __init__(self, ledger: Ledger) -> None:
        self._cursor = ledger._writer._cursor
        self.asked = threading.Event()
        self.going = threading.Event()
        ledger._writer._cursor = cast("Any", self)

    def begin(self) -> None:
        self.asked.set()
        assert self.going.wait(PATIENCE_S)
        self._cursor.begin()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.duckdb")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = Ledger(tmp_path_factory.mktemp("shared") / "ledger.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(THREADS) as threads:
        yield threads


def feedback(feedback_id: object, **changes: Any) -> FeedbackGiven:
    return cast("FeedbackGiven", WHOLE[FeedbackGiven]).model_copy(
        update={"feedback_id": str(feedback_id), **changes}
    )


def poison() -> StepChanged:
    """An event that no check catches and that its table cannot hold."""
    return cast("StepChanged", WHOLE[StepChanged]).model_copy(update={"step": 2**63})


def feedback_ids(ledger: Ledger) -> list[str]:
    rows = ledger.table("SELECT feedback_id FROM feedback ORDER BY ALL").to_pylist()
    return [row["feedback_id"] for row in rows]


def count(ledger: Ledger, table: str) -> int:
    return int(ledger.table(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py())  # noqa: S608


def read_back(ledger: Ledger, event: type[Event], after: int) -> list[Event]:
    """Return the events of a table that came after so many rows."""
    described = ledger.table(f"DESCRIBE {event.table}").to_pylist()
    is_json = {column["column_name"]: column["column_type"] == "JSON" for column in described}
    return [
        event.model_validate(
            {
                name: json.loads(value) if is_json[name] and value is not None else value
                for name, value in row.items()
            }
        )
        for row in ledger.table(f"FROM {event.table} OFFSET {after}").to_pylist()
    ]


def wait_until_rows_wait(ledger: Ledger, rows: int) -> None:
    queue = ledger._writer
    with queue._changed:
        assert queue._changed.wait_for(lambda: queue._waiting_rows >= rows, PATIENCE_S)


def hold_with_one_row(ledger: Ledger, pool: ThreadPoolExecutor) -> tuple[HeldCursor, Future[None]]:
    """Keep the writer busy with a first row, so that what comes next waits."""
    held = HeldCursor(ledger)
    first = pool.submit(ledger.write, feedback("first"))
    assert held.asked.wait(PATIENCE_S)
    return held, first


# --- the schema


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.table)
def test_every_events_fields_are_its_tables_columns(
    shared_ledger: Ledger, event: type[Event]
) -> None:
    columns = shared_ledger.table(f"DESCRIBE {event.table}")["column_name"].to_pylist()

    assert sorted(columns) == sorted(event.model_fields)


def test_every_table_is_some_events_table(shared_ledger: Ledger) -> None:
    tables = set(shared_ledger.table("SHOW TABLES")["name"].to_pylist())

    assert tables - {"schema_migrations"} == {event.table for event in EVENTS}
    assert len({event.table for event in EVENTS}) == len(EVENTS)


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    numbers = sorted(int(file.name[:4]) for file in MIGRATIONS.iterdir())

    assert numbers == list(range(1, len(numbers) + 1))


def test_migrations_are_applied_once_also_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    for _ in range(3):
        ledger = Ledger(path)
        applied = ledger.table("SELECT version, name FROM schema_migrations ORDER BY ALL")
        ledger.close()

        files = sorted(MIGRATIONS.glob("*.sql"))
        assert applied["version"].to_pylist() == [int(file.name[:4]) for file in files]
        assert applied["name"].to_pylist() == [file.stem for file in files]


def test_a_new_migration_keeps_the_rows_of_an_old_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.duckdb"
    migrations = folder_of_migrations(tmp_path, monkeypatch)
    (migrations / "0001_a.sql").write_text("CREATE TABLE a (x BIGINT); INSERT INTO a VALUES (1);")
    Database(path).close()

    (migrations / "0002_b.sql").write_text("ALTER TABLE a ADD COLUMN y VARCHAR; SELECT 1;")
    opened = Database(path)
    rows = opened.cursor().execute("SELECT * FROM a").fetchall()
    versions = opened.cursor().execute("SELECT version FROM schema_migrations").fetchall()
    opened.close()

    assert rows == [(1, None)]
    assert versions == [(1,), (2,)]


def test_a_migration_that_fails_leaves_nothing_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.duckdb"
    migrations = folder_of_migrations(tmp_path, monkeypatch)
    (migrations / "0001_a.sql").write_text("CREATE TABLE a (x BIGINT);")
    (migrations / "0002_b.sql").write_text("CREATE TABLE b (x BIGINT); INSERT INTO a VALUES (b);")

    with pytest.raises(LedgerUnavailable, match="cannot be used"):
        Database(path)
    (migrations / "0002_b.sql").unlink()
    opened = Database(path)
    tables = opened.cursor().execute("SHOW TABLES").fetchall()
    opened.close()

    assert tables == [("a",), ("schema_migrations",)]


def folder_of_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    return folder


def test_a_ledger_with_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    opened = Database(path)
    opened.cursor().execute("INSERT INTO schema_migrations VALUES (9_999, '9999_future')")
    opened.close()

    for _ in range(2):
        with pytest.raises(LedgerTooNew, match="has schema 9999, this version of Waywarden knows"):
            Ledger(path)


def test_a_missing_folder_is_made_and_holds_nothing_but_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "ledger.duckdb"
    ledger = Ledger(path)
    ledger.write(feedback(1))
    ledger.close()

    assert [file.name for file in path.parent.iterdir()] == ["ledger.duckdb"]


def test_a_second_ledger_on_the_same_file_is_refused_and_the_first_goes_on(
    ledger: Ledger,
) -> None:
    with pytest.raises(LedgerLocked, match="is open in process"):
        Ledger(ledger.path)

    ledger.write(feedback(1))
    assert feedback_ids(ledger) == ["1"]


# --- events


def comes_back(ledger: Ledger, events: list[Event]) -> bool:
    """Write the events at once and return whether the same are read."""
    before = count(ledger, events[0].table)
    ledger.write(*events)
    return read_back(ledger, type(events[0]), before) == events


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.table)
def test_a_whole_event_comes_back_as_it_went_in(shared_ledger: Ledger, event: type[Event]) -> None:
    whole = WHOLE[event]
    assert None not in whole.model_dump().values()

    assert comes_back(shared_ledger, [whole])
    assert comes_back(shared_ledger, [whole] * 3)
    assert comes_back(shared_ledger, [whole] * MANY)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.table)
def test_what_an_event_leaves_out_comes_back_as_it_was_meant(
    shared_ledger: Ledger, event: type[Event]
) -> None:
    said = {
        name: value
        for name, value in WHOLE[event].model_dump().items()
        if event.model_fields[name].is_required()
    }
    bare = event(**said)

    assert comes_back(shared_ledger, [bare])
    assert comes_back(shared_ledger, [bare, WHOLE[event]])
    assert comes_back(shared_ledger, [bare] * MANY)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones())  # noqa: DTZ001
_ANY_REQUEST = st.builds(
    lambda **parts: RequestDecided(**{**WHOLE[RequestDecided].model_dump(), **parts}),
    ts=_TIMES,
    task_title=_TEXT,
    task_description=_TEXT,
    time_of_day=st.none() | _TEXT,
    estimated_hours=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    denied_used=st.none() | st.integers(0, 2**63 - 1),
    recent_tasks=st.lists(_TEXT, max_size=3),
    code_context=st.none() | st.dictionaries(_TEXT, _JSON, max_size=3),
)


@settings(max_examples=30, deadline=None)
@given(events=st.lists(_ANY_REQUEST, min_size=1, max_size=6), repeated=st.sampled_from([1, 20]))
def test_any_event_comes_back_as_it_went_in(
    shared_ledger: Ledger, events: list[Event], repeated: int
) -> None:
    assert comes_back(shared_ledger, events * repeated)


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 11, 2, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-12))),
        datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_times_are_stored_in_utc_to_the_microsecond(ledger: Ledger, time: datetime) -> None:
    for copies in (1, MANY):
        ledger.write(
            *[FeedbackGiven(**{**WHOLE[FeedbackGiven].model_dump(), "ts": time})] * copies
        )

    times = ledger.table("SELECT DISTINCT ts FROM feedback")["ts"].to_pylist()
    assert times == [time.astimezone(UTC)]
    assert [stored.utcoffset() for stored in times] == [timedelta(0)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ts", datetime(2026, 11, 2, 12)),  # noqa: DTZ001 - no zone is the point
        ("retry_at", datetime(2026, 11, 2, 12)),  # noqa: DTZ001
        ("ts", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
        ("ts", datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))),
        ("estimated_hours", float("nan")),
        ("estimated_hours", float("inf")),
        ("denied_used", 2**63),
        ("denied_used", -1),
        ("surprise", 1),
    ],
)
def test_an_event_that_its_table_could_not_hold_or_give_back_is_never_made(
    field: str, value: object
) -> None:
    with pytest.raises(ValidationError, match=field):
        RequestDecided(**{**WHOLE[RequestDecided].model_dump(), field: value})


@pytest.mark.parametrize(
    "unfit",
    [
        {"code_context": {"a": float("nan")}},
        {"code_context": {"a": object()}},
        {"code_context": {"a": NOON}},
        {"code_context": {"half a \ud83d": 1}},
        {"task_title": "half a \ud83d"},
    ],
)
def test_what_cannot_be_stored_is_refused_before_it_waits(
    ledger: Ledger, pool: ThreadPoolExecutor, unfit: dict[str, object]
) -> None:
    event = RequestDecided(**{**WHOLE[RequestDecided].model_dump(), **unfit})
    held, first = hold_with_one_row(ledger, pool)

    with pytest.raises(RowRefused, match="The ledger refused a row: "):
        ledger.write(feedback(1), event)
    held.going.set()
    first.result(PATIENCE_S)

    assert feedback_ids(ledger) == ["first"]


# --- writing


def test_writing_nothing_does_nothing(ledger: Ledger) -> None:
    ledger.write()

    assert sum(count(ledger, event.table) for event in EVENTS) == 0


@pytest.mark.parametrize("good", [1, MANY])
def test_the_events_of_one_write_are_written_all_or_none(ledger: Ledger, good: int) -> None:
    mixed = [event for _ in range(good) for event in WHOLE.values()]

    with pytest.raises(RowRefused):
        ledger.write(*mixed, poison())
    assert sum(count(ledger, event.table) for event in EVENTS) == 0

    ledger.write(*mixed)
    assert {count(ledger, event.table) for event in EVENTS} == {good}


@pytest.mark.parametrize("rows_each", [1, MANY])
@pytest.mark.parametrize("spoilt", [{0}, {29}, {7, 8, 20}, set(range(30))])
def test_a_poison_row_fails_alone_among_many_callers(
    ledger: Ledger, pool: ThreadPoolExecutor, rows_each: int, spoilt: set[int]
) -> None:
    held, first = hold_with_one_row(ledger, pool)
    calls = []
    for caller in range(30):
        rows: list[Event] = [feedback(f"{caller:02}") for _ in range(rows_each)]
        if caller in spoilt:
            rows.append(poison())
        calls.append(pool.submit(ledger.write, *rows))
    wait_until_rows_wait(ledger, 30 * rows_each + len(spoilt))
    held.going.set()

    first.result(PATIENCE_S)
    problems = [call.exception(PATIENCE_S) for call in calls]
    assert {n for n, problem in enumerate(problems) if problem is not None} == spoilt
    assert all(isinstance(problem, RowRefused) for problem in problems if problem)
    honest = [f"{caller:02}" for caller in range(30) if caller not in spoilt]
    assert sorted({*feedback_ids(ledger)} - {"first"}) == honest
    assert count(ledger, "feedback") == 1 + len(honest) * rows_each
    assert count(ledger, "step_events") == 0


def test_the_ledger_goes_on_after_a_poison_row(ledger: Ledger) -> None:
    for number in range(5):
        with pytest.raises(RowRefused):
            ledger.write(poison())
        ledger.write(feedback(number))

    assert feedback_ids(ledger) == ["0", "1", "2", "3", "4"]


def test_sixty_four_threads_lose_nothing_and_double_nothing(
    ledger: Ledger, pool: ThreadPoolExecutor
) -> None:
    together = threading.Barrier(64)

    def write(thread: int) -> list[str]:
        together.wait(PATIENCE_S)
        ids = []
        for turn in range(8):
            events = [feedback(f"{thread}.{turn}.{row}") for row in range(1 + (thread + turn) % 3)]
            ledger.write(*events)
            ids += [event.feedback_id for event in events]
        return ids

    acknowledged = [name for names in pool.map(write, range(64)) for name in names]

    assert feedback_ids(ledger) == sorted(acknowledged)


def test_a_write_larger_than_a_batch_and_the_queue_is_still_one_write(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb", queue_rows=10)
    ledger.write(*[feedback(number) for number in range(BATCH_ROWS + 500)])

    assert count(ledger, "feedback") == BATCH_ROWS + 500
    ledger.close()


def test_past_a_full_queue_callers_wait_and_then_are_told_busy(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb", queue_rows=6)
    held, first = hold_with_one_row(ledger, pool)
    waiting = [
        pool.submit(ledger.write, feedback(f"waits{n}"), WHOLE[ProfileSaved]) for n in range(3)
    ]
    wait_until_rows_wait(ledger, 6)

    monkeypatch.setattr(writer, "PATIENCE_S", 0.05)
    refused = [pool.submit(ledger.write, feedback(f"refused{n}")) for n in range(20)]
    problems = [call.exception(PATIENCE_S) for call in refused]
    assert {type(problem) for problem in problems} == {LedgerBusy}
    assert "try again" in str(problems[0])
    assert not any(call.done() for call in (first, *waiting))

    held.going.set()
    for call in (first, *waiting):
        call.result(PATIENCE_S)
    assert feedback_ids(ledger) == ["first", "waits0", "waits1", "waits2"]
    assert count(ledger, "profiles") == 3
    ledger.close()


def test_a_caller_that_waits_for_room_gets_it(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb", queue_rows=2)
    held, first = hold_with_one_row(ledger, pool)
    calls = [pool.submit(ledger.write, feedback(n), feedback(n)) for n in range(20)]
    wait_until_rows_wait(ledger, 2)
    assert not any(call.done() for call in calls)

    held.going.set()
    for call in (first, *calls):
        call.result(PATIENCE_S)
    assert count(ledger, "feedback") == 41
    ledger.close()


# --- closing


def test_closing_writes_what_waits_and_refuses_what_comes_later(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    path = tmp_path / "ledger.duckdb"
    ledger = Ledger(path, queue_rows=20)
    held, first = hold_with_one_row(ledger, pool)
    calls = [pool.submit(ledger.write, feedback(f"{n:02}")) for n in range(20)]
    wait_until_rows_wait(ledger, 20)
    closing = pool.submit(ledger.close)
    with ledger._writer._changed:
        assert ledger._writer._changed.wait_for(lambda: ledger._writer._closing, PATIENCE_S)

    with pytest.raises(LedgerUnavailable, match="closed; Waywarden is stopping"):
        ledger.write(feedback("late"))
    held.going.set()
    closing.result(PATIENCE_S)
    for call in (first, *calls):
        call.result(PATIENCE_S)
    with pytest.raises(LedgerUnavailable, match="closed; Waywarden is stopping"):
        ledger.write(feedback("later"))

    reopened = Ledger(path)
    assert feedback_ids(reopened) == [*(f"{n:02}" for n in range(20)), "first"]
    reopened.close()


def test_whoever_waits_for_room_when_the_ledger_closes_is_refused(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb", queue_rows=1)
    held, first = hold_with_one_row(ledger, pool)
    second = pool.submit(ledger.write, feedback("second"))
    wait_until_rows_wait(ledger, 1)
    third = pool.submit(ledger.write, feedback("third"))
    closing = pool.submit(ledger.close)

    assert "closed" in str(third.exception(PATIENCE_S))
    held.going.set()
    for call in (first, second, closing):
        call.result(PATIENCE_S)


def test_closing_waits_while_the_files_are_being_copied(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    ledger.write(feedback(1))
    log = tmp_path / "ledger.duckdb.wal"
    before = log.read_bytes()

    with ledger._writer.paused():
        closing = pool.submit(ledger.close)
        with pytest.raises(TimeoutError):
            closing.result(0.2)
        assert log.read_bytes() == before
    closing.result(PATIENCE_S)
    assert not log.exists()


def test_closing_twice_is_harmless_and_a_closed_ledger_answers_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    ledger.close()
    ledger.close()

    with pytest.raises(LedgerUnavailable, match="closed; Waywarden is stopping"):
        ledger.table("SELECT 1")


def test_readers_of_a_ledger_that_closes_get_their_answer_or_a_sentence(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    ledger.write(*[feedback(n) for n in range(2_000)])
    reading = threading.Semaphore(0)

    def read() -> str:
        try:
            while True:
                assert len(feedback_ids(ledger)) == 2_000
                reading.release()
        except LedgerUnavailable as problem:
            return str(problem)

    readers = [pool.submit(read) for _ in range(8)]
    for _ in range(16):
        assert reading.acquire(timeout=PATIENCE_S)
    ledger.close()

    assert {reader.result(PATIENCE_S) for reader in readers} == {
        "The ledger is closed; Waywarden is stopping."
    }


# --- reading


def test_readers_see_whole_writes_and_never_fewer_than_before(
    ledger: Ledger, pool: ThreadPoolExecutor
) -> None:
    stop = threading.Event()
    question = """
        SELECT (SELECT count(*) FROM feedback) AS given, (SELECT count(*) FROM profiles) AS saved,
               $mine AS mine
    """

    def write(thread: int) -> None:
        for turn in range(25):
            ledger.write(feedback(f"{thread}.{turn}"), WHOLE[ProfileSaved])

    def read(thread: int) -> int:
        seen, reads = 0, 0
        while not stop.is_set():
            [row] = ledger.table(question, {"mine": thread}).to_pylist()
            assert row["given"] == row["saved"] >= seen
            assert row["mine"] == thread
            seen, reads = row["given"], reads + 1
        return reads

    readers = [pool.submit(read, thread) for thread in range(6)]
    for call in [pool.submit(write, thread) for thread in range(6)]:
        call.result(PATIENCE_S)
    stop.set()

    assert all(reader.result(PATIENCE_S) > 0 for reader in readers)
    assert count(ledger, "feedback") == count(ledger, "profiles") == 150


def test_a_written_event_is_seen_by_the_next_question(ledger: Ledger) -> None:
    for number in range(20):
        ledger.write(feedback(number))

        assert count(ledger, "feedback") == number + 1


def test_readers_use_connections_again_but_none_that_failed(
    ledger: Ledger, pool: ThreadPoolExecutor
) -> None:
    def read(_: int) -> int:
        [row] = ledger.table("SELECT current_connection_id() AS id").to_pylist()
        return int(row["id"])

    first = read(0)
    assert read(1) == first
    with pytest.raises(duckdb.ParserException):
        ledger.table("SELECT 1 +")
    assert read(2) != first
    assert len(set(pool.map(read, range(500)))) <= THREADS


def test_queries_are_files_by_name_with_bound_parameters(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "by_user.sql").write_text(
        "SELECT ts, user_id, useful FROM feedback WHERE user_id = $user_id", encoding="utf-8"
    )
    hostile = "x' OR '1'='1"
    ledger.write(feedback(1, user_id=hostile), feedback(2))
    queries = Queries(ledger, tmp_path)

    assert queries.rows("by_user", user_id=hostile) == [
        {"ts": NOON, "user_id": hostile, "useful": False}
    ]
    assert queries.frame("by_user", user_id=hostile)["ts"].tolist() == [NOON]
    assert queries.rows("by_user", user_id="nobody") == []
    assert list(queries.frame("by_user", user_id="nobody").columns) == ["ts", "user_id", "useful"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY feedback TO '/tmp/feedback.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET TimeZone = 'Asia/Tokyo'",
        "SET GLOBAL enable_external_access = true",
    ],
)
def test_no_statement_leaves_the_file_or_changes_its_configuration(
    shared_ledger: Ledger, sql: str
) -> None:
    with pytest.raises(Exception, match=r"(?i)disabled|locked|external|not permitted|network"):
        shared_ledger.table(sql)
