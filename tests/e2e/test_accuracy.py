"""The accuracy page in a browser: filters that can be sent on, and the way to a call."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.console import Console, at_rest, go_to
from tests.e2e.seeding import seed


def test_filters_are_in_the_address_and_a_miss_leads_to_its_call(
    tmp_path: Path, open_page: OpenPage
) -> None:
    seed(tmp_path / "data")
    console = Console(tmp_path / "data", "accuracy")
    try:
        console.wait_until_up()
        page = open_page(f"{console.url}/workflows?domain=dev&domain=health")
        page.get_by_role("heading", name="Workflows", level=1).wait_for()
        at_rest(page)
        go_to(page, "Accuracy")  # whose filter of the same name takes one domain
        header = page.get_by_text(re.compile(r"\d+ of \d+ answers judged"))
        every = header.inner_text().split(" · ")[0]
        page.get_by_role("radio", name="90 d").click()
        page.get_by_role("radio", name="creative").click()
        page.wait_for_url(re.compile(r"domain=creative&period=90\+d|period=90\+d&domain=creative"))
        # The address changes with the click, before the server has heard of it.
        expect(header).not_to_contain_text(every)
        at_rest(page)
        again = open_page(page.url)
        expect(again.get_by_text(header.inner_text().split(" · ")[0])).to_be_visible()
        table = page.get_by_test_id("stDataFrame").first.locator(".dvn-scroller")
        table.click(position={"x": 15, "y": 55})
        page.get_by_role("heading", name="Activity", level=1).wait_for()
        found = re.search(r"request=([\w-]+)", page.url)
        assert found is not None
        expect(page.locator(".st-key-request")).to_contain_text(found[1])
    finally:
        console.stop()
    assert "Traceback" not in console.log
    (call,) = console.rows(f"SELECT * FROM requests WHERE request_id = '{found[1]}'")  # noqa: S608
    assert call["kind"] == "recommend"
