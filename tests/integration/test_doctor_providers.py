"""What the doctor says of providers, over real sockets, under the real SDK."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.clock import SystemClock
from core.doctor import Finding, examine
from core.doctor import providers as asking
from core.doctor.providers import providers
from core.ledger import Ledger, SettingsSaved
from core.settings import PROJECT, OperatorSettings, SectionName, Settings
from tests.serving import free_port, waywarden_at
from tests.wire import anthropic_server, ollama_server
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.ollama_server import OllamaServer
from tests.wire.play import cost_of
from tests.wire.server import Served, WireServer

WRONG_KEY = "sk-ant-api03-Another0Key1That2Is3Not4Known5-_abcdefgAA"
SLOW = {"silent", "stalls", "pings_for_ever"}
LASTING = {"auth", "bad_request", "connection", "malformed"}
HELD = """
import sys
from pathlib import Path
from core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def claude() -> Iterator[AnthropicServer]:
    with AnthropicServer() as wire:
        yield wire


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer() as wire:
        yield wire


@pytest.fixture
def folder(tmp_path: Path, empty_ledger: Path) -> Path:
    """A data folder with an empty ledger in it."""
    made = tmp_path / "data"
    made.mkdir()
    shutil.copy(empty_ledger, made / "ledger.duckdb")
    return made


def for_claude(folder: Path, wire: WireServer, key: str = KEY, **more: Any) -> Settings:
    return Settings(data_dir=folder, anthropic_api_key=key, anthropic_base_url=wire.url, **more)


def for_ollama(folder: Path, wire: WireServer) -> Settings:
    return Settings(data_dir=folder, ollama_host=wire.url)


def save(settings: Settings, section: SectionName, value: dict[str, Any]) -> None:
    """Save settings as an operator does, and stop."""
    ledger = Ledger(settings.ledger_path)
    OperatorSettings(ledger, SystemClock(), settings).save(section, value, "ann", "So.", 0)
    ledger.close()


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in providers(settings)}


def sent(wire: WireServer) -> list[Served]:
    return wire.served


@contextmanager
def held_elsewhere(ledger: Path) -> Iterator[None]:
    """Have another process use the ledger meanwhile."""
    with subprocess.Popen(
        [sys.executable, "-c", HELD, str(ledger)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        yield
        process.communicate("")


# --- well


def test_what_is_well_says_who_answered_where_and_for_how_much(
    folder: Path, claude: AnthropicServer, ollama: OllamaServer
) -> None:
    settings = for_claude(folder, claude, ollama_host=ollama.url)
    both = found(settings)
    (of_claude,), (of_ollama,) = sent(claude), sent(ollama)
    usd = Decimal(cost_of("claude-haiku-5-5", of_claude)).scaleb(-9).normalize()
    told = both["Claude"]
    assert told.status == both["Ollama"].status == "ok"
    assert told.detail.startswith(f"claude-haiku-5-5 at {claude.url} answered in ")
    used = of_claude.used
    assert told.detail.endswith(
        f" That used {used.input:,} tokens in, {used.output} out, for ${usd:f}."
    )
    assert both["Ollama"].detail.startswith(f"llama3.2 at {ollama.url} answered in ")
    assert both["Ollama"].detail.endswith(
        f" That used {of_ollama.used.input:,} tokens in, {of_ollama.used.output} out, for $0."
    )


def test_the_question_is_tiny_and_about_nobody(folder: Path, claude: AnthropicServer) -> None:
    found(for_claude(folder, claude))
    (served,) = sent(claude)
    assert served.body["max_tokens"] == 64
    assert served.body["messages"] == [{"role": "user", "content": "Say that you are ready."}]
    assert served.body["output_config"]["effort"] == "low"
    assert len(json.dumps(served.body)) < 700


def test_nothing_set_up_is_well_and_asks_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    both = found(Settings(data_dir=folder))
    assert {name: each.status for name, each in both.items()} == {"Claude": "ok", "Ollama": "ok"}
    assert "no ANTHROPIC_API_KEY" in both["Claude"].detail
    assert "no OLLAMA_HOST" in both["Ollama"].detail
    assert all("the local recommender and planner" in each.detail for each in both.values())


def test_without_a_ledger_the_defaults_are_asked_and_none_is_made(
    tmp_path: Path, claude: AnthropicServer
) -> None:
    settings = for_claude(tmp_path / "later", claude)
    assert found(settings)["Claude"].status == "ok"
    assert not settings.data_dir.exists()


def test_an_answer_that_is_cut_off_was_an_answer(folder: Path, claude: AnthropicServer) -> None:
    claude.script.append("truncated")
    told = found(for_claude(folder, claude))["Claude"]
    assert told.status == "ok"
    assert "answers, though not within the 64 tokens" in told.detail
    assert ", 64 out, for $" in told.detail


def test_what_was_not_counted_is_an_upper_limit(folder: Path, ollama: OllamaServer) -> None:
    ollama.script.append("whole_uncounted")
    told = found(for_ollama(folder, ollama))["Ollama"]
    assert told.status == "ok"
    assert "That used at most 1," in told.detail


# --- faults


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory, empty_ledger: Path) -> Path:
    """A data folder whose operator gave answers one second."""
    made = tmp_path_factory.mktemp("hurried")
    shutil.copy(empty_ledger, made / "ledger.duckdb")
    deadlines = {"anthropic": {"deadline_s": 1}, "ollama": {"deadline_s": 1}}
    save(Settings(data_dir=made), "providers", deadlines)
    return made


def expected(kind: str | None) -> str:
    if kind is None or kind == "truncated":
        return "ok"
    return "failed" if kind in LASTING else "warning"


@pytest.mark.parametrize("scene", sorted(anthropic_server.SCENES))
def test_every_ending_of_claude_is_one_call_and_a_sentence(
    scene: str, folder: Path, hurried: Path, claude: AnthropicServer
) -> None:
    claude.script.append(scene)
    told = found(for_claude(hurried if scene in SLOW else folder, claude))["Claude"]
    assert told.status == expected(anthropic_server.SCENES[scene]), told.detail
    assert told.detail.startswith(f"claude-haiku-5-5 at {claude.url}")
    assert told.detail.endswith((".", "”"))
    assert KEY not in told.detail
    assert len(sent(claude)) == 1


@pytest.mark.parametrize("scene", sorted(ollama_server.SCENES))
def test_every_ending_of_ollama_is_one_call_and_a_sentence(
    scene: str, folder: Path, hurried: Path, ollama: OllamaServer
) -> None:
    ollama.script.append(scene)
    told = found(for_ollama(hurried if scene in SLOW else folder, ollama))["Ollama"]
    assert told.status == expected(ollama_server.SCENES[scene]), told.detail
    assert told.detail.startswith(f"llama3.2 at {ollama.url}")
    assert told.detail.endswith((".", "”"))
    assert len(sent(ollama)) == 1


def test_a_wrong_key_is_said_without_showing_it(folder: Path, claude: AnthropicServer) -> None:
    told = found(for_claude(folder, claude, WRONG_KEY))["Claude"]
    assert told.status == "failed"
    assert told.detail == (
        f"claude-haiku-5-5 at {claude.url}: Claude does not accept the key; enter another one. "
        "It says: “invalid x-api-key” The key is that of ANTHROPIC_API_KEY."
    )


def test_a_model_that_claude_does_not_have_is_named(folder: Path, claude: AnthropicServer) -> None:
    settings = for_claude(folder, claude)
    save(settings, "providers", {"anthropic": {"ranking_model": "claude-9"}})
    told = found(settings)["Claude"]
    assert told.status == "failed"
    assert "Claude has no model “claude-9”; choose another one on the settings page." in (
        told.detail
    )


def test_a_model_that_ollama_does_not_have_is_named(folder: Path, ollama: OllamaServer) -> None:
    settings = for_ollama(folder, ollama)
    save(settings, "providers", {"ollama": {"model": "phi9"}})
    told = found(settings)["Ollama"]
    assert told.status == "failed"
    assert "has no model “phi9” there; run `ollama pull phi9`." in told.detail


def test_nobody_at_the_address_is_said_with_the_address(folder: Path) -> None:
    ports = free_port(), free_port()
    settings = Settings(
        data_dir=folder,
        anthropic_api_key=KEY,
        anthropic_base_url=f"http://127.0.0.1:{ports[0]}",
        ollama_host=f"127.0.0.1:{ports[1]}",
    )
    for told, port in zip(found(settings).values(), ports, strict=True):
        assert told.status == "failed"
        assert f"cannot be reached at 127.0.0.1:{port}; check the address" in told.detail


def test_another_program_at_the_address_is_said(
    folder: Path, claude: AnthropicServer, ollama: OllamaServer
) -> None:
    settings = Settings(
        data_dir=folder,
        anthropic_api_key=KEY,
        anthropic_base_url=f"{claude.url}/elsewhere",
        ollama_host=f"{ollama.url}/elsewhere",
    )
    for name, told in found(settings).items():
        assert told.status == "failed"
        assert f"There is nothing of {name} at" in told.detail


def test_ollama_that_shuts_this_machine_out_is_not_a_matter_of_keys(
    folder: Path, ollama: OllamaServer
) -> None:
    ollama.script.append("forbidden")
    told = found(for_ollama(folder, ollama))["Ollama"].detail
    assert "does not let this machine in; look at its settings, and any proxy." in told
    assert "“this address may not be used”" in told
    assert "key" not in told


@pytest.mark.parametrize("scene", ["silent", "stalls"])
def test_a_slow_provider_is_waited_for_as_long_as_answers_may_take(
    scene: str, hurried: Path, ollama: OllamaServer
) -> None:
    ollama.script.append(scene)
    since = time.monotonic()
    told = found(for_ollama(hurried, ollama))["Ollama"]
    assert time.monotonic() - since < 4
    assert told.status == "warning"
    assert "It had 1 s. It may be loading the model: try again in a minute." in told.detail


def test_nobody_is_waited_for_longer_than_a_check_may_take(
    folder: Path, claude: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asking.DEADLINE_S == 15
    monkeypatch.setattr(asking, "DEADLINE_S", 0.5)
    claude.script.append("pings_for_ever")
    told = found(for_claude(folder, claude))["Claude"]
    assert told.status == "warning"
    assert "answered too slowly. It had 0.5 s." in told.detail


@pytest.mark.parametrize("provider", ["Claude", "Ollama"])
def test_a_model_that_does_not_write_json_is_told_from_a_wrong_address(
    provider: str, folder: Path, claude: AnthropicServer, ollama: OllamaServer
) -> None:
    wire: WireServer = claude if provider == "Claude" else ollama
    make = for_claude if provider == "Claude" else for_ollama
    wire.script.extend(["garbled_json", "web_page"])
    told = [found(make(folder, wire))[provider] for _ in range(2)]
    assert [each.status for each in told] == ["failed", "failed"]
    assert "what is no JSON; choose another model" in told[0].detail
    assert "check its address" in told[1].detail


@pytest.mark.parametrize("answer", [{"ready": "yes"}, ["ready"], 1])
def test_json_of_another_form_is_a_warning(folder: Path, answer: object) -> None:
    with OllamaServer(answer=lambda _: answer) as wire:
        told = found(for_ollama(folder, wire))["Ollama"]
    assert told.status == "warning"
    assert "JSON of another form than asked for; choose another model" in told.detail


def test_prices_with_faults_are_said_before_anything_is_spent(
    folder: Path, claude: AnthropicServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "prices.toml").write_text("version = 1", encoding="utf-8")
    monkeypatch.setattr(asking, "PROJECT", tmp_path)
    told = found(for_claude(folder, claude))["Claude"]
    assert told.status == "failed"
    assert "prices.toml: version: " in told.detail
    assert sent(claude) == []


# --- settings


def test_with_ai_off_nobody_is_asked(
    folder: Path, claude: AnthropicServer, ollama: OllamaServer
) -> None:
    settings = for_claude(folder, claude, ollama_host=ollama.url)
    save(settings, "privacy", {"ai_off": True})
    for told in found(settings).values():
        assert (told.status, told.detail) == ("ok", "not asked: AI is off on the settings page")
    assert sent(claude) == sent(ollama) == []


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("providers", {"anthropic": {"enabled": False}}),
        ("ladder", {"rungs": ["ollama", "local"]}),
    ],
)
def test_who_is_switched_off_or_on_no_rung_is_not_asked(
    section: SectionName, value: dict[str, Any], folder: Path, claude: AnthropicServer
) -> None:
    settings = for_claude(folder, claude)
    save(settings, section, value)
    told = found(settings)["Claude"]
    assert told.status == "ok"
    assert told.detail.startswith("not asked: it is switched off, or on no rung")
    assert sent(claude) == []


def test_an_address_of_the_settings_page_is_asked(folder: Path, ollama: OllamaServer) -> None:
    settings = Settings(data_dir=folder)
    save(settings, "providers", {"ollama": {"base_url": ollama.url, "model": "qwen3:8b"}})
    told = found(settings)["Ollama"]
    assert told.status == "ok"
    assert told.detail.startswith(f"qwen3:8b at {ollama.url} answered")


def test_an_address_at_a_host_that_is_allowed_no_more_is_not_asked(
    folder: Path, claude: AnthropicServer
) -> None:
    save(
        Settings(data_dir=folder, model_hosts="proxy.example"),
        "providers",
        {"anthropic": {"base_url": "https://proxy.example"}},
    )
    told = found(for_claude(folder, claude))["Claude"]
    assert told.status == "warning"
    assert "https://proxy.example is at a host that WAYWARDEN_MODEL_HOSTS does not name" in (
        told.detail
    )
    assert sent(claude) == []


def test_a_ledger_in_use_means_the_defaults_and_says_so(
    folder: Path, claude: AnthropicServer, ollama: OllamaServer
) -> None:
    settings = for_claude(folder, claude, ollama_host=ollama.url)
    save(settings, "providers", {"anthropic": {"ranking_model": "claude-opus-5-5"}})
    with held_elsewhere(settings.ledger_path):
        told = found(settings)["Claude"]
        assert told.status == "ok"
        assert told.detail.startswith("claude-haiku-5-5 at ")
        assert told.detail.endswith(
            "It was asked by the default settings, for the ledger is in use."
        )
    assert found(settings)["Claude"].detail.startswith("claude-opus-5-5 at ")


def test_what_may_only_be_wrong_with_the_defaults_is_no_failure(folder: Path) -> None:
    settings = Settings(
        data_dir=folder,
        anthropic_api_key=KEY,
        anthropic_base_url=f"http://127.0.0.1:{free_port()}",
    )
    with held_elsewhere(settings.ledger_path):
        assert found(settings)["Claude"].status == "warning"
    assert found(settings)["Claude"].status == "failed"


def test_a_wrong_key_is_wrong_whatever_the_settings(folder: Path, claude: AnthropicServer) -> None:
    settings = for_claude(folder, claude, WRONG_KEY)
    with held_elsewhere(settings.ledger_path):
        assert found(settings)["Claude"].status == "failed"


def test_a_damaged_ledger_means_the_defaults(folder: Path, claude: AnthropicServer) -> None:
    settings = for_claude(folder, claude)
    settings.ledger_path.write_bytes(b"This was a ledger once. " * 1_000)
    told = found(settings)["Claude"]
    assert told.status == "ok"
    assert told.detail.endswith("for the ledger cannot be read.")


def test_a_ledger_from_before_there_were_settings_means_the_defaults(
    tmp_path: Path, claude: AnthropicServer
) -> None:
    settings = for_claude(tmp_path, claude)
    with duckdb.connect(str(settings.ledger_path)) as old:
        old.execute("CREATE TABLE schema_migrations (version BIGINT, name VARCHAR)")
    told = found(settings)["Claude"]
    assert told.status == "ok"
    assert "default settings" not in told.detail


def test_settings_of_a_newer_version_are_said_and_nobody_is_asked(
    folder: Path, claude: AnthropicServer
) -> None:
    settings = for_claude(folder, claude)
    ledger = Ledger(settings.ledger_path)
    ledger.write(
        SettingsSaved(
            ts=SystemClock().now(),
            version_id="v",
            section="ladder",
            version=7,
            schema_version=2,
            value={},
            changes=[],
            actor="ann",
            reason="So.",
            restored_from=None,
        )
    )
    ledger.close()
    (told,) = providers(settings)
    assert (told.check, told.status) == ("settings", "failed")
    assert "saved by another version of Waywarden" in told.detail
    assert sent(claude) == []


def test_the_check_leaves_everything_as_it_was(folder: Path, claude: AnthropicServer) -> None:
    settings = for_claude(folder, claude)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    examine(settings)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    Ledger(settings.ledger_path).close()


# --- secrets


class _Gossip(anthropic_server._Handler):
    """Says what it was told, as a proxy in the way may."""

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        self.body()
        said = f"no luck with {dict(self.headers)}"
        self.send(400, {"error": {"type": "invalid_request_error", "message": said}})


class _GossipingServer(AnthropicServer):
    handler = _Gossip


@pytest.mark.parametrize("key", [KEY, WRONG_KEY, "a key of another kind, like 1-2-3-4-5"])
def test_a_server_that_repeats_the_key_does_not_make_the_doctor_show_it(
    key: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with _GossipingServer() as wire:
        told = found(for_claude(folder, wire, key))["Claude"]
    assert told.status == "failed"
    assert key not in f"{told!r} {caplog.text}"


def test_a_key_within_an_address_is_not_shown(folder: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/{KEY}"
    settings = Settings(data_dir=folder, anthropic_api_key=KEY, anthropic_base_url=address)
    told = found(settings)["Claude"]
    assert told.status == "failed"
    assert KEY not in told.detail


# --- the command


def doctor(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core.cli", "doctor", *arguments],
        cwd=PROJECT,
        env=waywarden_at(folder) | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_fails_with_a_wrong_key_and_prints_it_nowhere(
    folder: Path, claude: AnthropicServer
) -> None:
    done = doctor(folder, "--json", ANTHROPIC_API_KEY=WRONG_KEY, ANTHROPIC_BASE_URL=claude.url)
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert said["ok"] is False
    told = {finding["check"]: finding for finding in said["findings"]}
    assert told["Claude"]["status"] == "failed"
    assert told["Ollama"]["status"] == "ok"
    assert WRONG_KEY not in done.stdout + done.stderr


def test_the_command_is_content_when_both_answer(
    folder: Path, claude: AnthropicServer, ollama: OllamaServer
) -> None:
    done = doctor(
        folder,
        ANTHROPIC_API_KEY=KEY,
        ANTHROPIC_BASE_URL=claude.url,
        OLLAMA_HOST=ollama.url.removeprefix("http://"),
    )
    assert done.returncode == 0, done.stdout
    assert (
        f"ok       Claude            claude-haiku-5-5 at {claude.url} answered in" in done.stdout
    )
    assert f"ok       Ollama            llama3.2 at {ollama.url} answered in" in done.stdout
    assert KEY not in done.stdout + done.stderr
    assert done.stderr == ""
