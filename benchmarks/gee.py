"""How fast the GEE is: thousands of small trials in a batch, one small trial, and large trials beside R.

R's gee and geepack run the same formula on the same data in one thread, timed inside R. Where both fit, the faster one
is shown.
"""

import numpy as np
import pandas as pd
from support.beside_r import print_head, print_row, r_seconds
from support.timing import least_seconds

from equipoise import stats
from equipoise.stats import batch
from equipoise.stats.gee_covariance import FORMULAS, Sandwich
from equipoise.stats.gee_engine import pose, solve
from equipoise.stats.gee_families import family_and_link
from equipoise.stats.gee_working import read_working

SEED = 7
SUBJECTS, VISITS = 20, 7
TRIALS = 4_000
LARGE = 10_000
STATSMODELS = "(statsmodels, quoted and not run here: 13.5 ms for one such trial with the correction)"
FORMULA = "arm * visit + age"


def small_design() -> np.ndarray:
    """(n, T, p): intercept, arm, visit, arm by visit."""
    arm = np.repeat([0.0, 1.0], SUBJECTS // 2)[:, np.newaxis] * np.ones(VISITS)
    visit = np.arange(VISITS) * np.ones((SUBJECTS, 1))
    return np.stack([np.ones_like(arm), arm, visit, arm * visit], axis=-1)


def batches(rng: np.random.Generator) -> None:
    """Rows for the batch, complete and with dropout, and for one trial through the same engine."""
    design = small_design()
    y = rng.normal(size=(TRIALS, SUBJECTS, 1)) + rng.normal(size=(TRIALS, SUBJECTS, VISITS))
    last = np.where(rng.random(y.shape[:2]) < 0.2, rng.integers(1, VISITS, y.shape[:2]), VISITS)
    seen = np.arange(VISITS) < last[..., np.newaxis]
    for name, observed, target in (("complete", None, 25e-6), ("20% leave", seen, 60e-6)):
        seconds = least_seconds(
            lambda observed=observed: batch.gee(y, design, observed, covariances=["mancl-derouen"], tolerance=1e-8)
        )
        print_row(f"a trial of {TRIALS}, {SUBJECTS} x {VISITS}, Mancl-DeRouen, {name}", seconds / TRIALS, None, target)
    one = least_seconds(lambda: engine(y[:1], design[np.newaxis]), runs=500)
    print_row(
        f"one trial, {SUBJECTS} x {VISITS}, Mancl-DeRouen, engine; geepack, no correction", one, geepack(y[0]), 0.5e-3
    )
    print(STATSMODELS)


def geepack(y: np.ndarray) -> float | None:
    """Seconds of R's geepack for the same trial, with its robust covariance: it has no correction."""
    frame = pd.DataFrame({"id": np.repeat(np.arange(SUBJECTS), VISITS), "visit": np.tile(np.arange(VISITS), SUBJECTS)})
    frame["arm"], frame["y"] = 1.0 * (frame["id"] >= SUBJECTS // 2), y.ravel()
    return r_seconds(frame, ["geepack"], 'geeglm(y ~ arm * visit, data = d, id = id, corstr = "exchangeable")')


def engine(y: np.ndarray, design: np.ndarray) -> np.ndarray:
    """One fit and its covariance, without the checks of what was given."""
    family, link = family_and_link("gaussian", None)
    posed = pose(
        y, design, np.ones(y.shape, bool), family=family, link=link, working=read_working("exchangeable", VISITS)
    )
    return FORMULAS["mancl-derouen"](Sandwich(posed, solve(posed), np.eye(design.shape[-1])))


def large(rng: np.random.Generator) -> None:
    """Rows for 10,000 participants from formula to table, beside R."""
    level = rng.normal(size=(LARGE, 1)) + rng.normal(size=(LARGE, VISITS))
    frame = pd.DataFrame({"id": np.repeat(np.arange(LARGE), VISITS), "visit": np.tile(np.arange(VISITS), LARGE)})
    frame["arm"] = np.where(frame["id"] % 2, "NK", "ART")
    frame["age"] = rng.normal(size=LARGE)[frame["id"]]
    frame["gaussian"] = level.ravel()
    frame["binomial"] = (level.ravel() > 0.3) * 1.0
    frame["poisson"] = rng.poisson(np.exp(0.3 * level.ravel()))
    for family in ("gaussian", "binomial", "poisson"):
        formula = f"{family} ~ {FORMULA}"
        ours = least_seconds(
            lambda formula=formula, family=family: stats.gee(formula, frame, cluster="id", time="visit", family=family)
        )
        by_geepack = f'geeglm({formula}, family = {family}(), data = d, id = id, corstr = "exchangeable")'
        by_gee = (
            f"sink(nullfile()); suppressMessages(gee({formula}, id = id, data = d, family = {family}, "
            'corstr = "exchangeable")); sink()'
        )
        theirs = [
            r_seconds(frame, [package], f"{{{call}}}") for package, call in (("geepack", by_geepack), ("gee", by_gee))
        ]
        known = [seconds for seconds in theirs if seconds is not None]
        against = known if family == "gaussian" else [seconds for seconds in theirs[:1] if seconds is not None]
        which = "the faster of gee and geepack" if family == "gaussian" else "geepack"
        row = f"{family}, {LARGE} x {VISITS}, formula to table; {which}"
        print_row(row, ours, min(against, default=None), "5x R")


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(SEED)
    print_head()
    batches(rng)
    large(rng)


if __name__ == "__main__":
    main()
