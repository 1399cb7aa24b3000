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
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_HEADERS: dict[int, dict[str, Any]] = {
    HTTP_202_ACCEPTED: {
        "Location": {"description": "Where the run is.", "schema": {"type": "string"}}
    },
    HTTP_401_UNAUTHORIZED: {
        "WWW-Authenticate": {"description": "How to.", "schema": {"type": "string"}}
    },
    HTTP_429_TOO_MANY_REQUESTS: _RETRY_AFTER,
    HTTP_503_SERVICE_UNAVAILABLE: _RETRY_AFTER,
}
_REQUEST_ID = {
    "X-Request-Id": {
        "description": "The id of this request in the log.",
        "schema": {"type": "string"},
    }
}


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
