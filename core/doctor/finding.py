"""What one check found."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Finding", "Status"]

Status = Literal["ok", "warning", "failed"]


class Finding(BaseModel):
    """The result of one check, with what to do when it is not ok."""

    model_config = ConfigDict(frozen=True)

    check: str
    status: Status
    detail: str
