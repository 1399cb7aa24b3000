"""The viewer's session: the runtime, who is looking, in which zone, and how errors are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core.analytics import zone_of
from core.catalogue import Task, TimeOfDay
from core.clock import new_id
from core.errors import LedgerUnavailable, WaywardenError
from core.guard import profile_name
from core.recommend import Profile
from core.runtime import Runtime, current
from pages.shared.text import plain

__all__ = [
    "DEFAULT_PERSON",
    "Answered",
    "errors_shown",
    "is_dark",
    "person",
    "profile",
    "runtime",
    "session_id",
    "time_of_day",
    "typed_name",
    "zone",
]

DEFAULT_PERSON = "local"


@dataclass(frozen=True, slots=True)
class Answered:
    """The task that was last answered, as the page holds it."""

    request_id: str
    task: Task
    is_sensitive: bool


_NOON, _EVENING, _NIGHT_ENDS = 12, 17, 5


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what Waywarden says no to as one sentence; anything else is a bug and shows as one."""
    try:
        yield
    except LedgerUnavailable as problem:
        st.error(plain(str(problem)), icon=":material/database_off:")
        st.button("Try again", key=f"again-{type(problem).__name__}", icon=":material/refresh:")
    except WaywardenError as problem:
        st.error(plain(str(problem)), icon=":material/info:")


def runtime() -> Runtime:
    """Return the process's runtime, or show why there is none and end the page."""
    found: Runtime | None = None
    with errors_shown():
        found = current()
    if found is None:
        st.stop()
    return found


def person() -> str:
    """Return the profile name everything is counted under."""
    try:
        return profile_name(typed_name())
    except WaywardenError:
        return DEFAULT_PERSON


def typed_name() -> str:
    """Return the name as it was typed; from the address until its field is drawn."""
    in_address = st.query_params.get("profile")
    return str(st.session_state.get("profile", in_address) or DEFAULT_PERSON)


def profile() -> Profile:
    """Return the person's preferences, read once per session and person."""
    name = person()
    known: dict[str, Profile] = st.session_state.setdefault("preferences", {})
    if name not in known:
        known[name] = runtime().profiles.of(name)
    return known[name]


def zone() -> ZoneInfo:
    """Return the browser's zone."""
    return zone_of(st.context.timezone)


def time_of_day() -> TimeOfDay:
    """Return the part of the viewer's day that it is now."""
    hour = runtime().clock.now().astimezone(zone()).hour
    if _NIGHT_ENDS <= hour < _NOON:
        return "morning"
    return "afternoon" if _NOON <= hour < _EVENING else "evening"


def session_id() -> str:
    """Return an id of this browser session, for idempotency keys made before a click."""
    made: str = st.session_state.setdefault("session_id", new_id())
    return made


def is_dark() -> bool:
    """Whether the viewer's theme is dark."""
    return bool(st.context.theme.type == "dark")
