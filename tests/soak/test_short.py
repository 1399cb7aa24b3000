"""A minute of what `make soak` does for a quarter of an hour."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.soak.crashes import Crashes


def test_three_kills_under_load_lose_nothing_acknowledged_and_bend_no_limit(
    tmp_path: Path,
) -> None:
    tally = Crashes(tmp_path, "crash-short", seed=3).run(kills=3, kills_while_starting=1)
    sys.stdout.write(f"\n{tally}\n")
    assert tally.acknowledged > 30
