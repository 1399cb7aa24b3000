"""The OpenAPI document: every answer with its status, type, schema and headers."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.status import (
    HTTP_202_ACCEPTED,
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_429_TOO_MANY_REQUESTS,
    HTTP_503_SERVICE_UNAVAILABLE,
)

__all__ = ["Documented"]

_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "The deployment's token; without one, only callers on the same machine.",
}


def _header(name: str, description: str, kind: str = "string") -> dict[str, Any]:
    return {name: {"description": description, "schema": {"type": kind}}}


_RETRY_AFTER = _header("Retry-After", "Seconds to wait.", "integer")
_HEADERS = {
    HTTP_202_ACCEPTED: _header("Location", "Where the run is."),
    HTTP_401_UNAUTHORIZED: _header("WWW-Authenticate", "How to say who calls."),
    HTTP_429_TOO_MANY_REQUESTS: _RETRY_AFTER,
    HTTP_503_SERVICE_UNAVAILABLE: _RETRY_AFTER,
}
_REQUEST_ID = _header("X-Request-Id", "The id of this request in the log.")


class Documented(FastAPI):
    """An application whose problems are `application/problem+json`, also on paper."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            document = super().openapi()
            document["components"]["securitySchemes"] = {"token": _TOKEN}
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(operation, is_open=not path.startswith("/api/"))
        return self.openapi_schema or {}


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    operation["security"] = [{}] if is_open else [{"token": []}, {}]
    for code, response in operation["responses"].items():
        status = int(code)
        if status >= HTTP_400_BAD_REQUEST:
            content = response["content"]
            content["application/problem+json"] = content.pop("application/json")
        response["headers"] = _REQUEST_ID | _HEADERS.get(status, {})
