"""The process's log: one JSON object a line, secrets taken out before anything is written."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

__all__ = ["REQUEST_ID", "JsonLines", "configure", "redacted"]

# Set by whoever handles a request; every line that is logged meanwhile carries it.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

_NAMED = re.compile(
    r"(?i)\b((?:[a-z0-9]+[_-])*(?:api[_-]?key|apikey|token|secret|password|passwd|pwd|authorization|"
    r"credential|private[_-]?key|cookie|session[_-]?id)s?)(\W{0,3}\s*[=:]\s*[\"']?)"
    r"(?:bearer\s+|basic\s+)?([^\s\"',;&}{)]{4,})"
)
_SHAPED = re.compile(
    r"(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|\bsk-[A-Za-z0-9_-]{8,}"
    r"|\bww_[A-Za-z0-9]+_[A-Za-z0-9_-]{20,}"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abpr]-|AKIA|ASIA|AIza)[A-Za-z0-9_-]{10,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|\b(?=[A-Za-z0-9_+/=-]*[a-z])(?=[A-Za-z0-9_+/=-]*[A-Z])(?=[A-Za-z0-9_+/=-]*\d)"
    r"[A-Za-z0-9_+/=-]{32,}"
)
MASK = "[redacted]"


def redacted(text: str) -> str:
    """Return the text with everything that looks like a secret replaced by `[redacted]`."""
    return _SHAPED.sub(MASK, _NAMED.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text))


class JsonLines(logging.Formatter):
    """`ts`, `level`, `logger`, `message`, and where they exist `request_id` and `error`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["error"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def configure(level: int = logging.INFO) -> None:
    """Make this the only log of the process, libraries' included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("streamlit", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("streamlit").setLevel(logging.WARNING)
