"""The strip of a request: waiting, answering, failing and checking, each where it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.analytics import RequestFacts
from core.ledger import LlmCall
from pages.shared.attempts import Segment, segments_of
from tests.calling import a_call, failed

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def facts(*calls: LlmCall, settled_s: float | None = None) -> RequestFacts:
    rows: dict[str, list[dict[str, Any]]] = {
        "llm_calls": [call.model_dump() for call in calls],
        "settlements": [],
    }
    if settled_s is not None:
        rows["settlements"].append({"ts": AT + timedelta(seconds=settled_s)})
    return RequestFacts({"ts": AT}, rows)


def told(segments: list[Segment]) -> list[tuple[str, str, float, float, bool]]:
    return [
        (
            each.row.partition("<br>")[2] or each.row,
            each.kind,
            round(each.start_s, 3),
            round(each.length_s, 3),
            each.pale,
        )
        for each in segments
    ]


def call(start_s: float, number: int, **changes: Any) -> LlmCall:
    return a_call("r", AT + timedelta(seconds=start_s), number, **changes)


def test_every_moment_from_admission_to_settlement_has_its_place() -> None:
    first = call(0.02, 1, **failed("timeout", latency_ms=3_000.0))
    second = call(3.5, 2, rung=2, latency_ms=1_000.0, first_token_ms=400.0)
    assert told(segments_of(facts(first, second, settled_s=4.52))) == [
        ("rung 1, attempt 1", "checking or waiting", 0.0, 0.02, False),
        ("rung 1, attempt 1", "failed", 0.02, 3.0, False),
        ("rung 2, attempt 2", "checking or waiting", 3.02, 0.48, False),
        ("rung 2, attempt 2", "answered", 3.5, 0.4, True),
        ("rung 2, attempt 2", "answered", 3.9, 0.6, False),
        ("settled", "checking or waiting", 4.5, 0.02, False),
    ]


def test_a_request_under_way_ends_with_its_last_attempt() -> None:
    segments = segments_of(facts(call(0.0, 1)))
    assert [each.kind for each in segments] == ["answered", "answered"]


@pytest.mark.parametrize("first_token_ms", [0.0, 5_000.0])
def test_clocks_that_disagree_draw_no_negative_time(first_token_ms: float) -> None:
    made = call(0.0, 1, latency_ms=1_000.0, first_token_ms=first_token_ms)
    segments = segments_of(facts(made, call(0.5, 2), settled_s=0.9))
    assert min(each.length_s for each in segments) >= 0
    assert sum(each.length_s for each in segments[:2]) <= 2.2
