"""What must hold of any marginal means: order, labels, units, averages of predictions, orders among adjustments."""

import itertools

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.multiplicity import Family, adjusted
from equipoise.stats.multivariate_t import equicoordinate, exceedance, rule_for

SEEDS = st.integers(0, 2**32 - 1)
FORMULA = "y ~ arm * site + C(visit) + age"


def trial(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(15), 3), "visit": np.tile([0, 1, 6], 15)})
    frame["arm"] = rng.permutation(["a", "b", "c"] * 5)[frame["id"]]
    frame["site"] = rng.permutation(np.where(np.arange(45) % 2, "east", "west"))
    frame["age"] = rng.normal(45, 9, 15)[frame["id"]]
    frame["y"] = rng.normal(100, 20, 15)[frame["id"]] + rng.normal(0, 15, 45)
    # A subject alone in a combination would determine a coefficient alone, which the covariance refuses.
    subjects = frame.groupby(["arm", "site"])["id"].nunique()
    return frame if len(subjects) == 6 and subjects.min() > 1 else trial(seed + 1)


def fitted(frame):
    return stats.gee(FORMULA, frame, cluster="id", time="visit")


@settings(max_examples=10)
@given(SEEDS)
def test_means_are_plain_averages_of_predictions(seed):
    frame = trial(seed)
    fit = fitted(frame)
    means = stats.marginal_means(fit, "arm", by="site")
    for row in means.table.itertuples():
        cells = pd.DataFrame(
            [{"arm": row.arm, "site": row.site, "visit": visit, "age": frame["age"].mean()} for visit in (0, 1, 6)]
        )
        everything = pd.concat([frame.drop(columns="y"), cells], ignore_index=True)
        predicted = model_matrix(FORMULA.split("~")[1], everything).to_numpy(dtype=float)[-3:] @ fit.beta
        assert row.estimate == pytest.approx(predicted.mean(), rel=1e-10)


@settings(max_examples=10)
@given(SEEDS)
def test_the_order_of_rows_changes_no_bit(seed):
    frame = trial(seed)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(seed))
    first, second = (
        stats.marginal_means(fitted(rows), "arm", by="site", weights="cells") for rows in (frame, shuffled)
    )
    assert first.table.equals(second.table)
    assert first.contrasts("pairwise", adjust="mvt").table.equals(second.contrasts("pairwise", adjust="mvt").table)


@settings(max_examples=10)
@given(SEEDS, st.permutations(["a", "b", "c"]), st.sampled_from(["holm", "tukey", "mvt"]))
def test_other_names_give_the_same_contrasts(seed, names, adjust):
    frame = trial(seed)
    renamed = frame.assign(arm=frame["arm"].map(dict(zip("abc", names, strict=True))))
    first, second = (
        stats.marginal_means(fitted(rows), "arm").contrasts("pairwise", adjust=adjust).table
        for rows in (frame, renamed)
    )
    rows = second.set_index("contrast")
    for row in first.itertuples():
        one, two = (names["abc".index(part)] for part in row.contrast.split(" - "))
        turned = f"{one} - {two}" not in rows.index
        other = rows.loc[f"{two} - {one}" if turned else f"{one} - {two}"]
        assert row.estimate == pytest.approx(-other["estimate"] if turned else other["estimate"], rel=1e-7, abs=1e-9)
        assert row.p_value == pytest.approx(other["p_value"], rel=1e-6)


@settings(max_examples=10)
@given(SEEDS, st.sampled_from([1e6, 1e-6]), st.sampled_from([0.0, 1e8]))
def test_units_and_origin_move_means_and_leave_tests(seed, scale, shift):
    frame = trial(seed)
    moved = frame.assign(y=scale * (frame["y"] + shift))
    first, second = (stats.marginal_means(fitted(rows), "arm") for rows in (frame, moved))
    np.testing.assert_allclose(second.table["estimate"] / scale - shift, first.table["estimate"], rtol=1e-6)
    ours, theirs = (one.contrasts("pairwise", adjust="tukey").table for one in (first, second))
    np.testing.assert_allclose(theirs["estimate"] / scale, ours["estimate"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(theirs["p_value"], ours["p_value"], rtol=1e-5, atol=1e-7)


@settings(max_examples=10)
@given(SEEDS)
def test_equal_means_are_the_wald_test_of_the_term(seed):
    frame = trial(seed)
    for fit in (
        stats.gee("y ~ arm + site + age", frame, cluster="id"),
        stats.ancova("y ~ arm + site + age", frame, covariance="hc3"),
        stats.mmrm("y ~ arm + site + age", frame, subject="id", visit="visit", covariance="cs"),
    ):
        ours, wald = stats.marginal_means(fit, "arm").joint_test().table, fit.joint_test("arm")
        assert ours["statistic"][0] == pytest.approx(wald.statistic, rel=1e-8)
        assert ours["p_value"][0] == pytest.approx(wald.p_value, rel=1e-7, abs=1e-12)
        assert ours["df_den"][0] == pytest.approx(wald.df_den, rel=1e-6)


WEIGHTS = {
    "equal": lambda rows, own, others: 1.0,
    "proportional": lambda rows, own, others: sum(row[1:] == others for row in rows),
    "outer": lambda rows, own, others: np.prod(
        [sum(row[at + 1] == one for row in rows) for at, one in enumerate(others)]
    ),
    "cells": lambda rows, own, others: sum(row == (own, *others) for row in rows),
    "flat": lambda rows, own, others: float((own, *others) in rows),
}


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(sorted(WEIGHTS)), st.floats(20, 70))
def test_weights_are_counts_of_rows(seed, weights, age):
    """Each mean from predictions at every cell, weighed by rows that are counted one by one."""
    frame = trial(seed)
    fit = fitted(frame)
    rows = list(zip(frame["arm"], frame["site"], frame["visit"], strict=True))
    cells = list(itertools.product("abc", ("east", "west"), (0, 1, 6)))
    table = pd.DataFrame(cells, columns=["arm", "site", "visit"]).assign(age=age)
    everything = pd.concat([frame.drop(columns="y"), table], ignore_index=True)
    design = model_matrix(FORMULA.split("~")[1], everything).to_numpy(dtype=float)[-len(cells) :]
    means = stats.marginal_means(fit, "arm", at={"age": age}, weights=weights)
    for row, own in zip(means.table.itertuples(), "abc", strict=True):
        shares = np.array([WEIGHTS[weights](rows, own, cell[1:]) * (cell[0] == own) for cell in cells], dtype=float)
        plain = shares / shares.sum() @ design
        assert row.arm == own
        assert row.estimate == pytest.approx(plain @ fit.beta, rel=1e-9)
        assert row.std_error == pytest.approx(np.sqrt(plain @ fit.covariance @ plain), rel=1e-9)


def subsets_with(place, q):
    """Every set of tests that holds one of them."""
    others = [other for other in range(q) if other != place]
    for size in range(q):
        for chosen in itertools.combinations(others, size):
            yield [place, *chosen]


@settings(max_examples=40)
@given(SEEDS, st.integers(2, 6), st.sampled_from([4.0, np.inf]))
def test_stepwise_adjustments_are_their_procedures(seed, k, df):
    """Holm's P is that of closed Bonferroni tests; Hochberg's the least error at which his steps reject."""
    family = drawn_family(seed, k, k, df)
    p = adjusted(family, "none", 0.95).p_values
    closed = [max(min(1.0, len(one) * min(p[one])) for one in subsets_with(place, k)) for place in range(k)]
    np.testing.assert_allclose(adjusted(family, "holm", 0.95).p_values, closed, rtol=1e-12)
    found = adjusted(family, "hochberg", 0.95).p_values
    order = np.argsort(p)

    def rejected(error):
        steps = [step for step in range(k) if p[order[step]] <= error / (k - step)]
        return set(order[: max(steps) + 1]) if steps else set()

    for place in range(k):
        assert place in rejected(found[place] * (1 + 1e-9))
        assert place not in rejected(found[place] * (1 - 1e-9))


def drawn_family(seed, k, rank, df):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(k, rank))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return Family(rng.normal(0, 2, k), np.full(k, df), points @ points.T, k, "two-sided")


@settings(max_examples=40)
@given(SEEDS, st.integers(2, 6), st.integers(1, 5), st.sampled_from([3.0, 18.5, np.inf]))
def test_adjustments_keep_their_order(seed, k, rank, df):
    family = drawn_family(seed, k, rank, df)
    found = {name: adjusted(family, name, 0.95) for name in ("none", "bonferroni", "holm", "hochberg", "sidak", "mvt")}
    p = {name: one.p_values for name, one in found.items()}
    tiny = 1e-9
    assert (p["none"] <= p["hochberg"] + tiny).all()
    assert (p["hochberg"] <= p["holm"] + tiny).all()
    assert (p["holm"] <= p["bonferroni"] + tiny).all()
    assert (p["none"] <= p["mvt"]).all()
    assert (p["mvt"] <= p["bonferroni"] + found["mvt"].error + tiny).all()
    # Sidak (1967): rectangles of correlated normals hold at least as much as independent ones; t only up to its s.
    if np.isinf(df):
        assert (p["mvt"] <= p["sidak"] + found["mvt"].error + tiny).all()
    assert all(np.isfinite(one.limits).all() and (one.limits > 0).all() for one in found.values())


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 6), st.integers(2, 6), st.booleans(), st.sampled_from([4.0, 30.0, np.inf]))
def test_exceedances_agree_with_plain_simulation(seed, k, rank, two_sided, df):
    correlation = drawn_family(seed, k, rank, df).correlation
    rng = np.random.default_rng([seed, 1])
    draws = 100_000
    values, vectors = np.linalg.eigh(correlation)
    statistics = rng.standard_normal((draws, k)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    if np.isfinite(df):
        statistics /= np.sqrt(rng.chisquare(df, draws) / df)[:, np.newaxis]
    largest = (np.abs(statistics) if two_sided else statistics).max(axis=1)
    rule = rule_for(correlation, two_sided=two_sided)
    for limit in (0.3, 1.5, 2.5):
        ours = exceedance(rule, limit, df)
        simulated = (largest > limit).mean()
        # Six standard errors of the simulation, so that none of a thousand such checks fails by chance.
        assert abs(ours.value - simulated) < 6 * np.sqrt(0.25 / draws) + ours.error


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 6), st.integers(1, 6), st.booleans(), st.floats(0.6, 0.999))
def test_limits_and_exceedances_are_inverse(seed, k, rank, two_sided, level):
    rule = rule_for(drawn_family(seed, k, rank, 9.0).correlation, two_sided=two_sided)
    limit = equicoordinate(rule, level, 9.0)
    assert exceedance(rule, limit.value, 9.0).value == pytest.approx(1 - level, abs=1e-8)


def test_every_pair_of_kind_and_adjustment_is_finite_or_refused():
    means = stats.marginal_means(fitted(trial(3)), "arm", by="site")
    seen = 0
    kinds = ("pairwise", "reference", "polynomial", "consecutive", "mean_change", "effect")
    adjusts = ("none", "bonferroni", "holm", "hochberg", "sidak", "tukey", "dunnett", "mvt")
    for kind, adjust, alternative in itertools.product(kinds, adjusts, ("two-sided", "greater")):
        try:
            table = means.contrasts(kind, adjust=adjust, alternative=alternative).table
        except stats.refusals.UnknownChoice:
            continue
        seen += 1
        assert not table.isna().any().any()
        assert table["p_value"].between(0, 1).all()
    assert seen == 12 * 6 + 1 + 2
