"""Operators' settings as versions in a real ledger: saved, refused, restored, in force at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import (
    InvalidInput,
    InvalidSettings,
    LedgerUnavailable,
    SettingsOutdated,
    SettingsUnusable,
    UnknownVersion,
)
from core.ledger import Ledger, SettingsSaved
from core.runtime import Runtime
from core.settings import Ladder, Operator, OperatorSettings, Privacy, Settings, Version
from tests.asking import rows
from tests.fakes import FakeClock

LOCAL = {"rungs": ["local"]}
HOSTILE = "'); DROP TABLE settings_versions; -- $1 {x} \\ <b> 日本語 \U0001f3f3️"


@pytest.fixture
def store(ledger: Ledger, clock: FakeClock) -> OperatorSettings:
    return OperatorSettings(ledger, clock)


def saved(store: OperatorSettings, value: dict[str, Any], actor: str = "ann") -> Version:
    section = "privacy" if {*value} & {"words", "ai_off", "domains"} else "ladder"
    version = store.save(section, value, actor, "Because.", store.number(section))  # type: ignore[arg-type]
    assert version
    return version


def test_before_the_first_save_the_defaults_are_in_force(store: OperatorSettings) -> None:
    assert store.current == Operator()
    assert store.newest("ladder") is None
    assert store.number("ladder") == 0
    assert store.history("ladder") == []


def test_a_save_is_in_force_at_once_and_one_row_says_who_when_why_and_what(
    store: OperatorSettings, ledger: Ledger
) -> None:
    version = store.save("ladder", {"retries": 0}, "ann", "  The outage\n is over. ", 0)
    assert store.current.ladder == Ladder(retries=0)
    assert store.newest("ladder") == version
    (row,) = rows(ledger, "settings_versions")
    assert json.loads(row.pop("value")) == Ladder(retries=0).model_dump(mode="json")
    assert json.loads(row.pop("changes")) == [
        {"field": "retries", "title": "Retries on a rung", "before": 2, "after": 0}
    ]
    assert row == {
        "version_id": version.version_id if version else None,
        "ts": datetime(2026, 11, 2, 9, tzinfo=UTC),
        "section": "ladder",
        "version": 1,
        "schema_version": 1,
        "actor": "ann",
        "reason": "The outage is over.",
        "restored_from": None,
    }


def test_a_restart_finds_what_was_saved(store: OperatorSettings, ledger: Ledger) -> None:
    saved(store, LOCAL)
    saved(store, {"ai_off": True, "words": [HOSTILE[:20]]})
    again = OperatorSettings(ledger, FakeClock())
    assert again.current == store.current
    assert again.history("privacy") == store.history("privacy")
    assert again.newest("ladder") == store.newest("ladder")


def test_two_operators_who_change_the_same_version_are_not_both_saved(
    store: OperatorSettings, ledger: Ledger
) -> None:
    store.save("ladder", {"retries": 0}, "ann", "Mine.", 0)
    with pytest.raises(SettingsOutdated, match="ann saved version 1 while you were at version 0"):
        store.save("ladder", {"retries": 5}, "bob", "No, mine.", 0)
    with pytest.raises(SettingsOutdated):
        store.save("ladder", {"retries": 5}, "bob", "From the future.", 2)
    assert store.current.ladder.retries == 0
    assert len(rows(ledger, "settings_versions")) == 1
    store.save("privacy", {"ai_off": True}, "bob", "Another section is another matter.", 0)


def test_of_many_who_save_at_once_one_is_saved(store: OperatorSettings, ledger: Ledger) -> None:
    def save(number: int) -> int:
        try:
            store.save("privacy", {"words": [f"word {number}"]}, "ann", "Race.", 0)
        except SettingsOutdated:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(8))) == 1
    (row,) = rows(ledger, "settings_versions")
    assert store.current.privacy.words == tuple(json.loads(row["value"])["words"])


def test_saving_the_same_writes_nothing(store: OperatorSettings, ledger: Ledger) -> None:
    assert store.save("ladder", Ladder(), "ann", "The defaults.", 0) is None
    first = saved(store, LOCAL)
    assert store.save("ladder", LOCAL, "bob", "Again.", 1) == first
    assert len(rows(ledger, "settings_versions")) == 1


def test_a_preview_says_what_a_save_would_change_and_changes_nothing(
    store: OperatorSettings, ledger: Ledger
) -> None:
    (change,) = store.preview("privacy", {"words": ["salary"]})
    assert (change.field, change.before, change.after) == ("words", [], ["salary"])
    assert store.preview("privacy", Privacy()) == ()
    assert store.current == Operator()
    assert rows(ledger, "settings_versions") == []


def test_an_earlier_version_is_restored_as_a_new_one(store: OperatorSettings) -> None:
    first = saved(store, {"words": ["one"]})
    saved(store, {"words": ["two"], "ai_off": True}, "bob")
    restored = store.restore(first.version_id, "cleo", "Two was wrong.")
    assert restored
    assert store.current.privacy == Privacy(words=("one",))
    assert (restored.version, restored.restored_from) == (3, first.version_id)
    assert {change.field for change in restored.changes} == {"words", "ai_off"}
    listed = [(each.version, each.actor) for each in store.history("privacy")]
    assert listed == [(3, "cleo"), (2, "bob"), (1, "ann")]
    assert store.history("ladder") == []


def test_restoring_is_refused_like_saving(store: OperatorSettings) -> None:
    first = saved(store, {"words": ["one"]})
    saved(store, {"words": ["two"]})
    with pytest.raises(SettingsOutdated):
        store.restore(first.version_id, "cleo", "Too late.", expected_version=1)
    with pytest.raises(UnknownVersion):
        store.restore(HOSTILE, "cleo", "No such one.")
    with pytest.raises(InvalidInput, match="Say why"):
        store.restore(first.version_id, "cleo", " ")
    assert store.current.privacy.words == ("two",)


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 301, "a\0b", "a\u202eb"])
def test_without_a_reason_that_can_be_read_nothing_is_saved(
    store: OperatorSettings, reason: str
) -> None:
    with pytest.raises(InvalidInput, match="Say why in 1 to 300 characters") as refusal:
        store.save("ladder", LOCAL, "ann", reason, 0)
    assert refusal.value.field == "reason"
    assert store.current == Operator()


def test_hostile_values_come_back_as_they_were_typed(
    store: OperatorSettings, ledger: Ledger
) -> None:
    store.save("privacy", {"words": [HOSTILE[:30]]}, HOSTILE, HOSTILE, 0)
    again = OperatorSettings(ledger, FakeClock())
    (version,) = again.history("privacy")
    assert (version.actor, version.reason) == (HOSTILE, HOSTILE)
    assert again.current.privacy.words == (HOSTILE[:30],)


def test_a_key_in_the_reason_is_not_kept(store: OperatorSettings, ledger: Ledger) -> None:
    key = "sk-ant-api03-aaaabbbbccccdddd"
    store.save("ladder", LOCAL, "ann", f"Use {key} now.", 0)
    with pytest.raises(InvalidSettings):
        store.save("providers", {"ollama": {"model": key}}, "ann", "A model?", 0)
    assert key not in str(rows(ledger, "settings_versions"))


def stored(ledger: Ledger, section: str, value: dict[str, Any], schema_version: int = 1) -> None:
    ledger.write(
        SettingsSaved(
            ts=datetime(2026, 11, 1, tzinfo=UTC),
            version_id="other",
            section=section,
            version=1,
            schema_version=schema_version,
            value=value,
            changes=[],
            actor="ann",
            reason="By another version.",
        )
    )


def test_what_an_older_version_did_not_know_takes_its_default(ledger: Ledger) -> None:
    stored(ledger, "providers", {"anthropic": {"enabled": False}})
    current = OperatorSettings(ledger, FakeClock()).current
    assert not current.providers.anthropic.enabled
    assert current.providers.anthropic.steps_model == "claude-sonnet-5-5"
    assert current.providers.ollama == Operator().providers.ollama


@pytest.mark.parametrize(
    ("section", "value", "schema_version"),
    [
        ("ladder", {"rungs": ["local"], "breaker_s": 30}, 1),
        ("ladder", {"rungs": ["preferred", "batch", "local"]}, 1),
        ("ladder", {}, 2),
        ("limits", {}, 1),
    ],
)
def test_what_a_newer_version_saved_is_refused(
    ledger: Ledger, section: str, value: dict[str, Any], schema_version: int
) -> None:
    stored(ledger, section, value, schema_version)
    with pytest.raises(SettingsUnusable, match=f"The {section} settings, version 1, were saved"):
        OperatorSettings(ledger, FakeClock())


def test_a_version_with_an_unknown_key_is_not_restored(ledger: Ledger) -> None:
    stored(ledger, "ladder", {"retries": 1})
    store = OperatorSettings(ledger, FakeClock())
    ledger.write(
        SettingsSaved(
            **{
                **rows(ledger, "settings_versions")[0],
                "version_id": "newer",
                "value": {"breaker_s": 30},
                "changes": [],
            }
        )
    )
    with pytest.raises(InvalidSettings, match="“breaker_s” is not known to this version"):
        store.restore("newer", "ann", "Try.")


def test_a_save_that_is_not_durable_is_not_in_force(ledger: Ledger) -> None:
    store = OperatorSettings(ledger, FakeClock())
    ledger.close()
    with pytest.raises(LedgerUnavailable):
        store.save("ladder", LOCAL, "ann", "Too late.", 0)
    assert store.current == Operator()
    assert store.number("ladder") == 0


# --- where providers are


def moved(address: str | None) -> dict[str, Any]:
    return {"anthropic": {"base_url": address}}


def test_a_host_that_is_not_allowed_is_refused_and_the_sentence_names_those_that_are(
    store: OperatorSettings,
) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        store.save("providers", moved("https://evil.example"), "ann", "Move.", 0)
    assert refusal.value.faults == {
        "anthropic.base_url": "Claude’s address must be at one of these hosts: 127.0.0.1, ::1, "
        "api.anthropic.com, localhost; WAYWARDEN_MODEL_HOSTS names others."
    }


def test_an_address_of_the_page_goes_before_that_of_the_environment(ledger: Ledger) -> None:
    deployment = Settings(ollama_host="http://gpu.example:11434")
    store = OperatorSettings(ledger, FakeClock(), deployment)
    assert store.address("ollama") == "http://gpu.example:11434"
    assert store.address("anthropic") == "https://api.anthropic.com"
    store.save("providers", moved("http://127.0.0.1:8080/"), "ann", "A gateway.", 0)
    assert store.address("anthropic") == "http://127.0.0.1:8080"
    assert OperatorSettings(ledger, FakeClock()).address("ollama") is None


def test_a_host_that_is_allowed_no_more_is_not_asked(ledger: Ledger) -> None:
    wide = Settings(model_hosts=("gateway.example",))
    OperatorSettings(ledger, FakeClock(), wide).save(
        "providers", moved("https://gateway.example"), "ann", "A gateway.", 0
    )
    narrow = OperatorSettings(ledger, FakeClock())
    assert list(narrow.barred) == ["anthropic"]
    assert narrow.address("anthropic") is None
    in_force, stored = narrow.current.providers, narrow.stored.providers
    assert (in_force.anthropic.enabled, stored.anthropic.enabled) == (False, True)
    narrow.save("providers", moved(None), "bob", "Back to the usual one.", 1)
    assert narrow.current.providers.anthropic.enabled
    assert list(narrow.barred) == []


def test_who_keeps_keys_is_told_of_a_move_before_it_is_in_force(ledger: Ledger) -> None:
    told: list[tuple[str, str, str | None]] = []

    def when_moved(provider: str, actor: str) -> None:
        told.append((provider, actor, moving.address("anthropic")))

    moving = OperatorSettings(ledger, FakeClock(), None, when_moved)
    moving.save("providers", {"ollama": {"model": "qwen3"}}, "ann", "Another model.", 0)
    assert told == []
    moving.save("providers", moved("https://api.anthropic.com/"), "ann", "The same.", 1)
    assert told == []
    moving.save("providers", moved("http://127.0.0.1:8080"), "ann", "A gateway.", 2)
    assert told == [("anthropic", "ann", "https://api.anthropic.com")]


def test_keys_that_cannot_be_forgotten_stop_the_move(ledger: Ledger) -> None:
    def when_moved(provider: str, actor: str) -> None:
        raise LedgerUnavailable(f"{actor} cannot move {provider}.")

    moving = OperatorSettings(ledger, FakeClock(), None, when_moved)
    with pytest.raises(LedgerUnavailable):
        moving.save("providers", moved("http://127.0.0.1:8080"), "ann", "A gateway.", 0)
    assert moving.address("anthropic") == "https://api.anthropic.com"


def test_a_move_ends_the_keys_that_people_keep(runtime: Runtime) -> None:
    runtime.vault.store("ann", "anthropic", "sk-ant-api03-" + "a1B2" * 20, "ann")
    assert runtime.vault.reveal("ann", "anthropic")
    runtime.operator_settings.save(
        "providers", moved("http://127.0.0.1:8080"), "bob", "A gateway.", 0
    )
    assert runtime.vault.reveal("ann", "anthropic") is None


def test_the_runtime_has_them_and_a_newer_ledger_is_let_go(
    settings: Settings, runtime: Runtime, tmp_path: Path
) -> None:
    assert runtime.operator_settings.current == Operator()
    other = settings.model_copy(update={"data_dir": tmp_path / "other"})
    newer = Ledger(other.ledger_path)
    stored(newer, "limits", {})
    newer.close()
    for _ in range(2):
        with pytest.raises(SettingsUnusable):
            Runtime(other)
