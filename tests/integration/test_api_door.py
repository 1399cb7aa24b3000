"""Who may call the API: nobody without the token, and without one no website and no stranger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import runtime as runtimes
from core.api import build
from core.ledger import EVENTS
from core.recommend import Embedder
from core.runtime import Runtime, routes
from core.settings import Settings
from tests.asking import UNLIMITED, rows
from tests.fakes import FakeClock
from tests.serving import API, EXECUTE, Answer, Served, execute_body, served

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - opens nothing
NOBODY = "00000000-0000-7000-8000-000000000000"
OPEN_PATHS = {"/healthz", "/readyz", "/openapi.json"}
BODIES: dict[str, dict[str, object]] = {
    f"{API}/workflows/recommend": {"task_title": "fix the login bug"},
    f"{API}/workflows/execute": execute_body(),
    f"{API}/executions/{{execution_id}}/steps/{{number}}": {"event": "done"},
    f"{API}/feedback": {"execution_id": NOBODY, "useful": True},
    f"{API}/backup": {},
}


def operations() -> list[tuple[str, str]]:
    """Every method and path of the document, and the document itself."""
    document = _document()
    found = [
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    ]
    return [*found, ("GET", "/openapi.json")]


def _document() -> dict[str, Any]:
    def no_services() -> Runtime:
        raise AssertionError

    app: Any = build(no_services, lambda: None)
    document: dict[str, Any] = TestClient(app).get("/openapi.json").json()
    return document


OPERATIONS = operations()


def opened(folder: Path, embedder: Embedder, token: str | None) -> Runtime:
    settings = Settings(
        data_dir=folder, limits=UNLIMITED, api_token=SecretStr(token) if token else None
    )
    runtime = Runtime(settings, clock=FakeClock(), embedder=embedder)
    runtime.ranker()
    return runtime


@pytest.fixture(scope="module")
def guarded_runtime(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[Runtime]:
    runtime = opened(tmp_path_factory.mktemp("guarded"), embedder, TOKEN)
    yield runtime
    runtime.drain()


@pytest.fixture(scope="module")
def local_runtime(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[Runtime]:
    runtime = opened(tmp_path_factory.mktemp("local"), embedder, None)
    yield runtime
    runtime.drain()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(None) as opened_server:
        yield opened_server


@pytest.fixture
def guarded(server: Served, guarded_runtime: Runtime) -> Iterator[Served]:
    """The API of a deployment with a token."""
    runtimes.use(guarded_runtime)
    yield server
    runtimes.use(None)


@pytest.fixture
def local(server: Served, local_runtime: Runtime) -> Iterator[Served]:
    """The API of a deployment without a token."""
    runtimes.use(local_runtime)
    yield server
    runtimes.use(None)


def everything(runtime: Runtime) -> list[Any]:
    """All that a call could have left behind."""
    tables = [rows(runtime.ledger, event.table) for event in EVENTS]
    return [*tables, sorted(runtime.settings.data_dir.glob("backups/*"))]


def call(server: Served, method: str, path: str, headers: dict[str, str]) -> Answer:
    whole = path.format(workflow_id="bug-fix", execution_id=NOBODY, number=1)
    return server.ask(method, whole, BODIES.get(path), headers)


def is_refused(answer: Answer, status: int, kind: str) -> None:
    assert answer.status == status, answer.raw
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["type"] == f"urn:waywarden:problem:{kind}"
    assert answer.body["request_id"] == answer.headers["x-request-id"]
    assert TOKEN not in answer.raw.decode()


# --- with a token

NOT_IT: dict[str, dict[str, str]] = {
    "none": {},
    "empty": {"Authorization": ""},
    "no scheme": {"Authorization": TOKEN},
    "another scheme": {"Authorization": f"Basic {TOKEN}"},
    "only the scheme": {"Authorization": "Bearer"},
    "scheme and a space": {"Authorization": "Bearer "},
    "another token": {"Authorization": f"Bearer {TOKEN[::-1]}"},
    "a prefix": {"Authorization": f"Bearer {TOKEN[:-1]}"},
    "one character more": {"Authorization": f"Bearer {TOKEN}x"},
    "other capitals": {"Authorization": f"Bearer {TOKEN.upper()}"},
    "two tokens": {"Authorization": f"Bearer x, Bearer {TOKEN}"},
    "not ASCII": {"Authorization": f"Bearer {TOKEN[:-1]}é"},
    "in another header": {"X-API-Key": TOKEN, "Proxy-Authorization": f"Bearer {TOKEN}"},
    "in a cookie": {"Cookie": f"token={TOKEN}"},
}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_call_gets_through_without_the_token(
    guarded: Served, guarded_runtime: Runtime, method: str, path: str
) -> None:
    before = everything(guarded_runtime)
    for given in NOT_IT.values():
        answer = call(guarded, method, path, given)
        if path in OPEN_PATHS:
            assert answer.status == 200
        else:
            is_refused(answer, 401, "not-authorised")
            assert answer.headers["www-authenticate"] == "Bearer"
    assert everything(guarded_runtime) == before


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_call_gets_through_with_the_token(guarded: Served, method: str, path: str) -> None:
    answer = call(guarded, method, path, {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == (
        404 if NOBODY in str(BODIES.get(path)) or "execution" in path else 200
    )


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER   "])
def test_the_scheme_is_read_in_any_capitals(guarded: Served, scheme: str) -> None:
    headers = {"Authorization": f"{scheme}{TOKEN}"}
    assert guarded.ask("GET", f"{API}/usage", headers=headers).status == 200


def test_the_matrix_covers_what_is_served() -> None:
    assert len(OPERATIONS) == 13
    assert {path for method, path in OPERATIONS if method in {"POST", "PATCH"}} == set(BODIES)


def test_no_token_is_taken_from_the_question(guarded: Served) -> None:
    for name in ("token", "access_token", "api_key"):
        is_refused(guarded.ask("GET", f"{API}/workflows?{name}={TOKEN}"), 401, "not-authorised")


def test_what_is_not_there_is_not_told_without_the_token(guarded: Served) -> None:
    is_refused(guarded.ask("GET", f"{API}/nothing"), 401, "not-authorised")
    is_refused(guarded.ask("BREW", f"{API}/workflows"), 401, "not-authorised")


def test_with_a_token_any_machine_by_any_name_through_any_proxy_may_call(
    guarded: Served,
) -> None:
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Host": "waywarden.example.org",
        "X-Forwarded-For": "203.0.113.9",
    }
    assert guarded.ask("GET", f"{API}/workflows/bug-fix", headers=headers).status == 200
    away = calling_from("203.0.113.9")
    assert away.get(f"{API}/usage", headers=headers).status_code == 200


def test_with_a_token_a_body_still_has_to_be_json(guarded: Served) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}
    answer = guarded.ask("POST", EXECUTE, execute_body(), headers)
    is_refused(answer, 415, "unsupported-media-type")


def test_a_token_of_any_script_is_compared_byte_by_byte(
    tmp_path: Path, embedder: Embedder
) -> None:
    token = "пароль-пароль-пароль"  # noqa: S105 - opens nothing
    runtime = opened(tmp_path, embedder, token)
    with served(runtime) as server:
        sent = f"GET {API}/usage HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
        right = sent + b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
        wrong = sent + b"Authorization: Bearer " + token.encode("koi8-r") + b"\r\n\r\n"
        assert server.raw(right).startswith(b"HTTP/1.1 200 ")
        assert server.raw(wrong).startswith(b"HTTP/1.1 401 ")
    runtime.drain()


# --- without a token


def calling_from(address: str, host: str = "localhost") -> TestClient:
    """A caller at an address that a test machine does not have."""
    app = Starlette(routes=routes())
    return TestClient(app, base_url=f"http://{host}", client=(address, 50_000))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_a_token_every_call_of_this_machine_gets_through(
    local: Served, method: str, path: str
) -> None:
    assert call(local, method, path, {}).status in {200, 404}


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_loopback_has_many_addresses(address: str) -> None:
    assert calling_from(address).get(f"{API}/usage").status_code == 200


AWAY = (
    "203.0.113.9",
    "192.168.1.5",
    "0.0.0.0",  # noqa: S104 - nobody binds to it
    "::",
    "::ffff:203.0.113.9",
    "testclient",
)


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_a_token_no_call_of_another_machine_gets_through(
    local_runtime: Runtime, method: str, path: str
) -> None:
    before = everything(local_runtime)
    whole = path.format(workflow_id="bug-fix", execution_id=NOBODY, number=1)
    for address in AWAY:
        answer = calling_from(address).request(method, whole, json=BODIES.get(path))
        if path in OPEN_PATHS:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 403
            assert answer.json()["type"] == "urn:waywarden:problem:loopback-only"
            assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert everything(local_runtime) == before


@pytest.mark.parametrize(
    "name", ["localhost", "LocalHost", "127.0.0.1", "[::1]", "localhost:8501", "[::1]:1"]
)
def test_without_a_token_this_machine_is_called_by_its_own_name(local: Served, name: str) -> None:
    assert local.ask("GET", f"{API}/usage", headers={"Host": name}).status == 200


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_website_that_points_its_name_here_gets_through(
    local: Served, local_runtime: Runtime, method: str, path: str
) -> None:
    before = everything(local_runtime)
    for name in ("evil.example", "evil.example:8501", "127.0.0.1.evil.example"):
        answer = call(local, method, path, {"Host": name})
        if path in OPEN_PATHS:
            assert answer.status == 200
        else:
            is_refused(answer, 403, "wrong-host")
    assert everything(local_runtime) == before


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "localhost@evil.example",
        "evil.example#localhost",
        "localhost:",
        "localhost:x",
        "localhost:123456",
        "localhost.",
        "127.0.0.1:8501:8501",
        "127.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "localhost\x0b",
        "localhost,evil.example",
        "xlocalhost",
    ],
)
def test_a_name_that_only_looks_like_this_machine_s_is_refused(local: Served, name: str) -> None:
    head = f"GET {API}/usage HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    answer = local.raw(head.encode())
    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))


@pytest.mark.parametrize(
    "hosts",
    [
        ("localhost", "evil.example"),
        ("evil.example", "localhost"),
        (),
    ],
)
def test_a_request_without_one_name_is_refused(local: Served, hosts: Sequence[str]) -> None:
    version = "1.1" if hosts else "1.0"
    lines = [f"GET {API}/usage HTTP/{version}", *(f"Host: {host}" for host in hosts)]
    answer = local.raw("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))


def test_the_name_in_an_absolute_address_does_not_count(local: Served) -> None:
    head = f"GET http://localhost{API}/usage HTTP/1.1\r\nHost: evil.example\r\n"
    answer = local.raw(head.encode() + b"Connection: close\r\n\r\n")
    assert b" 200 " not in answer.split(b"\r\n")[0]


# What a page may send to another site without asking that site first.
SIMPLE = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/plain;charset=UTF-8",
    "text/plain; application/json",
]


@pytest.mark.parametrize("path", [path for path in BODIES if "{" not in path])
def test_no_form_or_plain_fetch_can_post(local: Served, local_runtime: Runtime, path: str) -> None:
    before = everything(local_runtime)
    for kind in (*SIMPLE, "", "application/jsonx", "text/json", "application/vnd.api+json"):
        answer = local.ask("POST", path, BODIES[path], {"Content-Type": kind})
        is_refused(answer, 415, "unsupported-media-type")
    assert everything(local_runtime) == before


def test_a_post_without_any_type_is_refused(local: Served) -> None:
    body = json.dumps(execute_body()).encode()
    head = f"POST {EXECUTE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    answer = local.raw(head.encode() + b"Connection: close\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
def test_json_may_be_said_in_any_of_its_ways(local: Served, kind: str) -> None:
    assert local.ask("POST", EXECUTE, execute_body(), {"Content-Type": kind}).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_page_that_asks_first_is_not_let(local: Served, method: str) -> None:
    asking = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = local.ask("OPTIONS", EXECUTE, headers=asking)
    assert answer.status == 405
    plain = local.ask("GET", f"{API}/usage", headers={"Origin": "https://evil.example"})
    for each in (answer, plain):
        assert not [name for name in each.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "header",
    [
        {"Forwarded": "for=203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"x-forwarded-host": "localhost"},
        {"X-Forwarded-Proto": "https"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
    ids=str,
)
def test_without_a_token_what_a_proxy_passes_on_is_refused(
    local: Served, header: dict[str, str]
) -> None:
    is_refused(local.ask("POST", EXECUTE, execute_body(), header), 403, "loopback-only")


def test_the_open_paths_tell_nothing_of_the_deployment(guarded: Served) -> None:
    said = [guarded.ask("GET", path).raw.decode() for path in sorted(OPEN_PATHS)]
    assert not [text for text in said if str(guarded.port) in text or "/tmp" in text]  # noqa: S108 - searched for
