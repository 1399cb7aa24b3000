"""What stays on this machine, and whether its words are kept, by the settings in force."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from core.catalogue import Domain, Task
from core.guard.request import Request
from core.guard.sensitive import Sensitivity, sensitive
from core.settings import Privacy

__all__ = ["PrivacyRules"]

AI_OFF = "AI is off for this deployment."
SAID: dict[Sensitivity, str] = {
    "marked": "The task is marked as sensitive.",
    "word": "The task has a word that is to stay on this machine.",
    "domain": "Tasks of this domain stay on this machine.",
}


class PrivacyRules:
    """Asked when a request comes in, and again before each call of a model."""

    def __init__(self, privacy: Callable[[], Privacy]) -> None:
        """Judge by what `privacy` gives at that moment."""
        self._privacy = privacy

    @property
    def look_at_domains(self) -> bool:
        """Whether the domain of a task can make it sensitive."""
        return bool(self._privacy().domains)

    def covers(self, domain: Domain | None) -> bool:
        """Return whether tasks of a domain stay here."""
        return domain in self._privacy().domains

    def judged(self, request: Request, domains: Collection[Domain] = ()) -> Request:
        """Return the request with why it is sensitive, if it is, and whether its words are kept.

        `domains` are those of the workflows that come into question.
        """
        privacy = self._privacy()
        why = _why(privacy, request.task, domains, marked=request.marked)
        kept = why is None or privacy.keep_text_of_sensitive
        return replace(request, sensitivity=why, keeps_text=kept)

    def why_local(
        self, task: Task, domains: Collection[Domain], sensitivity: Sensitivity | None = None
    ) -> str | None:
        """Return a sentence that says why no model may be asked, or None.

        `sensitivity` is what was found when the request came in, which settings do not lift.
        """
        privacy = self._privacy()
        if privacy.ai_off:
            return AI_OFF
        why = sensitivity or _why(privacy, task, domains, marked=False)
        return SAID[why] if why else None


def _why(
    privacy: Privacy, task: Task, domains: Collection[Domain], *, marked: bool
) -> Sensitivity | None:
    found = (sensitive(privacy, task, domain, marked=marked) for domain in (None, *domains))
    return next((why for why in found if why), None)
