"""What is asked of the gate, and the two answers it has."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.catalogue import Task
from core.errors import InvalidInput
from core.guard.rate_limit import rule_name
from core.guard.sensitive import Sensitivity
from core.settings import Kind, Rule

__all__ = ["Admission", "Denied", "Outcome", "Request", "RuleUsage", "profile_name"]

Outcome = Literal["succeeded", "failed", "cancelled", "lost"]
_LONGEST_NAME = 40
_PUNCTUATION = frozenset(" .@+-_")
_SPACES = re.compile("[ \xa0\u2000-\u200a\u202f\u3000]+")


def profile_name(text: str) -> str:
    """Return the name a person is counted under: one spelling, single spaces, none around it.

    Raises:
        InvalidInput: it is empty, too long, or holds characters that a name does not need.
    """
    # Composed, so that “José” typed on any keyboard is one person.
    name = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")
    fits = 1 <= len(name) <= _LONGEST_NAME and name[0].isalnum()
    if not fits or not all(mark in _PUNCTUATION or _is_word(mark) for mark in name):
        raise InvalidInput(
            "user_id",
            "A profile name has 1 to 40 letters, digits, spaces or . @ + - _, "
            "and starts with a letter or digit.",
        )
    return name


def _is_word(mark: str) -> bool:
    """A letter, a digit, or what combines with one, as the vowel signs of many scripts do."""
    return unicodedata.category(mark)[0] in "LMN"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for; `idempotency_key` makes a repeated click the same request.

    `marked` is set by those who say that it is sensitive; `sensitivity` and `keeps_text` by
    `PrivacyRules`.
    """

    kind: Kind
    user_id: str
    task: Task
    source: Literal["console", "api", "import"] = "console"
    idempotency_key: str | None = None
    workflow_id: str | None = None
    recommendation_id: str | None = None
    chosen_rank: int | None = None
    marked: bool = False
    sensitivity: Sensitivity | None = None
    keeps_text: bool = True

    @property
    def recorded(self) -> Task:
        """The task as it is written down: where its words are not kept, with a hash as title."""
        if self.keeps_text:
            return self.task
        return self.task.model_copy(
            update={
                "title": f"Private task {self.fingerprint[:8]}",
                "description": "",
                "recent_tasks": (),
                "code_context": None,
            }
        )

    @property
    def fingerprint(self) -> str:
        """A hash of who asks for what: equal for the same request made again."""
        said = "\x1f".join(
            (self.kind, self.user_id, self.workflow_id or "", self.task.model_dump_json())
        )
        return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Admission:
    """The durable yes; `replayed` when the idempotency key was admitted before."""

    request_id: str
    kind: Kind
    user_id: str
    ts: datetime
    fingerprint: str
    replayed: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The durable no: which rule, how much of it is used, and when the next slot opens."""

    request_id: str
    kind: Kind
    scope: Literal["user", "deployment"]
    rule: Rule
    used: int
    retry_at: datetime
    retry_after_s: int

    @property
    def rule_name(self) -> str:
        """The rule in the form `user:execute:3/minute`."""
        return rule_name(self.scope, self.kind, self.rule)


@dataclass(frozen=True, slots=True)
class RuleUsage:
    """How much of a person's rule is used; `opens_at` when it is full."""

    rule: Rule
    used: int
    opens_at: datetime | None
