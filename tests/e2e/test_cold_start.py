"""Any address can be the first that a fresh process is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import PROJECT
from tests.e2e.conftest import OpenPage
from tests.e2e.console import WAYWARDEN_RUN, Console, at_rest, free_port

ASK = "What do you want to get done?"
# Each line is a process of its own; its first address is what the cold process is asked for.
PROCESSES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "recommend": (("/recommend", ASK), ("/workflows?domain=dev&q=bug", "Workflows")),
    "runs": (("/runs?run=nobody-knows", "Runs"), ("/overview?profile=ann", "Overview")),
    "workflows": (("/workflows?workflow=bug-fix", "Workflows"), ("/activity", "Activity")),
    "accuracy": (("/accuracy?period=7+d&domain=dev", "Accuracy"), ("/activity", "Activity")),
    "activity": (("/activity?request=nobody-knows", "Activity"), ("/runs", "Runs")),
}


@pytest.fixture(scope="module")
def consoles(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Console]]:
    """One process a line, all started together."""
    del browser  # where there is none, nothing is started
    folder = tmp_path_factory.mktemp("cold")
    started = {name: Console(folder / name, f"cold-{name}") for name in PROCESSES}
    yield started
    for console in started.values():
        console.stop()
    for console in started.values():
        assert "Traceback" not in console.log


@pytest.mark.parametrize("name", PROCESSES)
def test_a_cold_process_shows_the_frame_and_the_page_at_any_address(
    name: str, consoles: dict[str, Console], open_page: OpenPage
) -> None:
    consoles[name].wait_until_up()
    for address, title in PROCESSES[name]:
        shows_frame_and_title(open_page(consoles[name].url + address), title)


@pytest.mark.usefixtures("browser")
def test_streamlit_run_serves_the_same_console(tmp_path: Path, open_page: OpenPage) -> None:
    port = free_port()
    options = ("--server.port", str(port))
    command = (sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), *options)
    console = Console(tmp_path / "data", "streamlit-run", command, port=port)
    try:
        console.wait_until_up()
        shows_frame_and_title(open_page(f"{console.url}/overview"), "Overview")
        page = open_page(f"{console.url}/workflows")
        shows_frame_and_title(page, "Workflows")
        assert size_of_title(page) == "26px", "Streamlit's configuration was not found"
    finally:
        console.stop()


@pytest.mark.usefixtures("browser")
def test_the_console_is_the_same_whatever_folder_it_is_started_in(
    tmp_path: Path, open_page: OpenPage
) -> None:
    console = Console(tmp_path / "data", "elsewhere", WAYWARDEN_RUN, cwd=tmp_path)
    try:
        console.wait_until_up()
        page = open_page(console.url)
        shows_frame_and_title(page, ASK)
        assert size_of_title(page) == "26px", "Streamlit's configuration was not found"
    finally:
        console.stop()


def shows_frame_and_title(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    at_rest(page)
    navigation = page.get_by_role("navigation", name="App pages")
    for name in ("Recommend", "Runs", "Workflows", "Overview", "Accuracy", "Activity"):
        expect(navigation.get_by_role("link", name=name)).to_be_visible()
    logo = page.get_by_role("img", name="Logo")
    expect(logo).to_be_visible()
    assert logo.evaluate("image => image.naturalWidth") > 0
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


def size_of_title(page: Page) -> str:
    """One of many things that .streamlit/config.toml sets."""
    title = page.get_by_role("heading", level=1)
    size: str = title.evaluate("title => getComputedStyle(title).fontSize")
    return size
