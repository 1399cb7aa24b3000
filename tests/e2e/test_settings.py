"""Two operators at the settings page, by real clicks and a real connection."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import at_rest


def save(page: Page, reason: str) -> None:
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("textbox", name="Why").fill(reason)
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_change_is_reviewed_saved_seen_by_another_and_restored(
    start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console()
    ann = open_page(f"{console.url}/settings?profile=ann&section=Ladder")
    bob = open_page(f"{console.url}/settings?profile=bob&section=Ladder")
    for number, retries in enumerate(("4", "0"), start=1):
        at_rest(ann)
        ann.get_by_role("spinbutton", name="Retries on a rung").fill(retries)
        save(ann, f"{retries} of them.")
        expect(ann.locator(".st-key-history")).to_contain_text(f"Version {number} · ann")
    bob.reload()
    expect(bob.locator(".st-key-history")).to_contain_text("Retries on a rung: 4 → 0")
    expect(bob.get_by_role("spinbutton", name="Retries on a rung")).to_have_value("0")
    at_rest(bob)
    bob.get_by_role("button", name="Restore").click()
    bob.get_by_role("textbox", name="Why").fill("None were too few.")
    bob.get_by_role("button", name="Save", exact=True).click()
    expect(bob.locator(".st-key-history")).to_contain_text("Version 3 · bob")
    console.stop()
    saved = console.rows("SELECT version, actor, reason FROM settings_versions ORDER BY version")
    assert [tuple(row.values()) for row in saved] == [
        (1, "ann", "4 of them."),
        (2, "ann", "0 of them."),
        (3, "bob", "None were too few."),
    ]
