"""The tables of an evaluation, and that the document shows what the command prints."""

from __future__ import annotations

import re

import numpy as np

from core.catalogue import Task
from core.recommend import (
    Curve,
    Evaluation,
    Judged,
    LabelledTask,
    Miss,
    Ranked,
    Ranker,
    judge,
    read_labelled,
    report_of,
)
from core.settings import PROJECT

DOCUMENT = PROJECT / "docs" / "accuracy.md"


def test_the_tables_are_those_computed_by_hand() -> None:
    rows = [
        LabelledTask(title="a", accept=("bug-fix",), domain="dev"),
        LabelledTask(title="b", accept=("bug-fix",), domain="dev"),
        LabelledTask(title="c", accept=("meal-planning",), domain="health"),
        LabelledTask(title="d"),
        LabelledTask(title="e"),
        LabelledTask(title="f"),
    ]
    figures = Evaluation(
        n=6,
        n_answerable=3,
        top1=2 / 3,
        domain=1.0,
        hit3=1.0,
        mrr=0.833,
        auroc_none=0.9,
        ece=0.1,
        ece_if_calibrated_95=0.2,
        mean_top_confidence=0.6,
        p50_ms=1.0,
        p99_ms=2.0,
    )
    judged = Judged(
        figures,
        np.array([0.95, 0.8, 0.9, 0.2, 0.7, 0.6]),
        np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
        (
            Miss("b", ("bug-fix",), "code-refactor", 0.8),
            Miss("d", (), "self-care", 0.2),
            Miss("e", (), "self-care", 0.7),
            Miss("f", (), "bug-fix", 0.6),
        ),
    )
    lines = report_of(rows, judged).splitlines()
    assert "| first suggestion right | 66.7% | 20.8% to 93.9% | 3 |" in lines
    assert "| nothing fits, and said so (below 50 %) | 33.3% | 6.1% to 79.2% | 3 |" in lines
    assert "| nothing fits, yet 70 % or more was claimed | 33.3% | 6.1% to 79.2% | 3 |" in lines
    assert "| right where 90 % or more was claimed | 100.0% | 34.2% to 100.0% | 2 |" in lines
    assert "| dev | 50.0% | 9.5% to 90.5% | 2 |" in lines
    assert "| bug-fix | code-refactor | 1 |" in lines
    assert "| nothing fits | self-care | 1 |" in lines  # not the one that said so


def test_the_document_shows_what_the_command_prints(
    remembering_ranker: Ranker, curve: Curve
) -> None:
    rows = read_labelled(PROJECT / "data" / "labelled.jsonl")

    def rank(task: Task) -> tuple[list[Ranked], list[float]]:
        ranking = remembering_ranker.rank(task)
        return ranking, curve.confidences(ranking, 3)

    wanted = report_of(rows, judge(rank, rows))
    found = re.search(
        r"<!-- report -->\n(.*)\n<!-- /report -->", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    assert found[1].strip() == wanted.strip(), "copy what `waywarden evaluate ... --report` prints"
