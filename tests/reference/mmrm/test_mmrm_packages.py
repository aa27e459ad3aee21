# Repeated measures against R's mmrm 0.3.18 (mmrm_fev.json, optimised to tight limits) and against published output of
# SAS PROC MIXED on the same data; both lie beside the checkout with a README that says how they were made.
# Tolerances: deviance 1e-8; coefficients 1e-6 of a standard error, standard errors 1e-6 and degrees of freedom 1e-4
# relative. SAS stops 6e-6 from the optimum; for the unstructured covariance, flattest of the four, its standard error
# and df are 9e-5 and 3e-4 from those at the optimum, where mmrm and ours agree to 1e-12 on the full model.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"
pytestmark = pytest.mark.skipif(
    not (REFERENCE / "mmrm_fev.json").exists(),
    reason="mmrm's results are not beside this checkout (../shared/reference)",
)
FORMULA = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
FITS = [("reml", name) for name in ("us", "ar1", "cs", "toeph", "us_by_arm")] + [("ml", "us"), ("ml", "cs")]
VCOVS = {
    "Asymptotic": "model",
    "Empirical": "empirical",
    "Empirical-Bias-Reduced": "empirical-bias-reduced",
    "Empirical-Jackknife": "empirical-jackknife",
}
SAS = {
    "us": (3.81972492174648, 0.66124382270307, 0.66124382270307, 160.733266403768),
    "cs": (4.19663617897035, 0.7964696053595, 0.7964696053595, 177.038485931223),
    "ar1": (4.22574315817874, 0.95865439662225, 0.96058142305176, 188.46934887972),
    "toeph": (3.92287746213894, 0.72543828853831, 0.72537324518435, 180.062730071701),
}


@pytest.fixture(scope="module")
def fev():
    data = pd.read_csv(REFERENCE / "fev.csv")
    data["SEX"] = pd.Categorical(data["SEX"], ["Male", "Female"])
    data["AVISIT"] = pd.Categorical(data["AVISIT"], ["VIS1", "VIS2", "VIS3", "VIS4"])
    return data


@pytest.fixture(scope="module")
def stored():
    return json.loads((REFERENCE / "mmrm_fev.json").read_text(encoding="utf-8"))


def fitted(data, method, name, df="satterthwaite"):
    group = "ARMCD" if name == "us_by_arm" else None
    covariance = name.removesuffix("_by_arm")
    return stats.mmrm(
        FORMULA, data, subject="USUBJID", visit="AVISIT", covariance=covariance, group=group, method=method, df=df
    )


def rules(entry):
    df, vcov = entry.split(" / ")
    if df == "Kenward-Roger":
        return "kenward-roger-linear", "model"
    return df.lower(), VCOVS[vcov]


def mean_rows(columns, arm, visit):
    """The weights of an arm's mean at a visit, with race and sex at equal shares, as mmrm's emmeans has them."""
    row = np.zeros(len(columns))
    for place, name in enumerate(columns):
        parts = name.split(":")
        if name == "Intercept":
            row[place] = 1
        elif name.startswith("RACE"):
            row[place] = 1 / 3
        elif name.startswith("SEX"):
            row[place] = 1 / 2
        else:
            row[place] = all(part in (f"ARMCD[T.{arm}]", f"AVISIT[T.{visit}]") for part in parts)
    return row


@pytest.mark.parametrize(("method", "name"), FITS)
def test_fits_agree_with_mmrm(fev, stored, method, name):
    entry, fit = stored[method][name], fitted(fev, method, name)
    assert -2 * fit.log_likelihood == pytest.approx(entry["deviance"], abs=1e-8 * entry["deviance"])
    assert -2 * fit.log_likelihood <= entry["deviance"] + 1e-9
    assert (fit.n_subjects, fit.n_observations) == (entry["n_subjects"], entry["n_obs"])
    for group, matrix in entry["covariance"].items():
        np.testing.assert_allclose(fit.visit_covariance[group], matrix["matrix"], rtol=3e-6)
    # mmrm counts covariance parameters alone, under ML too; ours counts the coefficients there as well.
    more = 0 if method == "reml" else fit.beta.size
    assert fit.aic - 2 * more == pytest.approx(entry["AIC"], rel=1e-8)
    assert fit.bic - np.log(fit.n_subjects) * more == pytest.approx(entry["BIC"], rel=1e-8)


@pytest.mark.parametrize(("method", "name"), FITS)
def test_tables_agree_with_mmrm(fev, stored, method, name):
    first = fitted(fev, method, name)
    for label, entry in stored[method][name]["methods"].items():
        df, vcov = rules(label)
        fit = first.with_vcov(vcov, df)
        std_error = np.array([row["Std. Error"] for row in entry["coefficients"]])
        estimate = np.array([row["Estimate"] for row in entry["coefficients"]])
        np.testing.assert_allclose(fit.beta / std_error, estimate / std_error, atol=1e-6, rtol=0, err_msg=label)
        np.testing.assert_allclose(fit.coefficients["std_error"], std_error, rtol=1e-6, err_msg=label)
        np.testing.assert_allclose(fit.df, [row["df"] for row in entry["coefficients"]], rtol=1e-4, err_msg=label)
        scale = np.outer(std_error, std_error)
        np.testing.assert_allclose(fit.covariance / scale, entry["vcov"]["matrix"] / scale, atol=2e-6, err_msg=label)


@pytest.mark.parametrize(("method", "name"), FITS)
def test_joint_tests_and_means_agree_with_mmrm(fev, stored, method, name):
    first, compared = fitted(fev, method, name), 0
    for label, entry in stored[method][name]["methods"].items():
        df, vcov = rules(label)
        fit = first.with_vcov(vcov, df)
        if "interaction_joint_F" in entry:
            theirs, ours = entry["interaction_joint_F"], fit.joint_test("ARMCD:AVISIT")
            assert ours.df_num == theirs["num_df"]
            assert ours.df_den == pytest.approx(theirs["denom_df"], rel=1e-4), label
            assert ours.statistic == pytest.approx(theirs["f_stat"], rel=2e-6), label
            assert ours.p_value == pytest.approx(theirs["p_val"], rel=1e-6), label
            compared += 1
        for row in entry.get("emmeans", []):
            mean = fit.contrast(mean_rows(list(fit.coefficients["term"]), row["ARMCD"], row["AVISIT"]))
            assert mean.estimate == pytest.approx(row["emmean"], abs=1e-6 * row["SE"]), label
            assert mean.std_error == pytest.approx(row["SE"], rel=1e-6), label
            assert mean.df == pytest.approx(row["df"], rel=1e-4), label
            assert mean.conf_low == pytest.approx(row["lower.CL"], abs=1e-5 * row["SE"]), label
    assert compared > 0


@pytest.mark.parametrize("name", SAS)
def test_treatment_contrast_agrees_with_sas(fev, name):
    estimate, kr, linear, df = SAS[name]
    fit = stats.mmrm("FEV1 ~ ARMCD", fev, subject="USUBJID", visit="AVISIT", covariance=name, df="kenward-roger")
    one, other = fit.contrast([0, 1]), fit.with_df("kenward-roger-linear").contrast([0, 1])
    flat = name == "us"
    assert one.estimate == pytest.approx(estimate, rel=7e-6)
    assert one.std_error == pytest.approx(kr, rel=1e-4 if flat else 6e-6)
    assert other.std_error == pytest.approx(linear, rel=1e-4 if flat else 6e-6)
    assert one.df == pytest.approx(df, rel=3e-4 if flat else 6e-6)
