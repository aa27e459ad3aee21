"""How fast repeated-measures analysis of variance is: one trial beside R's afex, and thousands in a batch."""

import importlib
import importlib.util

import numpy as np
import pandas as pd
from support.beside_r import print_head, print_row, r_seconds, shown
from support.timing import least_seconds

from equipoise import stats
from equipoise.stats import batch

SEED = 7
SUBJECTS, VISITS = 20, 7
TRIALS = 10_000


def beside_pingouin(frame: pd.DataFrame, ours: float) -> None:
    """A line for pingouin's mixed analysis of variance of the same trial, or that it is not here."""
    if importlib.util.find_spec("pingouin") is None:
        print("(pingouin is not installed)")
        return
    mixed = importlib.import_module("pingouin").mixed_anova
    seconds = least_seconds(
        lambda: mixed(frame, dv="y", subject="id", within="visit", between="arm", correction=True), runs=10
    )
    print(f"(pingouin, one trial: {shown(seconds)}, {seconds / ours:.1f} times ours)")


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(SEED)
    y = rng.normal(size=(TRIALS, SUBJECTS, 1)) + rng.normal(size=(TRIALS, SUBJECTS, VISITS))
    arm = np.repeat(["ART", "NK"], SUBJECTS // 2)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"P{who:02d}" for who in range(SUBJECTS)], VISITS),
            "visit": np.tile(np.arange(VISITS), SUBJECTS),
            "arm": np.repeat(arm, VISITS),
            "y": y[0].ravel(),
        }
    )
    print_head()
    one = least_seconds(
        lambda: stats.rm_anova(frame, outcome="y", subject="id", within="visit", between="arm"), runs=50
    )
    afex = r_seconds(
        frame,
        ["afex"],
        'suppressMessages(summary(aov_ez("id", "y", d, within = "visit", between = "arm")))',
        "d$visit <- factor(d$visit)",
    )
    print_row(f"one trial, {SUBJECTS} x {VISITS}, frame to table; afex", one, afex, 5e-3)
    beside_pingouin(frame, one)
    many = least_seconds(lambda: batch.rm_anova(y, arm)) / TRIALS
    print_row(f"a trial of {TRIALS}, {SUBJECTS} x {VISITS}, from arrays", many, None, 20e-6)


if __name__ == "__main__":
    main()
