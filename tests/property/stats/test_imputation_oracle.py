"""Imputation against a plain second implementation, and what must not change it.

The plain one goes subject by subject: the mean and covariance of each strategy as the paper's table has them, and the
normal conditional on what was seen. Its base model is `mmrm`, fitted to the rows that the base model may see.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise import stats
from equipoise.stats.refusals import StatisticsRefusal

SEEDS = st.integers(0, 2**32 - 1)
STRATEGIES = ("mar", "jump-to-reference", "copy-reference", "copy-increments", "last-mean-carried-forward")
NAMES = {"subject": "id", "visit": "visit", "outcome": "y", "arm": "arm", "covariates": ("age", "sex")}
ARMS = ("ART", "NK", "NK2")


def trial(seed, n=36, visits=3):
    """Three arms, dropout, gaps, and for some an event with outcomes known after it."""
    rng = np.random.default_rng(seed)
    level = 100 + 15 * rng.normal(size=(n, 1)) + 10 * rng.normal(size=(n, visits)) + 6 * rng.normal(size=visits)
    y = level + (np.arange(n) % 3)[:, np.newaxis] * 4 * np.arange(visits)
    event = np.where(rng.random(n) < 0.4, rng.integers(1, visits, n), visits)
    after = np.arange(visits) >= event[:, np.newaxis]
    y[after & (rng.random(y.shape) < 0.7)] = np.nan
    y[rng.random(y.shape) < 0.07] = np.nan
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"P{who:02d}" for who in range(n)], visits),
            "visit": np.tile(np.arange(visits), n),
            "arm": np.repeat(np.array(ARMS)[np.arange(n) % 3], visits),
            "age": np.repeat(np.round(rng.normal(40, 10, n), 1), visits),
            "sex": np.repeat(np.array(["F", "M"])[rng.integers(0, 2, n)], visits),
            "y": y.ravel(),
        }
    )
    return frame, {f"P{who:02d}": int(at) for who, at in enumerate(event) if at < visits}


def impute(frame, events, **options):
    """As asked; a draw of the trial that cannot be fitted is not this test's."""
    try:
        return stats.impute(frame, **NAMES, reference="ART", ice=events, **options)
    except StatisticsRefusal:
        assume(False)


class Plain:
    """The base model and each subject's imputation, one at a time."""

    def __init__(self, frame, events, strategies, covariance):
        self.frame, self.events, self.strategies, self.covariance = frame, events, strategies, covariance
        at = frame["id"].map(events).fillna(np.inf)
        aside = (frame["visit"] >= at) & (frame["arm"].map(strategies) != "mar")
        rows = frame.assign(y=frame["y"].mask(aside))
        if covariance == "common":
            self.models = dict.fromkeys(ARMS, self.fit(rows, ARMS))
        else:
            self.models = {arm: self.fit(rows[rows["arm"] == arm], (arm,)) for arm in ARMS}

    def fit(self, rows, arms):
        """Coefficients (3, arms + 2) and covariance (3, 3): a column for each visit and arm, age and sex."""
        columns = {}
        for visit in range(3):
            here = (rows["visit"] == visit) * 1.0
            columns |= {f"v{visit}_{arm}": here * (rows["arm"] == arm) for arm in arms}
            columns |= {f"v{visit}_age": here * rows["age"], f"v{visit}_male": here * (rows["sex"] == "M")}
        formula = f"y ~ 0 + {' + '.join(columns)}"
        fit = stats.mmrm(formula, rows.assign(**columns), subject="id", visit="visit", df="residual")
        beta = dict(zip(fit.coefficients["term"], fit.beta, strict=True))
        return {name: np.array([beta[f"v{visit}_{name}"] for visit in range(3)]) for name in (*arms, "age", "male")}, (
            fit.visit_covariance["all"]
        )

    def mean(self, arm, age, male):
        beta = self.models[arm][0]
        return beta[arm] + beta["age"] * age + beta["male"] * male

    def completed(self):
        tables = []
        for who, own in self.frame.groupby("id"):
            y = own["y"].to_numpy().copy()
            known, gone = np.flatnonzero(~np.isnan(y)), np.flatnonzero(np.isnan(y))
            mean, covariance = self.distribution(own.iloc[0], self.events.get(who, 3))
            y[gone] = mean[gone]
            if known.size:
                weights = np.linalg.inv(covariance[np.ix_(known, known)])
                y[gone] += covariance[np.ix_(gone, known)] @ weights @ (y[known] - mean[known])
            tables.append(y)
        return np.array(tables)

    def distribution(self, row, event):
        male = float(row["sex"] == "M")
        mu, sigma = self.mean(row["arm"], row["age"], male), self.models[row["arm"]][1]
        ref, sigma_ref = self.mean("ART", row["age"], male), self.models["ART"][1]
        strategy = self.strategies[row["arm"]]
        if event == 3 or strategy == "mar":
            return mu, sigma
        if strategy == "copy-reference":
            return ref, sigma_ref
        mean = mu.copy()
        for visit in range(event, 3):
            mean[visit] = {
                "jump-to-reference": ref[visit],
                "copy-increments": mu[event - 1] + ref[visit] - ref[event - 1],
                "last-mean-carried-forward": mu[event - 1],
            }[strategy]
        if strategy == "last-mean-carried-forward":
            return mean, sigma
        # Given the past, the future is the reference's: y2 = K y1 + e, var(e) = R22 - K R12.
        k = sigma_ref[event:, :event] @ np.linalg.inv(sigma_ref[:event, :event])
        noise = sigma_ref[event:, event:] - k @ sigma_ref[:event, event:]
        out = sigma.copy()
        out[event:, :event] = k @ sigma[:event, :event]
        out[:event, event:] = out[event:, :event].T
        out[event:, event:] = k @ sigma[:event, :event] @ k.T + noise
        return mean, out


@settings(max_examples=20)
@given(SEEDS, st.tuples(*[st.sampled_from(STRATEGIES)] * 3), st.sampled_from(["common", "by-arm"]))
def test_conditional_means_agree_with_the_plain_implementation(seed, strategies, covariance):
    frame, events = trial(seed)
    by_arm = dict(zip(ARMS, strategies, strict=True))
    sets = impute(frame, events, strategy=by_arm, covariance=covariance, method="conditional-mean")
    plain = Plain(frame, events, by_arm, covariance).completed()
    np.testing.assert_allclose(sets.outcome(0), plain, rtol=1e-6)


@settings(max_examples=4)
@given(SEEDS, st.sampled_from(STRATEGIES), st.sampled_from(["common", "by-arm"]))
def test_the_jackknife_is_every_refit(seed, strategy, covariance):
    frame, events = trial(seed)
    options = {"strategy": strategy, "covariance": covariance, "method": "conditional-mean"}
    sets = impute(frame, events, **options)
    found = sets.compared(sets.outcomes_at(2), None)
    for place, who in enumerate(sets.subjects[:6]):
        others = {subject: at for subject, at in events.items() if subject != who}
        again = impute(frame[frame["id"] != who], others, **options)
        np.testing.assert_allclose(found.estimates[place + 1], again.ancova(2).beta, rtol=1e-6, atol=1e-6)


METHODS = st.sampled_from([{"method": "conditional-mean"}, {"draws": 8, "seed": 5, "steps": 10}])


@settings(max_examples=12)
@given(SEEDS, METHODS, st.sampled_from(STRATEGIES))
def test_the_order_of_the_rows_changes_no_bit(seed, method, strategy):
    frame, events = trial(seed)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(seed))
    one, other = (impute(rows, events, strategy=strategy, **method) for rows in (frame, shuffled))
    assert one.values.tobytes() == other.values.tobytes()
    assert one.ancova().coefficients.equals(other.ancova().coefficients)


@settings(max_examples=12)
@given(SEEDS, METHODS, st.sampled_from(STRATEGIES))
def test_rows_without_an_outcome_may_be_there_or_not(seed, method, strategy):
    frame, events = trial(seed)
    kept = frame[frame.groupby("id")["y"].transform("count") > 0]
    events = {who: at for who, at in events.items() if who in set(kept["id"])}
    one, other = (impute(rows, events, strategy=strategy, **method) for rows in (kept, kept.dropna(subset="y")))
    assert one.values.tobytes() == other.values.tobytes()


@settings(max_examples=12)
@given(SEEDS, METHODS, st.sampled_from(STRATEGIES), st.sampled_from([1e6, 1e-6]), st.sampled_from([0.0, 1e4, 1e8]))
def test_values_follow_the_unit_and_origin_of_the_outcome(seed, method, strategy, scale, shift):
    # 1e-6 of a standard deviation of some 20; a shift of 1e8 leaves eight digits in the data themselves.
    frame, events = trial(seed)
    moved = frame.assign(y=(frame["y"] + shift) * scale)
    one, other = (impute(rows, events, strategy=strategy, **method) for rows in (frame, moved))
    np.testing.assert_allclose(other.values / scale - shift, one.values, atol=2e-5)


@settings(max_examples=12)
@given(SEEDS, st.sampled_from(STRATEGIES), st.sampled_from(["common", "by-arm"]))
def test_names_and_units_of_covariates_change_no_conditional_mean(seed, strategy, covariance):
    frame, events = trial(seed)
    renamed = frame.assign(
        id="Q" + (99 - frame["id"].str[1:].astype(int)).astype(str),
        arm=frame["arm"].map({"ART": "Z", "NK": "B", "NK2": "A"}),
        age=1000 - 12 * frame["age"],
        sex=frame["sex"].map({"F": "woman", "M": "man"}),
    )
    options = {"strategy": strategy, "covariance": covariance, "method": "conditional-mean"}
    one = impute(frame, events, **options)
    other = stats.impute(
        renamed, **NAMES, reference="Z", ice={f"Q{99 - int(who[1:])}": at for who, at in events.items()}, **options
    )
    # The new names sort the participants the other way round.
    np.testing.assert_allclose(other.outcome(0)[::-1], one.outcome(0), rtol=1e-6)
    names = {"arm[T.NK]": "arm[T.B]", "arm[T.NK2]": "arm[T.A]"}
    ours, theirs = (fit.ancova(2).coefficients.set_index("term") for fit in (one, other))
    for name, new in names.items():
        for column in ("estimate", "std_error"):
            assert theirs.loc[new, column] == pytest.approx(ours.loc[name, column], rel=1e-5, abs=1e-5)


@settings(max_examples=8)
@given(SEEDS)
def test_a_seed_gives_the_same_draws_and_another_seed_others(seed):
    frame, events = trial(seed)
    one, same, other = (impute(frame, events, draws=4, steps=5, seed=each) for each in (3, 3, 4))
    assert one.values.tobytes() == same.values.tobytes()
    assert (one.values != other.values).all()


@settings(max_examples=8)
@given(SEEDS, METHODS)
def test_no_delta_and_no_event_are_missing_at_random(seed, method):
    frame, _ = trial(seed)
    at_random = impute(frame, {}, **method)
    zero = at_random.with_delta(dict.fromkeys(ARMS, 0.0))
    assert zero.ancova().coefficients.equals(at_random.ancova().coefficients)
    # Without an event each strategy is imputation at random.
    for strategy in STRATEGIES:
        assert impute(frame, {}, strategy=strategy, **method).values.tobytes() == at_random.values.tobytes()


@settings(max_examples=8)
@given(SEEDS)
def test_a_jump_to_the_reference_lies_between_nothing_and_missing_at_random(seed):
    # A clear case: dropout of a third of a treated arm that gains twenty a visit.
    rng = np.random.default_rng(seed)
    n, visits = 60, 3
    y = 100 + 5 * rng.normal(size=(n, 1)) + 5 * rng.normal(size=(n, visits))
    y += 20 * (np.arange(n) % 2)[:, np.newaxis] * np.arange(1, visits + 1)
    y[rng.choice(n, 20, replace=False), 1:] = np.nan
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(n), visits), "visit": np.tile(np.arange(visits), n), "y": y.ravel()}
    )
    frame["arm"] = np.where(frame["id"] % 2, "NK", "ART")
    names = {name: NAMES[name] for name in ("subject", "visit", "outcome", "arm")}
    effects = {
        strategy: stats.impute(frame, **names, reference="ART", strategy=strategy, method="conditional-mean")
        .ancova()
        .beta[-1]
        for strategy in STRATEGIES
    }
    assert 0 < effects["jump-to-reference"] < effects["copy-reference"] < effects["mar"]
    assert effects["jump-to-reference"] < effects["copy-increments"] < effects["mar"]
