"""Documents, locks and requirements say what is so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.api.schemas import ExecutionOut, FallOut, RecommendIn, RecommendOut, SourceOut
from core.cli import _parser
from core.doctor.providers import DEADLINE_S
from core.llm import Pacing
from core.llm.breaker import OPENS_AFTER, PAUSE_S
from core.llm.ladder import SHARE
from core.recommend.model_prompt import LONGEST_DESCRIPTION
from core.recommend.model_ranker import SHORTLIST, WHOLE
from core.recommend.recalibration import ENOUGH
from core.settings import Operator
from core.settings.environment import _VARIABLES

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\b(?:WAYWARDEN_[A-Z_]*[A-Z]|ANTHROPIC_(?:API_KEY|BASE_URL)|OLLAMA_HOST)\b")
SOURCES = (".py", ".sql", ".md", ".sh", ".lock")
OPERATOR = Operator()
# What these folders hold is written at run time.
MADE_LATER = ("data/local", ".venv", "test-artifacts")

documents = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT))
)
locks = pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])


def text_of(file: Path | str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def code_in(text: str) -> list[str]:
    """The lines of fenced blocks, and what stands between backticks elsewhere."""
    fenced = [line.strip() for block in FENCED.findall(text) for line in block.splitlines()]
    return [*fenced, *INLINE.findall(FENCED.sub("", text))]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))


def commands_of_make(text: str) -> set[str]:
    """The targets of every `make ...` in code; variables and flags are not targets."""
    return {
        word
        for code in code_in(text)
        for words in re.findall(r"(?:^|[;&|$(]\s*|\s)make((?:\s+[\w./=-]+)+)", f" {code}")
        for word in words.split()
        if "=" not in word and not word.startswith("-")
    }


def commands_of_waywarden(text: str) -> set[str]:
    """What stands after `waywarden` in code; options and file names are no commands."""
    return {
        word
        for code in code_in(text)
        for word in re.findall(r"(?:^|[\s/])waywarden ([a-z]+)", code)
    }


def paths_in(text: str) -> set[str]:
    """What code in a document names as files or folders of the project."""
    folders = {entry.name for entry in ROOT.iterdir() if entry.is_dir()}
    named = {
        code
        for code in INLINE.findall(FENCED.sub("", text))
        if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*/?", code)
        and (code.endswith(SOURCES) or ("/" in code and code.split("/")[0] in folders))
    }
    return {path for path in named if not path.startswith(MADE_LATER)}


def links_in(text: str) -> Iterator[str]:
    for link in LINK.findall(FENCED.sub("", text)):
        if not re.match(r"[a-z]+:|#", link):
            yield link.partition("#")[0]


@documents
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    assert commands_of_make(text_of(document)) <= targets()


@documents
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    parser = _parser()
    known = next(each.choices for each in parser._actions if isinstance(each.choices, dict))
    assert commands_of_waywarden(text_of(document)) <= set(known)


@documents
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    missing = {path for path in paths_in(text_of(document)) if not any(ROOT.glob(path))}
    assert not missing


@documents
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    links = list(links_in(text_of(document)))
    assert [link for link in links if not (document.parent / link).exists()] == []


@documents
def test_every_variable_that_a_document_names_is_read(document: Path) -> None:
    assert set(VARIABLE.findall(text_of(document))) <= set(_VARIABLES.values())


def test_the_api_names_the_fields_that_answers_have() -> None:
    (said,) = re.findall(r"\*\*Who answered.\*\*(.*?)\n- ", text_of("docs/api.md"), re.DOTALL)
    fields = {*SourceOut.model_fields, *FallOut.model_fields}
    values = {"local", "anthropic", "ollama", "null"}
    assert set(INLINE.findall(said)) == fields | values | {"source", "own_claim"}
    assert {"source", "own_claim", "sensitive"} <= RecommendOut.model_fields.keys()
    assert {"source", "sensitive"} <= ExecutionOut.model_fields.keys()
    assert "sensitive" in RecommendIn.model_fields


@pytest.mark.parametrize(
    "figure",
    [
        f"first {LONGEST_DESCRIPTION:,} characters",
        f"of the {SHORTLIST} best by the local ranker where there are more than {WHOLE}",
        f"(`{OPERATOR.providers.anthropic.ranking_model}`)",
        f"(`{OPERATOR.providers.anthropic.steps_model}`)",
        f"**Cheaper**: `{OPERATOR.providers.anthropic.cheaper_model}`",
        f"**Ollama**: `{OPERATOR.providers.ollama.model}`",
        f"Claude has {OPERATOR.providers.anthropic.deadline_s:g} s",
        f"Ollama {OPERATOR.providers.ollama.deadline_s:g} s",
        f"at most {SHARE:.0%}".replace("%", " %"),
        f"**Retries** ({OPERATOR.ladder.retries} by default)",
        f"up to {Pacing().first_pause_s:g} s at first",
        f"never above {Pacing().longest_pause_s:g} s",
        f"a `retry-after` of up to {Pacing().longest_retry_after_s:g} s",
        f"after {OPENS_AFTER} in a row",
        f"left alone for {PAUSE_S:g} s",
        f"until {ENOUGH} answers",
        f"within {DEADLINE_S:g} s",
    ],
)
def test_a_figure_about_providers_is_that_of_the_code(figure: str) -> None:
    assert figure in " ".join(text_of("docs/providers.md").split())


@pytest.mark.parametrize("folder", ["core", "pages", ".streamlit"])
def test_every_variable_that_a_message_or_comment_names_is_read(folder: str) -> None:
    files = [file for ending in ("py", "toml") for file in (ROOT / folder).rglob(f"*.{ending}")]
    named = {name for file in files for name in VARIABLE.findall(text_of(file))}
    assert named <= set(_VARIABLES.values())


def test_the_readme_has_a_table_of_exactly_the_variables_that_are_read() -> None:
    rows = [line for line in text_of(README).splitlines() if line.startswith("|")]
    in_table = {name for row in rows for name in VARIABLE.findall(row.split("|")[1])}
    assert in_table == set(_VARIABLES.values())


def test_what_a_document_names_is_found_in_it() -> None:
    text = (
        "Do `make nothing-such` or `cd x && make run PYTHON=python3`; make sure of it.\n"
        "```sh\nmake test\n$ make -n bench\n```\n"
        "See `core/nowhere.py`, `gone/by.py`, `application/json`, `data/local/x`, "
        "[there](x.md#y) and [far](https://example.org)."
    )
    assert commands_of_make(text) == {"nothing-such", "run", "test", "bench"}
    assert commands_of_waywarden("`waywarden` is, `.venv/bin/waywarden fly --far`.") == {"fly"}
    assert paths_in(text) == {"core/nowhere.py", "gone/by.py"}
    assert list(links_in(text)) == ["x.md"]


def requirements() -> dict[str, list[str]]:
    """The lines of pyproject.toml that name a requirement, by their group."""
    groups: dict[str, list[str]] = {}
    for group, body in re.findall(
        r"^(\w+) = \[\n(.*?)^\]", text_of("pyproject.toml"), re.MULTILINE | re.DOTALL
    ):
        if group in {"dependencies", "build", "dev"}:
            groups[group] = [line for line in body.splitlines() if line.strip()]
    return groups


def test_every_requirement_says_why_it_is_there() -> None:
    lines = [line for group in requirements().values() for line in group]
    assert [line for line in lines if not re.fullmatch(r'\s+"[^"]+",\s+# \S.+', line)] == []


def test_no_requirement_escapes_that_check() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    written = {"dependencies": project["dependencies"], **project["optional-dependencies"]}
    assert {group: len(lines) for group, lines in requirements().items()} == {
        group: len(names) for group, names in written.items()
    }


def pins(lock: str) -> dict[str, tuple[str, int]]:
    """The version that a lock pins of each package, and by how many hashes."""
    entries = re.split(r"^(?=[A-Za-z0-9])", text_of(lock), flags=re.MULTILINE)[1:]
    pinned: dict[str, tuple[str, int]] = {}
    for entry in entries:
        found = re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", entry)
        assert found, f"{lock}: not pinned: {entry.splitlines()[0]}"
        pinned[found[1]] = (found[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)))
    return pinned


@locks
def test_a_lock_has_hashes_on_every_entry(lock: str) -> None:
    assert pins(lock)
    assert [name for name, (_, hashes) in pins(lock).items() if not hashes] == []


@locks
def test_a_lock_names_no_place_to_download_from(lock: str) -> None:
    assert re.findall(r"\w+://\S+|--(?:extra-)?index-url|--find-links", text_of(lock)) == []


@locks
def test_a_lock_pins_the_duckdb_that_its_extensions_exist_for(lock: str) -> None:
    assert pins(lock)["duckdb"][0] == "1.5.5"


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ("dependencies", "build")),
        ("requirements-dev.lock", ("dependencies", "build", "dev")),
    ],
)
def test_a_lock_pins_every_requirement(lock: str, groups: tuple[str, ...]) -> None:
    wanted = {
        re.split(r"[\[<>=!~; ]", line.split('"')[1])[0]
        for group in groups
        for line in requirements()[group]
    }
    assert wanted <= set(pins(lock))


def test_both_locks_agree_on_every_version() -> None:
    shipped, developed = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: pin for name, pin in shipped.items() if developed.get(name) != pin} == {}
