"""A request's body: whole, small, and JSON that every reader reads alike."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

__all__ = ["LARGEST_BODY", "BodyTooLarge", "json_fault", "replayed", "whole"]

LARGEST_BODY = 64 * 1024


class BodyTooLarge(Exception):
    """More was sent than a body may hold."""


class _Twice(ValueError):
    """An object has two values of one name; readers disagree on which counts."""


_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (_Twice, "says “{}” twice"),
    (UnicodeDecodeError, "is not UTF-8 text"),
    (UnicodeEncodeError, "holds half of a surrogate pair, which is no character"),
    (json.JSONDecodeError, "is not JSON: {0.msg} (line {0.lineno})"),
    (RecursionError, "is nested too deeply"),
    (ValueError, "holds a number that is none in JSON, or has too many digits"),
)


async def whole(receive: Receive) -> bytes:
    """Return all of the body.

    Raises:
        BodyTooLarge: as soon as it is.
        ClientDisconnect: the sender went away before its end, so it may not say what was meant.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge
        if not message.get("more_body"):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, then what the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def json_fault(body: bytes) -> str | None:
    """Return in one sentence why this is not plain JSON, or None; no body at all is fine."""
    if not body:
        return None
    try:
        said = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_without_twins)
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as problem:
        why = next(why for kind, why in _FAULTS if isinstance(problem, kind))
        return f"The body {why.format(problem)}."
    return None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of names that each stand there once."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise _Twice(name)
        made[name] = value
    return made
