"""Models, what they cost and why they failed, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from core.analytics import ModelCall, Spending, falls_of

__all__ = [
    "PROVIDERS",
    "Passed",
    "advice",
    "cost_said",
    "fall_sentence",
    "latency",
    "model_name",
    "money",
    "outcome_said",
    "passed_by",
    "tokens_said",
    "why_passed",
]

PROVIDERS = {"anthropic": "Claude", "ollama": "Ollama"}
_CLAUDE = re.compile(r"claude-([a-z]+)-(\d+)(?:-(\d{1,2}))?(?:-\d{8})?")
_NANO = 1_000_000_000
_MS_A_SECOND, _S_A_MINUTE = 1_000, 60
# Costs are written to a hundredth of a cent, and from a dollar on to a cent.
_HUNDREDTH, _CENT = Decimal("0.0001"), Decimal("0.01")
# What became of a model that did not answer, after its name; and what to do if that lasts.
_FAILED: dict[str, tuple[str, str]] = {
    "rate_limited": (
        "took no more requests for now",
        "Wait a minute, or ask the provider for a higher limit.",
    ),
    "overloaded": (
        "had no room for more requests",
        "It passes by itself; the next rung answers meanwhile.",
    ),
    "server": (
        "had an internal error",
        "It passes by itself; the next rung answers meanwhile.",
    ),
    "connection": (
        "could not be reached",
        "Check the address in Settings, the network, and that the provider runs.",
    ),
    "timeout": (
        "did not answer in time",
        "If it lasts, allow more time in Settings or choose a faster model.",
    ),
    "deadline": (
        "answered too slowly",
        "If it lasts, allow more time in Settings or choose a faster model.",
    ),
    "dropped": ("broke off in the middle", "Check the network, or a proxy in between."),
    "empty": ("sent an empty answer", "If it lasts, choose another model in Settings."),
    "malformed": (
        "sent something that cannot be read",
        "Check that the address in Settings is the provider’s.",
    ),
    "invalid": (
        "gave an answer against the rules",
        "If it lasts, choose a more capable model in Settings.",
    ),
    "leaked": ("gave its instructions away", "Look at the task: it may be an injection."),
    "truncated": ("ran out of room for its answer", "Allow it more tokens in Settings."),
    "refused": ("declined to answer", "Nothing: the model judged this one question."),
    "auth": ("did not accept the key", "Enter a valid key on the Keys page."),
    "bad_request": (
        "did not take the request",
        "Check the model’s name in Settings; it may have ended.",
    ),
    "cancelled": ("had to stop", "Nothing: somebody cancelled the call."),
    "paused": (
        "had to pause after an outage",
        "It is tried again by itself; the next rung answers meanwhile.",
    ),
    "no_time": ("had no time left", "Allow more time in Settings."),
}


@dataclass(frozen=True, slots=True)
class Passed:
    """A model of the ladder that did not answer, and the kind of reason."""

    provider: str
    model: str
    kind: str


def model_name(provider: str, model: str) -> str:
    """Write `Claude haiku 5.5` or `Ollama llama3.2`; an unknown provider goes by its own name."""
    if provider == "anthropic":
        found = _CLAUDE.fullmatch(model)
        if found is None:
            return model if model.startswith("claude") else f"Claude {model}"
        family, *version = found.groups()
        return f"Claude {family} {'.'.join(filter(None, version))}"
    return f"{PROVIDERS.get(provider, provider)} {model}"


def money(nano_usd: int, *, up: bool = False) -> str:
    """Write `$0`, `$0.0006`, `$0.0165` or `$12.40`; an upper limit is rounded `up`."""
    if not nano_usd:
        return "$0"
    usd = Decimal(nano_usd) / _NANO
    if usd < _HUNDREDTH and not up:
        return f"under ${_HUNDREDTH}"
    unit = _CENT if usd >= 1 else _HUNDREDTH
    return f"${usd.quantize(unit, ROUND_CEILING if up else ROUND_HALF_EVEN):,}"


def cost_said(spent: Spending) -> str:
    """Write a cost as honestly as it is known: exact, at most, or unknown."""
    known = money(spent.nano_usd)
    if spent.unmeasured_nano_usd:
        known = f"at most {money(spent.nano_usd, up=True)}"
    if not spent.unpriced:
        return known
    return f"{known} and an unknown part" if spent.unpriced < spent.calls else "cost unknown"


def tokens_said(spent: Spending) -> str:
    """Write `1,830 tokens`, or `at most` that many where a count was lost."""
    most = "at most " if spent.unmeasured else ""
    return f"{most}{spent.tokens:,} tokens"


def latency(milliseconds: float) -> str:
    """Write `18 ms`, `1.2 s` or `2 min 5 s`."""
    if milliseconds < 1:
        return "under 1 ms"
    if round(milliseconds) < _MS_A_SECOND:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _MS_A_SECOND
    if seconds < _S_A_MINUTE:
        return f"{seconds:.1f} s"
    return f"{seconds // _S_A_MINUTE:.0f} min {seconds % _S_A_MINUTE:.0f} s"


def outcome_said(call: ModelCall) -> str:
    """Say how an attempt ended, as it follows the model’s name."""
    return "answered" if call.outcome == "succeeded" else _why(call.error)


def advice(kind: str | None) -> str:
    """Return what to do about a kind of failure, in one sentence."""
    return _FAILED.get(kind or "", ("", "Look at its calls in Activity."))[1]


def passed_by(calls: Sequence[ModelCall]) -> tuple[Passed, ...]:
    """Return the models that were asked for a request, and failed."""
    return tuple(
        Passed(fallen.last.provider, fallen.last.model, fallen.last.error or "")
        for fallen in falls_of(calls)
    )


def why_passed(passed: Passed) -> str:
    """Say why a model did not answer, in one sentence."""
    return f"{model_name(passed.provider, passed.model)} {_why(passed.kind)}."


def fall_sentence(passed: Iterable[Passed], answered: str) -> str:
    """Say who did not answer and why, and who did; empty when nobody was passed."""
    models_of: dict[str, list[str]] = {}
    for each in passed:
        models_of.setdefault(_why(each.kind), []).append(model_name(each.provider, each.model))
    if not models_of:
        return ""
    said = ", ".join(f"{_and(models)} {why}" for why, models in models_of.items())
    return f"{said}; {answered} answered instead."


def _why(kind: str | None) -> str:
    return _FAILED.get(kind or "", ("gave no answer that could be used", ""))[0]


def _and(names: Sequence[str]) -> str:
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} and {last}" if most else last
