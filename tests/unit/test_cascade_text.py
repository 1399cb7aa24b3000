"""What is said of answering locally: savings as far as known, losses as far as sure."""

from __future__ import annotations

from typing import Any

import pytest

from core.analytics import Cascade, CascadeLevel, Estimate
from pages.shared.cascade_panel import _exported
from pages.shared.cascade_text import (
    alone_said,
    certainty,
    finding,
    lost,
    points,
    points_between,
    reading,
    saved,
    setting_said,
)


def level(threshold: float = 0.8, **changed: Any) -> CascadeLevel:
    """Half of 200 answers, for 6 cents; 60 judged, in which both firsts are right in 30."""
    known: dict[str, Any] = {
        "threshold": threshold,
        "is_in_force": False,
        "answers": 100,
        "share": 0.5,
        "measured_nano_usd": 60_000_000,
        "unmeasured_nano_usd": 0,
        "unpriced": 0,
        "p50_ms": 1_800.0,
        "judged": 60,
        "both": 30,
    }
    return CascadeLevel(**{**known, **changed})


def cascade(*levels: CascadeLevel, alone: int = 0, taken: tuple[int, int] = (0, 0)) -> Cascade:
    return Cascade(200, levels, alone, Estimate.of_share(*taken))


@pytest.mark.parametrize(
    ("threshold", "written"), [(0.5, "50 %"), (0.57, "57 %"), (0.825, "82.5 %"), (1, "100 %")]
)
def test_a_confidence_is_written_as_it_was_set(threshold: float, written: str) -> None:
    assert certainty(threshold) == written


@pytest.mark.parametrize(
    ("changed", "written"),
    [
        ({}, "$0.0600"),
        ({"measured_nano_usd": 0}, "$0"),
        ({"unmeasured_nano_usd": 1_010_000}, "at most $0.0611"),
        ({"unpriced": 3}, "$0.0600 + 3 unknown"),
        ({"measured_nano_usd": 0, "unpriced": 100}, "unknown"),
        ({"measured_nano_usd": 0, "answers": 0}, "–"),
    ],
    ids=["exact", "for nothing", "at most", "in part", "unknown", "none"],
)
def test_what_is_saved_is_written_as_far_as_it_is_known(
    changed: dict[str, Any], written: str
) -> None:
    assert saved(level(**changed)) == written


@pytest.mark.parametrize(
    ("difference", "written", "between"),
    [
        (Estimate(-0.07, (-0.12, -0.02), 184), "−7", "−12 to −2"),
        (Estimate(0.0, (-0.09, 0.09), 30), "0", "−9 to +9"),
        (Estimate(-0.004, (-0.06, 0.05), 90), "0", "−6 to +5"),
        (Estimate(0.014, (0.0004, 0.031), 9_000), "+1.4", "0 to +3.1"),
    ],
)
def test_a_difference_is_written_in_points_with_its_sign(
    difference: Estimate, written: str, between: str
) -> None:
    assert (points(difference), points_between(difference)) == (written, between)


def test_a_loss_that_cannot_be_told_has_no_number() -> None:
    assert lost(level()) == "0"
    assert lost(level(judged=29)) == "too few"
    assert lost(level(answers=0, judged=0)) == "–"


def test_the_finding_is_the_lowest_confidence_that_surely_loses_little() -> None:
    told = finding(
        cascade(
            level(0.5, both=44, model_only=12, judged=60),
            level(0.7, both=140, local_only=1, judged=150),
            level(0.9, both=95, judged=100),
        )
    )
    assert told == (
        "**From 70 % on, the local recommender could have answered 50 % of the tasks alone, with "
        r"little lost.** That saves \$0\.0600 and a wait of 1.8 s each. Of 150 judged, its first "
        "was chosen in 94 %, the model’s in 93 %: +1 point (95 % interval −2 to +3). It is sure "
        "that from 70 % on less than 5 points are lost."
    )


def test_the_finding_is_that_of_the_confidence_in_force() -> None:
    worse = level(0.5, is_in_force=True, both=44, model_only=12, judged=60, unpriced=2)
    safe = level(0.7, both=140, local_only=1, judged=150)
    told = finding(cascade(worse, safe))
    assert told.startswith(
        "**From 50 % on, as it is set now, the local recommender could have answered 50 % of the "
        "tasks alone, but would have been right less often.** "
    )
    assert "(not counting 2 whose cost nobody knows)" in told
    assert told.endswith("Only from 70 % on is it sure that less than 5 points are lost.")
    careful = level(0.9, is_in_force=True, both=95, judged=100)
    assert "with little lost" in finding(cascade(safe, careful))
    assert finding(cascade(safe, careful)).endswith(
        "It is sure that from 70 % on less than 5 points are lost."
    )


def test_without_a_sure_one_the_most_careful_that_can_be_told_is_told() -> None:
    told = finding(
        cascade(level(0.5, judged=50), level(0.7, judged=40), level(0.9, judged=2, both=2))
    )
    assert told.startswith("**From 70 % on, ")
    assert "; whether that loses much is not sure yet.**" in told
    assert told.endswith("Nowhere is it sure yet that less than 5 points are lost.")


@pytest.mark.parametrize(
    ("judged", "said"), [(0, "0 of them are"), (1, "1 of them is"), (29, "29 of them are")]
)
def test_too_few_judged_answers_are_said_instead_of_a_loss(judged: int, said: str) -> None:
    told = finding(cascade(level(0.5, judged=judged, both=judged), level(0.9, judged=0, both=0)))
    assert told.startswith("**From 50 % on, ")
    assert told.endswith(f"1.8 s each. {said} judged; 30 are needed.")
    assert "points" not in told


def test_an_unknown_cost_is_never_a_sum() -> None:
    told = finding(cascade(level(measured_nano_usd=0, unpriced=100)))
    assert "That saves a cost that nobody knows and a wait of" in told
    assert "$" not in told


def test_confidences_that_nothing_reached_are_said() -> None:
    none: dict[str, Any] = {"answers": 0, "share": 0.0, "p50_ms": None, "judged": 0, "both": 0}
    assert finding(cascade(level(0.5, **none), level(0.9, **none))) == (
        "**The local recommender was never 50 % sure.**"
    )
    assert finding(cascade(level(0.5), level(0.9, is_in_force=True, **none))) == (
        "**From 90 % on, as it is set now, no model is asked, and none has answered here.**"
    )


def test_what_it_did_answer_alone_is_told_with_what_people_chose() -> None:
    assert alone_said(cascade()) == ""
    assert alone_said(cascade(alone=7)).endswith("none of them is judged yet.")
    assert alone_said(cascade(alone=1_200, taken=(45, 50))) == (
        "The local recommender was sure enough to answer 1,200 alone, and no model was asked: of "
        "50 judged, its first was chosen in 90 % (79-96 % at 95 %)."
    )
    assert "which makes the shares smaller" not in reading(cascade())
    assert "which makes the shares smaller" in reading(cascade(alone=7))


def test_the_setting_is_said() -> None:
    assert setting_said(None) == "Settings: now it never answers alone"
    assert setting_said(level(0.85)) == "Settings: now it answers alone from 85 % on"


def test_what_is_exported_are_bare_numbers() -> None:
    told, few = _exported([level(), level(0.9, judged=2, both=2)]).to_dict("records")
    assert (told["confidence_from"], told["share"], told["difference"]) == (0.8, 0.5, 0.0)
    assert (told["answers"], told["measured_nano_usd"], told["cost_unknown"]) == (
        100,
        60_000_000,
        0,
    )
    assert told["difference_low"] < 0 < told["difference_high"]
    assert (few["judged"], few["both_right"], few["local_only_right"]) == (2, 2, 0)
    assert few["difference"] != few["difference"]  # not a number: too few
