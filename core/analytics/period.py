"""Days as the viewer counts them: bounds in UTC of local days, daylight saving included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Day", "last_days", "zone_of"]


@dataclass(frozen=True, slots=True)
class Day:
    """One local day; `end` is the next day's start, so a day may last 23 or 25 hours."""

    date: date
    start: datetime
    end: datetime


def zone_of(name: str | None) -> ZoneInfo:
    """Return the zone of this name, UTC when it is not known."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def last_days(now: datetime, zone: ZoneInfo, count: int) -> list[Day]:
    """Return the last `count` local days, oldest first; the last one holds `now`."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(count - 1, -1, -1)]
    return [
        Day(day, _midnight(day, zone), _midnight(day + timedelta(days=1), zone)) for day in dates
    ]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
