"""Two hundred keys go in by every way there is; none of them comes out anywhere."""

from __future__ import annotations

import base64
import io
import logging
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
from pydantic import SecretStr

from core.errors import InvalidInput, KeyUnreadable, LedgerUnavailable
from core.ledger import KeySealed
from core.logs import JsonLines
from core.runtime import Runtime
from pages.shared.tables import csv_of
from tests.app.browser import Browser
from tests.app.connecting import FROM_HERE, connect
from tests.app.test_keys import enter, shown
from tests.asking import rows

EACH = 29
TABLES = ("provider_keys", "key_events")


class Evidence:
    """All that could have been seen from outside, and the keys it must not hold."""

    def __init__(self) -> None:
        self.planted: list[str] = []
        self.seen: list[str] = []

    def plant(self, start: str = "sk-ant-api03-") -> str:
        self.planted.append(start + secrets.token_urlsafe(40))
        return self.planted[-1]

    def look(self, *things: object) -> None:
        self.seen += [f"{thing!s}\n{thing!r}" for thing in things]

    @contextmanager
    def refused(self, *errors: type[Exception]) -> Iterator[None]:
        with pytest.raises(errors) as caught:
            yield
        self.look(caught.value, vars(caught.value))
        self.seen += traceback.format_exception(caught.value)

    @property
    def leaked(self) -> list[str]:
        """Keys of which a part can be read: as they are, in Base64, or as a hex dump."""
        everything = "\n".join(self.seen)
        return [
            key
            for key in self.planted
            for part in (key[15:35],)
            if part in everything
            or base64.b64encode(key.encode()).decode()[24:44] in everything
            or part.encode().hex() in everything
        ]


@pytest.fixture
def evidence() -> Iterator[Evidence]:
    """Watches the log, as every library wrote it and as the process prints it."""
    found = Evidence()
    raw, printed = io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(raw), logging.StreamHandler(printed)]
    handlers[1].setFormatter(JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    yield found
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(level)
    found.look(raw.getvalue(), printed.getvalue())
    assert found.leaked == []


def plant_by_calls(runtime: Runtime, evidence: Evidence) -> None:
    """Stored, replaced, revoked, cleared, sealed anew; revealed in between."""
    vault = runtime.vault
    for number in range(EACH):
        name = f"person {number}"
        for _ in range(2):
            evidence.look(vault.store(name, "anthropic", evidence.plant(), name))
            evidence.look(vault.held(name, "anthropic"), vault.listed(name))
        if number % 2:
            vault.revoke(name, vault.listed(name)[0].key_id, name)
    evidence.look(vault.rotate("root"), vault.recover())
    vault.clear("anthropic", "root")
    for number in range(EACH):
        vault.store(f"person {number}", "anthropic", evidence.plant(), "root")
    evidence.look(vault, vars(vault), vault._masters(), runtime, vars(runtime))


def plant_refused(runtime: Runtime, evidence: Evidence) -> None:
    """Pasted wrongly, into the wrong provider, or for rows that somebody changed."""
    vault = runtime.vault
    for _ in range(EACH):
        with evidence.refused(InvalidInput):
            vault.store("ada", "anthropic", f"x {evidence.plant()}", "ada")
        with evidence.refused(InvalidInput):
            vault.store("ada", "anthropic", evidence.plant("sk-proj-of-it-"), "ada")
        with evidence.refused(InvalidInput):
            vault.store("ada", "openai", evidence.plant(), "ada")
    for number in range(2):
        vault.store(f"swapped {number}", "anthropic", evidence.plant(), "ada")
    one, other = (KeySealed.model_validate(row) for row in rows(runtime.ledger, TABLES[0])[-2:])
    runtime.ledger.replace_keys([one.model_copy(update={"sealed": other.sealed})], [])
    with evidence.refused(KeyUnreadable):
        vault.reveal(one.user_id, "anthropic")


def plant_on_the_page(evidence: Evidence) -> Browser:
    browser = Browser().draw().open("keys")
    for number in range(EACH - 1):
        key = evidence.plant()
        enter(browser, key if number % 3 else f"{key} {key}")
        evidence.look(shown(browser))
    evidence.look(shown(browser.open("activity")), shown(browser.open("keys")))
    return browser


def test_no_planted_key_is_seen_anywhere(
    serve: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch, evidence: Evidence
) -> None:
    connect(monkeypatch, FROM_HERE)
    runtime = serve(anthropic_api_key=SecretStr(evidence.plant()))
    plant_by_calls(runtime, evidence)
    plant_refused(runtime, evidence)
    browser = plant_on_the_page(evidence)
    evidence.look(runtime.settings, runtime.settings.model_dump_json())
    for table in TABLES:
        evidence.look(rows(runtime.ledger, table))
        evidence.look(csv_of(pd.DataFrame(rows(runtime.ledger, table))))
    runtime.backup()
    runtime.ledger.close()
    with evidence.refused(LedgerUnavailable):
        runtime.vault.store("ada", "anthropic", evidence.plant(), "ada")
    evidence.look(shown(browser.draw()))
    for file in runtime.settings.data_dir.rglob("*"):
        if file.is_file():
            evidence.seen.append(file.read_bytes().decode("latin-1"))
    assert len(evidence.planted) >= 200
    assert evidence.leaked == []


def test_the_search_finds_a_key_that_did_leak() -> None:
    for show in (str.encode, lambda key: base64.b64encode(key.encode()), str.upper, str):
        found = Evidence()
        key = found.plant()
        found.look(show(key))
        assert found.leaked == ([] if show is str.upper else [key])
    found = Evidence()
    found.look(found.plant().encode().hex())
    assert found.leaked
