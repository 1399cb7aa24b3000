"""What can be configured: by the environment, once; by operators, versioned in the ledger."""

from core.settings.environment import LONGEST_WINDOW_S, PROJECT, Kind, Limits, Rule, Settings
from core.settings.operator import (
    Anthropic,
    Effort,
    Ladder,
    Ollama,
    Operator,
    Privacy,
    Provider,
    Providers,
    Rung,
    Section,
    SectionName,
)
from core.settings.reach import Reach
from core.settings.saved import saved_in
from core.settings.version import Change, Version
from core.settings.versions import OperatorSettings

__all__ = [
    "LONGEST_WINDOW_S",
    "PROJECT",
    "Anthropic",
    "Change",
    "Effort",
    "Kind",
    "Ladder",
    "Limits",
    "Ollama",
    "Operator",
    "OperatorSettings",
    "Privacy",
    "Provider",
    "Providers",
    "Reach",
    "Rule",
    "Rung",
    "Section",
    "SectionName",
    "Settings",
    "Version",
    "saved_in",
]
