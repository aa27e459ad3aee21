"""Speed of repeated-measures fits, and what they reject in a small trial without an effect.

Trials of two arms, y ~ base + arm * visit, normal outcomes whose correlation falls with distance, unstructured
covariance, a tenth of the visits missing at random. Engine: from arrays of subjects by visits to coefficients, standard
errors and degrees of freedom of each. Table: from a frame and a formula to the table. Beside them R's nlme::gls, and
glmmTMB where it is installed, timed inside R without its start. mmrm 0.3.18 is not in Debian: its times are quoted, for
its own example trial and for trials of the same sizes, Satterthwaite or Kenward-Roger as said. `make bench` keeps NumPy
to one thread.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from equipoise import stats
from equipoise.stats.mmrm_engine import Problem, solve
from equipoise.stats.mmrm_inference import adjusted, parameter_covariance, satterthwaite
from equipoise.stats.mmrm_rows import cells_of, compressed, fitted, least_squares, orthogonal
from equipoise.stats.mmrm_structures import structure_of

SEED = 20200417
MISSING = 0.1
SIZES = ((200, 4), (1_000, 10), (10_000, 10), (1_000_000, 10))
LARGEST_TABLE = 10_000
LARGEST_IN_R = 200  # nlme::gls takes minutes for 1,000 x 10
MMRM = {
    (200, 4): "71 ms Satterthwaite, 109 ms Kenward-Roger",
    (1_000, 10): "3.9 s Satterthwaite, 41 s Kenward-Roger",
    (10_000, 10): "39 s Satterthwaite",
}
TRIALS = 1_000
SMALL = (20, 7)


def trial(subjects: int, visits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariates (n, 3): one, base, arm; outcomes (n, T), zero where missing; which were seen (n, T)."""
    rng = np.random.default_rng(SEED)
    arm = (np.arange(subjects) % 2).astype(float)
    base = rng.normal(size=subjects)
    distance = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    noise = rng.normal(size=(subjects, visits)) @ np.linalg.cholesky(0.6**distance).T
    seen = rng.random((subjects, visits)) >= MISSING
    seen[:, 0] |= ~seen.any(axis=1)
    return (
        np.stack([np.ones(subjects), base, arm], axis=1),
        np.where(seen, noise + 0.5 * base[:, np.newaxis], 0.0),
        seen,
    )


def functions(visits: int) -> np.ndarray:
    """(3, T, p): how the columns of y ~ base + arm * visit are made of one, base and arm."""
    made = np.zeros((3, visits, 2 * visits + 1))
    made[0, :, 0] = made[1, :, 1] = made[2, :, 2] = 1
    for visit in range(1, visits):
        made[0, visit, 2 + visit] = made[2, visit, 1 + visits + visit] = 1
    return made


def fit_arrays(covariates: np.ndarray, outcome: np.ndarray, seen: np.ndarray, *, kenward_roger: bool) -> None:
    """One fit from arrays to standard errors and degrees of freedom."""
    visits = seen.shape[1]
    design = orthogonal(covariates, functions(visits))
    shift = least_squares(design, outcome, seen)
    residual = np.where(seen, outcome - fitted(design, shift, seen), 0.0)
    residual /= np.sqrt((residual**2).sum() / seen.sum())
    cells = cells_of(seen, np.zeros(len(seen), np.intp))
    rows = compressed(design, residual, cells)
    problem = Problem(
        rows.design[np.newaxis],
        rows.outcome[np.newaxis],
        rows.cell[np.newaxis],
        rows.rest[np.newaxis],
        cells.count[np.newaxis].astype(float),
        cells.seen[np.newaxis],
        cells.group[np.newaxis],
        1,
        structure_of("us", range(visits), np.arange(float(visits))),
        True,
    )
    solution = solve(problem)
    assert solution.converged.all()
    spread, _ = parameter_covariance(problem, solution)
    satterthwaite(design.back @ solution.state.root, solution.slopes.turned, spread)
    if kenward_roger:
        adjusted(problem, solution, spread, linear=True)


def frame(covariates: np.ndarray, outcome: np.ndarray, seen: np.ndarray) -> pd.DataFrame:
    """The trial as a long frame, rows without an outcome left out."""
    who, visit = np.nonzero(seen)
    return pd.DataFrame(
        {"id": who, "visit": visit + 1, "base": covariates[who, 1], "arm": covariates[who, 2], "y": outcome[who, visit]}
    )


def best(call: Callable[[], object], times: int) -> float:
    """The least seconds of some calls."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def table(data: pd.DataFrame, df: str) -> object:
    """From a frame and a formula to the table."""
    return stats.mmrm("y ~ base + arm * C(visit)", data, subject="id", visit="visit", df=df)


def in_r(folder: Path) -> dict[tuple[str, str], float]:
    """Seconds by package and trial, as R tells them; empty where R is not installed."""
    if shutil.which("Rscript") is None:
        print("Rscript is not on the PATH: no times of nlme::gls and glmmTMB")
        return {}
    script = Path(__file__).with_suffix(".R")
    told = subprocess.run(
        ["Rscript", "--vanilla", str(script), str(folder)], check=True, capture_output=True, text=True
    )
    lines = [line.split() for line in told.stdout.splitlines()]
    return {(package, name): float(seconds) for package, name, seconds in lines}


def time_sizes() -> None:
    """Print the table of sizes."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(f"{'subjects x visits':20} {'rule':14} {'engine':>10} {'table':>10}")
        for subjects, visits in SIZES:
            covariates, outcome, seen = trial(subjects, visits)
            data = frame(covariates, outcome, seen) if subjects <= LARGEST_TABLE else None
            if data is not None and subjects <= LARGEST_IN_R:
                data.to_csv(folder / f"{subjects}x{visits}.csv", index=False)
            times = 5 if subjects <= LARGEST_TABLE else 1
            for rule in ("satterthwaite", "kenward-roger-linear"):
                kenward_roger = rule != "satterthwaite"
                own = best(partial(fit_arrays, covariates, outcome, seen, kenward_roger=kenward_roger), times)
                through = "" if data is None else f"{best(partial(table, data, rule), min(times, 3)):10.4f}"
                named = f"{subjects:,} x {visits}"
                print(f"{named:20} {rule.removesuffix('-linear'):14} {own:10.4f} {through}", flush=True)
            if (subjects, visits) in MMRM:
                print(f"{'':20} mmrm 0.3.18, quoted: {MMRM[subjects, visits]}")
        for (package, name), seconds in sorted(in_r(folder).items()):
            print(f"{name.replace('x', ' x '):20} {package:14} {seconds:10.3f}")


def time_batch() -> None:
    """Print the time of a simulated trial, and the share that rejects a true hypothesis of six contrasts."""
    subjects, visits = SMALL
    rng = np.random.default_rng(SEED)
    arm = np.repeat([0.0, 1.0], subjects // 2)
    design = np.zeros((subjects, visits, 2 * visits))
    for visit in range(visits):
        design[:, visit, visit], design[:, visit, visits + visit] = 1.0, arm
    effects = np.eye(2 * visits)[visits:]
    y = rng.normal(size=(TRIALS, subjects, 1)) + rng.normal(size=(TRIALS, subjects, visits))
    seen = rng.random(y.shape) >= MISSING
    print(f"\n{TRIALS} trials of {subjects} x {visits} without an effect, unstructured; test of arm by visit at 5%")
    for missing, observed in (("complete", None), ("10% missing", seen)):
        for rule in ("satterthwaite", "kenward-roger-linear"):
            began = time.perf_counter()
            fits = stats.batch.mmrm(y, design, observed, df=rule, joint=effects[1:] - effects[0])
            each = (time.perf_counter() - began) / TRIALS
            rejected = (fits.joint_p_value[fits.joint_usable] <= 0.05).mean()
            print(
                f"{missing:12} {rule:21} {each * 1e3:6.2f} ms a trial, {fits.joint_usable.mean():6.1%} usable, "
                f"{rejected:5.1%} of these reject"
            )


def main() -> None:
    """Print both tables."""
    time_sizes()
    time_batch()


if __name__ == "__main__":
    main()
