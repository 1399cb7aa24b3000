"""What happened: an append-only ledger in one DuckDB file, written by one thread."""

from core.ledger.events import (
    EVENTS,
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
]
