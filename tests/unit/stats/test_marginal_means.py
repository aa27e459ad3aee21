"""Marginal means: grids by hand, what is refused, and what is said."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise import stats
from equipoise.stats.refusals import BadSample, NotIdentified, UnknownChoice


@pytest.fixture
def fit(trial):
    return stats.gee("y ~ arm * C(visit) + age", trial, cluster="id", time="visit")


@pytest.fixture
def one_visit(trial):
    rng = np.random.default_rng(3)
    frame = pd.concat([trial[trial["visit"] == 3], trial[trial["visit"] == 0]], ignore_index=True)
    return frame.assign(site=rng.permutation(["east"] * 9 + ["west"] * 15), sex=rng.permutation([0, 1, 1] * 8))


def test_a_mean_is_the_prediction_at_the_covariates_means(trial, fit):
    means = stats.marginal_means(fit, "arm", by="visit")
    beta = dict(zip(fit.coefficients["term"], fit.beta, strict=True))
    age = trial["age"].mean()
    nk_at_two = (
        beta["Intercept"]
        + beta["arm[T.NK]"]
        + beta["C(visit)[T.2]"]
        + beta["arm[T.NK]:C(visit)[T.2]"]
        + beta["age"] * age
    )
    row = means.table[(means.table["arm"] == "NK") & (means.table["visit"] == 2)]
    assert row["estimate"].item() == pytest.approx(nk_at_two, rel=1e-12)
    assert list(means.table.columns) == ["visit", "arm", "estimate", "std_error", "df", "conf_low", "conf_high"]
    assert list(means.table["arm"]) == ["ART", "NK"] * 4
    assert list(means.table["visit"]) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_without_covariates_saturated_means_are_the_cells_own(one_visit):
    fit = stats.ancova("y ~ arm * site", one_visit)
    means = stats.marginal_means(fit, ["arm", "site"])
    expected = one_visit.groupby(["arm", "site"])["y"].mean()
    np.testing.assert_allclose(means.table["estimate"], expected, rtol=1e-12)
    cells = stats.marginal_means(fit, "arm", weights="cells")
    np.testing.assert_allclose(cells.table["estimate"], one_visit.groupby("arm")["y"].mean(), rtol=1e-12)


def test_few_values_count_as_levels_and_more_stand_at_their_mean(one_visit):
    fit = stats.ancova("y ~ arm + sex + age", one_visit)
    beta = dict(zip(fit.coefficients["term"], fit.beta, strict=True))
    means = stats.marginal_means(fit, "arm")
    by_hand = beta["Intercept"] + beta["sex"] / 2 + beta["age"] * one_visit["age"].mean()
    assert means.table["estimate"][0] == pytest.approx(by_hand, rel=1e-12)
    held = stats.marginal_means(fit, "arm", at={"sex": 1, "age": 40})
    by_hand = beta["Intercept"] + beta["sex"] + beta["age"] * 40
    assert held.table["estimate"][0] == pytest.approx(by_hand, rel=1e-12)


def test_levels_may_be_left_out(fit):
    means = stats.marginal_means(fit, "arm", by="visit", at={"visit": [3, 1]})
    assert list(means.table["visit"]) == [3, 3, 1, 1]
    whole = stats.marginal_means(fit, "arm", by="visit").table
    assert means.table["estimate"][0] == whole[(whole["visit"] == 3) & (whole["arm"] == "ART")]["estimate"].item()


def test_numbers_may_be_asked_for_at_values(trial):
    fit = stats.ancova("y ~ arm + age", trial)
    means = stats.marginal_means(fit, "arm", by="age", at={"age": [30.0, 45.0]})
    assert list(means.table["age"]) == [30.0, 30.0, 45.0, 45.0]
    change = means.table["estimate"][2] - means.table["estimate"][0]
    assert change == pytest.approx(15 * fit.beta[list(fit.coefficients["term"]).index("age")], rel=1e-9)


def test_polars_and_categories_come_back_as_they_came(trial):
    frame = pl.DataFrame(trial.to_dict("list")).with_columns(pl.col("arm").cast(pl.Enum(["NK", "ART"])))
    fit = stats.gee("y ~ arm + age", frame, cluster="id")
    means = stats.marginal_means(fit, "arm")
    assert isinstance(means.table, pl.DataFrame)
    assert means.table["arm"].to_list() == ["NK", "ART"]
    assert isinstance(means.contrasts("pairwise").table, pl.DataFrame)
    assert isinstance(means.joint_test().table, pl.DataFrame)


def test_response_scale_bends_intervals_and_not_tests(trial):
    frame = trial.assign(high=(trial["y"] > trial["y"].median()).astype(int))
    fit = stats.gee("high ~ arm + age", frame, cluster="id", family="binomial")
    link, response = stats.marginal_means(fit, "arm"), stats.marginal_means(fit, "arm", type="response")

    def expit(x):
        return 1 / (1 + np.exp(-x))

    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(response.table[name], expit(link.table[name]), rtol=1e-12)
    mean = response.table["estimate"]
    np.testing.assert_allclose(response.table["std_error"], link.table["std_error"] * mean * (1 - mean), rtol=1e-12)
    ratio, difference = response.contrasts("pairwise"), link.contrasts("pairwise")
    assert (ratio.scale, difference.scale) == ("odds ratios", "differences")
    assert ratio.table["contrast"][0] == "ART / NK"
    assert ratio.table["estimate"][0] == pytest.approx(np.exp(difference.table["estimate"][0]), rel=1e-12)
    assert ratio.table["p_value"][0] == difference.table["p_value"][0]


def test_a_decreasing_link_keeps_its_interval_in_order(trial):
    fit = stats.gee("y ~ arm", trial, cluster="id", family="gamma")
    table = stats.marginal_means(fit, "arm", type="response").table
    assert ((table["conf_low"] < table["estimate"]) & (table["estimate"] < table["conf_high"])).all()


def test_an_offset_is_at_zero_unless_given(trial):
    frame = trial.assign(count=np.arange(48) % 5, log_time=np.linspace(0, 1, 48))
    fit = stats.gee("count ~ arm", frame, cluster="id", family="poisson", offset="log_time")
    zero = stats.marginal_means(fit, "arm")
    assert zero.notes == ("Means are at log_time = 0, the offset",)
    moved = stats.marginal_means(fit, "arm", at={"log_time": 0.5})
    np.testing.assert_allclose(moved.table["estimate"], zero.table["estimate"] + 0.5, rtol=1e-12)
    assert moved.notes == ()
    average = {"mean": [0.5, 0.5]}
    shift = [one.contrasts("custom", coefficients=average).table["estimate"][0] for one in (zero, moved)]
    assert shift[1] - shift[0] == pytest.approx(0.5, rel=1e-12)


def test_the_sentence_says_what_was_averaged_and_held(one_visit):
    fit = stats.ancova("y ~ arm * site + age", one_visit)
    means = stats.marginal_means(fit, "arm", weights="proportional", level=0.9)
    assert means.method == (
        f"Marginal means of arm, proportional weights over site, at age = {one_visit['age'].mean():.6g}, 90% intervals "
        f"(Searle, Speed and Milliken 1980); {fit.method}"
    )
    assert means.notes == ("arm interacts with site in the model: means at its levels may tell more",)


def test_repeated_measures_by_either_model(trial):
    fit = stats.rm_anova(trial, outcome="y", subject="id", within="visit", between="arm")
    own = trial.groupby(["visit", "arm"])["y"].mean()
    for model, ending in (
        ("multivariate", "covariance of the cell means from the multivariate model, t tests on 10 df"),
        ("univariate", "covariance of the cell means from the strata's mean squares, Satterthwaite (1946) df"),
    ):
        means = stats.marginal_means(fit, "arm", by="visit", model=model)
        np.testing.assert_allclose(means.table["estimate"], own, rtol=1e-12)
        assert means.method.endswith(ending)


def test_one_comparison_of_two_arms_is_the_f_of_the_table(trial):
    fit = stats.rm_anova(trial, outcome="y", subject="id", within="visit", between="arm")
    f = fit.table.set_index("effect")["statistic"]
    arms = stats.marginal_means(fit, "arm").contrasts("pairwise")
    assert arms.table["statistic"][0] ** 2 == pytest.approx(f["arm"], rel=1e-10)
    visits = stats.marginal_means(fit, "visit", model="univariate").joint_test()
    assert visits.table["statistic"][0] == pytest.approx(f["visit"], rel=1e-10)


def test_values_beyond_the_data_are_told(trial):
    fit = stats.ancova("y ~ arm + age", trial)
    means = stats.marginal_means(fit, "arm", at={"age": [40, 90]})
    low, high = trial["age"].min(), trial["age"].max()
    assert means.notes == (
        f"age = 90 is outside the data ({low} to {high}): the mean there is the model's extrapolation",
    )


def test_combinations_that_no_row_has_are_told(one_visit):
    frame = one_visit[(one_visit["arm"] == "ART") | (one_visit["site"] == "east")]
    means = stats.marginal_means(stats.ancova("y ~ arm + site", frame), "arm", by="site")
    assert means.notes == ("No row of the data has (site = west, arm = NK): the mean there rests on the model alone",)


def refusal(kind, text, ask):
    with pytest.raises(kind) as caught:
        ask()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("kind", "text", "options"),
    [
        (UnknownChoice, "factor = dose: is not in the model; choose from age, arm, visit", {"factor": "dose"}),
        (UnknownChoice, "by = dose: is not in the model; choose from age, arm, visit", {"factor": "arm", "by": "dose"}),
        (BadSample, "factor: names no factor; name the factor whose means are wanted", {"factor": []}),
        (BadSample, "by = arm: is a factor as well; name it once", {"factor": "arm", "by": "arm"}),
        (BadSample, "factor = arm: comes twice; name it once", {"factor": ["arm", "arm"]}),
        (
            UnknownChoice,
            "at = dose: is not in the model; choose from age, arm, visit",
            {"factor": "arm", "at": {"dose": 1}},
        ),
        (
            UnknownChoice,
            "at[arm] = PLACEBO: is not a level; choose from ART, NK",
            {"factor": "arm", "at": {"arm": ["ART", "PLACEBO"]}},
        ),
        (
            BadSample,
            "at[visit]: gives a value twice; give each value once",
            {"factor": "arm", "at": {"visit": [1, 1]}},
        ),
        (
            BadSample,
            "at[visit]: gives no value; give one or several, or leave the name out",
            {"factor": "arm", "at": {"visit": []}},
        ),
        (BadSample, "at[age] = old: is not a finite number; give a number", {"factor": "arm", "at": {"age": "old"}}),
        (
            BadSample,
            "at: leaves a grid of more than 10000 cells; give covariates with two values one of them",
            {"factor": "arm", "at": {"age": list(range(5000))}},
        ),
        (
            UnknownChoice,
            "weights = most: is not offered; choose one of equal, proportional, outer, cells, flat",
            {"factor": "arm", "weights": "most"},
        ),
        (UnknownChoice, "type = mean: is not offered; choose one of link, response", {"factor": "arm", "type": "mean"}),
        (
            UnknownChoice,
            "model = pooled: is not offered; choose one of multivariate, univariate",
            {"factor": "arm", "model": "pooled"},
        ),
        (
            BadSample,
            "level = 95: is not a confidence level; give a number between 0 and 1, such as 0.95",
            {"factor": "arm", "level": 95},
        ),
    ],
)
def test_what_cannot_be_is_refused(fit, kind, text, options):
    refusal(kind, text, lambda: stats.marginal_means(fit, options.pop("factor"), **options))


def test_cells_at_which_the_formula_has_no_value_are_refused(trial):
    fit = stats.ancova("y ~ arm + log(age)", trial)
    refusal(
        NotIdentified,
        "at: leaves the formula without a value at (age = 0, arm = ART), (age = 0, arm = NK); give other values",
        lambda: stats.marginal_means(fit, "arm", at={"age": 0}),
    )


def test_weights_without_rows_to_count_are_refused(one_visit):
    frame = one_visit[(one_visit["arm"] == "ART") | (one_visit["site"] == "east")]
    fit = stats.ancova("y ~ arm + site + sex", frame)
    refusal(
        NotIdentified,
        "weights = cells: has no row to count at (site = west, arm = NK); "
        "use equal weights, or leave these levels out with at",
        lambda: stats.marginal_means(fit, "arm", by="site", weights="cells"),
    )


def test_cells_that_the_model_cannot_tell_are_refused_by_the_fit(one_visit):
    frame = one_visit[(one_visit["arm"] == "ART") | (one_visit["site"] == "east")]
    refusal(
        stats.refusals.RankDeficient,
        "formula: makes arm[T.NK]:site[T.west] a combination of the columns before; "
        "drop a term, or merge categories that never occur together",
        lambda: stats.ancova("y ~ arm * site", frame),
    )


def test_one_mean_has_nothing_to_be_compared_with(fit):
    means = stats.marginal_means(fit, "arm", at={"arm": "NK"})
    refusal(
        BadSample,
        "factor: has one level, with nothing to compare it with; leave out by or at",
        means.joint_test,
    )
    refusal(
        BadSample,
        "kind = pairwise: finds one mean, with nothing to compare it with; leave out by or at",
        lambda: means.contrasts("pairwise"),
    )
