"""Calling a model: one protocol, two providers, every attempt paced, priced and written down."""

from core.llm.anthropic import Claude
from core.llm.breaker import Breakers, BreakerState
from core.llm.calls import Caller, Calls
from core.llm.client import (
    Ask,
    Completion,
    FailureKind,
    Flaw,
    InvalidAnswer,
    Model,
    ModelFailure,
    Purpose,
    Usage,
)
from core.llm.connection import Connections
from core.llm.key_format import KEYED_PROVIDERS
from core.llm.ladder import Answer, Fall, Ladder, NoModelLeft
from core.llm.master_key import MasterKeys
from core.llm.models import Aim, AskableModels, Models, Setup
from core.llm.ollama import Ollama
from core.llm.price_list import Listed, lines_of, listed, warnings_of
from core.llm.pricing import Price, Prices
from core.llm.retry import Attempt, ModelsForbidden, Pacing, Retry, Rung, Terms, Timing
from core.llm.source import Source, SourceFall, Spent
from core.llm.stored_key import HeldKey, KeyEntry, Rotation
from core.llm.vault import Vault

__all__ = [
    "KEYED_PROVIDERS",
    "Aim",
    "Answer",
    "Ask",
    "AskableModels",
    "Attempt",
    "BreakerState",
    "Breakers",
    "Caller",
    "Calls",
    "Claude",
    "Completion",
    "Connections",
    "FailureKind",
    "Fall",
    "Flaw",
    "HeldKey",
    "InvalidAnswer",
    "KeyEntry",
    "Ladder",
    "Listed",
    "MasterKeys",
    "Model",
    "ModelFailure",
    "Models",
    "ModelsForbidden",
    "NoModelLeft",
    "Ollama",
    "Pacing",
    "Price",
    "Prices",
    "Purpose",
    "Retry",
    "Rotation",
    "Rung",
    "Setup",
    "Source",
    "SourceFall",
    "Spent",
    "Terms",
    "Timing",
    "Usage",
    "Vault",
    "lines_of",
    "listed",
    "warnings_of",
]
