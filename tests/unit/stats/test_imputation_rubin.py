"""Rubin's rules by hand, and what they refuse."""

import numpy as np
import pytest

from equipoise import stats
from equipoise.stats import refusals


def test_rubins_rules_by_hand():
    # Mean 2; within 1, between (1 + 0 + 1) / 2 = 1; total 1 + 4/3 = 7/3; r = 4/3, lambda = 4/7.
    pooled = stats.pool([1, 2, 3], [1, 1, 1])
    assert (pooled.estimate, pooled.within, pooled.between, pooled.draws) == (2, 1, 1, 3)
    assert pooled.total == pytest.approx(7 / 3, rel=1e-15)
    assert pooled.std_error == pytest.approx(np.sqrt(7 / 3), rel=1e-15)
    assert pooled.relative_increase == pytest.approx(4 / 3, rel=1e-15)
    assert pooled.df == pytest.approx(2 / (4 / 7) ** 2, rel=1e-15)  # 6.125
    assert pooled.missing_information == pytest.approx((4 / 3 + 2 / 9.125) / (7 / 3), rel=1e-15)
    assert pooled.mc_error == pytest.approx(np.sqrt(1 / 3), rel=1e-15)
    assert pooled.method == (
        "Rubin's rules over 3 completed data sets (Rubin 1987), degrees of freedom by Barnard and Rubin (1999), "
        "no bound from complete data"
    )


def test_complete_data_bound_the_degrees_of_freedom():
    # nu_obs = 11/13 x 10 x 3/7; 1/nu = 1/6.125 + 1/nu_obs.
    pooled = stats.pool([1, 2, 3], [1, 1, 1], 10)
    assert pooled.df == pytest.approx(1 / (1 / 6.125 + 1 / (11 / 13 * 10 * 3 / 7)), rel=1e-14)
    assert pooled.method.endswith("10 df in complete data")


def test_nothing_missing_leaves_nearly_the_degrees_of_freedom_of_complete_data():
    pooled = stats.pool([2, 2, 2], [4, 4, 4], 10)
    assert (pooled.estimate, pooled.std_error, pooled.between, pooled.mc_error) == (2, 2, 0, 0)
    assert pooled.df == pytest.approx(11 / 13 * 10, rel=1e-15)
    assert np.isinf(stats.pool([2, 2, 2], [4, 4, 4]).df)


def test_a_large_common_shift_costs_no_digits():
    near, far = stats.pool([1, 2, 4], [1, 2, 3], 10), stats.pool([1e9 + 1, 1e9 + 2, 1e9 + 4], [1, 2, 3], 10)
    assert far.std_error == near.std_error
    assert far.df == near.df


POOL_REFUSED = {
    "one": (
        lambda: stats.pool([1], [1]),
        "estimates: has 1 of the 2 needed at least; analyse two completed sets or more",
    ),
    "lengths": (
        lambda: stats.pool([1, 2], [1]),
        "variances: has 1 values for 2 estimates; give one variance an estimate",
    ),
    "negative": (
        lambda: stats.pool([1, 2], [1, -1]),
        "variances = -1.0: is not above zero; give squares of standard errors",
    ),
    "infinite": (
        lambda: stats.pool([1, np.inf], [1, 1]),
        "estimates: is not one sequence of finite numbers; give one number a completed set",
    ),
    "table": (
        lambda: stats.pool([1, 2], [[1, 1]]),
        "variances: is not one sequence of finite numbers; give one number a completed set",
    ),
    "text": (
        lambda: stats.pool(["a", "b"], [1, 1]),
        "estimates: holds something that is not a number; give numbers only",
    ),
    "df": (
        lambda: stats.pool([1, 2], [1, 1], 0),
        "df_complete = 0: is not a number of degrees of freedom; give one above zero, or infinity",
    ),
    "level": (
        lambda: stats.pool([1, 2], [1, 1], level=95),
        "level = 95: is not a confidence level; give a number between 0 and 1, such as 0.95",
    ),
}


@pytest.mark.parametrize("case", POOL_REFUSED)
def test_pool_refuses(case):
    act, text = POOL_REFUSED[case]
    with pytest.raises(refusals.BadSample) as refused:
        act()
    assert str(refused.value) == text
