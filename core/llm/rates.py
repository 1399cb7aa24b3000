"""Published rates, and reckoning with them; loading them takes a third of a second."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import genai_prices
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices

from core.llm.price_book import CLASSES, TieredRates

__all__ = ["VERSION", "Rates", "free", "own", "published"]

VERSION = genai_prices.__version__
_BATCH = {"processing": "batch"}


class Rates:
    """What tokens of one model cost, in exact USD."""

    def __init__(self, price: ModelPrice) -> None:
        self._price = price

    def usd(
        self, input_tokens: int, output_tokens: int, *, cache_read: int = 0, cache_write: int = 0
    ) -> Decimal:
        """Return the price of one call; input tokens include the cached ones.

        Raises:
            ValueError: more tokens are cached than there are.
        """
        used = Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read,
            cache_write_tokens=cache_write,
        )
        return self._price.calc_price(used)["total_price"]

    def dearest_usd(self, most_input: int, most_output: int) -> Decimal:
        """Return what no call costs more than whose tokens are at most these.

        Within a tier a call costs most with the longest prompt, all of it of one class of input;
        a longer prompt may be cheaper in a tier above, so each tier's longest one counts.
        """
        lengths = {tier.start for tier in self._tiers if tier.start < most_input} | {most_input}
        return max(
            self.usd(length, most_output, cache_read=read, cache_write=write)
            for length in lengths
            for read, write in ((0, 0), (length, 0), (0, length))
        )

    def per_million(self) -> list[tuple[int, dict[str, Decimal]]]:
        """Return for each tier, the lowest first, where it begins and what each class costs."""
        starts = sorted({0} | {tier.start for tier in self._tiers})
        return [(start, self._of_tier(start)) for start in starts]

    @property
    def _tiers(self) -> list[Tier]:
        prices = vars(self._price).values()
        return [
            tier for price in prices if isinstance(price, TieredPrices) for tier in price.tiers
        ]

    def _of_tier(self, start: int) -> dict[str, Decimal]:
        found = {}
        for name in CLASSES:
            price = getattr(self._price, f"{name}_mtok")
            if isinstance(price, TieredPrices):
                reached = [tier.price for tier in price.tiers if tier.start <= start]
                price = reached[-1] if reached else price.base
            if price is not None:
                found[name] = price
        return found


def published(provider: str, model: str, at: datetime, *, batch: bool) -> Rates | None:
    """Return what `genai-prices` says of a model at a time; None when it does not know."""
    try:
        _, found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    is_known = not batch or any(
        each.when == _BATCH and (each.constraint is None or each.constraint.active(at))
        for each in found.price_variants or ()
    )
    if not is_known:
        return None  # else the rates of single calls would be taken for those of batches
    price = found.get_prices(at, _BATCH if batch else None)
    if price.input_mtok is None or price.output_mtok is None:
        return None
    return Rates(price)


def own(rates: TieredRates) -> Rates:
    """Return the rates that `data/prices.toml` gives."""
    prices: dict[str, Decimal | TieredPrices] = {}
    for name in CLASSES:
        base = getattr(rates, name)
        if base is not None:
            above = [Tier(tier.above, getattr(tier, name)) for tier in rates.tiers]
            prices[f"{name}_mtok"] = TieredPrices(base, above) if above else base
    return Rates(ModelPrice(**prices))


def free() -> Rates:
    """Return the rates of what runs on one's own machine."""
    return Rates(ModelPrice(input_mtok=Decimal(0), output_mtok=Decimal(0)))
