"""Contrasts by hand, their adjustments, and what does not go together."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from equipoise import stats
from equipoise.stats.multiplicity import Family, adjusted
from equipoise.stats.multivariate_t import equicoordinate, exceedance, rule_for
from equipoise.stats.refusals import BadSample, NotIdentified, UnknownChoice


@pytest.fixture(scope="module")
def means():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"dose": np.repeat([0, 1, 2, 4, 8], 7), "site": np.tile(list("abcdefg"), 5)})
    frame["y"] = 0.4 * frame["dose"] + rng.normal(0, 1, 35)
    return stats.marginal_means(stats.ancova("y ~ C(dose) + site", frame), "dose")


def weights(contrasts, means):
    """The weights of the means in each contrast, from its weights on the coefficients."""
    return np.linalg.lstsq(means.rows.T, contrasts.rows.T, rcond=None)[0].T


@pytest.mark.parametrize(
    ("kind", "names", "first"),
    [
        ("pairwise", ["0 - 1", "0 - 2", "0 - 4"], [1, -1, 0, 0, 0]),
        ("reference", ["1 - 0", "2 - 0", "4 - 0"], [-1, 1, 0, 0, 0]),
        ("consecutive", ["1 - 0", "2 - 1", "4 - 2"], [-1, 1, 0, 0, 0]),
        ("mean_change", ["0|1", "1|2", "2|4"], [-1, 0.25, 0.25, 0.25, 0.25]),
        ("effect", ["0 effect", "1 effect", "2 effect"], [0.8, -0.2, -0.2, -0.2, -0.2]),
        ("polynomial", ["linear", "quadratic", "cubic"], [-2, -1, 0, 1, 2]),
    ],
)
def test_kinds_by_hand(means, kind, names, first):
    contrasts = means.contrasts(kind)
    assert list(contrasts.table["contrast"][:3]) == names
    np.testing.assert_allclose(weights(contrasts, means)[0], first, atol=1e-10)


def test_trends_by_hand(means):
    trends = weights(means.contrasts("polynomial"), means)
    np.testing.assert_allclose(trends[1], [2, -1, -2, -1, 2], atol=1e-10)
    np.testing.assert_allclose(trends[2], [-1, 2, 0, -2, 1], atol=1e-10)
    assert means.contrasts("polynomial").table["contrast"][3] == "quartic"


def test_a_reference_may_be_any_level(means):
    assert list(means.contrasts("reference", reference=4).table["contrast"]) == ["0 - 4", "1 - 4", "2 - 4", "8 - 4"]


def test_step_adjustments_by_hand():
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") = 0.03 0.06 0.06 0.02; "hochberg" = 0.03 0.04 0.04 0.02
    t = -ndtri(np.array([0.01, 0.04, 0.03, 0.005]) / 2)
    family = Family(t, np.full(4, np.inf), np.eye(4), 4, "two-sided")
    np.testing.assert_allclose(adjusted(family, "holm", 0.95).p_values, [0.03, 0.06, 0.06, 0.02], rtol=1e-9)
    np.testing.assert_allclose(adjusted(family, "hochberg", 0.95).p_values, [0.03, 0.04, 0.04, 0.02], rtol=1e-9)
    np.testing.assert_allclose(adjusted(family, "bonferroni", 0.95).p_values, [0.04, 0.16, 0.12, 0.02], rtol=1e-9)
    np.testing.assert_allclose(adjusted(family, "sidak", 0.95).p_values[0], 1 - 0.99**4, rtol=1e-9)


def test_independent_statistics_have_sidaks_adjustment():
    t = np.array([0.5, 1.7, 2.9, 4.1, 6.0])
    family = Family(t, np.full(5, np.inf), np.eye(5), 5, "two-sided")
    exact, sidak = adjusted(family, "mvt", 0.95), adjusted(family, "sidak", 0.95)
    np.testing.assert_allclose(exact.p_values, sidak.p_values, rtol=1e-9)
    np.testing.assert_allclose(exact.limits, sidak.limits, rtol=1e-9)
    assert exact.error == 0.0


def test_wholly_dependent_statistics_need_no_adjustment():
    t = np.array([1.2, -1.2, 1.2])
    correlation = np.outer([1, -1, 1], [1, -1, 1]).astype(float)
    family = Family(t, np.full(3, 9.0), correlation, 3, "two-sided")
    plain, exact = adjusted(family, "none", 0.95), adjusted(family, "mvt", 0.95)
    np.testing.assert_allclose(exact.p_values, plain.p_values, rtol=1e-12)
    np.testing.assert_allclose(exact.limits, plain.limits, rtol=1e-9)


def test_tukey_is_the_joint_distribution_of_all_pairs(means):
    tukey, joint = (means.contrasts("pairwise", adjust=one) for one in ("tukey", "mvt"))
    # Five means: rank four, sampled, to within its stated error.
    np.testing.assert_allclose(joint.table["p_value"], tukey.table["p_value"], rtol=0, atol=max(joint.error, 1e-6))
    assert 0 < joint.error < 2e-4
    assert joint.notes == (
        f"Adjusted P values are by quasi-Monte Carlo, to within {joint.error:.1g}, "
        "and intervals to within 3e-05 standard errors",
    )
    assert tukey.notes == ()


def test_sampled_adjustments_are_the_same_on_every_run(means):
    first, second = (means.contrasts("pairwise", adjust="mvt").table for _ in range(2))
    assert first.equals(second)


def test_dunnett_is_exact_for_uncorrelated_means(means):
    dunnett, joint = (means.contrasts("reference", adjust=one) for one in ("dunnett", "mvt"))
    assert dunnett.error == 0.0
    assert dunnett.table.equals(joint.table)
    # By plain simulation of five equally precise means, five standard errors wide at the widest.
    rng = np.random.default_rng(1)
    normal = rng.standard_normal((400_000, 5))
    spread = np.sqrt(rng.chisquare(24, 400_000) / 24)
    largest = np.abs((normal[:, 1:] - normal[:, :1]) / np.sqrt(2)).max(axis=1) / spread
    for t, p in zip(dunnett.table["statistic"], dunnett.table["p_value"], strict=True):
        assert p == pytest.approx((largest > abs(t)).mean(), abs=5 * np.sqrt(0.25 / 400_000))


def test_one_sided_intervals_are_open_on_one_side(means):
    greater = means.contrasts("reference", adjust="dunnett", alternative="greater").table
    less = means.contrasts("reference", adjust="dunnett", alternative="less").table
    assert np.isposinf(greater["conf_high"]).all()
    assert np.isneginf(less["conf_low"]).all()
    both = means.contrasts("reference", adjust="dunnett").table
    assert (greater["conf_low"] > both["conf_low"]).all()
    assert (greater["p_value"] + less["p_value"] >= 1 - 1e-9).all()


def test_adjustment_stays_within_groups():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"arm": np.tile(list("abc"), 20), "site": np.repeat([1, 2], 30), "y": rng.normal(0, 1, 60)})
    fit = stats.ancova("y ~ arm * C(site)", frame)
    grouped = stats.marginal_means(fit, "arm", by="site").contrasts("pairwise", adjust="bonferroni").table
    plain = stats.marginal_means(fit, "arm", by="site").contrasts("pairwise").table
    np.testing.assert_allclose(grouped["p_value"], np.minimum(3 * plain["p_value"], 1))
    assert list(grouped["site"]) == [1, 1, 1, 2, 2, 2]


def test_stepwise_methods_say_whose_intervals_they_show(means):
    holm, bonferroni = (means.contrasts("reference", adjust=one) for one in ("holm", "bonferroni"))
    assert holm.notes == ("The holm method has no simultaneous intervals; those shown are Bonferroni's",)
    np.testing.assert_array_equal(holm.table["conf_low"], bonferroni.table["conf_low"])
    assert holm.method == (
        "Reference contrasts of marginal means (differences), Holm adjustment (1979), 95% intervals; "
        f"{means.means.fit.method}"
    )


def test_joint_test_of_contrasts_is_that_of_their_independent_part(means):
    pairs, steps = means.contrasts("pairwise").joint_test().table, means.contrasts("consecutive").joint_test().table
    own = means.joint_test().table
    for table in (pairs, steps):
        assert (table["df_num"][0], table["df_den"][0]) == (4, 24.0)
        assert table["statistic"][0] == pytest.approx(own["statistic"][0], rel=1e-9)
    trend = means.contrasts("polynomial")
    first = trend.means.fit.joint_test(trend.rows[:1])
    assert first.statistic == pytest.approx(trend.table["statistic"][0] ** 2, rel=1e-9)


def test_a_limit_is_exceeded_as_often_as_it_should():
    drawn = np.corrcoef(np.random.default_rng(0).normal(size=(5, 9)))
    for correlation in (np.eye(2), np.full((4, 4), 0.5) + np.eye(4) / 2, drawn):
        for two_sided in (True, False):
            rule = rule_for(correlation, two_sided=two_sided)
            for df in (3.0, 40.0, np.inf):
                limit = equicoordinate(rule, 0.9, df)
                assert exceedance(rule, limit.value, df).value == pytest.approx(0.1, abs=1e-9)


def test_one_sided_rules_know_certainty_and_halves():
    rule = rule_for(np.array([[1.0, -1.0], [-1.0, 1.0]]), two_sided=False)
    assert exceedance(rule, 2.0, np.inf).value == pytest.approx(0.04550026389635842, rel=1e-12)
    quadrant = rule_for(np.eye(2), two_sided=False)
    assert exceedance(quadrant, 0.0, 7.0).value == pytest.approx(0.75, rel=1e-10)
    assert exceedance(quadrant, -1.0, np.inf).value == pytest.approx(1 - 0.15865525393145707**2, rel=1e-10)


@pytest.mark.parametrize(
    ("kind", "text", "options"),
    [
        (
            UnknownChoice,
            "kind = dunnett: is not offered; choose one of pairwise, reference, custom, polynomial, consecutive, "
            "mean_change, effect",
            {"kind": "dunnett"},
        ),
        (
            UnknownChoice,
            "adjust = fdr: is not offered; choose one of none, bonferroni, holm, hochberg, sidak, tukey, dunnett, mvt",
            {"adjust": "fdr"},
        ),
        (
            UnknownChoice,
            "alternative = larger: is not offered; choose one of two-sided, greater, less",
            {"alternative": "larger"},
        ),
        (
            UnknownChoice,
            "adjust = tukey: is for pairwise contrasts, not consecutive; use mvt or holm",
            {"kind": "consecutive", "adjust": "tukey"},
        ),
        (
            UnknownChoice,
            "adjust = tukey: is two-sided, and the alternative is less; use mvt or holm",
            {"adjust": "tukey", "alternative": "less"},
        ),
        (
            UnknownChoice,
            "adjust = dunnett: is for contrasts with a reference, not pairwise; use mvt or holm",
            {"adjust": "dunnett"},
        ),
        (
            BadSample,
            "reference = 0: has no meaning for effect contrasts; leave it out",
            {"kind": "effect", "reference": 0},
        ),
        (
            UnknownChoice,
            "reference = 3: is not one of the means; choose from 0, 1, 2, 4, 8",
            {"kind": "reference", "reference": 3},
        ),
        (BadSample, "coefficients: are needed; give a mapping from names to weights", {"kind": "custom"}),
        (
            BadSample,
            "coefficients: have no meaning for pairwise contrasts; leave them out",
            {"coefficients": {"a": [1, -1, 0, 0, 0]}},
        ),
        (
            BadSample,
            "coefficients: name no contrast; give a mapping from names to weights",
            {"kind": "custom", "coefficients": {}},
        ),
        (
            BadSample,
            "coefficients[a]: are not 5 finite weights that are not all zero; "
            "give one weight for each of 0, 1, 2, 4, 8",
            {"kind": "custom", "coefficients": {"a": [1, -1]}},
        ),
        (
            BadSample,
            "level = 0: is not a confidence level; give a number between 0 and 1, such as 0.95",
            {"level": 0},
        ),
    ],
)
def test_what_does_not_go_together_is_refused(means, kind, text, options):
    with pytest.raises(kind) as refusal:
        means.contrasts(options.pop("kind", "pairwise"), **options)
    assert str(refusal.value) == text


def test_means_that_the_model_takes_as_equal_are_refused():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"x": rng.normal(0, 1, 12), "y": rng.normal(0, 1, 12)})
    means = stats.marginal_means(stats.ancova("y ~ {x**2}", frame), "x", at={"x": [-1, 1]})
    with pytest.raises(NotIdentified) as refusal:
        means.contrasts("pairwise")
    assert str(refusal.value) == "kind: asks for -1 - 1, which the model takes as equal; contrast other means"


def test_sums_without_variance_are_refused():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"arm": np.repeat(["a", "b", "c"], 4), "y": rng.normal(0, 1, 12)})
    # One arm without variation: its heteroscedasticity-consistent variance is nil, though no coefficient's is.
    frame.loc[frame["arm"] == "c", "y"] = 1.0
    fit = stats.ancova("y ~ arm", frame, covariance="hc2")
    with pytest.raises(NotIdentified) as refusal:
        stats.marginal_means(fit, "arm")
    assert str(refusal.value) == ("fit: gives no variance to the mean of c; use the model covariance, or fewer terms")
