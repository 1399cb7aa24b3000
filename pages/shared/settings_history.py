"""The versions of a section of settings: which is in force, what each changed, and back to it."""

from __future__ import annotations

import streamlit as st

from core.settings import SectionName, Version
from pages.shared.loopback import from_here
from pages.shared.session import runtime, zone
from pages.shared.settings_draft import Draft, drafted, shown
from pages.shared.text import count_of, day_time, plain

__all__ = ["history"]

PAGE_SIZE = 8


def history(section: SectionName) -> None:
    """List the versions, the newest first; an earlier one can be restored."""
    versions = runtime().operator_settings.history(section)
    if not versions:
        st.markdown("**The defaults are in force**")
        st.caption("Every save becomes a version here, with who, when, why and what changed.")
        return
    with st.container(border=True, key="history"):
        st.markdown(f"**{count_of(len(versions), 'version')}**")
        place = st.container()
        pages = -(-len(versions) // PAGE_SIZE)
        at = st.pagination(pages, key=f"{section}_versions") if pages > 1 else 1
        with place:
            for version in versions[(at - 1) * PAGE_SIZE : at * PAGE_SIZE]:
                _row(section, version, newest=version == versions[0])


def _row(section: SectionName, version: Version, *, newest: bool) -> None:
    when = day_time(version.ts, runtime().clock.now(), zone())
    with st.container(horizontal=True, wrap=False, vertical_alignment="top"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**Version {version.version}** · {plain(version.actor)} · {when}")
            st.caption(plain(version.reason))
            for change in version.changes:
                before, after = plain(shown(change.before)), plain(shown(change.after))
                st.caption(f"{plain(change.title)}: {before} → {after}")
        if newest:
            st.badge("in force", color="green")
        else:
            st.button(
                "Restore",
                key=f"restore-{version.version_id}",
                on_click=_restore,
                args=(section, version),
                disabled=not from_here(),
            )


def _restore(section: SectionName, version: Version) -> None:
    """Make a draft of an earlier version: what it would change is looked at before."""
    number = runtime().operator_settings.number(section)
    drafted(section, Draft(number, version.value, restores=version.version_id))
