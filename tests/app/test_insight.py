"""An operator looks: today at a glance, and every request behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import runtime as runtimes
from core.clock import new_id
from core.ledger import RequestDecided
from core.recommend import Embedder
from core.runtime import Runtime
from core.settings import Limits, Rule, Settings
from tests.app.browser import Browser
from tests.asking import asked, rows, run, to_execute, to_recommend
from tests.fakes import FakeClock

ONE = (Rule(limit=1, window_s=3_600),)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Runtime]:
    """Yesterday one question, today three, two runs and a denial; one run was rated."""
    clock = FakeClock()
    settings = Settings(data_dir=tmp_path_factory.mktemp("week"))
    runtime = Runtime(settings, clock=clock, embedder=embedder)
    asked(runtime, to_recommend("of yesterday", user_id="local"))
    clock.advance(days=1)
    for title in ("fix the login bug", "plan my week", "100% of it"):
        asked(runtime, to_recommend(title, user_id="local"))
    execution = run(runtime, to_execute("fix the login bug", user_id="local"))
    run(runtime, to_execute("of bob", "meal-planning", user_id="bob"))
    runtime.executor.rate(execution, useful=True)
    clock.advance(minutes=2)
    runtime.gate.limits = Limits(per_user={"execute": ONE, "recommend": ()})
    runtime.executor.start(to_execute("one too many", user_id="local"))
    yield runtime
    runtime.drain()


@pytest.fixture
def busy(week: Runtime) -> Iterator[Runtime]:
    runtimes.use(week)
    yield week
    runtimes.use(None)


def metrics(browser: Browser) -> dict[str, tuple[str, str]]:
    return {each.label: (each.value, each.delta) for each in browser.app.metric}


@pytest.mark.usefixtures("busy")
def test_the_cards_count_today_beside_yesterday_by_this_time() -> None:
    browser = Browser().open("overview")
    assert metrics(browser) == {
        "Requests today": ("6", "5"),
        "Executions today": ("2", "2"),
        "Denials today": ("1", "1"),
        "Found useful, 14 days": ("100 %", "21-100 % at 95 %, n = 1"),
    }
    assert "7 requests in 14 days · UTC · as of 09:02:00" in browser.said
    (table,) = (frame.value for frame in browser.app.dataframe)
    assert table.to_dict("records") == [
        {"workflow_id": "bug-fix", "executions": 1, "ratings": 1, "useful": 1},
        {"workflow_id": "meal-planning", "executions": 1, "ratings": 0, "useful": 0},
    ]


@pytest.mark.usefixtures("busy")
def test_the_day_is_the_viewers() -> None:
    browser = Browser(zone="Pacific/Kiritimati").open("overview")  # already tomorrow there
    assert metrics(browser)["Requests today"] == ("6", "5")
    assert "as of 23:02:00" in browser.said


def listed(browser: Browser) -> list[str]:
    return list(browser.app.dataframe[0].value["task_title"])


@pytest.mark.usefixtures("busy")
def test_requests_are_listed_newest_first_and_counted() -> None:
    browser = Browser().open("activity")
    assert "7 requests" in browser.said
    assert listed(browser) == [
        "one too many",
        "of bob",
        "fix the login bug",
        "100% of it",
        "plan my week",
        "fix the login bug",
        "of yesterday",
    ]


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "execute"}, ["one too many", "of bob", "fix the login bug"]),
        ({"status": "denied"}, ["one too many"]),
        ({"kind": "recommend", "find": "LOGIN"}, ["fix the login bug"]),
        ({"find": "%"}, ["100% of it"]),
        ({"kind": "execute", "mine": "true"}, ["one too many", "fix the login bug"]),
        ({"status": "lost"}, []),
    ],
)
def test_filters_come_from_the_address(query: dict[str, str], found: list[str]) -> None:
    browser = Browser().open("activity", **query)
    if found:
        assert listed(browser) == found
    else:
        assert "No request matches these filters." in browser.said
    assert f"{len(found)} request" in browser.said


@pytest.mark.usefixtures("busy")
def test_filters_are_set_on_the_page() -> None:
    browser = Browser().open("activity").choose("status", "denied").draw()
    assert listed(browser) == ["one too many"]
    browser.choose("status", None).type("find", "bob").draw()
    assert listed(browser) == ["of bob"]


def test_a_request_is_found_by_its_id_and_opened(busy: Runtime) -> None:
    row = next(row for row in rows(busy.ledger, "requests") if row["task_title"] == "plan my week")
    browser = Browser().open("activity", find=row["request_id"], request=row["request_id"])
    assert listed(browser) == ["plan my week"]
    assert "### plan my week" in browser.said
    tables = [frame.value for frame in browser.app.dataframe]
    assert list(tables[1]["What"]) == ["admitted", "recommended", "succeeded"]
    assert len(tables[2]) == 10
    assert tables[2]["workflow_id"][0] == "daily-planning"


def test_a_denied_request_tells_its_rule(busy: Runtime) -> None:
    row = next(row for row in rows(busy.ledger, "requests") if row["task_title"] == "one too many")
    browser = Browser().open("activity", request=row["request_id"])
    timeline = browser.app.dataframe[1].value
    assert list(timeline["What"]) == ["denied"]
    assert timeline["Detail"][0] == "user:execute:1/hour: 1 of 1 used, next at 10:00:00"


def test_a_run_tells_all_that_happened_to_it(busy: Runtime) -> None:
    row = next(
        row
        for row in rows(busy.ledger, "requests")
        if row["kind"] == "execute" and row["task_title"] == "fix the login bug"
    )
    browser = Browser().open("activity", request=row["request_id"])
    timeline = browser.app.dataframe[1].value
    assert list(timeline["What"]) == ["admitted", "planned", "succeeded", "rated"]
    assert timeline["Detail"][1].startswith("bug-fix: 8 steps, ")


@pytest.fixture
def crowded(console: Runtime) -> None:
    """Sixty-seven requests, all of one hour."""
    asked(console, to_recommend("task 0", user_id="local"))
    (first,) = rows(console.ledger, "requests")
    shared = first | {"recent_tasks": [], "idempotency_key": None}
    console.ledger.write(
        *(
            RequestDecided(
                **shared
                | {
                    "ts": first["ts"] + timedelta(seconds=number),
                    "request_id": new_id(),
                    "task_title": f"task {number}",
                }
            )
            for number in range(1, 67)
        )
    )


@pytest.mark.usefixtures("crowded")
def test_requests_come_in_pages_of_fifty() -> None:
    browser = Browser().open("activity")
    assert "67 requests" in browser.said
    assert listed(browser) == [f"task {number}" for number in range(66, 16, -1)]
    browser.app.pagination(key="activity_page").set_value(2)
    browser.draw()
    assert listed(browser) == [f"task {number}" for number in range(16, -1, -1)]


@pytest.mark.usefixtures("crowded")
def test_a_filter_set_on_a_later_page_shows_what_it_finds() -> None:
    browser = Browser().open("activity")
    browser.app.pagination(key="activity_page").set_value(2)
    browser.draw().type("find", "task 66").draw()
    assert listed(browser) == ["task 66"]
