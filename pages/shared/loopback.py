"""Whether the viewer sits at this machine: until sign-in exists, only they change things."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

import streamlit as st

__all__ = ["from_here", "is_from_here"]

_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via", re.IGNORECASE)


def from_here() -> bool:
    """Whether this session's browser runs on this machine, and no proxy speaks for another.

    Streamlit says None for an address of loopback, but also once a browser is gone; its headers,
    kept from the handshake, tell the two apart.
    """
    headers = st.context.headers
    return is_from_here(st.context.ip_address, headers.get_all("Host"), headers)


def is_from_here(address: str | None, named: Sequence[str], headers: Iterable[str]) -> bool:
    """Judge a connection by its address (None: loopback), its hosts and its headers' names."""
    return (
        (address is None or _is_loopback(address))
        and len(named) == 1
        and _LOCAL_HOST.fullmatch(named[0]) is not None
        and not any(_FORWARDED.fullmatch(name) for name in headers)
    )


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    # How a socket for both families names callers of the older one.
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
