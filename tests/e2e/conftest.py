"""A browser, and consoles for it: each a real process that is ended by its own id."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e import chromium
from tests.e2e.console import ARTIFACTS, WAYWARDEN_RUN, Console, zone_by_day

StartConsole = Callable[..., Console]
OpenPage = Callable[..., Page]


class Watched:
    """The contexts of one test, and every address that any page of them asked for."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.contexts: list[BrowserContext] = []
        self.requested: list[str] = []
        self.errors: list[str] = []

    def open(
        self,
        address: str,
        *,
        width: int = 1440,
        height: int = 1000,
        scheme: str = "light",
        context: BrowserContext | None = None,
    ) -> Page:
        """Open an address in a fresh context, or as another tab of one."""
        if context is None:
            context = self._browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                timezone_id=zone_by_day(),
                locale="en-GB",
                reduced_motion="reduce",
            )
            context.set_default_timeout(chromium.PATIENCE_MS)
            context.on("request", lambda request: self.requested.append(request.url))
            self.contexts.append(context)
        page = context.new_page()
        page.on("websocket", lambda socket: self.requested.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(address)
        return page

    @property
    def hosts(self) -> set[str | None]:
        """Every host that was asked, by HTTP or websocket."""
        addresses = map(urlsplit, self.requested)
        return {each.hostname for each in addresses if each.scheme not in {"data", "blob"}}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all of these; ended before other tests, whose event loops it would stand in."""
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Contexts for this test; if it fails, a picture of each of its pages is kept."""
    watched = Watched(browser)
    yield watched
    failed = request.node.stash.get(FAILED, False)
    for context in watched.contexts:
        for number, page in enumerate(context.pages if failed else []):
            name = f"{_file_name(request)}-{watched.contexts.index(context)}-{number}.png"
            page.screenshot(path=ARTIFACTS / "failures" / name)
        context.close()
    assert not watched.errors


@pytest.fixture
def open_page(watched: Watched) -> OpenPage:
    """Open an address as a browser that was never here."""
    return watched.open


@pytest.fixture
def start_console(
    tmp_path: Path, request: pytest.FixtureRequest, browser: Browser
) -> Iterator[StartConsole]:
    """Start a console over this test's own folder; no traceback may reach its log."""
    del browser  # where there is none, nothing is started
    started: list[Console] = []

    def start(*, command: tuple[str, ...] = WAYWARDEN_RUN, **options: Any) -> Console:
        number = len(started)
        name = f"{_file_name(request)}-{number}"
        console = Console(tmp_path / f"data-{number}", name, command, **options)
        started.append(console)
        console.wait_until_up()
        return console

    yield start
    for console in started:
        if not console.stopped:
            console.stop()
    for console in started:
        assert "Traceback" not in console.log


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def _file_name(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^\w-]+", "-", request.node.name)[:80].strip("-")
