"""Everything up to the first ticked step, without a mouse."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import at_rest, cards, run_panel

MOST_TABS = 60
HAS_FOCUS = "element => element === document.activeElement"
# Outlines, shadows and borders of the focused element, of its parents and of what is beside it.
REMEMBER_LOOK = """() => {
  const element = document.activeElement;
  window.drawn = [element, ...element.parentElement.children];
  for (let up = element.parentElement, n = 0; up && n < 3; up = up.parentElement, n += 1) {
    window.drawn.push(up);
  }
  window.look = () => JSON.stringify(window.drawn.map((each) => {
    const style = getComputedStyle(each);
    const outline = style.outlineStyle === "none" ? "" : style.outline;
    return [outline, style.boxShadow, style.borderColor];
  }));
  window.focusedLook = window.look();
}"""
IN_MOTION = "document.getAnimations().some((each) => each instanceof CSSTransition)"


def test_a_task_is_asked_used_and_begun_with_the_keyboard_alone_and_focus_is_seen(
    start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console()
    page = open_page(console.url)
    field = page.get_by_role("textbox", name="Your task")
    field.wait_for()
    at_rest(page)
    tab_to(page, field)
    page.keyboard.type("fix the login bug")
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(3)
    at_rest(page)

    tab_to(page, page.get_by_role("button", name="Use this workflow").first)
    page.keyboard.press("Enter")
    expect(run_panel(page)).to_contain_text("0 of ")
    at_rest(page)

    tab_to(page, run_panel(page).get_by_role("checkbox").first)
    page.keyboard.press("Space")
    expect(run_panel(page)).to_contain_text("1 of ")
    expect(run_panel(page).get_by_role("checkbox").first).to_be_checked()
    expect(run_panel(page).get_by_role("checkbox", checked=True)).to_have_count(1)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, and see that this shows."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate(HAS_FOCUS):
            break
    else:
        raise AssertionError(f"{MOST_TABS} tabs do not lead to {wanted}")
    page.wait_for_function(f"!{IN_MOTION}")
    page.evaluate(REMEMBER_LOOK)
    page.keyboard.press("Tab")
    page.wait_for_function("window.look() !== window.focusedLook")
    page.keyboard.press("Shift+Tab")
    assert wanted.evaluate(HAS_FOCUS)
