"""Confidence corrected by what this deployment's people chose, when that is surely better."""

from __future__ import annotations

import json
import math
from datetime import timedelta

import numpy as np
import pytest

from core.analytics import Accuracies, AccuracyFilter
from core.catalogue import task_from
from core.ledger import FeedbackGiven, Ledger, RecommendationMade, RequestDecided
from core.recommend import Confidence, Curves, LocalRanker
from core.recommend.recalibration import AGAIN_AFTER, ENOUGH
from tests.answering import NOW, answer, many, ran, said
from tests.asking import rows
from tests.fakes import FakeClock


@pytest.fixture
def confidence(ledger: Ledger, clock: FakeClock) -> Confidence:
    return Confidence(ledger, Curves.load(), clock)


def judged(
    ledger: Ledger,
    clock: FakeClock,
    ranker: LocalRanker,
    n: int,
    *,
    slope: float = 1.0,
    seed: int = 0,
) -> None:
    """Answers of which the first is right as often as sigmoid(slope * logit(p)) says."""
    rng = np.random.default_rng(seed)
    events: list[RecommendationMade | RequestDecided | FeedbackGiven] = []
    for number, sure in enumerate(rng.uniform(0.3, 0.95, n)):
        name = f"{seed}-{number}"
        chance = 1 / (1 + math.exp(-slope * math.log(sure / (1 - sure))))
        right = rng.random() < chance
        clock.advance(minutes=1)
        events.append(
            RecommendationMade(
                ts=clock.now(),
                request_id=name,
                user_id="ada",
                ranker=ranker.name,
                ranker_version=ranker.version,
                nothing_fits=False,
                top_workflow_id="bug-fix",
                top_confidence=float(sure),
                candidates=[{"workflow_id": "bug-fix", "confidence": float(sure)}],
                shown=[{"workflow_id": "bug-fix"}],
                latency_ms=1.0,
            )
        )
        if number % 5 == 4 and not right:
            events.append(
                FeedbackGiven(
                    ts=clock.now(),
                    feedback_id=name,
                    user_id="ada",
                    request_id=name,
                    kind="dismissed",
                )
            )
            continue
        events.append(
            RequestDecided(
                ts=clock.now(),
                request_id=f"run-{name}",
                kind="execute",
                user_id="ada",
                source="console",
                decision="admitted",
                fingerprint=name,
                task_title="fix it",
                task_priority="medium",
                user_energy=2,
                workflow_id="bug-fix" if right else "code-refactor",
                recommendation_id=name,
            )
        )
    ledger.write(*events)


def test_before_anybody_judged_the_shipped_curve_is_in_force(
    confidence: Confidence, ranker: LocalRanker
) -> None:
    found = confidence.of(ranker.rank(task_from(title="fix the login bug")), ranker, 10)
    assert found.shown == found.shipped
    assert found.curve_id is None
    assert confidence.refit(ranker) is None


def test_too_few_answers_teach_nothing(
    confidence: Confidence, ledger: Ledger, clock: FakeClock, ranker: LocalRanker
) -> None:
    judged(ledger, clock, ranker, ENOUGH - 1, slope=0.2)
    assert confidence.refit(ranker) is None
    assert rows(ledger, "curves") == []


def test_an_overconfident_ranker_is_corrected_and_keeps_its_order(
    confidence: Confidence, ledger: Ledger, clock: FakeClock, ranker: LocalRanker
) -> None:
    judged(ledger, clock, ranker, 800, slope=0.3)
    fitted = confidence.refit(ranker)
    assert fitted is not None
    assert fitted.adopted
    assert fitted.log_loss_after < fitted.log_loss_before
    assert fitted.slope == pytest.approx(0.3, abs=0.15)
    assert fitted.reason.startswith("Better by +")
    (row,) = rows(ledger, "curves")
    assert (row["curve_id"], row["fitted_on"], row["tested_on"]) == (fitted.curve_id, 560, 240)
    ranking = ranker.rank(task_from(title="fix the login bug"))
    found = confidence.of(ranking, ranker, 10)
    assert found.curve_id == fitted.curve_id
    assert found.shown[0] < found.shipped[0]
    assert found.shown == sorted(found.shown, reverse=True)
    logit = math.log(found.shipped[0] / (1 - found.shipped[0]))
    wanted = 1 / (1 + math.exp(-(fitted.slope * logit + fitted.intercept)))
    assert found.shown[0] == pytest.approx(wanted, abs=1e-5)


def test_a_curve_that_is_right_already_stays(
    confidence: Confidence, ledger: Ledger, clock: FakeClock, ranker: LocalRanker
) -> None:
    judged(ledger, clock, ranker, 800, slope=1.0, seed=3)
    fitted = confidence.refit(ranker)
    assert fitted is not None
    assert not fitted.adopted
    assert fitted.reason.startswith("Not surely better: ")
    assert confidence.of(ranker.rank(task_from(title="a")), ranker, 3).curve_id is None


def test_it_is_in_force_after_a_restart_and_only_for_its_version(
    confidence: Confidence,
    ledger: Ledger,
    clock: FakeClock,
    ranker: LocalRanker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged(ledger, clock, ranker, 800, slope=0.3)
    fitted = confidence.refit(ranker)
    assert fitted is not None
    fresh = Confidence(ledger, Curves.load(), clock)
    ranking = ranker.rank(task_from(title="fix the login bug"))
    assert fresh.of(ranking, ranker, 3).curve_id == fitted.curve_id
    monkeypatch.setattr(ranker, "version", "2")  # another version begins anew
    assert fresh.of(ranking, ranker, 3).curve_id is None


def test_it_is_fitted_again_only_after_so_many_more(
    confidence: Confidence, ledger: Ledger, clock: FakeClock, ranker: LocalRanker
) -> None:
    judged(ledger, clock, ranker, 400, slope=0.3)
    assert confidence.refit(ranker) is not None
    judged(ledger, clock, ranker, AGAIN_AFTER - 1, slope=0.3, seed=1)
    assert confidence.refit(ranker) is None
    judged(ledger, clock, ranker, 1, slope=0.3, seed=2)
    assert confidence.refit(ranker) is not None
    assert len(rows(ledger, "curves")) == 2


def test_the_newest_choice_judges_an_answer(
    confidence: Confidence, ledger: Ledger, clock: FakeClock, ranker: LocalRanker
) -> None:
    judged(ledger, clock, ranker, 300)
    clock.advance(minutes=1)
    ledger.write(
        *(
            FeedbackGiven(
                ts=clock.now(),
                feedback_id=f"late-{number}",
                user_id="ada",
                request_id=f"0-{number}",
                kind="chosen",
                workflow_id="bug-fix",
            )
            for number in range(300)
        )
    )
    fitted = confidence.refit(ranker)  # all 300 are right now
    assert fitted is not None
    assert fitted.intercept > 1
    assert fitted.adopted


def test_an_answer_keeps_what_the_shipped_curve_said(
    confidence: Confidence, ledger: Ledger, clock: FakeClock, ranker: LocalRanker
) -> None:
    """A second fit starts from the shipped confidence, not from the corrected one."""
    judged(ledger, clock, ranker, 800, slope=0.3)
    first = confidence.refit(ranker)
    assert first is not None
    table = ledger.table("SELECT max(ts) AS ts FROM recommendations").to_pylist()[0]["ts"]
    clock.set(table + timedelta(minutes=5))
    corrected = {"workflow_id": "bug-fix", "confidence": 0.6, "raw_confidence": 0.9}
    ledger.write(
        RecommendationMade(
            ts=clock.now(),
            request_id="late",
            user_id="ada",
            ranker=ranker.name,
            ranker_version=ranker.version,
            nothing_fits=False,
            top_workflow_id="bug-fix",
            top_confidence=0.6,
            candidates=[corrected],
            shown=[],
            latency_ms=1.0,
            curve=first.curve_id,
        ),
        FeedbackGiven(
            ts=clock.now(),
            feedback_id="late",
            user_id="ada",
            request_id="late",
            kind="chosen",
            workflow_id="bug-fix",
        ),
    )
    newest = confidence._queries.rows(
        "judged", ranker=ranker.name, ranker_version=ranker.version, most=1
    )
    assert [(row["confidence"], row["is_right"]) for row in newest] == [(0.9, True)]
    assert json.loads(rows(ledger, "recommendations")[-1]["candidates"]) == [corrected]


def test_the_accuracy_page_and_the_correction_judge_alike(
    ledger: Ledger, clock: FakeClock, confidence: Confidence
) -> None:
    """Two queries for two needs; what counts as right is one thing."""
    clock.set(NOW)
    ledger.write(
        *many(4, 3, 0.9),
        *answer("dismissed"),
        said("dismissed", "dismissed"),
        *answer("dismissed after a choice"),
        ran("dismissed after a choice", "bug-fix", 5),
        said("dismissed after a choice", "dismissed", after_s=9),
        *answer("taken after a dismissal"),
        said("taken after a dismissal", "dismissed", after_s=5),
        said("taken after a dismissal", "chosen", "bug-fix", after_s=9),
        *answer("chosen again"),
        ran("chosen again", "bug-fix", 5),
        ran("chosen again", "exam-prep", 9),
        *answer("somebody else's word"),
        said("somebody else's word", "chosen", "bug-fix", user_id="eve"),
        *answer("nobody's word"),
    )
    judged = confidence._queries.rows("judged", ranker="local", ranker_version="1", most=99)
    shown = Accuracies(ledger, clock).over(AccuracyFilter(), "UTC", {}).taken
    assert (shown.value, shown.n) == (4 / 8, 8)
    assert (sum(row["is_right"] for row in judged), len(judged)) == (4, 8)
