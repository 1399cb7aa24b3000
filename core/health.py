"""How a running deployment is: its parts and its providers, as an operator asks first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from core.analytics import ProviderDay
from core.doctor import RUNGS, Finding, disk, trained
from core.errors import WaywardenError
from core.llm import KEYED_PROVIDERS, BreakerState
from core.recommend import version_of
from core.runtime import Runtime

__all__ = ["Breaking", "ProviderHealth", "ProviderState", "parts_of", "providers_of"]

PROVIDERS: tuple[Literal["anthropic", "ollama"], ...] = ("anthropic", "ollama")
# What says nothing against a provider: the model did not like the question, or we the answer.
_OF_ANSWERS = {"refused", "invalid"}

ProviderState = Literal[
    "answers",  # its last call went well
    "failing",  # its last call did not
    "paused",  # left alone for a while after an outage
    "tried",  # the pause is over: the next request sees whether it is back
    "unasked",  # set up, and never asked yet
    "not set up",  # no key, or no address
    "barred",  # its address is at a host that is not allowed
    "off",  # switched off, or on no rung of the ladder
    "ai off",  # no model is asked at all
]


class Breaking(Protocol):
    """Knows which providers are left alone; `Breakers` is one."""

    def states(self) -> list[BreakerState]: ...


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How one provider stands for one person; `breaker` is None until it is first asked."""

    provider: str
    state: ProviderState
    address: str | None
    breaker: BreakerState | None
    today: ProviderDay


def parts_of(runtime: Runtime) -> list[Finding]:
    """Return how ledger, jobs, recommender, workflows and disk are, and what to do if not well."""
    return [
        _ledger(runtime),
        _jobs(runtime),
        _recommender(runtime),
        _workflows(runtime),
        disk(runtime.settings),
    ]


def providers_of(
    runtime: Runtime, user_id: str, zone: str | None, breaking: Breaking | None
) -> list[ProviderHealth]:
    """Return how each provider stands, with its figures of this day of the viewer's zone.

    Args:
        runtime: what runs.
        user_id: whose keys count, besides the deployment's.
        zone: the viewer's.
        breaking: the breakers of all calls, if any can be made.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    days = runtime.model_calls.today(zone)
    states = {each.provider: each for each in breaking.states()} if breaking else {}
    found = []
    for provider in PROVIDERS:
        today = days.get(provider, ProviderDay(provider))
        address = runtime.operator_settings.address(provider)
        breaker = states.get(provider)
        reason = _why_not_asked(runtime, provider, user_id)
        state = reason or _standing(breaker, today)
        found.append(ProviderHealth(provider, state, address, breaker, today))
    return found


def _why_not_asked(
    runtime: Runtime, provider: Literal["anthropic", "ollama"], user_id: str
) -> ProviderState | None:
    settings = runtime.operator_settings
    stored = settings.stored
    if stored.privacy.ai_off:
        return "ai off"
    if provider in settings.barred:
        return "barred"
    is_on = getattr(stored.providers, provider).enabled
    if not is_on or not RUNGS[provider].intersection(stored.ladder.rungs):
        return "off"
    if settings.address(provider) is None or not _has_key(runtime, provider, user_id):
        return "not set up"
    return None


def _has_key(runtime: Runtime, provider: str, user_id: str) -> bool:
    if provider not in KEYED_PROVIDERS or runtime.vault.has_deployment_key(provider):
        return True
    entries = runtime.vault.listed(user_id)
    return any(each.provider == provider and each.state == "in use" for each in entries)


def _standing(breaker: BreakerState | None, today: ProviderDay) -> ProviderState:
    if breaker and breaker.state != "closed":
        return "paused" if breaker.state == "open" else "tried"
    if today.failed_at is None:
        return "answers" if today.answered_at else "unasked"
    is_over = today.answered_at is not None and today.answered_at > today.failed_at
    return "answers" if is_over or today.failure in _OF_ANSWERS else "failing"


def _ledger(runtime: Runtime) -> Finding:
    ledger = runtime.ledger
    try:
        ledger.table("SELECT 1")
        said = f"{ledger.path}, {ledger.size_bytes / 2**20:.1f} MiB"
    except (WaywardenError, OSError) as problem:
        return Finding(check="ledger", status="failed", detail=str(problem))
    waiting, most = ledger.waiting_rows, runtime.settings.queue_rows
    if waiting > most // 2:
        said += f"; {waiting:,} of {most:,} rows wait: the disk is too slow for these requests"
        return Finding(check="ledger", status="warning", detail=said)
    return Finding(check="ledger", status="ok", detail=f"{said}, {waiting:,} rows waiting")


def _jobs(runtime: Runtime) -> Finding:
    running, waiting = runtime.jobs.counts()
    said = f"{running} of {runtime.settings.job_workers} workers busy, {waiting} plans waiting"
    if waiting:
        said += "; each starts when one before it ends, cancel one on the Runs page if it hangs"
    return Finding(check="jobs", status="warning" if waiting else "ok", detail=said)


def _recommender(runtime: Runtime) -> Finding:
    if runtime.is_starting:
        said = "still starting; recommendations wait for it"
        return Finding(check="recommender", status="warning", detail=said)
    try:
        version = runtime.ranker().version
    except WaywardenError as problem:
        return Finding(check="recommender", status="failed", detail=str(problem))
    if version == version_of(None):
        return trained(runtime.catalogue)
    return Finding(check="recommender", status="ok", detail=f"trained, version {version}")


def _workflows(runtime: Runtime) -> Finding:
    catalogue = runtime.catalogue
    said = f"{len(catalogue.workflows)} loaded"
    if faults := len(catalogue.faults):
        said += f"; {faults} faults in their files, which the Workflows page lists"
    if not catalogue.workflows:
        return Finding(check="workflows", status="failed", detail=said)
    return Finding(check="workflows", status="warning" if faults else "ok", detail=said)
