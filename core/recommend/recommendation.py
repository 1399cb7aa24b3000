"""What is recommended: three workflows, each with an honest confidence and a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.catalogue import Domain
from core.llm import Source

__all__ = ["BANDS", "FITS_FROM", "Band", "Recommendation", "Suggestion", "band_of"]

Band = Literal["excellent", "good", "moderate", "weak", "poor"]
BANDS: tuple[tuple[float, Band], ...] = (
    (0.9, "excellent"),
    (0.7, "good"),
    (0.5, "moderate"),
    (0.3, "weak"),
    (0.0, "poor"),
)
# Below this best confidence, nothing fits well.
FITS_FROM = 0.5


def band_of(confidence: float) -> Band:
    """Return the word for a confidence (0..1)."""
    return next(band for least, band in BANDS if confidence >= least)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One recommended workflow; minutes and steps are those of its plan for this task."""

    workflow_id: str
    confidence: float
    reasoning: str
    expected_steps: int
    estimated_time_minutes: int
    name: str
    icon: str
    domain: Domain

    @property
    def band(self) -> Band:
        return band_of(self.confidence)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer to one request: up to three suggestions, best first.

    The confidence is a model's own claim where nothing has tested it yet.
    """

    request_id: str
    suggestions: tuple[Suggestion, ...]
    source: Source
    latency_ms: float
    is_sensitive: bool = False
    is_own_claim: bool = False

    @property
    def nothing_fits(self) -> bool:
        """Whether even the best is more likely wrong than right."""
        return not self.suggestions or self.suggestions[0].confidence < FITS_FROM
