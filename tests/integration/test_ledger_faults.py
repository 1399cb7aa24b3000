"""What the disk, the system and DuckDB can do to a ledger, and what its users then hear.

Faults that reach a whole process (limits, rights, locks) happen in a child of the test.
"""

from __future__ import annotations

import ctypes
import json
import logging
import resource
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import duckdb
import pytest

from core.errors import (
    LedgerFull,
    LedgerLocked,
    LedgerReadOnly,
    LedgerTooNew,
    LedgerUnavailable,
    RowRefused,
)
from core.ledger import FeedbackGiven, Ledger, StepChanged, database, writer
from core.ledger.database import explained
from tests.fakes import PATIENCE_S

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NO_LIMIT = resource.RLIM_INFINITY


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - where to do damage, the same each time


NOISE = chance(1)  # bytes that do not compress


class StumblingCursor:
    """The writer's cursor: waits for the test, does one transaction well and one act not."""

    def __init__(self, ledger: Ledger, act: str, problem: BaseException) -> None:
        self._cursor = ledger._writer._cursor
        self._act = act
        self._problem = problem
        self._transactions = 0
        self.stumbles = True
        self.asked = threading.Event()
        self.going = threading.Event()
        ledger._writer._cursor = cast("Any", self)

    def begin(self) -> None:
        self.asked.set()
        assert self.going.wait(PATIENCE_S)
        self._transactions += 1
        self._do("begin")

    def commit(self) -> None:
        self._do("commit")

    def execute(self, *said: Any) -> None:
        self._do("execute", *said)

    def close(self) -> None:
        self._cursor.close()

    def rollback(self) -> None:
        self._do("rollback")

    def _do(self, act: str, *said: Any) -> None:
        if self.stumbles and act == self._act and self._transactions > 1:
            raise self._problem
        getattr(self._cursor, act)(*said)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.duckdb"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger(path)
    yield opened
    opened.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def step(event_id: object, text_bytes: int = 0) -> StepChanged:
    return StepChanged(
        ts=NOON,
        event_id=str(event_id),
        execution_id="x",
        user_id="ana",
        step=1,
        event="edited",
        description=NOISE.randbytes(text_bytes // 2).hex(),
    )


def feedback(feedback_id: object) -> FeedbackGiven:
    return FeedbackGiven(
        ts=NOON,
        feedback_id=str(feedback_id),
        user_id="ana",
        request_id="r",
        workflow_id="w",
        useful=True,
    )


def step_ids(ledger: Ledger) -> list[str]:
    rows = ledger.table("SELECT event_id FROM step_events ORDER BY ALL").to_pylist()
    return [row["event_id"] for row in rows]


def ids_in(path: Path) -> list[str]:
    ledger = Ledger(path)
    ids = step_ids(ledger)
    ledger.close()
    return ids


def in_a_child(function: Callable[..., object], *said: object) -> Any:
    """Call a function of this file in a process of its own and return its answer."""
    name = function.__name__
    code = (
        "import json, os, sys\n"
        f"from tests.integration.test_ledger_faults import {name}\n"
        f"print(json.dumps({name}(*sys.argv[1:])), flush=True)\n"
        "os._exit(0)\n"  # nothing is closed or written behind the test's back
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, said)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def files_no_larger_than(limit: int) -> Iterator[None]:
    """Make the system refuse larger files, which DuckDB meets as it meets a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, NO_LIMIT))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))


# --- opening


@contextmanager
def held_by_another_process(path: Path) -> Iterator[int]:
    code = (
        "import duckdb, sys; connection = duckdb.connect(sys.argv[1]); print(1, flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "1\n"
        yield holder.pid
        holder.stdin.close()


def test_a_file_open_in_another_process_is_refused_naming_that_process(path: Path) -> None:
    Ledger(path).close()

    with held_by_another_process(path) as pid:
        with pytest.raises(LedgerLocked, match=f"is open in process {pid}. Stop that") as caught:
            Ledger(path)
        assert caught.value.pid == pid

    Ledger(path).close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a ledger\n" * 2_000,
        bytes(20_000),
        b"SQLite format 3\0" + bytes(8_000),
        NOISE.randbytes(300_000),
    ],
    ids=["empty", "text", "zeros", "sqlite", "noise"],
)
def test_a_file_that_is_no_ledger_is_one_sentence_and_stays_as_it_is(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)

    with pytest.raises(LedgerUnavailable, match=r"is damaged or is no ledger; restore") as caught:
        Ledger(path)

    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_ledger_cut_short_or_with_a_wrong_bit_is_a_sentence_or_right_answers(
    path: Path,
) -> None:
    ledger = Ledger(path)
    ledger.write(*[step(f"{n:03}", 2_000) for n in range(300)])
    ledger.close()
    whole = path.read_bytes()
    right = [f"{n:03}" for n in range(300)]
    luck = chance(2)
    damaged = [whole[: luck.randrange(len(whole))] for _ in range(6)]
    for place in [0, 20, 5_000, 9_000, *(luck.randrange(len(whole)) for _ in range(10))]:
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << luck.randrange(8)
        damaged.append(bytes(spoilt))

    said = []
    for content in damaged:
        path.write_bytes(content)
        try:
            ledger = Ledger(path)
        except LedgerUnavailable as problem:
            said.append(str(problem))
            continue
        try:
            assert step_ids(ledger) == right
        except LedgerUnavailable as problem:
            said.append(str(problem))
        ledger.close()

    assert len(said) > 5
    assert {"is damaged or is no ledger" in sentence for sentence in said} == {True}


def test_a_damaged_or_foreign_log_is_one_sentence_and_not_dropped(path: Path) -> None:
    log = path.with_name("ledger.duckdb.wal")
    ledger = Ledger(path)
    noted = [step(number, text_bytes=64) for number in range(9)]
    for event in noted:
        ledger.write(event)
    content, written = path.read_bytes(), log.read_bytes()
    ledger.close()

    # Not in an entry's length: DuckDB takes one that is too long for a write that was cut off.
    texts = [written.index((event.description or "").encode()) for event in noted]
    for place in (text + chance(text).randrange(64) for text in texts):
        spoilt = bytearray(written)
        spoilt[place] ^= 0x55
        path.write_bytes(content)
        log.write_bytes(spoilt)
        with pytest.raises(LedgerUnavailable, match=r"is damaged or is no ledger; .* \.wal file"):
            Ledger(path)
        assert log.read_bytes() == spoilt

    path.unlink()
    log.write_bytes(written)
    with pytest.raises(LedgerUnavailable, match="WAL does not match database file"):
        Ledger(path)
    path.write_bytes(content)
    assert ids_in(path) == [str(number) for number in range(9)]


@pytest.mark.parametrize("obstacle", ["folder", "parent", "dangling"])
def test_something_else_in_the_ledgers_place_is_one_sentence(
    tmp_path: Path, obstacle: str
) -> None:
    path = tmp_path / "data" / "ledger.duckdb"
    if obstacle == "folder":
        path.mkdir(parents=True)
    elif obstacle == "parent":
        path.parent.write_text("a file")
    else:
        path.parent.mkdir()
        path.symlink_to(tmp_path / "nowhere" / "ledger.duckdb")

    with pytest.raises(LedgerUnavailable, match=rf"^The ledger {path} cannot be used: .*\.$"):
        Ledger(path)


def test_a_file_of_a_newer_duckdb_is_refused_as_too_new(path: Path) -> None:
    Ledger(path).close()
    header = bytearray(path.read_bytes())
    struct.pack_into("<Q", header, 12, 999)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", header[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 & (2**64 - 1)
    struct.pack_into("<Q", header, 0, checksum)
    path.write_bytes(header)

    with pytest.raises(LedgerTooNew, match="newer version of Waywarden"):
        Ledger(path)


def test_a_ledger_without_its_tables_is_refused_and_can_be_opened_once_mended(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        (tmp_path / "none").mkdir()
        (tmp_path / "none" / "0001_nothing.sql").write_text("SELECT 1")
        patched.setattr(database, "MIGRATIONS", tmp_path / "none")
        with pytest.raises(LedgerUnavailable, match="does not exist"):
            Ledger(path)

    path.unlink()
    Ledger(path).close()


def test_words_in_a_folders_name_do_not_change_what_is_said() -> None:
    path = Path("/no space left/permission denied/ledger.duckdb")
    problem = duckdb.IOException(f'IO Error: Could not read "{path}": Input/output error')

    assert type(explained(problem, path)) is LedgerUnavailable
    assert "Input/output error" in str(explained(problem, path))


@pytest.mark.parametrize("problem", [MemoryError(), duckdb.Error(""), OSError()])
def test_an_error_without_words_is_still_a_sentence(problem: BaseException) -> None:
    sentence = str(explained(problem, Path("ledger.duckdb")))

    assert sentence.startswith("The ledger ledger.duckdb cannot be used: ")
    assert sentence.endswith(".")
    assert type(problem).__name__ in sentence


# --- rights


def open_without_rights(folder: str) -> list[list[str]]:
    """Give up all of root's privileges, then use the ledgers below `folder`."""
    _drop_capabilities()
    logging.disable()
    said = []
    for name in ("file", "folder", "missing", "nested/missing"):
        heard = []
        try:
            ledger = Ledger(Path(folder) / name / "ledger.duckdb")
            heard += step_ids(ledger)
            for number in range(2):
                try:
                    ledger.write(step(number))
                except LedgerUnavailable as problem:
                    heard.append(f"{type(problem).__name__}: {problem}")
            heard += step_ids(ledger)
            ledger.close()
        except LedgerUnavailable as problem:
            heard.append(f"{type(problem).__name__}: {problem}")
        said.append(heard)
    return said


def _drop_capabilities() -> None:
    header = struct.pack("<Ii", 0x20080522, 0)
    assert ctypes.CDLL(None, use_errno=True).capset(header, bytes(24)) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="drops privileges in Linux's way")
def test_a_ledger_that_cannot_be_written_is_refused_or_can_still_be_read(tmp_path: Path) -> None:
    for name in ("file", "folder"):
        ledger = Ledger(tmp_path / name / "ledger.duckdb")
        ledger.write(step("before"))
        ledger.close()
    for name in ("missing", "nested"):
        (tmp_path / name).mkdir()
    (tmp_path / "file" / "ledger.duckdb").chmod(0o444)
    for name in ("folder", "missing", "nested"):
        (tmp_path / name).chmod(0o555)
    try:
        file, folder, missing, nested = in_a_child(open_without_rights, tmp_path)
    finally:
        for name in ("folder", "missing", "nested"):
            (tmp_path / name).chmod(0o755)

    sentence = "cannot be written; give this user the right to write there"
    for heard in (file, missing, nested):
        assert len(heard) == 1
        assert heard[0].startswith(f"{LedgerReadOnly.__name__}: ")
        assert sentence in heard[0]
    before, *refusals, after = folder
    assert before == after == "before"
    assert len(refusals) == 2
    assert all(refusal.startswith(f"{LedgerReadOnly.__name__}: ") for refusal in refusals)


# --- a full disk


class Diary:
    """Which writes a child was told are durable, and what it heard of the others."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.durable: list[str] = []
        self.refused: list[str] = []
        self.heard: list[str] = []

    def write(self, text_bytes: int, rows: int = 1) -> bool:
        unit = f"{len(self.durable) + len(self.refused):05}"
        try:
            self.ledger.write(*[step(f"{unit}.{row}", text_bytes) for row in range(rows)])
        except LedgerUnavailable as problem:
            self.refused.append(unit)
            self.heard.append(f"{type(problem).__name__}: {problem}")
            return False
        self.durable.append(unit)
        return True

    def told(self, **more: object) -> dict[str, object]:
        return {"durable": self.durable, "heard": self.heard, **more}


def units_in(path: Path, rows: int = 1) -> list[str]:
    """Return the units that a ledger holds, each of which must be whole."""
    ids = ids_in(path)
    units = sorted({name.split(".")[0] for name in ids})
    assert ids == [f"{unit}.{row}" for unit in units for row in range(rows)]
    return units


def fill_the_log(path: str, limit: str, text_bytes: str) -> dict[str, object]:
    ledger = Ledger(Path(path))
    diary = Diary(ledger)
    diary.write(int(text_bytes), rows=2)
    with files_no_larger_than(int(limit)):
        while len(diary.refused) < 4:
            diary.write(int(text_bytes), rows=2)
            assert len(step_ids(ledger)) == 2 * len(diary.durable)
    for _ in range(3):
        assert diary.write(int(text_bytes), rows=2)
    return diary.told()


@pytest.mark.parametrize(("limit", "text_bytes"), [(30_000, 100), (1_000_000, 100_000)])
def test_a_full_disk_refuses_writes_loses_none_and_is_over_when_there_is_room(
    path: Path, limit: int, text_bytes: int
) -> None:
    told = in_a_child(fill_the_log, path, limit, text_bytes)

    sentence = f"LedgerFull: The disk under {path.parent} is full; free some room and try again."
    assert set(told["heard"]) == {sentence}
    assert units_in(path, rows=2) == told["durable"]


def fill_the_file(path: str) -> dict[str, object]:
    writer.CHECKPOINT_BYTES = 100_000
    warnings: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(writer.__name__).addHandler(handler)
    ledger = Ledger(Path(path))
    ledger._writer._checkpoint_at = writer.CHECKPOINT_BYTES
    diary = Diary(ledger)
    with files_no_larger_than(1_000_000):
        while len(warnings) < 3:
            diary.write(5_000)
            assert len(step_ids(ledger)) == len(diary.durable)
    refused = len(diary.refused)
    log_before = ledger._database.log_bytes
    while ledger._database.log_bytes >= log_before:
        assert diary.write(5_000)
    return diary.told(warnings=warnings, refused=refused, log_bytes=ledger._database.log_bytes)


def test_a_checkpoint_that_finds_the_disk_full_fails_nobodys_write(path: Path) -> None:
    told = in_a_child(fill_the_file, path)

    assert told["refused"] == 0
    assert {warning.split(":")[0] for warning in told["warnings"]} == {"No checkpoint"}
    assert all("is full" in warning for warning in told["warnings"])
    assert told["log_bytes"] < 100_000
    assert units_in(path) == told["durable"]


def test_duckdb_makes_no_checkpoint_of_its_own_inside_a_commit(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger._writer, "_checkpoint_at", 2**40)
    for number in range(12):
        ledger.write(step(number, 2_000_000))

    assert ledger._database.log_bytes > 20_000_000


def lose_the_database(path: str) -> dict[str, object]:
    """Let DuckDB give up the file, as it does when a checkpoint fails, before each act."""
    ledger = Ledger(Path(path))
    diary = Diary(ledger)
    with files_no_larger_than(300_000):
        for _ in range(60):
            diary.write(4_000)
        answers = [len(step_ids(ledger)) for _ in range(2) if _gives_up(ledger)]
        writes = [diary.write(100) for _ in range(2) if _gives_up(ledger)]
        _gives_up(ledger)
        with ThreadPoolExecutor(8) as pool:
            reads = [pool.submit(step_ids, ledger) for _ in range(40)]
            calls = [pool.submit(ledger.write, step(f"thread{n}.0")) for n in range(8)]
            together = {len(read.result()) for read in reads}
            problems = [str(problem) for call in calls if (problem := call.exception())]
    return diary.told(answers=answers, writes=writes, together=sorted(together), problems=problems)


def _gives_up(ledger: Ledger) -> bool:
    cursor = ledger._database.cursor()
    try:
        cursor.execute("CHECKPOINT")
    except duckdb.FatalException:
        return True
    finally:
        cursor.close()
    raise AssertionError("The checkpoint was to fail.")


def test_readers_and_the_writer_go_on_after_duckdb_gave_the_file_up(path: Path) -> None:
    told = in_a_child(lose_the_database, path)

    assert len(told["durable"]) == 62
    assert told["heard"] == []
    assert told["answers"] == [60, 60]
    assert told["writes"] == [True, True]
    assert told["problems"] == []
    assert set(told["together"]) <= set(range(62, 71))
    assert units_in(path) == [*told["durable"], *(f"thread{n}" for n in range(8))]


def make_without_room(folder: str) -> list[str]:
    said = []
    for limit in (0, 1, 4_096, 9_000, 12_287):
        path = Path(folder) / str(limit) / "ledger.duckdb"
        with files_no_larger_than(limit):
            try:
                Ledger(path)
            except LedgerFull as problem:
                said.append(str(problem))
        assert list(path.parent.iterdir()) == []
        ledger = Ledger(path)
        ledger.write(step(limit))
    return said


def test_a_ledger_that_could_not_be_made_on_a_full_disk_is_made_when_there_is_room(
    tmp_path: Path,
) -> None:
    said = in_a_child(make_without_room, tmp_path)

    assert len(said) == 5
    assert all("is full; free some room and try again." in sentence for sentence in said)
    assert [ids_in(file) for file in sorted(tmp_path.glob("*/ledger.duckdb"))] == [
        ["0"], ["1"], ["12287"], ["4096"], ["9000"]
    ]  # fmt: skip


def close_without_room(path: str) -> dict[str, object]:
    ledger = Ledger(Path(path))
    diary = Diary(ledger)
    with files_no_larger_than(300_000):
        while not diary.refused:
            diary.write(4_000)
        ledger.close()
    return diary.told()


def test_closing_on_a_full_disk_loses_nothing(path: Path) -> None:
    told = in_a_child(close_without_room, path)

    assert len(told["durable"]) > 20
    assert units_in(path) == told["durable"]


# --- the writer


def test_each_caller_of_a_failed_batch_gets_an_error_of_its_own(
    ledger: Ledger, pool: ThreadPoolExecutor
) -> None:
    cause = duckdb.IOException("IO Error: Could not write: No space left on device")
    _, calls = fail_together(ledger, pool, "commit", cause)

    problems = [call.exception(PATIENCE_S) for call in calls]
    assert {type(problem) for problem in problems} == {LedgerFull}
    assert len({id(problem) for problem in problems}) == len(calls)
    depths = {len(traceback.extract_tb(problem.__traceback__)) for problem in problems if problem}
    assert len(depths) == 1
    assert {problem.__cause__ for problem in problems if problem} == {cause}
    ledger.write(step("after"))
    assert step_ids(ledger) == ["after"]


@pytest.mark.parametrize("act", ["begin", "execute", "commit"])
@pytest.mark.parametrize(
    "problem",
    [
        duckdb.FatalException("FATAL Error: database has been invalidated"),
        duckdb.InternalException("INTERNAL Error: Attempted to access index 0"),
        duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"),
        duckdb.TransactionException("TransactionContext Error: Failed to commit"),
        duckdb.ConnectionException("Connection Error: Connection already closed!"),
        RuntimeError("something new"),
        MemoryError(),
        SystemExit(1),
        KeyboardInterrupt(),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_whatever_the_writer_meets_every_caller_hears_and_the_next_write_works(
    ledger: Ledger, pool: ThreadPoolExecutor, act: str, problem: BaseException
) -> None:
    stumbling, calls = fail_together(ledger, pool, act, problem)

    heard = [call.exception(PATIENCE_S) for call in calls]
    stumbling.stumbles = False
    written = step_ids(ledger)
    assert all(error is None or isinstance(error, LedgerUnavailable) for error in heard)
    assert len(written) == sum(error is None for error in heard)
    ledger.write(step("after"))
    assert step_ids(ledger) == sorted([*written, "after"])


def fail_together(
    ledger: Ledger, pool: ThreadPoolExecutor, act: str, problem: BaseException
) -> tuple[StumblingCursor, list[Future[None]]]:
    """Let ten callers' rows wait in one batch, of which one act goes wrong."""
    stumbling = StumblingCursor(ledger, act, problem)
    first = pool.submit(ledger.write, feedback("first"))
    assert stumbling.asked.wait(PATIENCE_S)
    calls = [pool.submit(ledger.write, step(n)) for n in range(10)]
    queue = ledger._writer
    with queue._changed:
        assert queue._changed.wait_for(lambda: len(queue._units) == 10, PATIENCE_S)
    stumbling.going.set()
    first.result(PATIENCE_S)
    return stumbling, calls


def test_the_writer_outlives_a_recovery_that_goes_wrong(
    ledger: Ledger, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revive() -> None:
        raise RuntimeError("not now")

    with monkeypatch.context() as patched:
        patched.setattr(ledger._database, "revive", revive)
        _, calls = fail_together(ledger, pool, "commit", duckdb.FatalException("FATAL Error"))
        assert all(isinstance(call.exception(PATIENCE_S), LedgerUnavailable) for call in calls)

    ledger.write(step("after"))
    assert step_ids(ledger) == ["after"]


def test_a_refused_row_is_logged_without_a_traceback(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RowRefused):
        ledger.write(step(1).model_copy(update={"step": 2**63}))

    [record] = caplog.records
    assert record.getMessage().startswith("The ledger refused a row: Conversion Error")
    assert record.getMessage().endswith(".")
    assert record.exc_info is None


def test_a_lost_file_that_another_process_took_is_named_and_used_again_when_free(
    ledger: Ledger,
) -> None:
    ledger.write(step("a"))
    ledger._database._connection.close()

    with held_by_another_process(ledger.path) as pid:
        for use in (lambda: ledger.write(step("b")), lambda: step_ids(ledger)):
            with pytest.raises(LedgerLocked, match=f"is open in process {pid}"):
                use()

    assert step_ids(ledger) == ["a"]
    ledger.write(step("c"))
    assert step_ids(ledger) == ["a", "c"]


def test_a_query_that_is_wrong_is_our_fault_and_not_the_ledgers(ledger: Ledger) -> None:
    with pytest.raises(duckdb.CatalogException):
        ledger.table("SELECT * FROM nowhere")
    with pytest.raises(duckdb.ConversionException):
        ledger.table("SELECT CAST('x' AS BIGINT) FROM range(3)")
    with pytest.raises(duckdb.InvalidInputException):
        ledger.table("SELECT $missing")

    ledger.write(feedback(1))


def test_readers_through_many_reopenings_get_right_answers_or_a_sentence(
    ledger: Ledger, pool: ThreadPoolExecutor
) -> None:
    ledger.write(*[step(n) for n in range(500)])
    stop = threading.Event()
    reading = threading.Semaphore(0)

    def read() -> int:
        reads = 0
        while not stop.is_set():
            with suppress(LedgerUnavailable):
                assert len(step_ids(ledger)) == 500
            reads += 1
            reading.release()
        return reads

    readers = [pool.submit(read) for _ in range(6)]
    for _ in range(15):
        assert reading.acquire(timeout=PATIENCE_S)
        with ledger._database._lock:
            ledger._database._connection.close()
        ledger._database.revive()
    stop.set()

    assert all(reader.result(PATIENCE_S) > 0 for reader in readers)
    ledger.write(feedback(1))
