"""What happened: an append-only ledger in one DuckDB file, written by one thread."""

from core.ledger.backup import Backup, Contents, backed_up, contents, restored
from core.ledger.events import (
    EVENTS,
    CurveFitted,
    Event,
    ExecutionPlanned,
    FeedbackGiven,
    KeyChanged,
    KeySealed,
    LlmCall,
    LlmCallBegun,
    ProfileSaved,
    RecommendationMade,
    RequestDecided,
    RequestSettled,
    SettingsSaved,
    StepChanged,
)
from core.ledger.ledger import Ledger, Queries, Readable
from core.ledger.resting import Resting

__all__ = [
    "EVENTS",
    "Backup",
    "Contents",
    "CurveFitted",
    "Event",
    "ExecutionPlanned",
    "FeedbackGiven",
    "KeyChanged",
    "KeySealed",
    "Ledger",
    "LlmCall",
    "LlmCallBegun",
    "ProfileSaved",
    "Queries",
    "Readable",
    "RecommendationMade",
    "RequestDecided",
    "RequestSettled",
    "Resting",
    "SettingsSaved",
    "StepChanged",
    "backed_up",
    "contents",
    "restored",
]
