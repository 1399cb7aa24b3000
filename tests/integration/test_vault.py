"""Stored keys: sealed, bound to their person, revocable, and shown to nobody."""

from __future__ import annotations

import base64
import secrets
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import InvalidInput, KeyUnreadable, MasterKeyUnusable, RowRefused
from core.ledger import KeyChanged, KeySealed, Ledger, StepChanged
from core.llm import MasterKeys, Rotation, Vault
from core.llm.master_key import MasterKey
from tests.asking import rows
from tests.fakes import FakeClock

KEY = "sk-ant-api03-Aq7fT0uGkBx2vN9sYcHd"
OTHER = "sk-ant-api03-Zr4mW8eLpJi6oD1tRgVn"
MINE, THEIRS = secrets.token_bytes(32), secrets.token_bytes(32)

Open = Callable[..., Vault]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "master.key"


@pytest.fixture
def open_vault(ledger: Ledger, clock: FakeClock, file: Path) -> Open:
    def open_one(*given: bytes, deployment: str | None = None) -> Vault:
        own = SecretStr(deployment) if deployment else None
        return Vault.recovered(ledger, MasterKeys(given, file), clock, {"anthropic": own})

    return open_one


@pytest.fixture
def vault(open_vault: Open) -> Vault:
    return open_vault()


def states(vault: Vault, user_id: str = "ada") -> list[tuple[str, str]]:
    return [(entry.last_four, entry.state) for entry in vault.listed(user_id)]


def events(ledger: Ledger) -> list[str]:
    return [row["event"] for row in rows(ledger, "key_events")]


# --- storing and revealing


def test_a_stored_key_is_revealed_to_calls_of_its_person_only(vault: Vault) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    assert vault.reveal("ada", "anthropic") == KEY
    assert vault.reveal("bob", "anthropic") is None
    assert vault.reveal("ada", "ollama") is None


def test_what_is_pasted_around_a_key_is_left_out(vault: Vault) -> None:
    vault.store("ada", "anthropic", f" {KEY}\n", "ada")
    assert vault.reveal("ada", "anthropic") == KEY


@pytest.mark.parametrize(
    ("provider", "text", "sentence"),
    [
        ("anthropic", "", "Paste the key first."),
        ("anthropic", " \n", "Paste the key first."),
        ("anthropic", "sk-proj-" + "x" * 30, "begins with sk-ant-; this one does not."),
        ("anthropic", "sk-ant-admin01-" + "x" * 30, "This is an admin key"),
        ("anthropic", "sk-ant-oat01-" + "x" * 30, "This is a sign-in token"),
        ("anthropic", "sk-ant-short", "A key has 20 to 256 characters; copy all of it."),
        ("anthropic", "sk-ant-" + "x" * 250, "A key has 20 to 256 characters; copy all of it."),
        ("anthropic", f"{KEY} {KEY}", "no spaces, line breaks or special characters"),
        ("anthropic", f"{KEY}\n{KEY}", "no spaces, line breaks or special characters"),
        ("anthropic", f"{KEY}é", "no spaces, line breaks or special characters"),
        ("anthropic", f"{KEY}\0", "no spaces, line breaks or special characters"),
        ("openai", KEY, "No key can be stored for this provider."),
    ],
)
def test_what_is_no_key_is_one_sentence_that_does_not_show_it(
    vault: Vault, ledger: Ledger, provider: str, text: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        vault.store("ada", provider, text, "ada")
    assert sentence in str(refused.value)
    assert str(refused.value).count(".") == 1
    assert not text.strip() or text.strip() not in str(refused.value)
    assert rows(ledger, "provider_keys") == []


def test_a_new_key_replaces_the_one_before_it(vault: Vault) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    vault.store("ada", "anthropic", OTHER, "ada")
    assert vault.reveal("ada", "anthropic") == OTHER
    assert states(vault) == [("RgVn", "in use"), ("YcHd", "replaced")]


def test_all_that_is_listed_of_a_key_is_its_last_four_and_its_times(
    vault: Vault, clock: FakeClock
) -> None:
    before = clock.now()
    vault.store("ada", "anthropic", KEY, "ada")
    (entry,) = vault.listed("ada")
    assert (entry.provider, entry.last_four, entry.state) == ("anthropic", "YcHd", "in use")
    assert before < entry.created < clock.now()
    assert (entry.last_used, entry.ended) == (None, None)
    assert KEY[:-4] not in repr(entry)


def test_the_last_use_is_shown_and_noted_once_a_minute(
    vault: Vault, ledger: Ledger, clock: FakeClock
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    vault.reveal("ada", "anthropic")
    first = vault.listed("ada")[0].last_used
    clock.advance(seconds=59)
    vault.reveal("ada", "anthropic")
    assert vault.listed("ada")[0].last_used == first
    clock.advance(seconds=1)
    vault.reveal("ada", "anthropic")
    last = vault.listed("ada")[0].last_used
    assert first is not None
    assert last is not None
    assert last - first >= timedelta(minutes=1)
    assert events(ledger) == ["stored", "used", "used"]


def test_a_held_key_has_an_id_and_hides_its_secret(vault: Vault) -> None:
    key_id = vault.store("ada", "anthropic", KEY, "ada")
    held = vault.held("ada", "anthropic")
    assert held is not None
    assert held.key_id == key_id
    assert KEY not in f"{held} {held!r}"


# --- revoking and clearing


def test_a_revoked_key_is_gone_at_once_and_for_good(vault: Vault, open_vault: Open) -> None:
    vault.store("ada", "anthropic", OTHER, "ada")
    vault.store("ada", "anthropic", KEY, "ada")
    vault.revoke("ada", vault.listed("ada")[0].key_id, "ada")
    assert vault.reveal("ada", "anthropic") is None
    assert states(vault) == [("YcHd", "revoked"), ("RgVn", "replaced")]
    assert open_vault().reveal("ada", "anthropic") is None


def test_only_a_key_in_use_of_the_same_person_can_be_revoked(vault: Vault) -> None:
    key_id = vault.store("ada", "anthropic", KEY, "ada")
    for user_id, which in (("bob", key_id), ("ada", "no-such-key")):
        with pytest.raises(InvalidInput, match="no longer in use"):
            vault.revoke(user_id, which, "bob")
    assert vault.reveal("ada", "anthropic") == KEY
    vault.revoke("ada", key_id, "ada")
    with pytest.raises(InvalidInput, match="no longer in use"):
        vault.revoke("ada", key_id, "ada")


def test_clearing_a_provider_ends_the_keys_of_everybody(vault: Vault, ledger: Ledger) -> None:
    for name in ("ada", "bob", "eve"):
        vault.store(name, "anthropic", KEY, name)
    vault.revoke("eve", vault.listed("eve")[0].key_id, "eve")
    assert vault.clear("ollama", "root") == 0
    assert vault.clear("anthropic", "root") == 2
    assert vault.clear("anthropic", "root") == 0
    assert [vault.reveal(name, "anthropic") for name in ("ada", "bob", "eve")] == [None] * 3
    assert states(vault) == [("YcHd", "cleared")]
    cleared = [row for row in rows(ledger, "key_events") if row["event"] == "cleared"]
    assert {row["actor"] for row in cleared} == {"root"}


def test_after_a_revocation_a_new_key_counts(vault: Vault) -> None:
    vault.revoke("ada", vault.store("ada", "anthropic", KEY, "ada"), "ada")
    vault.store("ada", "anthropic", OTHER, "ada")
    assert vault.reveal("ada", "anthropic") == OTHER


# --- the deployment's key


def test_the_deployments_key_counts_for_whoever_has_none_and_is_never_stored(
    open_vault: Open, ledger: Ledger, file: Path
) -> None:
    vault = open_vault(deployment=OTHER)
    held = vault.held("ada", "anthropic")
    assert held is not None
    assert (held.key_id, held.secret.get_secret_value()) == ("deployment", OTHER)
    assert vault.has_deployment_key("anthropic")
    assert rows(ledger, "provider_keys") == rows(ledger, "key_events") == []
    assert vault.listed("ada") == []
    assert not file.exists()
    key_id = vault.store("ada", "anthropic", KEY, "ada")
    assert vault.reveal("ada", "anthropic") == KEY
    assert vault.reveal("bob", "anthropic") == OTHER
    vault.revoke("ada", key_id, "ada")
    assert vault.reveal("ada", "anthropic") == OTHER


# --- what is sealed


def test_a_sealed_key_opens_for_its_own_person_provider_and_row_only() -> None:
    master = MasterKey(MINE)
    sealed = master.seal(KEY, "ada", "anthropic", "k1")
    assert master.unseal(sealed, "ada", "anthropic", "k1") == KEY
    others = (
        ("bob", "anthropic", "k1"),
        ("ada", "ollama", "k1"),
        ("ada", "anthropic", "k2"),
        ("ad", "aanthropic", "k1"),
        ("ada", "anthropic"),
    )
    for bound in others:
        with pytest.raises(KeyUnreadable):
            master.unseal(sealed, *bound)


def test_no_byte_of_what_is_sealed_can_be_changed() -> None:
    master = MasterKey(MINE)
    raw = bytearray(base64.urlsafe_b64decode(master.seal(KEY, "ada")))
    for place in range(len(raw)):
        changed = raw.copy()
        changed[place] ^= 1
        with pytest.raises(KeyUnreadable):
            master.unseal(base64.urlsafe_b64encode(changed).decode(), "ada")
    for cut in ("", "AAAA", "not Base64!", base64.urlsafe_b64encode(raw[:20]).decode()):
        with pytest.raises(KeyUnreadable):
            master.unseal(cut, "ada")


def test_the_same_key_is_never_sealed_to_the_same_text_twice() -> None:
    master = MasterKey(MINE)
    assert len({master.seal(KEY, "ada") for _ in range(1_000)}) == 1_000


def test_rows_swapped_between_people_do_not_open(vault: Vault, ledger: Ledger) -> None:
    for name, key in (("ada", KEY), ("bob", OTHER)):
        vault.store(name, "anthropic", key, name)
    ada, bob = (KeySealed.model_validate(row) for row in rows(ledger, "provider_keys"))
    swapped = [
        ada.model_copy(update={"sealed": bob.sealed}),
        bob.model_copy(update={"sealed": ada.sealed}),
    ]
    ledger.replace_keys(swapped, [])
    for name in ("ada", "bob"):
        with pytest.raises(KeyUnreadable, match="was changed"):
            vault.reveal(name, "anthropic")


# --- the master key


def test_the_master_key_is_made_on_first_use_for_its_owner_only(vault: Vault, file: Path) -> None:
    assert vault.reveal("ada", "anthropic") is None
    assert vault.listed("ada") == []
    assert not file.exists()
    vault.store("ada", "anthropic", KEY, "ada")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in file.read_text(encoding="ascii")
    assert [each.name for each in file.parent.iterdir() if each.name.startswith(".")] == []


def test_a_restart_finds_the_master_key_again(vault: Vault, open_vault: Open) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    assert open_vault().reveal("ada", "anthropic") == KEY


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666, 0o620, 0o610])
def test_a_master_key_that_others_can_read_or_write_is_refused(
    vault: Vault, open_vault: Open, file: Path, mode: int
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    file.chmod(mode)
    opened = open_vault()
    with pytest.raises(MasterKeyUnusable, match="chmod 600"):
        opened.reveal("ada", "anthropic")
    with pytest.raises(MasterKeyUnusable, match="chmod 600"):
        opened.store("ada", "anthropic", KEY, "ada")
    file.chmod(0o600)
    assert open_vault().reveal("ada", "anthropic") == KEY


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "short\n", "é\n", "A" * 44 + "\n?\n"])
def test_a_damaged_master_key_is_a_sentence_and_is_left_as_it_is(
    vault: Vault, open_vault: Open, file: Path, text: str
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    file.write_text(text, encoding="utf-8")
    opened = open_vault()
    with pytest.raises(MasterKeyUnusable, match="is damaged"):
        opened.store("ada", "anthropic", KEY, "ada")
    assert file.read_text(encoding="utf-8") == text


def test_a_folder_that_cannot_be_written_is_a_sentence_and_nothing_is_stored(
    vault: Vault, ledger: Ledger, file: Path
) -> None:
    file.with_name(".master.key.new").mkdir()
    with pytest.raises(MasterKeyUnusable, match="cannot be written"):
        vault.store("ada", "anthropic", KEY, "ada")
    assert rows(ledger, "provider_keys") == []


def test_a_lost_master_key_makes_its_keys_unreadable_and_new_ones_can_be_entered(
    vault: Vault, open_vault: Open, file: Path
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    file.unlink()
    opened = open_vault(deployment=OTHER)
    with pytest.raises(KeyUnreadable, match="enter your key again"):
        opened.reveal("ada", "anthropic")
    assert states(opened) == [("YcHd", "unreadable")]
    opened.store("ada", "anthropic", OTHER, "ada")
    assert opened.reveal("ada", "anthropic") == OTHER


# --- rotation


def test_a_rotation_seals_everything_anew_and_forgets_the_old_master_key(
    vault: Vault, open_vault: Open, ledger: Ledger, file: Path
) -> None:
    people = [f"person {number}" for number in range(60)]
    for name in people:
        vault.store(name, "anthropic", f"{KEY}{name[7:]}", name)
    listed = [vault.listed(name) for name in people]
    old, sealed = file.read_text(encoding="ascii"), rows(ledger, "provider_keys")
    assert vault.rotate("root") == Rotation(resealed=60, erased=0, unreadable=0)
    new = file.read_text(encoding="ascii")
    assert {*old.splitlines()} & {*new.splitlines()} == {old.splitlines()[0]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    resealed = rows(ledger, "provider_keys")
    assert [row["key_id"] for row in resealed] == [row["key_id"] for row in sealed]
    assert not {row["sealed"] for row in resealed} & {row["sealed"] for row in sealed}
    for opened in (vault, open_vault()):
        assert [opened.reveal(name, "anthropic") for name in people] == [
            f"{KEY}{name[7:]}" for name in people
        ]
    assert [
        [(entry.key_id, entry.created) for entry in vault.listed(name)] for name in people
    ] == [[(entry.key_id, entry.created) for entry in entries] for entries in listed]


def test_each_replaced_row_has_a_row_that_says_so(vault: Vault, ledger: Ledger) -> None:
    vault.store("ada", "anthropic", OTHER, "ada")
    vault.store("ada", "anthropic", KEY, "ada")
    vault.store("bob", "anthropic", KEY, "bob")
    assert vault.rotate("root") == Rotation(resealed=2, erased=1, unreadable=0)
    audit = [row for row in rows(ledger, "key_events") if row["actor"] == "root"]
    assert sorted(row["event"] for row in audit) == ["erased", "resealed", "resealed"]
    now = rows(ledger, "provider_keys")
    assert {row["key_id"] for row in audit} == {row["key_id"] for row in now}
    assert {row["master_id"] for row in audit} == {row["master_id"] for row in now}


def test_what_is_sealed_of_an_ended_key_goes_with_the_next_rotation(
    vault: Vault, ledger: Ledger
) -> None:
    vault.revoke("ada", vault.store("ada", "anthropic", KEY, "ada"), "ada")
    assert vault.rotate("root").erased == 1
    (row,) = rows(ledger, "provider_keys")
    assert (row["sealed"], row["master_id"], row["last_four"]) == (None, None, "YcHd")
    assert states(vault) == [("YcHd", "revoked")]
    assert vault.rotate("root") == Rotation(0, 0, 0)


def test_a_row_that_cannot_be_opened_does_not_stop_a_rotation(
    vault: Vault, ledger: Ledger
) -> None:
    for name in ("ada", "bob"):
        vault.store(name, "anthropic", KEY, name)
    bad = KeySealed.model_validate(rows(ledger, "provider_keys")[0])
    ledger.replace_keys([bad.model_copy(update={"sealed": "AAAA"})], [])
    assert vault.rotate("root") == Rotation(resealed=1, erased=0, unreadable=1)
    assert vault.reveal("bob", "anthropic") == KEY
    assert states(vault, "ada") == [("YcHd", "unreadable")]


@pytest.mark.parametrize("resealed", [False, True])
def test_a_rotation_that_was_cut_off_is_ended_at_the_next_start(
    vault: Vault, open_vault: Open, ledger: Ledger, file: Path, resealed: bool
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    keys = MasterKeys((), file)
    new = keys.begin_rotation()
    if resealed:
        row = KeySealed.model_validate(rows(ledger, "provider_keys")[0])
        sealed = new.seal(KEY, row.user_id, row.provider, row.key_id)
        ledger.replace_keys([row.model_copy(update={"sealed": sealed, "master_id": new.id})], [])
    assert len(_keys_in(file)) == 2
    opened = open_vault()
    assert opened.reveal("ada", "anthropic") == KEY
    assert _keys_in(file) == [new.written()]
    assert [row["master_id"] for row in rows(ledger, "provider_keys")] == [new.id]


def _keys_in(file: Path) -> list[str]:
    lines = file.read_text(encoding="ascii").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_keys_are_revealed_and_stored_while_the_master_key_changes(vault: Vault) -> None:
    keys = {f"person {number}": f"{KEY}{number}" for number in range(8)}
    stop = threading.Event()

    def use(name: str) -> list[str | None]:
        found = []
        while not stop.is_set():
            vault.store(name, "anthropic", keys[name], name)
            found.append(vault.reveal(name, "anthropic"))
        return found

    with ThreadPoolExecutor(len(keys)) as pool:
        using = {name: pool.submit(use, name) for name in keys}
        for _ in range(12):
            vault.rotate("root")
        stop.set()
        assert {name: {*each.result()} for name, each in using.items()} == {
            name: {key} for name, key in keys.items()
        }


# --- a master key of the environment


def test_a_master_key_of_the_environment_seals_and_no_file_is_made(
    open_vault: Open, file: Path
) -> None:
    vault = open_vault(MINE)
    vault.store("ada", "anthropic", KEY, "ada")
    assert not file.exists()
    assert open_vault(MINE).reveal("ada", "anthropic") == KEY
    with pytest.raises(KeyUnreadable):
        open_vault(THEIRS).reveal("ada", "anthropic")


def test_a_new_key_before_the_old_in_the_environment_takes_its_place_at_the_start(
    open_vault: Open,
) -> None:
    open_vault(MINE).store("ada", "anthropic", KEY, "ada")
    assert open_vault(THEIRS, MINE).reveal("ada", "anthropic") == KEY
    assert open_vault(THEIRS).reveal("ada", "anthropic") == KEY


def test_a_deployment_can_move_from_its_file_to_the_environment(
    vault: Vault, open_vault: Open, file: Path
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    assert open_vault(MINE).reveal("ada", "anthropic") == KEY
    file.unlink()
    assert open_vault(MINE).reveal("ada", "anthropic") == KEY


def test_a_master_key_of_the_environment_is_not_changed_here(open_vault: Open) -> None:
    vault = open_vault(MINE)
    assert not vault.can_rotate
    assert vault.master_key_place == "WAYWARDEN_MASTER_KEY"
    with pytest.raises(MasterKeyUnusable, match="put a new one before it, with a comma between"):
        vault.rotate("root")


# --- the ledger's only deletion


def test_only_rows_of_the_same_keys_are_replaced(ledger: Ledger, clock: FakeClock) -> None:
    def sealed(key_id: str, text: str) -> KeySealed:
        return KeySealed(
            ts=clock.now(),
            key_id=key_id,
            user_id="ada",
            provider="anthropic",
            last_four="1234",
            actor="ada",
            sealed=text,
        )

    ledger.write(sealed("k1", "old"), sealed("k2", "old"), sealed("k3", "old"))
    audit = KeyChanged(
        ts=clock.now(),
        event_id="e",
        key_id="k1",
        user_id="ada",
        provider="anthropic",
        event="resealed",
        actor="root",
    )
    ledger.replace_keys([sealed("k1", "new"), sealed("k3", "new")], [audit])
    ledger.replace_keys([], [audit])
    kept = {row["key_id"]: row["sealed"] for row in rows(ledger, "provider_keys")}
    assert kept == {"k1": "new", "k2": "old", "k3": "new"}
    assert events(ledger) == ["resealed"]


def test_a_replacement_whose_audit_is_refused_replaces_nothing(
    vault: Vault, ledger: Ledger, clock: FakeClock
) -> None:
    vault.store("ada", "anthropic", KEY, "ada")
    before = rows(ledger, "provider_keys")
    poison = StepChanged(
        ts=clock.now(), event_id="e", execution_id="x", user_id="ada", step=1, event="done"
    ).model_copy(update={"step": 2**63})
    emptied = KeySealed.model_validate(before[0] | {"sealed": None, "master_id": None})
    with pytest.raises(RowRefused):
        ledger.replace_keys([emptied], [poison])
    assert rows(ledger, "provider_keys") == before
    assert vault.reveal("ada", "anthropic") == KEY
