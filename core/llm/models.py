"""Which models may be asked for a person now: settings, addresses and keys, as a ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from core.clock import Clock
from core.errors import KeyUnreadable, MasterKeyUnusable
from core.llm.anthropic import Claude
from core.llm.breaker import Breakers
from core.llm.client import Model
from core.llm.connection import Connections
from core.llm.ladder import Ladder
from core.llm.ollama import Ollama
from core.llm.retry import Pacing, Retry, Rung
from core.llm.stored_key import HeldKey
from core.llm.vault import Vault
from core.settings import Operator, OperatorSettings, Provider

__all__ = ["Aim", "AskableModels", "Models", "Setup"]

Aim = Literal["rank", "plan"]


@dataclass(frozen=True, slots=True)
class Setup:
    """A ladder for one request, and how long an answer may take, all rungs together."""

    ladder: Ladder
    deadline_s: float


class AskableModels(Protocol):
    """Knows which models can be asked for whom; `Models` does."""

    def are_set_up(self, user_id: str, aim: Aim) -> bool: ...
    def setup(self, user_id: str, aim: Aim) -> Setup | None: ...


class Models:
    """Makes each request its ladder, from what is in force at that moment."""

    def __init__(self, operator: OperatorSettings, vault: Vault, clock: Clock) -> None:
        self._operator = operator
        self._vault = vault
        self._clock = clock
        self._connections = Connections()
        self.breakers = Breakers()

    def are_set_up(self, user_id: str, aim: Aim) -> bool:
        """Return whether any model would be asked for a person; no key is opened for that."""
        operator = self._operator.current
        on = {each for each in get_args(Provider) if self._is_on(operator, each)}
        if not self._vault.has_key(user_id, "anthropic"):
            on.discard("anthropic")
        return any(provider in on for provider, _ in _wanted(operator, aim))

    def setup(self, user_id: str, aim: Aim) -> Setup | None:
        """Return what to ask a model with, or None when no provider is set up.

        Args:
            user_id: whose key is used, before the deployment's.
            aim: what the answer is for.
        """
        # Read before the key: an address that changes meanwhile ends the keys for it.
        operator = self._operator.current
        key = self._key(user_id) if self._operator.address("anthropic") else None
        clients = self._clients(operator, key)
        wanted = [each for each in _wanted(operator, aim) if each[0] in clients]
        if not wanted:
            return None
        rungs = [
            _rung(number, model, clients[provider], operator, aim, key)
            for number, (provider, model) in enumerate(dict.fromkeys(wanted), start=1)
        ]
        retry = Retry(self.breakers, self._clock, Pacing(attempts=operator.ladder.retries + 1))
        # The longest of them, so that the others leave it time.
        return Setup(Ladder(rungs, retry), max(rung.deadline_s or 0.0 for rung in rungs))

    def close(self) -> None:
        """Hang up."""
        self._connections.close()

    def warm_up(self) -> None:
        """Load what a configured provider needs and takes seconds, so that no question waits."""
        if self._is_on(self._operator.current, "anthropic") and self._vault.has_keys("anthropic"):
            Claude.warm_up()

    def _is_on(self, operator: Operator, provider: Provider) -> bool:
        section = getattr(operator.providers, provider)
        return bool(section.enabled and self._operator.address(provider))

    def _clients(self, operator: Operator, key: HeldKey | None) -> dict[str, Model]:
        """Return a client for each provider that is switched on, has an address and its key."""
        clients: dict[str, Model] = {}
        address = self._operator.address("anthropic")
        if key and address and self._is_on(operator, "anthropic"):
            secret = key.secret.get_secret_value()
            clients["anthropic"] = Claude(secret, address, self._connections)
        address = self._operator.address("ollama")
        if address and self._is_on(operator, "ollama"):
            clients["ollama"] = Ollama(address, self._connections)
        return clients

    def _key(self, user_id: str) -> HeldKey | None:
        try:
            return self._vault.held(user_id, "anthropic")
        except (KeyUnreadable, MasterKeyUnusable):
            return None  # the keys page says so; nobody else's key is billed for it


def _rung(
    number: int, model: str, client: Model, operator: Operator, aim: Aim, key: HeldKey | None
) -> Rung:
    is_claude = client.provider == "anthropic"
    providers = operator.providers
    chosen = providers.anthropic if is_claude else providers.ollama
    return Rung(
        number,
        model,
        client,
        max_tokens=chosen.ranking_max_tokens if aim == "rank" else chosen.steps_max_tokens,
        effort=providers.anthropic.effort if is_claude else None,
        deadline_s=chosen.deadline_s,
        key_id=key.key_id if key and is_claude else None,
    )


def _wanted(operator: Operator, aim: Aim) -> list[tuple[str, str]]:
    """Return provider and model of each rung above “local”."""
    claude, ollama = operator.providers.anthropic, operator.providers.ollama
    rungs = {
        "preferred": ("anthropic", claude.ranking_model if aim == "rank" else claude.steps_model),
        "cheaper": ("anthropic", claude.cheaper_model),
        "ollama": ("ollama", ollama.model),
    }
    above = operator.ladder.rungs[: operator.ladder.rungs.index("local")]
    return [rungs[each] for each in above]
