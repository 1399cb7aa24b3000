"""Builds every service once, from Settings; the only file that knows them all."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.analytics import Accuracies, Activity, ModelCalls, Overviews
from core.catalogue import Catalogue, Task, Workflow
from core.clock import Clock, SystemClock
from core.errors import Unavailable, WaywardenError
from core.execute import Executor, History, LocalPlanner, Plan, Planner
from core.guard import Gate
from core.jobs import Jobs
from core.ledger import Backup, Ledger
from core.llm import MasterKeys, Vault
from core.malloc import share_arenas
from core.recommend import (
    Confidence,
    Curves,
    Embedder,
    Feedback,
    LocalRanker,
    Memory,
    Profiles,
    Recommender,
)
from core.settings import PROJECT, OperatorSettings, Settings

__all__ = ["Runtime", "current", "lifespan", "routes", "use"]

log = logging.getLogger(__name__)

WARM_UP_S = 60.0


class Runtime:
    """All services over one ledger, from opening it to draining it."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        planner: Planner | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        """Open the ledger, recover what a previous process left, and warm up in the background.

        Several runtimes of a process can share one `embedder`, which holds 150 MB.

        Raises:
            LedgerUnavailable: the ledger cannot be opened; the message says why.
            SettingsUnusable: a newer version of Waywarden saved settings in it.
        """
        share_arenas()
        self.settings = settings
        self.clock = clock or SystemClock()
        self.catalogue = self._load_catalogue()
        self.ledger = Ledger(settings.ledger_path, settings.queue_rows)
        self.gate = Gate(self.ledger, settings.limits, self.clock)
        try:
            lost = self.gate.recover()
            masters = MasterKeys(settings.master_keys, settings.master_key_file)
            self.vault = Vault.recovered(
                self.ledger, masters, self.clock, {"anthropic": settings.anthropic_api_key}
            )
            self.operator_settings = OperatorSettings(
                self.ledger, self.clock, settings, self.vault.clear
            )
        except BaseException:
            self.ledger.close()  # so that the next try can open it
            raise
        if lost:
            log.warning("%d requests of the previous process were never settled: lost", lost)
        self.jobs = Jobs(settings.job_workers)
        local_planner = LocalPlanner()
        self.history = History(self.ledger, lambda: self.catalogue, self.clock)
        self.executor = Executor(
            gate=self.gate,
            ledger=self.ledger,
            jobs=self.jobs,
            planner=planner or local_planner,
            catalogue=lambda: self.catalogue,
            history=self.history,
            clock=self.clock,
        )
        self._local_planner = local_planner
        self._embedder = embedder or Embedder()
        self.recommender = Recommender(
            gate=self.gate,
            ledger=self.ledger,
            catalogue=lambda: self.catalogue,
            ranker=self.ranker,
            confidence=Confidence(self.ledger, Curves.load(), self.clock),
            memory=Memory(self.ledger, self._embedder, lambda: self.catalogue),
            estimate=local_planner.estimate,
            jobs=self.jobs,
            clock=self.clock,
        )
        self.feedback = Feedback(self.ledger, lambda: self.catalogue, self.clock)
        self.profiles = Profiles(self.ledger, self.clock)
        self._open_insight()
        self._ranker = self._ranker_in_background()  # last: it learns through the others

    def ranker(self) -> LocalRanker:
        """Return the ranker, waiting while it warms up.

        Raises:
            CatalogueEmpty: no workflow is loaded.
            Unavailable: warming up takes too long.
        """
        try:
            return self._ranker.result(WARM_UP_S)
        except TookTooLong:
            raise Unavailable("The recommender is still starting; try again shortly.") from None

    def backup(self) -> Backup:
        """Copy the ledger, while it is in use, into `backups/` of the data folder."""
        folder = self.settings.data_dir / "backups"
        stamp = f"{self.clock.now():%Y%m%dT%H%M%S%f}"
        return self.ledger.backup(folder / f"ledger-{stamp}Z.duckdb")

    @property
    def is_starting(self) -> bool:
        """Whether the recommender is still warming up."""
        return not self._ranker.done()

    def ready(self) -> str | None:
        """Return why nothing can be recommended yet, or None when it can."""
        if self.is_starting:
            return "The recommender is still starting."
        try:
            self._ranker.result()
            self.ledger.table("SELECT 1")
        except WaywardenError as problem:
            return type(problem).__name__
        return None

    def preview(self, workflow: Workflow, task: Task) -> Plan:
        """Return the plan that the local planner would make; nothing is run or recorded."""
        return self._local_planner.preview(workflow, task)

    def reload_catalogue(self) -> None:
        """Read all workflow files again; requests under way keep what they began with."""
        self.catalogue = self._load_catalogue()
        self._ranker = self._ranker_in_background()

    def drain(self) -> None:
        """Let running work end, write what waits, and close the ledger."""
        self.jobs.drain()
        self.ledger.close()

    def _open_insight(self) -> None:
        self.accuracies = Accuracies(self.ledger, self.clock)
        self.overviews = Overviews(self.ledger, self.clock)
        self.activity = Activity(self.ledger)
        self.model_calls = ModelCalls(self.ledger, self.clock)

    def _learn(self) -> None:
        try:
            self.recommender.learn()
        except WaywardenError as problem:  # of a ledger that is being closed already
            log.info("Nothing learnt from what was chosen before: %s", problem)

    def _load_catalogue(self) -> Catalogue:
        extra = self.settings.extra_workflows
        return Catalogue.load([PROJECT / "workflows", *([extra] if extra else [])])

    def _ranker_in_background(self) -> Future[LocalRanker]:
        built: Future[LocalRanker] = Future()
        catalogue = self.catalogue

        def build() -> None:
            try:
                ranker = LocalRanker.shipped(catalogue, self._embedder)
                self._embedder.encode_one("warm up")  # known phrases alone load no model
            except BaseException as problem:  # noqa: BLE001 - whoever asks for the ranker gets it
                built.set_exception(problem)
            else:
                built.set_result(ranker)
            _api.load()
            if built.exception() is None:
                self._learn()
            # What is loaded now stays; taking it out of collections makes every rerun cheaper.
            gc.collect()
            gc.freeze()

        threading.Thread(target=build, name="warm-up", daemon=True).start()
        return built


class _Api:
    """The HTTP API as one ASGI application, loaded when the first request or the warm-up comes.

    Its framework costs half a second to import, which no page should wait for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            app = await asyncio.to_thread(self.load)
        # Mounted under a prefix, it still serves whole paths.
        await app({**scope, "root_path": ""}, receive, send)

    def load(self) -> ASGIApp:
        from core.api import build

        with self._lock:
            if self._app is None:
                self._app = build(current, _api_token)
            return self._app


class _Current:
    """The runtime of this process; opened by whoever needs it first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runtime: Runtime | None = None

    def get(self) -> Runtime:
        with self._lock:
            if self._runtime is None:
                self._runtime = Runtime(Settings.from_environment())
            return self._runtime

    def drain(self) -> None:
        with self._lock:
            if self._runtime is not None:
                self._runtime.drain()
                self._runtime = None

    def use(self, runtime: Runtime | None) -> None:
        with self._lock:
            self._runtime = runtime


_current = _Current()
_api = _Api()


def _api_token() -> str | None:
    token = current().settings.api_token
    return token.get_secret_value() if token else None


def routes() -> list[BaseRoute]:
    """Return the HTTP routes that stand beside the console."""
    whole = ("/api", "/openapi.json", "/healthz", "/readyz")
    under = Mount("/api", app=_api)
    # Line breaks too: a path that is not taken here is answered with a page of the console.
    under.path_regex = re.compile(under.path_regex.pattern, re.DOTALL)
    return [under, *(Route(path, endpoint=_api) for path in whole)]


def current() -> Runtime:
    """Return the runtime of this process, opened on first use.

    Raises:
        InvalidInput: an environment variable has a value that cannot be used.
        LedgerUnavailable: the ledger cannot be opened; the next call tries again.
    """
    return _current.get()


def use(runtime: Runtime | None) -> None:
    """Make `runtime` the one that `current` returns."""
    _current.use(runtime)


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[dict[str, object]]:
    """Open the runtime with the server and drain it when the server stops.

    A ledger that cannot be opened does not stop the server: every page says why, and tries again.
    """
    del app
    try:
        current()
    except WaywardenError as problem:
        log.error("%s", problem)  # noqa: TRY400 - the sentence is the message
    yield {}
    _current.drain()
