"""Whether the providers that are set up answer: one tiny question to each, about nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from core.clock import SystemClock
from core.doctor.finding import Finding, Status
from core.errors import LedgerLocked, LedgerUnavailable, SettingsUnusable, WaywardenError
from core.llm import (
    Ask,
    Attempt,
    Breakers,
    Claude,
    Completion,
    Connections,
    FailureKind,
    Model,
    ModelFailure,
    Ollama,
    Pacing,
    Prices,
    Retry,
    Rung,
    Terms,
)
from core.logs import redacted
from core.settings import PROJECT, Operator, Provider, Reach, Settings, saved_in

__all__ = ["RUNGS", "providers"]

RUNGS: Mapping[Provider, frozenset[str]] = {
    "anthropic": frozenset({"preferred", "cheaper"}),
    "ollama": frozenset({"ollama"}),
}
NAMES: Mapping[Provider, str] = {"anthropic": "Claude", "ollama": "Ollama"}
VARIABLES: Mapping[Provider, str] = {"anthropic": "ANTHROPIC_API_KEY", "ollama": "OLLAMA_HOST"}

DEADLINE_S, MOST_TOKENS = 15.0, 64
SYSTEM = "You are asked whether you can be reached."
USER = "Say that you are ready."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}

# What stays wrong until somebody does something about it.
_LASTING: frozenset[FailureKind] = frozenset({"auth", "bad_request", "connection", "malformed"})
_ANOTHER_MODEL = "If it stays so, choose another model on the settings page."
_ADVICE: Mapping[FailureKind, str] = {
    "empty": _ANOTHER_MODEL,
    "refused": _ANOTHER_MODEL,
    "dropped": "Try again; if it stays so, look at what is on the way to it.",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What operators saved, or why that is not known and these are the defaults."""

    operator: Operator
    why_defaults: str | None = None


def providers(settings: Settings) -> list[Finding]:
    """Ask each provider that is set up one question, and return what came of it.

    Nothing of it is recorded: no person asked for it.
    """
    try:
        known = _known(settings)
    except SettingsUnusable as problem:
        return [Finding(check="settings", status="failed", detail=str(problem))]
    connections = Connections()
    try:
        checks = [_Check(each, settings, known, connections) for each in get_args(Provider)]
        return [each.finding() for each in checks]
    finally:
        connections.close()


def _known(settings: Settings) -> _Known:
    if not settings.ledger_path.exists():
        return _Known(Operator())
    try:
        return _Known(saved_in(settings.ledger_path))
    except LedgerLocked:
        return _Known(Operator(), "the ledger is in use")
    except LedgerUnavailable:
        return _Known(Operator(), "the ledger cannot be read")


class _Check:
    """The check of one provider."""

    def __init__(
        self, provider: Provider, settings: Settings, known: _Known, connections: Connections
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._known = known
        self._connections = connections
        chosen = known.operator.providers
        self._chosen = chosen.anthropic if provider == "anthropic" else chosen.ollama
        self._model = (
            chosen.anthropic.ranking_model if provider == "anthropic" else chosen.ollama.model
        )

    def finding(self) -> Finding:
        """Return what is so; it never holds a key."""
        try:
            status, said = self._why_not_asked() or self._asked()
        except WaywardenError as problem:  # such as a file of prices with faults
            status, said = "failed", str(problem)
        return Finding(
            check=NAMES[self._provider],
            status=status,
            detail=redacted(said, self._settings.secrets),
        )

    def _why_not_asked(self) -> tuple[Status, str] | None:
        operator = self._known.operator
        if not self._is_set_up():
            variable = VARIABLES[self._provider]
            said = f"not set up: no {variable}; the local recommender and planner need none"
            return "ok", said
        if operator.privacy.ai_off:
            return "ok", "not asked: AI is off on the settings page"
        if not self._chosen.enabled or not RUNGS[self._provider] & {*operator.ladder.rungs}:
            return "ok", "not asked: it is switched off, or on no rung, on the settings page"
        if self._address() is None:
            said = (
                f"not asked: {self._chosen.base_url} is at a host that WAYWARDEN_MODEL_HOSTS does "
                "not name; name it there, or change the address on the settings page"
            )
            return "warning", said
        return None

    def _is_set_up(self) -> bool:
        if self._provider == "anthropic":
            return self._settings.anthropic_api_key is not None
        return bool(self._settings.ollama_host or self._chosen.base_url)

    def _address(self) -> str | None:
        return Reach(self._settings).address(self._known.operator.providers, self._provider)

    def _asked(self) -> tuple[Status, str]:
        prices = Prices.load(PROJECT / "data" / "prices.toml")
        attempts: list[Attempt] = []
        place = f"{self._model} at {self._address()}"
        try:
            answer = self._answer(prices, attempts)
        except ModelFailure as failure:
            status, said = self._failed(failure, attempts[0])
            said = f"{place}: {said}"
        else:
            took_s = answer.latency_ms / 1_000
            status, said = "ok", f"{place} answered in {took_s:.1f} s."
            if not _fits(answer.value):
                wrong = "It answers with JSON of another form than asked for; choose another model"
                status, said = "warning", f"{place}: {wrong} on the settings page."
        parts = (said, _used(attempts[0], prices), self._guessed())
        return status, " ".join(part for part in parts if part)

    def _answer(self, prices: Prices, attempts: list[Attempt]) -> Completion:
        """Ask once, where all calls of models are made."""
        ask = Ask(
            purpose="check",
            system=SYSTEM,
            user=USER,
            schema=SCHEMA,
            deadline_s=self._deadline_s,
            model=self._model,
            max_tokens=MOST_TOKENS,
            effort=getattr(self._chosen, "effort", None),
        )

        def bound(provider: str, ask: Ask) -> int | None:
            at = SystemClock().now()
            return prices.bound(provider, ask.model, ask.input_bytes, ask.max_tokens, at).nano_usd

        terms = Terms(
            bound=bound, record=lambda _: None, begin=lambda _: None, allowed=lambda: None
        )
        retry = Retry(Breakers(), SystemClock(), Pacing(attempts=1, bad_answers=1))
        return retry.complete(Rung(1, self._model, self._client()), ask, terms, attempts)

    @property
    def _deadline_s(self) -> float:
        return min(DEADLINE_S, self._chosen.deadline_s)

    def _client(self) -> Model:
        address, key = self._address() or "", self._settings.anthropic_api_key
        if self._provider == "anthropic" and key:
            return Claude(key.get_secret_value(), address, self._connections)
        return Ollama(address, self._connections)

    def _failed(self, failure: ModelFailure, attempt: Attempt) -> tuple[Status, str]:
        if failure.kind == "truncated":
            # Whoever thinks first may need more than these; it was there, and let us in.
            return "ok", f"It answers, though not within the {MOST_TOKENS} tokens of this check."
        status: Status = "failed" if failure.kind in _LASTING else "warning"
        if self._known.why_defaults and failure.kind != "auth":
            status = "warning"  # perhaps it is asked for something else, or elsewhere
        return status, f"{self._sentence(failure, attempt)} {self._advice(failure.kind)}".strip()

    def _sentence(self, failure: ModelFailure, attempt: Attempt) -> str:
        said_something = attempt.usage.measured and attempt.usage.output_tokens > 0
        if failure.kind == "malformed" and said_something:
            return "It answers with what is no JSON; choose another model on the settings page."
        return str(failure)

    def _advice(self, kind: FailureKind) -> str:
        if kind == "auth" and self._provider == "anthropic":
            return "The key is that of ANTHROPIC_API_KEY."
        if kind in {"timeout", "deadline"}:
            loading = self._provider == "ollama"
            why = "It may be loading the model" if loading else "The network may be slow"
            return f"It had {self._deadline_s:g} s. {why}: try again in a minute."
        return _ADVICE.get(kind, "")

    def _guessed(self) -> str:
        why = self._known.why_defaults
        return f"It was asked by the default settings, for {why}." if why else ""


def _fits(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("ready"), bool)


def _used(attempt: Attempt, prices: Prices) -> str:
    """Say what an attempt cost; nothing where it cost nothing."""
    usage = attempt.usage
    if not usage.input_tokens + usage.output_tokens:
        return ""
    cost = prices.cost(attempt.provider, attempt.model, usage, attempt.started).nano_usd
    money = "at an unknown price"
    if cost is not None:
        money = f"for ${Decimal(cost).scaleb(-9).normalize():f}"
    most = "" if usage.measured else "at most "
    said = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
    return f"That used {most}{said}, {money}."
