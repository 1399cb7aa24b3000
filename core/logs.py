"""The process's log: one JSON object a line, secrets taken out before anything is written."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import pairwise

__all__ = ["REQUEST_ID", "JsonLines", "configure", "redacted"]

# Set by whoever handles a request; every line that is logged meanwhile carries it.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

MASK = "[redacted]"

# What a value is called that is a secret whatever it looks like.
_NAMES = (
    r"(?:api|access|account|private|secret|signing|encryption|master)[_ -]?keys?"
    r"|token|secrets?|passwords?|passwd|passphrase|pwd|credentials?|session[_-]?id"
)
_QUOTED = r"b?(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
_NAMED = re.compile(
    rf"((?:{_NAMES})(?:[\"']?\s{{0,3}}(?:=>|:=|[=:]|%3D)\s{{0,3}}|[\"']\s{{0,3}},\s{{0,3}}))"
    rf"({_QUOTED}|(?:bearer\s|basic\s)?[^\s\"'&]{{3,}})",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"((?<![\w-])--[\w-]{{0,30}}(?:{_NAMES})\s+)(\S+)", re.IGNORECASE)
# Headers whose whole value counts, up to the quote or the line's end.
_HEADER = re.compile(
    r"((?:authorization|cookie)[\"']?\s{0,3}[:=,]\s{0,3})(b?\"[^\"\n]*|b?'[^'\n]*|[^\n\"']+)",
    re.IGNORECASE,
)
_SHAPED = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----[\s\S]*?(?:-----END [A-Z ]{0,40}-----|$)"
    r"|\b(?i:bearer|basic)\s{1,3}(?=[A-Za-z._~+/-]*[\d=]|[A-Za-z]*[a-z][A-Z])[\w.~+/=-]{8,}"
    # Makers who give their keys a first name.
    r"|\bsk-[\w-]{8,}|\b[spr]k_(?:live|test)_\w{8,}|\bww_[A-Za-z0-9]+_[\w-]{20,}"
    r"|\b(?:gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ft|cbt|ptt|soat)-|xox[a-z]-|xapp-|do[op]_v1_"
    r"|npm_|hf_|gsk_|pypi-Ag|whsec_|GOCSPX-|ya29\.|hv[sb]\.|SG\.|AKIA|ASIA|AIza|AGE-SECRET-KEY-)"
    r"[A-Za-z0-9._-]{10,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}"
    r"|\b\d{8,10}:AA[\w-]{30,}"
    # In addresses: user and password, and what signs the rest.
    r"|(?<=://)(?:[^\s/@:?#]*:[^\s/?#]+|[^\s/@:?#]{16,})(?=@)"
    r"|(?i:(?<=signature=)|(?<=[?&]sig=)|(?<=[?&]key=))[^\s&\"']+"
)
_RUN = re.compile(r"[A-Za-z0-9_+/=-]{32,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LEAST_RUN, LEAST_TURNS = 32, 0.35


def redacted(text: str, known: Sequence[str] = ()) -> str:
    """Return the text with everything that looks like a secret replaced by `[redacted]`.

    Args:
        text: what would be written.
        known: secrets of this process, found whatever they look like.
    """
    for secret in known:
        text = text.replace(secret, MASK)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _NAMED.sub(rf"\1{MASK}", text)
    text = _OPTION.sub(rf"\1{MASK}", text)
    return _RUN.sub(_judged, _SHAPED.sub(MASK, text))


def _judged(found: re.Match[str]) -> str:
    """Mask a long run of letters and digits that is neither words, a path nor an id.

    What is random goes from small to capital to digit at most of its places (62 % in base 62).
    """
    run = _UUID.sub("", found[0])
    kinds = [_kind(mark) for mark in run]
    turns = [one != other for one, other in pairwise(kinds) if one and other]
    looks_random = (
        len(run) >= LEAST_RUN
        and {"small", "capital", "digit"} <= {*kinds}
        and sum(turns) >= LEAST_TURNS * len(turns)
    )
    return MASK if looks_random else found[0]


def _kind(mark: str) -> str:
    if mark.isdigit():
        return "digit"
    if not mark.isalpha():
        return ""
    return "small" if mark.islower() else "capital"


class JsonLines(logging.Formatter):
    """`ts`, `level`, `logger`, `message`, and where they exist `request_id` and `error`."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        super().__init__()
        self._known = known

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(_message(record), self._known),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["error"] = redacted(self.formatException(record.exc_info), self._known)
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a faulty line is still a line
        return f"{record.msg!r} does not take {record.args!r}"


class _OneLog(logging.Logger):
    """A logger whose lines go to the process's log, whatever handlers a library gives it."""

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        logging.getLogger().callHandlers(record)


def configure(level: int = logging.INFO, known: Sequence[str] = ()) -> None:
    """Make this the only log of the process; to be called before libraries make their loggers.

    Args:
        level: the least that is written.
        known: secrets of this process, never to be written whatever they look like.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(known))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.setLoggerClass(_OneLog)
    # Otherwise a line that cannot be written is printed as it is, with its traceback.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, problem, trace: log.critical(
        "Waywarden stops", exc_info=(kind, problem, trace)
    )
    threading.excepthook = lambda stopped: log.error("A thread stops", exc_info=stopped.exc_value)
    for chatty in ("streamlit", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


log = logging.getLogger(__name__)
