"""Words and numbers as people read them; untrusted text made harmless."""

from __future__ import annotations

import html
import re
from datetime import datetime
from zoneinfo import ZoneInfo

__all__ = [
    "SENSITIVE_MEANS",
    "clock_time",
    "count_of",
    "day_time",
    "duration",
    "escaped",
    "hours",
    "plain",
]

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# What the browser would make an address of, escaped or not, wherever a word starts it.
_LINK = re.compile(
    r"(?<=https:)(?=//)|(?<=http:)(?=//)|(?<=www)(?=\.)|(?<=\S)(?=@\S)", re.IGNORECASE
)
_WORD_JOINER = "\u2060"
_MINUTES_AN_HOUR = 60
# What the switch does, wherever it stands.
SENSITIVE_MEANS = "No model sees it: it is answered on this machine."


def plain(text: str) -> str:
    """Escape text for a markdown label: nothing in it formats, links or loads an image."""
    apart = _LINK.sub(_WORD_JOINER, " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", apart)


def escaped(text: str) -> str:
    """Escape text for `st.html`."""
    return html.escape(text, quote=True)


def duration(minutes: int) -> str:
    """Write minutes as `45 min` or `1 h 35 min`."""
    if minutes < _MINUTES_AN_HOUR:
        return f"{minutes} min"
    whole, rest = divmod(minutes, _MINUTES_AN_HOUR)
    return f"{whole} h {rest} min" if rest else f"{whole} h"


def hours(value: float | None) -> str:
    """Write hours as `½`, `2`, `2.5`, or `any`."""
    if value is None:
        return "any"
    return "½" if value == 0.5 else f"{value:g}"  # noqa: PLR2004 - one half


def count_of(count: int, noun: str) -> str:
    """Write `1 step`, `2 steps`, with thousands set apart."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """Write the time of day in the viewer's zone, to the second."""
    return f"{moment.astimezone(zone):%H:%M:%S}"


def day_time(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write `today 10:42`, `yesterday 18:05` or `3 Nov 2026, 09:10`."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    days = (today - local.date()).days
    if days in {0, 1}:
        return f"{'yesterday' if days else 'today'} {local:%H:%M}"
    return f"{local.day} {local:%b %Y, %H:%M}"
