"""Imputation and Rubin's rules against R; the armd240 trial as it comes.

Scripts, data and full-precision output: strategies.R (nlme 3.1-162) and pooling.R (mice 3.15.0), R 4.2.2, beside
this file. Rubin's rules are closed forms on both sides: 1e-12 relative. The base model is maximised on both sides, and
gls stops 2e-8 below the log-likelihood that ours reaches: 5e-5 relative on imputed values and effects.
"""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

HERE = Path(__file__).parent
POOLING = json.loads((HERE / "pooling.json").read_text(encoding="utf-8"))
STRATEGIES = json.loads((HERE / "strategies.json").read_text(encoding="utf-8"))
COMMON = [one for one in STRATEGIES["results"] if "jackknife" in one]


def floats(values):
    """R's texts as numbers, NaN for NA."""
    return np.where(np.array(values) == "NA", "nan", values).astype(np.float64)


@pytest.mark.parametrize("case", POOLING["cases"], ids=lambda case: case["df_complete"])
def test_rubins_rules_agree_with_mice(case):
    pooled = stats.pool(floats(case["estimates"]), floats(case["variances"]), float(case["df_complete"]))
    names = ("estimate", "within", "between", "total", "df", "relative_increase", "missing_information", "p_value")
    for name in names:
        assert getattr(pooled, name) == pytest.approx(float(case[name]), rel=1e-12), name


@pytest.fixture(scope="module")
def trial():
    """The frame that strategies.R drew, its events by subject; numbers of subjects as text."""
    data = STRATEGIES["data"]
    n = len(data["arm"])
    y = floats(data["y"])
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"{who:02d}" for who in range(1, n + 1)], 4),
            "visit": np.tile([1, 2, 3, 4], n),
            "arm": np.repeat(data["arm"], 4),
            "baseline": np.repeat(floats(data["baseline"]), 4),
            "y": y.ravel(),
        }
    )
    return frame, {f"{who + 1:02d}": int(at) for who, at in enumerate(data["event"]) if int(at) <= 4}


def imputed(trial, strategy, covariance):
    frame, events = trial
    if strategy == "last-mean-carried-forward":
        frame, events = frame[frame["id"] != "06"], {who: at for who, at in events.items() if who != "06"}
    return stats.impute(
        frame,
        subject="id",
        visit="visit",
        outcome="y",
        arm="arm",
        covariates=["baseline"],
        reference="ART",
        strategy=strategy,
        covariance=covariance,
        method="conditional-mean",
        ice=events,
    )


@pytest.mark.parametrize("one", STRATEGIES["results"], ids=lambda one: f"{one['strategy']} {one['covariance']}")
def test_conditional_means_agree_with_gls_in_r(trial, one):
    sets = imputed(trial, one["strategy"], one["covariance"])
    np.testing.assert_allclose(sets.values[0], floats(one["values"]), rtol=5e-5)
    effects = [sets.ancova(visit).beta[-1] for visit in (1, 2, 3, 4)]
    np.testing.assert_allclose(effects, floats(one["effects"]), rtol=5e-5)


@pytest.mark.parametrize("one", COMMON, ids=lambda one: one["strategy"])
def test_the_jackknife_agrees_with_every_refit_in_r(trial, one):
    sets = imputed(trial, one["strategy"], "common")
    fit = sets.ancova(4, df=np.inf)
    left = sets.compared(sets.outcomes_at(4), None).estimates[1:, -1]
    np.testing.assert_allclose(left, floats(one["jackknife"]["effects"]), rtol=5e-5)
    assert float(fit.coefficients["std_error"].iloc[-1]) == pytest.approx(
        float(one["jackknife"]["std_error"]), rel=5e-5
    )


def test_at_random_the_conditional_mean_is_the_mmrm(trial):
    # Normal equations of generalised least squares given the covariance hold at the completed data: docs, (mmrm).
    sets = imputed(trial, "mar", "common")
    fit = stats.mmrm("y ~ C(visit) + C(visit):baseline + C(visit):arm", trial[0], subject="id", visit="visit")
    wanted = dict(zip(fit.coefficients["term"], fit.beta, strict=True))
    for visit in (1, 2, 3, 4):
        assert sets.ancova(visit).beta[-1] == pytest.approx(wanted[f"C(visit)[{visit}]:arm[T.NK]"], rel=1e-9)


@pytest.mark.r("jsonlite", "mice", "nlme")
@pytest.mark.parametrize("script", ["pooling", "strategies"])
def test_the_scripts_still_write_what_is_stored(script, tmp_path):
    copy = tmp_path / f"{script}.R"
    shutil.copy(HERE / f"{script}.R", copy)
    subprocess.run(["Rscript", "--vanilla", str(copy)], check=True, capture_output=True)
    stored = json.loads((HERE / f"{script}.json").read_text(encoding="utf-8"))
    written = json.loads(copy.with_suffix(".json").read_text(encoding="utf-8"))
    for result in (stored, written):
        del result["made_with"]
    assert_same(written, stored)


def assert_same(one, other):
    """The same structure, its numbers to 1e-6 relative (another processor's rounding moves where gls stops)."""
    if isinstance(other, dict):
        assert one.keys() == other.keys()
        for name, value in other.items():
            assert_same(one[name], value)
    elif isinstance(other, list):
        assert len(one) == len(other)
        for each, value in zip(one, other, strict=True):
            assert_same(each, value)
    else:
        try:
            assert float(one) == pytest.approx(float(other), rel=1e-6, nan_ok=True)
        except ValueError:
            assert one == other


# The real eye trial ARMD: 240 patients, visual acuity at weeks 4, 12, 24 and 52; 45 lost something, most by dropout.
def test_a_real_trial_with_dropout(shared):
    wide = pd.read_csv(shared("data/trials/armd240_wide.csv"))
    long = wide.melt(
        id_vars=["subject", "treat", "visual0"],
        value_vars=["visual4", "visual12", "visual24", "visual52"],
        var_name="week",
        value_name="acuity",
    )
    long["week"] = long["week"].str.removeprefix("visual").astype(int)
    names = {"subject": "subject", "visit": "week", "outcome": "acuity", "arm": "treat", "covariates": ["visual0"]}
    missing = int(long["acuity"].isna().sum())
    assert missing > 0

    at_random = stats.impute(long, **names, reference=1, method="conditional-mean")
    jump = stats.impute(long, **names, reference=1, method="conditional-mean", strategy={2: "jump-to-reference"})
    drawn = stats.impute(long, **names, reference=1, seed=240, draws=400)
    assert at_random.n_imputed == jump.n_imputed == drawn.n_imputed == missing

    mmrm = stats.mmrm(
        "acuity ~ C(week) + C(week):visual0 + C(week):C(treat)", long, subject="subject", visit="week"
    ).coefficients.set_index("term")
    term = "C(week)[52]:C(treat)[T.2]"
    fit, sampled = at_random.ancova(52), drawn.ancova(52)
    assert fit.beta[-1] == pytest.approx(mmrm.loc[term, "estimate"], rel=1e-8)
    assert fit.coefficients["std_error"].iloc[-1] == pytest.approx(mmrm.loc[term, "std_error"], rel=0.1)
    assert abs(sampled.beta[-1] - fit.beta[-1]) < 4 * sampled.mc_error[-1]
    assert sampled.coefficients["std_error"].iloc[-1] == pytest.approx(mmrm.loc[term, "std_error"], rel=0.1)
    assert abs(jump.ancova(52).beta[-1]) < abs(fit.beta[-1])
