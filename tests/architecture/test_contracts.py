"""Every contract of .importlinter and every ban of ruff is broken once, on purpose."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VERDICT = re.compile(r"^(?P<contract>.+) (?P<verdict>KEPT|BROKEN)\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class Breach:
    """What is added to files of a copied tree (made if missing), and the contract it breaks."""

    title: str
    contract: str | None
    files: Mapping[str, str] = field(hash=False)


LAYERS = "Imports point down, siblings do not meet"
PAGE_LAYERS = "Pages stand on what they share"
PAGES_APART = "Pages do not know each other"
DOORS = "A package is entered by its door"
DRAWS = "The core does not draw"
DUCKDB = "DuckDB is spoken in the ledger only"
CLAUDE = "The SDK for Claude is loaded in one file"
SETTINGS = "Configuration arrives by constructor"
CYCLES = "No package goes round in circles"

NOTHING = Breach("nothing", None, {})
BREACHES = (
    Breach(
        "rooms of the drawing that are not built yet",
        None,
        {
            "core/api/__init__.py": "import core.alerts\nimport core.recommend\n",
            "core/demo/__init__.py": "import core.alerts\nimport core.guard\n",
            "core/alerts/__init__.py": "import core.analytics\n",
            "core/experiments/__init__.py": "import core.catalogue\n",
            "core/llm/__init__.py": "from core.llm.anthropic import ask\n",
            "core/llm/anthropic.py": "def ask():\n    import anthropic\n",
            "pages/admin/__init__.py": "",
            "pages/admin/settings.py": "import pages.shared\n",
        },
    ),
    Breach("a file nobody placed", LAYERS, {"core/planted.py": ""}),
    Breach(
        "a package nobody placed",
        LAYERS,
        {"core/helpers/__init__.py": "", "core/helpers/planted.py": ""},
    ),
    Breach("a sibling", LAYERS, {"core/recommend/planted.py": "from core.execute import Plan\n"}),
    Breach("a room above", LAYERS, {"core/statistics.py": "\nimport core.catalogue\n"}),
    Breach(
        "a room above, by a lazy import",
        LAYERS,
        {"core/statistics.py": "\ndef planted():\n    import core.guard\n"},
    ),
    Breach(
        "a room above, for its types only",
        LAYERS,
        {
            "core/statistics.py": "\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from core.guard import Gate\n"
        },
    ),
    Breach(
        "a future sibling",
        LAYERS,
        {"core/llm/__init__.py": "", "core/llm/planted.py": "import core.guard\n"},
    ),
    Breach("a page file beside the frame", PAGE_LAYERS, {"pages/planted.py": ""}),
    Breach(
        "a page below what pages share",
        PAGE_LAYERS,
        {
            "pages/operate/planted.py": "",
            "pages/shared/planted.py": "import pages.operate.planted\n",
        },
    ),
    Breach(
        "a page that imports the frame",
        PAGE_LAYERS,
        {"pages/operate/planted.py": "import pages.frame\n"},
    ),
    Breach(
        "two pages of one folder",
        PAGES_APART,
        {
            "pages/insight/planted.py": "",
            "pages/insight/planted_too.py": "import pages.insight.planted\n",
        },
    ),
    Breach(
        "a page inside a package",
        DOORS,
        {"pages/shared/planted.py": "from core.catalogue.workflow import Workflow\n"},
    ),
    Breach("the frame inside a package", DOORS, {"pages/frame.py": "\nimport core.guard.gate\n"}),
    Breach(
        "a package inside another",
        DOORS,
        {"core/analytics/planted.py": "from core.ledger.writer import Writer\n"},
    ),
    Breach("streamlit", DRAWS, {"core/analytics/planted.py": "import streamlit as st\n"}),
    Breach("plotly", DRAWS, {"core/analytics/planted.py": "from plotly import graph_objects\n"}),
    Breach("pages", DRAWS, {"core/runtime.py": "\nimport pages.shared\n"}),
    Breach("the launcher", DRAWS, {"core/cli.py": "\nfrom app import app\n"}),
    Breach("SQL in a reader", DUCKDB, {"core/analytics/planted.py": "import duckdb\n"}),
    Breach("SQL on a page", DUCKDB, {"pages/shared/planted.py": "from duckdb import connect\n"}),
    Breach(
        "Claude in the executor",
        CLAUDE,
        {"core/execute/planted.py": "def ask():\n    from anthropic import Anthropic\n"},
    ),
    Breach(
        "Claude elsewhere in its package",
        CLAUDE,
        {"core/llm/__init__.py": "", "core/llm/planted.py": "import anthropic\n"},
    ),
    Breach("Claude on a page", CLAUDE, {"pages/shared/planted.py": "import anthropic\n"}),
    Breach(
        "settings taken instead of given",
        SETTINGS,
        {"core/analytics/planted.py": "from core.settings import Settings\n"},
    ),
    Breach(
        "settings on a page",
        SETTINGS,
        {"pages/shared/planted.py": "from core.settings import Settings\n"},
    ),
    Breach(
        "two files that need each other",
        CYCLES,
        {
            "core/guard/planted.py": "import core.guard.planted_too\n",
            "core/guard/planted_too.py": "import core.guard.planted\n",
        },
    ),
)


def contracts() -> list[str]:
    parser = configparser.ConfigParser()
    parser.read_string((ROOT / ".importlinter").read_text(encoding="utf-8"))
    return [parser[section]["name"] for section in parser.sections() if ":" in section]


def copy_of_the_tree(to: Path, files: Mapping[str, str]) -> Path:
    """Copy the Python files and contracts to `to`, and add what is planted."""
    for package in ("core", "pages"):
        for file in (ROOT / package).rglob("*.py"):
            copy = to / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    shutil.copyfile(ROOT / ".importlinter", to / ".importlinter")
    for name, text in files.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        with (to / name).open("a", encoding="utf-8") as grown:
            grown.write(text)
    return to


def lint_imports(tree: Path) -> dict[str, bool]:
    """Run the linter there; return whether each contract is kept."""
    ended = subprocess.run(
        [BIN / "lint-imports", "--no-cache", "--no-logo"],
        cwd=tree,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    verdicts = {
        found["contract"]: found["verdict"] == "KEPT" for found in VERDICT.finditer(ended.stdout)
    }
    assert set(verdicts) == set(contracts()), ended.stdout + ended.stderr
    assert (ended.returncode == 0) == all(verdicts.values()), ended.stdout
    return verdicts


@pytest.fixture(scope="module")
def broken_by(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Which contracts each breach breaks, all of them tried side by side."""

    def tried(breach: Breach) -> tuple[str, set[str]]:
        tree = copy_of_the_tree(tmp_path_factory.mktemp("tree"), breach.files)
        verdicts = lint_imports(tree)
        shutil.rmtree(tree)
        return breach.title, {contract for contract, kept in verdicts.items() if not kept}

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return dict(pool.map(tried, (NOTHING, *BREACHES)))


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.title)
def test_a_planted_breach_breaks_its_contract_and_no_other(
    breach: Breach, broken_by: dict[str, set[str]]
) -> None:
    already = broken_by[NOTHING.title]
    assert broken_by[breach.title] - already == {breach.contract} - already - {None}


def test_the_tree_itself_breaks_no_contract(broken_by: dict[str, set[str]]) -> None:
    assert broken_by[NOTHING.title] == set()


@pytest.mark.parametrize("contract", contracts())
def test_every_contract_has_a_breach(contract: str) -> None:
    assert contract in {breach.contract for breach in BREACHES}


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def test_no_file_hides_from_the_contracts_in_a_folder_without_a_door() -> None:
    doorless = {
        str(file.parent.relative_to(ROOT))
        for file in python_files("core", "pages")
        if not file.with_name("__init__.py").exists()
    }
    assert not doorless, "import-linter does not look into folders without __init__.py"


def test_the_launcher_is_alone_and_only_launches() -> None:
    assert [file.name for file in ROOT.glob("*.py")] == ["app.py"]
    assert imported(ROOT / "app.py") <= {"__future__", "pathlib", "streamlit", "core.runtime"}


def imported(file: Path) -> set[str]:
    """The modules that a file imports, as it names them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def askers_of_the_environment(root: Path, files: Iterator[Path]) -> set[str]:
    """The files that call for settings themselves instead of being given them."""
    return {
        str(file.relative_to(root))
        for file in files
        if any(
            isinstance(node, ast.Attribute) and node.attr == "from_environment"
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        )
    }


def test_only_the_runtime_and_the_command_line_read_settings_from_the_environment() -> None:
    askers = askers_of_the_environment(ROOT, python_files("core", "pages"))
    assert askers == {"core/runtime.py", "core/cli.py"}


def test_a_planted_reader_of_settings_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("from core import settings as s\nlimits = s.Settings.from_environment()\n")
    assert askers_of_the_environment(tmp_path, iter([planted])) == {"planted.py"}


def banned(filename: str, code: str) -> set[str]:
    """The bans that `code` would break if it stood in `filename`."""
    ended = subprocess.run(
        [
            *(BIN / "ruff", "check", "--no-cache", "--output-format=json"),
            *("--select=TID251,TID252,DTZ", "--stdin-filename", filename, "-"),
        ],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {fault["code"] for fault in json.loads(ended.stdout)}


@pytest.mark.parametrize("filename", ["core/guard/planted.py", "pages/shared/planted.py"])
@pytest.mark.parametrize(
    "code",
    [
        "import duckdb\n",
        "from duckdb import connect\n",
        "import os\nkey = os.environ['KEY']\n",
        "import os\nkey = os.getenv('KEY')\n",
        "import os\nkey = os.environb[b'KEY']\n",
        "from os import environ\n",
        "from datetime import UTC, datetime\nnow = datetime.now(UTC)\n",
        "import datetime as dt\nnow = dt.datetime.now(dt.UTC)\n",
        "from datetime import datetime\nnow = datetime.utcnow()\n",
        "import time\nnow = time.time()\n",
        "import time\nnow = time.time_ns()\n",
        "from time import time\n",
    ],
)
def test_a_ban_of_ruff_holds(filename: str, code: str) -> None:
    assert "TID251" in banned(filename, code)


def test_a_day_without_a_zone_is_banned() -> None:
    assert banned("core/guard/planted.py", "import datetime\nd = datetime.date.today()\n")


def test_relative_imports_are_banned() -> None:
    assert banned("core/guard/planted.py", "from . import gate\n") == {"TID252"}


@pytest.mark.parametrize(
    ("home", "code"),
    [
        ("core/ledger/planted.py", "import duckdb\n"),
        ("core/settings/environment.py", "import os\nkey = os.environ['KEY']\n"),
        ("core/clock.py", "import time\nnow = time.time()\n"),
        ("tests/unit/test_planted.py", "import duckdb\n"),
    ],
)
def test_what_is_banned_elsewhere_has_a_home(home: str, code: str) -> None:
    assert banned(home, code) == set()


def test_no_file_silences_a_ban() -> None:
    silencers = [
        str(file.relative_to(ROOT))
        for file in [*python_files("core", "pages"), ROOT / "app.py"]
        if re.search(r"noqa\b(?!: )|noqa:[^#]*\bTID", file.read_text(encoding="utf-8"))
    ]
    assert not silencers
