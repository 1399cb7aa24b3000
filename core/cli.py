"""The operator's command line."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InvalidInput, LedgerLocked, LedgerUnavailable, WaywardenError
from core.settings import PROJECT, Settings

if TYPE_CHECKING:
    from core.ledger import Backup

__all__ = ["main"]

BACKUP_S = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one sentence on standard error and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.act(options) or 0)
    except WaywardenError as problem:
        print(f"waywarden: {problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("waywarden", description="Waywarden's command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="start the console and the API")
    run.set_defaults(act=_run)
    backup = commands.add_parser("backup", help="copy the ledger, also while Waywarden runs")
    backup.add_argument("file", type=Path, help="the new file")
    backup.set_defaults(act=_backup)
    restore = commands.add_parser("restore", help="put a backup in the ledger's place")
    restore.add_argument("file", type=Path, help="a file that `backup` made")
    restore.set_defaults(act=_restore)
    doctor = commands.add_parser("doctor", help="check files, disk, ledger, workflows, providers")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.set_defaults(act=_doctor)
    evaluate = commands.add_parser("evaluate", help="measure the recommender on labelled tasks")
    evaluate.add_argument("file", type=Path, help="JSON lines: title, description, accept, domain")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.add_argument("--report", action="store_true", help="print tables in Markdown")
    evaluate.set_defaults(act=_evaluate)
    prices = commands.add_parser("prices", help="list what models cost now, and which have ended")
    prices.add_argument("--json", action="store_true", help="print one JSON object")
    prices.set_defaults(act=_prices)
    train = commands.add_parser("train", help="train the local recommender anew")
    train.set_defaults(act=_train)
    return parser


def _run(options: argparse.Namespace) -> None:
    del options
    from core import logs

    settings = Settings.from_environment()
    # First of all, because libraries make their loggers as they are imported.
    logs.configure(known=settings.secrets)

    import uvicorn

    from core import runtime

    # Opened before the server: a ledger that cannot be used is one sentence, and no server.
    runtime.use(runtime.Runtime(settings))
    # Streamlit finds .streamlit/config.toml in the working folder only.
    os.chdir(PROJECT)
    host = _reachable(settings.host)
    shown = f"[{host}]" if ":" in host else host
    print(f"Waywarden is at http://{shown}:{settings.port}  (Ctrl-C stops it)", flush=True)
    logging.getLogger(__name__).info("started at %s:%d", settings.host, settings.port)
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


def _reachable(host: str) -> str:
    """Return where this machine finds a server that listens at `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared


def _backup(options: argparse.Namespace) -> None:
    from core.ledger import backed_up

    settings = Settings.from_environment()
    target = options.file.resolve()
    if not settings.ledger_path.exists():
        raise InvalidInput("ledger", f"There is no ledger at {settings.ledger_path} yet.")
    try:
        made = backed_up(settings.ledger_path, target)
    except LedgerLocked:
        made = _backed_up_by_server(settings, target)
    print(f"{target}: {sum(made.rows.values()):,} rows, verified")


def _backed_up_by_server(settings: Settings, target: Path) -> Backup:
    """Ask the process that has the ledger open; it copies beside the ledger, we from there."""
    from core.ledger import backed_up

    if target.exists():
        raise InvalidInput("file", f"{target} exists already; name a new file.")
    answered = _ask_for_backup(settings)
    made = settings.data_dir / "backups" / Path(answered).name
    if not made.is_file():
        raise LedgerUnavailable(
            f"The Waywarden on port {settings.port} has another data folder than "
            f"{settings.data_dir}: set WAYWARDEN_PORT to the port of the one that uses this."
        )
    try:
        return backed_up(made, target)
    finally:
        made.unlink(missing_ok=True)


def _ask_for_backup(settings: Settings) -> str:
    """Return the name of the file that the running server made."""
    import http.client

    token = settings.api_token
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    host = _reachable(settings.host)
    server = http.client.HTTPConnection(host, settings.port, timeout=BACKUP_S)
    try:
        server.request("POST", "/api/v1/backup", "{}", headers)
        answer = server.getresponse()
        said = json.loads(answer.read())
        if answer.status == http.client.OK:
            return str(said["file"])
        detail = str(said["detail"])
    except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException):
        raise LedgerUnavailable(
            f"A process has the ledger open, but no Waywarden answers on port {settings.port}: "
            "set WAYWARDEN_PORT to its port, or stop it first."
        ) from None
    finally:
        server.close()
    raise LedgerUnavailable(f"The running Waywarden refused: {detail}")


def _restore(options: argparse.Namespace) -> None:
    from core.clock import new_id
    from core.ledger import restored

    settings = Settings.from_environment()
    kept = settings.ledger_path.with_name(f"ledger.before-restore-{new_id()}.duckdb")
    there_was = settings.ledger_path.exists()
    ledger = restored(settings.ledger_path, options.file.resolve(), kept)
    print(f"{ledger.path}: {sum(ledger.rows.values()):,} rows restored")
    if there_was:
        print(f"what was there before is kept as {kept}")


def _doctor(options: argparse.Namespace) -> int:
    from core.doctor import Finding, examine

    logging.disable()  # the findings say it all, once
    try:
        findings = examine(Settings.from_environment())
    except InvalidInput as problem:
        findings = [Finding(check="settings", status="failed", detail=str(problem))]
    finally:
        logging.disable(logging.NOTSET)
    failed = any(finding.status == "failed" for finding in findings)
    if options.json:
        said = {"ok": not failed, "findings": [finding.model_dump() for finding in findings]}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{finding.status:8} {finding.check:17} {finding.detail}")
    return int(failed)


def _evaluate(options: argparse.Namespace) -> None:
    from core.catalogue import Catalogue, Task
    from core.recommend import (
        Curves,
        Embedder,
        LocalRanker,
        Ranked,
        judge,
        read_labelled,
        report_of,
    )

    rows = read_labelled(options.file)
    extra = Settings.from_environment().extra_workflows
    folders = [PROJECT / "workflows", *([extra] if extra else [])]
    ranker = LocalRanker.shipped(Catalogue.load(folders), Embedder())
    curve = Curves.load().of(ranker.name, ranker.version)

    def rank(task: Task) -> tuple[list[Ranked], list[float]]:
        ranking = ranker.rank(task)
        return ranking, curve.confidences(ranking, 3)

    judged = judge(rank, rows)
    if options.json:
        print(judged.figures.model_dump_json())
        return
    if options.report:
        print(report_of(rows, judged))
        return
    for name, value in judged.figures:
        said = f"{value:.4f}" if isinstance(value, float) else str(value)
        print(f"{name:22} {said}")


def _prices(options: argparse.Namespace) -> None:
    from core.clock import SystemClock
    from core.llm import Prices, lines_of, listed, warnings_of
    from core.settings import Operator

    claude, ollama = Operator().providers.anthropic, Operator().providers.ollama
    asked = {claude.ranking_model, claude.steps_model, claude.cheaper_model}
    used = {("ollama", ollama.model), *(("anthropic", model) for model in asked)}
    at = SystemClock().now()
    rows = listed(Prices.load(PROJECT / "data" / "prices.toml"), at, used)
    if options.json:
        models = [row.model_dump(mode="json") for row in rows]
        said = {"at": at.isoformat(), "models": models, "warnings": warnings_of(rows)}
        print(json.dumps(said, ensure_ascii=False))
        return
    print("\n".join(lines_of(rows)))


def _train(options: argparse.Namespace) -> None:
    del options
    from core.catalogue import Catalogue
    from core.recommend import (
        CALIBRATION,
        HEAD,
        Embedder,
        fingerprint,
        phrases_in,
        train,
    )

    workflows = PROJECT / "workflows"
    catalogue, phrases = Catalogue.load([workflows]), phrases_in()
    print(f"Training on {len(phrases):,} phrases; this takes some minutes ...")
    came_from = fingerprint(catalogue.workflows)
    head, curves = train(catalogue, Embedder(), phrases, came_from)
    head.save(HEAD)
    CALIBRATION.write_text(curves.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for file in (HEAD, CALIBRATION):
        print(f"{file.relative_to(PROJECT)}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
