"""A change of settings that is not saved yet: what it would change, why, and the save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import InvalidSettings
from core.settings import SectionName
from pages.shared.loopback import from_here
from pages.shared.session import errors_shown, person, runtime
from pages.shared.text import plain

__all__ = [
    "Draft",
    "dotted",
    "draft_panel",
    "drafted",
    "form_number",
    "nested",
    "saved_toast",
    "shown",
]


@dataclass(frozen=True, slots=True)
class Draft:
    """A section's whole new value, and the version it was made from.

    `changed` has the fields that the person changed, by their dotted path; `restores` is the
    earlier version that it is.
    """

    based_on: int
    value: Mapping[str, Any]
    changed: Mapping[str, Any] = field(default_factory=dict)
    restores: str | None = None


def drafted(section: SectionName, draft: Draft | None) -> None:
    """Keep a draft for the person to look at; None drops it, and the form starts anew."""
    st.session_state[f"draft-{section}"] = draft
    if draft is None:
        st.session_state[f"form-{section}"] = form_number(section) + 1


def form_number(section: SectionName) -> int:
    """Return how often a section's form has started anew."""
    return int(st.session_state.get(f"form-{section}", 0))


def dotted(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return the fields of nested groups by their dotted path."""
    fields: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            fields |= dotted(inner, f"{before}{name}.")
        else:
            fields[f"{before}{name}"] = inner
    return fields


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields by their dotted path as nested groups."""
    value: dict[str, Any] = {}
    for path, inner in fields.items():
        *groups, name = path.split(".")
        place = value
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = inner
    return value


def shown(value: object) -> str:
    """Say a setting's value."""
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def saved_toast() -> None:
    """Say once that a version was saved."""
    if said := st.session_state.pop("settings-saved", None):
        st.toast(said, icon=":material/check:")


def draft_panel(section: SectionName) -> None:
    """Draw what a section's draft would change, and the save; without a draft nothing."""
    draft: Draft | None = st.session_state.get(f"draft-{section}")
    if draft is None:
        return
    with st.container(border=True, key="draft"):
        st.markdown("**Not saved yet**")
        if draft.based_on != runtime().operator_settings.number(section):
            _outdated(section, draft)
        else:
            _to_save(section, draft)


def _outdated(section: SectionName, draft: Draft) -> None:
    newest = runtime().operator_settings.newest(section)
    if newest is None:
        return
    st.warning(
        f"{plain(newest.actor)} saved version {newest.version} meanwhile; the form shows it now.",
        icon=":material/group:",
    )
    with st.container(horizontal=True):
        if draft.changed and st.button(f"Make my change to version {newest.version}"):
            stored = getattr(runtime().operator_settings.stored, section)
            merged = nested({**dotted(stored.model_dump(mode="json")), **draft.changed})
            drafted(section, Draft(newest.version, merged, draft.changed))
            st.rerun()
        _discard(section)


def _to_save(section: SectionName, draft: Draft) -> None:
    settings = runtime().operator_settings
    try:
        changes = settings.preview(section, draft.value)
    except InvalidSettings as problem:
        for sentence in problem.faults.values():
            st.error(plain(sentence), icon=":material/info:")
        _discard(section)
        return
    if not changes:
        st.caption("This is what is in force already.")
        _discard(section)
        return
    st.dataframe(
        pd.DataFrame(
            [(each.title, shown(each.before), shown(each.after)) for each in changes],
            columns=["Setting", "Now", "New"],
        ),
        hide_index=True,
    )
    if any(each.field == "anthropic.base_url" for each in changes):
        st.warning(
            "Keys that people keep for Claude end with this save: they were given for its old "
            "address.",
            icon=":material/key_off:",
        )
    _save_form(section, draft)


def _save_form(section: SectionName, draft: Draft) -> None:
    with st.form(f"save-{section}", border=False):
        reason = st.text_input(
            "Why",
            key=f"reason-{section}",
            max_chars=300,
            placeholder="What this is for; others will read it",
        )
        st.caption(f"Saved as {plain(person())}.")
        with st.container(horizontal=True):
            wanted = st.form_submit_button("Save", type="primary", disabled=not from_here())
            st.form_submit_button(
                "Discard", type="tertiary", on_click=drafted, args=(section, None)
            )
    if wanted and from_here():
        with errors_shown():
            _save(section, draft, reason or "")
            st.rerun()


def _save(section: SectionName, draft: Draft, reason: str) -> None:
    settings, actor = runtime().operator_settings, person()
    if draft.restores:
        saved = settings.restore(draft.restores, actor, reason, draft.based_on)
    else:
        saved = settings.save(section, draft.value, actor, reason, draft.based_on)
    number = saved.version if saved else 0
    st.session_state["settings-saved"] = f"Version {number} is in force from the next request."
    drafted(section, None)


def _discard(section: SectionName) -> None:
    st.button(
        "Discard",
        type="tertiary",
        key=f"discard-{section}",
        on_click=drafted,
        args=(section, None),
    )
