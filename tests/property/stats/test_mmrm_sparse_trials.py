"""MMRM of trials too small for their covariance: a finite table or a refusal by name, never a bare error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.refusals import StatisticsRefusal

COVARIANCES = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "sp_exp")


def sparse(drawn, seed):
    """A trial of six to ten people and three visits, a tenth to a half of the values missing."""
    rng = np.random.default_rng(seed)
    return drawn(seed, int(rng.integers(6, 11)), float(rng.uniform(0.1, 0.5)))


def finite_or_refused(frame, covariance, *, weighted, grouped, method):
    try:
        fit = stats.mmrm(
            "y ~ arm * C(visit) + age",
            frame,
            subject="id",
            visit="visit",
            covariance=covariance,
            group="arm" if grouped else None,
            weights="w" if weighted else None,
            method=method,
            df="satterthwaite",
        )
    except StatisticsRefusal:
        return
    assert np.isfinite(fit.coefficients.drop(columns="term").to_numpy(dtype=float)).all()


# Each of these once ended in a bare LinAlgError: a search that met singular information.
@pytest.mark.parametrize(
    ("seed", "covariance", "weighted", "grouped", "method"),
    [
        (144, "ar1h", False, True, "ml"),
        (232, "csh", False, True, "ml"),
        (352, "csh", False, False, "ml"),
        (381, "cs", True, True, "reml"),
        (442, "csh", False, False, "ml"),
        (474, "ar1h", False, True, "ml"),
    ],
)
def test_a_search_that_meets_singular_information_is_refused(drawn, seed, covariance, weighted, grouped, method):
    finite_or_refused(sparse(drawn, seed), covariance, weighted=weighted, grouped=grouped, method=method)


@given(
    seed=st.integers(0, 10**6),
    covariance=st.sampled_from(COVARIANCES),
    weighted=st.booleans(),
    grouped=st.booleans(),
    method=st.sampled_from(["reml", "ml"]),
)
@settings(max_examples=80)
def test_a_table_is_finite_or_refused(drawn, seed, covariance, weighted, grouped, method):
    finite_or_refused(sparse(drawn, seed), covariance, weighted=weighted, grouped=grouped, method=method)
