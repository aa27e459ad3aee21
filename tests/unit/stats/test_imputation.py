"""Imputation on one small trial: what comes out, by hand where hands reach, and every refusal by its whole text."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise import stats
from equipoise.stats.frames import opened
from equipoise.stats.imputation_data import Names, read
from equipoise.stats.imputation_model import posed, posterior

NAMES = {"subject": "id", "visit": "visit", "outcome": "y", "arm": "arm", "covariates": ["age"]}
MEANS = NAMES | {"method": "conditional-mean", "reference": "ART"}
DRAWN = NAMES | {"draws": 20, "seed": 7, "reference": "ART"}


@pytest.fixture
def dropouts():
    """Twenty-four participants, three visits, eight lose the end, one the middle."""
    rng = np.random.default_rng(24)
    who = np.arange(24)
    level = 100 + 8 * rng.normal(size=(24, 1)) + 5 * rng.normal(size=(24, 3)) + 4 * (who % 2)[:, np.newaxis]
    y = np.round(level, 1)
    y[[0, 1, 4, 7], 2] = np.nan
    y[[2, 3, 9, 12], 1:] = np.nan
    y[6, 1] = np.nan
    frame = pd.DataFrame({"id": np.repeat([f"P{each:02d}" for each in who], 3), "visit": np.tile([1, 3, 6], 24)})
    return frame.assign(
        arm=np.repeat(np.where(who % 2, "NK", "ART"), 3), age=np.repeat(rng.integers(20, 60, 24), 3), y=y.ravel()
    )


def effect(fit, column="estimate", arm="NK"):
    return float(fit.coefficients.set_index("term").loc[f"arm[T.{arm}]", column])


def test_what_was_seen_stays_and_what_was_not_is_counted(dropouts):
    sets = stats.impute(dropouts, **DRAWN)
    assert (sets.n_subjects, sets.n_observations, sets.n_imputed, sets.sets) == (24, 59, 13, 20)
    assert (sets.visits, sets.arms, sets.subjects[:2]) == ((1, 3, 6), ("ART", "NK"), ("P00", "P01"))
    wide = dropouts["y"].to_numpy().reshape(24, 3)
    for number in (0, 19):
        table = sets.outcome(number)
        np.testing.assert_array_equal(table[~np.isnan(wide)], wide[~np.isnan(wide)])
        assert np.isfinite(table).all()
        np.testing.assert_array_equal(sets.outcomes_at(3)[number], table[:, 1])
    assert sets.counts.to_dict("list") == {
        "arm": ["ART"] * 3 + ["NK"] * 3,
        "visit": [1, 3, 6] * 2,
        "n": [12] * 6,
        "observed": [12, 9, 8, 12, 10, 8],
        "imputed": [0, 3, 4, 0, 2, 4],
        "after_event": [0, 2, 4, 0, 2, 4],
    }


def test_a_completed_frame_is_of_the_kind_that_came_in(dropouts):
    shuffled = dropouts.sample(frac=1, random_state=1).dropna(subset="y")
    whole = stats.impute(shuffled, **MEANS).completed()
    assert list(whole.columns) == ["id", "visit", "arm", "age", "y"]
    assert whole[["id", "visit", "arm", "age"]].equals(dropouts[["id", "visit", "arm", "age"]])
    seen = dropouts["y"].notna()
    np.testing.assert_array_equal(whole["y"][seen], dropouts["y"][seen])

    labels = ["M1", "M3", "M6"]
    named = dropouts.assign(visit=dropouts["visit"].map(dict(zip([1, 3, 6], labels, strict=True))))
    theirs = pl.DataFrame(named.to_dict("list"), schema_overrides={"visit": pl.Enum(labels)}).fill_nan(None)
    completed = stats.impute(theirs, **MEANS).completed()
    assert completed.schema == theirs.schema
    assert completed["visit"].to_list() == labels * 24
    assert completed["y"].to_list() == whole["y"].tolist()


def test_the_jackknife_leaves_out_each_subject_once(dropouts):
    sets = stats.impute(dropouts, **MEANS)
    assert sets.jackknife
    assert sets.left_out.tolist() == list(range(-1, 24))
    third = sets.completed(3)
    assert third["id"].nunique() == 23
    assert "P02" not in set(third["id"])
    fit = sets.ancova()
    assert fit.pooling is None
    assert (fit.mc_error == 0).all()
    assert (fit.sets, fit.df.tolist()) == (25, [21.0, 21.0, 21.0])
    left = np.array([effect(stats.ancova("y ~ age + arm", last_visit(sets.completed(each)))) for each in range(1, 25)])
    assert effect(fit, "std_error") == pytest.approx(np.sqrt(23 / 24 * ((left - left.mean()) ** 2).sum()), rel=1e-9)


def last_visit(frame):
    return frame[frame["visit"] == 6]


@pytest.mark.parametrize("options", [MEANS, DRAWN], ids=["conditional-mean", "bayes"])
def test_any_analysis_that_is_the_ancova_gives_the_ancova(dropouts, options):
    sets = stats.impute(dropouts, **options)
    ours = sets.ancova()
    theirs = sets.analyse(lambda frame: stats.ancova("y ~ age + arm", last_visit(frame)))
    assert theirs.columns == ours.columns == ("Intercept", "age", "arm[T.NK]")
    np.testing.assert_allclose(theirs.beta, ours.beta, rtol=1e-9)
    np.testing.assert_allclose(theirs.covariance, ours.covariance, rtol=1e-7)
    np.testing.assert_allclose(theirs.df, ours.df, rtol=1e-9)
    joint = ours.joint_test("arm")
    assert joint.statistic == pytest.approx(effect(ours, "statistic") ** 2, rel=1e-9)
    assert joint.p_value == pytest.approx(effect(ours, "p_value"), rel=1e-9)


def test_the_fit_is_rubins_rules_over_the_sets(dropouts):
    sets = stats.impute(dropouts, **DRAWN)
    fit = sets.ancova(3)
    each = [stats.ancova("y ~ age + arm", frame[frame["visit"] == 3]) for frame in map(sets.completed, range(20))]
    pooled = stats.pool([one.beta[2] for one in each], [one.covariance[2, 2] for one in each], 21)
    for name, value in (("estimate", pooled.estimate), ("std_error", pooled.std_error), ("df", pooled.df)):
        assert effect(fit, name) == pytest.approx(value, rel=1e-10)
    assert fit.mc_error[2] == pytest.approx(pooled.mc_error, rel=1e-9)
    assert fit.pooling.missing_information[2] == pytest.approx(pooled.missing_information, rel=1e-9)


def test_the_analysis_may_adjust_for_fewer_covariates(dropouts):
    sets = stats.impute(dropouts, **MEANS)
    plain = sets.ancova(covariates=())
    assert plain.columns == ("Intercept", "arm[T.NK]")
    outcome, nk = sets.outcome(0)[:, 2], np.arange(24) % 2 == 1
    assert effect(plain) == pytest.approx(outcome[nk].mean() - outcome[~nk].mean(), rel=1e-12)


def test_arms_are_compared_with_the_reference(dropouts):
    other = stats.impute(dropouts, **MEANS | {"reference": "NK"}).ancova()
    assert other.columns[-1] == "arm[T.ART]"
    assert effect(other, arm="ART") == pytest.approx(-effect(stats.impute(dropouts, **MEANS).ancova()), rel=1e-9)


def test_methods_say_what_was_done(dropouts):
    drawn = stats.impute(dropouts, **DRAWN, strategy={"NK": "jump-to-reference"})
    assert drawn.ancova().method == (
        "Imputation of 13 missing outcomes of 72, 24 subjects: 20 draws from the posterior of a multivariate normal "
        "model of 3 visits, unstructured, one covariance (Rubin 1987; Schafer 1997); ART missing at random, NK jump to "
        "reference, reference ART (Carpenter, Roger and Kenward 2013); analysis of covariance at visit 6, pooled over "
        "20 completed sets by Rubin's rules (Rubin 1987; Barnard and Rubin 1999), t tests"
    )
    means = stats.impute(dropouts, **MEANS, covariance="by-arm")
    assert means.ancova(3, df=np.inf).method == (
        "Imputation of 13 missing outcomes of 72, 24 subjects: conditional means under a multivariate normal model of "
        "3 visits, unstructured, each arm by itself, restricted maximum likelihood (Wolbers et al. 2022); ART missing "
        "at random, NK missing at random, reference ART; analysis of covariance at visit 3, jackknife over 24 subjects "
        "(Wolbers et al. 2022), normal reference distribution"
    )


def test_an_event_by_subject_and_by_column_is_the_same(dropouts):
    events = {"P02": 3, "P09": 3, "P05": 6}
    flags = dropouts.assign(after=[row.visit >= events.get(row.id, 99) for row in dropouts.itertuples()])
    options = MEANS | {"strategy": "copy-increments"}
    one, other = stats.impute(dropouts, **options, ice=events), stats.impute(flags, **options, ice="after")
    np.testing.assert_array_equal(one.values, other.values)
    assert one.notes == ("Outcomes known after an intercurrent event: 1, all kept; the base model did without 1",)
    # Dropping out is no event unless it is named: all else is imputed at random.
    assert int(one.counts["after_event"].sum()) == 4


def test_outcomes_after_an_event_stay_out_of_the_base_model(dropouts):
    events = {"P05": 3}
    gone = dropouts.assign(y=dropouts["y"].where((dropouts["id"] != "P05") | (dropouts["visit"] < 3)))
    kept = stats.impute(dropouts, **MEANS, strategy="jump-to-reference", ice=events)
    without = stats.impute(gone, **MEANS, strategy="jump-to-reference", ice=events)
    others = [who for who, subject in enumerate(kept.subjects) if subject != "P05"]
    np.testing.assert_array_equal(kept.outcome(0)[others], without.outcome(0)[others])
    assert kept.outcome(0)[5].tolist() == dropouts["y"][15:18].tolist()
    at_random = stats.impute(dropouts, **MEANS, ice=events)
    assert at_random.notes == ("Outcomes known after an intercurrent event: 2, all kept; the base model did without 0",)


def test_a_participant_without_any_outcome_is_imputed_from_arm_and_covariates(dropouts):
    silent = dropouts.assign(y=dropouts["y"].where(dropouts["id"] != "P10"))
    sets = stats.impute(silent, **MEANS)
    assert sets.notes == ("Subjects without any outcome: 1, imputed from arm and covariates alone",)
    fit = stats.mmrm("y ~ C(visit) + C(visit):age + C(visit):arm", silent, subject="id", visit="visit")
    beta = dict(zip(fit.coefficients["term"], fit.beta, strict=True))
    age = float(silent.loc[silent["id"] == "P10", "age"].iloc[0])
    wanted = beta["Intercept"] + beta["C(visit)[T.6]"] + beta["C(visit)[6]:age"] * age
    assert sets.outcome(0)[10, 2] == pytest.approx(wanted, rel=1e-7)


def test_delta_moves_imputed_values_alone(dropouts):
    sets = stats.impute(dropouts, **MEANS)
    moved = sets.with_delta({"NK": {6: -10.0}, "ART": 1.0})
    change = moved.outcome(0) - sets.outcome(0)
    missing = dropouts["y"].isna().to_numpy().reshape(24, 3)
    nk = (np.arange(24) % 2 == 1)[:, np.newaxis]
    wanted = np.where(nk, missing * np.array([0.0, 0.0, -10.0]), missing * 1.0)
    wanted[6, 1] = 0.0  # missing before a known one: no event, no delta
    np.testing.assert_allclose(change, wanted, atol=1e-12)
    everything = sets.with_delta({"ART": 1.0}, delta_for="all-imputed")
    assert (everything.outcome(0) - sets.outcome(0))[6, 1] == pytest.approx(1.0, rel=1e-12)
    again = stats.impute(dropouts, **MEANS, delta={"NK": {6: -10.0}, "ART": 1.0})
    np.testing.assert_array_equal(again.outcome(0), moved.outcome(0))
    assert (sets.with_delta(None).outcome(3) == sets.outcome(3)).all()


def test_the_tipping_point_is_where_p_crosses(dropouts):
    shifted = dropouts.assign(y=dropouts["y"] + 12 * (dropouts["arm"] == "NK"))
    sets = stats.impute(shifted, **DRAWN)
    found = stats.tipping_point(sets, arm="NK", deltas=[0, -20, -40, -60])
    assert list(found.table.columns) == ["delta", "estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]
    assert found.table["delta"].tolist() == [-60, -40, -20, 0]
    for _, row in found.table.iterrows():
        fit = sets.with_delta({"NK": float(row["delta"])}).ancova()
        assert row["estimate"] == pytest.approx(effect(fit), rel=1e-10)
        assert row["p_value"] == pytest.approx(effect(fit, "p_value"), rel=1e-8)
    assert found.table["p_value"].iloc[3] < 0.05 < found.table["p_value"].iloc[0]
    assert effect(sets.with_delta({"NK": found.tipping}).ancova(), "p_value") == pytest.approx(0.05, rel=1e-8)
    assert found.term == "arm[T.NK]"
    none = stats.tipping_point(sets, arm="NK", deltas=[0, 1])
    assert none.tipping is None


def test_the_jackknife_tips_at_the_same_place_every_time(dropouts):
    shifted = dropouts.assign(y=dropouts["y"] + 12 * (dropouts["arm"] == "NK"))
    one, other = (
        stats.tipping_point(stats.impute(shifted, **MEANS), arm="NK", deltas=np.linspace(-60, 0, 7)) for _ in range(2)
    )
    assert one.tipping == other.tipping
    assert one.table.equals(other.table)


# Two visits, one arm's worth of columns: complete first visit, so each posterior is a known normal-chi-squared one.
def test_posterior_draws_have_the_moments_of_their_distribution(dropouts):
    frame = dropouts[dropouts["visit"] != 3]
    long = read(opened(frame), Names("id", "visit", "y", "arm", ()), reference=None, strategy="mar", ice=None)
    drawn = posterior(posed(long, "by-arm", spare=0), 40_000, 1, np.random.default_rng(3))
    own = long.outcome[long.arm == 0]
    first, both = own[:, 0], own[~np.isnan(own[:, 1])]
    square = ((first - first.mean()) ** 2).sum()
    # First visit: variance square / chi-squared on 11; mean t on 11 about the average. Of 40,000 draws, 4 errors.
    variance = drawn.covariance[:, 0, 0, 0]
    close(variance, square / (11 - 2))
    close(1 / variance, 11 / square)
    mean = drawn.coefficients[:, 0, 0, 0]
    close(mean, first.mean())
    close((mean - first.mean()) ** 2, square / 12 / (11 - 2))
    # Second visit on the first, among those seen at both: slope and residual variance of ordinary least squares.
    slope, residual, spread = simple_regression(both)
    k = len(both) - 2
    close(drawn.covariance[:, 0, 0, 1] / variance, slope)
    left = drawn.covariance[:, 0, 1, 1] - drawn.covariance[:, 0, 0, 1] ** 2 / variance
    close(1 / left, k / residual)
    close((drawn.covariance[:, 0, 0, 1] / variance - slope) ** 2, residual / spread / (k - 2))
    at_average = drawn.coefficients[:, 0, 0, 1] + drawn.covariance[:, 0, 0, 1] / variance * (both[:, 0].mean() - mean)
    close(at_average, both[:, 1].mean())


def close(draws, wanted):
    assert abs(draws.mean() - wanted) < 4 * draws.std() / np.sqrt(len(draws))


def simple_regression(pairs):
    x, y = (pairs - pairs.mean(axis=0)).T
    slope = (x @ y) / (x @ x)
    return slope, ((y - slope * x) ** 2).sum(), x @ x


def test_data_augmentation_agrees_with_a_plain_chain(dropouts):
    """Gaps at the first of two visits: one long scalar chain, subject by subject, against many short ones."""
    frame = dropouts[(dropouts["visit"] != 3) & (dropouts["arm"] == "ART")].assign(arm="both")
    frame.loc[frame["id"].isin(["P06", "P10", "P14", "P20"]) & (frame["visit"] == 1), "y"] = np.nan
    twin = frame.assign(id="Q" + frame["id"], arm="other", y=frame["y"] + 0.1)
    long = read(
        opened(pd.concat([frame, twin])), Names("id", "visit", "y", "arm", ()), reference=None, strategy="mar", ice=None
    )
    drawn = posterior(posed(long, "by-arm", spare=0), 4000, 60, np.random.default_rng(11))
    mean, covariance = plain_chain(long.outcome[long.arm == 0], 6000, np.random.default_rng(12))
    agree(drawn.coefficients[:, 0, 0, 0], mean[:, 0])
    agree(drawn.coefficients[:, 0, 0, 1], mean[:, 1])
    agree(np.log(drawn.covariance[:, 0, 0, 0]), np.log(covariance[:, 0, 0]))
    agree(np.log(drawn.covariance[:, 0, 1, 1]), np.log(covariance[:, 1, 1]))
    agree(correlations(drawn.covariance[:, 0]), correlations(covariance))


def correlations(covariance):
    return covariance[:, 0, 1] / np.sqrt(covariance[:, 0, 0] * covariance[:, 1, 1])


def agree(ours, plain):
    # A step of the chain is worth a third of a draw at least; 5 errors of the difference.
    error = np.sqrt(ours.var() / len(ours) + 3 * plain.var() / len(plain))
    assert abs(ours.mean() - plain.mean()) < 5 * error
    assert ours.std() == pytest.approx(plain.std(), rel=0.15)


def plain_chain(y, steps, rng):
    """Two visits: draw the gaps at the first given the second, then mean and variance, then the regression."""
    y = y.copy()
    gap = np.isnan(y[:, 0])
    y[gap, 0] = np.nanmean(y[:, 0])
    both = ~np.isnan(y[:, 1])
    means, covariances = [], []
    for _ in range(steps):
        first = y[:, 0]
        variance = ((first - first.mean()) ** 2).sum() / rng.chisquare(len(first) - 1)
        mean = rng.normal(first.mean(), np.sqrt(variance / len(first)))
        slope, residual, spread = simple_regression(y[both])
        left = residual / rng.chisquare(both.sum() - 2)
        slope = rng.normal(slope, np.sqrt(left / spread))
        centre = rng.normal(y[both, 1].mean(), np.sqrt(left / both.sum()))
        intercept = centre - slope * y[both, 0].mean()
        means.append([mean, intercept + slope * mean])
        covariances.append([[variance, slope * variance], [slope * variance, left + slope**2 * variance]])
        for who in np.flatnonzero(gap):
            precision = 1 / variance + slope**2 / left
            given = (mean / variance + slope * (y[who, 1] - intercept) / left) / precision
            y[who, 0] = rng.normal(given, 1 / np.sqrt(precision))
    return np.array(means[100:]), np.array(covariances[100:])
