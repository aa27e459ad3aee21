# What a repeated-measures fit says and offers, beside its numbers.
import numpy as np
import pandas as pd
import pytest
from scipy import special

from equipoise import stats
from equipoise.stats.mmrm_structures import STRUCTURES, structure_of

FORMULA = "y ~ age + arm * C(visit)"


def fitted(trial, **options):
    return stats.mmrm(**({"formula": FORMULA, "data": trial, "subject": "id", "visit": "visit"} | options))


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_have_the_derivatives_they_say(name):
    positions = np.array([0.0, 1.0, 3.0, 7.0] if name == "sp_exp" else [0.0, 1.0, 2.0, 4.0])
    structure = structure_of(name, ["W0", "W1", "W2", "W4"], positions)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(2, 20, 4)) @ (np.eye(4) + 0.4)
    theta = structure.start(np.swapaxes(rows, -1, -2) @ rows / 20)
    assert theta.shape == (2, len(structure.parameters)) == (2, len(structure.powers))
    assert (np.linalg.eigvalsh(structure.sigma(theta)) > 0).all()
    jacobian = structure.jacobian(theta)
    for place in range(theta.shape[-1]):
        step = np.zeros_like(theta)
        step[:, place] = 1e-6
        change = (structure.sigma(theta + step) - structure.sigma(theta - step)).reshape(2, -1) / 2e-6
        np.testing.assert_allclose(jacobian[..., place], change, atol=1e-7)
        curve = (structure.jacobian(theta + step) - structure.jacobian(theta - step)) / 2e-6
        hessian = np.zeros_like(curve) if structure.hessian is None else structure.hessian(theta)[..., place]
        np.testing.assert_allclose(hessian, curve, atol=1e-6)
    small = 1e-5 * rng.normal(size=theta.shape)
    np.testing.assert_allclose(structure.moved(theta, small), theta + small, atol=1e-8)
    if structure.safe:
        far = structure.moved(theta, 50 * rng.normal(size=theta.shape))
        assert (np.linalg.eigvalsh(structure.sigma(far)) > 0).all()


def test_parameters_are_named_and_make_the_covariance(trial):
    us = fitted(trial)
    assert list(us.theta)[:3] == ["var(0)", "cov(0, 1)", "cov(0, 2)"]
    assert us.theta["cov(1, 3)"] == us.visit_covariance["all"][1, 3]
    cs = fitted(trial, covariance="cs")
    expected = cs.theta["covariance"] + cs.theta["residual"] * np.eye(4)
    np.testing.assert_allclose(cs.visit_covariance["all"], expected, rtol=1e-12)
    ar1 = fitted(trial, covariance="ar1", group="arm")
    assert list(ar1.theta) == ["ART: variance", "ART: rho", "NK: variance", "NK: rho"]
    variance, rho = ar1.theta["NK: variance"], ar1.theta["NK: rho"]
    np.testing.assert_allclose(ar1.visit_covariance["NK"][0], variance * rho ** np.arange(4), rtol=1e-12)
    names = {name: [*fitted(trial, covariance=name, df="residual").theta][-1] for name in STRUCTURES}
    assert names == {
        "us": "var(3)",
        "cs": "residual",
        "csh": "rho",
        "ar1": "rho",
        "ar1h": "rho",
        "toep": "cov(lag 3)",
        "toeph": "rho(lag 3)",
        "ad": "rho(2, 3)",
        "adh": "rho(2, 3)",
        "sp_exp": "range",
    }


def test_the_place_of_a_visit_is_its_place_in_the_declared_order(trial):
    # No outcome at month 2: the months on either side are two places apart, as in the declared order.
    gap = trial[trial["visit"] != 1]
    labels = ["month 0", "month 2", "month 6", "month 12"]
    declared = gap.assign(visit=pd.Categorical([labels[visit] for visit in gap["visit"]], labels))
    fit = fitted(declared, formula="y ~ arm", covariance="ar1")
    variance, rho = fit.theta["variance"], fit.theta["rho"]
    expected = variance * rho ** np.array([[0, 2, 3], [2, 0, 1], [3, 1, 0]])
    np.testing.assert_allclose(fit.visit_covariance["all"], expected, rtol=1e-12)
    assert fit.visits == ("month 0", "month 6", "month 12")
    axis = {"month 0": 0, "month 6": 6, "month 12": 12}
    spatial = fitted(declared, formula="y ~ arm", covariance="sp_exp", coordinates=axis)
    reach = spatial.theta["range"]
    np.testing.assert_allclose(
        spatial.visit_covariance["all"][0], spatial.theta["variance"] * np.exp([0, -6 / reach, -12 / reach]), rtol=1e-12
    )


def test_convergence_is_told(trial):
    fit = fitted(trial)
    assert fit.converged
    assert 0 < fit.iterations < 20
    assert fit.gradient < 1e-8
    lengths = np.sqrt(np.diag(fit.visit_covariance["all"]))
    values = np.linalg.eigvalsh(fit.visit_covariance["all"] / np.outer(lengths, lengths))
    assert fit.condition == pytest.approx(values[-1] / values[0], rel=1e-9)


def test_criteria_count_parameters_and_subjects(trial):
    reml, ml = fitted(trial, covariance="ar1"), fitted(trial, covariance="ar1", method="ml", df="satterthwaite")
    assert reml.aic == pytest.approx(-2 * reml.log_likelihood + 2 * 2, rel=1e-14)
    assert reml.bic == pytest.approx(-2 * reml.log_likelihood + 2 * np.log(12), rel=1e-14)
    assert ml.aic == pytest.approx(-2 * ml.log_likelihood + 2 * (2 + 9), rel=1e-14)
    assert ml.bic == pytest.approx(-2 * ml.log_likelihood + np.log(12) * (2 + 9), rel=1e-14)


def test_sentences_say_what_was_done(trial):
    gap = trial.assign(y=trial["y"].where(trial.index != 3))
    fit = fitted(gap, covariance="ar1h", group="arm")
    assert fit.method == (
        "Mixed model for repeated measures (Mallinckrodt et al. 2008) by restricted maximum likelihood, heterogeneous "
        "first-order autoregressive covariance of the visits by group (ART, NK), 12 subjects, 47 observations (1 left "
        "out without an outcome), Kenward-Roger covariance and degrees of freedom, linear form (Kenward and Roger 1997)"
    )
    assert fit.notes == ()
    assert (fit.n_subjects, fit.n_observations, fit.n_left_out) == (12, 47, 1)
    plain = fitted(trial, covariance="cs", method="ml", df="satterthwaite")
    assert plain.method == (
        "Mixed model for repeated measures (Mallinckrodt et al. 2008) by maximum likelihood, compound symmetry "
        "covariance of the visits, 12 subjects, 48 observations, model covariance, Satterthwaite degrees of freedom "
        "(Giesbrecht and Burns 1985; Fai and Cornelius 1996)"
    )
    assert plain.notes == (
        "Joint tests by the model covariance reject too often with 12 subjects; prefer kenward-roger-linear",
    )
    robust = plain.with_vcov("empirical")
    assert robust.method.endswith(
        "empirical covariance (Liang and Zeger 1986), Satterthwaite degrees of freedom of the empirical covariance "
        "(Bell and McCaffrey 2002)"
    )
    assert robust.notes == (
        "The empirical covariance is too small with 12 subjects: tests reject too often; "
        "prefer the model covariance with kenward-roger-linear",
    )
    assert robust.with_vcov("empirical-jackknife").notes == ()
    assert plain.with_df("residual").method.endswith("model covariance, residual degrees of freedom")
    assert plain.with_df("between-within").method.endswith(
        "model covariance, between-within degrees of freedom (Schluchter and Elashoff 1990)"
    )


def test_changing_rules_fits_nothing_again(trial):
    fit = fitted(trial)
    plain = fit.with_df("satterthwaite")
    assert plain.beta is fit.beta
    assert plain.estimates is fit.estimates
    assert (np.diag(plain.covariance)[:3] < np.diag(fit.covariance)[:3]).all()
    again = plain.with_df("kenward-roger-linear")
    assert np.array_equal(again.covariance, fit.covariance)
    # The unstructured covariance is linear in its parameters.
    np.testing.assert_allclose(fit.with_df("kenward-roger").covariance, fit.covariance, rtol=1e-14)


def test_contrasts_are_rows_of_the_table(trial):
    fit = fitted(trial)
    table = fit.coefficients
    row = np.eye(9)[2]
    contrast = fit.contrast(row)
    for name in ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"):
        assert getattr(contrast, name) == pytest.approx(table[name][2], rel=1e-12)
    assert fit.df_of(np.eye(9)) == pytest.approx(fit.df, rel=1e-12)
    single = fit.joint_test([row])
    assert single.statistic == pytest.approx(contrast.statistic**2, rel=1e-10)
    assert single.df_den == pytest.approx(contrast.df, rel=1e-10)
    assert single.p_value == pytest.approx(contrast.p_value, rel=1e-8)


def test_levels_widen_intervals(trial):
    narrow, wide = fitted(trial, level=0.9), fitted(trial, level=0.99)
    ratio = (wide.coefficients["conf_high"] - wide.beta) / (narrow.coefficients["conf_high"] - narrow.beta)
    np.testing.assert_allclose(ratio, special.stdtrit(wide.df, 0.995) / special.stdtrit(wide.df, 0.95), rtol=1e-12)


def test_counted_degrees_of_freedom(trial):
    fit = fitted(trial, df="residual")
    assert set(fit.df) == {48.0 - 9}
    assert fit.joint_test("arm:C(visit)").df_den == 39
    within = fit.with_df("between-within")
    # Between: 12 subjects less intercept, age and arm. Within: 48 rows less 12 subjects and 6 columns that vary.
    own = dict(zip(within.coefficients["term"], within.df, strict=True))
    assert own["age"] == own["arm[T.NK]"] == 12 - 3
    assert own["Intercept"] == own["C(visit)[T.1]"] == own["arm[T.NK]:C(visit)[T.3]"] == 48 - 12 - 6
    assert within.joint_test("arm").df_den == 9
    assert within.joint_test("arm:C(visit)").df_den == 30


def test_joint_tests_say_their_method(trial):
    fit = fitted(trial)
    kr, box = fit.joint_test("arm:C(visit)"), fit.box_test("arm:C(visit)")
    assert kr.method.startswith("Kenward-Roger F on 3 and ")
    assert box.method.startswith(
        "least-squares F with the modified Box correction (Skene and Kenward 2010), F on 3 and "
    )
    assert fit.with_df("satterthwaite").joint_test("arm:C(visit)").method.startswith("Wald test, F on 3 and ")


def test_equal_weights_change_only_the_covariance_of_the_visits(trial):
    plain, double = fitted(trial), fitted(trial.assign(w=2.0), weights="w")
    np.testing.assert_allclose(double.beta, plain.beta, rtol=1e-10)
    np.testing.assert_allclose(double.covariance, plain.covariance, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(double.visit_covariance["all"], 2 * plain.visit_covariance["all"], rtol=1e-8)
    assert double.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)


def test_unusable_fits_of_a_batch_are_marked_and_reject_nothing():
    # Six subjects in two arms cannot carry an unstructured covariance of five visits.
    rng = np.random.default_rng(2)
    y = rng.normal(size=(3, 6, 5))
    x = np.zeros((6, 5, 10))
    for visit in range(5):
        x[:, visit, visit], x[::2, visit, 5 + visit] = 1.0, 1.0
    batch = stats.batch.mmrm(y, x)
    assert not batch.usable.any()
    assert not batch.joint_usable.any()
    assert (batch.p_value == 1).all()
    assert (batch.joint_p_value == 1).all()
    assert np.isinf(batch.std_error).all()
    assert np.isfinite(batch.estimate).all()


def test_leading_axes_of_a_batch_are_kept():
    rng = np.random.default_rng(7)
    y = rng.normal(size=(2, 3, 14, 3))
    x = np.broadcast_to(np.eye(3), (14, 3, 3)).copy()
    whole = stats.batch.mmrm(y, x, contrasts=[[1, 0, -1]], joint=[[1, -1, 0], [0, 1, -1]])
    assert whole.beta.shape == (2, 3, 3)
    assert whole.covariance.shape == (2, 3, 3, 3)
    assert whole.p_value.shape == (2, 3, 1)
    assert whole.joint_p_value.shape == whole.usable.shape == whole.iterations.shape == (2, 3)
    one = stats.batch.mmrm(y[1, 2], x, contrasts=[[1, 0, -1]], joint=[[1, -1, 0], [0, 1, -1]])
    assert one.p_value.shape == (1,)
    np.testing.assert_allclose(one.p_value, whole.p_value[1, 2], rtol=1e-9)
    # Hotelling's T squared is exact here, and Kenward and Roger's test is it.
    d = y[1, 2] @ np.array([[1.0, 0], [-1, 1], [0, -1]])
    t2 = 14 * d.mean(axis=0) @ np.linalg.solve(np.cov(d.T), d.mean(axis=0))
    assert one.joint_p_value == pytest.approx(special.fdtrc(2, 12, t2 * 12 / (2 * 13)), rel=1e-9)
