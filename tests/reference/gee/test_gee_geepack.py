# R 4.2.2, geepack 1.3.9, iterated to 1e-13. Script and data: geepack.R beside this file.
# `scale="pearson-n"` takes geepack's divisors. Tolerance 1e-9 relative to the largest entry: both iterate to the end.
# Geepack's own ar1 is fitted to all pairs of visits, and its phi with weights divides by their sum. So there our fit is
# taken at geepack's working correlation, where coefficients and the robust covariance must agree all the same.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

FOLDER = Path(__file__).parent
R = json.loads((FOLDER / "geepack.json").read_text(encoding="utf-8"))
MODELS = {
    "gaussian": ("y ~ arm * visit + age", "gaussian", None),
    "binomial": ("event ~ arm * visit + age", "binomial", None),
    "poisson": ("count ~ arm * visit + age", "poisson", None),
    "gamma_log": ("cost ~ arm * visit + age", "gamma", "log"),
    "binomial_probit": ("event ~ arm * visit + age", "binomial", "probit"),
    "gamma_inverse": ("cost ~ arm + visit", "gamma", "inverse"),
}
ORDER = ["Intercept", "arm[T.NK]", "visit", "age", "arm[T.NK]:visit"]
SAME_CORRELATION = [name for name in R["fits"] if "/ar1/" not in name and "/weighted" not in name]


def frame(which):
    data = pd.DataFrame(R["data"])
    data = data.astype({name: float for name in data.columns if name != "arm"})
    data["log_exposure"] = np.log(data["exposure"])
    gap = [int(place) - 1 for place in R["missing"]]
    return data if which == "complete" else data.drop(index=gap)


def fitted(name, working):
    model, _, which = name.split("/")
    formula, family, link = MODELS[model]
    return stats.gee(
        formula,
        frame(which),
        cluster="id",
        time="visit",
        family=family,
        link=link,
        working=working,
        scale="pearson-n",
        covariance="robust",
        df="normal",
        weights="weight" if which == "weighted" else None,
        offset="log_exposure" if which == "offset" else None,
    )


def assert_near(ours, theirs, tolerance):
    theirs = np.array(theirs, dtype=float)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


def in_order(fit):
    terms = list(fit.coefficients["term"])
    return [terms.index(name) for name in ORDER if name in terms]


@pytest.mark.parametrize("name", SAME_CORRELATION)
def test_fits_agree_with_geepack(name):
    theirs = R["fits"][name]
    working = name.split("/")[1]
    fit = fitted(name, np.array(theirs["R"], dtype=float) if working == "given" else working)
    order = in_order(fit)
    assert_near(fit.beta[order], theirs["beta"], 1e-9)
    assert_near(fit.robust_covariance[np.ix_(order, order)], theirs["robust"], 1e-9)
    assert_near(fit.with_covariance("model").covariance[np.ix_(order, order)], theirs["model"], 1e-9)
    assert fit.scale == pytest.approx(float(theirs["phi"]), rel=1e-9)
    if "independence" not in name:
        assert_near(fit.working_correlation, theirs["R"], 1e-9)
    else:
        assert fit.cic == pytest.approx(float(theirs["cic"]), rel=1e-9)


@pytest.mark.parametrize("name", sorted(set(R["fits"]) - set(SAME_CORRELATION)))
def test_at_geepacks_correlation_the_robust_answer_is_geepacks(name):
    theirs = R["fits"][name]
    fit = fitted(name, np.array(theirs["R"], dtype=float))
    order = in_order(fit)
    assert_near(fit.beta[order], theirs["beta"], 1e-9)
    assert_near(fit.robust_covariance[np.ix_(order, order)], theirs["robust"], 1e-9)


# Geepack 1.3.9 on the ddI against ddC trial, 467 patients. Script: ddi_ddc.R. Tolerance 1e-8 relative.
@pytest.mark.parametrize("working", ["independence", "exchangeable"])
def test_ddi_ddc_agrees_with_geepack(shared, working):
    data = pd.read_csv(shared("data/trials/ddi_ddc_cd4.csv"))
    theirs = json.loads((FOLDER / "ddi_ddc.json").read_text(encoding="utf-8"))[working]
    fit = stats.gee(
        "sqrt_cd4 ~ month + month:drug", data, cluster="patient", time="month", working=working, scale="pearson-n"
    )
    assert_near(fit.beta, theirs["beta"], 1e-8)
    np.testing.assert_allclose(fit.coefficients["std_error"], np.array(theirs["se"], dtype=float), rtol=1e-8)
    assert fit.scale == pytest.approx(float(theirs["phi"]), rel=1e-8)
    assert (fit.n_subjects, fit.n_observations) == (467, 1405)
    assert "robust sandwich covariance" in fit.method
    assert "normal reference distribution, as is the rule for at least 150 clusters" in fit.method
