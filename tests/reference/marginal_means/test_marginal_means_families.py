# R 4.2.2: emmeans 1.8.4-1 on lm, sandwich 3.0-2, geepack 1.3.9, nlme 3.1-162 and afex 1.2-1; mvtnorm 1.1-3 (TVPACK).
# Script: families.R beside this file; data in emmeans.json. Tolerances, relative: 1e-9 for closed forms; 1e-6 for GEE:
# both sides iterate; 1e-5 for gls, whose optimiser stops there; 1e-7 absolute for ptukey, by its own error;
# 1e-9 absolute for TVPACK, which is exact, and 1e-8 for its quantile, found by a root.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

HERE = Path(__file__).parent
R = json.loads((HERE / "families.json").read_text(encoding="utf-8"))
CLOSED, ITERATED, OPTIMISED = 1e-9, 1e-6, 1e-5
PLAIN = ("none", "bonferroni", "holm", "hochberg", "sidak")
THREE = {"HIGH+LOW": [-1, 0.5, 0.5], "LOW": [-1, 0, 1]}
FOUR = {"late": [-0.5, -0.5, 0.5, 0.5], "first": [-1, 1 / 3, 1 / 3, 1 / 3], "end": [0, 0, -1, 1]}


def numbers(values):
    return np.atleast_1d(np.array(values, dtype=float))


@pytest.fixture(scope="module")
def data():
    stored = json.loads((HERE / "emmeans.json").read_text(encoding="utf-8"))["data"]
    frame = pd.DataFrame({name: values for name, values in stored.items() if name != "fvisit"}).replace("NA", None)
    whole = dict.fromkeys(("visit", "age", "sex", "time", "event", "count", "y"), float)
    return frame.astype(whole)


@pytest.fixture(scope="module")
def fits(data):
    """The fits by the names that R stores their families under, each with the factor and how its means are taken."""
    last, known = data[data["visit"] == 6], data.dropna(subset="y")
    formula = "y ~ arm * site + age + sex"
    options = {"cluster": "id", "time": "visit", "covariance": "robust", "df": "normal", "scale": "pearson-n"}
    long = stats.gee("y ~ arm * C(visit) + site + age", known, **options)
    event = stats.gee("event ~ arm + site + age", data, family="binomial", **options)
    whole = data[data["id"].isin(R["rm"]["ids"])]
    anova = stats.rm_anova(whole, outcome="y", subject="id", within="visit", between="arm")
    return {
        "lm": (stats.ancova(formula, last), "arm", {}),
        "hc3": (stats.ancova(formula, last, covariance="hc3"), "arm", {}),
        "gee arms": (long, "arm", {"weights": "cells"}),
        "gee visits": (long, "visit", {}),
        "logit": (event, "arm", {"at": {"age": 40, "site": "east"}}),
        "rm arms": (anova, "arm", {}),
        "rm visits": (anova, "visit", {}),
    }


def family(name, kind):
    """What R stores of a kind of contrasts."""
    where, _, which = name.partition(" ")
    return (R[where][which] if which else R[where])[kind]


def contrasts(fits, name, kind, adjust):
    fit, factor, options = fits[name]
    means = stats.marginal_means(fit, factor, **options)
    extra = {"reference": {"reference": [*means.table[factor]][1]}, "custom": {"coefficients": custom_of(means)}}
    return means.contrasts(kind, adjust=adjust, **extra.get(kind, {}))


def custom_of(means):
    return FOUR if len(means.table) == 4 else THREE


def assert_agrees(found, stored, rtol, p_within=None):
    """Names, numbers and intervals; P and intervals to an absolute error where R itself has one."""
    assert list(found.table["contrast"]) == [label_of(name) for name in stored["contrast"]]
    estimate, std_error = numbers(stored["estimate"]), numbers(stored["std_error"])
    np.testing.assert_allclose(found.table["estimate"], estimate, rtol=rtol, atol=rtol * std_error.max())
    np.testing.assert_allclose(found.table["std_error"], std_error, rtol=rtol)
    np.testing.assert_allclose(found.table["df"], numbers(stored["df"]), rtol=rtol)
    p_value = numbers(stored["p_value"])
    np.testing.assert_allclose(
        found.table["p_value"], p_value, rtol=0 if p_within else 10 * rtol, atol=p_within or 1e-13
    )
    for limit in ("conf_low", "conf_high"):
        away = (found.table[limit] - numbers(stored[limit])) / std_error
        np.testing.assert_allclose(away, 0, atol=1e-3 if p_within else 20 * rtol, err_msg=limit)  # qtukey stops at 1e-4


def label_of(name):
    """A contrast's name without what R puts before numbers: the factor's name, or afex's X."""
    return name.replace("fvisit", "").replace("X", "")


def tolerance(name):
    return ITERATED if name.startswith(("gee", "logit")) else CLOSED


FITS = ("lm", "hc3", "gee arms", "gee visits", "logit", "rm arms", "rm visits")


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("kind", ["pairwise", "reference", "polynomial", "custom"])
def test_every_kind_and_adjustment_agrees_with_emmeans(fits, name, kind):
    for adjust in PLAIN:
        assert_agrees(contrasts(fits, name, kind, adjust), family(name, kind)[adjust], tolerance(name))


@pytest.mark.parametrize("name", FITS)
def test_tukey_agrees_with_emmeans(fits, name):
    within = max(1e-7, tolerance(name))
    assert_agrees(
        contrasts(fits, name, "pairwise", "tukey"), family(name, "pairwise")["tukey"], tolerance(name), within
    )


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize(
    ("kind", "adjust"), [("reference", "mvt"), ("reference", "dunnett"), ("polynomial", "mvt"), ("custom", "mvt")]
)
def test_joint_adjustments_agree_with_tvpack(fits, name, kind, adjust):
    stored, found = family(name, kind)["mvt"], contrasts(fits, name, kind, adjust)
    assert found.error == 0.0
    within = max(1e-9, 0.1 * tolerance(name))
    np.testing.assert_allclose(found.table["p_value"], numbers(stored["p_value"]), rtol=0, atol=10 * within)
    limit = (found.table["conf_high"] - found.table["estimate"]) / found.table["std_error"]
    np.testing.assert_allclose(limit, float(stored["limit"]), rtol=10 * max(1e-8, within))


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("kind", ["pairwise", "reference", "polynomial", "custom"])
def test_joint_tests_agree_with_emmeans(fits, name, kind):
    assert_joint(contrasts(fits, name, kind, "none").joint_test(), family(name, kind)["joint"], tolerance(name))


def assert_joint(found, stored, rtol):
    for column in ("df_num", "df_den"):
        np.testing.assert_allclose(found.table[column], numbers(stored[column]), rtol=rtol)
    # emmeans rounds F to three decimals; P is whole.
    np.testing.assert_allclose(found.table["statistic"], numbers(stored["statistic"]), atol=5.1e-4)
    np.testing.assert_allclose(found.table["p_value"], numbers(stored["p_value"]), rtol=20 * rtol, atol=1e-14)


def assert_means(means, stored, rtol):
    for name in ("estimate", "std_error", "df", "conf_low", "conf_high"):
        np.testing.assert_allclose(means.table[name], numbers(stored[name]), rtol=rtol, err_msg=name)


def test_means_by_visit_of_a_gee_agree_with_emmeans(fits):
    fit, _, _ = fits["gee visits"]
    assert_means(
        stats.marginal_means(fit, "arm", by="visit", weights="proportional"), R["gee"]["by"]["means"], ITERATED
    )
    means = stats.marginal_means(fit, "arm", by="visit")
    holm = means.contrasts("reference", adjust="holm")
    assert_agrees(holm, R["gee"]["by"]["holm"], ITERATED)
    assert_joint(means.joint_test(), R["gee"]["by"]["joint"], ITERATED)


def test_hc2_means_and_those_of_a_polynomial_agree_with_emmeans(data):
    last = data[data["visit"] == 6]
    fit = stats.ancova("y ~ arm * site + age + sex", last, covariance="hc2")
    assert_means(stats.marginal_means(fit, "arm", by="site", weights="proportional"), R["hc2_by"]["means"], CLOSED)
    fit = stats.ancova("y ~ arm + poly(age, 2)", last)
    assert_means(stats.marginal_means(fit, "arm"), R["poly"]["means"], CLOSED)
    assert_means(stats.marginal_means(fit, "arm", at={"age": 38}), R["poly"]["at"], CLOSED)


def test_contrasts_of_a_mixed_model_agree_with_gls(data):
    fit = stats.mmrm("y ~ arm * C(visit) + age", data, subject="id", visit="visit", covariance="cs", df="residual")
    visits = stats.marginal_means(fit, "visit")
    arms = stats.marginal_means(fit, "arm", by="visit")
    for found, stored in (
        (visits, R["gls"]["means"]),
        (visits.contrasts("polynomial"), R["gls"]["polynomial"]),
        (visits.contrasts("custom", coefficients=FOUR), R["gls"]["custom"]),
        (arms.contrasts("reference", reference="HIGH"), R["gls"]["arms"]),
    ):
        std_error = numbers(stored["std_error"])
        np.testing.assert_allclose(found.table["std_error"], std_error, rtol=OPTIMISED)
        np.testing.assert_allclose(
            (found.table["estimate"] - numbers(stored["estimate"])) / std_error, 0, atol=OPTIMISED
        )
