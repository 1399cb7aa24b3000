"""The operator's command line."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import WaywardenError
from core.settings import PROJECT, Settings

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one sentence on standard error and exit code 1."""
    parser = argparse.ArgumentParser("waywarden", description=main.__module__ and __doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="start the console")
    run.set_defaults(act=_run)
    evaluate = commands.add_parser("evaluate", help="measure the recommender on labelled tasks")
    evaluate.add_argument(
        "file", type=Path, help="one JSON object a line: title, description, accept, domain"
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.set_defaults(act=_evaluate)
    calibrate = commands.add_parser("calibrate", help="refit the shipped confidence curve")
    calibrate.set_defaults(act=_calibrate)
    options = parser.parse_args(arguments)
    try:
        options.act(options)
    except WaywardenError as problem:
        print(f"waywarden: {problem}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    del options
    import uvicorn

    from core import runtime

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings.from_environment()
    # Opened before the server: a ledger that cannot be used is one sentence, and no server.
    runtime.use(runtime.Runtime(settings))
    shown = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared
    print(f"Waywarden is at http://{shown}:{settings.port}  (Ctrl-C stops it)", flush=True)
    uvicorn.run(
        "app:app",
        app_dir=str(PROJECT),
        host=settings.host,
        port=settings.port,
        workers=1,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
    )


def _evaluate(options: argparse.Namespace) -> None:
    from core.catalogue import Catalogue
    from core.recommend import Curve, Embedder, LocalRanker, evaluate, read_labelled

    rows = read_labelled(options.file)
    extra = Settings.from_environment().extra_workflows
    folders = [PROJECT / "workflows", *([extra] if extra else [])]
    ranker, curve = LocalRanker(Catalogue.load(folders), Embedder()), Curve.load()

    def rank(task):  # type: ignore[no-untyped-def]
        ranking = ranker.rank(task)
        return ranking, curve.confidences(ranking, 3)

    figures = evaluate(rank, rows)
    if options.json:
        print(figures.model_dump_json())
        return
    for name, value in figures:
        said = f"{value:.4f}" if isinstance(value, float) else str(value)
        print(f"{name:22} {said}")


def _calibrate(options: argparse.Namespace) -> None:
    del options
    from core.catalogue import Catalogue
    from core.recommend import CALIBRATION, Embedder, LocalRanker, calibrate

    ranker = LocalRanker(Catalogue.load([PROJECT / "workflows"]), Embedder())
    curve = calibrate(ranker, PROJECT / "data" / "labelled.jsonl")
    CALIBRATION.write_text(curve.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(f"{CALIBRATION.relative_to(PROJECT)}: fitted on {curve.rows} placings")


if __name__ == "__main__":
    sys.exit(main())
