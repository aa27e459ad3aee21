"""A batch gives the numbers of its fits one by one, marks what it cannot make, and refuses in words."""

import numpy as np
import pandas as pd
import pytest

from equipoise import stats
from equipoise.stats import batch, refusals
from equipoise.stats.gee_covariance import COVARIANCES, DF_COVARIANCES
from equipoise.stats.gee_fit import POOLED
from equipoise.stats.mmrm_batch import arranged, mmrm_by_rule, posed
from equipoise.stats.mmrm_engine import solve
from equipoise.stats.mmrm_structures import structure_of
from equipoise.stats.stacked import FEW_SYSTEMS, solved

N, VISITS = 14, 5
ARM = np.repeat([0.0, 1.0], N // 2)
SAME = 1e-10  # relative: the same arithmetic, but single fits standardise their design first


def outcomes(fits, seed=3):
    rng = np.random.default_rng(seed)
    return 100 + 20 * rng.normal(size=(fits, N, 1)) + 15 * rng.normal(size=(fits, N, VISITS))


def design(arm):
    """(…, n, T, 4): intercept, arm, visit, arm by visit."""
    arm = np.broadcast_to(arm[..., np.newaxis], (*arm.shape, VISITS))
    visit = np.broadcast_to(np.arange(VISITS) * 1.0, arm.shape)
    return np.stack([np.ones_like(arm), arm, visit, arm * visit], axis=-1)


def long(y, seen, arm, **columns):
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(N), VISITS),
            "visit": np.tile(np.arange(VISITS), N),
            "arm": np.repeat(arm, VISITS),
            "y": np.where(seen, y, np.nan).ravel(),
        }
    )
    return frame.assign(**{name: np.broadcast_to(values, (N, VISITS)).ravel() for name, values in columns.items()})


def close(ours, theirs):
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=SAME * scale)


def gaps(kind, fits):
    rng = np.random.default_rng(8)
    if kind == "complete":
        return None
    if kind == "shared":
        return rng.random((N, VISITS)) > 0.15
    return rng.random((fits, N, VISITS)) > 0.15


@pytest.mark.parametrize("kind", ["complete", "shared", "own"])
@pytest.mark.parametrize("working", ["exchangeable", "independence", "ar1"])
def test_gee_with_every_covariance_is_its_fits_one_by_one(kind, working):
    y, seen = outcomes(3), gaps(kind, 3)
    fits = batch.gee(y, design(ARM), seen, working=working, covariances=COVARIANCES, df=tuple(DF_COVARIANCES))
    assert fits.usable.all()
    assert all(fits.exists[name].all() for name in COVARIANCES if kind == "complete" or name not in POOLED)
    for number in range(3):
        own = np.ones((N, VISITS), bool) if seen is None else np.broadcast_to(seen, y.shape)[number]
        fit = stats.gee("y ~ arm * visit", long(y[number], own, ARM), cluster="id", time="visit", working=working)
        close(fits.beta[number], fit.beta)
        close(fits.scale[number], fit.scale)
        for name in COVARIANCES:
            if not fits.exists[name][number]:  # pooled by pairs of visits it may have a negative variance
                with pytest.raises(refusals.NotIdentified):
                    fit.with_covariance(name)
                continue
            one = fit.with_covariance(name)
            close(fits.covariances[name][number], one.covariance)
            p_value = fits.p_value([0, 0, 0, 1], name, N - 4.0)[number]
            assert p_value == pytest.approx(fit.with_covariance(name, df=N - 4).coefficients["p_value"][3], rel=1e-8)
        for name, rule in fits.df:
            close(fits.df[name, rule][number], fit.with_covariance(name, df=rule).df)


def test_gee_takes_designs_weights_and_offsets_of_their_own():
    rng = np.random.default_rng(4)
    y, arms = outcomes(3), rng.permuted(np.tile(ARM, (3, 1)), axis=1)
    weights, offset = rng.uniform(0.5, 2, y.shape), rng.normal(size=(N, VISITS))
    fits = batch.gee(y, design(arms), covariances=["mancl-derouen"], weights=weights, offset=offset)
    for number in range(3):
        frame = long(y[number], np.ones((N, VISITS), bool), arms[number], w=weights[number], o=offset)
        fit = stats.gee("y ~ arm * visit", frame, cluster="id", time="visit", weights="w", offset="o")
        close(fits.beta[number], fit.beta)
        close(fits.covariances["mancl-derouen"][number], fit.with_covariance("mancl-derouen").covariance)


@pytest.mark.parametrize("kind", ["complete", "own"])
def test_sums_give_what_the_observations_give(kind):
    # At its own exchangeable matrix, given, the fit goes by observations and must come to the same place.
    y, seen = outcomes(2), gaps(kind, 2)
    for number in range(2):
        own = None if seen is None else seen[number]
        by_sums = stats.gee(
            "y ~ arm * visit",
            long(y[number], np.ones((N, VISITS), bool) if own is None else own, ARM),
            cluster="id",
            time="visit",
        )
        given = batch.gee(
            y[number],
            design(ARM),
            own,
            working=by_sums.working_correlation,
            covariances=["kauermann-carroll", "mancl-derouen"],
        )
        close(given.beta, by_sums.beta)
        for name in given.covariances:
            close(given.covariances[name], by_sums.with_covariance(name).covariance)


def test_a_batch_does_not_depend_on_what_is_beside_a_fit():
    y, seen = outcomes(400), gaps("own", 400)
    whole = batch.gee(y, design(ARM), seen, covariances=["robust"])
    alone = batch.gee(y[7], design(ARM), seen[7], covariances=["robust"])
    close(whole.beta[7], alone.beta)
    close(whole.covariances["robust"][7], alone.covariances["robust"])
    assert whole.iterations[7] == alone.iterations


def test_a_shift_of_the_outcome_costs_no_digit():
    y = outcomes(2)
    near, far = (batch.gee(y + shift, design(ARM), covariances=["robust"]) for shift in (0.0, 2.0**27))
    np.testing.assert_allclose(far.covariances["robust"], near.covariances["robust"], rtol=1e-6)


def test_a_participant_alone_in_an_arm_is_marked_under_every_rule_that_needs_the_others():
    y = outcomes(1)[0]
    fits = batch.gee(y, design((np.arange(N) == 0) * 1.0), covariances=["fay-graubard"], df=["fay-graubard"])
    assert fits.usable
    assert fits.exists["fay-graubard"]
    assert fits.df["fay-graubard", "fay-graubard"].tolist() == [1.0] * 4
    corrected = batch.gee(y, design((np.arange(N) == 0) * 1.0), covariances=["kauermann-carroll"])
    assert not corrected.exists["kauermann-carroll"]
    assert corrected.p_value([0, 1, 0, 0], "kauermann-carroll") == 1


def by_visit(arm):
    """(n, T, 2 T): a mean for each visit, and the arm's effect at each."""
    visit = np.broadcast_to(np.eye(VISITS), (len(arm), VISITS, VISITS))
    return np.concatenate([visit, arm[:, np.newaxis, np.newaxis] * visit], axis=-1)


def test_rules_share_a_mixed_model():
    y, seen = outcomes(4), gaps("own", 4)
    rules = ("satterthwaite", "kenward-roger-linear")
    found = mmrm_by_rule(y, by_visit(ARM), seen, rules=rules, covariance="ar1h")
    assert tuple(found) == rules
    for rule, fits in found.items():
        alone = batch.mmrm(y, by_visit(ARM), seen, covariance="ar1h", df=rule)
        for name in ("beta", "covariance", "df", "p_value", "joint_p_value", "usable"):
            np.testing.assert_array_equal(getattr(fits, name), getattr(alone, name))


@pytest.mark.parametrize("kind", ["complete", "shared", "own"])
@pytest.mark.parametrize("covariance", ["us", "csh"])
@pytest.mark.parametrize("beside", ["group", "weights", "both"])
def test_mixed_models_by_group_and_with_weights_are_their_fits_one_by_one(kind, covariance, beside):
    rng = np.random.default_rng(4)
    n = 3 * N  # so that each arm can tell its unstructured covariance
    arm = np.tile(ARM, 3)
    y = rng.normal(size=(3, n, 1)) + rng.normal(size=(3, n, VISITS)) * (1 + arm[:, np.newaxis])
    seen = {"complete": None, "shared": rng.random((n, VISITS)) > 0.1, "own": rng.random(y.shape) > 0.1}[kind]
    drawn = rng.uniform(0.5, 2, y.shape if kind == "own" else (n, VISITS))
    given = {"group": arm.astype(int), "weights": drawn}
    given = given if beside == "both" else {beside: given[beside]}
    fits = batch.mmrm(y, by_visit(arm), seen, covariance=covariance, joint=np.eye(2 * VISITS)[VISITS + 1 :], **given)
    assert fits.usable.all()
    every = np.ones(y.shape, bool) if seen is None else np.broadcast_to(seen, y.shape)
    for number in range(3):
        frame = pd.DataFrame({"id": np.repeat(np.arange(n), VISITS), "visit": np.tile(np.arange(VISITS), n)})
        frame["arm"] = np.repeat(arm, VISITS)
        frame["y"] = np.where(every[number], y[number], np.nan).ravel()
        frame["w"] = np.broadcast_to(drawn, y.shape)[number].ravel()
        columns = {name: {"group": "arm", "weights": "w"}[name] for name in given}
        formula = "y ~ 0 + C(visit) + C(visit):arm"
        fit = stats.mmrm(formula, frame, subject="id", visit="visit", covariance=covariance, **columns)
        close(fits.beta[number], fit.beta)
        close(fits.covariance[number], fit.covariance)
        close(fits.df[number], fit.df)
        test = fit.joint_test(np.eye(2 * VISITS)[VISITS + 1 :])
        assert fits.joint_statistic[number] == pytest.approx(test.statistic, rel=1e-9)
        assert fits.joint_p_value[number] == pytest.approx(test.p_value, rel=1e-8)


def test_a_mixed_model_whose_group_is_too_small_is_marked():
    y = np.random.default_rng(4).normal(size=(2, N, VISITS))
    group = np.array([ARM, np.arange(N) < 2])
    fits = batch.mmrm(y, by_visit(ARM), group=group, covariance="us")
    assert fits.usable.tolist() == [True, False]
    assert (fits.joint_p_value[1], fits.p_value[1].min()) == (1, 1)


def test_mixed_models_that_cannot_be_made_are_marked_and_leave_the_others_alone():
    y = outcomes(4)
    seen = np.ones(y.shape, bool)
    seen[1, ARM == 1, -1] = False  # nobody of that arm at the last visit
    y[2, :, 1:] = y[2, :, :1]  # visits that repeat one another
    y[3] = 7.0 + ARM[:, np.newaxis]  # nothing left
    fits = batch.mmrm(y, by_visit(ARM), seen)
    assert fits.usable.tolist() == [True, False, False, False]
    assert (fits.p_value[1:] == 1).all()
    assert (fits.joint_p_value[1:] == 1).all()
    assert np.isinf(fits.std_error[1:]).all()
    close(fits.covariance[0], batch.mmrm(y[0], by_visit(ARM), seen[0]).covariance)


def test_a_mixed_model_whose_search_meets_a_singular_matrix_is_left_out_alone(monkeypatch):
    y = outcomes(5)

    def refusing(problem):
        if (problem.outcome[:, 0, 0] == first).any():
            raise np.linalg.LinAlgError
        return solve(problem)

    first = posed_outcome(y[3])
    plain = batch.mmrm(y, by_visit(ARM))
    monkeypatch.setattr("equipoise.stats.mmrm_batch.solve", refusing)
    fits = batch.mmrm(y, by_visit(ARM))
    assert fits.usable.tolist() == [True, True, True, False, True]
    close(fits.beta, plain.beta)  # complete, with a mean for each arm and visit: least squares are the fit
    assert (fits.p_value[3] == 1).all()
    assert (fits.joint_p_value[3], fits.joint_usable[3], fits.iterations[3]) == (1, False, 0)
    assert np.isinf(fits.std_error[3]).all()
    others = np.arange(5) != 3
    close(fits.covariance[others], plain.covariance[others])


def posed_outcome(y):
    """The first number of the outcome that the engine is given for a trial."""
    arrays = arranged(y, by_visit(ARM), None)
    structure = structure_of("us", range(VISITS), np.arange(VISITS))
    return posed(arrays, structure, reml=True).problem.outcome[0, 0, 0]


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_analysis_of_variance_is_its_trials_one_by_one(share):
    y = outcomes(3)
    y[:, :, 2] = np.where(np.random.default_rng(2).random((3, N)) < share, np.nan, y[:, :, 2])
    fits = batch.rm_anova(y.reshape(3, 1, N, VISITS), ARM)
    assert (fits.effects, fits.usable.shape) == (("between", "within", "between:within"), (3, 1))
    for number in range(3):
        frame = long(y[number], np.ones((N, VISITS), bool), ARM)
        fit = stats.rm_anova(frame, outcome="y", subject="id", within="visit", between="arm")
        assert fits.n_subjects[number, 0] == fit.n_subjects
        for column in ("statistic", "df_den", "p_value", "epsilon_gg", "p_gg", "epsilon_hf", "p_hf", "mauchly_w"):
            close(getattr(fits, column)[number, 0], fit.table[column])
        close(fits.mauchly_p[number, 0], fit.table["mauchly_p"])
    assert fits.effect("between:within") == 2


def test_analysis_of_variance_takes_several_factors_within():
    y = np.random.default_rng(1).normal(size=(2, 9, 6))
    fits = batch.rm_anova(y, within=(3, 2))
    assert fits.effects == ("within1", "within2", "within1:within2")
    frame = pd.DataFrame({"id": np.repeat(np.arange(9), 6), "hour": np.tile(np.repeat(range(3), 2), 9)})
    frame["day"] = np.tile([0, 1], 27)
    for number in range(2):
        fit = stats.rm_anova(frame.assign(y=y[number].ravel()), outcome="y", subject="id", within=["hour", "day"])
        close(fits.statistic[number], fit.table["statistic"])


def test_trials_without_an_analysis_of_variance_are_marked():
    y = outcomes(3)
    y[0] = np.round(y[0, :, :1])  # nothing varies within a subject
    y[1, 2:] = np.nan
    fits = batch.rm_anova(y, ARM)
    assert fits.usable.tolist() == [False, False, True]
    assert fits.n_subjects.tolist() == [N, 2, N]
    assert (fits.p_value[:2] == 1).all()
    assert (fits.statistic[:2] == 0).all()
    assert np.isfinite([fits.p_gg, fits.p_hf, fits.mauchly_p, fits.epsilon_hf]).all()


@pytest.mark.parametrize("covariance", ["model", "hc2", "hc3"])
def test_analysis_of_covariance_is_its_fits_one_by_one(covariance):
    rng = np.random.default_rng(6)
    y, baseline, seen = rng.normal(150, 30, (3, N)), rng.normal(140, 40, N), rng.random((3, N)) > 0.15
    fits = batch.ancova(y, np.stack([np.ones(N), ARM, baseline], axis=-1), seen, covariance=covariance)
    for number in range(3):
        frame = pd.DataFrame({"y": np.where(seen[number], y[number], np.nan), "arm": ARM, "baseline": baseline})
        fit = stats.ancova("y ~ arm + baseline", frame, covariance=covariance)
        close(fits.beta[number], fit.beta)
        close(fits.covariance[number], fit.covariance)
        assert (fits.df[number], fits.residual_sd[number]) == (fit.df, pytest.approx(fit.residual_sd, rel=SAME))
        assert fits.p_value([0, 1, 0])[number] == pytest.approx(fit.coefficients["p_value"][1], rel=1e-9)


def test_least_squares_that_cannot_be_made_are_marked():
    y = np.random.default_rng(6).normal(size=(3, 6))
    x = np.stack([np.ones((3, 6)), np.tile([0.0, 1.0], (3, 3))], axis=-1)
    x[0, :, 1] = 2.0  # repeats the intercept
    y[1] = 3 + x[1, :, 1]  # nothing left
    fits = batch.ancova(y, x)
    assert fits.usable.tolist() == [False, False, True]
    assert fits.statistic([0, 1])[:2].tolist() == [0.0, 0.0]
    assert fits.p_value([0, 1])[:2].tolist() == [1.0, 1.0]
    assert np.isinf(fits.covariance[0, 1, 1])
    x[2, :, 1] = [1.0, 0, 0, 0, 0, 0]  # one row alone
    assert batch.ancova(y, x, covariance="hc3").usable.tolist() == [False, False, False]


@pytest.mark.parametrize("method", ["student", "welch", "wilcoxon"])
def test_two_samples_are_compared_as_one_by_one(method):
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(5, 9)), rng.normal(0.5, 2, size=(5, 7))
    y[1, 2], x[2, 0], y[3] = np.nan, y[2, 0], np.round(y[3])  # a gap, a tie, many ties
    x[4], y[4] = 1.0, 1.0
    found = batch.two_sample(x, y, method=method, level=0.9)
    assert found.usable.tolist() == [True] * 4 + [False]
    for place in range(4):
        one = stats.two_sample(x[place], y[place], method=method, level=0.9)
        for name in ("estimate", "statistic", "p_value"):
            assert getattr(found, name)[place] == pytest.approx(getattr(one, name), rel=1e-12)
        if method != "wilcoxon":
            for name in ("std_error", "df", "conf_low", "conf_high"):
                assert getattr(found, name)[place] == pytest.approx(getattr(one, name), rel=1e-12)
    assert (found.estimate[4], found.statistic[4], found.p_value[4]) == (0.0, 0.0, 1.0)
    if method == "wilcoxon":
        assert found.std_error is found.df is found.conf_low is found.conf_high is None


def test_large_samples_are_ranked_by_the_normal_distribution_as_one_by_one():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, 50)), rng.normal(0.4, 1, size=(2, 6))
    found = batch.two_sample(x, y, method="wilcoxon")
    for place in range(2):
        one = stats.two_sample(x[place], y[place], method="wilcoxon")
        assert found.p_value[place] == pytest.approx(one.p_value, rel=1e-12)


@pytest.mark.parametrize("exact", [True, False])
def test_rerandomisation_is_its_tests_one_by_one(exact):
    rng = np.random.default_rng(9)
    outcome = rng.normal(size=(4, 8))
    observed = np.repeat([0, 1], 4)
    codes = np.vstack([observed, rng.permuted(np.tile(observed, (200, 1)), axis=1)])
    found = batch.rerandomisation(outcome, codes, observed, exact=exact)
    for place in range(4):

        def difference(block, values=outcome[place]):
            return block @ values / block.sum(axis=1) - (1 - block) @ values / (1 - block).sum(axis=1)

        one = stats.rerandomisation(difference, codes, observed, exact=exact)
        assert found.p_value[place] == pytest.approx(one.p_value, rel=1e-12)
        assert found.statistic[place] == pytest.approx(one.statistic, rel=1e-12)
        assert found.mc_error[place] == pytest.approx(one.mc_error, rel=1e-12)


@pytest.mark.parametrize("many", [7, FEW_SYSTEMS + 1])
@pytest.mark.parametrize("fault", [False, True])
def test_stacked_systems_are_solved_as_one_by_one(many, fault):
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(many, 5, 5))
    systems = factors @ factors.transpose(0, 2, 1)
    if fault:
        systems[2, 3:] = systems[2, :, 3:] = 0.0
        systems[4] = -systems[4]
        systems[5, 0, 0] = np.nan
    right = rng.normal(size=(many, 5, 2))
    answer, regular = solved(systems.transpose(1, 2, 0), right.transpose(1, 2, 0))
    assert np.flatnonzero(~regular).tolist() == ([2, 4, 5] if fault else [])
    for place in np.flatnonzero(regular):
        np.testing.assert_allclose(answer[..., place], np.linalg.solve(systems[place], right[place]), rtol=1e-9)
    assert (answer[..., ~regular] == 0).all()


REFUSED = {
    "contrasts": (
        lambda: batch.gee(np.zeros((6, 2)), np.ones((6, 2, 1)), contrasts=[[0, 1]]),
        "contrasts = (1, 2): are not rows of 1 weights; give (m, p)",
    ),
    "rule": (
        lambda: batch.gee(np.zeros((6, 2)), np.ones((6, 2, 1)), df=["between"]),
        "df = between: is not offered; choose one of pan-wall, fay-graubard",
    ),
    "model_group": (
        lambda: batch.mmrm(np.zeros((6, 2)), np.ones((6, 2, 1)), group=[0, 1]),
        "group = (2,): does not end in (6,); give (..., n)",
    ),
    "model_weights": (
        lambda: batch.mmrm(np.zeros((6, 2)), np.ones((6, 2, 1)), weights=np.ones((6, 3))),
        "weights = (6, 3): does not end in (6, 2); give (..., n, T)",
    ),
    "model_no_weight": (
        lambda: batch.mmrm(np.zeros((6, 2)), np.ones((6, 2, 1)), weights=np.zeros((6, 2))),
        "weights: hold 12 values that are not above zero; correct them",
    ),
    "model_axes": (
        lambda: batch.mmrm(np.zeros((5, 6, 2)), np.ones((6, 2, 1)), group=np.zeros((4, 6))),
        "y, X: have leading axes that do not agree "
        "(y (5, 6, 2), X (6, 2, 1), observed (6, 2), group (4, 6)); check the shapes",
    ),
    "anova_axes": (
        lambda: batch.rm_anova(np.zeros(3)),
        "y = (3,): has no axes of subjects and cells; give y (..., n, C)",
    ),
    "anova_infinite": (
        lambda: batch.rm_anova(np.full((5, 3), np.inf)),
        "y: holds an infinite value; correct it or mark it as missing",
    ),
    "gee_empty": (
        lambda: batch.gee(np.zeros((0, 6, 2)), np.ones((6, 2, 1))),
        "y, X = ((0, 6, 2), (6, 2, 1)): hold no fit; give at least one",
    ),
    "anova_empty": (
        lambda: batch.rm_anova(np.zeros((0, 5, 3))),
        "y = (0, 5, 3): holds no trial; give at least one",
    ),
    "anova_extreme": (
        lambda: batch.rm_anova(np.full((5, 3), 1e160)),
        "y: holds values beyond 1e+100; give it in another unit",
    ),
    "anova_levels": (
        lambda: batch.rm_anova(np.zeros((5, 6)), within=(2, 2)),
        "within = (2, 2): do not make 6 cells; give the levels of each factor, two or more",
    ),
    "anova_groups": (
        lambda: batch.rm_anova(np.zeros((5, 6)), [0, 1]),
        "between = (2,): is not one group for each of 5 subjects; give (n,)",
    ),
    "anova_one_group": (
        lambda: batch.rm_anova(np.zeros((3, 6)), [4, 4, 4]),
        "between = 4: is the group of every subject; leave between out",
    ),
    "anova_few": (
        lambda: batch.rm_anova(np.zeros((3, 6)), [1, 2, 3]),
        "between = 3: groups for 3 subjects leave no error; merge groups",
    ),
    "anova_effect": (
        lambda: batch.rm_anova(np.zeros((3, 6))).effect("arm"),
        "name = arm: is not an effect; choose one of within",
    ),
    "ancova_shapes": (
        lambda: batch.ancova(np.zeros((2, 5)), np.zeros((4, 2))),
        "y, X = ((2, 5), (4, 2)): do not agree; give y (..., n) and X (..., n, p)",
    ),
    "ancova_rows": (
        lambda: batch.ancova(np.zeros(2), np.zeros((2, 2))),
        "X = (2, 2): has 2 rows for 2 coefficients; drop columns",
    ),
    "ancova_values": (
        lambda: batch.ancova([1.0, np.nan, 2.0], np.ones((3, 1))),
        "y: holds 1 values that cannot be used; correct them",
    ),
    "samples_axes": (
        lambda: batch.two_sample(np.zeros((2, 5)), np.zeros((3, 5))),
        "x, y = ((2, 5), (3, 5)): have leading axes that do not agree; check the shapes",
    ),
    "samples_infinite": (
        lambda: batch.two_sample([1.0, np.inf], [1.0, 2.0]),
        "x, y: hold an infinite value; correct it or mark it as missing",
    ),
    "samples_method": (
        lambda: batch.two_sample([1.0, 2.0], [1.0, 2.0], method="permutation"),
        "method = permutation: is not offered; choose one of student, welch, wilcoxon",
    ),
    "redrawn_outcome": (
        lambda: batch.rerandomisation([[1.0, np.nan]], [[0, 1]], [0, 1]),
        "outcome = (1, 2): is not 2 finite numbers each; give (..., n)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_batch_refuses_in_words(case):
    act, text = REFUSED[case]
    with pytest.raises(refusals.StatisticsRefusal) as refused:
        act()
    assert str(refused.value) == text
