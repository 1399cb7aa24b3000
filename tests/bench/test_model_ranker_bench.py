"""What a recommendation by a model costs, from the bytes that are really sent."""

from __future__ import annotations

import json
import random
from statistics import mean
from typing import Any

import pytest

from core.catalogue import Catalogue, task_from
from core.ledger import Ledger
from core.llm import Breakers, Calls, Claude, Connections, Ladder, Retry, Rung, Setup
from core.recommend import (
    Asking,
    Confidence,
    Curves,
    LocalRanker,
    ModelRanker,
    read_labelled,
)
from core.settings import PROJECT
from tests.fakes import FakeClock
from tests.wire.anthropic_server import KEY, AnthropicServer
from tests.wire.play import RatesForTests

pytestmark = pytest.mark.bench

BYTES_PER_TOKEN = 3.5
# Of the cheaper class, a million tokens.
INPUT_USD, OUTPUT_USD = 0.10, 0.50
TASKS = 40
LONGEST = ("You want something that is broken to work again, which this workflow is for. " * 3)[
    :160
]


def tokens(text: str) -> float:
    return len(text.encode()) / BYTES_PER_TOKEN


def sent(body: dict[str, Any]) -> dict[str, float]:
    """Tokens of each part of a request."""
    return {
        "rules": tokens(body["system"][0]["text"]),
        "message": tokens(body["messages"][0]["content"]),
        "schema": tokens(json.dumps(body["output_config"]["format"]["schema"])),
    }


def longest(body: dict[str, Any]) -> Any:
    """The longest answer that is allowed: three long ids, and reasons of full length."""
    form = body["output_config"]["format"]["schema"]
    ids = form["properties"]["workflows"]["items"]["properties"]["id"]["enum"]
    return {
        "workflows": [
            {"id": workflow_id, "reason": LONGEST, "confidence": confidence}
            for workflow_id, confidence in zip(sorted(ids, key=len)[-3:], (83, 9, 4), strict=True)
        ]
    }


def test_what_a_recommendation_costs(
    catalogue: Catalogue, ranker: LocalRanker, ledger: Ledger, connections: Connections
) -> None:
    clock = FakeClock()
    asked = ModelRanker(
        catalogue=lambda: catalogue,
        calls=Calls(ledger, RatesForTests(), clock),
        confidence=Confidence(ledger, Curves.load(), clock),
    )
    chance = random.Random(1)  # noqa: S311 - repeatable, not secret
    labelled = chance.sample(read_labelled(PROJECT / "data" / "labelled.jsonl"), TASKS)
    with AnthropicServer(answer=longest) as wire:
        claude = Claude(KEY, wire.url, connections)
        ladder = Ladder([Rung(1, "claude-haiku-5-5", claude)], Retry(Breakers(), clock))
        setup = Setup(ladder, 30.0)
        for each in labelled:
            task = task_from(title=each.title)
            asked.rank(task, ranker.rank(task), setup, Asking("r", "ada", lambda: None))
        parts = [sent(served.body) for served in wire.served]
        answers = [tokens(json.dumps(served.answer, ensure_ascii=False)) for served in wire.served]
    named = {name: mean(part[name] for part in parts) for name in parts[0]}
    usd = [
        (sum(part.values()) * INPUT_USD + answer * OUTPUT_USD) / 1e6
        for part, answer in zip(parts, answers, strict=True)
    ]
    print(
        f"\n{len(catalogue.workflows)} workflows, {TASKS} tasks: "
        + ", ".join(f"{name} {count:.0f}" for name, count in named.items())
        + f", answer {mean(answers):.0f} tokens; ${mean(usd):.6f} each, ${max(usd):.6f} at most"
    )
    assert max(usd) <= 0.0004
