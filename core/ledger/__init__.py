"""What happened: an append-only ledger in one DuckDB file, written by one thread."""

from core.ledger.backup import Backup, Contents, backed_up, contents, restored
from core.ledger.events import (
    EVENTS,
    CurveFitted,
    Event,
    ExecutionPlanned,
    FeedbackGiven,
    ProfileSaved,
    RecommendationMade,
    RequestDecided,
    RequestSettled,
    StepChanged,
)
from core.ledger.ledger import Ledger, Queries

__all__ = [
    "EVENTS",
    "Backup",
    "Contents",
    "CurveFitted",
    "Event",
    "ExecutionPlanned",
    "FeedbackGiven",
    "Ledger",
    "ProfileSaved",
    "Queries",
    "RecommendationMade",
    "RequestDecided",
    "RequestSettled",
    "StepChanged",
    "backed_up",
    "contents",
    "restored",
]
