"""Residuals, influence and score tests of a GEE fit."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.genmod.cov_struct import Independence

from equipoise import stats
from equipoise.stats.refusals import StatisticsRefusal


def gee(frame, formula="y ~ arm * visit", **options):
    return stats.gee(formula, frame, **({"cluster": "id", "time": "visit"} | options))


@pytest.fixture
def counts(trial):
    """The trial with a count, a yes or no, and gaps."""
    rng = np.random.default_rng(12)
    frame = trial.assign(count=rng.poisson(np.exp((trial["y"] - 9) / 2)), event=(trial["y"] > 10.3) * 1.0)
    gap = rng.random(len(frame)) < 0.15
    return frame.assign(**{name: frame[name].where(~gap) for name in ("y", "count", "event")})


@pytest.mark.parametrize("working", ["exchangeable", "ar1"])
def test_coefficients_without_a_cluster_are_those_of_a_fit_without_it(counts, working):
    # Exact for an identity link when the working correlation stays what it was.
    given = gee(counts, working=working).working_correlation
    fit = gee(counts, working=given)
    found = fit.influence()
    assert found.clusters == fit.estimates.clusters
    for place, who in enumerate(found.clusters):
        without = gee(counts[counts["id"] != who], working=given)
        np.testing.assert_allclose(found.beta_without[place], without.beta, rtol=1e-9)
        moved = fit.beta - without.beta
        cook = moved @ np.linalg.solve(fit.with_covariance("model").covariance, moved) / 4
        assert found.cook[place] == pytest.approx(cook, rel=1e-8)
    assert found.leverage.sum() == pytest.approx(4)


def test_influence_under_another_link_is_one_step(counts):
    fit = gee(counts, "count ~ arm + visit", family="poisson", working="independence")
    found = fit.influence()
    for place, who in enumerate(found.clusters):
        without = gee(counts[counts["id"] != who], "count ~ arm + visit", family="poisson", working="independence")
        moved, step = fit.beta - without.beta, fit.beta - found.beta_without[place]
        assert np.linalg.norm(moved - step) < 0.35 * np.linalg.norm(moved)


def test_influence_of_a_cluster_alone_is_refused(trial):
    trial["arm"] = np.where(trial["id"] == "P00", "NK", "ART")
    with pytest.raises(StatisticsRefusal) as refused:
        gee(trial, covariance="robust").influence()
    assert str(refused.value) == ("influence: is infinite, because P00 determines a coefficient alone; drop that term")


def test_residuals_are_in_the_outcomes_units(counts):
    fit = gee(counts)
    table = fit.residuals()
    known = counts.dropna(subset="y").sort_values(["id", "visit"]).reset_index(drop=True)
    assert list(table["cluster"]) == list(known["id"])
    assert list(table["visit"]) == list(known["visit"])
    np.testing.assert_allclose(table["outcome"], known["y"], rtol=1e-12)
    arm = (known["arm"] == "NK").to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(known)), arm, known["visit"], arm * known["visit"]])
    np.testing.assert_allclose(table["fitted"], x @ fit.beta, rtol=1e-12)
    np.testing.assert_allclose(table["raw"], known["y"] - x @ fit.beta, atol=1e-9)
    np.testing.assert_allclose(table["pearson"], table["raw"], atol=1e-9)
    assert isinstance(gee(pl.DataFrame(counts.dropna().to_dict("list"))).residuals(), pl.DataFrame)


def test_standardised_residuals_of_independent_visits_are_those_of_least_squares(counts):
    # statsmodels 0.14: OLS.get_influence().resid_studentized_internal, 1e-9 relative.
    fit = gee(counts, working="independence")
    known = counts.dropna(subset="y").sort_values(["id", "visit"])
    arm = (known["arm"] == "NK").to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(known)), arm, known["visit"], arm * known["visit"]])
    theirs = sm.OLS(known["y"].to_numpy(), x).fit().get_influence().resid_studentized_internal
    np.testing.assert_allclose(fit.residuals()["standardised"], theirs, rtol=1e-9)


def test_pearson_residuals_divide_by_the_variance_function_and_weights(counts):
    weighted = counts.assign(w=1 + counts["visit"] / 2)
    table = gee(weighted, "count ~ arm + visit", family="poisson", weights="w").residuals()
    expected = table["raw"] / np.sqrt(table["fitted"] / (1 + table["visit"] / 2))
    np.testing.assert_allclose(table["pearson"], expected, rtol=1e-9)


def test_an_observation_with_full_leverage_has_no_standardised_residual(trial):
    frame = trial.assign(first=((trial["id"] == "P00") & (trial["visit"] == 0)) * 1.0)
    table = gee(frame, "y ~ visit + first", working="independence", covariance="robust").residuals()
    assert np.isnan(table["standardised"][0])
    assert np.isfinite(table["standardised"][1:]).all()


FAMILIES = {
    "y": ("gaussian", sm.families.Gaussian()),
    "event": ("binomial", sm.families.Binomial()),
    "count": ("poisson", sm.families.Poisson()),
}


@pytest.mark.parametrize("outcome", FAMILIES)
def test_score_tests_agree_with_statsmodels(counts, outcome):
    # statsmodels 0.14: GEE.compare_score_test with independent visits, where both restricted fits are the same.
    # Tolerance 1e-6 relative: its iteration stops at 1e-6 unless told; it is told 1e-12.
    family, theirs = FAMILIES[outcome]
    fit = gee(counts, f"{outcome} ~ arm * visit", family=family, working="independence", covariance="robust")
    known = counts.dropna(subset=outcome).sort_values(["id", "visit"])
    arm = (known["arm"] == "NK").to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(known)), known["visit"], arm, arm * known["visit"]])
    y = known[outcome].to_numpy()
    full, small = (sm.GEE(y, part, known["id"], family=theirs, cov_struct=Independence()) for part in (x, x[:, :2]))
    expected = full.compare_score_test(small.fit(ctol=1e-12, params_niter=1, maxiter=500))
    test = fit.score_test(["arm", "arm:visit"])
    assert test.statistic * 2 == pytest.approx(expected["statistic"], rel=1e-6)
    assert test.p_value == pytest.approx(expected["p-value"], rel=1e-6)
    assert (test.df_num, test.df_den) == (2, np.inf)
    assert test.method == (
        "generalised score test (Rotnitzky and Jewell 1990; Boos 1992), chi-squared on 2 df divided by 2"
    )


def plain_score(frame, restricted, columns, correlation):
    """The score statistic one subject at a time: full scores at the restricted fit of a normal outcome."""
    scores, information = [], 0
    known = frame.dropna(subset="y").sort_values(["id", "visit"])
    for _, own in known.groupby("id"):
        arm = (own["arm"] == "NK").to_numpy(dtype=float)
        x = np.column_stack([np.ones(len(own)), arm, own["visit"], arm * own["visit"]])
        inverse = np.linalg.inv(correlation[np.ix_(own["visit"], own["visit"])])
        scores.append(x.T @ inverse @ (own["y"].to_numpy() - x @ restricted))
        information = information + x.T @ inverse @ x
    inner = np.linalg.inv(information)[columns]
    steps = np.array(scores) @ inner.T
    return steps.sum(axis=0) @ np.linalg.solve(steps.T @ steps, steps.sum(axis=0))


def test_a_score_test_takes_scale_and_correlation_from_the_restricted_fit(counts):
    small = gee(counts, "y ~ visit")
    expected = plain_score(counts, np.array([small.beta[0], 0, small.beta[1], 0]), [1, 3], small.working_correlation)
    test = gee(counts).score_test(["arm", "arm:visit"])
    assert test.statistic * 2 == pytest.approx(expected, rel=1e-8)


def test_a_score_test_takes_any_contrast_and_any_origin(counts):
    # That the arms' lines meet at visit 3, and that the mean at visit 0 in one arm is nought once moved there.
    moved = counts.assign(later=counts["visit"] - 3)
    expected = gee(moved, "y ~ arm * later").score_test("arm")
    found = gee(counts).score_test([[0.0, 1.0, 0.0, 3.0]])
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-8)
    far = gee(counts.assign(y=counts["y"] + 1e6)).score_test("arm:visit")
    assert far.statistic == pytest.approx(gee(counts).score_test("arm:visit").statistic, rel=1e-6)
    at_nought = gee(counts, "y ~ visit").score_test([[1.0, 0.0]])
    assert at_nought.statistic == pytest.approx(plain_without_intercept(counts), rel=1e-6)


def plain_without_intercept(frame):
    """The same hypothesis by a fit without an intercept, its scores by hand."""
    small = gee(frame, "y ~ 0 + visit", covariance="model")
    scores, information = [], 0
    known = frame.dropna(subset="y").sort_values(["id", "visit"])
    for _, own in known.groupby("id"):
        x = np.column_stack([np.ones(len(own)), own["visit"]])
        inverse = np.linalg.inv(small.working_correlation[np.ix_(own["visit"], own["visit"])])
        scores.append(x.T @ inverse @ (own["y"].to_numpy() - x[:, 1] * small.beta[0]))
        information = information + x.T @ inverse @ x
    steps = np.array(scores) @ np.linalg.inv(information)[0]
    return steps.sum() ** 2 / (steps @ steps)


def test_score_tests_that_cannot_be_made_are_refused(trial):
    fit = gee(trial)
    with pytest.raises(StatisticsRefusal) as refused:
        fit.score_test(np.eye(4))
    assert str(refused.value) == "terms: leave no coefficient under the hypothesis; use joint_test"
    one = trial["id"] == "P00"
    frame = trial.assign(first=(one & (trial["visit"] == 0)) * 1.0, second=(one & (trial["visit"] == 1)) * 1.0)
    apart = gee(
        frame.assign(rest=~one * 1.0), "y ~ 0 + rest + first + second", working="independence", covariance="model"
    )
    with pytest.raises(StatisticsRefusal) as refused:
        apart.score_test(["first", "second"])
    assert str(refused.value) == (
        "terms: asks for 2 contrasts at once, more than the clusters have rank for; test fewer"
    )
