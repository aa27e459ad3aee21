"""Repeated-measures analysis of variance against its textbook: long least squares, one covariance of the visits.

The plain one is univariate throughout: an indicator for each participant, effects coded to sum to zero, each effect's
sum of squares what the residuals gain when its columns are taken out (type III).
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f as fisher

from equipoise import stats

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([1e6, 1.0, 1e-6])
SHIFTS = st.sampled_from([0.0, 1e8])


def trial(seed, groups, visits, gaps):
    """Groups of four to seven people with every visit, and a few more who lack one."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 8, groups)
    n = int(sizes.sum()) + gaps
    group = np.concatenate([np.repeat(np.arange(groups), sizes), rng.integers(0, groups, gaps)])
    y = 100 + 15 * rng.normal(size=(n, 1)) + rng.normal(size=(n, visits)) * rng.uniform(3, 12, visits)
    y += group[:, np.newaxis] * np.arange(visits)
    for who in range(n - gaps, n):
        y[who, rng.integers(0, visits)] = np.nan
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), visits), "visit": np.tile(np.arange(visits) * 3, n)})
    return frame.assign(arm=np.array(list("abc"))[np.repeat(group, visits)], y=np.round(y, 2).ravel())


def sum_coded(values):
    """(N, levels - 1), indicators less that of the last level."""
    levels = np.unique(values)
    coded = (values[:, np.newaxis] == levels[:-1]) * 1.0
    return coded - (values == levels[-1])[:, np.newaxis]


def residual_squares(y, *blocks):
    design = np.column_stack(blocks)
    return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())


def crossed(one, two):
    return (one[:, :, np.newaxis] * two[:, np.newaxis, :]).reshape(len(one), -1)


def plain(frame):
    """SS, df and error by effect, epsilons: of complete subjects."""
    whole = frame[~frame["id"].isin(frame.loc[frame["y"].isna(), "id"])]
    visits = whole["visit"].nunique()
    wide = whole["y"].to_numpy().reshape(-1, visits)
    arm = whole["arm"].to_numpy().reshape(-1, visits)[:, 0]
    n, groups = len(wide), len(np.unique(arm))
    constant, between = np.ones((n, 1)), sum_coded(arm)
    means = wide.mean(axis=1)
    table = {
        "arm": (
            visits * (residual_squares(means, constant) - residual_squares(means, constant, between)),
            groups - 1,
            visits * residual_squares(means, constant, between),
            n - groups,
        )
    }
    y = wide.ravel()
    people = np.repeat(np.eye(n), visits, axis=0)
    within = np.tile(sum_coded(np.arange(visits)), (n, 1))
    both = crossed(np.repeat(between, visits, axis=0), within)
    error, error_df = residual_squares(y, people, within, both), (n - groups) * (visits - 1)
    table["visit"] = (residual_squares(y, people, both) - error, visits - 1, error, error_df)
    table["arm:visit"] = (residual_squares(y, people, within) - error, both.shape[1], error, error_df)
    return table, epsilons(wide, arm, n, groups, visits), n


def epsilons(wide, arm, n, groups, visits):
    """Greenhouse and Geisser's by the double-centred covariance, Huynh and Feldt's with Lecoutre's correction."""
    centred = wide - np.array([wide[arm == own].mean(axis=0) for own in arm])
    covariance = centred.T @ centred / (n - groups)
    double = covariance - covariance.mean(axis=0) - covariance.mean(axis=1)[:, np.newaxis] + covariance.mean()
    k = visits - 1
    gg = np.trace(double) ** 2 / (k * (double**2).sum())
    hf = ((n - groups + 1) * k * gg - 2) / (k * (n - groups - k * gg))
    return gg, hf


@settings(max_examples=50)
@given(SEEDS, st.integers(2, 3), st.integers(2, 5), st.integers(0, 3), SCALES, SHIFTS)
def test_every_effect_agrees_with_long_least_squares(seed, groups, visits, gaps, scale, shift):
    frame = trial(seed, groups, visits, gaps)
    moved = frame.assign(y=(frame["y"] + shift) * scale).sample(frac=1, random_state=np.random.default_rng(seed))
    fit = stats.rm_anova(moved, outcome="y", subject="id", within="visit", between="arm")
    table, (gg, hf), n = plain(frame)
    assert (fit.n_subjects, fit.n_left_out) == (n, frame["id"].nunique() - n)
    errors = table["arm"][2] + table["visit"][2]
    for effect, (squares, df_num, error, df_den) in table.items():
        row = fit.table.set_index("effect").loc[effect]
        statistic = squares / df_num / (error / df_den)
        assert (row["df_num"], row["df_den"]) == (df_num, df_den)
        assert row["statistic"] == pytest.approx(statistic, rel=1e-5, abs=1e-6)
        assert row["p_value"] == pytest.approx(fisher.sf(statistic, df_num, df_den), rel=1e-4, abs=1e-7)
        assert row["eta_sq_partial"] == pytest.approx(squares / (squares + error), rel=1e-5, abs=1e-7)
        assert row["eta_sq_generalised"] == pytest.approx(squares / (squares + errors), rel=1e-5, abs=1e-7)
        if effect == "arm":
            continue
        assert row["epsilon_gg"] == pytest.approx(gg, rel=1e-6)
        assert row["p_gg"] == pytest.approx(fisher.sf(statistic, gg * df_num, gg * df_den), rel=1e-4, abs=1e-7)
        if visits > 2:
            assert row["epsilon_hf"] == pytest.approx(hf, rel=1e-6)
            taken = min(hf, 1.0)
            assert row["p_hf"] == pytest.approx(
                fisher.sf(statistic, taken * df_num, taken * df_den), rel=1e-4, abs=1e-7
            )
