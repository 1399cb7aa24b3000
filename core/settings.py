"""What an operator may change, as one frozen value; the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from core.errors import InvalidInput

__all__ = ["LONGEST_WINDOW_S", "PROJECT", "Kind", "Limits", "Rule", "Settings"]

PROJECT = Path(__file__).resolve().parents[1]

Kind = Literal["execute", "recommend"]

# How long hits are kept and how far back a start reads them; no rule may look further.
LONGEST_WINDOW_S = 86_400


class Rule(BaseModel):
    """At most `limit` requests in any `window_s` seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(ge=1)
    window_s: int = Field(ge=1, le=LONGEST_WINDOW_S)


def _rules(minute: int, hour: int, day: int) -> tuple[Rule, ...]:
    return (
        Rule(limit=minute, window_s=60),
        Rule(limit=hour, window_s=3_600),
        Rule(limit=day, window_s=86_400),
    )


class Limits(BaseModel):
    """Rules for each kind of request, per user and for the whole deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_user: Mapping[Kind, tuple[Rule, ...]] = {
        "execute": _rules(3, 20, 100),
        "recommend": _rules(30, 300, 1_500),
    }
    deployment: Mapping[Kind, tuple[Rule, ...]] = {
        "execute": _rules(60, 600, 5_000),
        "recommend": _rules(600, 9_000, 75_000),
    }

    @field_validator("per_user", "deployment")
    @classmethod
    def _every_kind(
        cls, rules: Mapping[Kind, tuple[Rule, ...]]
    ) -> Mapping[Kind, tuple[Rule, ...]]:
        if missing := sorted(set(get_args(Kind)) - rules.keys()):
            raise ValueError(f"no rules for {', '.join(missing)}; an empty list means no limit")
        return rules


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().resolve()
    except (RuntimeError, OSError, ValueError):  # an unknown ~user, a loop of links, a NUL
        raise ValueError("this path cannot be resolved") from None


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class Settings(BaseModel):
    """Everything that can be configured; paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: AbsolutePath = PROJECT / "data" / "local"
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8501, ge=1, le=65_535)
    extra_workflows: AbsolutePath | None = None
    api_token: SecretStr | None = Field(default=None, min_length=16)
    limits: Limits = Limits()
    job_workers: int = Field(default=4, ge=1, le=64)
    queue_rows: int = Field(default=20_000, ge=1)

    @property
    def ledger_path(self) -> Path:
        """The ledger's file."""
        return self.data_dir / "ledger.duckdb"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the `WAYWARDEN_*` variables.

        Raises:
            InvalidInput: a variable has a value that cannot be used.
        """
        env = os.environ if environment is None else environment
        given = {
            field: value
            for field, variable in _VARIABLES.items()
            if (value := env.get(variable, "").strip())
        }
        try:
            return cls.model_validate(given)
        except ValidationError as problem:
            fault = problem.errors()[0]
            variable = _VARIABLES[str(fault["loc"][0])]
            reason = str(fault["msg"]).removeprefix("Value error, ")
            raise InvalidInput(variable, f"{variable}: {reason}.") from None


_VARIABLES = {
    "data_dir": "WAYWARDEN_DATA_DIR",
    "host": "WAYWARDEN_HOST",
    "port": "WAYWARDEN_PORT",
    "extra_workflows": "WAYWARDEN_WORKFLOWS",
    "api_token": "WAYWARDEN_API_TOKEN",
}
