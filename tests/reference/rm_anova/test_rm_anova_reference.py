# R 4.2.2, afex 1.2-1 on car 3.1-1: aov_ez, type III. Script: orthodont.R beside this file.
# Data: Potthoff and Roy (1964), Biometrika 51:313-326, 16 boys and 11 girls; two within by two between factors in
# unequal groups, and three arms by four visits, drawn in the script. Tolerance 1e-9 relative: closed forms, but car
# inverts normal equations.
import json
import math
from pathlib import Path

import pandas as pd
import pytest
from scipy import special

from equipoise import stats

R = json.loads((Path(__file__).parent / "orthodont.json").read_text(encoding="utf-8"))
CASES = {
    "orthodont": ("distance", "Subject", "age", "Sex"),
    "one_group": ("distance", "Subject", "age", None),
    "three_arms": ("y", "id", "visit", "arm"),
    "two_factors": ("y", "id", ["hour", "day"], ["arm", "sex"]),
}


def frame(name):
    data = pd.DataFrame(R["orthodont" if name == "one_group" else name]["data"])
    outcome = CASES[name][0]
    return data.astype({outcome: float} | ({"age": int} if "age" in data else {}))


def fitted(name):
    outcome, subject, within, between = CASES[name]
    fit = stats.rm_anova(frame(name), outcome=outcome, subject=subject, within=within, between=between)
    return fit, fit.table.set_index("effect")


def close(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_f_tests_agree_with_afex(name):
    _, table = fitted(name)
    theirs = [row for row in R[name]["fit"]["univariate"] if row["effect"] != "(Intercept)"]
    assert sorted(table.index) == sorted(row["effect"] for row in theirs)
    for row in theirs:
        ours = table.loc[row["effect"]]
        assert ours["sum_sq"] == close(row["Sum Sq"])
        assert ours["sum_sq_error"] == close(row["Error SS"])
        assert (ours["df_num"], ours["df_den"]) == (float(row["num Df"]), float(row["den Df"]))
        assert ours["statistic"] == close(row["F value"])
        assert ours["p_value"] == close(row["Pr(>F)"])


@pytest.mark.parametrize("name", CASES)
def test_epsilons_agree_with_car(name):
    fit, table = fitted(name)
    theirs = R[name]["fit"]["adjustments"]
    assert sorted(fit.sphericity["effect"]) == sorted(row["effect"] for row in theirs)
    for row in theirs:
        ours = table.loc[row["effect"]]
        assert ours["epsilon_gg"] == close(row["GG eps"])
        assert ours["p_gg"] == close(row["Pr(>F[GG])"])
        assert ours["epsilon_hf"] == close(row["HF eps"])
        assert ours["p_hf"] == close(row["Pr(>F[HF])"])


@pytest.mark.parametrize("name", CASES)
def test_effect_sizes_agree_with_afex(name):
    _, table = fitted(name)
    for row in R[name]["fit"]["ges"]:
        assert table.loc[row["effect"], "eta_sq_generalised"] == close(row["ges"])
        assert table.loc[row["effect"], "eta_sq_partial"] == close(row["pes"])


@pytest.mark.parametrize("test", ["pillai", "wilks"])
@pytest.mark.parametrize("name", CASES)
def test_multivariate_tests_agree_with_car(name, test):
    fit, _ = fitted(name)
    table = fit.multivariate.set_index("effect")
    theirs = [row for row in R[name]["fit"][test] if row["effect"] != "(Intercept)"]
    assert sorted(table.index) == sorted(row["effect"] for row in theirs)
    for row in theirs:
        ours = table.loc[row["effect"]]
        assert ours[test] == close(row["statistic"])
        assert ours[f"{test}_f"] == close(row["f"])
        assert (ours[f"{test}_df_num"], ours[f"{test}_df_den"]) == (close(row["df_num"]), close(row["df_den"]))
        assert ours[f"{test}_p"] == close(row["p"])


def r_mauchly_p(w, contrasts, cells, df):
    """P as R computes it: the last linear term of Box's second coefficient counts cells, not contrasts."""
    rho = 1 - (2 * contrasts**2 + contrasts + 2) / (6 * contrasts * df)
    polynomial = 2 * contrasts**3 + 6 * contrasts**2 + 3 * cells + 2
    second = (contrasts + 2) * (contrasts - 1) * (contrasts - 2) * polynomial / (288 * (df * contrasts * rho) ** 2)
    chi2, f = -df * rho * math.log(w), contrasts * (contrasts + 1) // 2 - 1
    first = special.chdtrc(f, chi2)
    return first + second * (special.chdtrc(f + 4, chi2) - first)


@pytest.mark.parametrize(
    ("name", "contrasts", "cells", "df"),
    [("orthodont", 3, 4, 25), ("one_group", 3, 4, 26), ("two_factors", 2, 6, 7)],
)
def test_mauchly_agrees_with_r_but_for_its_slip(name, contrasts, cells, df):
    # R's P differs from Anderson's in the fifth digit where there are more than two contrasts; W is the same.
    _, table = fitted(name)
    for row in R[name]["fit"]["sphericity"]:
        ours = table.loc[row["effect"]]
        assert ours["mauchly_w"] == close(row["Test statistic"])
        assert r_mauchly_p(ours["mauchly_w"], contrasts, cells, df) == close(row["p-value"])
        assert ours["mauchly_p"] == pytest.approx(float(row["p-value"]), rel=1e-4)
        assert ours["mauchly_p"] == close(r_mauchly_p(ours["mauchly_w"], contrasts, contrasts, df))


# Student (1908), Biometrika 6:1-25: extra hours of sleep under two drugs, ten patients.
# R 4.2.2: aov(extra ~ group + Error(ID/group), data = sleep) -> F(1, 9) = 16.5008813160987, t.test paired squared.
FIRST_DRUG = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND_DRUG = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_two_visits_are_the_paired_t_test():
    sleep = {
        "id": [*range(10)] * 2,
        "drug": [1] * 10 + [2] * 10,
        "extra": [*FIRST_DRUG, *SECOND_DRUG],
    }
    fit = stats.rm_anova(pd.DataFrame(sleep), outcome="extra", subject="id", within="drug")
    row = fit.table.iloc[0]
    assert row["statistic"] == pytest.approx(16.5008813160987, rel=1e-12)
    assert row["p_value"] == pytest.approx(0.00283289019738427, rel=1e-12)
    assert (row["epsilon_gg"], row["mauchly_w"], len(fit.sphericity)) == (1.0, 1.0, 0)
