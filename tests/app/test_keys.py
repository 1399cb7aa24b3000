"""The keys page: a key goes in and never comes out; only this machine changes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from core.runtime import Runtime
from tests.app.browser import Browser
from tests.app.connecting import FROM_AFAR, FROM_HERE, PROXIED, Connection, connect
from tests.asking import rows
from tests.fakes import FakeClock

KEY = "sk-ant-api03-Aq7fT0uGkBx2vN9sYcHd"
OTHER = "sk-ant-api03-Zr4mW8eLpJi6oD1tRgVn"
CHANGES = {"Save key", "Revoke", "Revoke it", "Change the master key", "Change it"}


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, FROM_HERE)


@pytest.fixture
def keys(browser: Browser) -> Browser:
    return browser.open("keys")


def field(browser: Browser) -> Any:
    (found,) = [each for each in browser.app.text_input if "key" in each.label.lower()]
    return found


def enter(browser: Browser, text: str) -> Browser:
    field(browser).set_value(text)
    return browser.click("Save key")


def table(browser: Browser) -> list[dict[str, str]]:
    listed = browser.app.dataframe[0].value.to_dict("records")
    return [{str(column): str(value) for column, value in row.items()} for row in listed]


def badge(browser: Browser) -> str:
    (said,) = [text for text in browser.markdown if "-badge[" in text]
    return said.split("-badge[")[1].rstrip("]")


def shown(browser: Browser) -> str:
    """All that the page sent to the browser, and all that its session keeps."""
    state = browser.app.session_state._state._state
    kept = (state._old_state, state._new_session_state, state._new_widget_state.states)
    sent = [element.proto for element in browser.app._tree if hasattr(element, "proto")]
    return f"{browser.said}{browser.markdown}{browser.app._tree!r}{kept}{sent}"


def test_a_new_person_is_told_what_will_appear(keys: Browser) -> None:
    assert badge(keys) == "no key"
    assert "Without one, answers come from this machine." in keys.said
    assert "A key appears here with its last four characters once you save it." in keys.said
    assert field(keys).proto.type == field(keys).proto.PASSWORD


def test_a_saved_key_is_in_use_and_its_field_is_empty_again(
    keys: Browser, console: Runtime
) -> None:
    enter(keys, KEY)
    assert [toast.value for toast in keys.app.toast] == ["Key saved."]
    assert console.vault.reveal("local", "anthropic") == KEY
    assert field(keys).value == ""
    assert badge(keys) == "your key"
    (row,) = table(keys)
    assert (row["Provider"], row["Key"], row["State"]) == ("Anthropic", "…YcHd", "in use")
    assert (row["Saved"], row["Last used"]) == ("today 09:00", "never")


def test_a_key_is_nowhere_on_the_page_nor_in_its_session(keys: Browser) -> None:
    for text in (KEY, f"{KEY} {KEY}"):
        enter(keys, text)
        for _ in range(2):
            assert KEY[:-4] not in shown(keys)
            keys.draw()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste the key first."),
        (
            "sk-proj-abcdefghijklmnopqrst",
            "An Anthropic key begins with sk-ant-; this one does not.",
        ),
        ("sk-ant-admin01-abcdefghijklmnop", "This is an admin key, which cannot call models;"),
        ("sk-ant-api03-short", "A key has 20 to 256 characters; copy all of it."),
    ],
)
def test_what_is_no_key_is_one_sentence(
    keys: Browser, console: Runtime, text: str, sentence: str
) -> None:
    enter(keys, text)
    (error,) = keys.app.error
    assert sentence in keys.said
    assert not text or text not in str(error.value)
    assert rows(console.ledger, "provider_keys") == []


def test_another_key_takes_the_place_of_the_first(keys: Browser, console: Runtime) -> None:
    enter(enter(keys, KEY), OTHER)
    assert console.vault.reveal("local", "anthropic") == OTHER
    assert [(row["Key"], row["State"]) for row in table(keys)] == [
        ("…RgVn", "in use"),
        ("…YcHd", "replaced"),
    ]


def test_the_last_use_is_shown(keys: Browser, console: Runtime, clock: FakeClock) -> None:
    enter(keys, KEY)
    assert "not used yet" in keys.said
    clock.advance(minutes=42)
    console.vault.reveal("local", "anthropic")
    clock.advance(days=1)
    keys.draw()
    assert table(keys)[0]["Last used"] == "yesterday 09:42"
    assert "last used yesterday 09:42" in keys.said


def test_revoking_asks_once_more_and_then_is_at_once(keys: Browser, console: Runtime) -> None:
    enter(keys, KEY).click("Revoke")
    assert console.vault.reveal("local", "anthropic") == KEY
    assert "It stops working at once" in keys.said
    keys.click("Keep it")
    assert "It stops working at once" not in keys.said
    keys.click("Revoke").click("Revoke it")
    assert console.vault.reveal("local", "anthropic") is None
    assert badge(keys) == "no key"
    (row,) = table(keys)
    assert (row["State"], row["Ended"]) == ("revoked", "today 09:00")
    assert keys.buttons("Revoke") == []


def test_a_key_that_was_revoked_elsewhere_is_a_sentence(keys: Browser, console: Runtime) -> None:
    enter(keys, KEY).click("Revoke")
    (entry,) = console.vault.listed("local")
    console.vault.revoke("local", entry.key_id, "root")
    keys.click("Revoke it")
    assert "This key is no longer in use." in keys.said


def test_keys_are_a_persons_own(keys: Browser, console: Runtime) -> None:
    enter(keys, KEY)
    bob = Browser(profile="bob").draw().open("keys")
    assert "keys of bob" in bob.said
    assert badge(bob) == "no key"
    assert len(bob.app.dataframe) == 0
    assert console.vault.reveal("bob", "anthropic") is None


def test_the_deployments_key_is_named_and_not_shown(serve: Callable[..., Runtime]) -> None:
    serve(anthropic_api_key=SecretStr(OTHER))
    browser = Browser().draw().open("keys")
    assert badge(browser) == "the deployment’s key"
    assert "From ANTHROPIC_API_KEY." in browser.said
    assert OTHER[-4:] not in shown(browser)


def test_the_master_key_can_be_changed_while_all_keys_stay_in_use(
    keys: Browser, console: Runtime
) -> None:
    enter(keys, KEY)
    before = console.settings.master_key_file.read_bytes()
    keys.click("Change the master key").click("Leave it")
    assert console.settings.master_key_file.read_bytes() == before
    keys.click("Change the master key").click("Change it")
    assert [toast.value for toast in keys.app.toast] == ["1 key sealed anew."]
    assert console.settings.master_key_file.read_bytes() != before
    assert console.vault.reveal("local", "anthropic") == KEY
    assert keys.buttons("Change the master key")


def test_a_master_key_of_the_environment_is_changed_there(serve: Callable[..., Runtime]) -> None:
    serve(master_key=SecretStr("A" * 43))
    browser = Browser().draw().open("keys")
    assert "kept in WAYWARDEN_MASTER_KEY" in browser.said
    assert browser.buttons("Change the master key") == []


def test_a_key_that_cannot_be_opened_is_said_and_can_be_entered_again(
    serve: Callable[..., Runtime],
) -> None:
    first = serve()
    first.vault.store("local", "anthropic", KEY, "local")
    first.drain()
    first.settings.master_key_file.unlink()
    second = serve()
    browser = Browser().draw().open("keys")
    assert badge(browser) == "cannot be opened"
    assert "was sealed with a master key that is not there" in browser.said
    enter(browser, OTHER)
    assert badge(browser) == "your key"
    assert second.vault.reveal("local", "anthropic") == OTHER


@pytest.mark.parametrize(
    "connection",
    [
        FROM_AFAR,
        PROXIED,
        Connection("::ffff:192.0.2.7"),
        Connection("not an address"),
        Connection(headers=()),
        Connection(headers=(("Host", "evil.example:8501"),)),
        Connection(headers=(("Host", "localhost.evil.example"),)),
        Connection(headers=(("Host", "localhost"), ("Host", "evil.example"))),
        Connection(headers=(("Host", "localhost"), ("forwarded", "for=192.0.2.7"))),
        Connection(headers=(("Host", "localhost"), ("x-real-ip", "127.0.0.1"))),
        Connection(headers=(("Host", "localhost"), ("via", "1.1 proxy"))),
        Connection(None, headers=()),
    ],
)
def test_from_elsewhere_keys_are_listed_and_cannot_be_changed(
    keys: Browser, monkeypatch: pytest.MonkeyPatch, connection: Connection
) -> None:
    enter(keys, KEY)
    connect(monkeypatch, connection)
    keys.draw()
    assert "Keys can be changed only on the machine that Waywarden runs on" in keys.said
    assert "there is no sign-in yet" in keys.said
    assert [row["Key"] for row in table(keys)] == ["…YcHd"]
    assert {button.label for button in keys.app.button} & CHANGES == set()
    assert [each for each in keys.app.text_input if "key" in each.label.lower()] == []


@pytest.mark.parametrize(
    "connection",
    [
        Connection("127.0.0.1"),
        Connection("127.8.9.1"),
        Connection("::1", headers=(("Host", "[::1]:8501"),)),
        Connection("::ffff:127.0.0.1", headers=(("Host", "127.0.0.1"),)),
        Connection(None, headers=(("Host", "LOCALHOST:8501"),)),
    ],
)
def test_on_this_machine_keys_can_be_changed(
    keys: Browser, monkeypatch: pytest.MonkeyPatch, connection: Connection
) -> None:
    connect(monkeypatch, connection)
    assert keys.draw().buttons("Save key")


@pytest.mark.parametrize("button", ["Save key", "Revoke it", "Change it"])
def test_a_page_that_was_drawn_here_changes_nothing_from_elsewhere(
    keys: Browser, console: Runtime, monkeypatch: pytest.MonkeyPatch, button: str
) -> None:
    enter(keys, KEY).click("Change the master key")
    before = rows(console.ledger, "provider_keys")
    if button == "Revoke it":
        keys.click("Revoke")
    else:
        field(keys).set_value(OTHER)
    connect(monkeypatch, FROM_AFAR)
    keys.click(button)
    assert "Keys can be changed only on the machine" in str(keys.app.error[0].value)
    assert rows(console.ledger, "provider_keys") == before
    assert console.vault.reveal("local", "anthropic") == KEY
