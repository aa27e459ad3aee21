"""Whatever the data: every number of a GEE table is finite, or the fit is refused by name. No NaN, no NumPy warning."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.gee_covariance import COVARIANCES
from equipoise.stats.gee_families import FAMILIES
from equipoise.stats.refusals import StatisticsRefusal

LINKS = [(family.name, link) for family in FAMILIES.values() for link in family.links]
WORKINGS = ("independence", "exchangeable", "ar1", "unstructured", "toeplitz", "3-dependent")
FORMULAS = ("y ~ arm + age", "y ~ arm * C(visit)", "y ~ 1", "y ~ arm + visit", "y ~ 0 + arm")
REFERENCES = (("robust", "fay-graubard"), ("fay-graubard", "fay-graubard"), ("mancl-derouen", "pan-wall"))


def odd_trial(seed, family, gaps):
    """A trial of any size with extreme units, strong or no correlation, rare or common events."""
    rng = np.random.default_rng(seed)
    n, visits = int(rng.integers(3, 14)), int(rng.integers(1, 6))
    frame = pd.DataFrame({"id": np.repeat(range(n), visits), "visit": np.tile(range(visits), n)})
    frame["arm"] = np.where(frame["id"] % 2, "NK", "ART")
    frame["age"] = np.round(rng.normal(size=n), 2)[frame["id"]] * 10.0 ** rng.integers(-3, 4)
    level = rng.normal(size=n)[frame["id"]] * rng.choice([0, 1, 5]) + rng.normal(size=n * visits)
    frame["y"] = {
        "gaussian": level * 10.0 ** rng.integers(-6, 7),
        "binomial": 1.0 * (level > 2 * rng.normal()),
        "poisson": 1.0 * rng.poisson(np.exp(np.clip(level * rng.choice([0.1, 1]), -5, 5))),
        "gamma": np.exp(level * rng.choice([0.1, 1, 3])),
    }[family]
    return frame.assign(y=frame["y"].where(rng.random(len(frame)) >= gaps))


def assert_finite(fit):
    numbers = fit.coefficients.drop(columns=["term", "df"]).to_numpy()
    assert np.isfinite(numbers).all()
    assert (fit.coefficients["std_error"] > 0).all()
    assert (fit.df > 0).all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    tie=st.sampled_from(LINKS),
    working=st.sampled_from(WORKINGS),
    formula=st.sampled_from(FORMULAS),
    gaps=st.sampled_from([0.0, 0.3]),
)
def test_a_table_is_finite_or_refused(seed, tie, working, formula, gaps):
    family, link = tie
    frame = odd_trial(seed, family, gaps)
    try:
        fit = stats.gee(
            formula, frame, cluster="id", time="visit", family=family, link=link, working=working, covariance="model"
        )
    except StatisticsRefusal:
        return
    assert np.isfinite([fit.qic, fit.cic, fit.scale]).all()
    assert_finite(fit)
    for covariance, df in [*((name, "auto") for name in COVARIANCES), *REFERENCES]:
        try:
            other = fit.with_covariance(covariance, df=df)
        except StatisticsRefusal:
            continue
        assert_finite(other)
