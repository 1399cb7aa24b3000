"""What every event has: a table, a time, and nothing that was not checked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

__all__ = ["Count", "Event", "Share", "Time"]

Count = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range in UTC") from None


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Event(BaseModel):
    """One row. Times are aware (stored in UTC), money is nano-USD, NULL means unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: ClassVar[str]
    ts: Time
