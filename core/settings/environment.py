"""What a deployment is started with, as one frozen value; the only reader of the environment."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from core.errors import InvalidInput
from core.settings.address import LOOPBACK, base_url, host_name, ollama_address

__all__ = ["LONGEST_WINDOW_S", "PROJECT", "Kind", "Limits", "Rule", "Settings"]

PROJECT = Path(__file__).resolve().parents[2]

Kind = Literal["execute", "recommend"]

# How long hits are kept and how far back a start reads them; no rule may look further.
LONGEST_WINDOW_S = 86_400
MASTER_KEY_BYTES = 32


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


def _listed(text: object) -> object:
    """Take a list apart that was written into one variable."""
    return tuple(text.lower().replace(",", " ").split()) if isinstance(text, str) else text


def _master_keys(text: str) -> tuple[bytes, ...]:
    """Read keys of 32 bytes in Base64, of either alphabet, the newest first."""
    plain = text.replace("+", "-").replace("/", "_").replace("=", "")
    try:
        keys = tuple(
            base64.b64decode(f"{key.strip()}=", altchars=b"-_", validate=True)
            for key in plain.split(",")
        )
    except (binascii.Error, ValueError):
        keys = ()
    if not keys or any(len(key) != MASTER_KEY_BYTES for key in keys):
        raise ValueError("must be 32 random bytes in Base64, as `openssl rand -base64 32` prints")
    return keys


def _readable(secret: SecretStr) -> SecretStr:
    _master_keys(secret.get_secret_value())
    return secret


class Settings(BaseModel):
    """Everything that can be configured; paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: AbsolutePath = PROJECT / "data" / "local"
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8501, ge=1, le=65_535)
    extra_workflows: AbsolutePath | None = None
    api_token: SecretStr | None = Field(default=None, min_length=16)
    # What seals people's keys; after a comma those that older ones were sealed with.
    master_key: Annotated[SecretStr, AfterValidator(_readable)] | None = None
    anthropic_api_key: SecretStr | None = Field(default=None, min_length=8)
    anthropic_base_url: Annotated[str, AfterValidator(base_url)] = "https://api.anthropic.com"
    ollama_host: Annotated[str, AfterValidator(ollama_address)] | None = None
    model_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = (
        "api.anthropic.com",
        *LOOPBACK,
    )
    limits: Limits = Limits()
    job_workers: int = Field(default=16, ge=1, le=64)
    queue_rows: int = Field(default=20_000, ge=1)

    @property
    def ledger_path(self) -> Path:
        """The ledger's file."""
        return self.data_dir / "ledger.duckdb"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The hosts that may be a provider's: those listed, and those the environment uses."""
        given = (self.anthropic_base_url, self.ollama_host)
        return frozenset((*self.model_hosts, *(host_name(url) for url in given if url)))

    @property
    def master_keys(self) -> tuple[bytes, ...]:
        """The master keys of the environment, the newest first; none: the deployment has its own.

        That is the file `master_key_file`, made when the first key is stored.
        """
        return _master_keys(self.master_key.get_secret_value()) if self.master_key else ()

    @property
    def master_key_file(self) -> Path:
        """Where the deployment keeps a master key of its own."""
        return self.data_dir / "master.key"

    @property
    def secrets(self) -> list[str]:
        """What is never to be written anywhere."""
        held = (self.api_token, self.anthropic_api_key)
        said = [secret.get_secret_value() for secret in held if secret]
        if self.master_key:
            said += self.master_key.get_secret_value().replace(",", " ").split()
        return said

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables of Waywarden and of the providers.

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
    "master_key": "WAYWARDEN_MASTER_KEY",
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "anthropic_base_url": "ANTHROPIC_BASE_URL",
    "ollama_host": "OLLAMA_HOST",
    "model_hosts": "WAYWARDEN_MODEL_HOSTS",
}
