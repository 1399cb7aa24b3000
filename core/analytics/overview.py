"""Today at a glance: requests, executions, denials, how useful plans were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from core.analytics.period import Day, last_days, zone_of
from core.clock import Clock
from core.ledger import Ledger, Queries
from core.statistics import wilson_interval

__all__ = ["DayCounts", "Overview", "Overviews"]


@dataclass(frozen=True, slots=True)
class DayCounts:
    """What happened on one local day."""

    day: Day
    requests: int
    executions: int
    denials: int
    ratings: int
    useful: int

    @property
    def useful_rate(self) -> float | None:
        """Share of rated plans that were useful; None without a rating."""
        return self.useful / self.ratings if self.ratings else None


@dataclass(frozen=True, slots=True)
class Overview:
    """The days asked for, oldest first, the hours of the last one, and its workflows.

    `yesterday_so_far`: yesterday up to the time of day that it is now, to compare today with.
    `by_hour`: hour (elapsed since midnight), recommendations, executions, denials.
    `by_workflow`: domain, workflow_id, executions, ratings, useful, over all the days.
    """

    days: tuple[DayCounts, ...]
    yesterday_so_far: DayCounts
    by_hour: pd.DataFrame
    by_workflow: pd.DataFrame
    as_of: datetime

    @property
    def today(self) -> DayCounts:
        return self.days[-1]

    @property
    def useful_interval(self) -> tuple[float, float]:
        """95 % interval of the useful rate over all the days."""
        return wilson_interval(
            sum(day.useful for day in self.days), sum(day.ratings for day in self.days)
        )


class Overviews:
    """Reads the overview for a viewer's zone."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._clock = clock

    def last(self, days: int, zone: str | None) -> Overview:
        """Return the last local `days` (at least 1), today included and unfinished."""
        now = self._clock.now()
        wanted = last_days(now, zone_of(zone), days)
        today = wanted[-1]
        before = last_days(today.start - timedelta(hours=1), zone_of(zone), 1)[0]
        # The same time on the clock, also when one of the two days has 23 or 25 hours.
        time_of_day = now.astimezone(zone_of(zone)).timetz()
        so_far = replace(before, end=datetime.combine(before.date, time_of_day).astimezone(UTC))
        return Overview(
            days=self._counted(wanted),
            yesterday_so_far=self._counted([so_far])[0],
            by_hour=self._queries.frame("hour_counts", start=today.start, end=today.end),
            by_workflow=self._queries.frame("domain_counts", start=wanted[0].start, end=today.end),
            as_of=now,
        )

    def _counted(self, days: Sequence[Day]) -> tuple[DayCounts, ...]:
        rows = self._queries.rows(
            "day_counts", starts=[day.start for day in days], ends=[day.end for day in days]
        )
        return tuple(
            DayCounts(
                day,
                row["requests"],
                row["executions"],
                row["denials"],
                row["ratings"],
                row["useful"],
            )
            for day, row in zip(days, rows, strict=True)
        )
