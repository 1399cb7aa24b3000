"""Statistics against worked examples and against the slow way round."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.statistics import (
    area_under_roc,
    expected_calibration_error,
    if_calibrated_level,
    wilson_interval,
)

Floats = NDArray[np.float64]
shares = st.floats(0, 1)
outcomes = st.sampled_from([0.0, 1.0])
# Few different values, so that there are ties.
coarse = st.integers(0, 4).map(lambda fifth: fifth / 4)


def floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


# Wilson's interval


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Worked by hand with z = 1.96: z² = 3.8416.
        (0, 10, 0.0, 3.8416 / 13.8416),
        (10, 10, 10 / 13.8416, 1.0),
        (5, 10, 0.5 - 0.2634, 0.5 + 0.2634),
        (1, 1, 1 / 4.8416, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_that_of_worked_examples(
    successes: int, n: int, low: float, high: float
) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_without_data_the_interval_is_everything() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@settings(deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_ends_where_the_score_test_begins_to_reject(counts: tuple[int, int]) -> None:
    successes, n = counts
    share, z = successes / n, 1.96

    def end(inside: float, outside: float) -> float:
        for _ in range(100):
            middle = (inside + outside) / 2
            spread = z * math.sqrt(middle * (1 - middle) / n)
            inside, outside = (
                (middle, outside) if abs(share - middle) <= spread else (inside, middle)
            )
        return inside

    assert wilson_interval(successes, n) == pytest.approx((end(share, 0), end(share, 1)), abs=1e-9)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    n = 40
    for truth in (0.1, 0.3, 0.5, 0.8):
        covered = sum(
            math.comb(n, hits) * truth**hits * (1 - truth) ** (n - hits)
            for hits in range(n + 1)
            if wilson_interval(hits, n)[0] <= truth <= wilson_interval(hits, n)[1]
        )
        assert 0.92 <= covered <= 0.98


def test_a_wider_z_gives_a_wider_interval() -> None:
    narrow, wide = wilson_interval(30, 50), wilson_interval(30, 50, z=2.576)
    assert wide[0] < narrow[0] < 0.6 < narrow[1] < wide[1]


# Expected calibration error


def slow_ece(confidence: list[float], correct: list[float], bins: int) -> float:
    """By the definition: sort, share each tie's outcomes, cut into bins of almost equal size."""
    n = len(confidence)
    rows = []
    for value in sorted(confidence):
        tied = [hit for sure, hit in zip(confidence, correct, strict=True) if sure == value]
        rows.append((value, sum(tied) / len(tied)))
    size, longer = divmod(n, min(bins, n))
    error, place = 0.0, 0
    for number in range(min(bins, n)):
        group = rows[place : place + size + (number < longer)]
        place += len(group)
        gap = sum(sure for sure, _ in group) / len(group) - sum(hit for _, hit in group) / len(
            group
        )
        error += abs(gap) * len(group) / n
    return error


def test_the_error_is_that_of_a_worked_example() -> None:
    # Two bins: (.2, .3 | 0, 1) is off by .25, (.8, .9 | 1, 1) by .15; each weighs a half.
    error = expected_calibration_error(floats([0.9, 0.2, 0.8, 0.3]), floats([1, 0, 1, 1]), bins=2)
    assert error == pytest.approx((0.25 + 0.15) / 2)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.one_of(shares, coarse), outcomes), min_size=1, max_size=60),
    st.integers(1, 20),
)
def test_the_error_is_that_of_the_slow_way(rows: list[tuple[float, float]], bins: int) -> None:
    confidence, correct = [row[0] for row in rows], [row[1] for row in rows]
    error = expected_calibration_error(floats(confidence), floats(correct), bins)
    assert error == pytest.approx(slow_ece(confidence, correct, bins), abs=1e-9)
    assert 0 <= error <= 1


@settings(deadline=None)
@given(
    st.lists(st.tuples(coarse, outcomes), min_size=2, max_size=40).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_the_order_of_the_rows_changes_nothing(
    orders: tuple[list[tuple[float, float]], list[tuple[float, float]]],
) -> None:
    errors = [
        expected_calibration_error(
            floats([row[0] for row in rows]), floats([row[1] for row in rows])
        )
        for rows in orders
    ]
    assert errors[0] == pytest.approx(errors[1], abs=1e-12)


def test_one_confidence_that_is_right_on_average_has_no_error() -> None:
    assert expected_calibration_error(floats([0.5] * 100), floats([1] * 50 + [0] * 50)) == 0


def test_fewer_rows_than_bins_and_none_at_all_are_fine() -> None:
    assert expected_calibration_error(floats([0.75]), floats([1])) == 0.25
    assert expected_calibration_error(floats([]), floats([])) == 0.0


# How much error chance alone makes


def test_a_calibrated_model_stays_below_the_level_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    confidence = rng.random(200)
    level = if_calibrated_level(confidence)
    below = [
        expected_calibration_error(confidence, (rng.random(200) < confidence).astype(np.float64))
        <= level
        for _ in range(400)
    ]
    assert 0.91 <= np.mean(below) <= 0.985


def test_an_overconfident_model_is_above_the_level() -> None:
    rng = np.random.default_rng(7)
    confidence = 0.5 + rng.random(300) / 2
    correct = (rng.random(300) < confidence - 0.25).astype(np.float64)
    assert expected_calibration_error(confidence, correct) > 2 * if_calibrated_level(confidence)


def test_the_level_falls_as_the_data_grow() -> None:
    rng = np.random.default_rng(7)
    levels = [if_calibrated_level(rng.random(n), draws=200) for n in (50, 200, 800, 3_200)]
    assert levels == sorted(levels, reverse=True)
    # Chance's part shrinks with the root of n: 64 times the data, an eighth of the level.
    assert levels[3] / levels[0] == pytest.approx(1 / 8, rel=0.35)


def test_the_level_is_the_same_every_time_it_is_asked_for() -> None:
    confidence = np.linspace(0.1, 0.9, 50)
    assert if_calibrated_level(confidence, draws=50) == if_calibrated_level(confidence, draws=50)


def test_the_level_of_certainties_and_of_nothing_is_zero() -> None:
    assert if_calibrated_level(floats([0, 1, 1, 0]), draws=20) == 0
    assert if_calibrated_level(floats([]), draws=20) == 0


# Area under the ROC curve


@settings(deadline=None)
@given(st.lists(st.tuples(st.one_of(shares, coarse), outcomes), max_size=40))
def test_the_area_is_the_share_of_pairs_won_with_ties_as_half(
    rows: list[tuple[float, float]],
) -> None:
    positives = [score for score, positive in rows if positive]
    negatives = [score for score, positive in rows if not positive]
    area = area_under_roc(floats([row[0] for row in rows]), floats([row[1] for row in rows]))
    if not positives or not negatives:
        assert area is None
    else:
        pairs = list(itertools.product(positives, negatives))
        won = sum(1.0 if up > down else 0.5 if up == down else 0.0 for up, down in pairs)
        assert area == pytest.approx(won / len(pairs), abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "positive", "area"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([5, 5, 5, 5], [0, 1, 0, 1], 0.5),
        ([-1e300, 1e300], [0, 1], 1.0),
    ],
)
def test_the_area_is_that_of_worked_examples(
    scores: list[float], positive: list[float], area: float
) -> None:
    assert area_under_roc(floats(scores), floats(positive)) == pytest.approx(area)
