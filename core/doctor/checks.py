"""All checks in turn; here those of what is on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core.catalogue import Catalogue
from core.doctor.finding import Finding
from core.doctor.providers import providers
from core.errors import HeadUnusable, LedgerLocked, WaywardenError
from core.ledger import contents
from core.recommend import Curves, Head, LocalRanker, version_of
from core.settings import PROJECT, Settings

__all__ = ["disk", "examine", "trained"]

LEAST_FREE_BYTES = 512 * 2**20
PACKAGES = ("waywarden", "duckdb", "streamlit")


def examine(settings: Settings) -> list[Finding]:
    """Run every check; none changes anything, and one that fails does not hide the next."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("versions", _versions),
        ("data folder", _folder),
        ("disk", disk),
        ("ledger", _ledger),
        ("workflows", _workflows),
        ("recommender", _recommender),
    )
    found = [_examined(name, check, settings) for name, check in checks]
    return [*found, *providers(settings)]


def _examined(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except OSError as problem:
        said = f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem)
        return Finding(check=name, status="failed", detail=said)
    except (WaywardenError, ValueError) as problem:
        return Finding(check=name, status="failed", detail=str(problem))


def _versions(settings: Settings) -> Finding:
    del settings
    said = [f"Python {'.'.join(map(str, sys.version_info[:3]))}"]
    for package in PACKAGES:
        try:
            said.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            said.append(f"{package} not installed")
    return Finding(check="versions", status="ok", detail=", ".join(said))


def _folder(settings: Settings) -> Finding:
    folder = _nearest(settings.data_dir)
    if not folder.is_dir():
        said = f"{folder} is a file; move it away, or set WAYWARDEN_DATA_DIR"
        return Finding(check="data folder", status="failed", detail=said)
    writable = os.access(folder, os.W_OK | os.X_OK)
    said = f"{settings.data_dir} can be written"
    if not writable:
        said = f"{folder} cannot be written; give this user the right, or set WAYWARDEN_DATA_DIR"
    return Finding(check="data folder", status="ok" if writable else "failed", detail=said)


def disk(settings: Settings) -> Finding:
    """Return how much room is left where the ledger grows."""
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    enough = free >= LEAST_FREE_BYTES
    said = f"{free / 2**30:.1f} GiB free" + ("" if enough else "; free some room")
    return Finding(check="disk", status="ok" if enough else "warning", detail=said)


def _ledger(settings: Settings) -> Finding:
    path = settings.ledger_path
    if not path.exists():
        said = f"{path} does not exist yet; the first start makes it"
        return Finding(check="ledger", status="ok", detail=said)
    try:
        found = contents(path)
    except LedgerLocked as problem:
        said = f"in use by process {problem.pid}" if problem.pid else "in use"
        return Finding(check="ledger", status="ok", detail=f"{path} is {said}")
    if not os.access(path, os.W_OK):
        said = f"{path} cannot be written; give this user the right"
        return Finding(check="ledger", status="failed", detail=said)
    size = path.stat().st_size / 2**20
    schema = "schema up to date"
    if found.pending:
        schema = f"the next start will bring its schema up to date ({', '.join(found.pending)})"
    said = f"{path}: {sum(found.rows.values()):,} rows, {size:.1f} MiB, {schema}"
    return Finding(check="ledger", status="ok", detail=said)


def _workflows(settings: Settings) -> Finding:
    extra = settings.extra_workflows
    catalogue = Catalogue.load([PROJECT / "workflows", *([extra] if extra else [])])
    said = f"{len(catalogue.workflows)} loaded"
    if catalogue.faults:
        said += f"; left out: {'; '.join(map(str, catalogue.faults))}"
    if not catalogue.workflows:
        return Finding(check="workflows", status="failed", detail=said)
    return Finding(check="workflows", status="warning" if catalogue.faults else "ok", detail=said)


def _recommender(settings: Settings) -> Finding:
    extra = settings.extra_workflows
    return trained(Catalogue.load([PROJECT / "workflows", *([extra] if extra else [])]))


def trained(catalogue: Catalogue) -> Finding:
    """Return whether the trained head belongs to the workflows; without it answers are worse."""
    try:
        head = Head.load()
        head.check(catalogue.workflows)
        curve = Curves.load().of(LocalRanker.name, version_of(head))
    except HeadUnusable as problem:
        return Finding(check="recommender", status="warning", detail=str(problem))
    said = f"trained, version {curve.ranker_version}, confidence from {curve.fitted_on}"
    return Finding(check="recommender", status="ok", detail=said)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
