# R 4.2.2: t.test, wilcox.test, binom.test, prop.test, quantile, every division by combn. Script: two_sample.R here.
# Data: Student (1908), Biometrika 6:1-25; Hollander, Wolfe and Chicken (2014), table 4.1; quantiles made in the script.
# Tolerance 1e-12 relative: closed forms, no iteration, on both sides.
import json
from pathlib import Path

import numpy as np
import pytest

from equipoise import stats

ONE = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
TWO = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]
R = json.loads((Path(__file__).parent / "two_sample.json").read_text(encoding="utf-8"))


def close(value):
    return pytest.approx(float(value), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(
    ("name", "x", "y", "method", "level"),
    [
        ("student", TWO, ONE, "student", 0.95),
        ("welch", TWO, ONE, "welch", 0.95),
        ("welch_90", TERM, EARLY, "welch", 0.9),
    ],
)
def test_t_tests_agree_with_r(name, x, y, method, level):
    test = stats.two_sample(x, y, method=method, level=level)
    assert test.statistic == close(R[name]["statistic"])
    assert test.df == close(R[name]["df"])
    assert test.p_value == close(R[name]["p"])
    assert test.conf_low == close(R[name]["low"])
    assert test.conf_high == close(R[name]["high"])
    assert test.std_error == close(R[name]["se"])


def test_exact_rank_sum_agrees_with_r():
    test = stats.two_sample(TERM, EARLY, method="wilcoxon")
    assert test.statistic == close(R["wilcoxon"]["statistic"])
    assert test.p_value == close(R["wilcoxon"]["p"])
    assert test.estimate == close(R["wilcoxon"]["estimate"])
    assert test.conf_low == close(R["wilcoxon"]["low"])
    assert test.conf_high == close(R["wilcoxon"]["high"])


@pytest.mark.parametrize("case", R["wilcoxon_levels"])
def test_exact_rank_intervals_agree_with_r_at_other_levels(case):
    x = np.array(R["wilcoxon_normal"]["x"], dtype=float)
    test = stats.two_sample(
        x[::5], x[[2, 13, 21, 24, 36, 40, 43, 57, 58]] + 0.4, method="wilcoxon", level=float(case["level"])
    )
    assert test.p_value == close(case["p"])
    assert test.estimate == close(case["estimate"])
    assert (test.conf_low, test.conf_high) == (close(case["low"]), close(case["high"]))


def test_ranks_with_ties_and_permutations_agree_with_every_division_in_r():
    listed = R["every_division"]
    x, y = (np.array(listed[side], dtype=float) for side in "xy")
    assert stats.two_sample(x, y, method="wilcoxon").p_value == close(listed["wilcoxon"])
    assert stats.two_sample(x, y, method="permutation").p_value == close(listed["permutation"])
    for limits in listed["limits"]:
        test = stats.two_sample(x, y, method="permutation", level=float(limits["level"]))
        # R's limits are found by halving, to 1e-9 of its slack for sums in another order.
        assert test.conf_low == pytest.approx(float(limits["low"]), abs=1e-7)
        assert test.conf_high == pytest.approx(float(limits["high"]), abs=1e-7)


def test_normal_rank_sum_with_ties_agrees_with_r():
    x, y = (np.array(R["wilcoxon_normal"][side], dtype=float) for side in "xy")
    test = stats.two_sample(x, y, method="wilcoxon")
    assert test.statistic == close(R["wilcoxon_normal"]["statistic"])
    assert test.p_value == close(R["wilcoxon_normal"]["p"])


def test_mean_interval_agrees_with_r():
    mean = stats.mean_interval(ONE)
    assert mean.mean == close(0.75)
    assert mean.std_error == close(R["mean"]["se"])
    assert (mean.conf_low, mean.conf_high) == (close(R["mean"]["low"]), close(R["mean"]["high"]))


def test_proportions_agree_with_r():
    for method, name in ((stats.clopper_pearson, "clopper_pearson"), (stats.wilson, "wilson")):
        for case in R[name]:
            share = method(int(case["x"]), int(case["n"]))
            assert (share.conf_low, share.conf_high) == (close(case["low"]), close(case["high"])), case


def test_quartiles_agree_with_r():
    told = stats.median_quartiles(ONE)
    values = (told.minimum, told.lower, told.median, told.upper, told.maximum)
    assert values == tuple(close(value) for value in R["quartiles"])


# Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10: published to four decimals.
@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_newcombe_agrees_with_his_table(counts, low, high):
    difference = stats.newcombe(*counts)
    assert difference.conf_low == pytest.approx(low, abs=5.1e-5)
    assert difference.conf_high == pytest.approx(high, abs=5.1e-5)
