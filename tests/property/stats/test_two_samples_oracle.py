"""Two samples against plain counts: every division of the sample, listed; tests of every shift; t by its formula."""

from itertools import combinations, pairwise
from math import sqrt
from statistics import fmean, median

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from equipoise import stats

# Few values, so that there are ties; binary fractions, so that sums are exact.
VALUES = st.integers(-12, 12).map(lambda number: number / 4)
SAMPLES = st.tuples(st.lists(VALUES, min_size=2, max_size=6), st.lists(VALUES, min_size=2, max_size=6)).filter(
    lambda pair: len({*pair[0], *pair[1]}) > 1
)
SCALES = st.sampled_from([2.0**20, 1.0, 2.0**-20])
SHIFTS = st.sampled_from([0.0, 1e8])
LEVELS = st.sampled_from([0.8, 0.95])


def rank(value, everyone):
    """The mean of the ranks that equal values share."""
    return sum(other < value for other in everyone) + (sum(other == value for other in everyone) + 1) / 2


def divisions(x, y):
    """Both samples of every division of the pooled values."""
    pooled = [*x, *y]
    for chosen in combinations(range(len(pooled)), len(x)):
        yield [pooled[who] for who in chosen], [pooled[who] for who in range(len(pooled)) if who not in chosen]


def moved(values, scale, shift):
    return [(value + shift) * scale for value in values]


@settings(max_examples=60)
@given(SAMPLES, SCALES, SHIFTS)
def test_the_rank_sum_counts_every_division(pair, scale, shift):
    x, y = pair
    test = stats.two_sample(moved(x, scale, shift), moved(y, scale, shift), method="wilcoxon")
    pooled = [*x, *y]
    centre = len(x) * (len(pooled) + 1) / 2
    distances = [abs(sum(rank(value, pooled) for value in first) - centre) for first, _ in divisions(x, y)]
    far = sum(distance >= distances[0] for distance in distances)
    assert test.p_value == pytest.approx(far / len(distances), rel=1e-12)
    assert test.statistic == sum((a > b) + (a == b) / 2 for a in x for b in y)
    assert test.estimate / scale == pytest.approx(median(a - b for a in x for b in y), abs=1e-7)


@settings(max_examples=60)
@given(SAMPLES, LEVELS)
def test_the_rank_interval_is_of_shifts_that_no_side_rejects(pair, level):
    """Without ties among the values and their differences: each one-sided test at half the error, by listing."""
    x, y = pair
    differences = sorted({a - b for a in x for b in y})
    assume(len(differences) == len(x) * len(y))
    test = stats.two_sample(x, y, method="wilcoxon", level=level)
    # Between neighbouring differences no rank changes: one shift stands for all of them.
    between = [(a + b) / 2 for a, b in pairwise(differences)]
    shifts = [differences[0] - 1, *between, differences[-1] + 1]
    kept = [shift for shift in shifts if not rejected(sum(a - shift > b for a in x for b in y), len(x), len(y), level)]
    assert all(test.conf_low < shift < test.conf_high for shift in kept)
    outside = [shift for shift in shifts if not test.conf_low < shift < test.conf_high]
    assert not set(outside) & set(kept)
    assert len(outside) + len(kept) == len(shifts)


def rejected(u, n_x, n_y, level):
    """Whether U lies in a tail of at most half the error, over all divisions of distinct ranks."""
    counts = [sum(chosen) - n_x * (n_x - 1) // 2 for chosen in combinations(range(n_x + n_y), n_x)]
    tail = (1 - level) / 2 * (1 + 1e-12)
    return min(sum(c <= u for c in counts), sum(c >= u for c in counts)) / len(counts) <= tail


@settings(max_examples=40)
@given(SAMPLES, SCALES, SHIFTS)
def test_the_permutation_test_counts_every_division(pair, scale, shift):
    x, y = pair
    test = stats.two_sample(moved(x, scale, shift), moved(y, scale, shift), method="permutation")
    distances = [abs(fmean(first) - fmean(second)) for first, second in divisions(x, y)]
    far = sum(distance >= distances[0] - 1e-9 for distance in distances)
    assert test.p_value == pytest.approx(far / len(distances), rel=1e-12)
    assert test.estimate / scale == pytest.approx(fmean(x) - fmean(y), abs=1e-7)


@settings(max_examples=40)
@example(([0.0, 0.0], [0.0, 0.0, 0.25]), 0.8)  # half the error is one division of ten
@example(([1.0, 2.0, 4.0], [1.5, 8.0, 3.0]), 0.9)  # and here one of twenty
@example(([0.0, 0.0], [0.25, 0.25, 0.25]), 0.8)  # one shift alone is kept: both limits are that shift
@given(SAMPLES, LEVELS)
def test_the_permutation_interval_is_of_shifts_that_no_side_rejects(pair, level):
    """A shift inside a limit is kept and one beyond it rejected, by tests of the shifted sample over all divisions."""
    x, y = pair
    test = stats.two_sample(x, y, method="permutation", level=level)
    step = 2.0**-20
    # Inside is a step from the limit, but never past the middle: an interval may be one point.
    inward = min(step, (test.conf_high - test.conf_low) / 2)
    for limit, outward in ((test.conf_low, -1), (test.conf_high, 1)):
        if np.isfinite(limit):
            assert not shift_rejected(x, y, limit - outward * inward, level)
            assert shift_rejected(x, y, limit + outward * step, level)
        else:
            assert not shift_rejected(x, y, outward * 1e6, level)


def shift_rejected(x, y, shift, level):
    """Whether a one-sided test at half the error rejects that the samples differ by the shift."""
    plain = [value - shift for value in x]
    here = fmean(plain) - fmean(y)
    found = [fmean(first) - fmean(second) for first, second in divisions(plain, y)]
    slack = 1e-12 * max(1.0, abs(shift))
    above, below = sum(one >= here - slack for one in found), sum(one <= here + slack for one in found)
    return min(above, below) / len(found) <= (1 - level) / 2 * (1 + 1e-12)


@settings(max_examples=60)
@given(SAMPLES, SCALES, SHIFTS, LEVELS, st.booleans())
def test_t_tests_follow_their_formulae(pair, scale, shift, level, pooled):
    x, y = pair
    assume(len(set(x)) > 1 or len(set(y)) > 1)
    method = "student" if pooled else "welch"
    test = stats.two_sample(moved(x, scale, shift), moved(y, scale, shift), method=method, level=level)
    (n, m), (mean_x, mean_y) = (len(x), len(y)), (fmean(x), fmean(y))
    squares_x, squares_y = sum((v - mean_x) ** 2 for v in x), sum((v - mean_y) ** 2 for v in y)
    a, b = squares_x / (n - 1) / n, squares_y / (m - 1) / m
    df = n + m - 2 if pooled else (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1))
    std_error = sqrt((squares_x + squares_y) / df * (1 / n + 1 / m)) if pooled else sqrt(a + b)
    t = (mean_x - mean_y) / std_error
    assert test.df == pytest.approx(df, rel=1e-9)
    assert test.std_error == pytest.approx(std_error * scale, rel=1e-9)
    assert test.p_value == pytest.approx(2 * student.sf(abs(t), df), rel=1e-6)
    half = student.ppf((1 + level) / 2, df) * std_error
    assert test.conf_low / scale == pytest.approx(mean_x - mean_y - half, rel=1e-6, abs=1e-6)
    assert test.conf_high / scale == pytest.approx(mean_x - mean_y + half, rel=1e-6, abs=1e-6)
