"""Pages that show calls of models: what a person sees of a fall, and an operator of a fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from core.runtime import Runtime
from core.settings import Settings
from tests.calling import (
    LOST,
    OLLAMA,
    SONNET,
    UNPRICED,
    asked_models,
    by_model,
    failed,
    run_by_models,
)
from tests.e2e.conftest import OpenPage, StartConsole
from tests.e2e.console import at_rest
from tests.e2e.test_pictures import pictured
from tests.fakes import FakeClock

BY_SONNET = {"gen_ai_request_model": SONNET, "latency_ms": 4_200.0, "first_token_ms": 700.0}
RAN = by_model(SONNET)
# Nobody listens there, so whatever asks a model falls to the local rung at once.
VARIABLES = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-" + "k" * 40,
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "OLLAMA_HOST": "http://127.0.0.1:9",
}


def seed(data_dir: Path) -> dict[str, str]:
    """Fill a ledger with what models answered and did not; returns the ids of some requests."""
    clock = FakeClock(datetime.now(UTC) - timedelta(minutes=50))
    runtime = Runtime(Settings(data_dir=data_dir), clock=clock)

    def later(make: Callable[[], str]) -> str:
        clock.advance(minutes=4)
        return make()

    try:
        return {
            "local": later(lambda: asked_models(runtime, model=None, title="plan my week")),
            "claude": later(lambda: asked_models(runtime, {}, title="fix the login bug")),
            "unpriced": later(lambda: asked_models(runtime, UNPRICED, title="save for a laptop")),
            "run": later(lambda: run_by_models(runtime, BY_SONNET, source=RAN)),
            "fallen": later(
                lambda: asked_models(
                    runtime,
                    {**failed("dropped", latency_ms=2_100.0, first_token_ms=600.0), **LOST},
                    failed("overloaded", latency_ms=300.0),
                    {**OLLAMA, "rung": 2, **failed("timeout", latency_ms=5_000.0)},
                    model=None,
                    title="write the first chapter of my novel",
                )
            ),
        }
    finally:
        runtime.drain()


@pytest.fixture
def made(tmp_path: Path) -> dict[str, str]:
    return seed(tmp_path / "data-0")


def opened(page: Page, address: str) -> Page:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    at_rest(page)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_falls_costs_and_faults_can_be_read_and_fit_a_phone(
    scheme: Literal["light", "dark"],
    made: dict[str, str],
    start_console: StartConsole,
    open_page: OpenPage,
) -> None:
    url = start_console(variables=VARIABLES).url
    page = open_page("about:blank", scheme=scheme)
    faults: list[str] = []

    opened(page, f"{url}/?answer={made['claude']}")
    expect(page.get_by_test_id("stMain")).to_contain_text("1,830 tokens · $0.0006")
    faults += pictured(page, f"answer-claude-{scheme}")

    opened(page, f"{url}/?answer={made['fallen']}")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("the local recommender answered instead")
    faults += pictured(page, f"answer-fallen-{scheme}")

    opened(page, f"{url}/runs")
    expect(page.get_by_test_id("stMain")).to_contain_text("Claude sonnet 5.5")
    faults += pictured(page, f"runs-models-{scheme}")

    opened(page, f"{url}/runs?run={made['run']}")
    expect(page.locator(".st-key-run")).to_contain_text("Claude sonnet 5.5")
    faults += pictured(page, f"run-claude-{scheme}")

    opened(page, f"{url}/activity?request={made['fallen']}")
    strip = page.locator(".st-key-request .js-plotly-plot")
    strip.scroll_into_view_if_needed()
    expect(strip).to_contain_text("rung 2, attempt 3")
    faults += pictured(page, f"attempts-{scheme}")

    opened(page, f"{url}/health")
    expect(page.get_by_test_id("stMain")).to_contain_text("Ollama llama3.2 did not answer in time")
    faults += pictured(page, f"health-faults-{scheme}")
    assert not faults, "\n".join(faults)


def test_attempts_are_exported(
    made: dict[str, str], start_console: StartConsole, open_page: OpenPage
) -> None:
    url = start_console(variables=VARIABLES).url
    page = opened(open_page("about:blank"), f"{url}/activity?request={made['fallen']}")
    with page.expect_download() as download:
        page.locator(".st-key-request").get_by_role("button", name="Export").click()
    head, *lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert '"cost_nano_usd"' in head
    assert len(lines) == 3
    assert '"1234567"' in lines[0]
