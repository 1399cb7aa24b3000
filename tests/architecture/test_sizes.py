"""Files stay short enough to be read in one sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE, PAGE, LAUNCHER = 300, 120, 20


def most_lines(file: Path) -> int:
    """How long this file may be."""
    place = file.relative_to(ROOT)
    if place.parts[0] == "pages":
        return CORE if place.parts[1] == "shared" else PAGE
    return LAUNCHER if place.name == "app.py" else CORE


FILES = sorted([*(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_is_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= most_lines(file), f"{lines} lines; split it by what it is about"
