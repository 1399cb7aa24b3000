"""The forms of the settings page: one a section, over what is in force of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.catalogue import DOMAINS
from core.settings import Provider, SectionName
from pages.shared.loopback import from_here
from pages.shared.session import runtime
from pages.shared.settings_draft import Draft, dotted, drafted, form_number, nested

__all__ = ["section_form"]

EFFORTS = ("", "low", "medium", "high", "xhigh", "max")
FLOAT_STEPS = {"deadline_s": 1.0, "cascade_at": 0.05}
RUNGS = {
    "preferred": "Claude, preferred model",
    "cheaper": "Claude, cheaper model",
    "ollama": "Ollama",
    "local": "Local",
}


def section_form(section: SectionName) -> None:
    """Draw a section's form; sending it makes a draft and saves nothing."""
    settings = runtime().operator_settings
    number = settings.number(section)
    stored = getattr(settings.stored, section).model_dump(mode="json")
    # Another version, or a draft that was dropped, is another form: it starts anew.
    key = f"{section}/{number}/{form_number(section)}"
    with st.form(f"form/{key}", border=False):
        FORMS[section](_Fields(f"{key}/", dotted(stored), disabled=not from_here()))
        st.form_submit_button(
            "Review changes",
            on_click=_review,
            args=(section, number, key, stored),
            disabled=not from_here(),
        )


def _review(section: SectionName, number: int, key: str, stored: Mapping[str, Any]) -> None:
    """Keep what the form holds as a draft, with the version it was drawn from."""
    prefix = f"{key}/"
    typed = {
        str(name).removeprefix(prefix): value
        for name, value in st.session_state.items()
        if str(name).startswith(prefix)
    }
    before = dotted(stored)
    meant = {path: _meant(path, typed.get(path, value)) for path, value in before.items()}
    changed = {path: value for path, value in meant.items() if value != before[path]}
    drafted(section, Draft(number, nested(meant), changed))


def _meant(path: str, typed: Any) -> Any:
    """Turn what a widget holds into what the setting holds."""
    if path.endswith(("base_url", "effort")):
        return (typed or "").strip() or None
    if path == "words":
        return [line for line in typed.splitlines() if line.strip()] if typed else []
    return list(typed) if isinstance(typed, (list, tuple)) else typed


@dataclass(frozen=True, slots=True)
class _Fields:
    """Draws the widget of a field, by its dotted path, with what is stored of it."""

    prefix: str
    stored: Mapping[str, Any]
    disabled: bool

    def toggle(self, path: str, label: str, why: str | None = None) -> None:
        st.toggle(label, self.stored[path], help=why, **self._common(path))

    def text(self, path: str, label: str, placeholder: str | None = None) -> None:
        value = self.stored[path] or ""
        st.text_input(
            label, value, placeholder=placeholder, autocomplete="off", **self._common(path)
        )

    def number(self, path: str, label: str, why: str | None = None) -> None:
        value = self.stored[path]
        step: float = 1 if isinstance(value, int) else FLOAT_STEPS[path.rpartition(".")[2]]
        st.number_input(
            label,
            value=value,
            step=step,
            format="%d" if isinstance(value, int) else "%g",
            help=why,
            placeholder="never",
            **self._common(path),
        )

    def choice(
        self, path: str, label: str, options: Sequence[str], shown: Callable[[str], str]
    ) -> None:
        at = options.index(self.stored[path] or "")
        st.selectbox(label, options, at, format_func=shown, **self._common(path))

    def _common(self, path: str) -> dict[str, Any]:
        return {"key": self.prefix + path, "disabled": self.disabled}


def _providers(fields: _Fields) -> None:
    claude, ollama = st.columns(2)
    with claude, st.container(border=True, height="stretch"):
        st.markdown("**Claude**")
        st.caption(_reached("anthropic"))
        fields.toggle("anthropic.enabled", "Use Claude")
        fields.text("anthropic.ranking_model", "Model for ranking")
        fields.text("anthropic.steps_model", "Model for steps")
        fields.text("anthropic.cheaper_model", "Cheaper model, when those fail")
        fields.choice(
            "anthropic.effort", "Effort", EFFORTS, lambda effort: effort or "the model’s own"
        )
        fields.number("anthropic.ranking_max_tokens", "Tokens for a ranking, at most")
        fields.number("anthropic.steps_max_tokens", "Tokens for steps, at most")
        fields.number("anthropic.deadline_s", "Deadline, seconds")
        usual = runtime().settings.anthropic_base_url
        fields.text("anthropic.base_url", "Address", placeholder=usual)
    with ollama, st.container(border=True, height="stretch"):
        st.markdown("**Ollama**")
        st.caption(_reached("ollama"))
        fields.toggle("ollama.enabled", "Use Ollama")
        fields.text("ollama.model", "Model")
        fields.number("ollama.ranking_max_tokens", "Tokens for a ranking, at most")
        fields.number("ollama.steps_max_tokens", "Tokens for steps, at most")
        fields.number("ollama.deadline_s", "Deadline, seconds")
        usual = runtime().settings.ollama_host or "none"
        fields.text("ollama.base_url", "Address", placeholder=usual)


def _reached(provider: Provider) -> str:
    """Say where a provider is asked, or what is missing for it to be."""
    if provider == "ollama":
        if runtime().operator_settings.address("ollama"):
            return "Asked at the address below; it costs nothing."
        return "Not asked yet: give it an address here, or as OLLAMA_HOST."
    if runtime().settings.anthropic_api_key:
        return "Asked with the deployment’s key."
    return "The deployment has no key: ANTHROPIC_API_KEY gives it one."


def _ladder(fields: _Fields) -> None:
    with st.container(border=True):
        st.multiselect(
            "Rungs, first to last",
            list(RUNGS),
            fields.stored["rungs"],
            format_func=lambda rung: RUNGS[rung],
            help="Take one out to leave it out; they are asked in the order you put them in.",
            key=f"{fields.prefix}rungs",
            disabled=fields.disabled,
        )
        fields.number("retries", "Retries on a rung", "Beyond the first attempt, 0 to 5.")
        fields.number(
            "cascade_at",
            "Answer locally at a confidence of",
            "From 0.5 to 1: at or above it the local recommender answers alone, for nothing. "
            "Empty: it never does.",
        )


def _privacy(fields: _Fields) -> None:
    with st.container(border=True):
        fields.toggle("ai_off", "AI off", "No task of anybody leaves this machine.")
        st.text_area(
            "Sensitive words, one a line",
            "\n".join(fields.stored["words"]),
            help="A task with one of them stays here. Whole words, in any case; diagnos* finds "
            "every word that begins so.",
            height=150,
            key=f"{fields.prefix}words",
            disabled=fields.disabled,
        )
        st.pills(
            "Sensitive domains",
            DOMAINS,
            selection_mode="multi",
            default=fields.stored["domains"],
            key=f"{fields.prefix}domains",
            disabled=fields.disabled,
        )
        fields.toggle(
            "keep_text_of_sensitive",
            "Keep the text of sensitive tasks",
            "Off: the ledger gets a hash of it.",
        )


FORMS: Mapping[SectionName, Callable[[_Fields], None]] = {
    "providers": _providers,
    "ladder": _ladder,
    "privacy": _privacy,
}
