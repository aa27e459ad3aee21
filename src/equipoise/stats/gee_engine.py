"""Generalised estimating equations on arrays: each leading index is one independent fit.

A visit that was not seen has a zero row in the design and an outcome equal to its mean, so it adds nothing
to any sum and needs no mask. Visits come first inside, so that one matrix product serves all subjects.
Fits that have settled leave the iteration. Equations: docs/methods/gee.md.
Shapes: B fits, n subjects, T visits, p coefficients, K patterns of visits seen.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.gee_families import Family, Link
from equipoise.stats.gee_working import Working, check_identified, estimate, inverses
from equipoise.stats.samples import Matrix, Vector

TOLERANCE = 1e-10  # length of a step, in standard errors
ROUGH_TOLERANCE = 1e-2  # of the first pass, as if visits were independent
MOST_ITERATIONS = 200
MOST_HALVINGS = 40
SINGULAR = 1e-14  # smallest eigenvalue of an information relative to its largest
PARKED_MEAN = 0.5  # of a visit that was not seen: a mean that every family allows


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is fitted, visits first: outcome (b, T, n), design (b, T, n, p), offset and weight (b, T, n).

    `b` is the number of fits, or 1 where all share. `seen` is (b, T, n); `patterns` (K, T) are its distinct
    columns and `pattern_of` (b, n) says which each subject has. `spent` is p, or 0 for geepack's divisors.
    """

    outcome: Vector
    design: Matrix
    offset: Vector
    weight: Vector
    seen: NDArray[np.bool_]
    patterns: NDArray[np.bool_]
    pattern_of: NDArray[np.intp]
    family: Family
    link: Link
    working: Working
    spent: int
    fixed_scale: float | None

    @property
    def n_fits(self) -> int:
        """B, the number of independent fits."""
        return max(len(array) for array in (self.outcome, self.design, self.offset, self.weight, self.seen))

    def only(self, fits: NDArray[np.intp]) -> "Problem":
        """The same problem for some of the fits."""
        return replace(
            self,
            outcome=some_of(self.outcome, fits),
            design=some_of(self.design, fits),
            offset=some_of(self.offset, fits),
            weight=some_of(self.weight, fits),
            seen=self.seen if len(self.seen) == 1 else self.seen[fits],
            pattern_of=self.pattern_of if len(self.pattern_of) == 1 else self.pattern_of[fits],
        )


def some_of(array: Vector, fits: NDArray[np.intp]) -> Vector:
    """The array for some of the fits; one that all fits share stays whole."""
    return array if len(array) == 1 else array[fits]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Everything at one value of the coefficients.

    `residuals` (B, T, n) are Pearson's; `slopes` (B or 1, T, n, p) the derivatives of the mean over the standard
    deviation; `weighted` (B, T, n, p) the inverse working correlation times the slopes; `information`
    (B, p, p) and `score` (B, p) without the scale.
    """

    residuals: Vector
    slopes: Matrix
    weighted: Matrix
    information: Matrix
    score: Vector
    scale: Vector
    correlation: Matrix
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The fits: `beta` (B, p), the moments at it, and how it was reached, each (B,)."""

    beta: Vector
    moments: Moments
    converged: NDArray[np.bool_]
    iterations: NDArray[np.intp]


def pose(
    outcome: Vector,
    design: Matrix,
    seen: NDArray[np.bool_],
    *,
    family: Family,
    link: Link,
    working: Working,
    offset: Vector | None = None,
    weight: Vector | None = None,
    without_p: bool = False,
    fixed_scale: float | None = None,
) -> Problem:
    """Arrange one block of fits.

    Args:
        outcome: (b, n, T); what stands where nothing was seen is not read.
        design: (b, n, T, p), likewise.
        seen: (b, n, T), whether the outcome was seen.
        family: of the outcome.
        link: of its mean.
        working: the working correlation.
        offset: (b, n, T), or None for zero.
        weight: (b, n, T), prior weights, or None for one.
        without_p: divide by the numbers of observations and pairs, as geepack, not by these less p.
        fixed_scale: phi when it is not estimated.

    Raises:
        NotIdentified: a working correlation with parameters that too few pairs inform.
    """
    present = np.moveaxis(seen, -1, -2)
    patterns, pattern_of = np.unique(seen.reshape(-1, seen.shape[-1]), axis=0, return_inverse=True)
    parked = float(link.predictor(np.array(PARKED_MEAN)))
    shift = 0.0 if offset is None else np.moveaxis(offset, -1, -2)
    weigh = np.ones((1, 1, 1)) if weight is None else np.moveaxis(weight, -1, -2)
    p = design.shape[-1]
    problem = Problem(
        np.where(present, np.moveaxis(outcome, -1, -2), PARKED_MEAN),
        np.where(present[..., np.newaxis], np.moveaxis(design, -2, -3), 0.0),
        np.where(present, shift, parked),
        np.where(present, weigh, 1.0),
        present,
        patterns,
        pattern_of.reshape(seen.shape[:-1]),
        family,
        link,
        working,
        0 if without_p else p,
        fixed_scale,
    )
    check_identified(working, pair_counts(problem), problem.spent)
    return problem


def pair_counts(problem: Problem) -> Matrix:
    """(b, T, T), how many subjects were seen at both of two visits."""
    seen = problem.seen.astype(np.float64)
    return np.asarray(seen @ np.swapaxes(seen, -1, -2))


def predictor(problem: Problem, beta: Vector) -> Vector:
    """(B, T, n), the linear predictor at beta (B, p)."""
    b, visits, n, p = problem.design.shape
    rows = problem.design.reshape(b, visits * n, p) @ beta[..., np.newaxis]
    return np.asarray(rows.reshape(-1, visits, n) + problem.offset)


def allowed(problem: Problem, eta: Vector) -> NDArray[np.bool_]:
    """(B,), whether every predictor gives a mean that the family can have."""
    within = (eta > problem.link.lower) & (eta < problem.link.upper)
    good = within.all(axis=(-1, -2))
    if problem.family.mean_above > -np.inf:
        mean = problem.link.mean(np.where(within, eta, problem.link.predictor(np.array(PARKED_MEAN))))
        good &= ((mean > problem.family.mean_above) & (mean < problem.family.mean_below)).all(axis=(-1, -2))
    return np.asarray(good)


def moments(problem: Problem, beta: Vector, working: Working) -> Moments:
    """Residuals, scale, working correlation, information and score at beta (B, p)."""
    eta = predictor(problem, beta)
    mean = problem.link.mean(eta)
    deviation = np.sqrt(problem.weight / problem.family.variance(mean))
    residuals = (problem.outcome - mean) * deviation
    # A constant slope is left with its leading one: one design then serves all fits.
    if problem.link.name == "identity" and problem.family.name == "gaussian":
        slopes = problem.design * np.sqrt(problem.weight)[..., np.newaxis]
    else:
        slopes = problem.design * (problem.link.slope(eta) * deviation)[..., np.newaxis]
    products = residuals @ np.swapaxes(residuals, -1, -2)
    counts = pair_counts(problem)
    observed = np.trace(counts, axis1=-2, axis2=-1)
    scale = np.trace(products, axis1=-2, axis2=-1) / (observed - problem.spent)
    if problem.fixed_scale is not None:
        scale = np.full_like(scale, problem.fixed_scale)
    largest = int(problem.patterns.sum(axis=1).max())
    # A scale of zero is refused by the caller; one keeps the division silent until then.
    positive = np.where(scale > 0, scale, 1.0)
    correlation, inside = estimate(working, products, counts, positive, problem.spent, largest)
    weighted = apply_inverse(problem, working, correlation, slopes)
    fits, visits, n, p = weighted.shape
    rows = weighted.reshape(fits, visits * n, p)
    information = np.swapaxes(slopes.reshape(-1, visits * n, p), -1, -2) @ rows
    score = (np.swapaxes(rows, -1, -2) @ residuals.reshape(fits, visits * n, 1))[..., 0]
    return Moments(residuals, slopes, weighted, information, score, scale, correlation, inside)


def apply_inverse(problem: Problem, working: Working, correlation: Matrix, slopes: Matrix) -> Matrix:
    """(B, T, n, p), each subject's inverse working correlation times its slopes."""
    fits, visits = correlation.shape[:2]
    n, p = slopes.shape[2:]
    if working.name == "independence":
        return np.broadcast_to(slopes, (fits, visits, n, p))
    if len(problem.pattern_of) > 1:
        own = inverses(working, correlation, np.swapaxes(problem.seen, -1, -2))
        return np.asarray(np.moveaxis(own @ np.moveaxis(slopes, 1, 2), 1, 2))
    weights = inverses(working, correlation, problem.patterns[np.newaxis])
    if len(problem.patterns) == 1:
        return np.asarray((weights[:, 0] @ slopes.reshape(-1, visits, n * p)).reshape(fits, visits, n, p))
    result = np.zeros((fits, visits, n, p))
    for pattern in range(len(problem.patterns)):
        members = np.flatnonzero(problem.pattern_of[0] == pattern)
        block = slopes[:, :, members].reshape(len(slopes), visits, members.size * p)
        result[:, :, members] = (weights[:, pattern] @ block).reshape(fits, visits, members.size, p)
    return result


def solve_positive(matrix: Matrix, vector: Vector) -> tuple[Vector, NDArray[np.bool_]]:
    """Solutions (B, p) of symmetric systems (B, p, p), and which systems were regular; zero where not."""
    finite = np.asarray(np.isfinite(matrix).all(axis=(-1, -2)) & np.isfinite(vector).all(axis=-1))
    matrix = np.where(finite[:, np.newaxis, np.newaxis], matrix, 0.0)
    vector = np.where(finite[:, np.newaxis], vector, 0.0)
    try:
        whole = np.asarray(np.linalg.solve(matrix, vector[..., np.newaxis])[..., 0], dtype=np.float64)
        return whole, np.ones(len(matrix), bool)
    except np.linalg.LinAlgError:
        return solved_by_eigenvalues(matrix, vector)


def solved_by_eigenvalues(matrix: Matrix, vector: Vector) -> tuple[Vector, NDArray[np.bool_]]:
    """As `solve_positive`, slower, where one of the systems is singular."""
    values, vectors = np.linalg.eigh(matrix)
    regular = np.asarray(values[:, 0] > SINGULAR * np.maximum(values[:, -1], np.finfo(float).tiny))
    safe = np.where(regular[:, np.newaxis], values, 1.0)
    turned = (np.swapaxes(vectors, -1, -2) @ vector[..., np.newaxis])[..., 0] / safe
    solved = (vectors @ turned[..., np.newaxis])[..., 0]
    return np.where(regular[:, np.newaxis], solved, 0.0), regular


def starting_values(problem: Problem) -> Vector:
    """(B, p), one weighted least-squares step from means near the outcome."""
    visits, n, p = problem.design.shape[1:]
    mean = np.where(problem.seen, problem.family.start(problem.outcome), PARKED_MEAN)
    plain = problem.link.name == "identity"
    if not plain and problem.family.name == "gaussian":
        mean = np.where(problem.seen, np.maximum(mean, 1e-3 * np.abs(mean).max()), PARKED_MEAN)
    eta = problem.link.predictor(mean)
    slope = problem.link.slope(eta)
    root = np.sqrt(problem.weight / problem.family.variance(mean)) * slope
    target = np.where(problem.seen, eta + (problem.outcome - mean) / slope - problem.offset, 0.0) * root
    rows = (problem.design * root[..., np.newaxis]).reshape(-1, visits * n, p)
    across = np.swapaxes(rows, -1, -2)
    target = target.reshape(-1, visits * n, 1)
    beta, _ = solve_positive(across @ rows, (across @ target)[..., 0])
    return np.broadcast_to(beta, (problem.n_fits, p)).copy()


def mean_only(problem: Problem) -> Vector:
    """(B, p), coefficients that give every mean the same, where the design can say so; the start of last resort."""
    visits, n, p = problem.design.shape[1:]
    weight = problem.seen * problem.weight
    level = (weight * problem.outcome).sum(axis=(-1, -2), keepdims=True) / weight.sum(axis=(-1, -2), keepdims=True)
    low, high = max(problem.family.mean_above, -1e300), min(problem.family.mean_below, 1e300)
    level = np.clip(level, low + 1e-3 * (low == 0), high - 1e-3 * (high == 1))
    target = np.where(problem.seen, problem.link.predictor(level) - problem.offset, 0.0).reshape(-1, visits * n, 1)
    rows = problem.design.reshape(-1, visits * n, p)
    across = np.swapaxes(rows, -1, -2)
    beta, _ = solve_positive(across @ rows, (across @ target)[..., 0])
    return np.broadcast_to(beta, (problem.n_fits, p)).copy()


def scoring(
    problem: Problem, working: Working, beta: Vector, tolerance: float
) -> tuple[Vector, NDArray[np.bool_], NDArray[np.intp]]:
    """Fisher scoring from beta (B, p), the working correlation renewed at each step.

    Returns:
        Coefficients (B, p), whether each fit converged (B,), iterations (B,).
    """
    fits = problem.n_fits
    beta = beta.copy()
    converged, iterations = np.zeros(fits, bool), np.zeros(fits, np.intp)
    active, part = np.arange(fits), problem
    for iteration in range(1, MOST_ITERATIONS + 1):
        now = moments(part, beta[active], working)
        step, regular = solve_positive(now.information, now.score)
        regular = regular & np.isfinite(step).all(axis=-1)
        step[~regular] = 0.0
        scale = np.where(now.scale > 0, now.scale, 1.0)
        length = (step * now.score).sum(axis=-1) / (scale * step.shape[-1])
        step, possible = shortened(part, beta[active], step)
        beta[active] += step
        iterations[active] = iteration
        settled = regular & possible & (length <= tolerance**2)
        converged[active] = settled
        staying = np.flatnonzero(~settled & regular & possible)
        if not staying.size:
            break
        if staying.size < active.size:
            part, active = part.only(staying), active[staying]
    return beta, converged, iterations


def shortened(problem: Problem, beta: Vector, step: Vector) -> tuple[Vector, NDArray[np.bool_]]:
    """The step, halved until every mean is one that the family can have, and whether that succeeded (B,)."""
    step = step.copy()
    good = np.ones(len(beta), bool)
    if problem.link.lower == -np.inf and problem.family.mean_above == -np.inf:
        return step, good
    for _ in range(MOST_HALVINGS):
        good = allowed(problem, predictor(problem, beta + step))
        if good.all():
            return step, good
        step[~good] /= 2
    step[~good] = 0.0
    return step, good


def solve(problem: Problem, tolerance: float = TOLERANCE) -> Solution:
    """Fit a block; a fit that runs away is marked as not converged, without a warning of overflow.

    Args and source: as `fitted`.
    """
    with np.errstate(all="ignore"):
        return fitted(problem, tolerance)


def fitted(problem: Problem, tolerance: float) -> Solution:
    """Fit a block: first as if visits were independent, then with the working correlation.

    Args:
        problem: as `pose` arranges it.
        tolerance: length of the last step, in standard errors.

    Source:
        Liang and Zeger (1986), Biometrika 73:13-22; equations (score) to (alpha) in docs/methods/gee.md.
    """
    beta = starting_values(problem)
    if problem.link.name == "identity" and problem.family.name == "gaussian":
        # Residuals from least squares are small numbers: whatever shift the outcome has, no digit is lost after.
        near = np.where(problem.seen, predictor(problem, beta), 0.0)
        rest = replace(problem, outcome=problem.outcome - near, offset=np.where(problem.seen, 0.0, problem.offset))
        step, converged, iterations = scoring(rest, problem.working, np.zeros_like(beta), tolerance)
        final = moments(rest, step, problem.working)
        return Solution(beta + step, final, converged & final.inside, iterations)
    poor = ~allowed(problem, predictor(problem, beta))
    if poor.any():
        beta[poor] = mean_only(problem)[poor]
    if problem.working.name != "independence":
        beta, _, _ = scoring(problem, Working("independence"), beta, ROUGH_TOLERANCE)
    beta, converged, iterations = scoring(problem, problem.working, beta, tolerance)
    final = moments(problem, beta, problem.working)
    return Solution(beta, final, converged & final.inside, iterations)
