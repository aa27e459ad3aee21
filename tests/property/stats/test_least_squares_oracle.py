"""Analysis of covariance against its formulae in exact fractions, one row at a time.

The outcomes and covariates of every draw are binary fractions, so that the plain one makes no rounding error at all.
"""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from equipoise import stats
from equipoise.stats.refusals import StatisticsRefusal

SEEDS = st.integers(0, 2**32 - 1)
# Powers of two, about 1e6 and 1e-6: scaled outcomes keep every digit, so that rounding is the fit's alone.
SCALES = st.sampled_from([2.0**20, 1.0, 2.0**-20])
SHIFTS = st.sampled_from([0.0, 1e8])


def trial(seed, n, gaps, scale, shift):
    """Participants of two or three arms and three sites, an age, some outcomes missing; few binary digits each."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"arm": rng.choice(["a", "b", "c"][: rng.integers(2, 4)], n), "site": rng.choice(list("xyz"), n)}
    )
    frame["age"] = np.round(rng.normal(45, 12, n) * 4) / 4
    spread = np.where(frame["arm"] == "b", 40.0, 10.0)
    frame["y"] = (np.round((100 + frame["age"] + rng.normal(size=n) * spread) * 8) / 8 + shift) * scale
    frame.loc[rng.random(n) < gaps, "y"] = np.nan
    return frame


def inverse(matrix):
    """The inverse of a matrix of fractions, by Gauss and Jordan."""
    p = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(p))] for i, row in enumerate(matrix)]
    for at in range(p):
        pivot = next(row for row in range(at, p) if rows[row][at] != 0)
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [value / rows[at][at] for value in rows[at]]
        for other in range(p):
            if other != at:
                rows[other] = [one - rows[other][at] * two for one, two in zip(rows[other], rows[at], strict=True)]
    return [row[p:] for row in rows]


def product(one, two):
    return [
        [sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in zip(*two, strict=True)]
        for row in one
    ]


def plain(frame, columns, covariance):
    """Coefficients and covariance by the columns' names, of the rows with an outcome."""
    known = frame.dropna(subset="y")
    design = [[Fraction(indicator(row, name)) for name in columns] for _, row in known.iterrows()]
    outcome = [[Fraction(value)] for value in known["y"]]
    across = list(map(list, zip(*design, strict=True)))
    bread = inverse(product(across, design))
    beta = product(bread, product(across, outcome))
    residuals = [y[0] - fit[0] for y, fit in zip(outcome, product(design, beta), strict=True)]
    leverages = [product(product([row], bread), [[x] for x in row])[0][0] for row in design]
    pooled = sum(e * e for e in residuals) / (len(design) - len(columns))
    weights = {
        "model": [pooled for _ in residuals],
        "hc2": [e * e / (1 - h) if h < 1 else None for e, h in zip(residuals, leverages, strict=True)],
        "hc3": [e * e / (1 - h) ** 2 if h < 1 else None for e, h in zip(residuals, leverages, strict=True)],
    }[covariance]
    assume(None not in weights)
    weighted = [[weight * x for x in row] for weight, row in zip(weights, design, strict=True)]
    matrix = product(product(bread, product(across, weighted)), bread)
    return np.array(beta, dtype=float)[:, 0], np.array(matrix, dtype=float)


def indicator(row, name):
    """One entry of the design, by the name of its column."""
    if name == "Intercept":
        return 1
    if "[T." not in name:
        return row[name]
    factor, level = name.rstrip("]").split("[T.")
    return int(row[factor] == level)


@settings(max_examples=60)
@given(
    SEEDS, st.integers(8, 20), st.sampled_from([0.0, 0.25]), SCALES, SHIFTS, st.sampled_from(["model", "hc2", "hc3"])
)
def test_least_squares_agree_with_exact_fractions(seed, n, gaps, scale, shift, covariance):
    frame = trial(seed, n, gaps, scale, shift)
    try:
        fit = stats.ancova("y ~ arm + site + age", frame, covariance=covariance)
    except StatisticsRefusal:  # a factor of one level, or too few rows
        assume(False)
    beta, matrix = plain(frame, fit.columns, covariance)
    std_error = np.sqrt(np.diag(matrix))
    np.testing.assert_allclose((fit.beta - beta) / std_error, 0, atol=1e-6 if shift else 1e-9)
    np.testing.assert_allclose(fit.covariance, matrix, rtol=1e-8, atol=1e-9 * float(std_error.max()) ** 2)
    df = int(frame["y"].notna().sum()) - len(beta)
    assert fit.df == df
    expected = 2 * student.sf(np.abs(beta / std_error), df)
    np.testing.assert_allclose(fit.coefficients["p_value"], expected, rtol=1e-5, atol=1e-12)
    low = beta - student.ppf(0.975, df) * std_error
    np.testing.assert_allclose((fit.coefficients["conf_low"] - low) / std_error, 0, atol=1e-6)
    assert fit.n_left_out == int(frame["y"].isna().sum())


@settings(max_examples=25)
@given(SEEDS, st.integers(14, 24), SCALES, SHIFTS)
def test_the_joint_test_of_a_factor_is_that_of_nested_models(seed, n, scale, shift):
    """F from the residual sums of squares with and without the factor, each by plain least squares."""
    frame = trial(seed, n, 0.0, scale, shift)
    try:
        fit = stats.ancova("y ~ arm + site + age", frame)
    except StatisticsRefusal:
        assume(False)
    moved = frame["y"].to_numpy() / scale - shift
    left = {}
    for formula, names in (("whole", fit.columns), ("without", [one for one in fit.columns if "site" not in one])):
        design = np.array([[indicator(row, name) for name in names] for _, row in frame.iterrows()], dtype=float)
        left[formula] = float(((moved - design @ np.linalg.lstsq(design, moved, rcond=None)[0]) ** 2).sum())
    q = len(fit.terms["site"])
    expected = (left["without"] - left["whole"]) / q / (left["whole"] / (n - len(fit.columns)))
    assert fit.joint_test("site").statistic == pytest.approx(expected, rel=1e-6, abs=1e-8)
