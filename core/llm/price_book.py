"""The deployment's own prices and what is known of models' lives: `data/prices.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Self

import tomli
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import PricesUnusable

__all__ = ["CLASSES", "KnownModel", "OwnPrice", "PriceBook", "TieredRates"]

LARGEST_BYTES = 256 * 1024
CLASSES = ("input", "output", "cache_read", "cache_write")
PerMillion = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=20, decimal_places=12)]
Id = Annotated[str, Field(min_length=1, max_length=200)]


class _Rates(BaseModel):
    """USD per million tokens; a class of cached tokens that is left out costs what input does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: PerMillion
    output: PerMillion
    cache_read: PerMillion | None = None
    cache_write: PerMillion | None = None


class Tier(_Rates):
    """What a whole request costs whose prompt has more than `above` tokens, cached ones too."""

    above: int = Field(ge=1)


class TieredRates(_Rates):
    """Rates, and dearer or cheaper ones for requests with long prompts."""

    tiers: tuple[Tier, ...] = ()

    @model_validator(mode="after")
    def _tiers_price_the_same_classes(self) -> Self:
        starts = [tier.above for tier in self.tiers]
        if starts != sorted(set(starts)):
            raise ValueError("tiers rise, and none starts twice")
        for name in CLASSES:
            given = {getattr(each, name) is None for each in (self, *self.tiers)}
            if len(given) > 1:
                raise ValueError(f"{name} stands in all tiers and the base, or in none")
        return self


class OwnPrice(TieredRates):
    """A price that counts before the published one, from the first day of `start` (UTC).

    `model` is an id, or a pattern with `*`; without `batch` the price of batches is unknown.
    """

    provider: Id
    model: Id
    start: date = Field(alias="from")
    until: date | None = None
    batch: TieredRates | None = None

    def covers(self, provider: str, model: str, day: date) -> bool:
        """Whether it is the price of this model on that day; `until` is the first day after."""
        return (
            (provider, True) == (self.provider, fnmatchcase(model, self.model))
            and self.start <= day
            and (self.until is None or day < self.until)
        )


class Free(BaseModel):
    """A provider whose models run on one's own machine, and so cost nothing by declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Id
    unless: tuple[Id, ...] = ()


class KnownModel(BaseModel):
    """A model as its maker sells it; it stops answering on the day it `retires`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Id
    model: Id
    retires: date | None = None
    successor: Id | None = None


class PriceBook(BaseModel):
    """All of `data/prices.toml`; `version` is written into the ledger beside each cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Id
    price: tuple[OwnPrice, ...] = ()
    free: tuple[Free, ...] = ()
    model: tuple[KnownModel, ...] = ()

    @classmethod
    def load(cls, file: Path) -> PriceBook:
        """Read the file.

        Raises:
            PricesUnusable: it cannot be read, or has faults; all are said, each with its key.
        """
        try:
            with file.open("rb") as opened:
                raw = opened.read(LARGEST_BYTES + 1)
            if len(raw) > LARGEST_BYTES:
                raise PricesUnusable(f"{file} is larger than 256 kB.")
            # Decimals as they are written: 0.1 USD is not the nearest binary fraction to it.
            content = tomli.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
        except OSError as problem:
            raise PricesUnusable(f"{file} cannot be read: {problem.strerror}.") from None
        except (ValueError, RecursionError) as problem:
            raise PricesUnusable(f"{file} is not valid TOML: {problem}.") from None
        return cls._checked(content, file)

    @classmethod
    def _checked(cls, content: dict[str, Any], file: Path) -> PriceBook:
        try:
            return cls.model_validate(content)
        except ValidationError as problem:
            faults = [f"{_key(fault['loc'])}: {fault['msg']}" for fault in problem.errors()]
        raise PricesUnusable(f"{file}: {'; '.join(faults)}.")

    def own_price(self, provider: str, model: str, day: date) -> OwnPrice | None:
        """Return the price of that day that began last; of two that began together the later."""
        covering = [each for each in self.price if each.covers(provider, model, day)]
        return max(reversed(covering), key=lambda each: each.start, default=None)

    def is_free(self, provider: str, model: str) -> bool:
        """Whether the model runs on one's own machine."""
        return any(
            each.provider == provider
            and not any(fnmatchcase(model, pattern) for pattern in each.unless)
            for each in self.free
        )

    def known(self, provider: str, model: str) -> KnownModel | None:
        """Return what is known of a model's life."""
        wanted = (provider, model)
        return next((each for each in self.model if (each.provider, each.model) == wanted), None)


def _key(place: Sequence[str | int]) -> str:
    """Write `price[2].input`, entries counted from 1."""
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts).lstrip(".") or "the file"
