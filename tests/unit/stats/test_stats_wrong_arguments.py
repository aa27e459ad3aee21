"""What is no number, no name, no mapping or no frame is refused by name, whole text; unusual columns are read."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise import stats
from equipoise.stats import refusals

X, Y = [1.0, 2.5, 4.0, 3.0], [2.0, 7.0, 5.5]
MANY = np.arange(15.0)
DAYS = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-03-01"])
NAMES = {"subject": "id", "visit": "visit", "outcome": "y", "arm": "arm"}


def least_squares(frame):
    return stats.ancova("y ~ arm + age", frame)


def imputed(frame, **options):
    gaps = frame.assign(y=frame["y"].where((frame["id"] != "P07") | (frame["visit"] < 2)))
    return stats.impute(gaps, **({"seed": 1, "draws": 3, "steps": 3} | NAMES | options))


def drawn(rng, draws=99):
    return stats.two_sample(MANY, MANY + 0.5, method="permutation", rng=rng, draws=draws)


REFUSED = {
    "a level in words": (
        lambda f: stats.two_sample(X, Y, level="high"),
        "level = high: is not a confidence level; give a number between 0 and 1, such as 0.95",
    ),
    "no level": (
        lambda f: stats.ancova("y ~ arm", f, level=None),
        "level: is not a confidence level; give a number between 0 and 1, such as 0.95",
    ),
    "a sample of dates": (
        lambda f: stats.two_sample(DAYS, Y),
        "x: holds dates or times, not numbers; give the time since a day, as a number",
    ),
    "a sample too large to square": (
        lambda f: stats.two_sample(X, [1e200, 2e200]),
        "y: holds values beyond 1e+100; give it in another unit",
    ),
    "a sample too alike to square": (
        lambda f: stats.mean_interval([1e-200, 2e-200]),
        "x: varies by less than 1e-100; give it in another unit",
    ),
    "a seed in place of a generator": (
        lambda f: drawn(7),
        "rng = 7: is needed to draw among 155117520 divisions; give a numpy.random.Generator with its seed",
    ),
    "no draw": (
        lambda f: drawn(np.random.default_rng(1), 0),
        "draws = 0: is not a number of divisions; give 1 or more, such as 9999",
    ),
    "half a draw": (
        lambda f: drawn(np.random.default_rng(1), 2.5),
        "draws = 2.5: is not a number of divisions; give 1 or more, such as 9999",
    ),
    "events in words": (
        lambda f: stats.wilson("3", 10),
        "x = 3: is not a number of events; give a whole number of 0 or more",
    ),
    "half an event": (
        lambda f: stats.clopper_pearson(2.5, 10),
        "x = 2.5: is not a number of events; give a whole number of 0 or more",
    ),
    "subjects without end": (
        lambda f: stats.newcombe(1, 2, 3, np.inf),
        "n2 = inf: is not a number of subjects; give a whole number of 1 or more",
    ),
    "df in words": (
        lambda f: stats.pool([1, 2], [1, 1], "many"),
        "df_complete = many: is not a number of degrees of freedom; give one above zero, or infinity",
    ),
    "estimates too large to square": (
        lambda f: stats.pool([1e200, 2e200], [1, 1]),
        "estimates: holds values beyond 1e+100; give it in another unit",
    ),
    "variances of another unit": (
        lambda f: stats.pool([1e6, 2e6], [1e-9, 1e-9], 18),
        "variances: are nothing beside the variance between sets: less than 0.01 degrees of freedom are left; "
        "check that they are squares of standard errors, in the unit of the estimates",
    ),
    "terms that are a number": (
        lambda f: least_squares(f).joint_test(3),
        "terms: are neither names nor rows of numbers; give names, or rows of 3 weights",
    ),
    "terms of words in rows": (
        lambda f: least_squares(f).joint_test([["arm", "age"]]),
        "terms: are neither names nor rows of numbers; give names, or rows of 3 weights",
    ),
    "two columns of one name": (
        lambda f: least_squares(pd.concat([f, f[["y", "age"]]], axis=1)),
        "data: has several columns named age, y; rename them",
    ),
    "an outcome of dates": (
        lambda f: least_squares(f.assign(y=pd.Timestamp("2026-01-01") + pd.to_timedelta(f["age"], "D"))),
        "formula = y: holds dates or times, not numbers; give the time since a day, as a number",
    ),
    "an outcome of complex numbers": (
        lambda f: least_squares(f.assign(y=f["y"] + 1j)),
        "formula = y: holds complex numbers; give a column of real numbers",
    ),
    "a covariate with the constant's name": (
        lambda f: stats.ancova("y ~ arm + Intercept", f.rename(columns={"age": "Intercept"})),
        "formula: makes several columns named Intercept; rename the covariate in the data",
    ),
    "a factor with the name of a result": (
        lambda f: stats.marginal_means(stats.ancova("y ~ df", f.rename(columns={"arm": "df"})), "df"),
        "factor = df: is the name of a column of the results as well; rename it in the data",
    ),
    "a group with the name of a result": (
        lambda f: stats.marginal_means(
            stats.ancova("y ~ contrast + C(visit)", f.rename(columns={"arm": "contrast"})), "visit", by="contrast"
        ),
        "factor = contrast: is the name of a column of the results as well; rename it in the data",
    ),
    "an outcome too large to square": (
        lambda f: stats.mmrm("y ~ arm", f.assign(y=f["y"] * 1e160), subject="id", visit="visit"),
        "outcome: holds values beyond 1e+100; give it in another unit",
    ),
    "an outcome too alike to square": (
        lambda f: stats.mmrm("y ~ arm", f.assign(y=f["y"] * 1e-160), subject="id", visit="visit"),
        "outcome: varies by less than 1e-100; give it in another unit",
    ),
    "a covariate too large to square": (
        lambda f: least_squares(f.assign(age=f["age"] * 1e160)),
        "age: holds values beyond 1e+100; give it in another unit",
    ),
    "a formula of two parts": (
        lambda f: stats.ancova("y ~ arm | age", f),
        "formula = y ~ arm | age: has several parts; write one, as 'outcome ~ arm * visit'",
    ),
    "two outcomes in parts": (
        lambda f: stats.ancova("y | age ~ arm", f),
        "formula = y | age ~ arm: has several parts; write one, as 'outcome ~ arm * visit'",
    ),
    "no fit": (
        lambda f: stats.marginal_means(f, "arm"),
        "fit = DataFrame: has no marginal means; give a fit of gee, mmrm, ancova or rm_anova",
    ),
    "a pooled fit": (
        lambda f: stats.marginal_means(imputed(f).ancova(), "arm"),
        "fit = ImputedFit: has no marginal means; give a fit of gee, mmrm, ancova or rm_anova",
    ),
    "a factor that is a number": (
        lambda f: stats.marginal_means(least_squares(f), 3),
        "factor = 3: is not a name; give the name of a factor, or several",
    ),
    "groups that are numbers": (
        lambda f: stats.marginal_means(least_squares(f), "arm", by=[1]),
        "by = [1]: is not a name; give the name of a factor, or several",
    ),
    "values without names": (
        lambda f: stats.marginal_means(least_squares(f), "arm", at=[40]),
        "at = [40]: is not a mapping; give values by name, such as {'age': 40}",
    ),
    "weights without names": (
        lambda f: stats.marginal_means(least_squares(f), "arm").contrasts("custom", coefficients=[1, -1]),
        "coefficients: name no contrast; give a mapping from names to weights",
    ),
    "weights in words": (
        lambda f: stats.marginal_means(least_squares(f), "arm").contrasts("custom", coefficients={"a": ["one", "no"]}),
        "coefficients[a]: are not 2 finite weights that are not all zero; give one weight for each of ART, NK",
    ),
    "covariates that are a number": (
        lambda f: imputed(f, covariates=3),
        "covariates = 3: are not names of columns; give one name, or several, or ()",
    ),
    "a strategy that is a number": (
        lambda f: imputed(f, strategy=3),
        "strategy = 3: is not a mapping by arm; give a value for an arm by its name",
    ),
    "a delta for nobody": (
        lambda f: imputed(f, delta=5.0),
        "delta = 5.0: is not a mapping by arm; give a value for an arm by its name",
    ),
    "a delta too large to square": (
        lambda f: imputed(f, delta={"NK": 1e200}),
        "delta: holds values beyond 1e+100; give it in another unit",
    ),
    "an event of nobody": (
        lambda f: imputed(f, ice=["P03"]),
        "ice = ['P03']: is not a mapping by subject; give a value for a subject by its name",
    ),
    "a seed in words": (
        lambda f: imputed(f, seed="one"),
        "seed = one: is not a seed; give a whole number of 0 or more, or a numpy.random.Generator",
    ),
    "a seed below zero": (
        lambda f: imputed(f, seed=-1),
        "seed = -1: is not a seed; give a whole number of 0 or more, or a numpy.random.Generator",
    ),
    "outcomes to impute that are too alike": (
        lambda f: imputed(f.assign(y=f["y"] * 1e-160)),
        "y: varies by less than 1e-100; give it in another unit",
    ),
    "a set in words": (
        lambda f: imputed(f).completed("first"),
        "number = first: is not one of the 3 sets; give 0 to 2",
    ),
    "pooled df in words": (
        lambda f: imputed(f).ancova(df="many"),
        "df = many: is not a number of degrees of freedom; give one above zero, or infinity",
    ),
    "no analysis": (
        lambda f: imputed(f).analyse("ancova"),
        "analysis = ancova: is not a function; give one of a completed frame that returns a fit",
    ),
    "no completed sets": (
        lambda f: stats.tipping_point(f, arm="NK", deltas=[0, 1]),
        "imputed = DataFrame: holds no completed sets; give what impute returned",
    ),
    "deltas too large to square": (
        lambda f: stats.tipping_point(imputed(f), arm="NK", deltas=[0, 1e200]),
        "deltas: holds values beyond 1e+100; give it in another unit",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_argument_is_refused(trial, case):
    make, text = REFUSED[case]
    with pytest.raises(refusals.StatisticsRefusal) as refused:
        make(trial)
    assert str(refused.value) == text


def test_one_covariate_may_be_named_without_a_tuple(trial):
    sets = imputed(trial, covariates="age")
    assert sets.ancova(covariates="age").columns == ("Intercept", "age", "arm[T.NK]")


@pytest.mark.parametrize("dtypes", ["nullable", "objects", "categories"])
def test_the_kind_of_a_column_changes_no_bit(trial, dtypes):
    plain = trial.assign(y=trial["y"].where(trial["id"] != "P03"), high=trial["age"] > 40)
    other = {
        "nullable": plain.convert_dtypes(dtype_backend="numpy_nullable"),
        "objects": plain.astype(dict.fromkeys(["id", "visit", "arm", "y"], object)),
        "categories": plain.astype({"id": "category", "arm": "category"}),
    }[dtypes]
    for first, second in (
        (stats.ancova("y ~ arm + age + high", rows) for rows in (plain, other)),
        (stats.gee("y ~ arm * C(visit) + high", rows, cluster="id", time="visit") for rows in (plain, other)),
        (
            stats.mmrm("y ~ arm * C(visit)", rows, subject="id", visit="visit", covariance="cs")
            for rows in (plain, other)
        ),
    ):
        assert first.coefficients.equals(second.coefficients)
        means, others = (stats.marginal_means(fit, "arm").table for fit in (first, second))
        assert means["estimate"].tolist() == others["estimate"].tolist()


def test_names_with_blanks_and_signs_are_read_in_backticks(trial):
    odd = trial.rename(columns={"y": "CD4 (cells/uL)", "arm": "arm:1", "age": "age at entry"})
    plain = least_squares(trial)
    for frame in (odd, pl.DataFrame(odd.to_dict("list")), odd.set_index("id", drop=False)):
        fit = stats.ancova("`CD4 (cells/uL)` ~ `arm:1` + `age at entry`", frame)
        assert fit.beta.tobytes() == plain.beta.tobytes()
        means = stats.marginal_means(fit, "arm:1").table
        assert list(means["estimate"]) == list(stats.marginal_means(plain, "arm").table["estimate"])
        assert type(means).__module__.split(".")[0] == type(frame).__module__.split(".")[0]


@pytest.mark.parametrize(
    ("term", "plain"),
    [("center(age)", "age"), ("scale(age)", "age"), ("poly(age, 2)", "age + I(age**2)"), ("{age + 1}", "age")],
)
def test_transforms_that_keep_a_state_leave_the_means_as_they_are(trial, term, plain):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (
            stats.marginal_means(stats.ancova(f"y ~ arm + {form}", trial), "arm") for form in (term, plain)
        )
    np.testing.assert_allclose(first.table["estimate"], second.table["estimate"], rtol=1e-10)
    np.testing.assert_allclose(first.table["std_error"], second.table["std_error"], rtol=1e-8)


def test_names_with_dots_are_columns_inside_functions_too(trial):
    dotted = trial.rename(columns={"age": "age.entry", "y": "y.1"})
    plain = stats.ancova("log(y) ~ arm + log(age)", trial)
    fit = stats.ancova("log(`y.1`) ~ arm + log(`age.entry`)", dotted)
    assert fit.beta.tobytes() == plain.beta.tobytes()


def test_values_of_a_covariate_may_come_as_any_series(trial):
    fit = least_squares(trial)
    plain = stats.marginal_means(fit, "arm", by="age", at={"age": [30, 40]}).table
    for values in ((30, 40), np.array([30, 40]), pd.Series([30, 40]), pl.Series([30, 40]), range(30, 41, 10)):
        assert stats.marginal_means(fit, "arm", by="age", at={"age": values}).table.equals(plain)
