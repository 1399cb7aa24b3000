"""Settings: what is in force, what a change would change, and who changed what, and why."""

from __future__ import annotations

import streamlit as st

from core.settings import SectionName
from pages.shared.loopback import from_here
from pages.shared.session import errors_shown, runtime
from pages.shared.settings_draft import draft_panel, saved_toast
from pages.shared.settings_forms import section_form
from pages.shared.settings_history import history

MEANINGS: dict[SectionName, str] = {
    "providers": "Who may be asked besides the local recommender and planner, where, and how long "
    "an answer may be and take.",
    "ladder": "Who is asked first, and who when that fails. The local rung always answers.",
    "privacy": "What never leaves this machine. It is handled by the local rung alone.",
}

with errors_shown():
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Settings", width="content")
        st.space("stretch")
        st.caption(
            "A save is in force from the next request, in every open session", width="content"
        )
    section = st.segmented_control(
        "Section",
        list(MEANINGS),
        default="providers",
        required=True,
        format_func=str.capitalize,
        key="section",
        bind="query-params",
        label_visibility="collapsed",
    )
    if not from_here():
        st.info(
            "Settings are changed at the machine that Waywarden runs on, until there is sign-in. "
            "Here you can read them.",
            icon=":material/lock:",
        )
    for provider in runtime().operator_settings.barred:
        st.warning(
            f"{provider.title()} is not asked: WAYWARDEN_MODEL_HOSTS no longer names the host of "
            "its address.",
            icon=":material/block:",
        )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.caption(MEANINGS[section])
        section_form(section)
    with right:
        draft_panel(section)
        history(section)
    saved_toast()
