"""Bias, coverage and speed of imputation in small trials with dropout at random.

Trials of two equal arms and four visits, correlation 0.6 between visits, an effect of the arm that grows to 0.8
standard deviations at the last. From visit to visit people drop out by their last outcome, those with worse ones more
often, so that by the end some three in ten are gone; one value in thirty before is missing too. The table in
docs/methods/imputation.md is what this prints.
"""

import time

import numpy as np
import pandas as pd

from equipoise import stats

SEED = 20130101
TRIALS = 500
VISITS = 4
SUBJECTS = (20, 40, 100)
EFFECT = 0.8
NAMES = {"subject": "id", "visit": "visit", "outcome": "y", "arm": "arm", "covariates": ("baseline",)}


def trial(rng: np.random.Generator, subjects: int) -> pd.DataFrame:
    """One simulated trial, long."""
    arm = np.arange(subjects) % 2
    shared = rng.normal(size=(subjects, 1))
    levels = np.sqrt(0.6) * shared + np.sqrt(0.4) * rng.normal(size=(subjects, VISITS + 1))
    y = levels[:, 1:] + EFFECT * arm[:, np.newaxis] * np.arange(1, VISITS + 1) / VISITS
    gone = np.zeros(subjects, dtype=bool)
    seen = np.ones((subjects, VISITS), dtype=bool)
    for visit in range(1, VISITS):
        gone |= rng.random(subjects) < 1 / (1 + np.exp(2.1 + 0.8 * y[:, visit - 1]))
        seen[:, visit] = ~gone
    seen &= (rng.random(seen.shape) > 1 / 30) | (np.arange(VISITS) == 0)
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(subjects), VISITS),
            "visit": np.tile(np.arange(1, VISITS + 1), subjects),
            "arm": np.repeat(np.where(arm == 1, "NK", "ART"), VISITS),
            "baseline": np.repeat(levels[:, 0], VISITS),
            "y": np.where(seen, y, np.nan).ravel(),
        }
    )


def answers(frame: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Estimate, standard error and interval of the effect at the last visit, by method."""
    drawn = stats.impute(frame, **NAMES, draws=100, seed=seed)
    means = stats.impute(frame, **NAMES, method="conditional-mean")
    fits = {
        "bayes, Rubin": drawn.ancova(),
        "jackknife, t": means.ancova(),
        "jackknife, normal": means.ancova(df=np.inf),
        "complete cases": stats.ancova("y ~ baseline + arm", frame[frame["visit"] == VISITS]),
    }
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    rows = {name: fit.coefficients.set_index("term").loc["arm[T.NK]", columns] for name, fit in fits.items()}
    return {name: row.to_numpy(dtype=float) for name, row in rows.items()}


def main() -> None:
    """Print bias, standard error and coverage by method, and the seconds it took."""
    print(f"{TRIALS} trials of {VISITS} visits, seed {SEED}; effect {EFFECT}; nominal 95%, simulation error 1 point")
    print(f"{'subjects':>8} {'method':20} {'bias':>7} {'(error)':>7} {'SD':>6} {'mean SE':>7} {'coverage':>8}")
    for subjects in SUBJECTS:
        rng = np.random.default_rng([SEED, subjects])
        found: dict[str, list[np.ndarray]] = {}
        refused = 0
        began = time.perf_counter()
        for number in range(TRIALS):
            frame = trial(rng, subjects)
            try:
                own = answers(frame, number)
            except stats.refusals.StatisticsRefusal:
                refused += 1
                continue
            for name, row in own.items():
                found.setdefault(name, []).append(row)
        for name, rows in found.items():
            estimate, error, low, high = np.array(rows).T
            bias, spread = estimate.mean() - EFFECT, estimate.std(ddof=1)
            covered = ((low <= EFFECT) & (high >= EFFECT)).mean()
            print(
                f"{subjects:8d} {name:20} {bias:7.3f} {spread / np.sqrt(len(rows)):7.3f} {spread:6.3f} "
                f"{error.mean():7.3f} {covered:8.1%}"
            )
        print(f"{'':8} {time.perf_counter() - began:.1f} s, {refused} refused")


if __name__ == "__main__":
    main()
