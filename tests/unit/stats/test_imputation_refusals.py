"""Every refusal of imputation, by its whole text."""

import types

import numpy as np
import pandas as pd
import pytest

from equipoise import stats
from equipoise.stats import refusals

NAMES = {"subject": "id", "visit": "visit", "outcome": "y", "arm": "arm"}


@pytest.fixture
def dropouts():
    """Sixteen participants, three visits, the last lost by six."""
    rng = np.random.default_rng(16)
    frame = pd.DataFrame({"id": np.repeat([f"P{who:02d}" for who in range(16)], 3), "visit": np.tile([1, 3, 6], 16)})
    frame["arm"] = np.repeat(np.where(np.arange(16) % 2, "NK", "ART"), 3)
    frame["age"] = np.repeat(np.arange(30, 46), 3)
    frame["y"] = np.round(rng.normal(100, 10, 48), 1)
    frame.loc[frame["id"].isin(["P00", "P01", "P04", "P05", "P08", "P11"]) & (frame["visit"] == 6), "y"] = np.nan
    return frame


def means(frame, **options):
    return stats.impute(frame, **(NAMES | {"method": "conditional-mean"} | options))


def drawn(frame, **options):
    return stats.impute(frame, **(NAMES | {"seed": 1, "draws": 5} | options))


def put(frame, who, column, value, visits=(1, 3, 6)):
    """The frame with another value for one participant."""
    rows = (frame["id"] == who) & frame["visit"].isin(visits)
    return frame.assign(**{column: frame[column].astype(object).where(~rows, value)})


def without(frame, visit, keep):
    """The frame in which only some participants have an outcome at a visit."""
    return frame.assign(y=frame["y"].where((frame["visit"] != visit) | frame["id"].isin(keep)))


def apart(frame):
    """Whoever was seen at visit 1 was not seen at visit 6."""
    rows = (frame["id"] < "P08") & (frame["visit"] == 6) | (frame["id"] >= "P08") & (frame["visit"] == 1)
    y = np.random.default_rng(1).normal(size=len(frame))
    return frame.assign(y=np.where(rows, np.nan, y))


REFUSED = {
    "not a frame": (
        lambda f: drawn([1, 2]),
        refusals.BadSample,
        "data = list: is not a data frame; give a pandas or polars frame",
    ),
    "no rows": (lambda f: drawn(f[:0]), refusals.BadSample, "data: has no row; give one row a subject and visit"),
    "unknown column": (
        lambda f: drawn(f, arm="group"),
        refusals.UnknownColumn,
        "arm = group: is not a column of the data; choose one of id, visit, arm, age, y",
    ),
    "two roles": (
        lambda f: drawn(f, covariates=["arm"]),
        refusals.BadSample,
        "data: is asked for arm in two roles; give each column one role",
    ),
    "no subject": (
        lambda f: drawn(f.assign(id=f["id"].where(f.index != 3))),
        refusals.MissingCovariate,
        "id: is missing in row 4; fill it in, or leave the row out",
    ),
    "no covariate": (
        lambda f: drawn(put(f, "P03", "age", None, [6]).astype({"age": float}), covariates="age"),
        refusals.MissingCovariate,
        "age: is missing for P03; fill it in, or drop the covariate; only outcomes are imputed",
    ),
    "visits in text": (
        lambda f: drawn(f.assign(visit="M" + f["visit"].astype(str))),
        refusals.BadSample,
        "visit = visit: holds neither numbers nor categories, whose order is known; give numbers, or categories in the "
        "order of the visits",
    ),
    "twice": (
        lambda f: drawn(pd.concat([f, f[4:5]])),
        refusals.DuplicateVisit,
        "id, visit: has more than one row for P01 at 3; keep one row a visit",
    ),
    "infinite outcome": (
        lambda f: drawn(f.assign(y=f["y"].where(f.index != 5, np.inf))),
        refusals.BadSample,
        "outcome = y: is not finite in 1 rows; correct these values",
    ),
    "text outcome": (
        lambda f: drawn(f.assign(y="high")),
        refusals.BadSample,
        "outcome = y: holds something that is not a number; give a column of numbers",
    ),
    "changing arm": (
        lambda f: drawn(put(f, "P03", "arm", "ART", [6])),
        refusals.BadSample,
        "arm: changes between visits of P03; give each subject one value, such as the one at baseline",
    ),
    "changing covariate": (
        lambda f: drawn(put(f, "P03", "age", 70, [6]).astype({"age": int}), covariates=["age"]),
        refusals.BadSample,
        "age: changes between visits of P03; give each subject one value, such as the one at baseline",
    ),
    "infinite covariate": (
        lambda f: drawn(put(f, "P03", "age", np.inf).astype({"age": float}), covariates=["age"]),
        refusals.BadSample,
        "covariates = age: holds an infinite value; correct it",
    ),
    "constant covariate": (
        lambda f: drawn(f.assign(age=40), covariates=["age"]),
        refusals.BadSample,
        "covariates = age: has the same value for every subject; drop it",
    ),
    "one level": (
        lambda f: drawn(f.assign(sex="F"), covariates=["sex"]),
        refusals.BadSample,
        "covariates = sex: has the same value for every subject; drop it",
    ),
    "reference": (
        lambda f: drawn(f, reference="placebo"),
        refusals.UnknownChoice,
        "reference = placebo: is not an arm of the data; choose one of ART, NK",
    ),
    "no reference": (
        lambda f: drawn(f, strategy={"NK": "copy-increments"}),
        refusals.UnknownChoice,
        "reference: is needed by copy-increments; name one of ART, NK",
    ),
    "strategy": (
        lambda f: drawn(f, strategy="locf"),
        refusals.UnknownChoice,
        "strategy = locf: is not offered; choose one of mar, jump-to-reference, copy-reference, copy-increments, "
        "last-mean-carried-forward",
    ),
    "strategy of nobody": (
        lambda f: drawn(f, strategy={"placebo": "mar"}),
        refusals.UnknownChoice,
        "strategy = placebo: is not an arm of the data; choose from ART, NK",
    ),
    "event of nobody": (
        lambda f: drawn(f, ice={"P99": 3}),
        refusals.UnknownChoice,
        "ice = P99: is not a subject of the data; choose from P00, P01, P02, P03, P04 and 11 more",
    ),
    "event at no visit": (
        lambda f: drawn(f, ice={"P03": 4}),
        refusals.UnknownChoice,
        "ice = P03 at 4: is not at a visit of the data; choose one of 1, 3, 6",
    ),
    "event not true or false": (
        lambda f: drawn(f.assign(after="no"), ice="after"),
        refusals.BadSample,
        "ice = after: holds something other than true and false; give true from the event on",
    ),
    "event that ends": (
        lambda f: drawn(f.assign(after=(f["id"] == "P03") & (f["visit"] == 3)), ice="after"),
        refusals.BadSample,
        "ice = after: goes back to false for P03; give true at every visit from the event on",
    ),
    "event unknown": (
        lambda f: drawn(put(f.assign(after=False), "P03", "after", None, [6]), ice="after"),
        refusals.MissingCovariate,
        "after: is missing in row 12; fill it in, or leave the row out",
    ),
    "one visit": (
        lambda f: drawn(f[f["visit"] == 6]),
        refusals.BadSample,
        "visit = visit: has one visit; use ancova for a single visit",
    ),
    "one arm": (
        lambda f: drawn(f[f["arm"] == "NK"]),
        refusals.BadSample,
        "arm = arm: has one arm; give the data of two arms or more",
    ),
    "unseen": (
        lambda f: drawn(f.assign(y=f["y"].where((f["visit"] != 6) | (f["arm"] != "NK")))),
        refusals.BadSample,
        "outcome = y: is known for nobody of arm NK at visit 6; leave the visit out, or merge it with another",
    ),
    "unseen before the event": (
        lambda f: drawn(
            f, strategy="jump-to-reference", reference="ART", ice={f"P{who:02d}": 6 for who in range(1, 16, 2)}
        ),
        refusals.BadSample,
        "outcome = y: is known for nobody of arm NK at visit 6 before an intercurrent event; leave the visit out, or "
        "merge it with another",
    ),
    "delta of nobody": (
        lambda f: drawn(f, delta={"placebo": 5}),
        refusals.UnknownChoice,
        "delta = placebo: is not an arm of the data; choose from ART, NK",
    ),
    "delta at no visit": (
        lambda f: drawn(f, delta={"NK": {12: 5}}),
        refusals.UnknownChoice,
        "delta = 12: is not a visit of the data; choose from 1, 3, 6",
    ),
    "delta in words": (
        lambda f: drawn(f, delta={"NK": "five"}),
        refusals.BadSample,
        "delta = five: is not a finite number; give a shift in the outcome's units",
    ),
    "infinite delta": (
        lambda f: drawn(f, delta={"NK": {6: np.inf}}),
        refusals.BadSample,
        "delta = inf: is not a finite number; give a shift in the outcome's units",
    ),
    "delta rule": (
        lambda f: drawn(f, delta_for="everyone"),
        refusals.UnknownChoice,
        "delta_for = everyone: is not offered; choose one of after-event, all-imputed",
    ),
    "method": (
        lambda f: drawn(f, method="mice"),
        refusals.UnknownChoice,
        "method = mice: is not offered; choose one of bayes, conditional-mean",
    ),
    "covariance": (
        lambda f: drawn(f, covariance="ar1"),
        refusals.UnknownChoice,
        "covariance = ar1: is not offered; choose one of common, by-arm",
    ),
    "no seed": (
        lambda f: drawn(f, seed=None),
        refusals.BadSample,
        "seed: is needed by method bayes; give an integer, so that the draws can be made again",
    ),
    "one draw": (
        lambda f: drawn(f, draws=1),
        refusals.BadSample,
        "draws = 1: is not a number of sets to pool; give 2 or more, such as 100",
    ),
    "half a draw": (
        lambda f: drawn(f, draws=2.5),
        refusals.BadSample,
        "draws = 2.5: is not a number of sets to pool; give 2 or more, such as 100",
    ),
    "no step": (
        lambda f: drawn(f, steps=0),
        refusals.BadSample,
        "steps = 0: is not a number of steps; give 1 or more, such as 100",
    ),
    "draws of means": (
        lambda f: means(f, draws=10),
        refusals.UnknownChoice,
        "draws: does not go with conditional-mean, which draws nothing; leave it out, or use method bayes",
    ),
    "seed of means": (
        lambda f: means(f, seed=10),
        refusals.UnknownChoice,
        "seed: does not go with conditional-mean, which draws nothing; leave it out, or use method bayes",
    ),
    "nothing to carry": (
        lambda f: drawn(f, strategy="last-mean-carried-forward", ice={"P00": 1, "P03": 1}),
        refusals.BadSample,
        "strategy = last-mean-carried-forward: has no visit before the intercurrent event of P00 to carry forward; use "
        "another strategy, or leave these subjects out",
    ),
    "too few at a visit": (
        lambda f: drawn(without(f, 6, ["P02", "P03", "P06", "P07"])),
        refusals.NotIdentified,
        "base model: needs 5 subjects with an outcome at visit 6, and there are 4; drop covariates, or leave visits "
        "out",
    ),
    "too few of an arm": (
        lambda f: drawn(without(f, 6, ["P02", "P06", "P03", "P07", "P09", "P13"]), covariance="by-arm"),
        refusals.NotIdentified,
        "base model: needs 4 subjects of arm ART with an outcome at visit 6, and there are 2; drop covariates, or "
        "leave visits out",
    ),
    "too few to spare": (
        lambda f: means(without(f, 6, ["P02", "P03", "P06", "P07", "P09"])),
        refusals.NotIdentified,
        "base model: needs 6 subjects with an outcome at visit 6, and there are 5; drop covariates, or leave visits "
        "out",
    ),
    "visits apart": (
        lambda f: drawn(apart(f)),
        refusals.NotIdentified,
        "base model: is not determined: no subject has an outcome at 1 with 6; leave a visit out",
    ),
    "one for a pair": (
        lambda f: means(apart(f).assign(y=lambda g: g["y"].where((g["id"] != "P03") | (g["visit"] != 6), 1.5))),
        refusals.NotIdentified,
        "base model: is not determined: no more than one subject has an outcome at 1 with 6; leave a visit out",
    ),
    "dependent": (
        lambda f: drawn(f.assign(months=12 * f["age"] + 6), covariates=["age", "months"]),
        refusals.RankDeficient,
        "covariates: make months a combination of the columns before; drop a covariate, or merge categories that are "
        "rare",
    ),
    "dependent at a visit": (
        lambda f: drawn(f.assign(sex=np.where(f["id"].isin(["P00", "P01"]), "M", "F")), covariates=["sex"]),
        refusals.RankDeficient,
        "covariates: make sex[T.M] a combination of the columns before at visit 6; drop a covariate, or merge "
        "categories that are rare",
    ),
    "the baseline as a visit": (
        lambda f: drawn(f.assign(base=f.groupby("id")["y"].transform("first")), covariates=["base"]),
        refusals.BadSample,
        "visit = 1: has outcomes that the covariates predict exactly; leave the baseline visit's rows out",
    ),
    "constant outcome": (
        lambda f: drawn(f.assign(y=5.0)),
        refusals.BadSample,
        "outcome = y: has the same value everywhere; there is nothing to impute from",
    ),
    "indispensable": (
        lambda f: means(f.assign(sex=np.where(f["id"] == "P03", "M", "F")), covariates=["sex"]),
        refusals.NotIdentified,
        "method = conditional-mean: leaves out each subject, and P03 determines a coefficient alone at visit 1; drop a "
        "covariate, merge categories that are rare, or use method bayes",
    ),
    "copied visit": (
        lambda f: drawn(f.assign(y=f["y"].where(f["visit"] != 6, f["y"].shift(1)))),
        refusals.NotIdentified,
        "base model: has a singular covariance: a visit is a combination of other visits; leave a visit out, or check "
        "for copied columns",
    ),
    "copied visit of means": (
        lambda f: means(f.assign(y=f["y"].where(f["visit"] != 6, f["y"].shift(1)))),
        refusals.NotConverged,
        "method = conditional-mean: needs fits of the base model, with everyone and without each subject, and not all "
        "settle; drop covariates, leave visits with few outcomes out, or use method bayes",
    ),
    "analysis at no visit": (
        lambda f: means(f).ancova(12),
        refusals.UnknownChoice,
        "visit = 12: is not a visit of the data; choose one of 1, 3, 6",
    ),
    "analysis covariate": (
        lambda f: means(f).ancova(covariates=("sex",)),
        refusals.UnknownChoice,
        "covariates = sex: is not a covariate of the imputation; choose from none, as the imputation has none",
    ),
    "analysis df": (
        lambda f: means(f).ancova(df=0),
        refusals.UnknownChoice,
        "df = 0: is not a number of degrees of freedom; give one above zero, or infinity",
    ),
    "analysis level": (
        lambda f: means(f).ancova(level=95),
        refusals.BadSample,
        "level = 95: is not a confidence level; give a number between 0 and 1, such as 0.95",
    ),
    "no such set": (
        lambda f: drawn(f).completed(5),
        refusals.BadSample,
        "number = 5: is not one of the 5 sets; give 0 to 4",
    ),
    "analysis of nothing": (
        lambda f: drawn(f).analyse(lambda frame: frame["y"].mean()),
        refusals.BadSample,
        "analysis: returns something without coefficients, beta, covariance and df; return a fit of this library, or "
        "an object with these four",
    ),
    "analyses that differ": (
        lambda f: means(f).analyse(lambda frame: fake(frame["id"].iloc[0])),
        refusals.BadSample,
        "analysis: gives other coefficients in one completed set than in another; fix its terms",
    ),
    "tipping of nobody": (
        lambda f: stats.tipping_point(drawn(f), arm="placebo", deltas=[0, 1]),
        refusals.UnknownChoice,
        "arm = placebo: is not an arm that is compared with ART; choose one of NK",
    ),
    "tipping of the reference": (
        lambda f: stats.tipping_point(drawn(f, reference="NK"), arm="NK", deltas=[0, 1]),
        refusals.UnknownChoice,
        "arm = NK: is not an arm that is compared with NK; choose one of ART",
    ),
    "one delta": (
        lambda f: stats.tipping_point(drawn(f), arm="NK", deltas=[1, 1]),
        refusals.BadSample,
        "deltas: are not two or more finite numbers; give a grid such as -30, -20, -10, 0",
    ),
    "deltas in words": (
        lambda f: stats.tipping_point(drawn(f), arm="NK", deltas=["a", "b"]),
        refusals.BadSample,
        "deltas: are not two or more finite numbers; give a grid such as -30, -20, -10, 0",
    ),
    "nothing to shift": (
        lambda f: stats.tipping_point(drawn(f), arm="NK", deltas=[0, 1], visit=3),
        refusals.BadSample,
        "arm = NK: has no imputed value at visit 3 to shift; choose another visit or arm",
    ),
}


def fake(term):
    """Something like a fit, with one coefficient."""
    return types.SimpleNamespace(coefficients={"term": [term]}, beta=[1.0], covariance=[[1.0]], df=5)


@pytest.mark.parametrize("case", REFUSED)
def test_imputation_refuses(dropouts, case):
    act, kind, text = REFUSED[case]
    with pytest.raises(kind) as refused:
        act(dropouts)
    assert str(refused.value) == text
