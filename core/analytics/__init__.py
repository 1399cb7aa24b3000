"""Questions about all this, each answered by one query of the ledger."""

from core.analytics.accuracies import Accuracies
from core.analytics.accuracy import (
    PLACES,
    Accuracy,
    AccuracyFilter,
    Calibration,
    Correction,
    CurveFit,
    FittedCurves,
    Promise,
    Span,
)
from core.analytics.activity import Activity, ActivityFilter, RequestFacts
from core.analytics.cascade import MOST_LOST, Cascade, CascadeLevel
from core.analytics.estimate import ENOUGH, Estimate
from core.analytics.model_calls import (
    Fallen,
    ModelCall,
    ModelCalls,
    ProviderDay,
    Spending,
    falls_of,
)
from core.analytics.overview import DayCounts, Overview, Overviews
from core.analytics.period import Day, last_days, zone_of

__all__ = [
    "ENOUGH",
    "MOST_LOST",
    "PLACES",
    "Accuracies",
    "Accuracy",
    "AccuracyFilter",
    "Activity",
    "ActivityFilter",
    "Calibration",
    "Cascade",
    "CascadeLevel",
    "Correction",
    "CurveFit",
    "Day",
    "DayCounts",
    "Estimate",
    "Fallen",
    "FittedCurves",
    "ModelCall",
    "ModelCalls",
    "Overview",
    "Overviews",
    "Promise",
    "ProviderDay",
    "RequestFacts",
    "Span",
    "Spending",
    "falls_of",
    "last_days",
    "zone_of",
]
