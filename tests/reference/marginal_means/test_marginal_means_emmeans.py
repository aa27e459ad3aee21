# R 4.2.2: emmeans 1.8.4-1 on lm, geepack 1.3.9, nlme 3.1-162 and afex 1.2-1; multcomp 1.4-22 and mvtnorm 1.1-3.
# Script and data: emmeans.R beside this file. Tolerances, relative:
#   1e-9 for means of least squares and repeated measures, and what rests on t alone: closed forms on both sides;
#   1e-6 for GEE (both iterate; geepack stops earlier); 2e-5 for gls, whose optimiser stops there;
#   1e-7 absolute for ptukey (its own error: SciPy, a third program, has our digits where they differ), and 1e-7 of the
#   interval for qtukey; 1e-4 absolute where R samples the multivariate t (its own error
#   is stored or about 1e-4 by its default); 1e-9 absolute where R is exact (TVPACK, Miwa to its step).
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import studentized_range

from equipoise import stats
from equipoise.stats.multivariate_t import equicoordinate, exceedance, rule_for
from equipoise.stats.studentised_range import range_exceedance, range_quantile

R = json.loads((Path(__file__).parent / "emmeans.json").read_text(encoding="utf-8"))
CLOSED, ITERATED, TUKEY = 1e-9, 1e-6, 1e-7


def numbers(values):
    return np.atleast_1d(np.array(values, dtype=float))


@pytest.fixture(scope="module")
def data():
    whole = {"visit": float, "age": float, "sex": float, "time": float, "event": float, "count": float}
    frame = pd.DataFrame({name: values for name, values in R["data"].items() if name != "fvisit"}).replace("NA", None)
    return frame.astype(whole).assign(y=pd.to_numeric(frame["y"]), log_time=np.log(frame["time"].astype(float)))


@pytest.fixture(scope="module")
def month_six(data):
    return data[data["visit"] == 6]


@pytest.fixture(scope="module")
def least_squares(month_six):
    return stats.ancova("y ~ arm * site + age + sex", month_six)


def assert_means(means, stored, rtol):
    for name in ("estimate", "std_error", "df", "conf_low", "conf_high"):
        np.testing.assert_allclose(means.table[name], numbers(stored[name]), rtol=rtol, err_msg=name)


def assert_tests(contrasts, stored, rtol, p_within=None):
    for name in ("estimate", "std_error", "df", "statistic"):
        np.testing.assert_allclose(contrasts.table[name], numbers(stored[name]), rtol=rtol, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(
        contrasts.table["p_value"],
        numbers(stored["p_value"]),
        rtol=0 if p_within else rtol * 10,
        atol=p_within or 1e-14,
    )
    half = np.abs(numbers(stored["estimate"]) - numbers(stored["conf_low"]))
    reach = 1e-9 if p_within is None else p_within * np.max(half[np.isfinite(half)], initial=1.0)
    for name in ("conf_low", "conf_high"):
        np.testing.assert_allclose(
            contrasts.table[name], numbers(stored[name]), rtol=rtol * 10, atol=reach, err_msg=name
        )


@pytest.mark.parametrize("weights", ["equal", "proportional", "outer", "cells", "flat"])
def test_weights_agree_with_emmeans(least_squares, weights):
    assert_means(stats.marginal_means(least_squares, "arm", weights=weights), R["lm"][weights], CLOSED)


def test_groups_and_given_values_agree_with_emmeans(least_squares):
    assert_means(stats.marginal_means(least_squares, "arm", by="site"), R["lm"]["by"], CLOSED)
    at = {"age": [40, 55], "sex": 1, "site": "west"}
    assert_means(stats.marginal_means(least_squares, "arm", by="age", at=at), R["lm"]["at"], CLOSED)


def test_covariates_inside_functions_stand_at_their_own_mean(month_six):
    fit = stats.ancova("y ~ arm + log(age)", month_six)
    assert_means(stats.marginal_means(fit, "arm"), R["transformed"]["means"], CLOSED)


@pytest.mark.parametrize("adjust", ["none", "bonferroni", "holm", "hochberg", "sidak", "tukey"])
def test_adjustments_agree_with_emmeans(least_squares, adjust):
    contrasts = stats.marginal_means(least_squares, "arm").contrasts("pairwise", adjust=adjust)
    assert list(contrasts.table["contrast"]) == R["lm"][f"pairwise_{adjust}"]["contrast"]
    assert_tests(contrasts, R["lm"][f"pairwise_{adjust}"], CLOSED, TUKEY if adjust == "tukey" else None)


def test_adjustments_within_groups_agree_with_emmeans(least_squares):
    means = stats.marginal_means(least_squares, "arm", by="site")
    assert_tests(means.contrasts("pairwise", adjust="holm"), R["lm"]["by_holm"], CLOSED)
    assert_tests(means.contrasts("pairwise", adjust="tukey"), R["lm"]["by_tukey"], CLOSED, TUKEY)


def test_kinds_agree_with_emmeans(least_squares):
    means = stats.marginal_means(least_squares, "arm")
    weights = {"HIGH+LOW": [-1, 0.5, 0.5], "mean": [1 / 3] * 3}
    for contrasts, name in (
        (means.contrasts("reference"), "reference"),
        (means.contrasts("custom", coefficients=weights), "custom"),
        (means.contrasts("effect"), "effect"),
        (means.contrasts("reference", adjust="sidak", alternative="greater"), "greater"),
        (means.contrasts("reference", adjust="bonferroni", alternative="less"), "less"),
    ):
        assert list(contrasts.table["contrast"]) == R["lm"][name]["contrast"]
        assert_tests(contrasts, R["lm"][name], CLOSED)


@pytest.mark.parametrize("kind", ["polynomial", "consecutive", "mean_change"])
def test_kinds_in_order_agree_with_emmeans(data, kind):
    means = stats.marginal_means(stats.ancova("y ~ arm * C(visit) + age", data), "visit")
    contrasts = means.contrasts(kind)
    assert list(contrasts.table["contrast"]) == [name.replace("fvisit", "") for name in R["visits"][kind]["contrast"]]
    assert_tests(contrasts, R["visits"][kind], CLOSED)


def test_visits_agree_with_emmeans(data):
    fit = stats.ancova("y ~ arm * C(visit) + age", data)
    assert_means(stats.marginal_means(fit, "arm", by="visit"), R["visits"]["means"], CLOSED)
    visits = stats.marginal_means(fit, "visit")
    assert_tests(visits.contrasts("pairwise", adjust="tukey"), R["visits"]["pairwise_tukey"], CLOSED, TUKEY)
    assert_tests(visits.contrasts("consecutive", adjust="mvt"), R["visits"]["consecutive_mvt"], CLOSED, 2e-3)


def test_joint_adjustment_agrees_with_emmeans_within_its_sampling(least_squares):
    contrasts = stats.marginal_means(least_squares, "arm").contrasts("pairwise", adjust="mvt")
    assert_tests(contrasts, R["lm"]["mvt"], CLOSED, 2e-3)  # pmvt and qmvt of mvtnorm, to 0.001 by default


def test_joint_tests_agree_with_emmeans(least_squares):
    for means, name in (
        (stats.marginal_means(least_squares, "arm"), "joint"),
        (stats.marginal_means(least_squares, "arm", by="site"), "joint_by"),
    ):
        for table in (means.joint_test().table, means.contrasts("pairwise").joint_test().table):
            np.testing.assert_allclose(table["p_value"], numbers(R["lm"][name]["p_value"]), rtol=1e-9)
            np.testing.assert_allclose(table["df_num"], numbers(R["lm"][name]["df_num"]))
            np.testing.assert_allclose(table["df_den"], numbers(R["lm"][name]["df_den"]))


def geeglm(data, formula, **options):
    return stats.gee(formula, data, cluster="id", working="independence", covariance="robust", df="normal", **options)


def test_logit_means_and_odds_ratios_agree_with_emmeans(data):
    fit = geeglm(data, "event ~ arm * site + age", family="binomial")
    assert_means(stats.marginal_means(fit, "arm"), R["logit"]["link"], ITERATED)
    response = stats.marginal_means(fit, "arm", type="response")
    assert_means(response, R["logit"]["response"], ITERATED)
    assert_means(stats.marginal_means(fit, "arm", by="site", type="response"), R["logit"]["by"], ITERATED)
    ratios = response.contrasts("pairwise", adjust="tukey")
    assert ratios.scale == "odds ratios"
    assert list(ratios.table["contrast"]) == R["logit"]["odds_ratio"]["contrast"]
    assert_tests(ratios, R["logit"]["odds_ratio"], ITERATED, 1e-6)


def test_probit_contrasts_stay_on_the_link_scale_as_in_emmeans(data):
    fit = geeglm(data, "event ~ arm + age", family="binomial", link="probit")
    response = stats.marginal_means(fit, "arm", type="response")
    assert_means(response, R["probit"]["response"], ITERATED)
    assert_tests(response.contrasts("pairwise"), R["probit"]["contrasts"], 1e-5)


def test_rates_and_ratios_at_offset_zero_agree_with_emmeans(data):
    fit = geeglm(data, "count ~ arm + age", family="poisson", offset="log_time")
    response = stats.marginal_means(fit, "arm", type="response")
    assert_means(response, R["log"]["response"], ITERATED)
    ratios = response.contrasts("reference", adjust="holm")
    assert ratios.scale == "ratios"
    assert_tests(ratios, R["log"]["ratio"], ITERATED, 1e-6)


def test_mixed_model_means_agree_with_gls(data):
    # emmeans takes the covariance parameters off the residual df of gls too: 86, where ours are 108 less 13.
    fit = stats.mmrm("y ~ arm * C(visit) + age", data, subject="id", visit="visit", df="residual")
    means = stats.marginal_means(fit, "arm", by="visit")
    contrasts = means.contrasts("pairwise")
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(means.table[name], numbers(R["gls"]["means"][name]), rtol=2e-5)
        np.testing.assert_allclose(contrasts.table[name], numbers(R["gls"]["tukey"][name]), rtol=1e-4)
    p = [range_exceedance(float(np.sqrt(2) * abs(t)), 3, 86.0) for t in contrasts.table["statistic"]]
    np.testing.assert_allclose(p, numbers(R["gls"]["tukey"]["p_value"]), rtol=0, atol=1e-4)


def test_repeated_measures_means_agree_with_afex(data):
    whole = data[data["id"].isin(R["rm"]["ids"])]
    fit = stats.rm_anova(whole, outcome="y", subject="id", within="visit", between="arm")
    means = stats.marginal_means(fit, "arm", by="visit")
    assert_means(means, R["rm"]["means"], CLOSED)
    assert_tests(means.contrasts("pairwise", adjust="tukey"), R["rm"]["tukey"], CLOSED, TUKEY)
    np.testing.assert_allclose(means.joint_test().table["p_value"], numbers(R["rm"]["joint"]["p_value"]), rtol=1e-9)
    within = stats.marginal_means(fit, "visit")
    assert_means(within, R["rm"]["within"], CLOSED)
    assert_tests(within.contrasts("consecutive"), R["rm"]["within_contrasts"], CLOSED)
    np.testing.assert_allclose(
        within.joint_test().table["p_value"], numbers(R["rm"]["within_joint"]["p_value"]), rtol=1e-9
    )


def test_univariate_repeated_measures_means_agree_with_afex(data):
    even = data[data["id"].isin(R["univariate"]["ids"])]
    fit = stats.rm_anova(even, outcome="y", subject="id", within="visit", between="arm")
    means = stats.marginal_means(fit, "arm", by="visit", model="univariate")
    assert_means(means, R["univariate"]["means"], CLOSED)
    assert_tests(means.contrasts("pairwise"), R["univariate"]["pairwise"], CLOSED)
    within = stats.marginal_means(fit, "visit", model="univariate")
    assert_tests(within.contrasts("consecutive"), R["univariate"]["within"], CLOSED)


@pytest.mark.parametrize(
    ("kind", "adjust", "name"), [("reference", "dunnett", "Dunnett"), ("pairwise", "mvt", "Tukey")]
)
def test_single_step_tests_agree_with_multcomp(month_six, kind, adjust, name):
    contrasts = stats.marginal_means(stats.ancova("y ~ arm + age", month_six), "arm").contrasts(kind, adjust=adjust)
    stored = R["multcomp"][name]
    sign = 1 if kind == "reference" else -1
    np.testing.assert_allclose(contrasts.table["estimate"], sign * numbers(stored["estimate"]), rtol=1e-9)
    np.testing.assert_allclose(contrasts.table["p_value"], numbers(stored["p_value"]), rtol=0, atol=1e-4)
    limit = (contrasts.table["conf_high"] - contrasts.table["estimate"]) / contrasts.table["std_error"]
    np.testing.assert_allclose(limit, float(stored["limit"]), rtol=0, atol=2e-3)
    assert contrasts.error == 0.0


def test_three_dimensions_agree_with_tvpack():
    rule = rule_for(numbers(R["correlations"]["three"]).reshape(3, 3), two_sided=False)
    for case in R["three"]:
        ours = exceedance(rule, float(case["limit"]), float(case["df"])).value
        assert ours == pytest.approx(float(case["p"]), abs=1e-9)


def test_product_correlations_agree_with_miwa():
    rule = rule_for(numbers(R["correlations"]["product"]).reshape(4, 4))
    for case in R["product"]:
        ours = exceedance(rule, float(case["limit"]), np.inf)
        assert ours.value == pytest.approx(float(case["p"]), abs=1e-6)
        assert ours.error == 0.0


def test_sampled_correlations_agree_with_miwa_within_their_error():
    rule = rule_for(numbers(R["correlations"]["four"]).reshape(4, 4))
    for case in R["four"]:
        ours = exceedance(rule, float(case["limit"]), np.inf)
        assert 0 < ours.error < 1e-4
        assert ours.value == pytest.approx(float(case["p"]), abs=1e-4)


def test_the_studentised_range_agrees_with_ptukey():
    grid = R["range"]
    for limit, means, df, p in zip(grid["limit"], grid["means"], grid["df"], grid["p"], strict=True):
        assert range_exceedance(float(limit), int(means), float(df)) == pytest.approx(float(p), abs=1e-7)


@pytest.mark.parametrize(("limit", "means", "df"), [(8.0, 3, 5.0), (3.5, 20, 60.0), (30.0, 3, 2.0)])
def test_the_studentised_range_agrees_with_scipy_where_ptukey_is_off(limit, means, df):
    assert range_exceedance(limit, means, df) == pytest.approx(studentized_range.sf(limit, means, df), rel=1e-8)


def test_quantiles_of_the_studentised_range_agree_with_qtukey():
    grid = R["range_quantiles"]
    for level, means, df, limit in zip(grid["level"], grid["means"], grid["df"], grid["limit"], strict=True):
        ours = range_quantile(float(level), int(means), float(df))
        assert ours == pytest.approx(float(limit), rel=1e-4)  # qtukey stops at 1e-4
        assert range_exceedance(ours, int(means), float(df)) == pytest.approx(1 - float(level), abs=1e-12)


def test_the_range_of_three_means_is_the_largest_of_three_pairs_even_at_two_df():
    pairs = np.array([[1, 0.5, -0.5], [0.5, 1, 0.5], [-0.5, 0.5, 1]])
    for df in (2.0, 5.5, 18.0, np.inf):
        rule = rule_for(pairs)
        for limit in (1.0, 3.5, 12.0):
            ours = exceedance(rule, limit / np.sqrt(2), df).value
            assert ours == pytest.approx(range_exceedance(limit, 3, df), rel=1e-9, abs=1e-14)
        assert equicoordinate(rule, 0.95, df).value * np.sqrt(2) == pytest.approx(range_quantile(0.95, 3, df), rel=1e-9)
