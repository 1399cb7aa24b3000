"""Who is looking: profile names, preferences, and what is used of the limits."""

from __future__ import annotations

import pytest

from core.runtime import Runtime
from tests.app.browser import Browser
from tests.asking import rows, run, to_execute

REFUSED = "A profile name has 1 to 40 letters, digits, spaces or . @ + - _, and starts with"


def chosen(browser: Browser) -> dict[str, object]:
    return {group.label: group.value for group in browser.app.button_group}


def save(browser: Browser, **preferences: object) -> Browser:
    for group in browser.app.button_group:
        if group.label in preferences:
            group.set_value(preferences[group.label])
    return browser.click("Save preferences")


def usage(browser: Browser) -> str:
    return str(browser.app.sidebar.caption[-1].value)


@pytest.mark.usefixtures("browser")
def test_saved_preferences_are_what_the_form_starts_with() -> None:
    browser = save(
        Browser().draw(),
        **{"Usual energy": 3, "Usual hours": 2.0, "Favourite domains": ["finance", "dev"]},
    )
    assert [toast.value for toast in browser.app.toast] == ["Preferences saved."]
    later = Browser().draw()
    assert (chosen(later)["Energy"], chosen(later)["Hours"]) == (3, 2.0)
    assert chosen(later)["Favourite domains"] == ["finance", "dev"]
    later.open("workflows")
    headings = [line for line in later.said.splitlines() if line.startswith("### ")]
    assert set(headings[:2]) == {"### Dev", "### Finance"}
    other = Browser(profile="bob").draw().draw()
    assert (chosen(other)["Energy"], chosen(other)["Hours"]) == (2, None)


def test_the_preferences_are_what_is_asked_with(browser: Browser, console: Runtime) -> None:
    save(browser.open(), **{"Usual energy": 1, "Usual hours": 0.5})
    Browser().draw().ask("fix the login bug")
    row = rows(console.ledger, "requests")[-1]
    assert (row["user_energy"], row["estimated_hours"]) == (1, 0.5)


def test_saving_twice_writes_once(browser: Browser, console: Runtime) -> None:
    save(browser.open(), **{"Usual energy": 1})
    save(browser, **{"Usual energy": 1})
    assert len(rows(console.ledger, "profiles")) == 1


@pytest.mark.parametrize("name", ["!!!", "<b>x", "-dash", "a/b", "..", "x\u202ey", "😀", "a\tb"])
def test_a_name_that_cannot_be_used_is_said_and_counts_as_nobody_else(
    browser: Browser, console: Runtime, name: str
) -> None:
    browser.open().type("profile", name).draw()
    assert REFUSED in browser.said
    browser.ask("fix the login bug")
    assert rows(console.ledger, "requests")[-1]["user_id"] == "local"


@pytest.mark.parametrize(
    ("typed", "name"),
    [("bob", "bob"), ("  Ann   Lee ", "Ann Lee"), ("José", "José"), ("李", "李")],
)
def test_a_name_is_what_everything_is_counted_under(
    browser: Browser, console: Runtime, typed: str, name: str
) -> None:
    browser.open().type("profile", typed).draw().ask("fix the login bug").use()
    assert {row["user_id"] for row in rows(console.ledger, "requests")} == {name}
    assert usage(browser) == "1 of 20 runs this hour"
    assert usage(browser.type("profile", "somebody else").draw()) == "0 of 20 runs this hour"


def test_runs_are_a_persons_own(browser: Browser, console: Runtime) -> None:
    run(console, to_execute("the task of bob", user_id="bob"))
    assert "0 runs of local" in browser.open("runs").said
    bob = Browser(profile="bob").draw().open("runs")
    assert "1 run of bob" in bob.said
    assert "the task of bob" in bob.said


def test_a_name_in_the_address_counts_from_the_first_look(console: Runtime) -> None:
    run(console, to_execute(user_id="bob"))
    assert usage(Browser(profile="bob").draw()) == "1 of 20 runs this hour"


@pytest.mark.usefixtures("console")
def test_a_bad_name_in_the_address_is_said_at_the_first_look() -> None:
    assert REFUSED in Browser(profile="!!!").draw().said


def test_learning_can_be_switched_off(browser: Browser, console: Runtime) -> None:
    browser.open()
    (toggle,) = (each for each in browser.app.toggle if each.label == "Learn from what I choose")
    assert toggle.value
    toggle.set_value(False)
    browser.click("Save preferences")
    assert rows(console.ledger, "profiles")[-1]["learns"] is False
    (again,) = (each for each in Browser().draw().app.toggle if "Learn" in each.label)
    assert again.value is False


def test_forgetting_is_asked_once_more_and_keeps_the_other_preferences(
    browser: Browser, console: Runtime
) -> None:
    save(browser.open(), **{"Usual energy": 1})
    browser.click("Forget my choices")
    assert len(rows(console.ledger, "profiles")) == 1
    browser.click("Keep")
    assert len(rows(console.ledger, "profiles")) == 1
    browser.click("Forget my choices")
    browser.click("Forget")
    assert [toast.value for toast in browser.app.toast] == ["Forgotten."]
    row = rows(console.ledger, "profiles")[-1]
    assert row["forgotten_until"] is not None
    assert row["usual_energy"] == 1
    # Saving the form afterwards does not bring back what was forgotten.
    save(browser, **{"Usual energy": 2})
    assert rows(console.ledger, "profiles")[-1]["forgotten_until"] == row["forgotten_until"]
