"""Server processes, each ended by its own id."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.settings import PROJECT, Limits, Rule
from tests.e2e.console import ARTIFACTS, free_port
from tests.soak.caller import Caller

PATIENCE_S = 90.0
# Counted as usual, and never met.
ROOMY: tuple[Rule, ...] = tuple(
    Rule(limit=1_000_000, window_s=window_s) for window_s in (60, 3_600, 86_400)
)
NO_LIMITS = Limits(
    per_user={"execute": ROOMY, "recommend": ROOMY},
    deployment={"execute": ROOMY, "recommend": ROOMY},
)


class Server:
    """A server that is loaded at once, and opens its ledger when told to."""

    def __init__(self, data_dir: Path, name: str, limits: Limits, *options: str) -> None:
        self.port = free_port()
        self._log_path = ARTIFACTS / "logs" / f"{name}.log"
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        variables = {"WAYWARDEN_PORT": str(self.port), "WAYWARDEN_DATA_DIR": str(data_dir)}
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.server", limits.model_dump_json(), *options],
                cwd=PROJECT,
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def open(self) -> None:
        """Let it open its ledger and listen."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"open\n")
        self.process.stdin.flush()

    def wait_until_ready(self) -> None:
        """Return once it can recommend."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            caller = Caller(self.port)
            try:
                if caller.get("/readyz").status == http.client.OK:
                    return
            except OSError:
                pass
            finally:
                caller.close()
            time.sleep(0.02)
        raise AssertionError(f"The server did not start:\n{self.log}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL, self.log

    def stop(self) -> None:
        """End it as an operator would, and see it end in order; harmless when it has ended."""
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) in {0, -signal.SIGTERM}, self.log

    @property
    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Leave no process behind."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


@contextmanager
def serving(data_dir: Path, name: str, limits: Limits = NO_LIMITS) -> Iterator[Server]:
    """A server that is ready; it stops in order, and its log holds no traceback."""
    server = Server(data_dir, name, limits)
    try:
        server.open()
        server.wait_until_ready()
        yield server
        server.stop()
        assert "Traceback" not in server.log
    finally:
        server.close()
