"""What many tests share: one loaded recommender for the whole run, a ledger of one's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pytest

from core.catalogue import Catalogue, Task
from core.ledger import Ledger
from core.llm import Connections
from core.recommend import Curve, Curves, Embedder, LocalRanker, Ranked, Ranker
from core.runtime import Runtime
from core.settings import PROJECT, Settings
from tests.fakes import FakeClock

SHIPPED = PROJECT / "workflows"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load([SHIPPED])


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real one; it remembers the phrases of a catalogue, so that rankers after are cheap."""
    return Embedder()


@pytest.fixture(scope="session")
def ranker(catalogue: Catalogue, embedder: Embedder) -> LocalRanker:
    return LocalRanker.shipped(catalogue, embedder)


class RememberingRanker:
    """The shipped ranker, which ranks each task only once in a whole run."""

    def __init__(self, ranker: LocalRanker) -> None:
        self.name, self.version = ranker.name, ranker.version
        self._rank = lru_cache(maxsize=None)(ranker.rank)

    def rank(self, task: Task, lean: Mapping[str, float] | None = None) -> list[Ranked]:
        assert not lean
        return self._rank(task)


@pytest.fixture(scope="session")
def remembering_ranker(ranker: LocalRanker) -> Ranker:
    return RememberingRanker(ranker)


@pytest.fixture(scope="session")
def curve(ranker: LocalRanker) -> Curve:
    """The shipped one of the shipped ranker."""
    return Curves.load().of(ranker.name, ranker.version)


@pytest.fixture(scope="session")
def connections() -> Iterator[Connections]:
    """Those that all clients of providers share."""
    opened = Connections()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger that was opened and closed; a copy opens faster than a new one."""
    path = tmp_path_factory.mktemp("empty") / "ledger.duckdb"
    Ledger(path).close()
    return path


@pytest.fixture
def ledger(tmp_path: Path, empty_ledger: Path) -> Iterator[Ledger]:
    path = tmp_path / "data" / "ledger.duckdb"
    path.parent.mkdir()
    shutil.copy(empty_ledger, path)
    opened = Ledger(path)
    yield opened
    opened.close()


@pytest.fixture
def settings(
    tmp_path: Path, empty_ledger: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings with a data folder of their own; the shipped workflows are not read anew."""
    load = Catalogue.load

    def remembered(folders: Sequence[Path]) -> Catalogue:
        return catalogue if folders == [SHIPPED] else load(folders)

    monkeypatch.setattr(Catalogue, "load", remembered)
    made = Settings(data_dir=tmp_path / "data")
    made.data_dir.mkdir()
    shutil.copy(empty_ledger, made.ledger_path)
    return made


@pytest.fixture
def runtime(settings: Settings, clock: FakeClock, embedder: Embedder) -> Iterator[Runtime]:
    opened = Runtime(settings, clock=clock, embedder=embedder)
    yield opened
    opened.drain()
