"""Keys: each person's own for the providers, entered here and never shown again."""

from __future__ import annotations

import streamlit as st

from core.llm import KEYED_PROVIDERS
from pages.shared.loopback import from_here
from pages.shared.session import errors_shown, person, runtime
from pages.shared.stored_keys import entry_panel, key_table, master_key_panel, not_from_here
from pages.shared.text import plain

with errors_shown():
    may_change = from_here()
    entries = runtime().vault.listed(person())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Keys", width="content")
        st.space("stretch")
        st.caption(f"keys of {plain(person())}", width="content")
    st.caption(
        "A key of your own pays for what runs under your name, and counts before the "
        "deployment’s. It is sealed on this machine; only its last four characters are shown."
    )
    if not may_change:
        not_from_here()
    for provider in KEYED_PROVIDERS:
        mine = [entry for entry in entries if entry.provider == provider]
        entry_panel(provider, mine, may_change=may_change)
    key_table(entries)
    if may_change:
        master_key_panel()
