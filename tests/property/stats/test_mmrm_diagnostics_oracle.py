"""Diagnostics of repeated measures against what they mean: one dense subject at a time, and fits without a subject."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.refusals import StatisticsRefusal

COVARIANCES = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "sp_exp")
FORMULA = "y ~ arm * C(visit) + age"
VISITS = (0, 2, 6)


def fitted(frame, covariance, *, weighted=False, grouped=False, method="reml"):
    """The fit, or a case passed over where there is none."""
    try:
        return again(frame, covariance, weighted=weighted, grouped=grouped, method=method)
    except StatisticsRefusal:
        assume(False)


def again(frame, covariance, *, weighted=False, grouped=False, method="reml"):
    return stats.mmrm(
        FORMULA,
        frame,
        subject="id",
        visit="visit",
        covariance=covariance,
        group="arm" if grouped else None,
        weights="w" if weighted else None,
        method=method,
        df="satterthwaite",
    )


@given(
    seed=st.integers(0, 10**6),
    covariance=st.sampled_from(COVARIANCES),
    weighted=st.booleans(),
    grouped=st.booleans(),
    method=st.sampled_from(["reml", "ml"]),
)
@settings(max_examples=40)
def test_residuals_are_those_of_dense_matrices(drawn, seed, covariance, weighted, grouped, method):
    frame = drawn(seed, 24, 0.15)
    fit = fitted(frame, covariance, weighted=weighted, grouped=grouped, method=method)
    known = frame.dropna(subset="y")
    nk, late, last = known["arm"] == "NK", known["visit"] == 2, known["visit"] == 6
    columns = [np.ones(len(known)), nk, late, last, nk & late, nk & last, known["age"]]
    named = ["Intercept", "arm[T.NK]", "C(visit)[T.2]", "C(visit)[T.6]", "arm[T.NK]:C(visit)[T.2]"]
    order = [*named, "arm[T.NK]:C(visit)[T.6]", "age"]
    beta = fit.coefficients.set_index("term")["estimate"][order].to_numpy()
    mean = np.column_stack(columns).astype(float) @ beta
    raw, pearson, whole = (stats.residuals(fit, kind) for kind in ("raw", "pearson", "standardised"))
    np.testing.assert_allclose(raw["fitted"], mean, rtol=1e-10)
    np.testing.assert_allclose(raw["residual"], known["y"] - mean, atol=1e-8)
    for subject, rows in known.assign(mean=mean).groupby("id"):
        own = fit.visit_covariance[rows["arm"].iloc[0] if grouped else "all"]
        places = [VISITS.index(visit) for visit in rows["visit"]]
        root = np.sqrt(rows["w"]) if weighted else np.ones(len(rows))
        sigma = own[np.ix_(places, places)] / np.outer(root, root)
        left = (rows["y"] - rows["mean"]).to_numpy()
        expected = np.linalg.solve(np.linalg.cholesky(sigma), left)
        np.testing.assert_allclose(whole.loc[whole["subject"] == subject, "residual"], expected, atol=1e-8)
        expected = left / np.sqrt(np.diag(sigma))
        np.testing.assert_allclose(pearson.loc[pearson["subject"] == subject, "residual"], expected, atol=1e-8)


@given(seed=st.integers(0, 10**6), covariance=st.sampled_from(COVARIANCES), grouped=st.booleans())
@settings(max_examples=30)
def test_standardised_residuals_have_the_squares_of_the_likelihood(drawn, seed, covariance, grouped):
    """At a maximum of the likelihood the standardised residuals' squares add up to the number of observations."""
    fit = fitted(drawn(seed, 24, 0.15), covariance, grouped=grouped, method="ml")
    squares = (stats.residuals(fit, "standardised")["residual"] ** 2).sum()
    assert squares == pytest.approx(fit.n_observations, rel=1e-6)


@given(
    seed=st.integers(0, 10**6),
    covariance=st.sampled_from(COVARIANCES),
    weighted=st.booleans(),
    grouped=st.booleans(),
    method=st.sampled_from(["reml", "ml"]),
)
@settings(max_examples=12)
def test_influence_is_that_of_fits_without_the_subject(drawn, seed, covariance, weighted, grouped, method):
    options = {"weighted": weighted, "grouped": grouped, "method": method}
    frame = drawn(seed, 14, 0.1)
    fit = fitted(frame, covariance, **options)
    found = stats.influence(fit)
    change = found.changes.pivot(index="subject", columns="term", values="change")[fit.coefficients["term"].tolist()]
    distance = found.subjects.set_index("subject")["cook"]
    std_error = np.sqrt(np.diag(fit.covariance))
    for subject in frame.dropna(subset="y")["id"].unique():
        if subject in found.refused:
            with pytest.raises(StatisticsRefusal, match=re.escape(found.refused[subject])):
                again(frame[frame["id"] != subject], covariance, **options)
            continue
        without = again(frame[frame["id"] != subject], covariance, **options)
        moved = fit.beta - without.beta
        np.testing.assert_allclose(change.loc[subject] / std_error, moved / std_error, atol=1e-6)
        expected = moved @ np.linalg.solve(fit.covariance, moved) / moved.size
        np.testing.assert_allclose(distance[subject], expected, rtol=1e-5, atol=1e-8)
    assert sorted([*distance.index, *found.refused]) == sorted(frame.dropna(subset="y")["id"].unique())
