"""Residuals, influence and visit covariances of repeated-measures fits: their frames, by hand, and what is refused."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise import stats
from equipoise.stats import mmrm_fit
from equipoise.stats.mmrm_engine import solve
from equipoise.stats.refusals import StatisticsRefusal

FORMULA = "y ~ arm + C(visit)"
FEWER = "use a structure with fewer parameters, such as cs or ar1"
ALONE = "determines a coefficient alone"


def fitted(frame, formula=FORMULA, covariance="cs", **options):
    return stats.mmrm(formula, frame, subject="id", visit="visit", covariance=covariance, **options)


def refusal(call, *args, **options):
    with pytest.raises(StatisticsRefusal) as caught:
        call(*args, **options)
    return str(caught.value)


def test_residuals_are_rows_with_an_outcome_by_subject_and_visit(trial):
    trial.loc[[1, 6], "y"] = np.nan
    shuffled = trial.sample(frac=1, random_state=3)
    known = trial.dropna(subset="y")
    found = stats.residuals(fitted(shuffled))
    assert list(found.columns) == ["subject", "visit", "fitted", "residual"]
    assert found["subject"].tolist() == known["id"].tolist()
    assert found["visit"].tolist() == known["visit"].tolist()
    np.testing.assert_allclose(found["fitted"] + found["residual"], known["y"], rtol=1e-14)


def test_residuals_of_two_visits_by_hand():
    """Two visits, compound symmetry: variance v, covariance c. The second is what the first does not foretell."""
    rng = np.random.default_rng(2)
    who = np.repeat([f"P{place}" for place in range(9)], 2)
    frame = pd.DataFrame({"id": who, "visit": np.tile([1, 2], 9), "y": rng.normal(5, 1, 18)})
    frame["y"] += np.repeat(rng.normal(0, 2, 9), 2)
    fit = fitted(frame, "y ~ 1")
    c, v = fit.theta["covariance"], fit.theta["covariance"] + fit.theta["residual"]
    raw = frame["y"].to_numpy() - fit.beta[0]
    np.testing.assert_allclose(stats.residuals(fit)["residual"], raw, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(stats.residuals(fit, "pearson")["residual"], raw / math.sqrt(v), rtol=1e-10, atol=1e-12)
    first, second = raw[::2], raw[1::2]
    apart = stats.residuals(fit, "standardised")["residual"].to_numpy()
    np.testing.assert_allclose(apart[::2], first / math.sqrt(v), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(apart[1::2], (second - c / v * first) / math.sqrt(v - c**2 / v), rtol=1e-9, atol=1e-12)


def test_residuals_of_a_shifted_outcome_lose_no_digits(trial):
    plain = stats.residuals(fitted(trial), "standardised")["residual"]
    trial["y"] = (trial["y"] * 2**20).round() / 2**20
    exact = stats.residuals(fitted(trial), "standardised")["residual"]
    trial["y"] += 2.0**26
    far = stats.residuals(fitted(trial), "standardised")["residual"]
    np.testing.assert_allclose(far, exact, atol=1e-6)
    np.testing.assert_allclose(exact, plain, atol=1e-4)


def test_frames_are_of_the_kind_that_came_in(trial):
    fit = fitted(pl.DataFrame(trial.to_dict(orient="list")))
    moved = stats.influence(fit)
    for frame in (stats.residuals(fit), moved.subjects, moved.changes, stats.visit_correlation(fit)):
        assert isinstance(frame, pl.DataFrame)
    plain = stats.influence(fitted(trial)).subjects["cook"]
    np.testing.assert_array_equal(moved.subjects["cook"].to_numpy(), plain)


def test_influence_of_a_subject_far_from_the_others(trial):
    trial.loc[trial["id"] == "P07", "y"] += 25
    trial.loc[5, "y"] = np.nan
    found = stats.influence(fitted(trial))
    assert list(found.subjects.columns) == ["subject", "n_observations", "cook"]
    assert list(found.changes.columns) == ["subject", "term", "change", "std_errors"]
    assert found.subjects["subject"].tolist() == [f"P{who:02d}" for who in range(12)]
    assert found.subjects["n_observations"].tolist() == [4, 3] + [4] * 10
    assert found.subjects.loc[found.subjects["cook"].idxmax(), "subject"] == "P07"
    assert found.changes["term"].tolist()[:5] == fitted(trial).coefficients["term"].tolist()
    own = found.changes[(found.changes["subject"] == "P07") & (found.changes["term"] == "arm[T.NK]")]
    assert own["change"].item() > 3  # 25 over six subjects of the arm is some 4
    assert found.refused == {}
    assert found.method == (
        "Cook's distance and changes of the coefficients from 12 refits, each without one subject and with its "
        "covariance parameters estimated again, by the model covariance (Christensen, Pearson and Johnson 1992)"
    )


def test_influence_of_a_mean_by_hand(trial):
    """Complete data and compound symmetry: the mean is that of all outcomes, its variance that of subjects' means."""
    found = stats.influence(fitted(trial, "y ~ 1"))
    means = trial.groupby("id")["y"].mean().to_numpy()
    rest = (means.sum() - means) / 11
    change = means.mean() - rest
    np.testing.assert_allclose(found.changes["change"], change, rtol=1e-9, atol=1e-12)
    variance = means.var(ddof=1) / 12
    np.testing.assert_allclose(found.changes["std_errors"], change / math.sqrt(variance), rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(found.subjects["cook"], change**2 / variance, rtol=1e-7, atol=1e-12)


def test_influence_does_not_depend_on_the_rules_of_the_tests(trial):
    fit = fitted(trial)
    first = stats.influence(fit)
    for other in (fit.with_df("residual"), fit.with_vcov("empirical", "satterthwaite")):
        again = stats.influence(other)
        pd.testing.assert_frame_equal(again.subjects, first.subjects, check_exact=True)
        pd.testing.assert_frame_equal(again.changes, first.changes, check_exact=True)


def test_distances_and_changes_are_in_the_model_covariance(trial):
    fit = fitted(trial, df="satterthwaite", group="arm")
    found = stats.influence(fit)
    change = found.changes["change"].to_numpy().reshape(12, -1)
    std_errors = (change / np.sqrt(np.diag(fit.covariance))).ravel()
    np.testing.assert_allclose(found.changes["std_errors"], std_errors, rtol=1e-9, atol=1e-12)
    distance = (change @ np.linalg.inv(fit.covariance) * change).sum(axis=1) / 5
    np.testing.assert_allclose(found.subjects["cook"], distance, rtol=1e-8)


def test_influence_names_who_alone_determines_a_coefficient(trial):
    trial["rare"] = (trial["id"] == "P03").astype(float)
    found = stats.influence(fitted(trial, "y ~ arm + rare"))
    assert found.refused == {"P03": ALONE}
    assert "P03" not in found.subjects["subject"].tolist() + found.changes["subject"].tolist()
    assert len(found.subjects) == 11
    assert np.isfinite(found.subjects["cook"]).all()
    assert found.method == (
        "Cook's distance and changes of the coefficients from 11 refits, each without one subject and with its "
        "covariance parameters estimated again, by the model covariance (Christensen, Pearson and Johnson 1992); "
        "no fit without P03"
    )


def test_influence_names_who_alone_determines_the_covariance(trial):
    few = trial[trial["id"] <= "P07"]
    undetermined = f"covariance = cs: has parameters that the data do not determine; {FEWER}"
    found = stats.influence(fitted(few, "y ~ arm", group="arm"))
    assert found.refused == {"P06": undetermined, "P07": undetermined}
    assert len(found.subjects) == 6
    trial.loc[(trial["id"] != "P02") & (trial["visit"] == 3), "y"] = np.nan
    found = stats.influence(fitted(trial, "y ~ arm + visit", "csh"))
    assert found.refused == {"P02": f"covariance = csh: has parameters that the data do not determine; {FEWER}"}
    assert len(found.subjects) == 11


def test_influence_names_who_is_a_group_by_himself(trial):
    found = stats.influence(fitted(trial[trial["id"] <= "P06"], "y ~ 1", group="arm"))
    assert found.refused == {
        "P06": "covariance = cs: is not determined: no subject of NK has an outcome at 0 with 1, 0 with 2, 0 with 3, "
        "1 with 2, 1 with 3 and 1 more; leave a visit out, or use another structure than compound symmetry"
    }


def test_influence_names_who_leaves_the_search_nowhere_to_go(trial, monkeypatch):
    fit = fitted(trial)
    calls = iter(range(12))

    def fails_once(problem):
        if next(calls) == 4:
            raise np.linalg.LinAlgError("Matrix is not positive definite")
        return solve(problem)

    monkeypatch.setattr(mmrm_fit, "solve", fails_once)
    found = stats.influence(fit)
    assert found.refused == {"P04": f"covariance = cs: leads the search to where the information is singular; {FEWER}"}
    assert "P04" not in found.subjects["subject"].tolist()
    assert len(found.subjects) == 11


def test_influence_is_refused_where_nobody_can_be_left_out(trial):
    assert refusal(stats.influence, fitted(trial, "y ~ 0 + id", "ar1")) == (
        f"fit: cannot be made without any one of its 12 subjects (without P00: {ALONE}); "
        "use a structure with fewer parameters, or drop terms from the formula"
    )


def test_visit_correlation_by_group(trial):
    fit = fitted(trial, covariance="csh", group="arm")
    found = stats.visit_correlation(fit)
    assert list(found.columns) == ["group", "visit", "with_visit", "covariance", "correlation"]
    assert len(found) == 2 * 4 * 4
    for group in ("ART", "NK"):
        own = found[found["group"] == group]
        table = own.pivot(index="visit", columns="with_visit", values="covariance")
        np.testing.assert_array_equal(table, fit.visit_covariance[group])
        correlation = own.pivot(index="visit", columns="with_visit", values="correlation").to_numpy()
        assert (np.diag(correlation) == 1).all()
        np.testing.assert_allclose(correlation[~np.eye(4, dtype=bool)], fit.theta[f"{group}: rho"], rtol=1e-12)


def test_visit_correlation_without_groups(trial):
    found = stats.visit_correlation(fitted(trial))
    assert set(found["group"]) == {"all"}
    assert found["visit"].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert found["with_visit"].tolist() == [0, 1, 2, 3] * 4


def test_what_is_no_kind_and_no_fit_is_refused(trial):
    assert refusal(stats.residuals, fitted(trial), "normalized") == (
        "kind = normalized: is not offered; choose one of raw, pearson, standardised"
    )
    gee = stats.gee("y ~ arm", trial, cluster="id")
    for call in (stats.residuals, stats.influence, stats.visit_correlation):
        assert refusal(call, gee) == (
            "fit = GeeFit: is not a repeated-measures fit; give what stats.mmrm returns (what stats.gee returns has "
            "residuals and influence of its own)"
        )
