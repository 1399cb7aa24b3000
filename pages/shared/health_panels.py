"""How providers and parts are, and what to do about each that is not well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import streamlit as st

from core.analytics import ProviderDay, Spending
from core.doctor import Finding
from core.health import ProviderHealth, ProviderState
from pages.shared.model_text import (
    PROVIDERS,
    Passed,
    advice,
    cost_said,
    latency,
    money,
    tokens_said,
    why_passed,
)
from pages.shared.session import runtime, zone
from pages.shared.text import count_of, day_time, plain

__all__ = ["day_cards", "parts_panel", "provider_panel", "verdict"]

# Of each state its badge, its colour, and what to do about it; {name} is the provider's.
STATES: dict[ProviderState, tuple[str, str, str]] = {
    "answers": ("answers", "green", ""),
    "unasked": ("set up, not asked yet", "blue", "It is asked with the next request."),
    "failing": ("failing", "red", ""),
    "paused": ("left alone for now", "red", ""),
    "tried": ("being tried again", "orange", "The next request sees whether it is back."),
    "not set up": ("not set up", "gray", ""),
    "barred": (
        "barred by its address",
        "red",
        "Name its host in WAYWARDEN_MODEL_HOSTS and restart, or change its address in Settings.",
    ),
    "off": (
        "switched off",
        "gray",
        "Switch it on in Settings, and put it on a rung of the ladder.",
    ),
    "ai off": ("AI is off", "gray", "Everything runs locally until AI is on again in Settings."),
}
_SET_UP = {
    "anthropic": "Set ANTHROPIC_API_KEY and restart, or enter a key of your own on the Keys page.",
    "ollama": "Set OLLAMA_HOST and restart, or enter its address in Settings.",
}
_FAULTS: set[ProviderState] = {"failing", "paused", "tried", "barred"}
_MARKS = {
    "ok": ":material/check_circle:",
    "warning": ":material/warning:",
    "failed": ":material/error:",
}


def verdict(parts: Iterable[Finding], providers: Iterable[ProviderHealth]) -> None:
    """Say whether all is well, or each fault with what to do about it."""
    ill = [each for each in parts if each.status != "ok"]
    faulty = [each for each in providers if each.state in _FAULTS]
    for part in ill:
        draw = st.error if part.status == "failed" else st.warning
        draw(plain(f"{part.check.capitalize()}: {part.detail}."), icon=_MARKS[part.status])
    for each in faulty:
        st.warning(plain(f"{_heading(each)}. {_to_do(each)}"), icon=_MARKS["warning"])
    if not ill and not faulty:
        st.success("All is well: answers come, and are kept.", icon=_MARKS["ok"])


def day_cards(providers: Sequence[ProviderHealth]) -> None:
    """Draw today's calls, failures and cost of all providers together."""
    spent = sum((each.today.spent for each in providers), start=Spending())
    failures = sum(each.today.failures for each in providers)
    share = f"{100 * failures / spent.calls:.0f} % of calls" if spent.calls else None
    with st.grid(4, min_column_width=180):
        _card("Model calls today", f"{spent.calls:,}")
        _card("Failed today", f"{failures:,}", share)
        lost = "at most: counts were lost" if spent.unmeasured else None
        _card("Tokens today", f"{spent.tokens:,}", lost)
        all_unknown = spent.calls and spent.unpriced == spent.calls
        cost = "unknown" if all_unknown else money(spent.nano_usd, up=bool(spent.unmeasured))
        _card("Cost today", cost, _known(spent))


def provider_panel(health: ProviderHealth) -> None:
    """Draw how one provider stands: its state, its last answer and failure, its day."""
    word, colour, _ = STATES[health.state]
    with st.container(border=True, height="stretch", key=f"provider-{health.provider}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(PROVIDERS[health.provider])}**", width="content")
            st.badge(word, color=colour)  # type: ignore[arg-type]
            st.space("stretch")
            st.caption(plain(health.address or "no address"), width="content")
        if health.state not in _FAULTS and (to_do := _to_do(health)):
            st.markdown(plain(to_do))
        st.caption("  \n".join(map(plain, _told(health.today))))


def parts_panel(parts: Iterable[Finding]) -> None:
    """List the parts of this deployment, each with its state."""
    with st.container(border=True, key="parts"):
        st.markdown("**This deployment**")
        for part in parts:
            with st.container(horizontal=True, vertical_alignment="top", wrap=False, gap="small"):
                colour = {"ok": "green", "warning": "orange", "failed": "red"}[part.status]
                st.markdown(f":{colour}[{_MARKS[part.status]}]", width="content")
                st.markdown(f"**{plain(part.check.capitalize())}** · {plain(part.detail)}")


def _known(spent: Spending) -> str | None:
    """Say how well a cost is known, or nothing where it is exact."""
    said = ["at most"] if spent.unmeasured_nano_usd else []
    if spent.unpriced:
        said.append(f"{count_of(spent.unpriced, 'call')} of unknown price")
    return ", ".join(said) or None


def _card(label: str, value: str, beside: str | None = None) -> None:
    st.metric(
        label,
        value,
        delta=beside,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )


def _heading(health: ProviderHealth) -> str:
    """Say what is wrong with a provider, as the beginning of a sentence."""
    name = PROVIDERS[health.provider]
    if health.state == "paused" and health.breaker:
        wait_s = round(health.breaker.tried_again_in_s)
        return f"{name} is left alone for {wait_s} s more after an outage"
    return f"{name} is {STATES[health.state][0]}"


def _to_do(health: ProviderHealth) -> str:
    """Return what happened to a provider and what to do, or nothing where nothing is."""
    if health.state == "not set up":
        return _SET_UP[health.provider]
    if health.state in {"failing", "paused"}:
        reason = health.breaker.reason if health.breaker else None
        kind = health.today.failure or reason
        return f"{_failure(health.today)} {advice(kind)}".strip()
    return STATES[health.state][2]


def _failure(today: ProviderDay) -> str:
    if today.failure is None:
        return ""
    return why_passed(Passed(today.provider, today.failed_model or "", today.failure))


def _told(today: ProviderDay) -> list[str]:
    now, spent = runtime().clock.now(), today.spent

    def when(moment: datetime) -> str:
        return day_time(moment, now, zone())

    said = []
    if today.answered_at:
        said.append(f"Last answer {when(today.answered_at)}.")
    if today.failed_at:
        said.append(f"Last failure {when(today.failed_at)}: {_failure(today)}")
    if not spent.calls:
        return [*said, "No calls today."]
    calls = f"Today {count_of(spent.calls, 'call')}, {count_of(today.failures, 'failure')}"
    said.append(f"{calls} · {tokens_said(spent)} · {cost_said(spent)}")
    if today.p50_ms is not None and today.p95_ms is not None:
        half, most = latency(today.p50_ms), latency(today.p95_ms)
        said.append(f"Half of its answers within {half}, 95 % within {most}.")
    return said
