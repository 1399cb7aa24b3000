"""What a person sees who asks for more than the limits allow."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import ask, at_rest, cards, go_to, run_panel, use, zone_by_day

DENIAL = re.compile(
    r"3 of 3 runs used this minute\. Next one at (\d\d:\d\d:\d\d), in (?:1:00 min|(\d+) s)\."
)


def test_the_fourth_run_in_a_minute_is_denied_with_rule_usage_and_a_live_countdown(
    start_console: StartConsole, open_page: OpenPage
) -> None:
    console = start_console()
    page = open_page(f"{console.url}/?profile=ann")
    three_runs(page)
    ask(page, "save for a laptop")
    use(page)
    opens_at, first_seen = the_denial(page)
    # Nobody touches the page, and yet it counts; a second may pass between two looks.
    later = "|".join(str(seconds) for seconds in range(1, first_seen - 1))
    expect(denial(page)).to_contain_text(re.compile(rf" in (?:{later}) s\."))
    expect(page.get_by_test_id("stSidebar")).to_contain_text("3 of 20 runs this hour")

    other = open_page(f"{console.url}/?profile=ben")
    ask(other, "save for a laptop")
    use(other)
    expect(run_panel(other)).to_contain_text("0 of ")
    expect(denial(other)).to_have_count(0)
    the_other_pages_tell_of_it(page)

    console.stop()
    runs = console.rows("SELECT * FROM requests WHERE kind = 'execute' ORDER BY ts")
    assert [(row["user_id"], row["decision"]) for row in runs] == [
        ("ann", "admitted"),
        ("ann", "admitted"),
        ("ann", "admitted"),
        ("ann", "denied"),
        ("ben", "admitted"),
    ]
    the_ledger_says_the_same(runs[3], opens_at)
    assert len(console.rows("SELECT * FROM executions")) == 4


def the_other_pages_tell_of_it(page: Page) -> None:
    go_to(page, "Overview")
    denials = page.get_by_test_id("stMetric").filter(has_text="Denials today")
    expect(denials.get_by_test_id("stMetricValue")).to_have_text("1")
    go_to(page, "Activity")
    page.get_by_role("radio", name="denied").click()
    expect(page.get_by_test_id("stMain")).to_contain_text("1 request")
    assert "status=denied" in page.url
    rule = page.locator("td[role=gridcell]").get_by_text("user:execute:3/minute")
    expect(rule).to_have_count(1)


def three_runs(page: Page) -> None:
    """Use each of the three cards of one answer."""
    ask(page, "fix the login bug")
    for rank in (1, 2, 3):
        name = cards(page).nth(rank - 1).get_by_role("heading").inner_text()
        use(page, rank)
        expect(run_panel(page).get_by_role("heading")).to_contain_text(name)
        expect(run_panel(page)).to_contain_text("0 of ")
        at_rest(page)


def denial(page: Page) -> Locator:
    return page.get_by_test_id("stAlert").filter(has_text="runs used")


def the_denial(page: Page) -> tuple[str, int]:
    """Return the shown time of the next slot, and the seconds until then."""
    expect(denial(page)).to_contain_text(DENIAL)
    said = DENIAL.search(denial(page).inner_text())
    assert said
    seconds = int(said[2] or 60)
    assert 2 < seconds <= 60
    return said[1], seconds


def the_ledger_says_the_same(denied: dict[str, Any], opens_at: str) -> None:
    assert denied["denied_rule"] == "user:execute:3/minute"
    assert (denied["denied_used"], denied["denied_limit"]) == (3, 3)
    retry_at: datetime = denied["retry_at"]
    assert f"{retry_at.astimezone(ZoneInfo(zone_by_day())):%H:%M:%S}" == opens_at
