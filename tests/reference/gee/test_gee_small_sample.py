# One simulated trial of 20 participants and seven visits, complete and with missing visits; R 4.2.2, 15 digits.
# `formula_se_at_gee_fit`, `formula_se_at_geepack_fit`: the published formulas evaluated at the fit of R packages gee
# 4.13-25 (phi over N - p, alpha over pairs - p, as ours) and geepack 1.3.9 (`scale="pearson-n"`). QIC and CIC are those
# of glmtoolbox 0.1.12, printed to six digits. Tolerance 1e-9 relative for gee, 1e-6 for geepack, whose default
# stopping is looser. The file and what made it: ../shared/reference/README.md.
import json

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

FORMULAS = {
    "naive": "model",
    "LZ": "robust",
    "DF_K_over_K_minus_p": "df-adjusted",
    "MD": "mancl-derouen",
    "KC": "kauermann-carroll",
    "FG_b0.75": "fay-graubard",
    "MBN_paper_d2_r1": "morel-bokossa-neerchal",
    "Pan": "pan",
    "GST": "gosho-sato-takeuchi",
    "WL": "wang-long",
}
CASES = [
    ("complete_gaussian", "exchangeable"),
    ("complete_gaussian", "independence"),
    ("complete_binomial", "exchangeable"),
    ("complete_binomial", "independence"),
    ("missing_gaussian", "exchangeable"),
]


@pytest.fixture(scope="module")
def reference(shared):
    return json.loads(shared("reference/gee_small_sample.json").read_text(encoding="utf-8"))


def fitted(reference, name, working, scale):
    case = reference["sets"][name]
    data = pd.DataFrame(reference["data"][name.split("_")[0]])
    data["arm"] = pd.Categorical(data["arm"], sorted(data["arm"].unique(), key=lambda arm: arm == "NK"))
    family = case["family"]
    return stats.gee(case["formula"], data, cluster="id", time="wave", family=family, working=working, scale=scale)


@pytest.mark.parametrize(("name", "working"), CASES)
@pytest.mark.parametrize(
    ("package", "scale", "tolerance"), [("gee", None, 1e-9), ("geepack", "pearson-n", 1e-6)], ids=["gee", "geepack"]
)
def test_corrected_covariances_agree_with_the_published_formulas(reference, name, working, package, scale, tolerance):
    theirs = reference["sets"][name]["fits"][working]
    fit = fitted(reference, name, working, scale)
    np.testing.assert_allclose(fit.beta, list(theirs[package]["coef"].values()), rtol=tolerance, atol=tolerance)
    assert fit.scale == pytest.approx(theirs[package]["phi"], rel=tolerance)
    formulas = theirs[package][f"formula_se_at_{package}_fit"]
    compared = {name: errors for name, errors in formulas.items() if name in FORMULAS}
    assert len(compared) >= 7
    for formula, errors in compared.items():
        ours = np.sqrt(np.diag(fit.with_covariance(FORMULAS[formula]).covariance))
        np.testing.assert_allclose(ours, list(errors.values()), rtol=tolerance, err_msg=formula)


@pytest.mark.parametrize(("name", "working"), CASES)
def test_information_criteria_agree_with_glmtoolbox(reference, name, working):
    theirs = reference["sets"][name]["fits"][working]["glmtoolbox"]
    fit = fitted(reference, name, working, None)
    assert fit.qic == pytest.approx(theirs["QIC"], rel=1e-5)
    assert fit.cic == pytest.approx(theirs["CIC"], rel=1e-5)
