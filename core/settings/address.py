"""Where a provider is reached: one spelling of an address, and which hosts may be one."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

__all__ = ["LOOPBACK", "allows", "base_url", "host_name", "is_loopback", "ollama_address"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
OLLAMA_PORT = 11_434
LONGEST = 200
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced


def base_url(text: str) -> str:
    """Return an address in one spelling: small letters, no slash at the end.

    Raises:
        ValueError: it is no plain http(s) address; the message goes after the field's name.
    """
    if len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"must be an address of at most {LONGEST} ASCII characters")
    parts = _split(text)
    if parts.scheme not in _PORTS or not _HOST.fullmatch(_host_of(parts)):
        raise ValueError("must be an address like https://host or http://127.0.0.1:11434")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError("must be an address without user, password, query or fragment")
    if not _PATH.fullmatch(parts.path):
        raise ValueError("must have a path of letters, digits and . _ ~ - only")
    return f"{parts.scheme}://{_written(_host_of(parts), parts)}{parts.path.rstrip('/')}"


def ollama_address(text: str) -> str:
    """Return the address that `OLLAMA_HOST` means, which may lack its scheme, host or port.

    Raises:
        ValueError: as `base_url` does.
    """
    bare = "://" not in text
    host = f"[{text}]" if bare and text.count(":") > 1 and "[" not in text else text
    parts = _split(f"http://{host}" if bare else text)
    name = _host_of(parts)
    known = _ANYWHERE.get(name, name)
    written = _written(known, parts)
    if bare and parts.port is None:
        written += f":{OLLAMA_PORT}"
    credentials, at, _ = parts.netloc.rpartition("@")
    return base_url(parts._replace(netloc=f"{credentials}{at}{written}").geturl())


def host_name(address: str) -> str:
    """Return the host of an address that `base_url` gave."""
    return _host_of(_split(address))


def allows(hosts: Collection[str], address: str) -> bool:
    """Whether `hosts` names the address's host, alone or with its port."""
    parts = _split(address)
    host = _host_of(parts)
    port = parts.port or _PORTS[parts.scheme]
    return host in hosts or f"{host}:{port}" in hosts


def is_loopback(address: str) -> bool:
    """Whether an address that `base_url` gave is on this machine, said by name."""
    return host_name(address) in LOOPBACK


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises when it is no port
    except ValueError:
        raise ValueError("must be an address like https://host or http://host:port") from None
    return parts


def _host_of(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _written(host: str, parts: SplitResult) -> str:
    named = f"[{host}]" if ":" in host else host
    return named if parts.port is None else f"{named}:{parts.port}"
