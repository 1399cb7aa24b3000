"""Text that would load, link or format is shown as it was typed, on every page."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage, StartConsole, Watched
from tests.e2e.console import ask, at_rest, go_to, run_panel, ticks, use

ALIVE = (
    "p a[href*='invalid'], a[href^='javascript'], a[href^='http'][href*='leak'], "
    "img[src*='leak'], .katex, p [data-testid=stIconMaterial]"
)
HTML_OF = "elements => elements.map((each) => each.outerHTML)"


class Listener(ThreadingHTTPServer):
    """A host on loopback that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


def test_hostile_text_is_shown_as_typed_on_every_page_and_fetches_nothing(
    start_console: StartConsole, open_page: OpenPage, watched: Watched, listener: Listener
) -> None:
    hostile = (
        f"![x]({listener.address}/leak.png) <img src={listener.address}/leak2.png> "
        "www.example.invalid $x^2$ :material/bug_report: [link](javascript:alert(1))"
    )
    page = open_page(start_console().url)
    ask(page, hostile)
    inert(page)
    use(page)
    expect(run_panel(page)).to_contain_text("0 of ")
    as_typed(page, f"“{hostile}”")
    a_step_takes_it(page, hostile)
    go_to(page, "Runs")
    as_typed(page, hostile)
    the_catalogue_quotes_it(page, hostile)
    the_activity_tells_it(page, hostile)

    assert listener.asked == []
    assert watched.hosts == {"127.0.0.1"}
    assert not [url for url in watched.requested if "leak" in url]


def a_step_takes_it(page: Page, hostile: str) -> None:
    run = run_panel(page)
    run.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Title").fill(hostile)
    dialog.get_by_role("textbox", name="How").fill(hostile)
    dialog.get_by_role("button", name="Save").click()
    as_typed(page, hostile, times=2)
    page.keyboard.press("Escape")
    ticks(run).first.click()
    expect(run).to_contain_text("1 of ")
    as_typed(page, hostile)
    run.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("dialog")).to_contain_text(hostile)
    inert(page)
    page.keyboard.press("Escape")


def the_catalogue_quotes_it(page: Page, hostile: str) -> None:
    go_to(page, "Workflows")
    as_typed(page, f"“{hostile}”")
    page.get_by_role("button", name="Details").first.click()
    expect(page.get_by_role("textbox", name="Your task")).to_have_value(hostile)
    inert(page)
    page.get_by_role("tab", name="Prompts").click()
    expect(page.get_by_text("As a model would see them")).to_be_visible()
    inert(page)


def the_activity_tells_it(page: Page, hostile: str) -> None:
    go_to(page, "Activity")
    table = page.get_by_test_id("stDataFrame").first
    expect(table.locator("td[role=gridcell]").get_by_text(hostile, exact=True)).to_have_count(2)
    table.locator(".dvn-scroller").click(position={"x": 15, "y": 52})
    as_typed(page, hostile, place=page.locator(".st-key-request").get_by_role("heading"))
    page.get_by_text("Rows as the ledger has them").click()
    expect(page.get_by_test_id("stJson")).to_be_visible()
    inert(page)


def as_typed(page: Page, text: str, times: int = 1, place: Locator | None = None) -> None:
    """So many things there end with the text, to the letter, and it does nothing."""
    # A word joiner, which is not seen, may keep the browser from making links of addresses.
    letters = "\u2060?".join(re.escape(letter) for letter in text)
    shown = (place or page.get_by_test_id("stMain")).get_by_text(re.compile(f"{letters}$"))
    expect(shown).to_have_count(times)
    inert(page)


def inert(page: Page) -> None:
    """Nothing that came of somebody's text links, loads, or is drawn as a formula or an icon."""
    at_rest(page)
    assert page.get_by_test_id("stMain").locator(ALIVE).evaluate_all(HTML_OF) == []
