"""How fast repeated-measures fits are: one trial of several sizes beside R, and thousands of small trials in a batch.

Unstructured covariance, REML. *Engine*: from arrays of subjects by visits to standard errors and degrees of freedom of
each coefficient. *Table*: from a frame and a formula to the table. *Example*: like mmrm's own, 200 x 4, race, sex and
arm by visit, a third of the visits missing at random. Larger trials have a baseline and arm by visit. *Dropout*: one
participant in five leaves at a visit drawn at random; *missing*: a tenth of the visits at random, which makes hundreds
of patterns.

mmrm 0.3.18 is not in Debian: its times are quoted, for its example and trials of the same sizes, not run beside ours.
nlme::gls and glmmTMB, where R has them, run on the same trial, timed inside R without its start. `make bench` keeps
NumPy to one thread.
"""

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from support.beside_r import print_head, print_row, r_has, r_seconds
from support.timing import least_seconds

from equipoise import stats
from equipoise.stats.mmrm_engine import Problem, solve
from equipoise.stats.mmrm_inference import adjusted, parameter_covariance, satterthwaite
from equipoise.stats.mmrm_rows import cells_of, compressed, fitted, least_squares, orthogonal
from equipoise.stats.mmrm_structures import structure_of

SEED = 20200417
RULES = {"Satterthwaite": "satterthwaite", "Kenward-Roger": "kenward-roger-linear"}
LEAVE, MISSING, MISSING_IN_EXAMPLE = 0.2, 0.1, 1 / 3
FEW, LARGE, LARGEST = (1_000, 10), (10_000, 10), (1_000_000, 10)
TRIALS = 1_000
SMALL = (20, 7)
MOST_GIBIBYTES = 4.0
SAME_SPEED = 1.2  # an iteration of the largest trial may take so many times that of a smaller one: the clock's noise


@dataclass(frozen=True)
class Trial:
    """A trial: the covariates of each subject (n, r), outcomes (n, T), zero where missing, and which were seen.

    `functions` (r, T, p) say how the columns of the formula's design are made of the covariates.
    """

    name: str
    formula: str
    covariates: np.ndarray
    functions: np.ndarray
    outcome: np.ndarray
    seen: np.ndarray

    def frame(self) -> pd.DataFrame:
        """One row an outcome."""
        who, visit = np.nonzero(self.seen)
        columns = {"id": who, "visit": visit + 1, "y": self.outcome[who, visit]}
        names = ("arm", *(("race1", "race2", "sex") if "race1" in self.formula else ("base",)))
        return pd.DataFrame(columns | dict(zip(names, self.covariates[who, 1:].T, strict=True)))


@dataclass(frozen=True)
class Spent:
    """What a fit from arrays took: seconds in all, and of the iteration its number and seconds."""

    seconds: float
    iterating: float
    iterations: int

    @property
    def a_step(self) -> float:
        """Seconds an iteration; the start is evaluated too and counts as one."""
        return self.iterating / (self.iterations + 1)


def trial(size: tuple[int, int], gaps: str) -> Trial:
    """A trial without an effect whose visits correlate less the further they are apart."""
    subjects, visits = size
    rng = np.random.default_rng(SEED)
    example = gaps == "example"
    arm = np.arange(subjects) % 2
    if example:
        race = rng.integers(0, 3, subjects)
        covariates = np.stack([np.ones(subjects), arm, race == 1, race == 2, rng.integers(0, 2, subjects)], axis=1)
    else:
        covariates = np.stack([np.ones(subjects), arm, rng.normal(size=subjects)], axis=1)
    distance = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    noise = rng.normal(size=(subjects, visits)) @ np.linalg.cholesky(0.6**distance).T
    if gaps == "dropout":
        last = np.where(rng.random(subjects) < LEAVE, rng.integers(1, visits, subjects), visits)
        seen = np.arange(visits) < last[:, np.newaxis]
    else:
        seen = rng.random((subjects, visits)) >= (MISSING_IN_EXAMPLE if example else MISSING)
        seen[:, 0] |= ~seen.any(axis=1)
    outcome = np.where(seen, noise + 0.5 * covariates[:, -1:], 0.0)
    formula = f"y ~ {'race1 + race2 + sex' if example else 'base'} + arm * C(visit)"
    name = f"{subjects:,} x {visits} {gaps}"
    return Trial(name, formula, covariates.astype(float), functions(covariates.shape[1], visits), outcome, seen)


def functions(covariates: int, visits: int) -> np.ndarray:
    """(r, T, p): one, arm and others as they are, and one and arm by visit after the first."""
    made = np.zeros((covariates, visits, covariates + 2 * (visits - 1)))
    for column in range(covariates):
        made[column, :, column] = 1
    for visit in range(1, visits):
        made[0, visit, covariates + visit - 1] = made[1, visit, covariates + visits + visit - 2] = 1
    return made


def from_arrays(of: Trial, rule: str) -> Spent:
    """One fit from arrays to standard errors and degrees of freedom."""
    began = time.perf_counter()
    design = orthogonal(of.covariates, of.functions)
    shift = least_squares(design, of.outcome, of.seen)
    residual = np.where(of.seen, of.outcome - fitted(design, shift, of.seen), 0.0)
    residual /= np.sqrt((residual**2).sum() / of.seen.sum())
    cells = cells_of(of.seen, np.zeros(len(of.seen), np.intp))
    rows = compressed(design, residual, cells)
    visits = of.seen.shape[1]
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
    posed = time.perf_counter()
    solution = solve(problem)
    solved = time.perf_counter()
    if not solution.converged.all():
        raise RuntimeError(f"{of.name}: the fit has not settled, so that its time says nothing")
    spread, _ = parameter_covariance(problem, solution)
    satterthwaite(design.back @ solution.state.root, solution.slopes.turned, spread)
    if rule != "satterthwaite":
        adjusted(problem, solution, spread, linear=True)
    return Spent(time.perf_counter() - began, solved - posed, int(solution.iterations[0]))


def to_table(of: Trial, rule: str) -> Callable[[], object]:
    """What makes the table from a frame and a formula."""
    data = of.frame()
    return lambda: stats.mmrm(of.formula, data, subject="id", visit="visit", df=rule)


def beside_mmrm(of: Trial, named: str, quoted: float, table: str, engine: str) -> None:
    """Rows of a trial by a rule beside mmrm's quoted seconds; the targets of the table and of the engine."""
    runs = 50 if len(of.seen) < FEW[0] else 5
    own = least_seconds(lambda: from_arrays(of, RULES[named]), runs)
    print_row(f"{of.name}, {named}, engine; mmrm, quoted", own, quoted, engine)
    own = least_seconds(to_table(of, RULES[named]), runs)
    print_row(f"{of.name}, {named}, table; mmrm, quoted", own, quoted, table)


def beside_r(of: Trial) -> None:
    """Rows of a trial beside nlme::gls and glmmTMB, which know neither rule of degrees of freedom."""
    data = of.frame()
    formula = of.formula.replace("C(visit)", "factor(visit)")
    calls = {
        "nlme": f"gls({formula}, data = d, correlation = corSymm(form = ~ visit | id), "
        "weights = varIdent(form = ~ 1 | visit))",
        "glmmTMB": f"glmmTMB({formula} + us(0 + factor(visit) | id), dispformula = ~ 0, REML = TRUE, data = d)",
    }
    own = least_seconds(to_table(of, "satterthwaite"))
    for package, call in calls.items():
        print_row(f"{of.name}, table; {package}", own, r_seconds(data, [package], call), "1x R")
    missing = [package for package in calls if not r_has([package])]
    if missing:
        print(f"not here, and so without a time: R's {' and '.join(missing)}")


def alone() -> tuple[Spent, float]:
    """The largest trial, and the most gibibytes that a process held that did nothing else."""
    from_arrays(trial(FEW, "dropout"), "kenward-roger-linear")  # so that loading counts for nobody
    spent = from_arrays(trial(LARGEST, "dropout"), "kenward-roger-linear")
    return spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def largest() -> None:
    """Rows of the largest trial: its time, its memory, and its iterations beside those of a smaller one."""
    few = trial(LARGE, "dropout")
    smaller = min(from_arrays(few, "satterthwaite").a_step for _ in range(5))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        runs = [processes.submit(alone).result() for _ in range(3)]
    spent, gibibytes = min((run[0] for run in runs), key=lambda run: run.seconds), max(run[1] for run in runs)
    name = f"{LARGEST[0]:,} x {LARGEST[1]} dropout"
    print_row(f"{name}, Kenward-Roger, engine", spent.seconds, None, 30.0)
    step = min(run[0].a_step for run in runs)
    print_row(f"{name}, an iteration", step, None, SAME_SPEED * smaller)
    print(f"{f'{LARGE[0]:,} x {LARGE[1]} dropout, an iteration':<58}{1e3 * smaller:>7.2f} ms")
    verdict = "within" if gibibytes <= MOST_GIBIBYTES else "OVER"
    print(f"{f'{name}, peak memory of the process':<58}{gibibytes:>6.2f} GiB{'-':>10}{'-':>8}", end="")
    print(f"   {MOST_GIBIBYTES:g} GiB: {verdict}")


def batches() -> None:
    """Rows for a simulated trial in a batch, with the joint test of arm by visit."""
    subjects, visits = SMALL
    rng = np.random.default_rng(SEED)
    arm = np.repeat([0.0, 1.0], subjects // 2)
    design = np.zeros((subjects, visits, 2 * visits))
    for visit in range(visits):
        design[:, visit, visit], design[:, visit, visits + visit] = 1.0, arm
    effects = np.eye(2 * visits)[visits:]
    y = rng.normal(size=(TRIALS, subjects, 1)) + rng.normal(size=(TRIALS, subjects, visits))
    last = np.where(rng.random(y.shape[:2]) < LEAVE, rng.integers(1, visits, y.shape[:2]), visits)
    gaps = {
        "complete": None,
        "20% leave": np.arange(visits) < last[..., np.newaxis],
        "10% missing": rng.random(y.shape) >= MISSING,
    }
    said = []
    for named, seen in gaps.items():

        def fits(seen: np.ndarray | None = seen) -> object:
            return stats.batch.mmrm(y, design, seen, joint=effects[1:] - effects[0])

        row = f"a trial of {TRIALS}, {subjects} x {visits}, Kenward-Roger, {named}"
        print_row(row, least_seconds(fits, runs=3) / TRIALS, None, 5e-3)
        for rule in RULES.values():
            found = stats.batch.mmrm(y, design, seen, df=rule, joint=effects[1:] - effects[0])
            share = (found.joint_p_value[found.joint_usable] <= 0.05).mean()
            said.append(f"{named:12} {rule:21} {found.joint_usable.mean():6.1%} usable, {share:5.1%} of these reject")
    print("\nThe joint test of arm by visit (six contrasts) at 5% in these trials, which have no effect:")
    print("\n".join(said))


def main() -> None:
    """Print the table."""
    print_head()
    example = trial((200, 4), "example")
    beside_mmrm(example, "Satterthwaite", 71e-3, "5x R", "20x R")
    beside_mmrm(example, "Kenward-Roger", 109e-3, "5x R", "20x R")
    beside_r(example)
    for gaps in ("dropout", "missing"):
        few = trial(FEW, gaps)
        beside_mmrm(few, "Satterthwaite", 3.9, "80x R", "80x R")
        beside_mmrm(few, "Kenward-Roger", 41.0, "300x R", "300x R")
    beside_mmrm(trial(LARGE, "dropout"), "Satterthwaite", 39.0, "150x R", "150x R")
    largest()
    batches()


if __name__ == "__main__":
    main()
