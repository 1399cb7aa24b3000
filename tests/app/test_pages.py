"""Every page draws itself whatever the ledger holds, and says so when there is no ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core import runtime as runtimes
from core.execute import StepChange
from core.ledger import Ledger
from core.recommend import Embedder, Profile
from core.runtime import Runtime
from core.settings import Limits, Rule, Settings
from tests.app.browser import PAGES, Browser
from tests.asking import PATIENCE_S, asked, rows, run, to_execute, to_recommend
from tests.fakes import FakeClock, SlowPlanner

HOSTILE = (
    "![x](http://127.0.0.1:1/x.png) <img src=x onerror=alert(1)> :red[x] $x^2$ [a](b) **b** "
    "# h | `c` ~~d~~ :material/home: \\"
)
MARKED_UP = re.compile(r"!\[|\]\(|<img|~~|:red\[|\$x")


def seed_what_failed(runtime: Runtime, planner: SlowPlanner) -> None:
    """A run that was cancelled, and one whose planner raised."""
    cancelled = str(runtime.executor.start(to_execute("cancelled", user_id="local")))
    runtime.executor.cancel(cancelled)
    planner.release_all()
    runtime.executor.wait(cancelled, PATIENCE_S)
    run(runtime, to_execute("failed", user_id="local"))


def seed_what_was_done(runtime: Runtime, title: str) -> None:
    """A run with an edited, some skipped and one done step, and its rating."""
    execution = run(runtime, to_execute(title, user_id="local", recent_tasks=(HOSTILE,)))
    count = len(execution.steps)
    changes = [StepChange(1, "edited", title=HOSTILE, description=HOSTILE)]
    changes += [StepChange(number, "skipped") for number in range(1, count)]
    changes += [StepChange(count, "done", actual_minutes=12)]
    for change in changes:
        runtime.executor.change_step(execution.execution_id, "local", change)
    runtime.executor.rate(execution, useful=title != "plan my week")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Runtime]:
    """Days of every kind of thing that can happen, also to a task full of markup."""
    clock = FakeClock()
    settings = Settings(data_dir=tmp_path_factory.mktemp("seeded"))
    planner = SlowPlanner(problem=RuntimeError(HOSTILE))
    first = Runtime(settings, clock=clock, planner=planner, embedder=embedder)
    seed_what_failed(first, planner)
    first.drain()
    second = Runtime(settings, clock=clock, embedder=embedder)
    run(second, to_execute("abandoned", user_id="local"))
    clock.advance(days=8)
    for title in (HOSTILE, "fix the login bug", "qwertzuiop"):
        asked(second, to_recommend(title, user_id="local", description=HOSTILE, hours=2.0))
        clock.advance(minutes=7)
    for title in (HOSTILE, "plan my week", "save for a laptop"):
        seed_what_was_done(second, title)
    second.executor.start(to_execute("denied", user_id="local"))
    second.profiles.save("local", Profile(usual_energy=3, favourite_domains=("finance",)))
    yield second
    second.drain()


@pytest.fixture
def in_use(seeded: Runtime) -> Iterator[Runtime]:
    runtimes.use(seeded)
    yield seeded
    runtimes.use(None)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_an_empty_ledger(browser: Browser, page: str) -> None:
    browser.open(page)
    assert len(browser.app.title) == 1
    assert browser.app.error.values == []


@pytest.mark.usefixtures("in_use")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Mars/Olympus"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_a_seeded_ledger_in_any_zone(page: str, zone: str) -> None:
    browser = Browser(zone=zone).open(page)
    assert len(browser.app.title) == 1
    assert browser.app.error.values == []
    assert browser.buttons("Save preferences")


@pytest.mark.usefixtures("in_use")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_in_the_dark(page: str) -> None:
    browser = Browser()
    browser.app.context["theme"] = "dark"
    assert len(browser.open(page).app.title) == 1


def test_every_run_and_every_request_opens(in_use: Runtime) -> None:
    statuses = set()
    for execution in in_use.history.of("local"):
        statuses.add(execution.status)
        browser = Browser().open("runs", run=execution.execution_id)
        assert execution.task_title in browser.said
        assert browser.app.error.values == []
    assert statuses == {"cancelled", "failed", "abandoned", "completed"}
    for row in rows(in_use.ledger, "requests"):
        browser = Browser().open("activity", request=row["request_id"])
        assert row["task_title"] in browser.said
        assert browser.app.error.values == []


def test_no_text_of_a_person_is_ever_drawn_as_markup(in_use: Runtime) -> None:
    seen = 0
    browsers = [Browser().open(page) for page in PAGES]
    for row in rows(in_use.ledger, "requests"):
        if row["task_title"] == " ".join(HOSTILE.split()):
            page, name = {
                "execute": ("runs", "run"),
                "recommend": ("recommend", "answer"),
            }[row["kind"]]
            browsers.append(Browser().open(page, **{name: row["request_id"]}))
            browsers.append(Browser().open("activity", request=row["request_id"]))
    for browser in browsers:
        seen += HOSTILE in browser.said
        for text in browser.markdown:
            assert not MARKED_UP.search(re.sub(r"\\.", "", text)), text
    assert seen >= 3


# --- addresses that lead nowhere


@pytest.mark.parametrize(
    ("page", "query", "said"),
    [
        ("recommend", {"answer": "no-such-answer"}, "Try one:"),
        ("recommend", {"run": "no-such-run"}, "This run is not in the ledger"),
        ("runs", {"run": "../../etc/passwd"}, "This run is not in the ledger"),
        ("runs", {"show": "nonsense"}, "Runs appear here"),
        ("workflows", {"workflow": "no-such-workflow"}, "There is no workflow called"),
        ("workflows", {"domain": "cooking", "tag": "nonsense"}, "24 workflows"),
        ("activity", {"request": "no-such-request"}, "0 requests"),
        ("activity", {"kind": "nonsense", "status": "nonsense"}, "0 requests"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_page_all_the_same(
    browser: Browser, page: str, query: dict[str, str], said: str
) -> None:
    assert said in browser.open(page, **query).said


# --- no ledger


@pytest.fixture
def locked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger that somebody else has open."""
    monkeypatch.setenv("WAYWARDEN_DATA_DIR", str(settings.data_dir))
    runtimes.use(None)
    holder = Ledger(settings.ledger_path)
    yield holder
    holder.close()
    runtimes.use(None)


@pytest.mark.parametrize("page", PAGES)
def test_a_locked_ledger_is_said_on_every_page_with_a_way_to_try_again(
    locked: Ledger, page: str
) -> None:
    browser = Browser().open(page)
    # On the page itself: on a phone the sidebar is folded away.
    (error,) = browser.app.main.error
    assert "is open in process" in str(error.value)
    assert locked.path.name in browser.said
    assert "Stop that process" in browser.said
    assert [button.label for button in browser.app.main.button] == ["Try again"]


def test_trying_again_opens_the_console_once_the_ledger_is_free(
    locked: Ledger, console_once_free: Callable[[], Runtime]
) -> None:
    browser = Browser().draw()
    assert "is open in process" in browser.said
    browser.click("Try again")
    assert "is open in process" in browser.said
    locked.close()
    console_once_free()
    browser.click("Try again")
    assert browser.app.error.values == []
    assert browser.app.title[0].value == "What do you want to get done?"


@pytest.fixture
def console_once_free(
    settings: Settings, clock: FakeClock, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Runtime]]:
    """Lets the console open its ledger itself, with the shared embedder and a clock of ours."""
    opened: list[Runtime] = []

    def allow() -> None:
        def open_one(given: Settings) -> Runtime:
            assert given.data_dir == settings.data_dir
            opened.append(Runtime(given, clock=clock, embedder=embedder))
            return opened[-1]

        monkeypatch.setattr(runtimes, "Runtime", open_one)

    yield allow  # type: ignore[misc]
    for runtime in opened:
        runtime.drain()


@pytest.mark.parametrize("page", ["recommend", "runs", "overview", "activity"])
def test_a_ledger_that_closes_under_an_open_page_is_said_on_it(
    console: Runtime, browser: Browser, page: str
) -> None:
    browser.open()
    console.ledger.close()
    browser.open(page)
    if page == "recommend":
        browser.ask("fix the login bug")
    assert "The ledger is closed; Waywarden is stopping." in browser.said
    assert browser.buttons("Try again")


def test_the_workflows_can_still_be_read_without_a_ledger(
    console: Runtime, browser: Browser
) -> None:
    browser.open()
    console.ledger.close()
    assert "24 workflows" in browser.open("workflows").said


def test_a_data_folder_that_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("WAYWARDEN_DATA_DIR", str(tmp_path / "a file"))
    runtimes.use(None)
    browser = Browser().draw()
    assert "a file" in browser.said
    assert browser.buttons("Try again")


def test_a_bad_variable_is_said_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYWARDEN_PORT", "eighty")
    runtimes.use(None)
    assert "WAYWARDEN_PORT: " in Browser().draw().said


# --- other settings


@pytest.mark.parametrize("rules", [(), (Rule(limit=5, window_s=90),)])
def test_the_console_opens_whatever_rules_there_are(
    serve: Callable[..., Runtime], rules: tuple[Rule, ...]
) -> None:
    limits = Limits(
        per_user={"execute": rules, "recommend": rules},
        deployment={"execute": (), "recommend": ()},
    )
    serve(limits=limits)
    assert len(Browser().draw().app.title) == 1


def test_a_seeded_page_says_the_time_of_the_viewers_zone(in_use: Runtime) -> None:
    now = in_use.clock.now()
    said = Browser(zone="Asia/Kolkata").open("overview").said
    assert f"as of {now + timedelta(hours=5, minutes=30):%H:%M}" in said
    assert "Asia/Kolkata" in said
