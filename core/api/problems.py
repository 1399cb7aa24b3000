"""What goes wrong, as problem details (RFC 9457): one sentence, and what a program can act on."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.api.feedback import KINDS
from core.api.schemas import Problem
from core.catalogue import fault_sentence
from core.errors import (
    CatalogueEmpty,
    InvalidInput,
    KeyReused,
    LedgerUnavailable,
    Unavailable,
    UnknownExecution,
    UnknownRecommendation,
    UnknownWorkflow,
    WaywardenError,
)
from core.guard import Denied

__all__ = ["HANDLERS", "denied", "documented", "problem", "request_id_of"]

log = logging.getLogger(__name__)

MOST_FAULTS = 100
# What some statuses say beside the problem.
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}
_STATUS: tuple[tuple[type[WaywardenError], int, str], ...] = (
    (InvalidInput, 422, "invalid-input"),
    (UnknownWorkflow, 404, "unknown-workflow"),
    (UnknownExecution, 404, "unknown-execution"),
    (UnknownRecommendation, 404, "unknown-recommendation"),
    (KeyReused, 409, "idempotency-key-reused"),
    (CatalogueEmpty, 503, "catalogue-empty"),
    (Unavailable, 503, "unavailable"),
    (LedgerUnavailable, 503, "ledger-unavailable"),
)
_TITLES = {
    400: "Bad request",
    401: "Not authorised",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    431: "Headers too large",
    500: "Internal error",
    503: "Unavailable",
}
# How the API calls what core calls otherwise.
_API_NAMES = {"step": "number", "idempotency_key": "Idempotency-Key"}


def request_id_of(request: Request) -> str:
    """Return the id that the answer carries as `X-Request-Id`."""
    return str(request.scope.get("request_id", ""))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return these problems as a route's `responses`."""
    return {status: {"model": Problem, "description": _TITLES[status]} for status in statuses}


def problem(
    request_id: str,
    status: int,
    kind: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return one problem as `application/problem+json`."""
    body = Problem(
        type=f"urn:waywarden:problem:{kind}",
        title=_TITLES.get(status, "Problem"),
        status=status,
        detail=_whole(detail),
        request_id=request_id,
        **more,
    )
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status,
        headers={**_HEADERS.get(status, {}), **(headers or {})},
        media_type="application/problem+json",
    )


def denied(request_id: str, answer: Denied, now: datetime) -> JSONResponse:
    """Return 429 with the rule, its usage, and the exact second to come back."""
    wait_s = max(1, math.ceil((answer.retry_at - now).total_seconds()))
    return problem(
        request_id,
        429,
        "rate-limited",
        f"{answer.used} of {answer.rule.limit} used in {answer.rule.window_s} s "
        f"({answer.rule_name}); try again in {wait_s} s.",
        {"Retry-After": str(wait_s)},
        rule=answer.rule_name,
        used=answer.used,
        limit=answer.rule.limit,
        retry_at=answer.retry_at,
        retry_after_s=wait_s,
    )


async def _said_no(request: Request, error: Exception) -> Response:
    assert isinstance(error, WaywardenError)  # noqa: S101 - registered for it
    status, kind = next(
        ((status, kind) for cls, status, kind in _STATUS if isinstance(error, cls)),
        (500, "internal"),
    )
    more: dict[str, Any] = {}
    if isinstance(error, InvalidInput):
        field = _API_NAMES.get(error.field, error.field)
        more["errors"] = [{"field": field, "sentence": str(error)}]
    # A ledger's message names a path of this machine: for the log, not for the caller.
    detail = str(error)
    if isinstance(error, LedgerUnavailable):
        log.error("%s: %s", request_id_of(request), error)
        detail = "The ledger cannot be used now; try again shortly."
    return problem(request_id_of(request), status, kind, detail, **more)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    faults = [_fault(fault) for fault in error.errors()[:MOST_FAULTS]]
    return problem(
        request_id_of(request), 422, "invalid-input", faults[0]["sentence"], errors=faults
    )


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    # The first part of a place is where it was: body, query, path or header; which of several
    # bodies was meant is no field.
    place = (str(part) for part in fault["loc"][1:] if part not in KINDS)
    field = ".".join(place) or "body"
    label = f"“{field}”"
    is_empty = fault["type"] == "string_too_short"
    sentence = f"{label} is empty." if is_empty else fault_sentence(label, fault)
    return {"field": field, "sentence": sentence}


def _whole(text: str) -> str:
    """Return text that can be sent: half of a surrogate pair cannot."""
    return text.encode(errors="replace").decode()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    kind = _TITLES.get(error.status_code, "problem").lower().replace(" ", "-")
    return problem(
        request_id_of(request), error.status_code, kind, f"{error.detail}.", error.headers
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s failed", request_id_of(request), exc_info=error)
    return problem(
        request_id_of(request), 500, "internal", "Something went wrong; the log says what."
    )


HANDLERS = {
    WaywardenError: _said_no,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _unexpected,
}
