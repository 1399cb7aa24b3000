"""A minute of what `make soak` does for a quarter of an hour."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.soak.crashes import Crashes
from tests.soak.steady import PER_S, held


def test_three_kills_under_load_lose_nothing_acknowledged_and_bend_no_limit(
    tmp_path: Path,
) -> None:
    tally = Crashes(tmp_path, "crash-short", seed=3).run(kills=3, kills_while_starting=1)
    sys.stdout.write(f"\n{tally}\n")
    assert tally.acknowledged > 30


def test_half_a_minute_of_load_is_answered_without_an_error_or_another_open_file(
    tmp_path: Path,
) -> None:
    load = held(tmp_path, "steady-short", seconds=30, warm_up_s=10, every_s=1.0)
    sys.stdout.write(f"\n{load}\n")
    assert not load.report.errors
    assert load.report.per_s > 0.8 * PER_S
    assert load.files_grew_by == 0
