"""An operator asks what it would save and lose to let the local recommender answer alone."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from core.clock import new_id
from core.ledger import Event
from core.runtime import Runtime
from core.settings import Ladder
from tests.answering import NOW, alone, answer, by_model, ran
from tests.app.browser import Browser
from tests.fakes import FakeClock

TITLE = "**What answering locally would save**"


def models(n: int, judged: int, sure: float, **more: Any) -> list[Event]:
    """So many answers by models, so many of them judged, at which both firsts are the same."""
    events: list[Event] = []
    for number in range(n):
        name = new_id()
        events += by_model(name, sure=sure, **more)
        events += [ran(name, "bug-fix")] if number < judged else []
    return events


@pytest.fixture
def ledger(console: Runtime, clock: FakeClock) -> Runtime:
    clock.set(NOW)
    return console


def table(browser: Browser) -> pd.DataFrame:
    (found,) = [each.value for each in browser.app.dataframe if "saves" in each.value]
    return found.set_index("from")


def row(browser: Browser, confidence: str) -> dict[Any, Any]:
    (found,) = table(browser).loc[[confidence]].to_dict("records")
    return found


def exports(browser: Browser) -> list[str | None]:
    return [each.key for each in browser.app.get("download_button")]


def links(browser: Browser) -> list[tuple[str, str]]:
    return [(each.proto.label, each.proto.query_string) for each in browser.app.get("page_link")]


def test_where_no_model_answered_there_is_no_panel(ledger: Runtime) -> None:
    ledger.ledger.write(*answer("local"), ran("local", "bug-fix"))
    browser = Browser().open("accuracy")
    assert TITLE not in browser.said
    assert "No model answered" not in browser.said
    assert "export-cascade" not in exports(browser)


def test_what_was_answered_alone_is_one_line_where_no_model_answered(ledger: Runtime) -> None:
    ledger.ledger.write(*alone("a"), *alone("b"), ran("a", "bug-fix"))
    browser = Browser().open("accuracy")
    assert TITLE not in browser.said
    assert (
        "The local recommender was sure enough to answer 2 alone, and no model was asked: of 1 "
        "judged, its first was chosen in 100 % (21-100 % at 95 %). No model answered, so there is "
        "nothing to hold that against." in browser.said
    )


def test_the_panel_tells_what_is_saved_and_lost_at_each_confidence(ledger: Runtime) -> None:
    ledger.ledger.write(
        *models(100, 90, 0.92), *models(20, 10, 0.4), *models(2, 0, 0.92, nano_usd=None)
    )
    browser = Browser().open("accuracy")
    assert TITLE in browser.said
    assert (
        "**From 50 % on, the local recommender could have answered 84 % of the tasks alone, with "
        "little lost.** That saves $0.0600 (not counting 2 whose cost nobody knows) and a wait of "
        "2.0 s each. Of 90 judged, its first was chosen in 100 %, the model’s in 100 %: 0 points "
        "(95 % interval −3 to +3). It is sure that from 50 % on less than 5 points are lost."
        in browser.said
    )
    assert "Of 122 answers by models, those at which" in browser.said
    assert table(browser).index.tolist() == ["50 %", "60 %", "70 %", "80 %", "90 %", "95 %"]
    assert row(browser, "90 %") == {
        "alone": "102 · 84 %",
        "saves": "$0.0600 + 2 unknown",
        "wait": "2.0 s",
        "judged": 90,
        "local": "100 %",
        "model": "100 %",
        "loses": "0",
        "interval": "−3 to +3",
    }
    none = row(browser, "95 %")
    assert {each for name, each in none.items() if name != "judged"} == {"0 · 0 %", "–"}
    assert "export-cascade" in exports(browser)
    assert ("Settings: now it never answers alone", "section=Ladder") in links(browser)


def test_one_judged_answer_is_too_few_for_a_loss(ledger: Runtime) -> None:
    ledger.ledger.write(*models(3, 1, 0.92))
    browser = Browser().open("accuracy")
    assert "1 of them is judged; 30 are needed." in browser.said
    told = row(browser, "90 %")
    assert (told["judged"], told["loses"]) == (1, "too few")
    assert {told["local"], told["model"], told["interval"]} == {"–"}


def test_costs_that_nobody_knows_are_unknown(ledger: Runtime) -> None:
    ledger.ledger.write(*models(5, 5, 0.92, nano_usd=None))
    browser = Browser().open("accuracy")
    assert "That saves a cost that nobody knows and a wait of 2.0 s each." in browser.said
    assert table(browser).loc["50 %", "saves"] == "unknown"


def test_the_setting_in_force_is_marked_beside_what_it_has_done(ledger: Runtime) -> None:
    ledger.operator_settings.save("ladder", Ladder(cascade_at=0.85), "ada", "Try it.", 0)
    ledger.ledger.write(*models(40, 40, 0.87), *alone("a"))
    browser = Browser().open("accuracy")
    assert "**From 85 % on, as it is set now, the local recommender could" in browser.said
    assert "was sure enough to answer 1 alone" in browser.said
    assert "85 % · now" in table(browser).index
    assert ("Settings: now it answers alone from 85 % on", "section=Ladder") in links(browser)


def test_the_filters_of_the_page_hold_for_the_panel(ledger: Runtime) -> None:
    ledger.ledger.write(
        *models(4, 4, 0.92),
        *models(2, 2, 0.92, listed=("meal-planning", "bug-fix")),
        *answer("local"),
    )
    assert table(Browser().open("accuracy")).loc["50 %", "alone"] == "6 · 100 %"
    browser = Browser().open("accuracy", domain="health")
    assert table(browser).loc["50 %", "alone"] == "2 · 100 %"
    assert TITLE not in Browser().open("accuracy", ranker="local 1").said
