"""Statistics against worked examples and against the slow way round."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from core.statistics import (
    area_under_roc,
    brier_parts,
    expected_calibration_error,
    if_calibrated_level,
    isotonic,
    mean_interval,
    median_interval,
    paired_difference_interval,
    reliability_bins,
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


# The interval of a paired difference


@pytest.mark.parametrize(
    ("first_only", "second_only", "n", "centre", "spread"),
    [
        # Worked by hand: (first + 1) / (n + 2) less (second + 1) / (n + 2), and their sum.
        (9, 1, 40, 8 / 42, 12 / 42),
        (1, 9, 40, -8 / 42, 12 / 42),
        (0, 0, 30, 0.0, 2 / 32),
        (0, 30, 30, -30 / 32, 32 / 32),
    ],
)
def test_the_interval_of_a_paired_difference_is_that_of_worked_examples(
    first_only: int, second_only: int, n: int, centre: float, spread: float
) -> None:
    half = 1.96 * math.sqrt((spread - centre**2) / (n + 2))
    wanted = max(-1.0, centre - half), min(1.0, centre + half)
    assert paired_difference_interval(first_only, second_only, n) == pytest.approx(wanted)


def test_without_pairs_the_difference_may_be_anything() -> None:
    assert paired_difference_interval(0, 0, 0) == (-1.0, 1.0)


@given(
    st.integers(1, 500).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n)).filter(
            lambda pair: pair[0] + pair[1] <= pair[2]
        )
    )
)
def test_the_interval_of_a_paired_difference_holds_it_and_turns_with_it(
    pair: tuple[int, int, int],
) -> None:
    first_only, second_only, n = pair
    low, high = paired_difference_interval(first_only, second_only, n)
    assert -1 <= low <= (first_only - second_only) / n <= high <= 1
    assert paired_difference_interval(second_only, first_only, n) == pytest.approx((-high, -low))


@pytest.mark.parametrize("n", [30, 60])
@pytest.mark.parametrize(
    ("first_only", "second_only"), [(0.02, 0.02), (0.05, 0.1), (0.01, 0.2), (0.2, 0.25)]
)
def test_the_interval_of_a_paired_difference_covers_the_truth_in_95_percent_of_samples(
    n: int, first_only: float, second_only: float
) -> None:
    covered = 0.0
    for first, second in itertools.product(range(n + 1), repeat=2):
        if first + second > n:
            continue
        low, high = paired_difference_interval(first, second, n)
        if low <= first_only - second_only <= high:
            neither = n - first - second
            ways = math.comb(n, first) * math.comb(n - first, second)
            covered += (
                ways
                * first_only**first
                * second_only**second
                * (1 - first_only - second_only) ** neither
            )
    assert covered >= 0.945


# Intervals of a mean and of a median


def test_the_interval_of_a_mean_is_that_of_a_worked_example() -> None:
    # With 0, 0, 1, 1 added: mean 5/8, variance 4.5/8 - 25/64 = 0.171875, n = 8.
    half = 1.96 * math.sqrt(0.171875 / 8)
    low, high = mean_interval(floats([1, 1, 0.5, 0.5]))
    assert (low, high) == pytest.approx((0.625 - half, 0.625 + half))


def test_of_shares_the_interval_of_a_mean_is_agresti_and_coulls() -> None:
    middle = 9 / 14
    half = 1.96 * math.sqrt(middle * (1 - middle) / 14)
    assert mean_interval(floats([1] * 7 + [0] * 3)) == pytest.approx(
        (middle - half, middle + half)
    )


def test_the_interval_of_a_mean_stays_within_its_bounds_and_needs_no_values() -> None:
    assert mean_interval(floats([])) == (0.0, 1.0)
    assert mean_interval(floats([1, 1]))[1] == 1.0
    assert mean_interval(floats([0]))[0] == 0.0


def test_the_interval_of_a_mean_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    places, chances = floats([1, 1 / 2, 1 / 3, 1 / 4, 0]), [0.8, 0.1, 0.05, 0.02, 0.03]
    for n in (10, 30, 200):
        intervals = [mean_interval(rng.choice(places, n, p=chances)) for _ in range(1_000)]
        covered = [low <= places @ np.array(chances) <= high for low, high in intervals]
        assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize(
    ("n", "interval"),
    # The ranks that tables of the binomial give, or one further out.
    [(5, None), (6, (1, 6)), (10, (1, 10)), (100, (40, 61)), (1_000, (469, 532))],
)
def test_the_interval_of_a_median_lies_between_two_of_the_values(
    n: int, interval: tuple[float, float] | None
) -> None:
    values = np.random.default_rng(7).permutation(np.arange(1.0, n + 1))
    assert median_interval(values) == interval


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


def test_equal_confidences_share_their_outcomes_in_the_level_too() -> None:
    # Of 100 throws of a coin, 95 % are within 10 of 50.
    assert if_calibrated_level(np.full(100, 0.5)) == pytest.approx(0.1, abs=0.011)


def test_the_level_of_many_confidences_is_that_of_drawing_each() -> None:
    rng = np.random.default_rng(7)
    confidence = np.minimum(0.3 + 0.9 * rng.random(3_000), 0.99)
    errors = [
        expected_calibration_error(confidence, (rng.random(3_000) < confidence).astype(np.float64))
        for _ in range(400)
    ]
    assert if_calibrated_level(confidence) == pytest.approx(np.quantile(errors, 0.95), rel=0.06)


# Reliability


def test_bins_count_what_is_in_them_and_leave_out_what_is_empty() -> None:
    confidence, right = floats([0.9, 0.2, 0.5, 1.0, 0.4]), floats([0, 0, 1, 1, 1])
    low, high = reliability_bins(confidence, right, (0, 0.1, 0.5, 1))
    # Two right ones of (0.2, 0.4) have a chance of 0.08, none of 0.48; of (0.5, 0.9, 1) one is
    # always right, and no other with a chance of 0.05.
    assert astuple(low) == pytest.approx((0.1, 0.5, 2, 1, 0.3, 0.0, 1.0))
    assert astuple(high) == pytest.approx((0.5, 1, 3, 2, 0.8, 1 / 3, 1.0))
    assert (low.share, high.share) == pytest.approx((1 / 2, 2 / 3))
    assert low.as_promised
    assert high.as_promised


def test_consistency_bars_are_those_of_the_binomial() -> None:
    n = 50
    chances = [math.comb(n, k) * 0.9**k * 0.1 ** (n - k) for k in range(n + 1)]
    below = list(itertools.accumulate(chances))
    lowest, highest = (
        next(k for k, chance in enumerate(below) if chance >= tail) / n for tail in (0.025, 0.975)
    )
    (found,) = reliability_bins(np.full(n, 0.9), np.ones(n), (0, 1))
    assert (found.lowest, found.highest) == pytest.approx((lowest, highest), abs=0.021)
    assert not found.as_promised  # all fifty right is too good


def test_a_calibrated_forecast_is_as_promised_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    kept = []
    for _ in range(300):
        confidence = rng.uniform(0.55, 0.65, 80)
        right = (rng.random(80) < confidence).astype(np.float64)
        kept += [each.as_promised for each in reliability_bins(confidence, right, (0.5, 0.7))]
    assert 0.92 <= np.mean(kept) <= 0.985


@pytest.mark.parametrize(
    ("x", "y", "fitted"),
    [
        ([1, 2, 3, 4], [0, 1, 0, 1], [0, 0.5, 0.5, 1]),
        ([4, 3, 2, 1], [0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]),
        ([0.5, 0.9, 0.5], [1, 1, 0], [0.5, 1, 0.5]),
        ([7], [1], [1]),
    ],
)
def test_an_isotonic_fit_is_that_of_worked_examples(
    x: list[float], y: list[float], fitted: list[float]
) -> None:
    assert isotonic(floats(x), floats(y)).tolist() == fitted


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), outcomes), min_size=1, max_size=40))
def test_an_isotonic_fit_is_that_of_scikit_learn(rows: list[tuple[int, float]]) -> None:
    x, y = floats([row[0] for row in rows]), floats([row[1] for row in rows])
    assert isotonic(x, y) == pytest.approx(IsotonicRegression().fit(x, y).predict(x), abs=1e-6)


def test_the_parts_of_the_brier_score_are_those_of_a_worked_example() -> None:
    # Recalibrated, 0.9 becomes 1/2 and 0.1 becomes 0: a score of (1/4 + 1/4) / 4. The mean is 1/4.
    parts = brier_parts(floats([0.9, 0.1, 0.9, 0.1]), floats([1, 0, 0, 0]))
    assert parts is not None
    score, recalibrated, uncertainty = 0.21, 0.125, 0.1875
    assert astuple(parts) == pytest.approx(
        (score, score - recalibrated, uncertainty - recalibrated, uncertainty)
    )


@settings(deadline=None)
@given(st.lists(st.tuples(coarse, outcomes), min_size=1, max_size=40))
def test_the_parts_of_the_brier_score_make_the_whole(rows: list[tuple[float, float]]) -> None:
    parts = brier_parts(floats([row[0] for row in rows]), floats([row[1] for row in rows]))
    assert parts is not None
    whole = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert whole == pytest.approx(parts.score, abs=1e-12)
    assert min(parts.miscalibration, parts.discrimination, parts.uncertainty) >= -1e-12


def test_of_nothing_there_are_no_bins_and_no_parts() -> None:
    assert reliability_bins(floats([]), floats([]), (0, 1)) == ()
    assert brier_parts(floats([]), floats([])) is None


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
