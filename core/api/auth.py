"""Who may call: a bearer token, or without one loopback only and nothing a website could send."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.body import LARGEST_BODY, BodyTooLarge, json_fault, replayed, whole
from core.api.problems import problem
from core.clock import new_id
from core.errors import WaywardenError
from core.logs import REQUEST_ID

__all__ = ["LARGEST_HEADERS", "Door"]

log = logging.getLogger(__name__)

LARGEST_HEADERS = 16 * 1024
_OPEN_PATHS = {"/healthz", "/readyz", "/openapi.json"}
_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via")
_WITH_BODY = {"POST", "PUT", "PATCH"}


class _Refused(Exception):
    """This request is not let in."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail


class Door:
    """Gives each request its id, and turns away what may not come in or is too large."""

    def __init__(self, app: ASGIApp, token: Callable[[], str | None]) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = new_id()
        REQUEST_ID.set(request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            body = await self._let_in(scope, receive)
        except _Refused as no:
            answer = problem(request_id, no.status, no.kind, no.detail)
            await answer(scope, receive, send_with_id)
        except ClientDisconnect:
            return  # nobody is there to be answered, and half a request is none
        else:
            # What is raised here was logged and answered with a 500 before.
            with contextlib.suppress(Exception):
                await self._app(scope, replayed(body, receive), send_with_id)

    async def _let_in(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body of a request that may come in."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
            raise _Refused(431, "headers-too-large", "The headers have at most 16 kB.")
        headers = Headers(scope=scope)
        if scope["path"] not in _OPEN_PATHS:
            await self._check_caller(scope, headers)
        body = await _small_body(headers, receive)
        if scope["method"] in _WITH_BODY and (fault := json_fault(body)):
            raise _Refused(400, "bad-request", fault)
        return body

    async def _check_caller(self, scope: Scope, headers: Headers) -> None:
        try:
            # In a thread, because the first to ask may have to open the ledger.
            token = await asyncio.to_thread(self._token)
        except WaywardenError as why:
            log.error("%s", why)  # noqa: TRY400 - the sentence is the message
            detail = "Waywarden cannot work now; its log says why."
            raise _Refused(503, "unavailable", detail) from None
        if token:
            _check_token(headers, token)
        else:
            _check_is_local(scope, headers)
        if scope["method"] in _WITH_BODY:
            _check_is_json(headers)


def _check_token(headers: Headers, token: str) -> None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Headers are read as Latin-1, so this gives back the bytes that were sent.
    right = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
    if scheme.lower() != "bearer" or not right:
        detail = "Send the deployment's token as Authorization: Bearer."
        raise _Refused(401, "not-authorised", detail)


def _check_is_local(scope: Scope, headers: Headers) -> None:
    """Without a token, only this machine may call, by a name that no website can take."""
    client = scope.get("client")
    local = client is not None and _is_loopback(client[0])
    if not local or any(_FORWARDED.fullmatch(name) for name in headers):
        detail = "Set WAYWARDEN_API_TOKEN to call from another machine."
        raise _Refused(403, "loopback-only", detail)
    named = headers.getlist("host")
    if len(named) != 1 or not _LOCAL_HOST.fullmatch(named[0]):
        raise _Refused(403, "wrong-host", "Call this machine as localhost or 127.0.0.1.")


def _check_is_json(headers: Headers) -> None:
    """A form cannot send JSON without asking first, so no page of another site can post."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        detail = "Send JSON, with Content-Type application/json."
        raise _Refused(415, "unsupported-media-type", detail)


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    # How a socket for both families names callers of the older one.
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


async def _small_body(headers: Headers, receive: Receive) -> bytes:
    # Refused before it is sent, where its length is announced.
    announced = headers.get("content-length", "")
    too_large = _Refused(413, "body-too-large", "A body has at most 64 kB.")
    if announced.isdecimal() and int(announced[:9]) > LARGEST_BODY:
        raise too_large
    try:
        return await whole(receive)
    except BodyTooLarge:
        raise too_large from None
