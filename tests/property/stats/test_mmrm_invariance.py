"""What must not change a repeated-measures fit: row order, names, units, and which path computes it."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.refusals import NotConverged, NotIdentified

FORMULA = "y ~ age + arm * C(visit)"
KINDS = ("us", "ar1h", "cs", "toep")


def trial(seed, n=24, visits=4, gaps=0.1):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"id": np.repeat([f"P{who:02d}" for who in range(n)], visits), "visit": np.tile(range(visits), n)}
    )
    frame["arm"] = np.repeat(np.where(np.arange(n) % 2, "NK", "ART"), visits)
    frame["age"] = np.repeat(rng.integers(20, 60, n), visits).astype(float)
    frame["dose"] = rng.normal(size=n * visits).round(3)
    frame["y"] = 5 + np.repeat(rng.normal(size=n), visits) + rng.normal(size=n * visits)
    frame.loc[rng.random(n * visits) < gaps, "y"] = np.nan
    return frame


def fitted(frame, **options):
    options = {"formula": FORMULA, "covariance": "us"} | options
    try:
        return stats.mmrm(options.pop("formula"), frame, subject="id", visit="visit", **options)
    except (NotConverged, NotIdentified):
        assume(False)


def assert_same_tests(fit, other, rel=1e-7):
    np.testing.assert_allclose(other.coefficients["statistic"], fit.coefficients["statistic"], rtol=rel, atol=rel)
    np.testing.assert_allclose(other.df, fit.df, rtol=rel)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), covariance=st.sampled_from(KINDS), order=st.randoms(use_true_random=False))
def test_row_order_changes_no_bit(seed, covariance, order):
    frame = trial(seed)
    places = list(range(len(frame)))
    order.shuffle(places)
    fit, other = fitted(frame, covariance=covariance), fitted(frame.iloc[places], covariance=covariance)
    assert np.array_equal(fit.beta, other.beta)
    assert np.array_equal(fit.covariance, other.covariance)
    assert np.array_equal(fit.df, other.df)
    assert fit.log_likelihood == other.log_likelihood
    assert fit.theta == other.theta


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    covariance=st.sampled_from(KINDS),
    scale=st.sampled_from([1e-6, 0.37, 1e6]),
    shift=st.sampled_from([-1e3, 0.0, 1e8]),
)
def test_units_and_origin_of_the_outcome_change_no_test(seed, covariance, scale, shift):
    frame = trial(seed)
    fit, other = fitted(frame, covariance=covariance), fitted(frame.assign(y=scale * frame["y"]), covariance=covariance)
    assert_same_tests(fit, other, 1e-8)
    for name, power in zip(fit.theta, fit.estimates.posed.problem.structure.powers, strict=True):
        assert other.theta[name] == pytest.approx(fit.theta[name] * scale ** (2 * power), rel=1e-7, abs=1e-9 * scale**2)
    moved = fitted(frame.assign(y=frame["y"] + shift), covariance=covariance)
    # A shift of 1e8 leaves eight digits of the outcome itself.
    rel = 1e-9 if abs(shift) < 1e4 else 1e-5
    assert_same_tests_but_intercept(fit, moved, rel)
    assert moved.beta[0] == pytest.approx(fit.beta[0] + shift, rel=1e-9)


def assert_same_tests_but_intercept(fit, other, rel):
    np.testing.assert_allclose(other.beta[1:], fit.beta[1:], rtol=rel, atol=rel)
    np.testing.assert_allclose(other.coefficients["std_error"], fit.coefficients["std_error"], rtol=rel)
    np.testing.assert_allclose(other.df, fit.df, rtol=rel)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    covariance=st.sampled_from(KINDS),
    scale=st.sampled_from([1e-6, 1e6]),
    shift=st.sampled_from([0.0, -30.0, 1e6]),
)
def test_units_and_origin_of_a_covariate_change_no_test(seed, covariance, scale, shift):
    frame = trial(seed)
    fit = fitted(frame, covariance=covariance)
    other = fitted(frame.assign(age=scale * (frame["age"] + shift)), covariance=covariance)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood - np.log(scale), rel=1e-9)
    slope = list(fit.coefficients["term"]).index("age")
    assert other.beta[slope] * scale == pytest.approx(fit.beta[slope], rel=1e-7, abs=1e-9)
    assert other.joint_test("arm:C(visit)").statistic == pytest.approx(
        fit.joint_test("arm:C(visit)").statistic, rel=1e-7
    )


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), covariance=st.sampled_from(KINDS))
def test_names_of_subjects_change_nothing(seed, covariance):
    frame = trial(seed)
    renamed = frame.assign(id=frame["id"].map(lambda code: f"{100 - int(code[1:]):03d}"))
    fit, other = fitted(frame, covariance=covariance), fitted(renamed, covariance=covariance)
    np.testing.assert_allclose(other.beta, fit.beta, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(other.covariance, fit.covariance, rtol=1e-8, atol=1e-11)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_covariates_that_change_with_the_visit_are_fitted_row_by_row(seed):
    frame = trial(seed)
    fit = fitted(frame, formula="y ~ arm + dose + arm:dose + C(visit)", covariance="csh", df="satterthwaite")
    known = frame.dropna(subset="y").sort_values(["id", "visit"])
    nk = (known["arm"] == "NK").to_numpy(float)
    dose = known["dose"].to_numpy()
    late = [(known["visit"] == visit).to_numpy(float) for visit in (1, 2, 3)]
    x = {"Intercept": np.ones(len(known)), "arm[T.NK]": nk, "dose": dose, "arm[T.NK]:dose": nk * dose}
    x |= {f"C(visit)[T.{visit}]": late[visit - 1] for visit in (1, 2, 3)}
    design = np.column_stack([x[name] for name in fit.coefficients["term"]])
    sigma = fit.visit_covariance["all"]
    same = known["id"].to_numpy()[:, np.newaxis] == known["id"].to_numpy()
    v = np.where(same, sigma[np.ix_(known["visit"], known["visit"])], 0.0)
    phi = np.linalg.inv(design.T @ np.linalg.solve(v, design))
    np.testing.assert_allclose(fit.covariance, phi, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(fit.beta, phi @ design.T @ np.linalg.solve(v, known["y"]), rtol=1e-8, atol=1e-9)


@settings(max_examples=8)
@given(
    seed=st.integers(0, 10_000),
    gaps=st.sampled_from([0.0, 0.1]),
    covariance=st.sampled_from(KINDS),
    grouped=st.booleans(),
    weighted=st.booleans(),
)
def test_batch_is_the_single_fit_of_each_trial(seed, gaps, covariance, grouped, weighted):
    rng = np.random.default_rng(seed)
    n, visits, trials = 24, 4, 5
    y = rng.normal(size=(trials, n, 1)) + rng.normal(size=(trials, n, visits))
    seen = rng.random(y.shape) >= gaps
    seen[:, :, 0] = True
    arm = (np.arange(n) % 2).astype(float)
    x = np.zeros((n, visits, 2 * visits))
    for visit in range(visits):
        x[:, visit, visit], x[:, visit, visits + visit] = 1.0, arm
    effects = np.eye(2 * visits)[visits:]
    weights = rng.uniform(0.5, 2.0, size=(n, visits))
    for df in ("kenward-roger-linear", "satterthwaite", "residual"):
        batch = stats.batch.mmrm(
            y,
            x,
            seen if gaps else None,
            covariance=covariance,
            group=arm if grouped else None,
            weights=weights if weighted else None,
            df=df,
            contrasts=effects,
            joint=effects[1:] - effects[0],
        )
        for place in range(trials):
            rows = [
                (who, visit, arm[who], y[place, who, visit], weights[who, visit])
                for who in range(n)
                for visit in range(visits)
                if seen[place, who, visit]
            ]
            frame = pd.DataFrame(rows, columns=["id", "visit", "arm", "y", "w"])
            try:
                fit = stats.mmrm(
                    "y ~ 0 + C(visit) + C(visit):arm",
                    frame,
                    subject="id",
                    visit="visit",
                    covariance=covariance,
                    df=df,
                    group="arm" if grouped else None,
                    weights="w" if weighted else None,
                )
            except (NotConverged, NotIdentified):
                assert not batch.usable[place]
                assert np.isinf(batch.std_error[place]).all()
                continue
            assert batch.usable[place]
            own = fit.coefficients.tail(visits)
            np.testing.assert_allclose(batch.estimate[place], own["estimate"], rtol=1e-10, atol=1e-10)
            np.testing.assert_allclose(batch.std_error[place], own["std_error"], rtol=1e-10)
            np.testing.assert_allclose(batch.df[place], own["df"], rtol=1e-9)
            np.testing.assert_allclose(batch.p_value[place], own["p_value"], rtol=1e-9, atol=1e-10)
            test = fit.joint_test(joint_rows(visits))
            assert batch.joint_statistic[place] == pytest.approx(test.statistic, rel=1e-9)
            assert batch.joint_df[place] == pytest.approx(test.df_den, rel=1e-9)
            assert batch.joint_p_value[place] == pytest.approx(test.p_value, rel=1e-9, abs=1e-10)


def joint_rows(visits):
    """That the arm's effect is the same at every visit, in the columns of the single fit."""
    effects = np.eye(2 * visits)[visits:]
    return effects[1:] - effects[0]


def test_polars_in_polars_out():
    frame = trial(1)
    fit, other = fitted(frame), fitted(pl.DataFrame(frame.to_dict("list")))
    assert isinstance(other.coefficients, pl.DataFrame)
    assert np.array_equal(fit.beta, other.beta)
