"""Connections to providers that a deadline or a cancelled job can interrupt at any moment."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import httpcore2
import httpx2

__all__ = ["Connections", "Patience", "network_failure"]

CONNECT_S = 5.0
KEPT_S = 30.0
# How long a cancelled call may go on waiting, at the most.
SLICE_S = 0.05

_held: ContextVar[Patience | None] = ContextVar("patience", default=None)


class Patience:
    """How long one call may take in all, how long it may be silent, and who may stop it.

    The HTTP client itself only limits each single read: a server that sends a byte now and then
    would be waited for without end.
    """

    def __init__(
        self, deadline_s: float, silence_s: float, stop: threading.Event | None = None
    ) -> None:
        self._until = time.monotonic() + deadline_s
        self._silence_s = silence_s
        self._stop = stop

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let all that this thread reads and writes meanwhile be subject to this patience."""
        token = _held.set(self)
        try:
            yield
        finally:
            _held.reset(token)

    @property
    def ended(self) -> Literal["cancelled", "deadline"] | None:
        """Why the call must not go on, if it must not."""
        if self._stop is not None and self._stop.is_set():
            return "cancelled"
        return "deadline" if self.left_s <= 0 else None

    @property
    def left_s(self) -> float:
        return self._until - time.monotonic()

    def within(self, limit_s: float) -> float:
        """Return the seconds that are left, at most `limit_s`.

        Raises:
            httpcore2.ReadTimeout: there are none.
        """
        if self.ended is not None:
            raise httpcore2.ReadTimeout("The call was stopped or is too late.")
        return max(0.001, min(limit_s, self.left_s))

    def read(self, stream: httpcore2.NetworkStream, max_bytes: int) -> bytes:
        """Read what comes next, waking now and then to see whether to go on."""
        silent_at = time.monotonic() + self._silence_s
        while True:
            wait_s = self.within(SLICE_S)
            try:
                return stream.read(max_bytes, wait_s)
            except httpcore2.ReadTimeout:
                if time.monotonic() >= silent_at:
                    raise


class _PatientStream(httpcore2.NetworkStream):
    """A stream that asks, each time it waits, whether the call it serves may go on."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        patience = _held.get()
        if patience is None:
            return self._stream.read(max_bytes, timeout)
        return patience.read(self._stream, max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _within(timeout))
        return _PatientStream(stream)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _PatientBackend(httpcore2.SyncBackend):
    """Opens streams that can be interrupted."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        wait_s = _within(timeout)
        return _PatientStream(
            super().connect_tcp(host, port, wait_s, local_address, socket_options)
        )


def _within(timeout: float | None) -> float | None:
    patience = _held.get()
    return timeout if patience is None else patience.within(timeout or CONNECT_S)


class _Body(httpx2.SyncByteStream):
    """The body of an answer, read as it comes."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Transport(httpx2.BaseTransport):
    """The HTTP client's own way out, but over streams that can be interrupted."""

    def __init__(self) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=200,
            max_keepalive_connections=50,
            keepalive_expiry=KEPT_S,
            network_backend=_PatientBackend(),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class Connections:
    """The connections of all providers, kept open for a while; one for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None

    @property
    def client(self) -> httpx2.Client:
        """The HTTP client over them, made on first use; proxies and redirects are not followed.

        A redirect would carry the key to a host that nobody allowed.
        """
        with self._lock:
            if self._client is None:
                self._client = httpx2.Client(
                    transport=_Transport(),
                    timeout=httpx2.Timeout(None, connect=CONNECT_S),
                    follow_redirects=False,
                    trust_env=False,
                )
            return self._client

    def close(self) -> None:
        """Close them all; the next call opens new ones."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


_UNREACHED = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout)
_TIMEOUTS = (httpcore2.TimeoutException,)
_BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError)
NetworkKind = Literal["connection", "timeout", "dropped", "cancelled", "deadline"]


def network_failure(
    problem: BaseException, patience: Patience, *, has_begun: bool
) -> tuple[NetworkKind | None, bool]:
    """Return what the network did to a call, and whether the request may have been received.

    Args:
        problem: what was raised, by the HTTP client or around what it raised.
        patience: that of the call.
        has_begun: whether any part of the answer had come.
    """
    cause = problem if isinstance(problem, _TIMEOUTS + _BROKEN) else problem.__cause__
    was_sent = not isinstance(cause, _UNREACHED)
    kind: NetworkKind | None = None
    if patience.ended == "cancelled":
        kind = "cancelled"
    elif patience.ended == "deadline":
        kind = "deadline" if has_begun else "timeout"
    elif isinstance(cause, _TIMEOUTS):
        kind = "timeout"
    elif isinstance(cause, _BROKEN):
        kind = "dropped" if was_sent else "connection"
    return kind, was_sent
