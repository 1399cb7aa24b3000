"""What an operator may change while Waywarden runs: one frozen, checked value a section."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from core.settings.address import base_url, is_loopback

__all__ = [
    "SECTIONS",
    "Anthropic",
    "Effort",
    "Ladder",
    "Ollama",
    "Operator",
    "Privacy",
    "Provider",
    "Providers",
    "Rung",
    "Section",
    "SectionName",
]

SectionName = Literal["providers", "ladder", "privacy"]
Provider = Literal["anthropic", "ollama"]
Rung = Literal["preferred", "cheaper", "ollama", "local"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]
SensitiveDomain = Literal["dev", "personal", "health", "finance", "learning", "creative"]

Listed = TypeVar("Listed", bound=str)
_SPACES = re.compile(r"\s+")


def _secure(address: str) -> str:
    if not address.startswith("https://") and not is_loopback(address):
        raise ValueError("must begin with https:// unless it is on this machine")
    return address


def _word(text: object) -> object:
    if not isinstance(text, str):
        return text
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def _sayable(word: str) -> str:
    if not word.isprintable():
        raise ValueError("must be words without control or invisible characters")
    if "*" in word[:-1] or not any(map(str.isalnum, word)):
        raise ValueError("must have a letter or digit, and a * at its end only")
    return word


def _once(words: tuple[Listed, ...]) -> tuple[Listed, ...]:
    first: dict[str, Listed] = {}
    for word in words:
        first.setdefault(word.casefold(), word)
    return tuple(first.values())


Address = Annotated[str, AfterValidator(base_url)]
Model = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$")]
Tokens = Annotated[int, Field(ge=64, le=32_000)]
Deadline = Annotated[float, Field(ge=1, le=600)]
Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    BeforeValidator(_word),
    AfterValidator(_sayable),
]


class _Checked(BaseModel):
    """No unknown key, no number for a yes, and no change after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Anthropic(_Checked):
    """How Claude is asked; used when there is a key. No `base_url`: the environment's."""

    enabled: bool = Field(default=True, title="Use Claude")
    base_url: Annotated[Address, AfterValidator(_secure)] | None = Field(
        default=None, title="Claude’s address"
    )
    ranking_model: Model = Field(default="claude-haiku-5-5", title="Claude’s model for ranking")
    steps_model: Model = Field(default="claude-sonnet-5-5", title="Claude’s model for steps")
    cheaper_model: Model = Field(default="claude-haiku-5-5", title="Claude’s cheaper model")
    effort: Effort | None = Field(default="low", title="Claude’s effort")
    ranking_max_tokens: Tokens = Field(default=1_024, title="Claude’s tokens for a ranking")
    steps_max_tokens: Tokens = Field(default=4_096, title="Claude’s tokens for steps")
    deadline_s: Deadline = Field(default=30.0, title="Claude’s deadline in seconds")


class Ollama(_Checked):
    """How Ollama is asked; used when it has an address. No `base_url`: the environment's."""

    enabled: bool = Field(default=True, title="Use Ollama")
    base_url: Address | None = Field(default=None, title="Ollama’s address")
    model: Model = Field(default="llama3.2", title="Ollama’s model")
    ranking_max_tokens: Tokens = Field(default=1_024, title="Ollama’s tokens for a ranking")
    steps_max_tokens: Tokens = Field(default=4_096, title="Ollama’s tokens for steps")
    deadline_s: Deadline = Field(default=60.0, title="Ollama’s deadline in seconds")


class Providers(_Checked):
    """Who may be asked, where, for which model, and how long an answer may be and take."""

    anthropic: Anthropic = Anthropic()
    ollama: Ollama = Ollama()


class Ladder(_Checked):
    """Who is asked first, and who when that fails."""

    rungs: tuple[Rung, ...] = Field(
        default=("preferred", "cheaper", "ollama", "local"), title="The rungs"
    )
    retries: int = Field(default=2, ge=0, le=5, title="Retries on a rung")
    # At or above this confidence the local ranker answers alone; None: it never does.
    cascade_at: float | None = Field(
        default=None, ge=0.5, le=1, title="The confidence to answer locally"
    )

    @field_validator("rungs")
    @classmethod
    def _ends_locally(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        if len(set(rungs)) < len(rungs):
            raise ValueError("must be different from each other")
        if not rungs or rungs[-1] != "local":
            raise ValueError("must end with local, which always answers")
        return rungs


class Privacy(_Checked):
    """What never leaves this machine, and whether its text is kept in the ledger.

    A word is found as a whole, in any case; one that ends with * as the beginning of a word.
    """

    ai_off: bool = Field(default=False, title="AI off")
    words: Annotated[tuple[Word, ...], AfterValidator(_once)] = Field(
        default=(), max_length=200, title="The sensitive words"
    )
    domains: Annotated[tuple[SensitiveDomain, ...], AfterValidator(_once)] = Field(
        default=(), title="The sensitive domains"
    )
    keep_text_of_sensitive: bool = Field(default=True, title="Keep the text of sensitive tasks")


class Operator(_Checked):
    """All sections, as they are in force; a further section is a further field."""

    schema_version: int = 1
    providers: Providers = Providers()
    ladder: Ladder = Ladder()
    privacy: Privacy = Privacy()


Section = Providers | Ladder | Privacy
SECTIONS: Mapping[SectionName, type[Section]] = {
    name: type(getattr(Operator(), name)) for name in get_args(SectionName)
}
