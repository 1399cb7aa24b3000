"""Which prices are in force, as an operator reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from core.llm.price_book import CLASSES, KnownModel
from core.llm.pricing import Prices

__all__ = ["Listed", "lines_of", "listed", "warnings_of"]

Usd = dict[str, Decimal]
_LEFT = ("provider", "model", "ends", "source")
_HEADS = (
    *("provider", "model", "prompt above", "USD/MTok: in", "out", "cache read", "cache write"),
    *("batch in", "batch out", "ends", "source"),
)


class Listed(BaseModel):
    """One model's prices in USD per million tokens, by the prompt length above which they count.

    `tiers` and `batch` are None where nobody knows the price.
    """

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str
    used: bool
    tiers: dict[int, Usd] | None
    batch: dict[int, Usd] | None
    source: str
    version: str
    retires: date | None
    is_past: bool
    successor: str | None


def listed(prices: Prices, at: datetime, used: Iterable[tuple[str, str]] = ()) -> list[Listed]:
    """Return the models that `data/prices.toml` knows, and those in use, past ones last.

    Args:
        prices: the prices.
        at: the time they are in force.
        used: provider and model of each that this deployment is set to ask.
    """
    used = set(used)
    known = {(each.provider, each.model): each for each in prices.known_models}
    for provider, model in sorted(used - known.keys()):
        known[provider, model] = KnownModel(provider=provider, model=model)
    rows = [_listed(prices, each, at, used) for each in known.values()]
    return sorted(rows, key=lambda row: row.is_past)


def warnings_of(rows: Iterable[Listed]) -> list[str]:
    """Return a sentence for each model past its end of life, and each in use that nears one."""
    return [
        f"{row.model} {'answers no more since' if row.is_past else 'ends on'} "
        f"{row.retires:%Y-%m-%d}{', but is in use' if row.is_past and row.used else ''}"
        f"{f': use {row.successor}' if row.successor else ''}."
        for row in rows
        if row.retires and (row.is_past or row.used)
    ]


def lines_of(rows: Sequence[Listed]) -> list[str]:
    """Return a table of the models that answer or are in use, a line for each tier; warnings."""
    cells: list[tuple[str, ...]] = [_HEADS]
    for row in rows:
        if row.used or not row.is_past:
            cells += [_cells(row, above) for above in row.tiers or (0,)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    table = [
        "  ".join(
            cell.ljust(width) if head in _LEFT else cell.rjust(width)
            for head, cell, width in zip(_HEADS, line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]
    past = [f"{row.model} ({row.retires:%Y-%m-%d})" for row in rows if row.is_past]
    ended = [f"Past their end of life, the day they ended: {', '.join(past)}."] if past else []
    warned = [f"warning: {sentence}" for sentence in warnings_of(row for row in rows if row.used)]
    return [*table, *ended, *warned]


def _listed(prices: Prices, known: KnownModel, at: datetime, used: set[tuple[str, str]]) -> Listed:
    single = prices.in_force(known.provider, known.model, at)
    batch = prices.in_force(known.provider, known.model, at, batch=True)
    today = at.astimezone(UTC).date()
    return Listed(
        provider=known.provider,
        model=known.model,
        used=(known.provider, known.model) in used,
        tiers=dict(single.rates.per_million()) if single.rates else None,
        batch=dict(batch.rates.per_million()) if batch.rates else None,
        source=single.source,
        version=single.version,
        retires=known.retires,
        is_past=known.retires is not None and known.retires <= today,
        successor=known.successor,
    )


def _cells(row: Listed, above: int) -> tuple[str, ...]:
    single = (row.tiers or {}).get(above, {})
    batch = (row.batch or {}).get(above, {})
    return (
        row.provider,
        row.model,
        f"{above:,}" if above else "",
        *(_written(single, name) for name in CLASSES),
        *(_written(batch, name) for name in CLASSES[:2]),
        f"{row.retires:%Y-%m-%d}" if row.retires else "",
        f"{row.source} {row.version}",
    )


def _written(prices: Usd, name: str) -> str:
    """Write a price; a class of cached tokens without one costs what input does."""
    if not prices:
        return "unknown"
    return f"{prices.get(name, prices['input']).normalize():f}"
