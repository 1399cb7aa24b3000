"""What a person makes of a recommendation, beside running one of the workflows shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.catalogue import Catalogue
from core.clock import Clock, new_id
from core.errors import UnknownRecommendation
from core.ledger import FeedbackGiven, Ledger, Queries

__all__ = ["Feedback", "Reaction"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the person of a recommendation said of it; `chosen` is the workflow taken since."""

    user_id: str
    dismissed: bool
    chosen: str | None


class Feedback:
    """Dismissals and choices; saying the same again writes nothing."""

    def __init__(self, ledger: Ledger, catalogue: Callable[[], Catalogue], clock: Clock) -> None:
        self._ledger = ledger
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._catalogue = catalogue
        self._clock = clock
        self._saying = threading.Lock()

    def owner(self, request_id: str) -> str:
        """Return the person whom a recommendation was made to.

        Raises:
            UnknownRecommendation: it is not in the ledger.
        """
        return self._reaction(request_id).user_id

    def reaction(self, request_id: str, user_id: str) -> Reaction:
        """Return what the person said of a recommendation so far.

        Raises:
            UnknownRecommendation: there is no such recommendation of this person.
        """
        reaction = self._reaction(request_id)
        if reaction.user_id != user_id:
            raise UnknownRecommendation(request_id)
        return reaction

    def dismiss(self, request_id: str, user_id: str) -> None:
        """Record, once, that none of the workflows shown fits.

        Raises:
            UnknownRecommendation: there is no such recommendation of this person.
            LedgerUnavailable: it could not be made durable.
        """
        # One at a time: of two clicks at once, the second sees what the first said.
        with self._saying:
            if not self.reaction(request_id, user_id).dismissed:
                self._write("dismissed", request_id, user_id)

    def choose(self, request_id: str, user_id: str, workflow_id: str) -> None:
        """Record the workflow taken for the task, shown or not; the last choice counts.

        Raises:
            UnknownRecommendation: there is no such recommendation of this person.
            UnknownWorkflow: no workflow of that id is loaded.
            LedgerUnavailable: it could not be made durable.
        """
        with self._saying:
            reaction = self.reaction(request_id, user_id)
            self._catalogue().get(workflow_id)
            if reaction.chosen != workflow_id:
                self._write("chosen", request_id, user_id, workflow_id)

    def _reaction(self, request_id: str) -> Reaction:
        rows = self._queries.rows("reaction", request_id=request_id)
        if not rows:
            raise UnknownRecommendation(request_id)
        return Reaction(**rows[0])

    def _write(
        self,
        kind: Literal["chosen", "dismissed"],
        request_id: str,
        user_id: str,
        workflow_id: str | None = None,
    ) -> None:
        self._ledger.write(
            FeedbackGiven(
                ts=self._clock.now(),
                feedback_id=new_id(),
                user_id=user_id,
                request_id=request_id,
                kind=kind,
                workflow_id=workflow_id,
            )
        )
