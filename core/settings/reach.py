"""Which providers may be asked, and where: the environment has the last word on hosts."""

from __future__ import annotations

from typing import get_args

from core.errors import InvalidSettings
from core.settings.address import allows
from core.settings.checking import title_of
from core.settings.environment import Settings
from core.settings.operator import Provider, Providers

__all__ = ["Reach"]


class Reach:
    """The hosts that a deployment allows, and where its providers usually are."""

    def __init__(self, deployment: Settings) -> None:
        self._hosts = deployment.allowed_hosts
        self._usual: dict[Provider, str | None] = {
            "anthropic": deployment.anthropic_base_url,
            "ollama": deployment.ollama_host,
        }

    def address(self, providers: Providers, provider: Provider) -> str | None:
        """Return where a provider is asked, or None when no address is known or allowed."""
        chosen: str | None = getattr(providers, provider).base_url
        if chosen is None:
            return self._usual[provider]
        return chosen if allows(self._hosts, chosen) else None

    def barred(self, providers: Providers) -> tuple[Provider, ...]:
        """Return the providers whose address is of a host that is not allowed."""
        chosen = {name: getattr(providers, name).base_url for name in get_args(Provider)}
        return tuple(name for name, url in chosen.items() if url and not allows(self._hosts, url))

    def refuse_barred(self, providers: Providers) -> None:
        """Raise `InvalidSettings` when there are such."""
        hosts = ", ".join(sorted(self._hosts))
        places = [f"{name}.base_url" for name in self.barred(providers)]
        if places:
            raise InvalidSettings(
                {
                    place: f"{title_of(Providers, place)} must be at one of these hosts: {hosts}; "
                    "WAYWARDEN_MODEL_HOSTS names others."
                    for place in places
                }
            )

    def without_barred(self, providers: Providers) -> Providers:
        """Return the settings with those providers switched off."""
        off: dict[str, object] = {
            name: getattr(providers, name).model_copy(update={"enabled": False})
            for name in self.barred(providers)
        }
        return providers.model_copy(update=off)
