"""Builds every service once, from Settings; the only file that knows them all."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute

from core.analytics import Accuracies, Activity, ModelCalls, Overviews
from core.catalogue import Catalogue, Task, Workflow
from core.clock import Clock, SystemClock
from core.errors import Unavailable, WaywardenError
from core.execute import Executor, History, LocalPlanner, ModelPlanner, Plan, Planner
from core.guard import Gate, PrivacyRules
from core.jobs import Jobs
from core.ledger import Backup, Ledger
from core.llm import Calls, MasterKeys, Models, Prices, Vault
from core.malloc import give_back, share_arenas
from core.recommend import (
    Answering,
    Confidence,
    Curves,
    Embedder,
    Feedback,
    LocalRanker,
    Memory,
    ModelRanker,
    Profiles,
    Recommender,
)
from core.settings import PROJECT, OperatorSettings, Settings
from core.web import LazyApi

__all__ = ["Runtime", "current", "lifespan", "routes", "use"]

log = logging.getLogger(__name__)

WARM_UP_S, QUESTIONS_AT_ONCE = 60.0, 64
WORKFLOWS, PRICES = PROJECT / "workflows", PROJECT / "data" / "prices.toml"


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
            PricesUnusable: `data/prices.toml` cannot be used; the message names its faults.
            SettingsUnusable: a newer version of Waywarden saved settings in it.
        """
        share_arenas()
        self.settings = settings
        self.clock = clock or SystemClock()
        self.catalogue = self._load_catalogue()
        prices = Prices.load(PRICES)
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
        self.questions = Jobs(QUESTIONS_AT_ONCE)
        self.models = Models(self.operator_settings, self.vault, self.clock)
        self._calls = Calls.recovered(self.ledger, prices, self.clock)
        self._privacy = PrivacyRules(lambda: self.operator_settings.current.privacy)
        self._local_planner = LocalPlanner()
        self.history = History(self.ledger, lambda: self.catalogue, self.clock, self._privacy)
        self.executor = Executor(
            gate=self.gate,
            privacy=self._privacy,
            ledger=self.ledger,
            jobs=self.jobs,
            planner=planner or self._planner(),
            catalogue=lambda: self.catalogue,
            history=self.history,
            clock=self.clock,
        )
        self._embedder = embedder or Embedder()
        self.recommender = self._recommender()
        self._open_records()
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
        self.recommender.drain()
        self.questions.drain()
        self.jobs.drain()
        self.models.close()
        self.ledger.close()

    def _open_records(self) -> None:
        self.feedback = Feedback(self.ledger, lambda: self.catalogue, self.clock)
        self.profiles = Profiles(self.ledger, self.clock)
        self.accuracies = Accuracies(self.ledger, self.clock)
        self.overviews = Overviews(self.ledger, self.clock)
        self.activity = Activity(self.ledger)
        self.model_calls = ModelCalls(self.ledger, self.clock)

    def _planner(self) -> ModelPlanner:
        return ModelPlanner(
            models=self.models,
            allowed=lambda workflow, task, plan_for: self._privacy.why_local(
                task, [workflow.domain], plan_for.sensitivity
            ),
            calls=self._calls,
            local=self._local_planner,
        )

    def _recommender(self) -> Recommender:
        confidence = Confidence(self.ledger, Curves.load(), self.clock)
        answering = Answering(
            ranker=self.ranker,
            confidence=confidence,
            memory=Memory(self.ledger, self._embedder, lambda: self.catalogue),
            model_ranker=ModelRanker(
                catalogue=lambda: self.catalogue, calls=self._calls, confidence=confidence
            ),
            models=self.models,
            cascade_at=lambda: self.operator_settings.current.ladder.cascade_at,
            privacy=self._privacy,
        )
        return Recommender(
            gate=self.gate,
            ledger=self.ledger,
            catalogue=lambda: self.catalogue,
            answering=answering,
            estimate=self._local_planner.estimate,
            jobs=self.jobs,
            clock=self.clock,
        )

    def _learn(self) -> None:
        try:
            self.models.warm_up()
            self.recommender.learn()
        except WaywardenError as problem:  # of a ledger that is being closed already
            log.info("Nothing learnt from what was chosen before: %s", problem)

    def _load_catalogue(self) -> Catalogue:
        extra = self.settings.extra_workflows
        return Catalogue.load([WORKFLOWS, *([extra] if extra else [])])

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
            give_back()

        threading.Thread(target=build, name="warm-up", daemon=True).start()
        return built


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
async def lifespan(_: object) -> AsyncIterator[dict[str, object]]:
    """Open the runtime with the server and drain it when the server stops.

    A ledger that cannot be opened does not stop the server: every page says why, and tries again.
    """
    try:
        current()
    except WaywardenError as problem:
        log.error("%s", problem)  # noqa: TRY400 - the sentence is the message
    yield {}
    _current.drain()


_api = LazyApi(current, lambda: current().settings.api_token)


def routes() -> list[BaseRoute]:
    """Return the HTTP routes that stand beside the console."""
    return _api.routes()
