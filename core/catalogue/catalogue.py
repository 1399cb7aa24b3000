"""Loads every workflow file and reports every fault, with file, key and line."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli
from pydantic import ValidationError

from core.catalogue.words import content_stems
from core.catalogue.workflow import Workflow
from core.errors import UnknownWorkflow

__all__ = ["Catalogue", "Fault"]

log = logging.getLogger(__name__)

LARGEST_BYTES = 64 * 1024
MOST_FAULTS = 100
_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
# A key of very many dotted parts makes TOML readers take quadratic time and memory.
_DEEP_KEY = re.compile(rf"\s*\[{{0,2}}\s*(?:{_PART}\s*\.\s*){{9}}")
_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]\[]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*({_PART})\s*(?:\.\s*{_PART}\s*)*=")
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one workflow file, and where."""

    file: str
    key: str | None
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class Catalogue:
    """The workflows that can be run, and the faults of the files that cannot."""

    def __init__(self, workflows: Iterable[Workflow], faults: Iterable[Fault] = ()) -> None:
        self.workflows: tuple[Workflow, ...] = tuple(workflows)
        self.faults: tuple[Fault, ...] = tuple(faults)
        self._by_id = {workflow.workflow_id: workflow for workflow in self.workflows}

    @classmethod
    def load(cls, folders: Sequence[Path]) -> Catalogue:
        """Load `<folder>/**/*.toml` of every folder; the first file with an id keeps it."""
        by_id: dict[str, tuple[Workflow, str]] = {}
        faults: list[Fault] = []
        for folder in folders:
            if not folder.is_dir():
                faults.append(Fault(str(folder), None, None, "this folder does not exist"))
                continue
            for path in sorted(folder.rglob("*.toml")):
                name = _showable(f"{folder.name}/{path.relative_to(folder)}")
                workflow, found = _read(path, name)
                faults += found
                if workflow is None:
                    continue
                holder = by_id.setdefault(workflow.workflow_id, (workflow, name))[1]
                if holder != name:
                    message = f"“{workflow.workflow_id}” is already the id of {holder}"
                    line = _lines_of_keys(_text(path)).get(("workflow_id",))
                    faults.append(Fault(name, "workflow_id", line, message))
        for fault in faults:
            log.error("Workflow file left out: %s", fault)
        return cls((workflow for workflow, _ in by_id.values()), faults)

    def get(self, workflow_id: str) -> Workflow:
        """Return the workflow of this id.

        Raises:
            UnknownWorkflow: there is none.
        """
        try:
            return self._by_id[workflow_id]
        except KeyError:
            raise UnknownWorkflow(workflow_id) from None

    def find(
        self, domains: Sequence[str] = (), tags: Sequence[str] = (), query: str = ""
    ) -> list[Workflow]:
        """Return workflows of any of the domains, with all of the tags and all of the words."""
        wanted = content_stems(query)
        return [
            workflow
            for workflow in self.workflows
            if (not domains or workflow.domain in domains)
            and set(tags) <= set(workflow.tags)
            and wanted <= content_stems(_searched(workflow))
        ]

    @property
    def fingerprint(self) -> str:
        """A hash that changes with any workflow."""
        said = "".join(workflow.model_dump_json() for workflow in self.workflows)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def _searched(workflow: Workflow) -> str:
    parts = (workflow.name, workflow.description, *workflow.tags, *workflow.examples)
    return " ".join((workflow.workflow_id.replace("-", " "), *parts))


def _read(path: Path, name: str) -> tuple[Workflow | None, list[Fault]]:
    try:
        text = _text(path)
        content = tomli.loads(text)
    except _Unreadable as problem:
        return None, [Fault(name, None, problem.line, str(problem))]
    except (ValueError, RecursionError) as problem:  # a number may be too long to be one
        line = getattr(problem, "lineno", None)
        return None, [Fault(name, None, line, f"is not valid TOML: {problem}")]
    return _checked(content, path, name, text)


def _showable(name: str) -> str:
    """Return a file's name with a mark for each byte that is not text."""
    return name.encode("utf-8", "replace").decode("utf-8")


class _Unreadable(Exception):
    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def _text(path: Path) -> str:
    """Return a file's text, of a size and depth that a TOML reader can be given."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as problem:
        raise _Unreadable(f"cannot be read: {problem.strerror}") from None
    if len(raw) > LARGEST_BYTES:
        raise _Unreadable("is larger than 64 kB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _Unreadable("is not UTF-8 text", raw[: problem.start].count(b"\n") + 1) from None
    deep = next((number for number, line in _statements(text) if _DEEP_KEY.match(line)), None)
    if deep is not None:
        raise _Unreadable("has a key of ten or more dotted parts", deep)
    return text


def _checked(
    content: dict[str, Any], path: Path, name: str, text: str
) -> tuple[Workflow | None, list[Fault]]:
    content.setdefault("workflow_id", path.stem)
    content.setdefault("domain", path.parent.name)
    try:
        return Workflow.model_validate(content), []
    except ValidationError as problem:
        errors = problem.errors()
    lines = _lines_of_keys(text)
    faults = [
        Fault(name, _dotted(error["loc"]), _line_of(error["loc"], lines), _worded(error))
        for error in errors[:MOST_FAULTS]
    ]
    if len(errors) > MOST_FAULTS:
        faults.append(Fault(name, None, None, f"has {len(errors) - MOST_FAULTS} more faults"))
    return None, faults


def _worded(error: Any) -> str:
    known = {
        "extra_forbidden": "unknown key",
        "missing": "is missing",
        "tuple_type": "should be a list",
        "dict_type": "should be a table",
        "model_type": "should be a table",
    }
    message = str(error["msg"]).removeprefix("Value error, ")
    return known.get(error["type"], message[:1].lower() + message[1:])


def _dotted(location: Place) -> str | None:
    """Write a place as people count: `outline[2].title` is the second step's title."""
    dotted = ""
    for part in location:
        dotted += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return dotted.lstrip(".") or None


def _line_of(location: Place, lines: dict[Place, int]) -> int | None:
    """Return the line of the key, or of the nearest table around it."""
    for length in range(len(location), 0, -1):
        if line := lines.get(tuple(location[:length])):
            return line
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that do not lie inside a multi-line string, with their numbers."""
    fence: str | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if fence is None:
            yield number, line
        for quotes in ('"""', "'''"):
            if fence in (None, quotes) and line.count(quotes) % 2:
                fence = quotes if fence is None else None


def _lines_of_keys(text: str) -> dict[Place, int]:
    """Map each key and table header to its first line."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in _statements(text):
        if header := _TABLE.match(line):
            table = _table_place(header, counts)
            lines.setdefault(table, number)
            if isinstance(table[-1], int):
                lines.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key.group(1).strip("\"'")), number)
    return lines


def _table_place(header: re.Match[str], counts: dict[Place, int]) -> Place:
    """Return where a header leads, with the index of each array of tables on the way."""
    parts = [part.strip().strip("\"'") for part in header.group(2).split(".")]
    place: Place = ()
    for depth, part in enumerate(parts, start=1):
        place = (*place, part)
        if depth == len(parts) and header.group(1) == "[[":
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
