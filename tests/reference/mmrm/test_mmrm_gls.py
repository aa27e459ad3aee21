# Repeated measures against nlme::gls, which maximises the same likelihoods. Data, versions and commands are in gls.R
# and real_trials.R. Tolerances: nlme stops its own search up to 7e-5 standard errors from the optimum, where the
# likelihood is flat to 1e-9; ours stops at 1e-8 of a standard error. So likelihoods are held to 1e-9 relative, ours may
# be the lower one by rounding only, and coefficients and standard errors agree to 1e-4 of a standard error.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

HERE = Path(__file__).parent
TRIALS = HERE.parents[3] / "shared" / "data" / "trials"
STORED = json.loads((HERE / "gls.json").read_text(encoding="utf-8"))
COVARIANCES = ("us", "cs", "csh", "ar1", "ar1h", "sp_exp")
OFF = 1e-4  # of a standard error


def numbers(values):
    return np.array(values, dtype=float)


def assert_agrees(fit, beta, std_error, log_likelihood):
    own = np.sqrt(np.diag(fit.covariance))
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-9)
    assert fit.log_likelihood > log_likelihood - 1e-9 * abs(log_likelihood)
    assert np.abs(fit.beta - beta).max() <= OFF * std_error.max()
    np.testing.assert_allclose(fit.beta / std_error, beta / std_error, atol=OFF, rtol=0)
    np.testing.assert_allclose(own, std_error, rtol=OFF)


def orthodont():
    rows = STORED["orthodont"]["rows"]
    return pd.DataFrame({name: numbers(rows[name]) if name in ("age", "distance") else rows[name] for name in rows})


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_orthodont_agrees_with_gls(covariance, method):
    stored = STORED["orthodont"]["fits"][method][covariance]
    fit = stats.mmrm(
        "distance ~ C(Sex, levels=['Male', 'Female']) * age"
        if "SexFemale" in stored["terms"]
        else "distance ~ Sex * age",
        orthodont(),
        subject="Subject",
        visit="age",
        covariance=covariance,
        method=method,
        df="satterthwaite",
    )
    assert_agrees(fit, numbers(stored["beta"]), np.sqrt(np.diag(numbers(stored["V"]))), float(stored["log_likelihood"]))


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_trial_with_missing_visits_agrees_with_gls(covariance, method):
    stored = STORED["trial"]["fits"][method][covariance]
    trial = pd.read_csv(HERE / "trial.csv")
    fit = stats.mmrm(
        "y ~ age + arm * C(visit)",
        trial,
        subject="id",
        visit="visit",
        covariance=covariance,
        method=method,
        df="satterthwaite",
        coordinates="month" if covariance == "sp_exp" else None,
    )
    assert_agrees(fit, numbers(stored["beta"]), np.sqrt(np.diag(numbers(stored["V"]))), float(stored["log_likelihood"]))


@pytest.mark.skipif(not TRIALS.exists(), reason="the real trials are not beside this checkout (../shared/data/trials)")
@pytest.mark.parametrize("covariance", ["us", "ar1h"])
def test_eye_trial_with_dropout_agrees_with_gls(covariance):
    wide = pd.read_csv(TRIALS / "armd240_wide.csv")
    long = wide.melt(["subject", "treat", "visual0"], ["visual4", "visual12", "visual24", "visual52"], "week", "visual")
    long["week"] = long["week"].str.removeprefix("visual").astype(int)
    fit = stats.mmrm(
        "visual ~ visual0 + C(treat) * C(week)", long, subject="subject", visit="week", covariance=covariance
    )
    stored = json.loads((HERE / "real_trials.json").read_text(encoding="utf-8"))["eye"][covariance]
    assert_agrees(
        fit.with_df("satterthwaite"), numbers(stored["beta"]), numbers(stored["se"]), float(stored["log_likelihood"])
    )
    assert (fit.n_subjects, fit.n_observations, fit.n_left_out) == (int(long.dropna()["subject"].nunique()), 867, 93)


@pytest.mark.skipif(not TRIALS.exists(), reason="the real trials are not beside this checkout (../shared/data/trials)")
@pytest.mark.parametrize("covariance", ["us", "sp_exp"])
def test_ddi_against_ddc_agrees_with_gls(covariance):
    data = pd.read_csv(TRIALS / "ddi_ddc_cd4.csv")
    fit = stats.mmrm("sqrt_cd4 ~ month * drug", data, subject="patient", visit="month", covariance=covariance)
    stored = json.loads((HERE / "real_trials.json").read_text(encoding="utf-8"))["cd4"][covariance]
    assert_agrees(
        fit.with_df("satterthwaite"), numbers(stored["beta"]), numbers(stored["se"]), float(stored["log_likelihood"])
    )
    assert (fit.n_subjects, fit.n_observations) == (467, 1405)
