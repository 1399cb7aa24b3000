"""Pictures of every page, kept for people to look at; and what can be told without looking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from core.settings import PROJECT
from tests.e2e.conftest import OpenPage
from tests.e2e.console import ARTIFACTS, Console, ask, at_rest, run_panel, use
from tests.e2e.seeding import seed

PICTURES = ARTIFACTS / "screenshots"
SIZES: Mapping[str, tuple[int, int]] = {"wide": (1440, 1000), "phone": (390, 844)}
ADDRESSES = {
    "recommend": "/?profile=cleo",
    "runs": "/runs",
    "workflows": "/workflows",
    "workflow": "/workflows?workflow=bug-fix",
    "overview": "/overview",
    "accuracy": "/accuracy",
    "activity": "/activity",
    "settings": "/settings",
    "keys": "/keys",
    "health": "/health",
}
LEAST_CONTRAST = 3.0
# Every text that is shown with less contrast than asked (WCAG 2); icons are pictures.
FAINT = """(least) => {
  const channels = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return colour.startsWith("color(srgb") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) =>
    [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const own = channels(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const opacity = (element) =>
    element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;
  const faint = new Set();
  const SKIPPED = "canvas, script, style, noscript, :disabled, [data-testid=stIconMaterial]";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || element.closest(SKIPPED)) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const ink = channels(element.closest("svg") ? style.fill : style.color);
    const ground = behind(element);
    ink[3] *= opacity(element);
    const pair = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < least) faint.add(`${contrast.toFixed(2)}: ${text.data.trim().slice(0, 40)}`);
  }
  return [...faint];
}"""
SIDEBAR_IS_ASIDE = """() => {
  const sidebar = document.querySelector("[data-testid=stSidebar]").getBoundingClientRect();
  const main = document.querySelector("[data-testid=stMain]").getBoundingClientRect();
  return sidebar.right <= main.left;
}"""
# By how many pixels the window and the page in it can be scrolled sideways.
SIDEWAYS = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .map((each) => each.scrollWidth - each.clientWidth)"""


@pytest.fixture(scope="module")
def consoles(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Console]]:
    """One console where nothing has happened yet, and one after two weeks of use."""
    del browser  # where there is none, nothing is started
    folder = tmp_path_factory.mktemp("pictures")
    empty = Console(folder / "empty", "pictures-empty")
    seed(folder / "full")
    started = {"empty": empty, "full": Console(folder / "full", "pictures-full")}
    for console in started.values():
        console.wait_until_up()
    yield started
    for console in started.values():
        console.stop()
    for console in started.values():
        assert "Traceback" not in console.log


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["empty", "full"])
def test_every_page_can_be_read_and_fits_a_phone(
    state: str, scheme: Literal["light", "dark"], consoles: dict[str, Console], open_page: OpenPage
) -> None:
    console = consoles[state]
    page = open_page("about:blank", scheme=scheme)
    faults: list[str] = []
    for name, address in ADDRESSES.items():
        page.set_viewport_size({"width": 1440, "height": 1000})
        page.goto(console.url + address)
        page.get_by_role("heading", level=1).wait_for()
        at_rest(page)
        faults += pictured(page, f"{name}-{state}-{scheme}")
        for act in MORE.get(name, ()) if state == "full" else ():
            page.set_viewport_size({"width": 1440, "height": 1000})
            more = act(page)
            faults += pictured(page, f"{more}-{state}-{scheme}")
    assert not faults, "\n".join(faults)


def test_a_theme_chosen_while_a_page_is_open_leaves_all_of_it_readable(
    consoles: dict[str, Console], open_page: OpenPage
) -> None:
    page = open_page(f"{consoles['full'].url}/overview")
    expect(page.locator(".js-plotly-plot .gtitle")).to_have_count(2)
    at_rest(page)
    page.get_by_role("button", name="Main menu").click()
    page.get_by_test_id("stMainMenuPopover").get_by_text("Dark").click()
    page.keyboard.press("Escape")
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    page.wait_for_function(f"{background} !== 'rgb(255, 255, 255)'")
    at_rest(page)
    page.screenshot(path=PICTURES / "overview-full-turned-dark-wide.png")
    expect(page.locator(".js-plotly-plot .gtitle")).to_have_count(2)
    assert page.evaluate(FAINT, LEAST_CONTRAST) == []


def answer(page: Page) -> str:
    ask(page, "fix the 500 error when saving a profile")
    use(page)
    expect(run_panel(page)).to_contain_text("0 of ")
    at_rest(page)
    return "answer"


def dismissed(page: Page) -> str:
    page.get_by_role("button", name="None of these fit").click()
    expect(page.locator(".st-key-none-fit")).to_contain_text("Noted")
    at_rest(page)
    return "dismissed"


def run(page: Page) -> str:
    page.get_by_role("button", name="Resume").first.click()
    expect(run_panel(page)).to_contain_text(" done")
    at_rest(page)
    return "run"


def request(page: Page) -> str:
    page.get_by_test_id("stDataFrame").locator(".dvn-scroller").click(position={"x": 15, "y": 90})
    page.locator(".st-key-request").wait_for()
    at_rest(page)
    return "request"


def evaluation(page: Page) -> str:
    lines = (PROJECT / "data" / "labelled.jsonl").read_bytes().splitlines(keepends=True)[::6]
    file: FilePayload = {
        "name": "tasks.jsonl",
        "mimeType": "application/jsonl",
        "buffer": b"".join(lines),
    }
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".st-key-evaluate .js-plotly-plot")).to_be_visible()
    at_rest(page)
    page.locator(".st-key-evaluate").scroll_into_view_if_needed()
    return "evaluation"


MORE = {
    "recommend": (answer, dismissed),
    "runs": (run,),
    "accuracy": (evaluation,),
    "activity": (request,),
}


def pictured(page: Page, name: str) -> list[str]:
    """Keep a picture in each size; returns what is wrong with the page."""
    faults = []
    for size, (width, height) in SIZES.items():
        page.mouse.move(width - 1, height - 1)
        page.set_viewport_size({"width": width, "height": height})
        at_rest(page)
        page.wait_for_function(SIDEBAR_IS_ASIDE)
        page.screenshot(path=PICTURES / f"{name}-{size}.png")
        if any(beyond > 0 for beyond in page.evaluate(SIDEWAYS)):
            faults.append(f"{name}-{size} scrolls sideways")
    faults += [f"{name}: contrast {text}" for text in page.evaluate(FAINT, LEAST_CONTRAST)]
    return faults
