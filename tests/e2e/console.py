"""The console as a process of its own, and how a person finds their way around in it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from playwright.sync_api import Locator, Page, expect

from core.settings import PROJECT

ARTIFACTS = PROJECT / "test-artifacts"
WAYWARDEN_RUN = (str(Path(sys.executable).with_name("waywarden")), "run")
PATIENCE_S = 60.0


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def zone_by_day() -> str:
    """Return a zone in which it is daytime now, so that no test sees midnight pass."""
    zones = ("Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo")
    return next(z for z in zones if 5 <= datetime.now(UTC).astimezone(ZoneInfo(z)).hour < 18)


class Console:
    """A server process over its own data folder; its log is kept among the artefacts."""

    def __init__(
        self,
        data_dir: Path,
        name: str,
        command: Sequence[str] = WAYWARDEN_RUN,
        *,
        cwd: Path = PROJECT,
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command`, which has its port, data folder and `variables` in its environment."""
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log_path = ARTIFACTS / "logs" / f"{name}.log"
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "WAYWARDEN_PORT": str(self.port),
            "WAYWARDEN_DATA_DIR": str(data_dir),
            **(variables or {}),
        }
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self) -> None:
        """Return once it accepts connections."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError(f"The console did not start:\n{self.log}")

    def stop(self) -> None:
        """End the process by its own id, as an operator would, and see it end in order."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert self.process.returncode in {0, -signal.SIGTERM}, self.log

    @property
    def stopped(self) -> bool:
        return self.process.poll() is not None

    @property
    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def rows(self, question: str) -> list[dict[str, Any]]:
        """Ask the file of the stopped console, as any other reader of it would."""
        assert self.stopped, "the file belongs to the console while it runs"
        with duckdb.connect(str(self.data_dir / "ledger.duckdb"), read_only=True) as ledger:
            answer: list[dict[str, Any]] = ledger.execute(question).to_arrow_table().to_pylist()
        return answer


def at_rest(page: Page) -> None:
    """Return once the page's script has run, and all it says is drawn and up to date."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    unfinished = page.locator("[data-stale=true], [data-testid=stSkeleton]")
    expect(page.get_by_test_id("stMain").locator(unfinished)).to_have_count(0)


def cards(page: Page) -> Locator:
    return page.locator("[class*=st-key-card-]")


def run_panel(page: Page) -> Locator:
    return page.locator(".st-key-run")


def ask(page: Page, task: str) -> None:
    """Type a task, send it with Enter and wait for its cards."""
    before = page.url
    field = page.get_by_role("textbox", name="Your task")
    field.fill(task)
    field.press("Enter")
    page.wait_for_url(lambda url: url != before and "answer=" in url)
    at_rest(page)
    expect(cards(page)).to_have_count(3)


def use(page: Page, rank: int = 1, *, clicks: int = 1) -> None:
    """Use the card of that rank, by real clicks."""
    button = cards(page).nth(rank - 1).get_by_role("button", name="Use this workflow")
    button.click(click_count=clicks)


def run_of(page: Page, task: str, rank: int = 1) -> Locator:
    """Ask, use a card, and return the run once all its steps are there."""
    ask(page, task)
    use(page, rank)
    run = run_panel(page)
    expect(run).to_contain_text("0 of ")
    at_rest(page)
    return run


def ticks(run: Locator) -> Locator:
    """What a person clicks to tick a step."""
    return run.locator("[data-testid=stCheckbox] label")


def go_to(page: Page, name: str) -> None:
    """Open another page by the sidebar."""
    page.get_by_role("navigation", name="App pages").get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    at_rest(page)
