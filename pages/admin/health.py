"""Health: is every provider and part well, and what to do about the one that is not."""

from __future__ import annotations

import streamlit as st

from core.health import Breaking, parts_of, providers_of
from pages.shared.health_panels import day_cards, parts_panel, provider_panel, verdict
from pages.shared.session import errors_shown, person, runtime, zone
from pages.shared.text import clock_time


def breaking() -> Breaking | None:
    """Return what knows which providers are left alone, where models can be asked."""
    found: Breaking | None = getattr(getattr(runtime(), "models", None), "breakers", None)
    return found


with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Health", width="content")
    st.space("stretch")
    fresh = clock_time(runtime().clock.now(), zone())
    st.caption(f"{zone().key} · as of {fresh}", width="content")
    st.button("Refresh", icon=":material/refresh:")
parts = parts_of(runtime())
with errors_shown():
    providers = providers_of(runtime(), person(), zone().key, breaking())
    verdict(parts, providers)
    day_cards(providers)
    for column, health in zip(st.columns(len(providers)), providers, strict=True):
        with column:
            provider_panel(health)
    with st.container(horizontal=True):
        st.page_link("admin/settings.py", label="Settings", icon=":material/tune:")
        st.page_link("admin/keys.py", label="Keys", icon=":material/key:")
        st.page_link("insight/activity.py", label="Activity", icon=":material/list_alt:")
parts_panel(parts)
