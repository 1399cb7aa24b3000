"""The console runs with its production values, wherever it is started from."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import NewSession
from websockets import InvalidStatus, Subprotocol
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATIENCE_S = 60


def written() -> dict[str, Any]:
    """The options of .streamlit/config.toml by their dotted names, without the theme."""
    tables = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    return {
        f"{table}.{key}": value
        for table, options in tables.items()
        if table != "theme"
        for key, value in options.items()
    }


def test_streamlit_knows_every_option() -> None:
    assert set(written()) - set(config.get_config_options()) == set()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("browser.gatherUsageStats", False),
        ("client.allowedOrigins", []),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", False),
        ("server.address", "127.0.0.1"),
        ("server.allowedHosts", ["localhost", "127.0.0.1", "::1"]),
        ("server.enableAgentApi", False),
        ("server.enableCORS", True),
        ("server.enableStaticServing", False),
        ("server.enableXsrfProtection", True),
        ("server.fileWatcherType", "none"),
    ],
)
def test_a_production_value_is_set(option: str, value: object) -> None:
    assert written()[option] == value


@dataclass(frozen=True)
class Console:
    """A running console, and the empty folders that its home and working folder were."""

    address: str
    home: Path
    started_in: Path


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console that was started from a folder that is not the project."""
    home, elsewhere, data = map(tmp_path_factory.mktemp, ("home", "elsewhere", "data"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {"HOME": home, "WAYWARDEN_DATA_DIR": data, "WAYWARDEN_PORT": port}
    with (data / "console.log").open("w") as log:
        server = subprocess.Popen(
            [BIN / "waywarden", "run"],
            cwd=elsewhere,
            env=os.environ | {name: str(value) for name, value in variables.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        if not listens(server, port):
            pytest.fail((data / "console.log").read_text())
        yield Console(f"127.0.0.1:{port}", home, elsewhere)
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def listens(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until somebody listens there; False when the server ended or takes too long."""
    for _ in range(PATIENCE_S * 10):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return True
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.1)
            return False
    return False


def open_a_session(console: Console, name: str) -> NewSession:
    """Do what a browser does that knows the console by this name; return how it is greeted."""
    port = console.address.rpartition(":")[2]
    with connect(
        f"ws://{name}:{port}/_stcore/stream",
        sock=socket.create_connection(("127.0.0.1", int(port)), PATIENCE_S),
        subprotocols=[Subprotocol("streamlit")],
    ) as browser:
        browser.send(BackMsg(rerun_script=ClientState()).SerializeToString())
        while True:
            message = ForwardMsg()
            received = browser.recv(PATIENCE_S)
            message.ParseFromString(received if isinstance(received, bytes) else b"")
            if message.WhichOneof("type") == "new_session":
                return message.new_session


def test_the_console_reads_its_options_wherever_it_is_started_from(console: Console) -> None:
    with urlopen(f"http://{console.address}/_stcore/host-config", timeout=PATIENCE_S) as answer:
        assert json.load(answer)["allowedOrigins"] == []


def test_a_session_sends_no_usage_and_leaves_nothing_in_the_home_or_working_folder(
    console: Console,
) -> None:
    assert open_a_session(console, "localhost").config.gather_usage_stats is False
    assert list(console.home.iterdir()) == []
    assert list(console.started_in.iterdir()) == []


def test_a_browser_that_knows_the_console_by_another_name_is_refused(console: Console) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        open_a_session(console, "rebound.example")
