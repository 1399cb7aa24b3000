"""Who is looking: the profile in the sidebar, its preferences, and what is used of its limits."""

from __future__ import annotations

import streamlit as st

from core.catalogue import DOMAINS, ENERGY_LABELS
from core.guard import profile_name
from core.recommend import Profile
from pages.shared.session import (
    DEFAULT_PERSON,
    errors_shown,
    person,
    profile,
    runtime,
    typed_name,
)
from pages.shared.text import hours, plain

__all__ = ["HOURS", "sidebar"]

HOURS = (0.5, 1.0, 2.0, 4.0, 8.0)
_HOUR_S = 3_600


def sidebar() -> None:
    """Draw the profile and its usage below the navigation."""
    with st.sidebar, errors_shown():
        name = person()
        with errors_shown():
            profile_name(typed_name())
        with st.popover(plain(name), icon=":material/person:", width="stretch"):
            _profile(name)
        for usage in runtime().gate.usage(name, "execute"):
            if usage.rule.window_s == _HOUR_S:
                st.caption(f"{usage.used} of {usage.rule.limit} runs this hour")


def _profile(name: str) -> None:
    st.text_input(
        "Profile name",
        key="profile",
        bind="query-params",
        placeholder=DEFAULT_PERSON,
        max_chars=40,
        help="Runs, limits and preferences are kept by this name.",
    )
    st.caption("Names are taken on trust: there is no sign-in yet.")
    saved = profile()
    with st.form(f"preferences-{name}", border=False):
        energy = st.segmented_control(
            "Usual energy",
            [1, 2, 3],
            default=saved.usual_energy,
            required=True,
            format_func=lambda level: ENERGY_LABELS[level],
        )
        usual_hours = st.segmented_control(
            "Usual hours", HOURS, default=saved.usual_hours, format_func=hours
        )
        favourites = st.pills(
            "Favourite domains",
            DOMAINS,
            selection_mode="multi",
            default=list(saved.favourite_domains),
            help="They come first when you browse workflows, and a little sooner in answers.",
        )
        learns = st.toggle(
            "Learn from what I choose",
            value=saved.learns,
            help="Workflows you took for a task come sooner for tasks like it.",
        )
        if st.form_submit_button("Save preferences", width="stretch"):
            chosen = Profile(
                usual_energy=energy or saved.usual_energy,
                usual_hours=usual_hours,
                favourite_domains=tuple(favourites),
                learns=learns,
                forgotten_until=saved.forgotten_until,
            )
            _save(name, chosen)
    _forgetting(name)


def _forgetting(name: str) -> None:
    """Offer to forget, and ask once more: it cannot be taken back."""
    asked = f"forget-{name}"
    if not st.session_state.get(asked):
        if st.button("Forget my choices", type="tertiary", width="stretch"):
            st.session_state[asked] = True
            st.rerun()
        return
    st.caption("Nothing you chose until now will be used again. Your runs stay.")
    with st.container(horizontal=True):
        if st.button("Forget", type="primary"):
            with errors_shown():
                runtime().profiles.forget(name)
                st.session_state["preferences"][name] = runtime().profiles.of(name)
                st.toast("Forgotten.", icon=":material/check:")
            st.session_state[asked] = False
        if st.button("Keep"):
            st.session_state[asked] = False
            st.rerun()


def _save(name: str, chosen: Profile) -> None:
    with errors_shown():
        runtime().profiles.save(name, chosen)
        st.session_state["preferences"][name] = chosen
        st.session_state["energy"] = chosen.usual_energy
        st.session_state["hours"] = chosen.usual_hours
        st.toast("Preferences saved.", icon=":material/check:")
