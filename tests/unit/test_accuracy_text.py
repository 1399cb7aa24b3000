"""The accuracy page's sentences say what the figures say, and no more than they can."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.analytics import PLACES, Calibration, Estimate
from pages.shared.accuracy_text import (
    calibration_finding,
    calibration_reading,
    domain_finding,
    per_cent,
    place_finding,
    promise_sentence,
    range_of,
    seconds,
)


@pytest.mark.parametrize(
    ("share", "written"),
    [(None, "–"), (0, "0 %"), (0.034, "3.4 %"), (0.5, "50 %"), (0.996, "100 %"), (1, "100 %")],
)
def test_a_share_is_written_in_per_cent(share: float | None, written: str) -> None:
    assert per_cent(share) == written


@pytest.mark.parametrize(
    ("interval", "written"),
    [
        ((0.671, 0.951), "67-95 %"),
        ((0.0, 0.088), "0.0-8.8 %"),
        ((0.897, 0.902), "89.7-90.2 %"),
        ((0.04, 0.31), "4-31 %"),
    ],
)
def test_an_interval_has_a_decimal_only_where_it_is_narrow_or_low(
    interval: tuple[float, float], written: str
) -> None:
    assert range_of(Estimate(0.5, interval, 10)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0 s"),
        (0.02, "0 s"),
        (4.24, "4.2 s"),
        (34.4, "34 s"),
        (59.7, "60 s"),
        (720, "12 min"),
        (18_000, "5 h"),
        (260_000, "3 days"),
    ],
)
def test_a_time_is_written_in_the_unit_that_fits(value: float, written: str) -> None:
    assert seconds(value) == written


def calibration(*groups: tuple[float, int, int]) -> Calibration:
    """Groups of a confidence, how many answers had it, and how many of those were right."""
    sure = np.concatenate([np.full(n, confidence) for confidence, n, _ in groups])
    right = np.concatenate([np.arange(n) < hits for _, n, hits in groups]).astype(np.float64)
    made = Calibration.of(sure, right)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("groups", "finding"),
    [
        ([(0.8, 29, 20)], "Too few judged answers to judge confidence by: 29 of 30"),
        ([(0.8, 100, 81)], "Confidence is honest: it said 80 % and was right in 81 %"),
        (
            [(0.8, 20_000, 16_400)],
            "Confidence is near the truth: it said 80 % and was right in 82 %",
        ),
        (
            [(0.8, 40, 29)],
            "Nothing speaks against confidence yet: it said 80 % and was right in 72 %",
        ),
        ([(0.8, 200, 120)], "Confidence is too sure: it said 80 % and was right in 60 %"),
        ([(0.6, 200, 160)], "Confidence is too modest: it said 60 % and was right in 80 %"),
        (
            [(0.8, 200, 100), (0.2, 200, 100)],
            "Confidence is right on the whole (50 %), but not at each match",
        ),
    ],
)
def test_the_finding_says_how_confidence_errs(
    groups: list[tuple[float, int, int]], finding: str
) -> None:
    assert calibration_finding(calibration(*groups)) == finding


def test_the_reading_tells_the_error_beside_chance_and_the_parts_of_the_score() -> None:
    read = calibration_reading(calibration((0.9, 100, 90), (0.1, 100, 10)))
    assert "(ECE) **0.000**; chance alone gives a calibrated recommender up to 0.0" in read
    assert "at n = 200" in read
    assert "**0.090** = 0.000 miscalibration − 0.160 discrimination + 0.250 uncertainty." in read


@pytest.mark.parametrize(
    ("n", "right", "beginning"),
    [
        (1, 1, "**Whether a 90 % match is right nine times in ten, there is too little to tell**"),
        (60, 54, "**A 90 % match may be right nine times in ten, but more answers have to tell**"),
        (400, 360, "**A 90 % match is right nine times in ten**"),
        (400, 300, "**A 90 % match is right less often than nine times in ten**"),
        (400, 398, "**A 90 % match is right more often than nine times in ten**"),
    ],
)
def test_the_promise_is_answered_with_its_n(n: int, right: int, beginning: str) -> None:
    sentence = promise_sentence(calibration((0.9, n, right)).nine_in_ten)
    assert sentence.startswith(beginning)
    assert f"{n} answer that said 85 to 95 % has" in sentence or f"of {n} judged" in sentence


def test_domains_that_are_mixed_most_are_named() -> None:
    rows = [("dev", "dev", 90), ("dev", "none", 6), ("health", "personal", 4)]
    table = pd.DataFrame(rows, columns=["recommended", "chosen", "answers"])
    finding = "In 90 % the choice stayed in the domain recommended"
    assert domain_finding(table) == f"{finding}; most mixed: health with personal"
    assert domain_finding(table.head(1)) == finding.replace("90", "100")


def test_those_who_passed_over_the_first_are_counted() -> None:
    none = dict.fromkeys(PLACES, 0)
    assert place_finding(none | {"first": 3}) == "Nobody passed over the first suggestion"
    passed = none | {"first": 90, "second": 6, "third": 1, "none of them": 3}
    finding = "Of 10 who passed over the first, 70 % took another of the three"
    assert place_finding(passed) == finding
