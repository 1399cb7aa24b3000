"""Reads the accuracy of recommendations, and the curves that their confidence comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analytics.accuracy import (
    PLACES,
    Accuracy,
    AccuracyFilter,
    Calibration,
    Correction,
    CurveFit,
    FittedCurves,
    Span,
)
from core.analytics.cascade import Cascade, levels_of, thresholds_with
from core.analytics.estimate import Estimate
from core.analytics.period import Day, last_days, zone_of
from core.clock import Clock
from core.ledger import Ledger, Queries
from core.statistics import expected_calibration_error, if_calibrated_level

__all__ = ["Accuracies"]

MOST_MISSES, MOST_CORRECTED = 200, 10_000
# With this many judged answers a day, days are told apart, but not more than these.
ENOUGH_A_DAY, MOST_DAYS, MOST_WEEKS = 10, 31, 60
DAYS_A_WEEK = 7
SHOWN = 3
DISMISSED, UNKNOWN = "none", "other"


class Accuracies:
    """Reads how good recommendations are from what people made of them."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._clock = clock

    def rankers(self) -> list[str]:
        """Return every ranker that has answered, as name and version, the latest first."""
        return [row["ranker"] for row in self._queries.rows("accuracy_rankers")]

    def curves(self, ranker: str) -> FittedCurves:
        """Return the curves that were fitted for a ranker on this deployment's feedback."""
        rows = self._queries.rows("accuracy_curves")
        return FittedCurves(
            ranker, tuple(CurveFit(**row) for row in rows if row["ranker"] == ranker)
        )

    def over(
        self,
        wanted: AccuracyFilter,
        zone: str | None,
        domain_of: Mapping[str, str],
        cascade_at: float | None = None,
    ) -> Accuracy:
        """Return the accuracy of what the filter lets through, in days of the viewer's zone.

        `domain_of` maps a workflow's id to its domain. One that is not in it has the domain that
        it was last run in, and the domain "other" if there is none. `cascade_at` is the confidence
        from which the local ranker answers alone now, None for none.
        """
        now = self._clock.now()
        days = self._days(now, zone, wanted.days)
        judged = self._queries.frame(
            "accuracy_judged",
            start=days[0].start,
            end=days[-1].end,
            most_corrected=MOST_CORRECTED,
        )
        spans = _spans(days, len(judged))
        answers = self._queries.frame(
            "accuracy_answers",
            starts=[first.start for first, _ in spans],
            ends=[last.end for _, last in spans],
        )
        known = {row["workflow_id"]: row["domain"] for row in self._queries.rows("domains_run")}
        answers, judged = _with_domains(answers, judged, known | dict(domain_of))
        if wanted.domain:
            answers = answers[answers["recommended"] == wanted.domain]
            judged = judged[judged["recommended"] == wanted.domain]
        rankers = _side_by_side(answers, judged)
        if wanted.ranker:
            answers = answers[answers["ranker"] == wanted.ranker]
            judged = judged[judged["ranker"] == wanted.ranker]
        return Accuracy(
            **_figures(answers, judged),
            answers=int(answers["answers"].sum()),
            calibration=_calibration(judged, "top_confidence"),
            correction=_correction(judged),
            spans=_by_span(spans, answers, judged),
            by_domain=_by_domain(judged),
            by_place=_by_place(judged),
            misses=self._misses(judged),
            rankers=rankers,
            cascade=self._cascade(days, answers, judged, cascade_at),
            as_of=now,
        )

    def _cascade(
        self,
        days: Sequence[Day],
        answers: pd.DataFrame,
        judged: pd.DataFrame,
        in_force: float | None,
    ) -> Cascade:
        """Read what the models' answers took, those of the rankers and workflows in `answers`."""
        compared = int(answers["compared"].sum())
        rows: list[dict[str, Any]] = []
        if compared:
            rows = self._queries.rows(
                "accuracy_cascade",
                start=days[0].start,
                end=days[-1].end,
                thresholds=thresholds_with(in_force),
                rankers=answers["ranker"].unique().tolist(),
                workflow_ids=answers["top_workflow_id"].unique().tolist(),
            )
        return Cascade(
            answers=compared,
            levels=levels_of(rows, judged, compared, in_force),
            alone=int(answers["alone"].sum()),
            taken=_share(judged[judged["is_alone"]], "taken"),
        )

    def _days(self, now: datetime, zone: str | None, count: int | None) -> list[Day]:
        """Return the last local days; without a count all since the first answer."""
        if count is None:
            firsts = [row["first_at"] for row in self._queries.rows("accuracy_rankers")]
            first = min([*firsts, now]).astimezone(zone_of(zone)).date()
            count = (now.astimezone(zone_of(zone)).date() - first).days + 1
        return last_days(now, zone_of(zone), count)

    def _misses(self, judged: pd.DataFrame) -> pd.DataFrame:
        wrong = judged[judged["taken"] == 0]
        wrong = wrong.assign(per_cent=(100 * wrong["top_confidence"]).round())
        surest = wrong.sort_values(["per_cent", "ts"], ascending=False).head(MOST_MISSES)
        asked = self._queries.frame(
            "accuracy_tasks", request_ids=surest["request_id"].tolist()
        ).drop_duplicates("request_id")
        columns = ["ts", "task_title", "top_workflow_id", "top_confidence", "choice", "user_id"]
        told = surest.merge(asked, on="request_id", how="left")
        return told[[*columns, "request_id"]]


def _with_domains(
    answers: pd.DataFrame, judged: pd.DataFrame, domain_of: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add `recommended` to both, and `chosen` to the judged ones: domains, or "none"."""

    def domains(workflow_ids: pd.Series[str]) -> NDArray[np.object_]:
        codes, ids = pd.factorize(workflow_ids)
        names = np.array([*(domain_of.get(each, UNKNOWN) for each in ids), DISMISSED], object)
        named: NDArray[np.object_] = names[codes]  # what is missing has the code -1
        return named

    return (
        answers.assign(recommended=domains(answers["top_workflow_id"])),
        judged.assign(
            recommended=domains(judged["top_workflow_id"]),
            chosen=domains(judged["choice"]),
            in_three=(judged["place"] <= SHOWN).astype(np.float64),
            reciprocal_rank=(1 / judged["place"]).fillna(0.0),
        ),
    )


def _share(rows: pd.DataFrame, name: str) -> Estimate:
    return Estimate.of_share(int(rows[name].sum()), int(rows[name].count()))


def _figures(answers: pd.DataFrame, judged: pd.DataFrame) -> dict[str, Estimate]:
    """Return what is told of all answers and of those of each span, by name."""
    covered, n = int(answers["covered"].sum()), int(answers["answers"].sum())
    return {
        "covered": Estimate.of_share(covered, n),
        "taken": _share(judged, "taken"),
        "in_three": _share(judged, "in_three"),
        "reciprocal_rank": Estimate.of_mean(judged["reciprocal_rank"].to_numpy()),
        "reselected": _share(judged, "reselected"),
        "seconds_to_choice": Estimate.of_median(judged["seconds_to_choice"].dropna().to_numpy()),
    }


def _calibration(judged: pd.DataFrame, confidence: str) -> Calibration | None:
    return Calibration.of(judged[confidence].to_numpy(), judged["taken"].to_numpy())


def _correction(judged: pd.DataFrame) -> Correction | None:
    """Compare on the newest answers that a fitted curve corrected."""
    corrected = judged[judged["raw_confidence"].notna()]
    before = _calibration(corrected, "raw_confidence")
    after = _calibration(corrected, "top_confidence")
    return Correction(before, after) if before and after else None


def _spans(days: Sequence[Day], judged: int) -> list[tuple[Day, Day]]:
    """Cut the days into days, into weeks from Monday, or into months; the first may be a part."""

    def begins(day: date) -> bool:
        if len(days) <= DAYS_A_WEEK or (
            len(days) <= MOST_DAYS and judged >= ENOUGH_A_DAY * len(days)
        ):
            return True
        return day.day == 1 if len(days) > DAYS_A_WEEK * MOST_WEEKS else day.weekday() == 0

    firsts = [at for at, day in enumerate(days) if at == 0 or begins(day.date)]
    return [(days[at], days[end - 1]) for at, end in pairwise([*firsts, len(days)])]


def _by_span(
    spans: Sequence[tuple[Day, Day]], answers: pd.DataFrame, judged: pd.DataFrame
) -> tuple[Span, ...]:
    starts = pd.DatetimeIndex([first.start for first, _ in spans])
    span_of_judged = starts.searchsorted(judged["ts"], side="right") - 1
    span_of_answers = starts.searchsorted(answers["span_start"], side="right") - 1
    judged_of = judged.groupby(span_of_judged).indices
    answers_of = answers.groupby(span_of_answers).indices
    return tuple(
        Span(
            **_figures(
                answers.iloc[answers_of.get(number, [])], judged.iloc[judged_of.get(number, [])]
            ),
            first=first.date,
            last=last.date,
            finished=number < len(spans) - 1,
        )
        for number, (first, last) in enumerate(spans)
    )


def _by_domain(judged: pd.DataFrame) -> pd.DataFrame:
    counted = judged.groupby(["recommended", "chosen"]).size()
    return counted.rename("answers").reset_index()


def _by_place(judged: pd.DataFrame) -> dict[str, int]:
    place, dismissed = judged["place"], judged["choice"].isna()
    counts = (
        place == 1,
        place == 2,  # noqa: PLR2004 - the second
        place == SHOWN,
        place > SHOWN,
        place.isna() & ~dismissed,
        dismissed,
    )
    return {name: int(count.sum()) for name, count in zip(PLACES, counts, strict=True)}


def _side_by_side(answers: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """One row a ranker's version, the one that answered last on top."""
    judged_of = dict(list(judged.groupby("ranker")))
    rows = [
        _of_one_ranker(str(name), group, judged_of.get(name, judged.head(0)))
        for name, group in answers.groupby("ranker")
    ]
    columns = list(_of_one_ranker("", answers.head(0), judged.head(0)))
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("last_used", ascending=False, ignore_index=True)


def _of_one_ranker(name: str, answers: pd.DataFrame, judged: pd.DataFrame) -> dict[str, object]:
    figures = _figures(answers, judged)
    confidence, taken = judged["top_confidence"].to_numpy(), judged["taken"].to_numpy()
    n = figures["covered"].n
    return {
        "ranker": name,
        "answers": n,
        "judged": len(judged),
        "taken": figures["taken"].value,
        "taken_low": figures["taken"].interval[0],
        "taken_high": figures["taken"].interval[1],
        "in_three": figures["in_three"].value,
        "reciprocal_rank": figures["reciprocal_rank"].value,
        "confidence": float(answers["confidence"].sum()) / n if n else None,
        "covered": figures["covered"].value,
        "error": expected_calibration_error(confidence, taken) if len(taken) else None,
        "if_calibrated": if_calibrated_level(confidence) if len(taken) else None,
        "last_used": answers["last_at"].max(),
    }
