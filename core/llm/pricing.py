"""What a call costs, in whole nano-USD: own prices first, then the published ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from core.llm.client import OVERHEAD_TOKENS, Usage
from core.llm.price_book import KnownModel, PriceBook

if TYPE_CHECKING:
    from core.llm.rates import Rates

__all__ = ["InForce", "Price", "Prices"]

NANO = 10**9


@dataclass(frozen=True, slots=True)
class Price:
    """A cost, and where its rates are from; None means that nobody knows, never that it is 0."""

    nano_usd: int | None
    source: str
    version: str


@dataclass(frozen=True, slots=True)
class InForce:
    """The rates of one model at one time, None where nobody knows them, and where they are from.

    `source` is `prices.toml`, `declared` (free by declaration there), `genai-prices` or `unknown`.
    """

    rates: Rates | None
    source: str
    version: str


class Prices:
    """Prices of models at any time: what `data/prices.toml` says counts before `genai-prices`."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book

    @classmethod
    def load(cls, file: Path) -> Prices:
        """Read the deployment's own prices; the published ones are loaded with the first question.

        Raises:
            PricesUnusable: the file cannot be used; the message names all its faults.
        """
        return cls(PriceBook.load(file))

    @property
    def known_models(self) -> tuple[KnownModel, ...]:
        """All models of whose lives something is known, as the file lists them."""
        return self._book.model

    def cost(
        self, provider: str, model: str, usage: Usage, at: datetime, *, batch: bool = False
    ) -> Price:
        """Return what a call that used so many tokens at that time costs.

        The whole prompt of the call chooses its tier, so costs are to be summed, not tokens. Half
        a nano-USD goes to the even neighbour.

        Raises:
            ValueError: the usage has more cached tokens than input tokens.
        """
        found = self.in_force(provider, model, at, batch=batch)
        if found.rates is None:
            return Price(None, found.source, found.version)
        exact = found.rates.usd(
            usage.input_tokens,
            usage.output_tokens,
            cache_read=usage.cache_read_tokens,
            cache_write=usage.cache_write_tokens,
        )
        return Price(_nano(exact, ROUND_HALF_EVEN), found.source, found.version)

    def bound(
        self, provider: str, model: str, input_bytes: int, max_tokens: int, at: datetime
    ) -> Price:
        """Return what one attempt can cost at most.

        A token is at least one byte, so the prompt has at most `input_bytes` (system, user and
        schema in UTF-8) and what the provider adds (`OVERHEAD_TOKENS`), all of the dearest class;
        what is thought and answered has at most `max_tokens`.
        """
        found = self.in_force(provider, model, at)
        if found.rates is None:
            return Price(None, found.source, found.version)
        most = found.rates.dearest_usd(input_bytes + OVERHEAD_TOKENS, max_tokens)
        return Price(_nano(most, ROUND_CEILING), found.source, found.version)

    def in_force(self, provider: str, model: str, at: datetime, *, batch: bool = False) -> InForce:
        """Return the rates of a model at a time; days begin and end in UTC."""
        from core.llm import rates

        own = self._book.own_price(provider, model, at.astimezone(UTC).date())
        if own is not None:
            given = own.batch if batch else own
            found = rates.own(given) if given else None
            return InForce(found, "prices.toml", self._book.version)
        if self._book.is_free(provider, model):
            return InForce(rates.free(), "declared", self._book.version)
        known = rates.published(provider, model, at, batch=batch)
        return InForce(known, "genai-prices" if known else "unknown", rates.VERSION)


def _nano(usd: Decimal, rounding: str) -> int:
    return int((usd * NANO).to_integral_value(rounding))
