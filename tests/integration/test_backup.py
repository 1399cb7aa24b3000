"""Copies of the ledger: of a running server, of one at rest, and put back."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from core.clock import SystemClock, new_id
from core.errors import LedgerLocked, LedgerTooNew, LedgerUnavailable
from core.ledger import (
    EVENTS,
    FeedbackGiven,
    Ledger,
    backed_up,
    backup,
    contents,
    restored,
)
from core.ledger.database import MIGRATIONS
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import PROJECT, Settings
from tests.asking import PATIENCE_S, rows, run
from tests.serving import (
    API,
    EXECUTE,
    WAYWARDEN,
    Served,
    execute_body,
    free_port,
    served,
    waywarden,
    waywarden_at,
)

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - opens nothing
SCHEMA = tuple(sorted(file.stem for file in MIGRATIONS.glob("*.sql")))
clock = SystemClock()


def said(feedback_id: str) -> FeedbackGiven:
    return FeedbackGiven(
        ts=clock.now(),
        feedback_id=feedback_id,
        user_id="ada",
        request_id="r",
        workflow_id="bug-fix",
        useful=True,
    )


def ids_in(path: Path) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT feedback_id FROM feedback ORDER BY ts").fetchall()
    return [feedback_id for (feedback_id,) in found]


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def ledger_with(path: Path, *feedback_ids: str) -> Path:
    """Make a ledger that holds these, closed in order."""
    ledger = Ledger(path)
    ledger.write(*(said(each) for each in feedback_ids))
    ledger.close()
    return path


KILLED = """
import os, sys
from pathlib import Path
from core.clock import SystemClock
from core.ledger import FeedbackGiven, Ledger
ledger, clock = Ledger(Path(sys.argv[1])), SystemClock()
said = {"user_id": "ada", "request_id": "r", "workflow_id": "bug-fix", "useful": True}
for each in sys.argv[2:]:
    ledger.write(FeedbackGiven(ts=clock.now(), feedback_id=each, **said))
os._exit(9)
"""


def killed_ledger_with(path: Path, *feedback_ids: str) -> Path:
    """Make a ledger whose process was killed: its rows are in the write-ahead log."""
    subprocess.run(
        [sys.executable, "-c", KILLED, str(path), *feedback_ids], cwd=PROJECT, check=False
    )
    assert Path(f"{path}.wal").stat().st_size > 0
    return path


LOCK_TRIED = """
import sys
from pathlib import Path
from core.errors import LedgerLocked
from core.ledger import Ledger
try:
    Ledger(Path(sys.argv[1])).close()
    print("opened")
except LedgerLocked as problem:
    print("locked by", problem.pid)
"""


def tried_elsewhere(path: Path) -> str:
    """Let another process open the ledger, and return what became of it."""
    done = subprocess.run(
        [sys.executable, "-c", LOCK_TRIED, str(path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


# --- a server that runs


class Running:
    """`waywarden run`, as an operator starts it."""

    def __init__(self, data_dir: Path, log: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [WAYWARDEN, "run"],
                cwd=data_dir.parent,
                env=waywarden_at(data_dir, port=str(self.port)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 4 * PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def stop(self) -> str:
        """Stop it by its own id, and return what it printed."""
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=2 * PATIENCE_S)
        return bytes(printed).decode()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    (folder / "data").mkdir()
    server = Running(folder / "data", folder / "log.jsonl")
    try:
        server.wait_until_ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


@pytest.fixture(scope="module")
def steps_at(running: Running) -> str:
    """Where a step can be renamed, as often as one likes."""
    status, made = running.ask("POST", EXECUTE, execute_body())
    assert status == 200
    return f"{API}/executions/{made['execution_id']}/steps"


class Writers:
    """Threads that rename steps, each time to another name, and remember what was acknowledged."""

    def __init__(self, server: Running, steps_at: str, threads: int = 4) -> None:
        self._server = server
        self._steps_at = steps_at
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(threads)
        self.acknowledged: list[str] = []
        self._threads = [self._pool.submit(self._write, 1 + n % 3) for n in range(threads)]

    def _write(self, step: int) -> None:
        while not self._stop.is_set():
            title = f"Name {next(self._numbers)}"
            change = {"event": "edited", "title": title}
            status, _ = self._server.ask("PATCH", f"{self._steps_at}/{step}", change)
            assert status == 200
            with self._changed:
                self.acknowledged.append(title)
                self._changed.notify_all()

    def wait_for(self, count: int) -> list[str]:
        """Return what was acknowledged, once it is that much."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.acknowledged) >= count, 60)
            return list(self.acknowledged)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.result(PATIENCE_S)
        self._pool.shutdown()


def titles_in(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT title FROM step_events").fetchall()
    return {title for (title,) in found}


def test_a_running_server_under_writes_is_copied_with_all_it_acknowledged(
    running: Running, steps_at: str, tmp_path: Path
) -> None:
    writers = Writers(running, steps_at)
    try:
        for number in range(2):
            before = writers.wait_for(len(writers.acknowledged) + 20)
            target = tmp_path / "new folder" / f"copy-{number}.duckdb"
            done = waywarden(running.data_dir, "backup", target, port=str(running.port))
            assert (done.returncode, done.stderr) == (0, "")
            assert set(before) <= titles_in(target)
            counted = sum(contents(target).rows.values())
            assert done.stdout == f"{target}: {counted:,} rows, verified\n"
            assert tried_elsewhere(running.data_dir / "ledger.duckdb") == (
                f"locked by {running.process.pid}"
            )
            writers.wait_for(len(writers.acknowledged) + 5)
    finally:
        writers.stop()
    assert names_in(tmp_path / "new folder") == ["copy-0.duckdb", "copy-1.duckdb"]
    assert names_in(running.data_dir / "backups") == []


def test_a_copy_is_a_ledger_that_a_server_can_start_from(
    running: Running, steps_at: str, tmp_path: Path, embedder: Embedder
) -> None:
    target = tmp_path / "data" / "ledger.duckdb"
    done = waywarden(running.data_dir, "backup", target, port=str(running.port))
    assert done.returncode == 0, done.stderr
    runtime = Runtime(Settings(data_dir=tmp_path / "data"), embedder=embedder)
    execution = runtime.executor.execution(steps_at.split("/")[-2])
    assert (execution.user_id, execution.status) == ("ada", "active")
    runtime.drain()


def test_a_backup_of_a_running_server_never_replaces_a_file(
    running: Running, tmp_path: Path
) -> None:
    target = tmp_path / "there"
    target.write_text("mine")
    done = waywarden(running.data_dir, "backup", target, port=str(running.port))
    assert done.returncode == 1
    assert done.stderr == f"waywarden: {target} exists already; name a new file.\n"
    assert target.read_text() == "mine"
    assert names_in(running.data_dir / "backups") == []


def test_while_it_runs_nothing_is_restored_and_no_second_server_starts(
    running: Running, tmp_path: Path
) -> None:
    source = ledger_with(tmp_path / "source.duckdb", "x")
    before = names_in(running.data_dir)
    for command in (("restore", source), ("run",)):
        done = waywarden(running.data_dir, *command, port=str(free_port()))
        assert done.returncode == 1
        assert f"is open in process {running.process.pid}" in done.stderr
        assert done.stderr.startswith("waywarden: ") or '"level"' in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""
    assert names_in(running.data_dir) == before
    assert running.ask("GET", "/readyz")[0] == 200


def test_the_doctor_says_which_process_has_the_ledger(running: Running) -> None:
    done = waywarden(running.data_dir, "doctor")
    assert done.returncode == 0
    assert f"ledger.duckdb is in use by process {running.process.pid}" in done.stdout
    assert tried_elsewhere(running.data_dir / "ledger.duckdb") == (
        f"locked by {running.process.pid}"
    )


def test_a_wrong_port_is_said_and_nothing_is_copied(running: Running, tmp_path: Path) -> None:
    done = waywarden(running.data_dir, "backup", tmp_path / "copy", port=str(free_port()))
    assert done.returncode == 1
    assert "no Waywarden answers on port" in done.stderr
    assert "WAYWARDEN_PORT" in done.stderr
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/api/v1/a%0Ab", "/api/v1/a%0D%0Ab"])
def test_beside_the_console_a_wrong_path_of_the_api_is_still_json(
    running: Running, path: str
) -> None:
    status, problem = running.ask("GET", path)
    assert (status, problem["status"]) == (404, 404)


def test_a_server_stops_in_order_and_its_log_is_one_object_a_line(
    running: Running, steps_at: str
) -> None:
    printed = running.stop()
    assert running.process.returncode in {0, -signal.SIGTERM}
    address = f"http://127.0.0.1:{running.port}"
    assert printed == f"Waywarden is at {address}  (Ctrl-C stops it)\n"
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert lines[0]["message"].startswith("started at 127.0.0.1:")
    assert {line["level"] for line in lines} <= {"info", "warning"}
    ledger = running.data_dir / "ledger.duckdb"
    assert not Path(f"{ledger}.wal").exists()
    assert len(titles_in(ledger)) > 40
    assert tried_elsewhere(ledger) == "opened"
    assert steps_at


# --- a server in this process: what the command and the API say to each other


@pytest.fixture
def api(runtime: Runtime) -> Iterator[Served]:
    run(runtime)
    with served(runtime) as server:
        yield server


def test_the_api_s_backup_is_beside_the_ledger_and_keeps_its_lock(
    api: Served, runtime: Runtime, settings: Settings
) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: api.ask("POST", f"{API}/backup", {}), range(4)))
    assert {answer.status for answer in answers} == {200}
    made = {answer.body["file"]: answer.body for answer in answers}
    assert sorted(made) == names_in(settings.data_dir / "backups")
    for name, told in made.items():
        copy = settings.data_dir / "backups" / name
        assert contents(copy).rows == told["rows"]
        assert copy.stat().st_size == told["size_bytes"]
        assert told["rows"]["executions"] == 1
    assert tried_elsewhere(settings.ledger_path) == f"locked by {os.getpid()}"
    run(runtime)


def test_the_command_brings_the_token_of_its_environment(
    tmp_path: Path, embedder: Embedder
) -> None:
    settings = Settings(data_dir=tmp_path / "data", api_token=SecretStr(TOKEN))
    runtime = Runtime(settings, embedder=embedder)
    run(runtime)
    port = ""
    with served(runtime) as server:
        port = str(server.port)
        target = tmp_path / "copy.duckdb"
        refused = waywarden(settings.data_dir, "backup", target, port=port)
        assert refused.returncode == 1
        assert "refused: Send the deployment's token" in refused.stderr
        assert not target.exists()
        done = waywarden(settings.data_dir, "backup", target, port=port, api_token=TOKEN)
        assert (done.returncode, done.stderr) == (0, "")
        assert contents(target).rows["executions"] == 1
    runtime.drain()


def test_a_server_of_another_data_folder_is_told_apart(
    api: Served, settings: Settings, tmp_path: Path
) -> None:
    other = Ledger(tmp_path / "other" / "ledger.duckdb")
    target = tmp_path / "copy.duckdb"
    done = waywarden(tmp_path / "other", "backup", target, port=str(api.port))
    other.close()
    assert done.returncode == 1
    assert "has another data folder than" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not target.exists()
    assert settings.data_dir.exists()


def test_a_folder_that_cannot_take_the_copy_is_said(
    api: Served, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "copy.duckdb"
    done = waywarden(settings.data_dir, "backup", target, port=str(api.port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"waywarden: {target} cannot be written: ")
    assert done.stderr.count("\n") == 1
    assert not list(settings.data_dir.glob("backups/*"))


def test_many_writers_lose_nothing_to_a_backup(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "data" / "ledger.duckdb")
    written: set[str] = set()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            feedback_id = new_id()
            ledger.write(said(feedback_id))
            written.add(feedback_id)

    threads = [threading.Thread(target=write) for _ in range(32)]
    for thread in threads:
        thread.start()
    try:
        for number in range(3):
            before = set(written)
            copy = ledger.backup(tmp_path / f"{number}.duckdb")
            found = ids_in(copy.path)
            assert before <= {*found}
            assert copy.rows["feedback"] == len(found) == len({*found})
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {*ids_in_open(ledger)} == written
    ledger.close()


def ids_in_open(ledger: Ledger) -> list[str]:
    return [row["feedback_id"] for row in rows(ledger, "feedback")]


def test_a_ledger_that_changes_while_it_is_copied_is_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ledger_with(tmp_path / "data" / "ledger.duckdb", "x")
    monkeypatch.setattr(backup, "_COPY", f"{backup._COPY}\nopen(paths[0], 'ab').write(b'x')\n")
    with pytest.raises(LedgerUnavailable, match=r"changed while it was copied; try again\.$"):
        backed_up(path, tmp_path / "copy" / "ledger.duckdb")
    assert names_in(tmp_path / "copy") == []


# --- at rest


def test_a_killed_ledger_is_copied_whole_and_stays_as_it_is(tmp_path: Path) -> None:
    path = killed_ledger_with(tmp_path / "data" / "ledger.duckdb", "a", "b", "c")
    before = files_in(tmp_path / "data")
    done = waywarden(tmp_path / "data", "backup", "copy.duckdb", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    copy = tmp_path / "copy.duckdb"
    assert done.stdout == f"{copy}: 3 rows, verified\n"
    assert files_in(tmp_path / "data") == before
    assert names_in(tmp_path) == ["copy.duckdb", "data"]
    assert ids_in(copy) == ["a", "b", "c"]
    ledger = Ledger(path)
    assert ids_in_open(ledger) == ["a", "b", "c"]
    ledger.close()


def test_a_backup_brings_no_schema_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.duckdb"
    ledger_with(path, "a")
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE profiles")
        connection.execute("DELETE FROM schema_migrations")
    found = backed_up(path, tmp_path / "copy.duckdb")
    assert found.rows["feedback"] == 1
    assert "profiles" not in found.rows
    assert contents(tmp_path / "copy.duckdb").pending == SCHEMA


@pytest.mark.parametrize("there", ["file", "folder"])
def test_a_backup_never_replaces_what_is_there(tmp_path: Path, there: str) -> None:
    ledger_with(tmp_path / "data" / "ledger.duckdb", "x")
    target = tmp_path / "there"
    if there == "file":
        target.write_text("mine")
    else:
        target.mkdir()
    done = waywarden(tmp_path / "data", "backup", target)
    assert done.returncode == 1
    assert done.stderr == f"waywarden: {target} exists already; name a new file.\n"
    assert target.is_dir() or target.read_text() == "mine"


def test_without_a_ledger_there_is_nothing_to_copy(tmp_path: Path) -> None:
    done = waywarden(tmp_path / "data", "backup", tmp_path / "copy")
    assert done.returncode == 1
    assert done.stderr.startswith("waywarden: There is no ledger at ")
    assert names_in(tmp_path) == []


# --- putting back


def test_a_backup_is_put_back_and_what_was_there_is_kept(tmp_path: Path) -> None:
    source = ledger_with(tmp_path / "source.duckdb", "a", "b")
    data = tmp_path / "data"
    killed_ledger_with(data / "ledger.duckdb", "old")
    done = waywarden(data, "restore", source)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == f"{data / 'ledger.duckdb'}: 2 rows restored"
    kept = Path(second.removeprefix("what was there before is kept as "))
    assert names_in(data) == sorted(["ledger.duckdb", kept.name])
    assert ids_in(kept) == ["old"]
    ledger = Ledger(data / "ledger.duckdb")
    assert ids_in_open(ledger) == ["a", "b"]
    ledger.close()
    assert ids_in(source) == ["a", "b"]


def test_a_backup_is_put_where_nothing_was(tmp_path: Path) -> None:
    source = ledger_with(tmp_path / "source.duckdb", "a")
    done = waywarden(tmp_path / "new" / "data", "restore", source)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert ids_in(tmp_path / "new" / "data" / "ledger.duckdb") == ["a"]


def test_what_was_kept_can_be_put_back_in_turn(tmp_path: Path) -> None:
    ledger = ledger_with(tmp_path / "data" / "ledger.duckdb", "old")
    source = ledger_with(tmp_path / "source.duckdb", "new")
    restored(ledger, source, tmp_path / "kept")
    restored(ledger, tmp_path / "kept", tmp_path / "kept again")
    assert ids_in(ledger) == ["old"]
    assert ids_in(tmp_path / "kept again") == ["new"]


def test_a_killed_ledger_can_be_the_source(tmp_path: Path) -> None:
    source = killed_ledger_with(tmp_path / "elsewhere" / "ledger.duckdb", "a", "b")
    before = files_in(source.parent)
    found = restored(tmp_path / "data" / "ledger.duckdb", source, tmp_path / "kept")
    assert found.rows["feedback"] == 2
    assert ids_in(tmp_path / "data" / "ledger.duckdb") == ["a", "b"]
    assert files_in(source.parent) == before


def test_a_damaged_ledger_is_replaced_and_kept_as_it_is(tmp_path: Path) -> None:
    path = killed_ledger_with(tmp_path / "data" / "ledger.duckdb", "lost")
    raw = bytearray(path.read_bytes())
    raw[8:4_096] = bytes(4_088)
    path.write_bytes(raw)
    log = Path(f"{path}.wal").read_bytes()
    kept = tmp_path / "data" / "kept.duckdb"
    restored(path, ledger_with(tmp_path / "source.duckdb", "a"), kept)
    assert ids_in(path) == ["a"]
    assert not Path(f"{path}.wal").exists()
    assert kept.read_bytes() == raw
    assert Path(f"{kept}.wal").read_bytes() == log


def _text(path: Path) -> None:
    path.write_text("SELECT 1;\n" * 5_000)


def _empty(path: Path) -> None:
    path.touch()


def _sqlite(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + bytes(8_000))


def _half(path: Path) -> None:
    ledger_with(path, *map(str, range(500)))
    os.truncate(path, path.stat().st_size // 2)


def _scrambled(path: Path) -> None:
    ledger_with(path, *map(str, range(500)))
    raw = bytearray(path.read_bytes())
    raw[12_288:] = bytes(len(raw) - 12_288)
    path.write_bytes(raw)


def _of_another_program(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE cities (name VARCHAR)")


def _without_tables(path: Path) -> None:
    duckdb.connect(str(path)).close()


def _newer(path: Path) -> None:
    ledger_with(path, "x")
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, '0999_later')")


def _folder(path: Path) -> None:
    path.mkdir()


def _missing(path: Path) -> None:
    assert not path.exists()


NO_LEDGERS = [
    (_text, "is damaged or is no ledger"),
    (_empty, "is damaged or is no ledger"),
    (_sqlite, "is damaged or is no ledger"),
    (_half, "is damaged or is no ledger"),
    (_scrambled, "is damaged or is no ledger"),
    (_of_another_program, "is no ledger, but a database of another program"),
    (_without_tables, "is no ledger: it is empty"),
    (
        _newer,
        f"has schema 999, this version of Waywarden knows {len(SCHEMA)}; install a newer one",
    ),
    (_folder, "There is no file"),
    (_missing, "There is no file"),
]


@pytest.mark.parametrize(
    ("make", "sentence"), NO_LEDGERS, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_is_no_whole_ledger_is_not_put_back(tmp_path: Path, make: Any, sentence: str) -> None:
    path = ledger_with(tmp_path / "data" / "ledger.duckdb", "mine")
    source = tmp_path / "source.duckdb"
    make(source)
    before = files_in(tmp_path)
    with pytest.raises(LedgerUnavailable) as refused:
        restored(path, source, tmp_path / "data" / "kept")
    assert sentence in str(refused.value)
    assert str(source) in str(refused.value)
    assert files_in(tmp_path) == before
    assert names_in(tmp_path / "data") == ["ledger.duckdb"]


def test_a_refusal_to_restore_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    source = tmp_path / "notes.txt"
    _text(source)
    done = waywarden(tmp_path / "data", "restore", source)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("waywarden: ")
    assert done.stderr.count("\n") == 1
    assert names_in(tmp_path) == ["notes.txt"]


def test_a_ledger_in_use_is_neither_replaced_nor_taken(tmp_path: Path) -> None:
    mine = ledger_with(tmp_path / "data" / "ledger.duckdb", "mine")
    other = ledger_with(tmp_path / "other.duckdb", "other")
    for held, ledger, source in ((mine, mine, other), (other, mine, other)):
        with held_by_another_process(held) as pid:
            before = files_in(tmp_path)
            with pytest.raises(LedgerLocked) as locked:
                restored(ledger, source, tmp_path / "kept")
            assert locked.value.pid == pid
            with pytest.raises(LedgerLocked):
                backed_up(held, tmp_path / "copy")
            assert files_in(tmp_path) == before
    assert ids_in(mine) == ["mine"]


HOLDER = """
import sys
from pathlib import Path
from core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
ledger.close()
"""


@contextlib.contextmanager
def held_by_another_process(path: Path) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield holder.pid
        holder.communicate()


def test_looking_into_a_ledger_changes_nothing_of_it(tmp_path: Path) -> None:
    path = killed_ledger_with(tmp_path / "ledger.duckdb", "a", "b")
    before = files_in(tmp_path)
    found = contents(path)
    assert found.pending == ()
    assert found.rows == {event.table: 0 for event in EVENTS} | {"feedback": 2}
    assert files_in(tmp_path) == before
    _newer(tmp_path / "newer")
    with pytest.raises(LedgerTooNew):
        contents(tmp_path / "newer")
