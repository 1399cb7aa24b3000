"""A person's keys for providers: entered once, listed by their last four, revoked at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from core.errors import InvalidInput
from core.llm import KEYED_PROVIDERS, KeyEntry
from pages.shared.loopback import from_here
from pages.shared.session import errors_shown, person, runtime, zone
from pages.shared.text import count_of, day_time, plain

__all__ = ["entry_panel", "key_table", "master_key_panel", "not_from_here"]

_STATES = {
    "in use": "in use",
    "unreadable": "cannot be opened: enter it again",
    "replaced": "replaced",
    "revoked": "revoked",
    "cleared": "cleared, as the provider’s address changed",
}
_NOT_FROM_HERE = (
    "Keys can be changed only on the machine that Waywarden runs on, opened there as localhost: "
    "there is no sign-in yet that would tell who you are."
)
_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY"}


def not_from_here() -> None:
    """Say why nothing can be changed in this browser."""
    st.info(_NOT_FROM_HERE, icon=":material/lock:")


def entry_panel(provider: str, entries: Sequence[KeyEntry], *, may_change: bool) -> None:
    """Draw which key counts for a provider, the field for a new one, and the way to end it."""
    live = next((each for each in entries if each.ended is None), None)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{KEYED_PROVIDERS[provider]}**", width="content")
            _badge(provider, live)
            st.space("stretch")
            if live and may_change and not _is_asked(live):
                st.button("Revoke", on_click=_ask, args=(live,), icon=":material/block:")
        st.caption(_which_counts(provider, live))
        if live and may_change and _is_asked(live):
            _confirm(live)
        elif may_change:
            _entry_form(provider, has_one=live is not None)


def key_table(entries: Sequence[KeyEntry]) -> None:
    """List every key the person ever stored, the newest first."""
    st.markdown("**All keys you stored**")
    if not entries:
        st.caption("None yet. A key appears here with its last four characters once you save it.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Provider": [
                    KEYED_PROVIDERS.get(each.provider, each.provider) for each in entries
                ],
                "Key": [f"…{each.last_four}" for each in entries],
                "Saved": [_when(each.created) for each in entries],
                "Last used": [_when(each.last_used) or "never" for each in entries],
                "State": [_STATES[each.state] for each in entries],
                "Ended": [_when(each.ended) for each in entries],
            }
        ),
        hide_index=True,
    )


def master_key_panel() -> None:
    """Say where the key is that seals all others, and offer to change it."""
    vault = runtime().vault
    with st.expander("Master key", icon=":material/key:"):
        st.markdown(f"It seals everybody’s keys, and is kept in {plain(vault.master_key_place)}.")
        if not vault.can_rotate:
            st.caption(
                "To change it, put a new one before it in that variable, with a comma between, "
                "and restart: all keys are then sealed anew."
            )
        elif not st.session_state.get("rotation_asked"):
            st.button("Change the master key", on_click=_ask_rotation, args=(True,))
        else:
            st.caption("All keys are sealed anew and stay in force; backups need the old one.")
            with st.container(horizontal=True):
                st.button("Change it", on_click=_rotate)
                st.button("Leave it", on_click=_ask_rotation, args=(False,))


def _badge(provider: str, live: KeyEntry | None) -> None:
    if live and live.state == "unreadable":
        st.badge("cannot be opened", color="red")
    elif live:
        st.badge("your key", color="green")
    elif runtime().vault.has_deployment_key(provider):
        st.badge("the deployment’s key", color="blue")
    else:
        st.badge("no key", color="gray")


def _which_counts(provider: str, live: KeyEntry | None) -> str:
    if live and live.state == "unreadable":
        return f"…{plain(live.last_four)} was sealed with a master key that is not there."
    if live:
        used = f"last used {_when(live.last_used)}" if live.last_used else "not used yet"
        return f"…{plain(live.last_four)}, saved {_when(live.created)}, {used}."
    if runtime().vault.has_deployment_key(provider):
        return f"From {plain(_VARIABLES[provider])}. A key of your own would count before it."
    return "Without one, answers come from this machine."


def _entry_form(provider: str, *, has_one: bool) -> None:
    """Draw a field that is a new, empty one after each try: what was typed stays nowhere."""
    tries = st.session_state.setdefault("key_tries", 0)
    field = f"new-key-{provider}-{tries}"
    with (
        st.form(f"enter-{provider}", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(
            "Another key, in its place" if has_one else "Your key",
            key=field,
            type="password",
            max_chars=1_000,
            placeholder="sk-ant-…",
            help="Sealed before it is stored, and never shown again.",
        )
        st.form_submit_button("Save key", type="primary", on_click=_save, args=(provider, field))


def _save(provider: str, field: str) -> None:
    typed = str(st.session_state.pop(field, ""))
    st.session_state["key_tries"] += 1
    with errors_shown():
        _refuse_from_afar()
        runtime().vault.store(person(), provider, typed, person())
        st.toast("Key saved.", icon=":material/check:")


def _is_asked(entry: KeyEntry) -> bool:
    return st.session_state.get("revocation_asked") == entry.key_id


def _ask(entry: KeyEntry | None) -> None:
    st.session_state["revocation_asked"] = entry and entry.key_id


def _confirm(entry: KeyEntry) -> None:
    st.caption("It stops working at once, for everything that runs under your name.")
    with st.container(horizontal=True):
        st.button("Revoke it", type="primary", on_click=_revoke, args=(entry,))
        st.button("Keep it", on_click=_ask, args=(None,))


def _revoke(entry: KeyEntry) -> None:
    _ask(None)
    with errors_shown():
        _refuse_from_afar()
        runtime().vault.revoke(person(), entry.key_id, person())
        st.toast("Key revoked.", icon=":material/check:")


def _ask_rotation(asked: bool) -> None:
    st.session_state["rotation_asked"] = asked


def _rotate() -> None:
    _ask_rotation(False)
    with errors_shown():
        _refuse_from_afar()
        done = runtime().vault.rotate(person())
        said = f"{count_of(done.resealed, 'key')} sealed anew."
        st.toast(said, icon=":material/check:")


def _refuse_from_afar() -> None:
    """Let only this machine change anything, whatever was drawn before."""
    if not from_here():
        raise InvalidInput("key", _NOT_FROM_HERE)


def _when(moment: datetime | None) -> str:
    return "" if moment is None else day_time(moment, runtime().clock.now(), zone())
