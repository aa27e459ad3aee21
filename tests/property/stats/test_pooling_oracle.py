"""Rubin's rules in exact fractions, pooled analyses set by set, and tipping points by walking the deltas."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from equipoise import stats
from equipoise.stats.refusals import NotIdentified, StatisticsRefusal

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([2.0**20, 1.0, 2.0**-20])
SHIFTS = st.sampled_from([0.0, 1e8])
NAMES = {"subject": "id", "visit": "visit", "outcome": "y", "arm": "arm", "covariates": "age"}
EIGHTHS = st.integers(-400, 400).map(lambda number: number / 8)
SETS = st.lists(st.tuples(EIGHTHS, st.integers(1, 90).map(lambda number: number / 4)), min_size=2, max_size=9)


def plain(estimates, variances, df_complete):
    """Estimate, total variance, df and missing information: Rubin (1987), Barnard and Rubin (1999), in fractions."""
    m = len(estimates)
    q, u = [Fraction(value) for value in estimates], [Fraction(value) for value in variances]
    mean, within = sum(q) / m, sum(u) / m
    between = sum((value - mean) ** 2 for value in q) / (m - 1)
    total = within + (1 + Fraction(1, m)) * between
    share = (total - within) / total
    rate = share**2 / (m - 1)
    if np.isfinite(df_complete):
        df = Fraction(df_complete)
        rate += 1 / ((df + 1) / (df + 3) * df * (1 - share))
    increase = (total - within) / within
    df = 1 / rate if rate else float("inf")
    information = (increase + (2 / (df + 3) if rate else 0)) / (increase + 1)
    return float(mean), float(total), float(df), float(information)


@settings(max_examples=100)
@given(SETS, st.sampled_from([3.5, 18.0, 400.0, float("inf")]), SCALES, SHIFTS)
def test_pooling_agrees_with_fractions(sets, df_complete, scale, shift):
    estimates, variances = zip(*sets, strict=True)
    mean, total, df, information = plain(estimates, variances, df_complete)
    scaled = [(value + shift) * scale for value in estimates], [value * scale**2 for value in variances], df_complete
    if df < 0.01:
        with pytest.raises(NotIdentified):
            stats.pool(*scaled)
        return
    pooled = stats.pool(*scaled)
    assert pooled.estimate / scale - shift == pytest.approx(mean, abs=1e-7)
    assert pooled.total == pytest.approx(total * scale**2, rel=1e-12)
    assert pooled.df == pytest.approx(df, rel=1e-9)
    assert pooled.missing_information == pytest.approx(information, rel=1e-9, abs=1e-14)
    if shift == 0:
        assert pooled.p_value == pytest.approx(2 * student.sf(abs(mean) / total**0.5, df), rel=1e-7, abs=1e-300)
    half = student.ppf(0.975, df) * total**0.5
    assert (pooled.conf_high - pooled.conf_low) / scale == pytest.approx(2 * half, rel=1e-6)


def trial(seed):
    """Thirty participants of two arms, three visits, dropout in both; the treated gain."""
    rng = np.random.default_rng(seed)
    n, visits = 30, 3
    y = 100 + 8 * rng.normal(size=(n, 1)) + 6 * rng.normal(size=(n, visits))
    y += (np.arange(n) % 2)[:, np.newaxis] * rng.uniform(3, 8) * np.arange(visits)
    for who in rng.choice(n, 10, replace=False):
        y[who, rng.integers(1, visits) :] = np.nan
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), visits), "visit": np.tile([1, 3, 6], n), "y": y.ravel()})
    frame["age"] = np.repeat(rng.integers(30, 60, n), visits)
    return frame.assign(arm=np.where(frame["id"] % 2, "NK", "ART"))


def imputed(frame, **options):
    try:
        return stats.impute(frame, **NAMES, reference="ART", **options)
    except StatisticsRefusal:  # a visit that too few of an arm reached
        assume(False)


STRATEGIES = st.sampled_from(["mar", "jump-to-reference", "copy-reference", "copy-increments"])


@settings(max_examples=15)
@given(SEEDS, STRATEGIES, st.sampled_from([-5.0, 0.0, 12.5]))
def test_the_pooled_analysis_is_each_set_by_itself(seed, strategy, delta):
    sets = imputed(trial(seed), strategy=strategy, draws=6, steps=5, seed=seed).with_delta({"NK": delta})
    alone = []
    for number in range(sets.sets):
        frame = sets.completed(number)
        alone.append(stats.ancova("y ~ age + arm", frame[frame["visit"] == 6]).coefficients.set_index("term"))
    found = sets.ancova().coefficients.set_index("term")
    for term in ("Intercept", "age", "arm[T.NK]"):
        estimates = [one.loc[term, "estimate"] for one in alone]
        pooled = stats.pool(estimates, [one.loc[term, "std_error"] ** 2 for one in alone], 27.0)
        for column in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high"):
            assert found.loc[term, column] == pytest.approx(getattr(pooled, column), rel=1e-7, abs=1e-9)


@settings(max_examples=15)
@given(SEEDS, st.booleans())
def test_the_tipping_point_is_the_first_crossing_on_a_fine_walk(seed, jackknife):
    options = {"method": "conditional-mean"} if jackknife else {"draws": 6, "steps": 5, "seed": seed}
    sets = imputed(trial(seed), **options)
    grid = np.arange(-60.0, 61.0, 4.0)
    try:
        found = stats.tipping_point(sets, arm="NK", deltas=grid)
    except StatisticsRefusal:  # nobody of the arm dropped out
        assume(False)

    def p_value(delta):
        return sets.with_delta({"NK": float(delta)}).ancova().coefficients.set_index("term").loc["arm[T.NK]", "p_value"]

    significant = [p_value(delta) < 0.05 for delta in grid]
    np.testing.assert_allclose(found.table["p_value"], [p_value(delta) for delta in grid], rtol=1e-6, atol=1e-12)
    changes = [
        (min(abs(low), abs(high)) if low * high > 0 else 0.0, low, high)
        for (low, was), (high, now) in pairwise(zip(grid, significant, strict=True))
        if was != now
    ]
    if not changes:
        assert found.tipping is None
        return
    _, low, high = min(changes)
    assert low <= found.tipping <= high
    assert p_value(found.tipping) == pytest.approx(0.05, abs=1e-8)
