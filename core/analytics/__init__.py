"""Questions about all this, each answered by one query of the ledger."""

from core.analytics.activity import Activity, ActivityFilter, RequestFacts
from core.analytics.overview import DayCounts, Overview, Overviews
from core.analytics.period import Day, last_days, zone_of

__all__ = [
    "Activity",
    "ActivityFilter",
    "Day",
    "DayCounts",
    "Overview",
    "Overviews",
    "RequestFacts",
    "last_days",
    "zone_of",
]
