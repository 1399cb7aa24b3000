"""The server as `waywarden run` starts it, but with limits of a test's choosing: a program.

It loads what it needs at once, and opens its ledger when a line comes in.
"""

from __future__ import annotations

import os
import sys

import uvicorn

import app  # noqa: F401 - loaded before it is asked to serve
import core.api  # noqa: F401 - the same
from core import logs, runtime
from core.catalogue import Catalogue
from core.ledger import writer
from core.recommend import Embedder, LocalRanker
from core.settings import PROJECT, Limits, Settings

# Small, so that kills meet checkpoints too.
CHECKPOINT_BYTES = 400_000


def main(limits: str, *options: str) -> None:
    """Serve until a signal comes; `often` as a further argument means to checkpoint often."""
    if "often" in options:
        writer.CHECKPOINT_BYTES = CHECKPOINT_BYTES
    logs.configure()
    settings = Settings.from_environment()
    settings = settings.model_copy(update={"limits": Limits.model_validate_json(limits)})
    embedder = Embedder()
    LocalRanker(Catalogue.load([PROJECT / "workflows"]), embedder)  # it remembers their phrases
    if not sys.stdin.readline():
        return  # whoever wanted a server has gone
    runtime.use(runtime.Runtime(settings, embedder=embedder))
    os.chdir(PROJECT)
    uvicorn.run(
        "app:app",
        app_dir=str(PROJECT),
        host=settings.host,
        port=settings.port,
        workers=1,
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
