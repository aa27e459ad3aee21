"""What must not change a result: the order of rows, the names of participants, the unit and origin of the outcome."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.refusals import NotIdentified

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([1e6, 1.0, 1e-6])
CORRECTED = ("model", "robust", "kauermann-carroll", "mancl-derouen", "fay-graubard", "morel-bokossa-neerchal", "pan")


def trial(seed, gaps=0.15):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(12), 4), "visit": np.tile([0, 1, 3, 6], 12)})
    frame["arm"] = np.where(frame["id"] < 5, "ART", "NK")
    frame["age"] = rng.integers(20, 60, 12)[frame["id"]]
    frame["y"] = rng.normal(100, 20, 12)[frame["id"]] + rng.normal(0, 15, 48)
    frame.loc[rng.random(48) < gaps, "y"] = np.nan
    return frame.assign(id=[f"P{who:02d}" for who in frame["id"]])


def gee(frame, **options):
    return stats.gee("y ~ arm * visit + age", frame, cluster="id", time="visit", **options)


def settled(frame, working):
    """The fit, passing over trials whose neighbouring visits seem to correlate by more than one."""
    try:
        return gee(frame, working=working)
    except NotIdentified:
        return assume(False)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from(["exchangeable", "ar1", "independence"]))
def test_gee_gives_the_same_bits_in_any_order(seed, working):
    frame = trial(seed)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(seed))
    first, second = settled(frame, working), gee(shuffled, working=working)
    assert first.beta.tobytes() == second.beta.tobytes()
    assert first.coefficients.equals(second.coefficients)
    assert (first.qic, first.scale) == (second.qic, second.scale)


@settings(max_examples=15)
@given(SEEDS)
def test_gee_without_visits_gives_the_same_bits_in_any_order(seed):
    frame = trial(seed)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(seed))
    first, second = (stats.gee("y ~ arm + age", rows, cluster="id") for rows in (frame, shuffled))
    assert first.coefficients.equals(second.coefficients)


@settings(max_examples=20)
@given(SEEDS)
def test_rows_without_an_outcome_change_nothing_but_the_count(seed):
    frame = trial(seed)
    with_gaps, without = gee(frame), gee(frame.dropna(subset="y"))
    assert with_gaps.coefficients.equals(without.coefficients)
    assert (with_gaps.n_left_out, without.n_left_out) == (int(frame["y"].isna().sum()), 0)


@settings(max_examples=30)
@given(SEEDS, SCALES, st.sampled_from([0.0, 1e8]), st.sampled_from(["exchangeable", "independence", "ar1"]))
def test_gee_follows_the_unit_and_origin_of_the_outcome(seed, scale, shift, working):
    # 1e-6 relative: a shift of 1e8 leaves eight digits in the data themselves.
    frame = trial(seed)
    moved = frame.assign(y=frame["y"] * scale + shift * scale)
    first, second = settled(frame, working), gee(moved, working=working)
    assert second.scale == pytest.approx(first.scale * scale**2, rel=1e-6)
    for name in CORRECTED:
        try:
            before = np.sqrt(np.diag(first.with_covariance(name).covariance))
        except NotIdentified:  # pooled by pairs of visits it may have a negative variance
            with pytest.raises(NotIdentified):
                second.with_covariance(name)
            continue
        after = np.sqrt(np.diag(second.with_covariance(name).covariance))
        np.testing.assert_allclose(after, before * scale, rtol=1e-6, err_msg=name)
    slack = 1e-6 * before * scale
    expected = first.beta * scale + np.array([shift * scale, 0, 0, 0, 0])
    assert (np.abs(second.beta - expected) <= slack).all()


@settings(max_examples=20)
@given(SEEDS, SCALES, st.sampled_from([0.0, 1e8]))
def test_gee_follows_the_unit_and_origin_of_a_covariate(seed, scale, shift):
    frame = trial(seed)
    moved = frame.assign(age=frame["age"] * scale + shift * scale)
    first, second = gee(frame), gee(moved)
    np.testing.assert_allclose(second.coefficients["statistic"][1:], first.coefficients["statistic"][1:], rtol=1e-5)


@settings(max_examples=20)
@given(SEEDS, st.permutations(range(12)))
def test_gee_does_not_know_who_is_who(seed, order):
    frame = trial(seed)
    renamed = frame.assign(id=[f"Q{order[int(who[1:])]:02d}" for who in frame["id"]])
    np.testing.assert_allclose(gee(renamed).covariance, gee(frame).covariance, rtol=1e-9, atol=1e-9)


@settings(max_examples=20)
@given(SEEDS)
def test_the_other_arm_as_reference_turns_the_effect_round(seed):
    frame = trial(seed)
    turned = frame.assign(arm=pd.Categorical(frame["arm"], ["NK", "ART"]))
    first, second = gee(frame), gee(turned)
    assert second.beta[1] == pytest.approx(-first.beta[1], rel=1e-8)
    assert second.covariance[1, 1] == pytest.approx(first.covariance[1, 1], rel=1e-8)


@settings(max_examples=20)
@given(SEEDS, SCALES, st.sampled_from([0.0, 1e8]))
def test_rm_anova_follows_the_unit_and_origin_of_the_outcome(seed, scale, shift):
    frame = trial(seed, gaps=0.0)
    moved = frame.assign(y=frame["y"] * scale + shift * scale).sample(frac=1, random_state=1)
    names = {"outcome": "y", "subject": "id", "within": "visit", "between": "arm"}
    first, second = (stats.rm_anova(rows, **names).table for rows in (frame, moved))
    for column in ("statistic", "epsilon_gg", "epsilon_hf", "mauchly_w", "eta_sq_generalised", "eta_sq_partial"):
        np.testing.assert_allclose(first[column], second[column], rtol=1e-5)


@settings(max_examples=20)
@given(SEEDS)
def test_rm_anova_and_ancova_give_the_same_bits_in_any_order(seed):
    frame = trial(seed, gaps=0.05)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(seed))
    names = {"outcome": "y", "subject": "id", "within": "visit", "between": "arm"}
    assert stats.rm_anova(frame, **names).table.equals(stats.rm_anova(shuffled, **names).table)
    first, second = (stats.ancova("y ~ age + arm", rows, covariance="hc3") for rows in (frame, shuffled))
    assert first.coefficients.equals(second.coefficients)


@settings(max_examples=20)
@given(SEEDS, SCALES, st.sampled_from([0.0, 1e8]), st.sampled_from(["student", "welch", "wilcoxon", "permutation"]))
def test_two_samples_follow_the_unit_and_origin(seed, scale, shift, method):
    # Whole numbers: shifted by 1e8 they keep every digit, so that ties stay ties.
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 40, 6).astype(float), rng.integers(0, 40, 7).astype(float)
    first = stats.two_sample(x, y, method=method)
    second = stats.two_sample((x[::-1] + shift) * scale, (y + shift) * scale, method=method)
    swapped = stats.two_sample(y, x, method=method)
    assert second.p_value == pytest.approx(first.p_value, rel=1e-6)
    assert second.conf_low == pytest.approx(first.conf_low * scale, rel=1e-6, abs=1e-6 * scale)
    assert swapped.p_value == pytest.approx(first.p_value, rel=1e-9)
    assert (swapped.conf_low, swapped.conf_high) == (
        pytest.approx(-first.conf_high, abs=1e-9),
        pytest.approx(-first.conf_low, abs=1e-9),
    )
