"""What people chose, as examples for the next time: of this person, and of the deployment."""

from __future__ import annotations

import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue
from core.clock import EPOCH, stopwatch_ms
from core.ledger import Ledger, Queries
from core.recommend.embedding import Embedder, Floats

__all__ = ["Memory"]

# Of the deployment together, the newest first.
REMEMBERED = 2_000
# Titles with a smaller cosine have nothing to do with each other.
ALIKE_FROM = 0.5
# Weights in the scores, which are logits. Chosen on a replay of the project's labelled tasks.
CHOSEN, REJECTED, HABIT, FAVOURITE = 8.0, 4.0, 0.3, 0.3
# What others chose counts for less than what this person did.
OF_OTHERS = 0.5
LOOK_AGAIN_MS = 1_000.0
# Rows are seen when they are durable, which is a moment after their time.
OVERLAP = timedelta(minutes=1)


@dataclass(slots=True)
class _Experience:
    """What came of one recommendation: the workflow taken, and those that were turned down."""

    user_id: str
    title: str
    taken: str = ""
    rejected: set[str] = field(default_factory=set)
    seen: set[tuple[datetime, str]] = field(default_factory=set)

    def hear(self, row: Mapping[str, Any]) -> bool:
        """Take in the next thing said of it; return whether it was new."""
        what = (row["ts"], row["workflow_id"] or "")
        if what in self.seen:
            return False
        self.seen.add(what)
        if row["kind"] == "dismissed":
            shown = {each["workflow_id"] for each in json.loads(row["shown"])}
            self.rejected |= shown | ({self.taken} - {""})
            self.taken = ""
        else:
            self.rejected |= {self.taken} - {"", row["workflow_id"]}
            self.taken = row["workflow_id"]
            self.rejected.discard(self.taken)
        return True


@dataclass(frozen=True, slots=True)
class _Preference:
    learns: bool
    forgotten_until: datetime | None
    favourites: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Examples:
    """Titles with what was made of them; `vectors` has shape (n, 512), the others (n,)."""

    vectors: Floats
    people: NDArray[np.str_]
    experiences: tuple[_Experience, ...]
    habits: Mapping[str, Counter[str]]


class Memory:
    """Remembers the newest choices of this deployment, read from the ledger as they come.

    A person can switch it off, or have it forget; see `core.recommend.Profile`.
    """

    def __init__(
        self, ledger: Ledger, embedder: Embedder, catalogue: Callable[[], Catalogue]
    ) -> None:
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._embedder = embedder
        self._catalogue = catalogue
        self._refreshing = threading.Lock()
        self._looked_ms: float | None = None
        self._newest = EPOCH
        self._judged: tuple[datetime, int] | None = None
        self._experiences: OrderedDict[str, _Experience] = OrderedDict()
        self._preferences: dict[str, _Preference] = {}
        self._examples = _none()

    def lean(self, user_id: str, title: str) -> dict[str, float]:
        """Return what speaks for (above 0) or against workflows, in logits; {} for who opted out.

        Raises:
            LedgerUnavailable: the ledger cannot be read.
        """
        self._refresh_when_due()
        preference = self._preferences.get(user_id)
        if preference and not preference.learns:
            return {}
        lean = self._of_alike(user_id, title)
        for workflow_id, habit in self._of_habits(user_id).items():
            lean[workflow_id] = lean.get(workflow_id, 0.0) + habit
        if preference and preference.favourites:
            for workflow in self._catalogue().workflows:
                if workflow.domain in preference.favourites:
                    lean[workflow.workflow_id] = lean.get(workflow.workflow_id, 0.0) + FAVOURITE
        return lean

    def refresh(self) -> None:
        """Take in what was chosen since; all of it anew where somebody's preferences changed."""
        with self._refreshing:
            self._refresh()

    def _refresh_when_due(self) -> None:
        due = self._looked_ms is None or stopwatch_ms(self._looked_ms) >= LOOK_AGAIN_MS
        if due and self._refreshing.acquire(blocking=False):  # others go on with what is known
            try:
                self._refresh()
            finally:
                self._refreshing.release()

    def _refresh(self) -> None:
        preferences = {
            row["user_id"]: _Preference(
                learns=row["learns"],
                forgotten_until=row["forgotten_until"],
                favourites=frozenset(json.loads(row["favourite_domains"] or "[]")),
            )
            for row in self._queries.rows("preferences")
        }
        if _rights(preferences) != _rights(self._preferences):
            self._newest = EPOCH
            self._experiences = OrderedDict()
            self._judged = None
        since = max(EPOCH, self._newest - OVERLAP)
        judged = (since, self._queries.rows("judgements", since=since)[0]["judgements"])
        if judged != self._judged:
            self._hear_since(since)
            self._judged = judged
        self._preferences = preferences
        self._looked_ms = stopwatch_ms()

    def _hear_since(self, since: datetime) -> None:
        rows = self._queries.rows("choices", since=since, most=REMEMBERED)
        heard = [self._hear(row) for row in reversed(rows)]
        if any(heard) or not self._experiences:
            while len(self._experiences) > REMEMBERED:
                self._experiences.popitem(last=False)
            self._examples = self._made()

    def _hear(self, row: Mapping[str, Any]) -> bool:
        self._newest = max(self._newest, row["ts"])
        known = self._experiences.setdefault(
            row["request_id"], _Experience(row["user_id"], row["title"])
        )
        is_new = known.hear(row)
        if is_new:
            self._experiences.move_to_end(row["request_id"])
        return is_new

    def _made(self) -> _Examples:
        experiences = tuple(self._experiences.values())
        if not experiences:
            return _none()
        habits: dict[str, Counter[str]] = {}
        for each in experiences:
            if each.taken:
                habits.setdefault(each.user_id, Counter())[each.taken] += 1
        return _Examples(
            vectors=self._embedder.encode_phrases([each.title for each in experiences]),
            people=np.array([each.user_id for each in experiences]),
            experiences=experiences,
            habits=habits,
        )

    def _of_alike(self, user_id: str, title: str) -> dict[str, float]:
        """Return for each workflow how much the most alike title speaks for and against it."""
        examples = self._examples
        if not examples.experiences:
            return {}
        cosines = examples.vectors @ self._embedder.encode_one(title)
        alike = np.clip((cosines - ALIKE_FROM) / (1 - ALIKE_FROM), 0, 1) ** 2
        alike = alike * np.where(examples.people == user_id, 1.0, OF_OTHERS)
        chosen: dict[str, float] = {}
        rejected: dict[str, float] = {}
        for at in np.flatnonzero(alike):
            experience, much = examples.experiences[at], float(alike[at])
            if experience.taken:
                chosen[experience.taken] = max(chosen.get(experience.taken, 0.0), much)
            for workflow_id in experience.rejected:
                rejected[workflow_id] = max(rejected.get(workflow_id, 0.0), much)
        return {
            each: CHOSEN * chosen.get(each, 0.0) - REJECTED * rejected.get(each, 0.0)
            for each in chosen.keys() | rejected.keys()
        }

    def _of_habits(self, user_id: str) -> dict[str, float]:
        """Return a little for what the person takes often, growing ever more slowly."""
        taken = self._examples.habits.get(user_id, Counter())
        return {each: HABIT * float(np.log1p(often)) for each, often in taken.items()}


def _none() -> _Examples:
    return _Examples(np.zeros((0, 0), dtype=np.float32), np.array([], dtype=np.str_), (), {})


def _rights(
    preferences: Mapping[str, _Preference],
) -> dict[str, tuple[bool, datetime | None]]:
    """Who wants what forgotten or not learnt; the others are as if they had said nothing."""
    return {
        user_id: (each.learns, each.forgotten_until)
        for user_id, each in preferences.items()
        if not each.learns or each.forgotten_until
    }
