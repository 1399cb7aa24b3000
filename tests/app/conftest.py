"""A console over a ledger of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core import runtime as runtimes
from core.execute import Planner
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import Settings
from tests.app.browser import Browser
from tests.fakes import FakeClock


@pytest.fixture
def serve(
    settings: Settings, clock: FakeClock, embedder: Embedder
) -> Iterator[Callable[..., Runtime]]:
    """Opens the console's runtime, with another planner or other settings."""
    served: list[Runtime] = []

    def open_one(planner: Planner | None = None, **changed: object) -> Runtime:
        given = settings.model_copy(update=changed)
        runtime = Runtime(given, clock=clock, planner=planner, embedder=embedder)
        runtimes.use(runtime)
        served.append(runtime)
        return runtime

    yield open_one
    runtimes.use(None)
    for runtime in served:
        runtime.drain()


@pytest.fixture
def console(serve: Callable[..., Runtime]) -> Runtime:
    """The runtime that the pages of this test talk to."""
    return serve()


@pytest.fixture
def browser(console: Runtime) -> Browser:
    console.ranker()
    return Browser()
