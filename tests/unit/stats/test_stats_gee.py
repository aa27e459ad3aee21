import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise import stats
from equipoise.stats import refusals


def gee(frame, formula="y ~ arm * visit", **options):
    return stats.gee(formula, frame, **({"cluster": "id", "time": "visit"} | options))


def many(trial, copies):
    return pd.concat([trial.assign(id=trial["id"] + str(copy), y=trial["y"] + copy) for copy in range(copies)])


def test_few_clusters_get_a_correction_and_a_t_distribution(trial):
    fit = gee(trial)
    assert (fit.covariance_name, fit.df_rule, fit.df.tolist()) == ("kauermann-carroll", "between", [8.0] * 4)
    assert fit.method == (
        "Generalised estimating equations (Liang and Zeger 1986), gaussian family, identity link, exchangeable working "
        "correlation, 12 clusters, 48 observations, bias-corrected sandwich covariance (Kauermann and Carroll 2001), "
        "t tests on 8 df (clusters less coefficients), as is the rule for fewer than 150 clusters"
    )
    assert fit.notes == ()


def test_many_clusters_get_the_sandwich_and_the_normal_distribution(trial):
    fit = gee(many(trial, 13))
    assert (fit.covariance_name, fit.df_rule, fit.n_subjects) == ("robust", "normal", 156)
    assert np.isinf(fit.df).all()
    assert fit.method.endswith("normal reference distribution, as is the rule for at least 150 clusters")
    np.testing.assert_array_equal(fit.covariance, fit.robust_covariance)


def test_the_published_way_is_given_when_asked_and_its_fault_is_said(trial):
    fit = gee(trial, covariance="robust", df="normal")
    assert fit.method.endswith("robust sandwich covariance (Liang and Zeger 1986), normal reference distribution")
    assert fit.notes == (
        "The robust covariance is too small with 12 clusters: tests reject too often; "
        "prefer kauermann-carroll with between-cluster degrees of freedom",
    )
    assert gee(trial, covariance="mancl-derouen", df="normal").notes == (
        "The normal distribution is too narrow with 12 clusters; prefer between-cluster degrees of freedom",
    )


def test_another_covariance_keeps_the_coefficients(trial):
    fit = gee(trial)
    other = fit.with_covariance("mancl-derouen", df=5)
    assert other.beta is fit.beta
    assert other.coefficients["std_error"][1] > fit.coefficients["std_error"][1]
    assert other.df.tolist() == [5.0] * 4
    assert "t tests on 5 df" in other.method
    direct = gee(trial, covariance="mancl-derouen", df=5)
    np.testing.assert_array_equal(other.covariance, direct.covariance)


def test_a_fit_cannot_be_changed(trial):
    fit = gee(trial)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.beta = fit.beta * 2


def test_the_table_says_what_the_arrays_say(trial):
    fit = gee(trial, level=0.9)
    table = fit.coefficients
    assert list(table.columns) == [
        "term",
        "estimate",
        "std_error",
        "df",
        "statistic",
        "p_value",
        "conf_low",
        "conf_high",
    ]
    assert list(table["term"]) == ["Intercept", "arm[T.NK]", "visit", "arm[T.NK]:visit"]
    np.testing.assert_array_equal(table["estimate"], fit.beta)
    np.testing.assert_array_equal(table["std_error"], np.sqrt(np.diag(fit.covariance)))
    # The 90% interval by t on 8 df: 1.8595480375308981 standard errors (R 4.2.2: qt(0.95, 8)).
    width = (table["conf_high"] - table["estimate"]) / table["std_error"]
    np.testing.assert_allclose(width, 1.8595480375308981, rtol=1e-12)


def test_polars_goes_in_and_comes_out(trial):
    told = pl.DataFrame(trial.to_dict("list")).with_columns(pl.col("arm").cast(pl.Enum(["NK", "ART"])))
    fit = gee(told)
    assert isinstance(fit.coefficients, pl.DataFrame)
    turned = gee(trial.assign(arm=pd.Categorical(trial["arm"], ["NK", "ART"])))
    assert fit.coefficients["term"].to_list() == ["Intercept", "arm[T.ART]", "visit", "arm[T.ART]:visit"]
    np.testing.assert_array_equal(fit.coefficients["estimate"], turned.coefficients["estimate"])


def test_positions_are_the_visits_in_their_order(trial):
    months = trial.assign(
        visit=pd.Categorical(trial["visit"].map({0: "M0", 1: "M3", 2: "M12", 3: "M24"}), ["M0", "M3", "M12", "M24"])
    )
    by_number, by_name = (gee(frame, formula="y ~ arm", working="ar1") for frame in (trial, months))
    assert by_name.visits == ("M0", "M3", "M12", "M24")
    np.testing.assert_array_equal(by_number.beta, by_name.beta)
    correlation = by_name.working_correlation
    assert correlation[0, 2] == pytest.approx(correlation[0, 1] ** 2)


def test_a_joint_test_of_one_coefficient_is_its_t_test_squared(trial):
    fit = gee(trial)
    test = fit.joint_test("arm:visit")
    row = fit.coefficients.iloc[3]
    assert test.statistic == pytest.approx(row["statistic"] ** 2)
    assert test.p_value == pytest.approx(row["p_value"])
    assert (test.df_num, test.df_den, test.method) == (1, 8.0, "Wald test, F on 1 and 8 df")


def test_a_joint_test_takes_terms_columns_or_contrasts(trial):
    fit = gee(trial, formula="y ~ arm * C(visit)", working="independence", covariance="robust", df="normal")
    named = fit.joint_test(["arm", "arm:C(visit)"])
    contrasts = np.zeros((4, 8))
    contrasts[range(4), [1, 5, 6, 7]] = 1
    assert named.statistic == pytest.approx(fit.joint_test(contrasts).statistic)
    assert (named.df_num, named.df_den) == (4, np.inf)
    assert named.method == "Wald test, chi-squared on 4 df divided by 4"


def test_weights_that_repeat_a_participant_leave_the_coefficients_of_repeating_it(trial):
    twice = pd.concat([trial, trial[trial["id"] == "P03"].assign(id="P99")])
    weighted = trial.assign(weight=np.where(trial["id"] == "P03", 2.0, 1.0))
    repeated = gee(twice, working="independence")
    once = gee(weighted, working="independence", weights="weight")
    np.testing.assert_allclose(once.beta, repeated.beta, rtol=1e-12)


def test_an_offset_is_taken_from_the_linear_predictor(trial):
    moved = gee(trial.assign(known=trial["visit"] * 2.0), formula="y ~ arm + visit", offset="known")
    plain = gee(trial, formula="y ~ arm + visit")
    np.testing.assert_allclose(moved.beta, plain.beta - [0, 0, 2], atol=1e-12)
    np.testing.assert_allclose(moved.covariance, plain.covariance, rtol=1e-9)


def test_a_fixed_scale_scales_the_model_covariance_alone(trial):
    events = trial.assign(y=(trial["y"] > 10).astype(int))
    fits = [gee(events, formula="y ~ arm", family="binomial", working="independence", scale=phi) for phi in (1.0, 4.0)]
    np.testing.assert_allclose(
        fits[1].with_covariance("model").covariance, 4 * fits[0].with_covariance("model").covariance
    )
    np.testing.assert_allclose(fits[1].covariance, fits[0].covariance)
    assert (fits[0].scale, fits[1].scale) == (1.0, 4.0)


def test_one_lag_is_what_m_dependent_means_alone(trial):
    one, also = (gee(trial, formula="y ~ arm", working=name) for name in ("m-dependent", "1-dependent"))
    assert one.working_correlation[0, 2] == 0.0
    np.testing.assert_array_equal(one.working_correlation, also.working_correlation)
    assert "1-dependent working correlation" in one.method


def test_a_participant_who_stands_alone_is_named(trial):
    marked = trial.assign(only=(trial["id"] == "P03").astype(int))
    fit = gee(marked, formula="y ~ arm + only", covariance="robust")
    assert fit.notes[0] == ("P03 determines a coefficient alone, and this covariance gives that no variance of its own")
    assert gee(marked, formula="y ~ arm + only", covariance="fay-graubard").converged


REFUSED = {
    "family": (
        lambda f: gee(f, family="normal"),
        refusals.UnknownChoice,
        "family = normal: is not offered; choose one of gaussian, binomial, poisson, gamma",
    ),
    "link": (
        lambda f: gee(f, link="logit"),
        refusals.UnknownChoice,
        "link = logit: does not go with gaussian; choose one of identity, log, inverse",
    ),
    "working": (
        lambda f: gee(f, working="banded"),
        refusals.UnknownChoice,
        "working = banded: is not offered; choose one of independence, exchangeable, ar1, unstructured, toeplitz, "
        "m-dependent, or give a matrix",
    ),
    "covariance": (
        lambda f: gee(f, covariance="hc3"),
        refusals.UnknownChoice,
        "covariance = hc3: is not offered; choose one of model, robust, df-adjusted, kauermann-carroll, mancl-derouen, "
        "fay-graubard, morel-bokossa-neerchal, pan, gosho-sato-takeuchi, wang-long, kc-md-average",
    ),
    "df": (
        lambda f: gee(f, df="satterthwaite"),
        refusals.UnknownChoice,
        "df = satterthwaite: is not offered; choose one of normal, between, fay-graubard, pan-wall",
    ),
    "df_number": (
        lambda f: gee(f, df=0),
        refusals.BadSample,
        "df = 0: is not a number above zero; give a positive number or the name of a rule",
    ),
    "df_none": (
        lambda f: gee(f, df=None),
        refusals.BadSample,
        "df: is not a number above zero; give a positive number or the name of a rule",
    ),
    "df_pair": (
        lambda f: gee(f, covariance="mancl-derouen", df="fay-graubard"),
        refusals.UnknownChoice,
        "df = fay-graubard: does not go with the mancl-derouen covariance; use robust, fay-graubard",
    ),
    "level": (
        lambda f: gee(f, level=95),
        refusals.BadSample,
        "level = 95: is not a confidence level; give a number between 0 and 1, such as 0.95",
    ),
    "column": (
        lambda f: gee(f, cluster="patient"),
        refusals.UnknownColumn,
        "cluster = patient: is not a column of the data; choose one of id, visit, arm, age, y",
    ),
    "formula": (
        lambda f: gee(f, "~ arm"),
        refusals.BadFormula,
        "formula = ~ arm: names no outcome; write it as 'outcome ~ arm * visit'",
    ),
    "formula_empty": (
        lambda f: gee(f, "y ~ 0"),
        refusals.BadFormula,
        "formula: has no column; keep the intercept or name a covariate",
    ),
    "formula_infinite": (
        lambda f: gee(f, "log(y - y) ~ arm"),
        refusals.BadSample,
        "formula: gives an outcome that is not finite in 48 rows; correct these values",
    ),
    "frame": (
        lambda f: gee({"y": [1]}),
        refusals.BadSample,
        "data = dict: is not a data frame; give a pandas or polars frame",
    ),
    "text_outcome": (
        lambda f: gee(f.assign(y="high")),
        refusals.BadSample,
        "formula = y: holds something that is not a number; give a column of numbers",
    ),
    "no_outcome": (
        lambda f: gee(f.assign(y=np.nan)),
        refusals.BadSample,
        "data: has no row with a known y; check the outcome's column",
    ),
    "missing_covariate": (
        lambda f: gee(f.assign(age=f["age"].where(f["visit"] > 0)), "y ~ arm + age"),
        refusals.MissingCovariate,
        "age: is missing in row 1, 5, 9, 13, 17 and 7 more, where the outcome is known; fill it in, leave the row's "
        "outcome empty, or drop the covariate",
    ),
    "infinite_covariate": (
        lambda f: gee(f.assign(age=np.inf), "y ~ arm + age"),
        refusals.BadSample,
        "age: is not finite in 48 rows; correct these values",
    ),
    "covariate_too_large_to_square": (
        lambda f: gee(f.assign(age=f["age"] * 1e160), "y ~ arm + age"),
        refusals.BadSample,
        "age: holds values beyond 1e+100; give it in another unit",
    ),
    "duplicate": (
        lambda f: gee(pd.concat([f, f.iloc[:2]])),
        refusals.DuplicateVisit,
        "id, visit: has more than one row for P00 at 0, P00 at 1; keep one row a visit",
    ),
    "rank": (
        lambda f: gee(f.assign(sex=f["arm"]), "y ~ arm + sex"),
        refusals.RankDeficient,
        "formula: makes sex[T.NK] a combination of the columns before; drop a term, or merge categories that never "
        "occur together",
    ),
    "one_level": (
        lambda f: gee(f.assign(y=f["y"].where(f["arm"] == "NK")), "y ~ arm"),
        refusals.RankDeficient,
        "formula: has a term with one level only: arm; drop the term, or check which rows have an outcome",
    ),
    "few_clusters": (
        lambda f: gee(f[f["id"].isin(["P00", "P01", "P10", "P11"])]),
        refusals.TooFewClusters,
        "cluster = id: has 4 clusters for 4 coefficients; drop terms from the formula",
    ),
    "no_time": (
        lambda f: gee(f, time=None, working="ar1"),
        refusals.BadSample,
        "time: is needed by the ar1 working correlation; name the column of the visit",
    ),
    "no_time_pooled": (
        lambda f: gee(f, "y ~ arm", time=None, covariance="pan"),
        refusals.BadSample,
        "time: is needed by the pan covariance; name the column of the visit",
    ),
    "text_time": (
        lambda f: gee(f.assign(visit="M" + f["visit"].astype(str)), "y ~ arm", working="ar1"),
        refusals.BadSample,
        "time = visit: is text, whose alphabetical order is not the order that ar1 needs; give numbers, or categories "
        "in the order of the visits",
    ),
    "unidentified_pair": (
        lambda f: gee(f[(f["visit"] < 3) | (f["id"] < "P04")], working="unstructured"),
        refusals.NotIdentified,
        "working = unstructured: has only 4 pairs of observations for visits 1 and 4, and more than 4 are needed; use "
        "exchangeable or independence",
    ),
    "one_visit": (
        lambda f: gee(f[f["visit"] == 0], "y ~ arm"),
        refusals.NotIdentified,
        "working = exchangeable: needs subjects with two visits; use independence",
    ),
    "matrix_text": (
        lambda f: gee(f, working=[["a", "b"], ["c", "d"]]),
        refusals.BadSample,
        "working: is neither a name nor a table of numbers; choose one of independence, exchangeable, ar1, "
        "unstructured, toeplitz, m-dependent",
    ),
    "outcome_extreme": (
        lambda f: gee(f.assign(y=np.sign(f["y"]) * 1e308)),
        refusals.BadSample,
        "outcome: holds values beyond 1e+100; give it in another unit",
    ),
    "matrix_shape": (
        lambda f: gee(f, working=np.eye(3)),
        refusals.BadSample,
        "working = (3, 3): is not the shape of 4 visits; give a 4 by 4 matrix",
    ),
    "matrix_diagonal": (
        lambda f: gee(f, working=2 * np.eye(4)),
        refusals.BadSample,
        "working: is not a correlation matrix; give a symmetric matrix with ones on its diagonal",
    ),
    "matrix_indefinite": (
        lambda f: gee(f, working=1.5 * np.eye(4) - 0.5),
        refusals.BadSample,
        "working: is not positive definite (smallest eigenvalue -0.5); correct its correlations",
    ),
    "gamma": (
        lambda f: gee(f.assign(y=-1.0), family="gamma"),
        refusals.BadSample,
        "outcome = -1.0: is not above zero (48 rows), which a gamma outcome must be; correct these values or choose "
        "another family",
    ),
    "weights": (
        lambda f: gee(f.assign(w=0.0), weights="w"),
        refusals.BadSample,
        "weights = w: holds values that are not above zero; leave those rows' outcome empty",
    ),
    "offset": (
        lambda f: gee(f.assign(w=np.inf), offset="w"),
        refusals.BadSample,
        "offset = w: holds values that are not finite; correct them",
    ),
    "scale": (
        lambda f: gee(f, scale=-1.0),
        refusals.BadSample,
        "scale = -1.0: is not above zero; give a positive number, or None to estimate it",
    ),
    "scale_name": (
        lambda f: gee(f, scale="deviance"),
        refusals.UnknownChoice,
        "scale = deviance: is not offered; give a number, None or pearson-n",
    ),
    "separation": (
        lambda f: gee(f.assign(y=(f["arm"] == "NK").astype(int)), "y ~ arm + visit", family="binomial"),
        refusals.Separation,
        "formula: separates the outcome perfectly by arm[T.NK]; merge categories, drop the term, or use an exact test",
    ),
    "empty_counts": (
        lambda f: gee(f.assign(y=np.where(f["arm"] == "NK", 0, 1 + f["visit"])), "y ~ arm", family="poisson"),
        refusals.Separation,
        "formula: separates the outcome perfectly by arm[T.NK]; merge categories, drop the term, or use an exact test",
    ),
    "no_residual": (
        lambda f: gee(f.assign(y=2.0 * f["age"]), "y ~ age"),
        refusals.BadSample,
        "data: has no residual variation about the model; check for copied columns",
    ),
    "alone": (
        lambda f: gee(f.assign(only=(f["id"] == "P03").astype(int)), "y ~ arm + only"),
        refusals.NotIdentified,
        "covariance = kauermann-carroll: is infinite, because P03 determines a coefficient alone; drop that term, or "
        "use fay-graubard or morel-bokossa-neerchal",
    ),
    "alone_df": (
        lambda f: gee(
            f.assign(only=(f["id"] == "P03").astype(int)), "y ~ arm + only", covariance="robust", df="fay-graubard"
        ),
        refusals.NotIdentified,
        "df = fay-graubard: is not defined where one subject determines a coefficient alone; use between, or drop that "
        "term",
    ),
    "few_pairs": (
        lambda f: gee(f[(f["visit"] < 3) | (f["id"] < "P04")], covariance="gosho-sato-takeuchi"),
        refusals.NotIdentified,
        "covariance = gosho-sato-takeuchi: needs more than 4 subjects at each pair of visits and has 4; use pan",
    ),
    "joint_name": (
        lambda f: gee(f).joint_test("sex"),
        refusals.UnknownChoice,
        "terms = sex: is not in the model; choose from arm, visit, arm:visit, Intercept, arm[T.NK], arm[T.NK]:visit",
    ),
    "joint_rows": (
        lambda f: gee(f).joint_test([[1, 0, 0, 0], [2, 0, 0, 0]]),
        refusals.BadSample,
        "terms: has rows that are zero or repeat one another; drop them",
    ),
    "joint_shape": (
        lambda f: gee(f).joint_test([[1, 0]]),
        refusals.BadSample,
        "terms: has shape (1, 2); give rows of 4 finite weights",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_gee_refuses(trial, case):
    act, kind, text = REFUSED[case]
    with pytest.raises(kind) as refused:
        act(trial)
    assert str(refused.value) == text


def test_a_correlation_that_is_not_positive_definite_is_refused(trial):
    # Neighbouring visits alike, others opposed: no matrix with such correlations one apart and zero elsewhere exists.
    wave = trial.assign(y=np.repeat(np.tile([1.0, -1.0], 6), 4) + 0.01 * trial["y"])
    with pytest.raises(refusals.NotIdentified) as refused:
        gee(wave, formula="y ~ arm", working="m-dependent")
    assert str(refused.value) == (
        "working = 1-dependent: has an estimate that is not positive definite; use exchangeable or independence; the "
        "robust covariances do not rest on the choice"
    )
