"""Reading a ledger that no process has open."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import LedgerLocked, LedgerUnavailable
from core.ledger import Ledger, ProfileSaved, Resting
from core.settings import PROJECT

AT = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
SAVED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from core.ledger import Ledger, ProfileSaved
ledger = Ledger(Path(sys.argv[1]))
saved = ProfileSaved(ts=datetime(2026, 11, 2, 23, 30, tzinfo=UTC), user_id="ada", learns=True)
ledger.write(saved)
if sys.argv[2] == "killed":
    os._exit(9)
print("open", flush=True)
sys.stdin.read()
"""


def saver(path: Path, end: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAVED, str(path), end],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_answers_with_times_in_utc_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    ledger = Ledger(path)
    ledger.write(ProfileSaved(ts=AT, user_id="ada", learns=True))
    ledger.close()
    before = path.read_bytes()
    with Resting(path) as resting:
        found = resting.table("SELECT ts FROM profiles WHERE user_id = $who", {"who": "ada"})
        assert found.to_pylist() == [{"ts": AT}]
        assert str(found.schema.field("ts").type) == "timestamp[us, tz=UTC]"
        assert resting.has("profiles")
        assert not resting.has("profile")
        with pytest.raises(LedgerUnavailable):
            resting.table("DELETE FROM profiles")
        with pytest.raises(LedgerUnavailable):
            resting.table("SELECT 1 FROM nothing_such")
    assert path.read_bytes() == before
    Ledger(path).close()


def test_it_knows_what_a_killed_process_had_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    with saver(path, "killed") as process:
        process.communicate()
    assert Path(f"{path}.wal").stat().st_size > 0
    with Resting(path) as resting:
        assert resting.table("SELECT user_id FROM profiles").num_rows == 1
    assert Path(f"{path}.wal").stat().st_size > 0


def test_one_that_is_in_use_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    with saver(path, "waits") as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        with pytest.raises(LedgerLocked) as caught:
            Resting(path)
        assert caught.value.pid == process.pid
        process.communicate("")
