"""How good a ranker and its confidences are on labelled tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.catalogue import Task, task_from
from core.clock import stopwatch_ms
from core.errors import InvalidInput
from core.recommend.ranking import Ranked, nothing_share
from core.statistics import area_under_roc, expected_calibration_error, if_calibrated_level

__all__ = [
    "Evaluation",
    "Judged",
    "LabelledTask",
    "Miss",
    "judge",
    "labelled_in",
    "read_labelled",
]

# Less than this is rounding.
LEAST_SHARE = 1e-4
Rank = Callable[[Task], tuple[list[Ranked], list[float]]]


class LabelledTask(BaseModel):
    """A task and the workflows that are right for it; none when nothing fits."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    description: str = ""
    accept: tuple[str, ...] = ()
    domain: str = ""


class Evaluation(BaseModel):
    """Shares of 1: top1, hit3, mrr and domain over the answerable rows, the rest over all.

    `auroc_none` tells how well the ranker's share of "nothing fits" parts the rows that nothing
    fits from the others; of a ranker that has no such share, its confidence.
    """

    model_config = ConfigDict(frozen=True)

    n: int
    n_answerable: int
    top1: float
    domain: float
    hit3: float
    mrr: float
    auroc_none: float | None
    ece: float
    ece_if_calibrated_95: float
    mean_top_confidence: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Every row's answer, in the order of the rows.

    `confidence` and `right` have shape (n,): of the first suggestion, and whether it is accepted
    (0 or 1; a row that nothing fits counts as wrong). `misses` are rows whose first is wrong.
    """

    figures: Evaluation
    confidence: NDArray[np.float64]
    right: NDArray[np.float64]
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """A row whose first suggestion is not accepted."""

    title: str
    accept: tuple[str, ...]
    first: str
    confidence: float


def read_labelled(path: Path) -> list[LabelledTask]:
    """Read a file of one JSON object a line: `title`, `description`, `accept`, `domain`.

    Raises:
        InvalidInput: the file cannot be read, or a line is not such an object or not a task.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput("file", f"{path} cannot be read: {problem}.") from None
    return labelled_in(text, str(path))


def labelled_in(text: str, name: str) -> list[LabelledTask]:
    """Return the rows of a text as `read_labelled` does; `name` stands in its sentences.

    Raises:
        InvalidInput: a line is not such an object or not a task, or there is none.
    """
    rows = [
        _row(line, f"{name}, line {number}")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
    if not rows:
        raise InvalidInput("file", f"{name} holds no rows.")
    return rows


def judge(
    rank: Rank, rows: Sequence[LabelledTask], on_row: Callable[[int], None] = lambda _: None
) -> Judged:
    """Rank every row and compare; `on_row` hears how many are done."""
    times, right, confidence, nothing = [], [], [], []
    reciprocal, domain, misses = [], [], []
    for done, row in enumerate(rows, start=1):
        task = task_from(title=row.title, description=row.description)
        since = stopwatch_ms()
        ranking, confidences = rank(task)
        times.append(stopwatch_ms(since))
        place = _first_accepted(ranking, row)
        first = ranking[0].workflow
        right.append(place == 1)
        confidence.append(confidences[0])
        nothing.append(nothing_share(ranking))
        if row.accept:
            reciprocal.append(1 / place if place else 0.0)
            domain.append(first.domain in _accepted_domains(ranking, row))
        if place != 1:
            misses.append(Miss(row.title, row.accept, first.workflow_id, confidences[0]))
        on_row(done)
    sure, hits = np.array(confidence), np.array(right, dtype=np.float64)
    fits = 1 - np.array(nothing) if max(nothing) > LEAST_SHARE else sure
    answerable = np.array([bool(row.accept) for row in rows], dtype=np.float64)
    ranks = np.array(reciprocal or [0.0])
    figures = Evaluation(
        n=len(rows),
        n_answerable=len(reciprocal),
        top1=float((ranks == 1).mean()),
        domain=float(np.mean(domain)) if domain else 0.0,
        hit3=float((ranks >= 1 / 3).mean()),
        mrr=float(ranks.mean()),
        auroc_none=area_under_roc(fits, answerable),
        ece=expected_calibration_error(sure, hits),
        ece_if_calibrated_95=if_calibrated_level(sure),
        mean_top_confidence=float(sure.mean()),
        p50_ms=float(np.percentile(times, 50)),
        p99_ms=float(np.percentile(times, 99)),
    )
    return Judged(figures, sure, hits, tuple(misses))


def _row(line: str, place: str) -> LabelledTask:
    try:
        row = LabelledTask(**json.loads(line))
        task_from(title=row.title, description=row.description)
    except InvalidInput as problem:
        raise InvalidInput("file", f"{place}: {problem}") from None
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(
            "file", f"{place}: not an object with a title and a list `accept`."
        ) from None
    return row


def _accepted_domains(ranking: Sequence[Ranked], row: LabelledTask) -> set[str]:
    """Return the domains of the accepted workflows; the row's own where none of them is loaded."""
    accepted: set[str] = {
        ranked.workflow.domain for ranked in ranking if ranked.workflow.workflow_id in row.accept
    }
    return accepted or {row.domain}


def _first_accepted(ranking: Sequence[Ranked], row: LabelledTask) -> int | None:
    """Return the place, from 1, of the first accepted workflow."""
    return next(
        (
            place
            for place, ranked in enumerate(ranking, start=1)
            if ranked.workflow.workflow_id in row.accept
        ),
        None,
    )
