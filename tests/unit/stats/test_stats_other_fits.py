import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise import stats
from equipoise.stats import refusals


def anova(frame, **options):
    return stats.rm_anova(frame, **({"outcome": "y", "subject": "id", "within": "visit"} | options))


def test_subjects_without_every_visit_are_left_out_whole_and_named(trial):
    gappy = trial.assign(y=trial["y"].where((trial["id"] != "P07") | (trial["visit"] != 2)))
    gappy = gappy[(gappy["id"] != "P02") | (gappy["visit"] != 3)]
    fit = anova(gappy, between="arm")
    assert fit.left_out == ("P02", "P07")
    assert (fit.n_subjects, fit.n_observations, fit.n_left_out) == (10, 40, 2)
    assert fit.method == (
        "10 complete subjects, 2 left out whole for a missing cell (P02, P07): repeated-measures analysis of variance, "
        "type III sums of squares, Greenhouse-Geisser (1959) and Huynh-Feldt (1976, Lecoutre 1991) corrections"
    )
    whole = anova(trial[~trial["id"].isin(["P02", "P07"])], between="arm")
    assert fit.table.equals(whole.table)
    assert "none left out" in whole.method


def test_an_epsilon_above_one_is_shown_and_taken_as_one(trial):
    # Drawn so that visits are as spherical as ten numbers can show: twelve independent rows.
    rng = np.random.default_rng(11)
    fit = anova(trial.assign(y=rng.normal(size=48)))
    row = fit.table.iloc[0]
    assert row["epsilon_hf"] > 1
    assert row["p_hf"] == row["p_value"]
    assert row["p_gg"] != row["p_value"]
    assert fit.notes == ("The Huynh-Feldt epsilon of visit is above one and was taken as one",)


def test_the_unit_of_the_outcome_leaves_epsilons_as_they_are(trial):
    fit = anova(trial, between="arm")
    for power in (-332, -20, 20, 300):
        scaled = anova(trial.assign(y=trial["y"] * 2.0**power), between="arm")
        for name in ("statistic", "p_value", "epsilon_gg", "p_gg", "epsilon_hf", "p_hf", "mauchly_w", "mauchly_p"):
            np.testing.assert_allclose(scaled.table[name], fit.table[name], rtol=1e-12)


def test_mauchly_is_left_empty_where_subjects_are_too_few(trial):
    fit = anova(trial[trial["id"].isin(["P00", "P01", "P02"])])
    assert fit.table["mauchly_w"].isna().all()
    assert fit.notes[-1] == "Mauchly's test of visit needs more subjects than it has contrasts"
    assert 1 / 3 <= fit.table["epsilon_gg"].iloc[0] <= 2 / 3


def test_rm_anova_gives_back_the_frame_that_came(trial):
    fit = anova(pl.DataFrame(trial.to_dict("list")), between="arm")
    assert isinstance(fit.table, pl.DataFrame)
    assert fit.table["effect"].to_list() == ["arm", "visit", "arm:visit"]
    assert fit.sphericity["effect"].to_list() == ["visit", "arm:visit"]
    assert fit.cells == ("0", "1", "2", "3")


ANOVA_REFUSED = {
    "duplicate": (
        lambda f: anova(pd.concat([f, f.iloc[:2]])),
        refusals.DuplicateVisit,
        "id, visit: has more than one row for P00 at 0, P00 at 1; keep one row a cell",
    ),
    "changing": (
        lambda f: anova(f.assign(arm=f["arm"].where(f.index != 3, "NK")), between="arm"),
        refusals.BadSample,
        "arm: changes within subject P00; name it in within, or correct the rows",
    ),
    "one_visit": (
        lambda f: anova(f[f["visit"] == 0]),
        refusals.BadSample,
        "visit: has one level; name a factor with two levels or more",
    ),
    "one_arm": (
        lambda f: anova(f[f["arm"] == "NK"], between="arm"),
        refusals.BadSample,
        "arm: has one level among complete subjects; drop it from between",
    ),
    "incomplete": (
        lambda f: anova(f.assign(y=f["y"].where(f["visit"] > 0))),
        refusals.BadSample,
        "data: has no subject with every cell; use gee, which takes incomplete subjects",
    ),
    "few": (
        lambda f: anova(f[f["id"].isin(["P00", "P11"])], between="arm"),
        refusals.TooFewClusters,
        "subject = id: has 2 complete subjects for 2 groups or contrasts; merge groups",
    ),
    "empty_cell": (
        lambda f: anova(f.assign(sex=np.where(f["id"] < "P03", "M", "F")), between=["arm", "sex"]),
        refusals.RankDeficient,
        "between = arm, sex: has a combination of levels with no complete subject; merge levels",
    ),
    "missing_arm": (
        lambda f: anova(f.assign(arm=f["arm"].where(f.index != 3)), between="arm"),
        refusals.MissingCovariate,
        "arm: is missing in row 4; fill it in or drop the row",
    ),
    "no_variation": (
        lambda f: anova(f.assign(y=1.0 * f["visit"])),
        refusals.BadSample,
        "outcome: leaves no residual variation for the effect of visit; check for copied values",
    ),
    "text": (
        lambda f: anova(f.assign(y="high")),
        refusals.BadSample,
        "outcome = y: holds something that is not a number; give a column of numbers",
    ),
    "infinite": (
        lambda f: anova(f.assign(y=np.inf)),
        refusals.BadSample,
        "outcome = y: holds an infinite value; correct it or mark it as missing",
    ),
    "extreme": (
        lambda f: anova(f.assign(y=f["y"] * 1e150)),
        refusals.BadSample,
        "y: holds values beyond 1e+100; give it in another unit",
    ),
    "alike": (
        lambda f: anova(f.assign(y=f["y"] * 1e-160)),
        refusals.BadSample,
        "y: varies by less than 1e-100; give it in another unit",
    ),
    "no_name": (
        lambda f: anova(f, within=3),
        refusals.BadSample,
        "within = 3: is not a name; give the name of a factor, or several",
    ),
    "no_names": (
        lambda f: anova(f, between=[3]),
        refusals.BadSample,
        "between = [3]: is not a name; give the name of a factor, or several",
    ),
    "column_twice": (
        lambda f: anova(f, within=["visit", "arm"], between="arm"),
        refusals.BadSample,
        "outcome, subject, within, between: name arm twice; name each column once",
    ),
    "no_factor": (
        lambda f: anova(f, within=[]),
        refusals.BadSample,
        "within: names no factor; name the column of the visit",
    ),
}


@pytest.mark.parametrize("case", ANOVA_REFUSED)
def test_rm_anova_refuses(trial, case):
    act, kind, text = ANOVA_REFUSED[case]
    with pytest.raises(kind) as refused:
        act(trial)
    assert str(refused.value) == text


def test_ancova_counts_who_has_no_outcome(trial):
    last = trial[trial["visit"] == 3]
    fit = stats.ancova("y ~ age + arm", last.assign(y=last["y"].where(last["id"] != "P04")), covariance="hc3")
    assert (fit.n_subjects, fit.n_left_out, fit.df) == (11, 1, 8.0)
    assert fit.method == (
        "Analysis of covariance by least squares, 11 rows (1 left out without an outcome), "
        "heteroscedasticity-consistent covariance HC3 (MacKinnon and White 1985), t tests on 8 df"
    )


ANCOVA_REFUSED = {
    "covariance": (
        lambda f: stats.ancova("y ~ arm", f, covariance="hc1"),
        refusals.UnknownChoice,
        "covariance = hc1: is not offered; choose one of model, hc2, hc3",
    ),
    "alone": (
        lambda f: stats.ancova("y ~ arm + only", f.assign(only=(f.index == 3).astype(int)), covariance="hc3"),
        refusals.NotIdentified,
        "covariance = hc3: needs every row to share its coefficients with others, and 1 do not; use the model "
        "covariance or drop the term that only one row informs",
    ),
    "perfect": (
        lambda f: stats.ancova("y ~ age", f.assign(y=2.0 * f["age"])),
        refusals.BadSample,
        "data: has no residual variation about the model; check for copied columns",
    ),
    "few": (
        lambda f: stats.ancova("y ~ arm", f.iloc[[0, 47]]),
        refusals.BadSample,
        "data: has 2 rows for 2 coefficients; drop covariates from the formula",
    ),
}


@pytest.mark.parametrize("case", ANCOVA_REFUSED)
def test_ancova_refuses(trial, case):
    act, kind, text = ANCOVA_REFUSED[case]
    with pytest.raises(kind) as refused:
        act(trial)
    assert str(refused.value) == text
