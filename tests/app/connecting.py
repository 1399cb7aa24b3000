"""How a browser is connected, which Streamlit's own test client does not say."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from streamlit.runtime import context

__all__ = ["FROM_AFAR", "FROM_HERE", "PROXIED", "Connection", "connect"]


@dataclass(frozen=True)
class Connection:
    """What is known of a connection from its handshake."""

    remote_ip: str | None = "127.0.0.1"
    headers: tuple[tuple[str, str], ...] = (("Host", "localhost:8501"),)
    cookies: dict[str, str] = field(default_factory=dict)


FROM_HERE = Connection()
FROM_AFAR = Connection("192.0.2.7")
PROXIED = Connection(headers=(*FROM_HERE.headers, ("X-Forwarded-For", "192.0.2.7")))


def connect(monkeypatch: pytest.MonkeyPatch, connection: Connection) -> None:
    """Have every browser from now on be connected so."""
    monkeypatch.setattr(context, "_get_client_context", lambda: connection)
