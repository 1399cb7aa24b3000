"""The settings page: look, change, see what changes, say why, save, restore; from here only."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.runtime import Runtime
from core.settings import Ladder, Privacy, SectionName, Settings
from tests.app.browser import Browser
from tests.app.connecting import FROM_AFAR, FROM_HERE, PROXIED, Connection, connect
from tests.asking import rows

HOSTILE = "![x](http://127.0.0.1:9/x.png) <img src=x> :red[x] ~~d~~ `c`"
MARKED_UP = re.compile(r"(?<!\\)(?:!\[|<img|~~|:red\[)")


@pytest.fixture
def settings_page(console: Runtime, monkeypatch: pytest.MonkeyPatch) -> Browser:
    del console
    connect(monkeypatch, FROM_HERE)
    return Browser(profile="ann").open("settings")


def widget(browser: Browser, path: str) -> Any:
    """The widget of a field, whichever version its form is of."""
    kinds = ("toggle", "text_input", "number_input", "selectbox", "multiselect", "text_area")
    found = [
        each
        for kind in (*kinds, "button_group")
        for each in getattr(browser.app, kind)
        if str(each.key).endswith(f"/{path}")
    ]
    (one,) = found
    return one


def change(browser: Browser, path: str, value: object) -> Browser:
    widget(browser, path).set_value(value)
    return browser


def save(browser: Browser, section: SectionName, reason: str = "Because.") -> Browser:
    browser.click("Review changes")
    browser.type(f"reason-{section}", reason)
    return browser.click("Save")


def errors(browser: Browser) -> str:
    return "\n".join(str(each.value).replace("\\", "") for each in browser.app.error)


def proposed(browser: Browser) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in browser.app.dataframe[0].value.itertuples(index=False)]


def test_before_the_first_save_the_defaults_are_shown(settings_page: Browser) -> None:
    assert "The defaults are in force" in settings_page.said
    assert widget(settings_page, "anthropic.ranking_model").value == "claude-haiku-5-5"
    assert widget(settings_page, "anthropic.steps_model").value == "claude-sonnet-5-5"
    assert "ANTHROPIC_API_KEY gives it one" in settings_page.said
    assert not settings_page.buttons("Save")


def test_a_change_is_seen_before_it_is_saved_and_then_in_force(
    settings_page: Browser, console: Runtime
) -> None:
    browser = settings_page
    change(browser, "anthropic.deadline_s", 12.0)
    change(browser, "ollama.model", "qwen3:8b")
    change(browser, "anthropic.effort", "")
    browser.click("Review changes")
    assert "Not saved yet" in browser.said
    assert proposed(browser) == [
        ("Claude’s effort", "low", "none"),
        ("Claude’s deadline in seconds", "30", "12"),
        ("Ollama’s model", "llama3.2", "qwen3:8b"),
    ]
    assert console.operator_settings.number("providers") == 0
    browser.type("reason-providers", "A slow week.").click("Save")
    assert [toast.value for toast in browser.app.toast] == [
        "Version 1 is in force from the next request."
    ]
    assert console.operator_settings.current.providers.anthropic.deadline_s == 12
    assert "Not saved yet" not in browser.said
    assert "**Version 1** · ann · today 09:00" in browser.said
    assert "A slow week." in browser.said
    (row,) = rows(console.ledger, "settings_versions")
    assert (row["actor"], row["reason"]) == ("ann", "A slow week.")


@pytest.mark.parametrize(
    ("section", "path", "value", "sentence"),
    [
        (
            "providers",
            "anthropic.deadline_s",
            0.0,
            "Claude’s deadline in seconds must be at least",
        ),
        (
            "providers",
            "anthropic.base_url",
            "https://evil.example",
            "must be at one of these host",
        ),
        ("providers", "anthropic.base_url", "nowhere", "Claude’s address must be an address like"),
        ("providers", "ollama.model", HOSTILE, "Ollama’s model must be a model’s name"),
        ("providers", "ollama.model", "", "Ollama’s model must be a model’s name"),
        ("ladder", "rungs", ["local", "ollama"], "The rungs must end with local, which always an"),
        ("ladder", "rungs", [], "The rungs must end with local, which always answers."),
        ("ladder", "retries", 99, "Retries on a rung must be at most 5."),
        ("ladder", "cascade_at", 0.1, "The confidence to answer locally must be at least 0.5."),
        ("privacy", "words", "salary\n*", "The sensitive words must have a letter or digit"),
    ],
)
def test_a_fault_is_a_sentence_beside_the_form_which_keeps_what_was_typed(
    settings_page: Browser, section: SectionName, path: str, value: object, sentence: str
) -> None:
    browser = settings_page.choose("section", section).draw()
    change(browser, path, value).click("Review changes")
    assert sentence in errors(browser)
    assert widget(browser, path).value == value
    assert not browser.buttons("Save")
    browser.click("Discard")
    assert errors(browser) == ""
    assert widget(browser, path).value != value


def test_without_a_reason_nothing_is_saved(settings_page: Browser, console: Runtime) -> None:
    browser = settings_page.choose("section", "ladder").draw()
    save(change(browser, "retries", 0), "ladder", "  ")
    assert "Say why in 1 to 300 characters; others will read it." in errors(browser)
    assert console.operator_settings.current.ladder == Ladder()
    browser.type("reason-ladder", "Now with a reason.").click("Save")
    assert console.operator_settings.current.ladder == Ladder(retries=0)


def test_the_ladder_and_privacy_are_saved_as_they_are_shown(
    settings_page: Browser, console: Runtime
) -> None:
    browser = settings_page.choose("section", "ladder").draw()
    change(browser, "rungs", ["ollama", "preferred", "local"])
    save(change(browser, "cascade_at", 0.9), "ladder")
    assert console.operator_settings.current.ladder == Ladder(
        rungs=("ollama", "preferred", "local"), cascade_at=0.9
    )
    browser.choose("section", "privacy").draw()
    change(browser, "words", " Salary \n\ndiagnos*\nsalary")
    change(browser, "domains", ["health"])
    save(change(browser, "keep_text_of_sensitive", value=False), "privacy")
    assert console.operator_settings.current.privacy == Privacy(
        words=("Salary", "diagnos*"), domains=("health",), keep_text_of_sensitive=False
    )
    assert widget(browser, "words").value == "Salary\ndiagnos*"


def test_reviewing_without_a_change_says_so(settings_page: Browser, console: Runtime) -> None:
    settings_page.click("Review changes")
    assert "This is what is in force already." in settings_page.said
    assert not settings_page.buttons("Save")
    assert rows(console.ledger, "settings_versions") == []


def test_a_move_of_claude_says_that_keys_end(settings_page: Browser, console: Runtime) -> None:
    change(settings_page, "anthropic.base_url", "http://127.0.0.1:8080").click("Review changes")
    assert "Keys that people keep for Claude end with this save" in settings_page.said
    settings_page.type("reason-providers", "A gateway.").click("Save")
    assert console.operator_settings.address("anthropic") == "http://127.0.0.1:8080"


def test_another_operator_sees_a_newer_version_at_the_next_look(settings_page: Browser) -> None:
    other = Browser(profile="bob").open("settings", section="Ladder")
    assert widget(other, "retries").value == 2
    save(change(settings_page.choose("section", "ladder").draw(), "retries", 4), "ladder")
    other.draw()
    assert widget(other, "retries").value == 4
    assert "**Version 1** · ann" in other.said


def test_of_two_operators_the_later_is_told_and_may_make_the_same_change_to_the_newer_version(
    settings_page: Browser, console: Runtime
) -> None:
    ann = settings_page.choose("section", "ladder").draw()
    bob = Browser(profile="bob").open("settings", section="Ladder")
    change(bob, "cascade_at", 0.8)
    save(change(ann, "retries", 4), "ladder")
    bob.click("Review changes")
    assert "ann saved version 1 meanwhile; the form shows it now." in bob.said
    assert not bob.buttons("Save")
    bob.click("Make my change to version 1")
    assert [row[0] for row in proposed(bob)] == ["The confidence to answer locally"]
    bob.type("reason-ladder", "Both.").click("Save")
    assert console.operator_settings.current.ladder == Ladder(retries=4, cascade_at=0.8)


def test_a_save_that_another_operator_was_faster_with_is_refused(
    settings_page: Browser, console: Runtime
) -> None:
    browser = settings_page.choose("section", "ladder").draw()
    change(browser, "retries", 4).click("Review changes")
    console.operator_settings.save("ladder", {"retries": 0}, "bob", "Faster.", 0)
    browser.type("reason-ladder", "Slower.").click("Save")
    assert "bob saved version 1 meanwhile" in browser.said
    assert console.operator_settings.current.ladder == Ladder(retries=0)


def test_an_earlier_version_is_looked_at_and_restored(
    settings_page: Browser, console: Runtime
) -> None:
    browser = settings_page.choose("section", "ladder").draw()
    for retries in (1, 5):
        save(change(browser, "retries", retries), "ladder", f"{retries} of them.")
    browser.click("Restore")
    assert proposed(browser) == [("Retries on a rung", "5", "1")]
    assert console.operator_settings.current.ladder.retries == 5
    browser.type("reason-ladder", "Five were too many.").click("Save")
    assert console.operator_settings.current.ladder.retries == 1
    newest, *_, first = console.operator_settings.history("ladder")
    assert (newest.version, newest.restored_from) == (3, first.version_id)
    assert "Retries on a rung: 5 → 1" in browser.said


def test_many_versions_come_in_pages(settings_page: Browser, console: Runtime) -> None:
    for number in range(10):
        words = {"words": [f"word {number}"]}
        console.operator_settings.save("privacy", words, "ann", f"Reason {number}.", number)
    browser = settings_page.choose("section", "privacy").draw()
    assert "Reason 2." in browser.said
    assert "Reason 1." not in browser.said
    browser.app.pagination(key="privacy_versions").set_value(2)
    assert "Reason 1." in browser.draw().said


@pytest.mark.parametrize("connection", [FROM_AFAR, PROXIED, Connection(headers=())])
def test_from_elsewhere_settings_are_read_and_not_changed(
    settings_page: Browser,
    console: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    connection: Connection,
) -> None:
    change(settings_page.choose("section", "ladder").draw(), "retries", 4).click("Review changes")
    connect(monkeypatch, connection)
    # Somebody who sends the click anyway.
    settings_page.type("reason-ladder", "From afar.").click("Save")
    assert rows(console.ledger, "settings_versions") == []
    assert "Settings are changed at the machine that Waywarden runs on" in settings_page.said
    assert widget(settings_page, "retries").disabled
    assert all(button.disabled for button in settings_page.buttons("Review changes"))
    assert settings_page.buttons("Save")[0].disabled


def test_hostile_words_and_reasons_are_shown_as_they_were_typed(
    settings_page: Browser, console: Runtime
) -> None:
    console.operator_settings.save("privacy", {"words": [HOSTILE]}, HOSTILE, HOSTILE, 0)
    console.operator_settings.save("privacy", {"words": []}, "ann", "Away.", 1)
    browser = settings_page.choose("section", "privacy").draw()
    assert HOSTILE in browser.said
    assert not any(MARKED_UP.search(text) for text in browser.markdown)
    browser.click("Restore")
    assert proposed(browser) == [("The sensitive words", "none", HOSTILE)]
    assert not any(MARKED_UP.search(text) for text in browser.markdown)


def test_a_host_that_is_allowed_no_more_is_said(
    console: Runtime, settings: Settings, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, FROM_HERE)
    moved = {"ollama": {"base_url": "http://127.0.0.1:9"}}
    console.operator_settings.save("providers", moved, "ann", "Here.", 0)
    console.drain()
    serve(model_hosts=("gateway.example",))
    assert "Ollama is not asked: WAYWARDEN_MODEL_HOSTS no longer names the host" in (
        Browser().open("settings").said
    )
    assert settings.model_hosts != ("gateway.example",)
