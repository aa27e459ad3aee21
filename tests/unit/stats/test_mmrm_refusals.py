# Every refusal of the repeated-measures fits, by its whole text.
import re

import numpy as np
import pandas as pd
import pytest

from equipoise import stats
from equipoise.stats.refusals import StatisticsRefusal

FORMULA = "y ~ arm * C(visit)"
OFFERED = "us, cs, csh, ar1, ar1h, toep, toeph, ad, adh, sp_exp"
FEWER = "use a structure with fewer parameters, such as cs or ar1"


def refusal(call, *args, **options):
    with pytest.raises(StatisticsRefusal) as caught:
        call(*args, **options)
    return str(caught.value)


def refused(frame, formula=FORMULA, **options):
    return refusal(stats.mmrm, formula, frame, **({"subject": "id", "visit": "visit"} | options))


def test_unknown_names(trial):
    assert refused(trial, covariance="un") == f"covariance = un: is not offered; choose one of {OFFERED}"
    assert refused(trial, method="mle") == "method = mle: is not offered; choose one of reml, ml"
    assert refused(trial, df="kr") == (
        "df = kr: is not offered; choose one of kenward-roger, kenward-roger-linear, satterthwaite, between-within, "
        "residual"
    )
    assert refused(trial, vcov="robust") == (
        "vcov = robust: is not offered; choose one of model, empirical, empirical-bias-reduced, empirical-jackknife"
    )
    columns = "choose one of id, visit, arm, age, y"
    assert refused(trial, subject="patient") == f"subject = patient: is not a column of the data; {columns}"
    assert refused(trial, visit="week") == f"visit = week: is not a column of the data; {columns}"
    assert refused(trial, group="sex") == f"group = sex: is not a column of the data; {columns}"
    assert refused(trial, weights="w") == f"weights = w: is not a column of the data; {columns}"
    assert refused(trial, covariance="sp_exp", coordinates="month") == (
        f"coordinates = month: is not a column of the data; {columns}"
    )
    assert refused(trial, level=95) == (
        "level = 95: is not a confidence level; give a number between 0 and 1, such as 0.95"
    )


def test_names_that_do_not_go_together(trial):
    assert refused(trial, vcov="empirical") == (
        "df = kenward-roger-linear: does not go with the empirical covariance; "
        "use satterthwaite, between-within or residual"
    )
    assert refused(trial, method="ml", df="kenward-roger") == (
        "df = kenward-roger: is defined for restricted likelihood only; use method reml, or satterthwaite with ml"
    )
    assert refused(trial, coordinates="age") == (
        "coordinates: do not go with the us covariance; use sp_exp, or drop them"
    )
    fit = stats.mmrm(FORMULA, trial, subject="id", visit="visit")
    assert refusal(fit.with_df, "normal").startswith("df = normal: is not offered; choose one of kenward-roger,")
    assert refusal(fit.with_vcov, "empirical") == (
        "df = kenward-roger-linear: does not go with the empirical covariance; "
        "use satterthwaite, between-within or residual"
    )


def test_rows_that_cannot_be_placed(trial):
    again = pd.concat([trial, trial.iloc[[5]]])
    assert refused(again) == "id, visit: has more than one row for P01 at 1; keep one row a visit"
    gap = trial.assign(age=trial["age"].where(trial["id"] != "P02"))
    assert refused(gap, "y ~ age + arm * C(visit)") == (
        "age: is missing in row 9, 10, 11, 12, where the outcome is known; "
        "fill it in, leave the row's outcome empty, or drop the covariate"
    )
    undeclared = trial.assign(visit=pd.Categorical(trial["visit"].where(trial["visit"] < 3), [0, 1, 2]))
    assert refused(undeclared, "y ~ arm * visit") == (
        "visit: is missing in row 4, 8, 12, 16, 20 and 7 more, where the outcome is known; "
        "fill it in, leave the row's outcome empty, or drop the covariate"
    )
    assert refused(trial[trial["visit"] == 0], "y ~ arm") == (
        "visit = visit: has one visit with an outcome; use ancova for a single visit"
    )
    text = trial.assign(visit="month " + trial["visit"].astype(str))
    for covariance in ("ar1", "ar1h", "toep", "toeph", "ad", "adh"):
        assert refused(text, "y ~ arm", covariance=covariance) == (
            f"visit = visit: is text, whose alphabetical order is not the order that the {covariance} covariance "
            "needs; give numbers, or categories in the order of the visits"
        )


def test_groups_and_weights(trial):
    changing = trial.assign(site=np.where((trial["id"] == "P03") & (trial["visit"] > 1), "B", "A"))
    assert refused(changing, group="site") == "group = site: changes within P03; give each subject one group"
    for bad in (0.0, -1.0, np.inf):
        weighted = trial.assign(w=np.where(trial.index == 7, bad, 1.0))
        assert refused(weighted, weights="w") == (
            "weights = w: holds values that are not above zero; leave those rows' outcome empty"
        )


def test_coordinates(trial):
    text = trial.assign(visit=pd.Categorical("month " + trial["visit"].astype(str)))
    assert refused(text, "y ~ arm", covariance="sp_exp") == (
        "coordinates: are needed for each of month 0, month 1, month 2, month 3; name a column of numbers"
    )
    assert refused(trial, covariance="sp_exp", coordinates={0: 0, 1: 2, 2: 6}) == (
        "coordinates: are needed for each of 0, 1, 2, 3; name a column of numbers"
    )
    assert refused(trial, covariance="sp_exp", coordinates="age") == (
        "coordinates = age: differs between rows of one visit; give each visit one coordinate"
    )
    assert refused(trial, covariance="sp_exp", coordinates={0: 0, 1: 2, 2: 2, 3: 6}) == (
        "coordinates: are not finite or not all different; correct those of visit"
    )


def test_designs_and_outcomes_that_do_not_do(trial):
    copied = trial.assign(old=trial["age"] * 2 + 1)
    assert refused(copied, "y ~ age + old + arm") == (
        "formula: makes old a combination of the columns before; "
        "drop a term, or merge categories that never occur together"
    )
    assert refused(trial.assign(y=trial["visit"] * 2.0), "y ~ visit") == (
        "data: has no residual variation about the model; check for copied columns"
    )
    assert refused(trial.iloc[:8].assign(arm=trial["age"]), "y ~ C(id):C(visit) - 1") == (
        "data: has 8 rows for 8 coefficients; drop terms from the formula"
    )


def test_covariances_that_the_subjects_cannot_tell(trial):
    few = trial[trial["id"].isin(["P00", "P01", "P10"])]
    assert refused(few, "y ~ 1") == (
        f"covariance = us: needs at least 4 subjects, one a visit, and there are 3; {FEWER}"
    )
    assert refused(trial[trial["id"].isin(["P00", "P10"])], "y ~ 1") == (
        f"covariance = us: has 10 parameters for 7 rows more than coefficients; {FEWER}"
    )
    uneven = trial[trial["id"].isin(["P00", "P01", "P02", *(f"P{who:02d}" for who in range(6, 12))])]
    assert refused(uneven, "y ~ arm", group="arm") == (
        f"covariance = us: needs at least 4 subjects of ART, one a visit, and there are 3; {FEWER}"
    )
    first = trial["id"] < "P06"
    apart = trial[(first & (trial["visit"] != 3)) | (~first & (trial["visit"] != 0))]
    assert refused(apart, "y ~ C(visit)") == (
        "covariance = us: is not determined: no subject has an outcome at 0 with 3; "
        "leave a visit out, or use another structure than unstructured"
    )
    assert refused(apart, "y ~ C(visit)", covariance="toep") == (
        "covariance = toep: is not determined: no subject has an outcome at 0 with 3; "
        "leave a visit out, or use another structure than Toeplitz"
    )
    alone = trial[trial["visit"] == trial["id"].str[1:].astype(int) % 2]
    assert refused(alone, "y ~ 1", covariance="cs") == (
        "covariance = cs: is not determined: no subject has an outcome at 0 with 1; "
        "leave a visit out, or use another structure than compound symmetry"
    )
    five = trial[trial["id"].isin(["P00", "P01", "P02", "P06", "P07"])]
    assert refused(five) == (f"covariance = us: fits best where the covariance of the visits is singular; {FEWER}")


def test_searches_that_end_nowhere(trial, monkeypatch):
    # Neighbouring visits that vary against each other, which no range can say.
    noise = np.random.default_rng(0).normal(size=(12, 4))
    noise[:, [1, 3]] -= 0.8 * noise[:, [0, 2]]
    swings = trial.assign(y=noise.ravel())
    assert refused(swings, covariance="sp_exp") == (
        f"covariance = sp_exp: has parameters that the data do not determine; {FEWER}"
    )
    monkeypatch.setattr("equipoise.stats.mmrm_engine.MOST_STEPS", 1)
    message = refused(trial, covariance="toep")
    assert re.sub(r"[\d.]+e[-+]\d+", "#", message) == (
        f"covariance = toep: has not settled after 1 steps (relative gradient #); {FEWER}"
    )


def test_joint_tests_that_do_not_exist():
    # Seven visits, nine subjects: Kenward and Roger's approximation breaks down for six contrasts at once.
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"id": np.repeat(range(10), 7), "visit": np.tile(range(7), 10)})
    frame["arm"] = frame["id"] % 2
    frame["y"] = rng.normal(size=70) + np.repeat(rng.normal(size=10), 7)
    fit = stats.mmrm(FORMULA, frame, subject="id", visit="visit")
    assert refusal(fit.joint_test, "arm:C(visit)") == (
        "terms: asks for 6 contrasts at once, more than Kenward and Roger's approximation allows here; "
        "test fewer, or use box_test"
    )


def test_contrasts(trial):
    fit = stats.mmrm(FORMULA, trial, subject="id", visit="visit")
    for weights in ([1, 0], [0] * 8, [np.nan] * 8):
        assert refusal(fit.contrast, weights) == (
            "weights: are no contrasts of 8 coefficients; give 8 finite weights, not all zero"
        )
    for weights in ("arm", [[1], [1, 2]]):
        for call in (fit.contrast, fit.df_of):
            assert refusal(call, weights) == "weights: are not numbers; give 8 finite weights a contrast"
    assert refusal(fit.contrast, np.eye(8)[:2]) == "weights: has 2 rows; give one contrast, or use joint_test"
    assert refusal(fit.joint_test, "dose").startswith("terms = dose: is not in the model; choose from ")


def test_leverage(trial):
    lone = trial.assign(site=np.where(trial["id"] == "P04", "B", "A"))
    fit = stats.mmrm("y ~ arm + site", lone, subject="id", visit="visit", covariance="cs", df="satterthwaite")
    for vcov in ("empirical-bias-reduced", "empirical-jackknife"):
        assert refusal(fit.with_vcov, vcov) == (
            f"vcov = {vcov}: is not defined: P04 determines a coefficient alone; "
            "use the model or empirical covariance, or drop that term"
        )


def test_coefficients_without_variance(trial, monkeypatch):
    fit = stats.mmrm(FORMULA, trial, subject="id", visit="visit", covariance="cs", df="satterthwaite")
    monkeypatch.setattr(
        "equipoise.stats.mmrm_fit.adjusted", lambda problem, solution, spread, *, linear: -np.eye(8)[np.newaxis]
    )
    names = ", ".join(fit.coefficients["term"])
    assert refusal(fit.with_df, "kenward-roger") == (
        f"df = kenward-roger: gives no variance to {names}; use satterthwaite"
    )
    monkeypatch.setattr(
        "equipoise.stats.mmrm_fit.sandwich",
        lambda subjects, state, name: (np.zeros((8, 8)), np.zeros(0, np.intp)),
    )
    assert refusal(fit.with_vcov, "empirical") == (
        f"vcov = empirical: gives no variance to {names}; drop the term, or use the model covariance"
    )


def test_arrays():
    y, x = np.zeros((5, 8, 3)), np.ones((8, 3, 1))
    assert refusal(stats.batch.mmrm, y, np.ones((8, 4, 1))) == (
        "y, X = ((5, 8, 3), (8, 4, 1)): do not agree; give y (..., n, T) and X (..., n, T, p)"
    )
    assert refusal(stats.batch.mmrm, y, x, np.ones((8, 2), bool)) == (
        "observed = (8, 2): does not end in (8, 3); give (..., n, T)"
    )
    assert refusal(stats.batch.mmrm, y, np.ones((4, 8, 3, 1))) == (
        "y, X: have leading axes that do not agree (y (5, 8, 3), X (4, 8, 3, 1), observed (8, 3)); check the shapes"
    )
    assert refusal(stats.batch.mmrm, np.full((8, 3), np.nan), x) == (
        "y, X: hold 24 observed values that are not finite; correct them"
    )
    assert refusal(stats.batch.mmrm, y, np.ones((8, 3, 2))) == (
        "X: has columns that repeat one another in every fit; drop them"
    )
    assert refusal(stats.batch.mmrm, y, x, group=["NK", "ART"]) == "group = (2,): does not end in (8,); give (..., n)"
    assert refusal(stats.batch.mmrm, y, x, weights=np.ones((8, 2))) == (
        "weights = (8, 2): does not end in (8, 3); give (..., n, T)"
    )
    assert refusal(stats.batch.mmrm, y, x, weights=np.zeros((8, 3))) == (
        "weights: hold 24 values that are not above zero; correct them"
    )
    assert refusal(stats.batch.mmrm, y, x, group=np.zeros((4, 8)), weights=np.ones((4, 8, 3))) == (
        "y, X: have leading axes that do not agree "
        "(y (5, 8, 3), X (8, 3, 1), observed (8, 3), group (4, 8), weights (4, 8, 3)); check the shapes"
    )
    assert refusal(stats.batch.mmrm, y, x, df="between-within") == (
        "df = between-within: is not offered; "
        "choose one of kenward-roger, kenward-roger-linear, satterthwaite, residual"
    )


@pytest.mark.parametrize(
    ("factor", "told"),
    [(1e80, "varies by more than 1e+70"), (1e-90, "varies by less than 1e-70")],
)
def test_an_outcome_whose_variances_no_float_holds(trial, factor, told):
    extreme = trial.assign(y=trial["y"] * factor)
    assert refused(extreme) == f"outcome: {told}; give it in another unit"
    y = np.random.default_rng(4).normal(size=(8, 3)) * factor
    assert refusal(stats.batch.mmrm, y, np.ones((8, 3, 1))) == f"y: {told}; give it in another unit"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1e69, 1e-69])
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_an_outcome_of_any_unit_short_of_that_gives_the_same_test(trial, factor, df):
    plain, scaled = (
        stats.mmrm(FORMULA, trial.assign(y=trial["y"] * unit), subject="id", visit="visit", df=df)
        for unit in (1.0, factor)
    )
    first, second = (fit.joint_test("arm:C(visit)") for fit in (plain, scaled))
    assert (second.statistic, second.p_value) == pytest.approx((first.statistic, first.p_value), rel=1e-6)
