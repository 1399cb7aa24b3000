"""What many tests share: one loaded recommender for the whole run, a ledger of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalogue import Catalogue
from core.ledger import Ledger
from core.recommend import Curve, Embedder, LocalRanker
from core.runtime import Runtime
from core.settings import PROJECT, Settings
from tests.fakes import FakeClock


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load([PROJECT / "workflows"])


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real one; it remembers the phrases of a catalogue, so that rankers after are cheap."""
    return Embedder()


@pytest.fixture(scope="session")
def ranker(catalogue: Catalogue, embedder: Embedder) -> LocalRanker:
    return LocalRanker(catalogue, embedder)


@pytest.fixture(scope="session")
def curve() -> Curve:
    return Curve.load()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "data" / "ledger.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def runtime(settings: Settings, clock: FakeClock, embedder: Embedder) -> Iterator[Runtime]:
    opened = Runtime(settings, clock=clock, embedder=embedder)
    yield opened
    opened.drain()
