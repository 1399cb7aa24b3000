"""Twenty minutes: thirty kills, then ten minutes of load, warmed up. Run by `make soak`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.soak.crashes import Crashes
from tests.soak.steady import PER_S, held

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]

KILLS, KILLS_WHILE_STARTING = 30, 6
# DuckDB keeps what it dropped of its buffers until some ten thousand queries were made.
MINUTES, WARM_UP_MINUTES = 10, 8
MOST_MB_PER_MINUTE = 1.0


def test_thirty_kills_under_load_lose_nothing_acknowledged_and_bend_no_limit(
    tmp_path: Path,
) -> None:
    crashes = Crashes(tmp_path, "soak-crashes", seed=30)
    tally = crashes.run(kills=KILLS, kills_while_starting=KILLS_WHILE_STARTING)
    sys.stdout.write(f"\ncrash recovery: {tally}\n")
    assert tally.acknowledged > 10 * KILLS


def test_ten_minutes_of_load_leave_memory_and_open_files_as_they_were(tmp_path: Path) -> None:
    load = held(
        tmp_path,
        "soak-steady",
        seconds=60 * MINUTES,
        warm_up_s=60 * WARM_UP_MINUTES,
        every_s=2.0,
    )
    sys.stdout.write(f"\nload, {MINUTES} minutes at {PER_S:.0f}/s: {load}\n")
    assert not load.report.errors
    assert load.report.per_s > 0.95 * PER_S
    assert load.files_grew_by == 0
    assert load.mb_per_minute < MOST_MB_PER_MINUTE
