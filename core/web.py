"""The HTTP API beside the console, loaded when the first request or the warm-up comes."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from core.api import Services

__all__ = ["LazyApi"]


class LazyApi:
    """One ASGI application, whose framework costs half a second that no page should wait for."""

    def __init__(
        self, services: Callable[[], Services], token: Callable[[], SecretStr | None]
    ) -> None:
        self._services = services
        self._token = token
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            app = await asyncio.to_thread(self.load)
        # Mounted under a prefix, it still serves whole paths.
        await app({**scope, "root_path": ""}, receive, send)

    def load(self) -> ASGIApp:
        """Build the application, once."""
        from core.api import build

        with self._lock:
            if self._app is None:
                self._app = build(self._services, self._secret)
            return self._app

    def _secret(self) -> str | None:
        token = self._token()
        return token.get_secret_value() if token else None

    def routes(self) -> list[BaseRoute]:
        """Return the paths that it serves."""
        whole = ("/api", "/openapi.json", "/healthz", "/readyz")
        under = Mount("/api", app=self)
        # Line breaks too: a path that is not taken here is answered with a page of the console.
        under.path_regex = re.compile(under.path_regex.pattern, re.DOTALL)
        return [under, *(Route(path, endpoint=self) for path in whole)]
