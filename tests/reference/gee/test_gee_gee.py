# R 4.2.2, gee 4.13-25, iterated to 1e-11. Script and data: gee.R beside this file.
# Scale is by definition that of gee, and so is alpha of the exchangeable structure. The others gee divides by all pairs
# and phi over N, as `scale="pearson-n"` does, where every visit is seen, and otherwise by a number of its own: there
# our fit is taken at gee's working correlation, where all else must agree. Tolerance 1e-8 relative to the largest
# entry: gee stops when coefficients move by less than 1e-11, and its covariances follow from an inverse of the whole
# information.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

R = json.loads((Path(__file__).parent / "gee.json").read_text(encoding="utf-8"))
MODELS = {
    "gaussian": ("y ~ arm * visit + age", None),
    "binomial": ("event ~ arm * visit + age", None),
    "poisson": ("count ~ arm * visit + age", None),
    "gamma_log": ("cost ~ arm * visit + age", "log"),
}
SAME = [name for name in R["fits"] if "/independence/" in name or "/exchangeable/" in name]
N = 26 * 5  # observations, complete
ORDER = ["Intercept", "arm[T.NK]", "visit", "age", "arm[T.NK]:visit"]


def frame(which):
    data = pd.DataFrame(R["data"])
    data = data.astype({name: float for name in data.columns if name != "arm"})
    return data if which == "complete" else data.drop(index=[int(place) - 1 for place in R["left"]])


def assert_near(ours, theirs):
    theirs = np.array(theirs, dtype=float)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8 * np.abs(theirs).max())


def fitted(name, working, scale=None):
    """The fit and the places of its coefficients in gee's order."""
    model, _, which = name.split("/")
    formula, link = MODELS[model]
    fit = stats.gee(
        formula,
        frame(which),
        cluster="id",
        time="visit",
        family=model.removesuffix("_log"),
        link=link,
        working=working,
        scale=scale,
    )
    terms = list(fit.coefficients["term"])
    return fit, [terms.index(term) for term in ORDER]


@pytest.mark.parametrize("name", SAME)
def test_fits_agree_with_gee(name):
    theirs = R["fits"][name]
    fit, order = fitted(name, name.split("/")[1])
    assert_near(fit.beta[order], theirs["beta"])
    assert_near(fit.robust_covariance[np.ix_(order, order)], theirs["robust"])
    assert_near(fit.with_covariance("model").covariance[np.ix_(order, order)], theirs["model"])
    assert fit.scale == pytest.approx(float(theirs["phi"]), rel=1e-8)
    assert_near(fit.working_correlation, theirs["R"])


@pytest.mark.parametrize("name", sorted(set(R["fits"]) - set(SAME)))
def test_at_gees_correlation_everything_is_gees(name):
    theirs = R["fits"][name]
    fit, order = fitted(name, np.array(theirs["R"], dtype=float))
    assert_near(fit.beta[order], theirs["beta"])
    assert_near(fit.robust_covariance[np.ix_(order, order)], theirs["robust"])
    assert_near(fit.with_covariance("model").covariance[np.ix_(order, order)], theirs["model"])
    assert fit.scale == pytest.approx(float(theirs["phi"]), rel=1e-8)


@pytest.mark.parametrize("name", [name for name in R["fits"] if name not in SAME and name.endswith("/complete")])
def test_with_every_visit_gee_takes_the_other_correlations_over_all_pairs(name):
    theirs = R["fits"][name]
    fit, order = fitted(name, name.split("/")[1], scale="pearson-n")
    assert_near(fit.beta[order], theirs["beta"])
    assert_near(fit.robust_covariance[np.ix_(order, order)], theirs["robust"])
    assert_near(fit.working_correlation, theirs["R"])
    assert fit.scale * N / (N - len(ORDER)) == pytest.approx(float(theirs["phi"]), rel=1e-8)
