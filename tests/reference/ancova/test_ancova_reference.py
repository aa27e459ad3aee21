# R 4.2.2: lm, and sandwich 3.0-2 for HC2 and HC3. Script and data: ancova.R beside this file.
# Tolerance 1e-10 relative: closed forms on both sides.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

R = json.loads((Path(__file__).parent / "ancova.json").read_text(encoding="utf-8"))
TERMS = {
    "(Intercept)": "Intercept",
    "baseline": "baseline",
    "armNK": "arm[T.NK]",
    "factor(site)2": "C(site)[T.2]",
    "factor(site)3": "C(site)[T.3]",
}


def fitted(covariance):
    data = pd.DataFrame(R["data"]).astype({"baseline": float, "y": float, "site": int})
    return stats.ancova("y ~ baseline + arm + C(site)", data, covariance=covariance)


def in_our_order(fit, values):
    """R's vector or matrix in the order of our coefficients."""
    theirs = [TERMS[name] for name in R["terms"]]
    order = [theirs.index(name) for name in fit.coefficients["term"]]
    array = np.array(values, dtype=float)
    return array[order] if array.ndim == 1 else array[np.ix_(order, order)]


@pytest.mark.parametrize("covariance", ["model", "hc2", "hc3"])
def test_covariances_agree_with_r(covariance):
    fit = fitted(covariance)
    np.testing.assert_allclose(fit.beta, in_our_order(fit, R["beta"]), rtol=1e-10)
    np.testing.assert_allclose(fit.covariance, in_our_order(fit, R[covariance]), rtol=1e-9)


def test_exact_t_tests_agree_with_r():
    fit = fitted("model")
    for column, name in (("p_value", "p"), ("conf_low", "low"), ("conf_high", "high")):
        np.testing.assert_allclose(fit.coefficients[column], in_our_order(fit, R[name]), rtol=1e-10)
    assert fit.df == float(R["df"])
    assert fit.residual_sd == pytest.approx(float(R["sigma"]), rel=1e-12)
    assert fit.r_squared == pytest.approx(float(R["r_squared"]), rel=1e-12)


def test_joint_test_agrees_with_the_f_test_of_nested_models():
    test = fitted("model").joint_test("C(site)")
    assert test.statistic == pytest.approx(float(R["site_f"]), rel=1e-9)
    assert test.p_value == pytest.approx(float(R["site_p"]), rel=1e-9)
    assert (test.df_num, test.df_den) == (2, 16.0)
