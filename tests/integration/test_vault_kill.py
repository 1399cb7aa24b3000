"""What kill -9 leaves of a rotation: every key opens, and the next start ends what was begun."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from core.clock import SystemClock
from core.ledger import Ledger
from core.llm import MasterKeys, Vault
from tests.asking import rows

PROJECT = Path(__file__).parents[2]
PEOPLE, KILLS = 40, 12
CHANCE = Random(11)  # noqa: S311 - when to kill


def key_of(name: str) -> str:
    return f"sk-ant-api03-a-key-of-{name.replace(' ', '-')}"


def opened(folder: Path, ledger: Ledger) -> Vault:
    return Vault.recovered(ledger, MasterKeys((), folder / "master.key"), SystemClock(), {})


def rotate_until_killed(folder: str) -> None:
    """Change the master key again and again, saying so each time."""
    sys.stdin.readline()
    vault = opened(Path(folder), Ledger(Path(folder) / "ledger.duckdb"))
    while True:
        vault.rotate("root")
        os.write(1, b"rotated\n")


@contextmanager
def child(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `rotate_until_killed` in a process that waits for a line before it begins."""
    code = "import sys, tests.integration.test_vault_kill as k; k.rotate_until_killed(sys.argv[1])"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def killed_after(process: subprocess.Popen[str], rotations: int, seconds: float) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    for _ in range(rotations):
        assert process.stdout.readline() == "rotated\n"
    time.sleep(seconds)
    process.kill()
    assert process.wait() == -9


def keys_in(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="ascii").splitlines() if line[0] != "#"]


def test_a_rotation_that_is_killed_at_any_point_loses_no_key(tmp_path: Path) -> None:
    people = [f"person {number}" for number in range(PEOPLE)]
    ledger = Ledger(tmp_path / "ledger.duckdb")
    vault = opened(tmp_path, ledger)
    for name in people:
        vault.store(name, "anthropic", key_of(name), name)
    ledger.close()
    cut_off = 0
    with ExitStack() as stack:
        processes = [stack.enter_context(child(tmp_path)) for _ in range(KILLS)]
        for process in processes:
            killed_after(process, CHANCE.randrange(1, 3), CHANCE.uniform(0, 0.03))
            cut_off += len(keys_in(tmp_path / "master.key")) > 1
            ledger = Ledger(tmp_path / "ledger.duckdb")
            vault = opened(tmp_path, ledger)
            revealed = [vault.reveal(name, "anthropic") for name in people]
            sealed = rows(ledger, "provider_keys")
            ledger.close()
            assert revealed == [key_of(name) for name in people]
            assert len(sealed) == PEOPLE
            assert len({row["master_id"] for row in sealed}) == 1
            assert len(keys_in(tmp_path / "master.key")) == 1
    assert cut_off >= 3, "too few kills met a rotation to tell"
