"""The client for Claude, under the real SDK, over real sockets."""

from __future__ import annotations

import logging
import pickle
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core.llm import Ask, Claude, Completion, Connections, FailureKind, ModelFailure
from tests.asks import SCHEMA, an_ask
from tests.serving import free_port
from tests.wire.anthropic_server import KEY, SCENES, AnthropicServer
from tests.wire.server import Served

FAILURES = {scene: kind for scene, kind in SCENES.items() if kind is not None}
SLOW = {"silent", "stalls", "pings_for_ever"}
UNBILLED = {
    *("rate_limited", "overloaded", "unavailable", "wrong_key", "unpaid", "forbidden"),
    *("bad_request", "too_large"),
}
COUNTED = {"no_words", "garbled_json", "truncated", "window_full", "refused"}


@pytest.fixture
def wire() -> Iterator[AnthropicServer]:
    with AnthropicServer() as server:
        yield server


@pytest.fixture
def claude(wire: AnthropicServer, connections: Connections) -> Claude:
    return Claude(KEY, wire.url, connections)


def failed(claude: Claude, ask: Ask | None = None, **given: Any) -> ModelFailure:
    with pytest.raises(ModelFailure) as caught:
        claude.complete(ask or an_ask(), **given)
    return caught.value


def counted(completion: Completion) -> tuple[int, ...]:
    usage = completion.usage
    assert usage.measured
    return (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
    )


def used(served: Served) -> tuple[int, ...]:
    drawn = served.used
    return drawn.input, drawn.cache_read, drawn.cache_write, drawn.output, drawn.thinking


# --- answers


def test_an_answer_is_what_was_sent_and_used_what_was_used(
    claude: Claude, wire: AnthropicServer
) -> None:
    for _ in range(40):
        completion = claude.complete(an_ask())
        served = wire.served[-1]
        assert completion.value == served.answer
        assert counted(completion) == used(served)
        assert completion.stop_reason == "end_turn"
        assert completion.response_id is not None
        assert completion.response_id.startswith("msg_")
        assert completion.first_token_ms is not None
        assert 0 < completion.first_token_ms <= completion.latency_ms
    drawn = [served.used for served in wire.served]
    assert any(one.thinking for one in drawn)
    assert any(one.cache_read and one.cache_write for one in drawn)


def test_partial_answers_grow_into_the_whole_one(claude: Claude, wire: AnthropicServer) -> None:
    told: list[Any] = []
    completion = claude.complete(an_ask(), on_partial=told.append)
    assert told[-1] == completion.value == wire.served[0].answer
    sizes = [len(str(value)) for value in told]
    assert sizes == sorted(sizes)


def test_the_request_is_what_the_api_of_today_takes(claude: Claude, wire: AnthropicServer) -> None:
    claude.complete(an_ask())
    body = wire.served[0].body
    assert body["model"] == "claude-haiku-5-5"
    assert body["max_tokens"] == 800
    assert body["system"] == [{"type": "text", "text": "You turn tasks into steps."}]
    assert body["output_config"]["effort"] == "low"
    schema = body["output_config"]["format"]["schema"]
    assert schema["additionalProperties"] is False
    assert "minimum: 1" in str(schema)
    assert {"temperature", "tool_choice", "thinking"} & body.keys() == set()


def test_thinking_can_be_switched_off_and_the_system_prompt_kept(
    claude: Claude, wire: AnthropicServer
) -> None:
    claude.complete(an_ask(effort="off", cached=True))
    body = wire.served[0].body
    assert body["thinking"] == {"type": "disabled"}
    assert "effort" not in body["output_config"]
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}


def test_the_schema_is_not_changed_by_sending_it(claude: Claude) -> None:
    before = str(SCHEMA)
    claude.complete(an_ask())
    assert str(SCHEMA) == before


def test_threads_share_one_client(claude: Claude, wire: AnthropicServer) -> None:
    answers: dict[str, Any] = {}

    def ask(number: int) -> None:
        user = f"task {number}"
        answers[user] = claude.complete(an_ask(user=user)).value

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = {served.body["messages"][0]["content"]: served.answer for served in wire.served}
    assert answers == sent


# --- failures


@pytest.mark.parametrize("scene", sorted(FAILURES))
def test_every_failure_is_named_and_nothing_used_is_forgotten(
    scene: str, wire: AnthropicServer, claude: Claude
) -> None:
    wire.script.append(scene)
    ask = an_ask(deadline_s=1.0 if scene in SLOW else 10)
    failure = failed(claude, ask)

    assert failure.kind == FAILURES[scene]
    truth = wire.served[0].used
    usage = failure.usage or ask.most
    if scene in UNBILLED | COUNTED:
        assert usage.measured
        assert (usage.input_tokens, usage.output_tokens) == (truth.input, truth.output)
        assert usage.cache_read_tokens == truth.cache_read
        assert usage.cache_write_tokens == truth.cache_write
    else:
        assert not usage.measured
        assert usage.input_tokens >= truth.input
        assert usage.output_tokens >= truth.output


@pytest.mark.parametrize("scene", sorted(FAILURES))
def test_after_any_failure_the_next_call_is_well(
    scene: str, wire: AnthropicServer, claude: Claude
) -> None:
    wire.script.append(scene)
    failed(claude, an_ask(deadline_s=0.3 if scene in SLOW else 10))
    assert claude.complete(an_ask()).value == wire.served[-1].answer


def test_an_answer_that_breaks_off_leaves_the_input_known(
    claude: Claude, wire: AnthropicServer
) -> None:
    wire.script.append("stalls")
    failure = failed(claude, an_ask(deadline_s=1.0))
    assert failure.usage is not None
    assert failure.usage.input_tokens == wire.served[0].used.input
    assert failure.usage.output_tokens == 800


@pytest.mark.parametrize(
    ("scene", "reason"), [("truncated", "max_tokens"), ("refused", "refusal")]
)
def test_a_useless_answer_says_how_it_stopped(
    scene: str, reason: str, claude: Claude, wire: AnthropicServer
) -> None:
    wire.script.append(scene)
    assert failed(claude).stop_reason == reason


def test_when_to_come_back_is_passed_on(claude: Claude, wire: AnthropicServer) -> None:
    wire.retry_after = "2.5"
    wire.script.append("rate_limited")
    assert failed(claude).retry_after_s == 2.5


def test_a_date_to_come_back_is_taken_from_the_servers_own_clock(
    claude: Claude, wire: AnthropicServer
) -> None:
    wire.retry_after = "Wed, 21 Oct 2037 07:28:00 GMT"
    wire.script.append("rate_limited")
    after = failed(claude).retry_after_s
    assert after is not None
    assert after > 3e8


def test_what_is_wrong_with_a_request_is_quoted(claude: Claude) -> None:
    failure = failed(claude, an_ask(model="claude-3-opus"))
    assert failure.kind == "bad_request"
    assert str(failure).endswith("It says: “model: claude-3-opus”")


def test_nobody_there_costs_nothing(connections: Connections) -> None:
    failure = failed(Claude(KEY, f"http://127.0.0.1:{free_port()}", connections))
    assert failure.kind == "connection"
    assert failure.usage is not None
    assert (failure.usage.input_tokens, failure.usage.measured) == (0, True)


def test_a_redirect_is_not_followed_with_the_key(
    wire: AnthropicServer, connections: Connections
) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def redirect() -> None:
            caller, _ = door.accept()
            with caller:
                heard.append(caller.recv(65_536))
                caller.sendall(
                    b"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\n"
                    b"location: " + wire.url.encode() + b"/v1/messages\r\n\r\n"
                )

        thread = threading.Thread(target=redirect)
        thread.start()
        failure = failed(Claude(KEY, f"http://127.0.0.1:{door.getsockname()[1]}", connections))
        thread.join()
    assert failure.kind == "bad_request"
    assert wire.served == []
    assert heard


def test_failures_leave_no_connection_open(claude: Claude, wire: AnthropicServer) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    claude.complete(an_ask())
    before = opened()
    for scene in [*FAILURES] * 3:
        wire.script.append(scene)
        failed(claude, an_ask(deadline_s=0.1 if scene in SLOW else 10))
    claude.complete(an_ask())
    assert opened() <= before + 2  # the server may still be closing its end of the last one


# --- time and cancelling


def test_the_deadline_is_for_the_whole_call(claude: Claude, wire: AnthropicServer) -> None:
    for scene, kind in (("silent", "timeout"), ("pings_for_ever", "deadline")):
        wire.script.append(scene)
        since = time.monotonic()
        assert failed(claude, an_ask(deadline_s=1.0)).kind == kind
        assert 1.0 <= time.monotonic() - since < 2.5


@pytest.mark.parametrize("scene", ["silent", "stalls", "pings_for_ever"])
def test_stopping_reaches_the_running_call(
    scene: str, claude: Claude, wire: AnthropicServer
) -> None:
    wire.script.append(scene)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    since = time.monotonic()
    failure = failed(claude, stop=stop)
    assert failure.kind == "cancelled"
    assert time.monotonic() - since < 2
    assert wire.served[0].left.wait(2), "the server goes on for a caller who has left"


def test_what_the_listener_raises_ends_the_call(claude: Claude, wire: AnthropicServer) -> None:
    class Enough(Exception):
        pass

    def on_partial(_: object) -> None:
        raise Enough

    wire.pause_s = 0.02
    with pytest.raises(Enough):
        claude.complete(an_ask(), on_partial=on_partial)
    assert claude.complete(an_ask()).value == wire.served[-1].answer


def test_all_of_it_works_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    own = Connections()
    with AnthropicServer(["whole", "stalls"], pause_s=0.12, tls=tls) as wire:
        claude = Claude(KEY, wire.url, own)
        assert claude.complete(an_ask()).value == wire.served[0].answer
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        assert failed(claude, stop=stop).kind == "cancelled"
    own.close()


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wire")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "wire.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    return file


# --- secrets


@pytest.mark.parametrize("scene", sorted(FAILURES.keys() - SLOW))
def test_no_failure_shows_or_carries_the_key(
    scene: str, claude: Claude, wire: AnthropicServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wire.script.append(scene)
    failure = failed(claude)
    shown = "".join(traceback.format_exception(failure)) + repr(failure) + caplog.text
    assert KEY not in shown
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert KEY.encode() not in pickle.dumps(failure.__dict__)


@pytest.mark.parametrize("key", ["", "sk-ant-ключ", "sk-ant\nx-evil: 1"])
def test_what_cannot_be_a_key_is_not_sent(
    key: str, wire: AnthropicServer, connections: Connections
) -> None:
    failure = failed(Claude(key, wire.url, connections))
    assert failure.kind == "auth"
    assert not key or key not in str(failure)
    assert wire.served == []


def test_a_wrong_key_is_a_sentence(wire: AnthropicServer, connections: Connections) -> None:
    failure = failed(Claude("sk-ant-wrong", wire.url, connections))
    kind: FailureKind = "auth"
    assert failure.kind == kind
    assert str(failure) == (
        "Claude does not accept the key; enter another one. It says: “invalid x-api-key”"
    )
