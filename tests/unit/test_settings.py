"""What can be configured, and what is said about a value that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import InvalidInput
from core.settings import LONGEST_WINDOW_S, PROJECT, Limits, Rule, Settings


def test_without_variables_the_console_is_local_and_writes_into_the_project() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8501)
    assert settings.ledger_path == PROJECT / "data" / "local" / "ledger.duckdb"
    assert settings.extra_workflows is None


def test_a_person_may_run_three_workflows_a_minute_twenty_an_hour_a_hundred_a_day() -> None:
    rules = Settings().limits.per_user["execute"]
    assert [(rule.limit, rule.window_s) for rule in rules] == [
        (3, 60),
        (20, 3_600),
        (100, 86_400),
    ]


def test_the_variables_are_read(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "WAYWARDEN_DATA_DIR": f" {tmp_path}/ledgers ",
            "WAYWARDEN_HOST": "192.0.2.7",
            "WAYWARDEN_PORT": "9000",
            "WAYWARDEN_WORKFLOWS": str(tmp_path / "mine"),
            "UNRELATED": "left alone",
        }
    )
    assert settings.data_dir == tmp_path / "ledgers"
    assert settings.ledger_path == tmp_path / "ledgers" / "ledger.duckdb"
    assert (settings.host, settings.port) == ("192.0.2.7", 9000)
    assert settings.extra_workflows == tmp_path / "mine"


def test_the_systems_environment_is_read_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAYWARDEN_PORT", "9001")
    assert Settings.from_environment().port == 9001


@pytest.mark.parametrize("blank", ["", "   ", "\t\n"])
def test_a_blank_variable_counts_as_not_set(blank: str) -> None:
    names = ("DATA_DIR", "HOST", "PORT", "WORKFLOWS")
    settings = Settings.from_environment({f"WAYWARDEN_{name}": blank for name in names})
    assert settings == Settings()


def test_paths_are_absolute_however_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = Settings.from_environment(
        {"WAYWARDEN_DATA_DIR": "a/../b", "WAYWARDEN_WORKFLOWS": "~/mine"}
    )
    assert settings.data_dir == tmp_path / "b"
    assert settings.extra_workflows == tmp_path / "home" / "mine"
    assert Settings(data_dir=Path("c")).data_dir == tmp_path / "c"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WAYWARDEN_PORT", "http"),
        ("WAYWARDEN_PORT", "0"),
        ("WAYWARDEN_PORT", "65536"),
        ("WAYWARDEN_PORT", "-1"),
        ("WAYWARDEN_PORT", "85.5"),
        ("WAYWARDEN_DATA_DIR", "~nobody-of-this-name/ledger"),
        ("WAYWARDEN_DATA_DIR", "nul\0byte"),
        ("WAYWARDEN_WORKFLOWS", "~nobody-of-this-name"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence_that_names_its_variable(
    variable: str, value: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Settings.from_environment({variable: value})
    assert refusal.value.field == variable
    sentence = str(refusal.value)
    assert sentence.startswith(f"{variable}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Value error" not in sentence


def test_a_loop_of_links_is_a_sentence_too(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(InvalidInput, match="WAYWARDEN_DATA_DIR"):
        Settings.from_environment({"WAYWARDEN_DATA_DIR": str(tmp_path / "a")})


def test_settings_are_frozen_and_take_no_unknown_field() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings.model_validate({"prot": 8501})


@pytest.mark.parametrize(
    "rule",
    [
        {"limit": 0, "window_s": 60},
        {"limit": -1, "window_s": 60},
        {"limit": 3, "window_s": 0},
        {"limit": 3, "window_s": LONGEST_WINDOW_S + 1},
        {"limit": 1.5, "window_s": 60},
        {"limit": 3},
    ],
)
def test_a_rule_allows_at_least_one_within_at_most_a_day(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(rule)


@pytest.mark.parametrize("scope", ["per_user", "deployment"])
def test_limits_without_a_kind_are_refused_and_empty_rules_are_not(scope: str) -> None:
    with pytest.raises(ValidationError, match="no rules for recommend"):
        Limits.model_validate({scope: {"execute": ()}})
    with pytest.raises(ValidationError):
        Limits.model_validate({scope: {"execute": (), "recommend": (), "delete": ()}})
    Limits.model_validate({scope: {"execute": (), "recommend": ()}})


def test_changing_one_settings_limits_leaves_the_defaults_of_others_alone() -> None:
    assert Limits().per_user is not Limits().per_user
    assert Settings(limits=Limits(per_user={"execute": (), "recommend": ()})) != Settings()
    assert Settings() == Settings()


KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="


@pytest.mark.parametrize(
    "text", [KEY, KEY.rstrip("="), f" {KEY} ", f"{KEY},{'-_' * 21}A", f"{KEY}, {'+/' * 21}A="]
)
def test_master_keys_are_read_and_shown_to_nobody(text: str) -> None:
    settings = Settings.from_environment({"WAYWARDEN_MASTER_KEY": text})
    assert settings.master_keys[0] == bytes.fromhex("abcdef0123456789" * 4)
    assert {len(key) for key in settings.master_keys} == {32}
    assert KEY[:20] not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert {part.strip() for part in text.split(",")} == {*settings.secrets}


@pytest.mark.parametrize(
    "text", ["secret", KEY[:-4], f"{KEY}AAAA", f"{KEY},", f"{KEY},short", "é" * 43, ",", "*" * 44]
)
def test_what_is_no_master_key_is_a_sentence_that_does_not_show_it(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_environment({"WAYWARDEN_MASTER_KEY": text})
    assert str(refused.value) == (
        "WAYWARDEN_MASTER_KEY: must be 32 random bytes in Base64, as `openssl rand -base64 32` "
        "prints."
    )
    assert refused.value.__cause__ is None


def test_without_a_master_key_there_is_none_until_one_is_needed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert settings.master_keys == ()
    assert settings.master_key_file == tmp_path / "master.key"
