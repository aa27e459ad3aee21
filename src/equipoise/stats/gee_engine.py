"""Generalised estimating equations on arrays: each leading index is one independent fit.

A visit that was not seen has a zero row in the design and an outcome equal to its mean, so it adds nothing
to any sum and needs no mask. Visits come first inside, so that one matrix product serves all subjects.
Fits that have settled leave the iteration. A normal outcome with visits that correlate alike needs sums only
(`gee_sums`), and one with any other working correlation sums by pairs of visits (`gee_pairs`).
Equations: docs/methods/gee.md.
Shapes: B fits, n subjects, T visits, p coefficients, K patterns of visits seen; b is B, or 1 where all fits share.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.gee_families import Family, Link
from equipoise.stats.gee_pairs import Pairs, pairs_of
from equipoise.stats.gee_sums import Rows, Subjects, least_squares, rows_of
from equipoise.stats.gee_working import Working, check_identified, estimate, inverses, one_parameter
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.stacked import FEW_SYSTEMS, solved, solved_by_lapack

TOLERANCE = 1e-10  # length of a step, in standard errors
ROUGH_TOLERANCE = 1e-2  # of the first pass, as if visits were independent
MOST_ITERATIONS = 200
MOST_HALVINGS = 40
MOST_VISITS_CODED = 60  # whose pattern is one whole number
PARKED_MEAN = 0.5  # of a visit that was not seen: a mean that every family allows


@dataclass(frozen=True, eq=False)
class Posed:
    """A block of fits as it was given: outcome, seen, offset and weight (b, n, T), design (b, n, T, p).

    `spent` is p, or 0 for geepack's divisors. What stands where nothing was seen is not read.
    """

    outcome: Vector
    design: Matrix
    seen: NDArray[np.bool_]
    offset: Vector | None
    weight: Vector | None
    family: Family
    link: Link
    working: Working
    spent: int
    fixed_scale: float | None

    @property
    def n_fits(self) -> int:
        """B, the number of independent fits."""
        arrays = (self.outcome, self.design, self.seen, self.offset, self.weight)
        return max(len(array) for array in arrays if array is not None)

    @property
    def n_subjects(self) -> int:
        """The subjects, K in the papers."""
        return int(self.design.shape[1])

    @property
    def n_coefficients(self) -> int:
        """The coefficients, p in the papers."""
        return int(self.design.shape[3])

    @property
    def plain(self) -> bool:
        """Whether the outcome is normal with an identity link, so that the mean is linear in the coefficients."""
        return self.family.name == "gaussian" and self.link.name == "identity"

    @property
    def by_sums(self) -> bool:
        """Whether a few sums are all that the iteration needs."""
        return self.plain and self.working.name in ("independence", "exchangeable")

    @cached_property
    def counts(self) -> Matrix:
        """(b, T, T), how many subjects were seen at both of two visits."""
        seen = self.seen.astype(np.float64)
        return np.asarray(np.swapaxes(seen, -1, -2) @ seen)

    @cached_property
    def kinds(self) -> NDArray[np.intp]:
        """(b, n), a number for each design with the visits seen: subjects with the same number differ in outcome only.

        Where weights differ or each fit has designs of its own, every subject has its own number.
        """
        n = self.n_subjects
        if self.weight is not None or len(self.design) > 1:
            return np.arange(n, dtype=np.intp)[np.newaxis]
        _, design_of = np.unique(self.design[0].reshape(n, -1), axis=0, return_inverse=True)
        return np.asarray(design_of + n * self.pattern_numbers[1], dtype=np.intp)

    @cached_property
    def pattern_numbers(self) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """The distinct patterns of visits seen (K, T), and which each subject (b, n) has."""
        visits = self.seen.shape[-1]
        flat = self.seen.reshape(-1, visits)
        if visits > MOST_VISITS_CODED:
            patterns, number = np.unique(flat, axis=0, return_inverse=True)
        else:
            _, first, number = np.unique(flat @ (1 << np.arange(visits)), return_index=True, return_inverse=True)
            patterns = flat[first]
        return patterns, np.asarray(number.reshape(self.seen.shape[:-1]), dtype=np.intp)

    @cached_property
    def rows(self) -> Rows:
        """The data with entries first, for what is done by sums."""
        return rows_of(self.outcome, self.design, self.seen, self.offset, self.weight)

    @cached_property
    def laid(self) -> "Problem":
        """The data with visits first, for what is done one visit at a time."""
        present = np.moveaxis(self.seen, -1, -2)
        parked = float(self.link.predictor(np.array(PARKED_MEAN)))
        shift = 0.0 if self.offset is None else np.moveaxis(self.offset, -1, -2)
        weigh = np.ones((1, 1, 1)) if self.weight is None else np.moveaxis(self.weight, -1, -2)
        patterns, pattern_of = self.pattern_numbers
        return Problem(
            np.where(present, np.moveaxis(self.outcome, -1, -2), PARKED_MEAN),
            np.ascontiguousarray(np.where(present[..., np.newaxis], np.moveaxis(self.design, -2, -3), 0.0)),
            np.where(present, shift, parked),
            np.where(present, weigh, 1.0),
            present,
            self.counts,
            patterns,
            pattern_of,
            self.family,
            self.link,
            self.working,
            self.spent,
            self.fixed_scale,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is fitted, visits first: outcome (b, T, n), design (b, T, n, p), offset and weight (b, T, n).

    `seen` is (b, T, n), `counts` (b, T, T) the subjects seen at both of two visits; `patterns` (K, T) are the distinct
    columns of `seen` and `pattern_of` (b, n) says which each subject has.
    """

    outcome: Vector
    design: Matrix
    offset: Vector
    weight: Vector
    seen: NDArray[np.bool_]
    counts: Matrix
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

    @property
    def largest(self) -> Vector:
        """(b,), the most visits that one subject has."""
        return np.asarray(self.seen.sum(axis=1).max(axis=-1), dtype=np.float64)

    @property
    def pairs_are_fewer(self) -> bool:
        """Whether all fits share few patterns of visits seen, so that sums by pairs of visits pay for themselves."""
        visits, n, p = self.design.shape[1:]
        return len(self.pattern_of) == 1 and len(self.patterns) * visits * p <= n

    def only(self, fits: NDArray[np.intp]) -> "Problem":
        """The same problem for some of the fits."""
        return replace(
            self,
            outcome=some_of(self.outcome, fits),
            design=some_of(self.design, fits),
            offset=some_of(self.offset, fits),
            weight=some_of(self.weight, fits),
            seen=self.seen if len(self.seen) == 1 else self.seen[fits],
            counts=some_of(self.counts, fits),
            pattern_of=self.pattern_of if len(self.pattern_of) == 1 else self.pattern_of[fits],
        )

    def moments(self, beta: Vector) -> "Moments":
        """Everything at beta (B, p)."""
        return moments(self, beta)

    def shortened(self, beta: Vector, step: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """The step, halved until every mean is one that the family can have, and whether that succeeded (B,)."""
        return shortened(self, beta, step)


class Equations(Protocol):
    """What Fisher scoring needs of a block of fits."""

    @property
    def n_fits(self) -> int:
        """B."""

    def only(self, fits: NDArray[np.intp]) -> "Equations":
        """The same for some of the fits."""

    def moments(self, beta: Vector) -> "AtBeta":
        """The equations at beta (B, p)."""

    def shortened(self, beta: Vector, step: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """The step as far as it may go, and whether it may (B,)."""


class AtBeta(Protocol):
    """Information (B, p, p), score (B, p) and scale (B,) at one value of the coefficients."""

    @property
    def information(self) -> Matrix:
        """Without the scale."""

    @property
    def score(self) -> Vector:
        """Without the scale."""

    @property
    def scale(self) -> Vector:
        """Phi."""


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


@dataclass(frozen=True, eq=False)
class Solution:
    """The fits and how they were reached: `beta` (B, p), of which `step` was found after `near` had been taken off.

    `scale` (B,), `correlation` (B, T, T), whether its estimate was positive definite `inside` (B,), `information`
    (B, p, p) without the scale. `known` and `subjects` hold what was needed on the way.
    """

    beta: Vector
    step: Vector
    near: Vector
    scale: Vector
    correlation: Matrix
    inside: NDArray[np.bool_]
    information: Matrix
    converged: NDArray[np.bool_]
    iterations: NDArray[np.intp]
    known: Moments | None
    subjects: Subjects | None


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
) -> Posed:
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
    posed = Posed(
        outcome, design, seen, offset, weight, family, link, working, 0 if without_p else design.shape[-1], fixed_scale
    )
    check_identified(working, posed.counts, posed.spent)
    return posed


def predictor(problem: Problem, beta: Vector) -> Vector:
    """(B, T, n), the linear predictor at beta (B, p)."""
    b, visits, n, p = problem.design.shape
    rows = problem.design.reshape(b, visits * n, p) @ beta[..., np.newaxis]
    return np.asarray(rows.reshape(-1, visits, n) + problem.offset)


def linear_predictor(posed: Posed, beta: Vector) -> Vector:
    """(B, n, T), the linear predictor at beta (B, p), subjects first; not meant where nothing was seen."""
    b, n, visits, p = posed.design.shape
    eta = (posed.design.reshape(b, n * visits, p) @ beta[..., np.newaxis]).reshape(-1, n, visits)
    return np.asarray(eta if posed.offset is None else eta + posed.offset)


def allowed(problem: Problem, eta: Vector) -> NDArray[np.bool_]:
    """(B,), whether every predictor gives a mean that the family can have."""
    within = (eta > problem.link.lower) & (eta < problem.link.upper)
    good = within.all(axis=(-1, -2))
    if problem.family.mean_above > -np.inf:
        mean = problem.link.mean(np.where(within, eta, problem.link.predictor(np.array(PARKED_MEAN))))
        good &= ((mean > problem.family.mean_above) & (mean < problem.family.mean_below)).all(axis=(-1, -2))
    return np.asarray(good)


def moments(problem: Problem, beta: Vector) -> Moments:
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
    working = problem.working
    observed = np.trace(problem.counts, axis1=-2, axis2=-1)
    scale = np.trace(products, axis1=-2, axis2=-1) / (observed - problem.spent)
    if problem.fixed_scale is not None:
        scale = np.full_like(scale, problem.fixed_scale)
    # A scale of zero is refused by the caller; one keeps the division silent until then.
    positive = np.where(scale > 0, scale, 1.0)
    correlation, inside = estimate(working, products, problem.counts, positive, problem.spent, problem.largest)
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
    if len(matrix) <= FEW_SYSTEMS and (found := solved_by_lapack(matrix, vector[..., np.newaxis])) is not None:
        return found[..., 0], np.ones(len(matrix), bool)
    answer, regular = solved(np.moveaxis(matrix, 0, -1), vector.T[:, np.newaxis])
    return np.ascontiguousarray(answer[:, 0].T), regular


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


def scoring(equations: Equations, beta: Vector, tolerance: float) -> tuple[Vector, NDArray[np.bool_], NDArray[np.intp]]:
    """Fisher scoring from beta (B, p), the working correlation renewed at each step.

    Returns:
        Coefficients (B, p), whether each fit converged (B,), iterations (B,).
    """
    fits = equations.n_fits
    beta = beta.copy()
    converged, iterations = np.zeros(fits, bool), np.zeros(fits, np.intp)
    active, part = np.arange(fits), equations
    for iteration in range(1, MOST_ITERATIONS + 1):
        now = part.moments(beta[active])
        step, regular = solve_positive(now.information, now.score)
        scale = np.where(now.scale > 0, now.scale, 1.0)
        length = (step * now.score).sum(axis=-1) / (scale * step.shape[-1])
        step, possible = part.shortened(beta[active], step)
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


def solve(posed: Posed, tolerance: float = TOLERANCE) -> Solution:
    """Fit a block; a fit that runs away is marked as not converged, without a warning of overflow.

    Args:
        posed: as `pose` arranges it.
        tolerance: length of the last step, in standard errors.

    Source:
        Liang and Zeger (1986), Biometrika 73:13-22; equations (score) to (alpha) in docs/methods/gee.md.
    """
    with np.errstate(all="ignore"):
        if posed.by_sums:
            return solved_by_sums(posed, tolerance)
        return solved_plainly(posed, tolerance) if posed.plain else solved_by_steps(posed, tolerance)


def solved_by_sums(posed: Posed, tolerance: float) -> Solution:
    """A normal outcome whose visits correlate alike, from the residuals of least squares."""
    fits, visits, rows = posed.n_fits, posed.seen.shape[-1], posed.rows
    near = least_squares(rows, fits)
    residual = rows.residual(near)
    exchangeable = posed.working.name == "exchangeable"
    totals = rows.totals(residual, exchangeable=exchangeable, spent=posed.spent, fixed_scale=posed.fixed_scale)
    step, converged, iterations = scoring(totals, np.zeros((fits, posed.n_coefficients)), tolerance)
    final = totals.moments(step)
    correlation = one_parameter(Working("exchangeable"), final.alpha, visits)
    subjects = Subjects(replace(rows, outcome=residual), step.T, final.alpha)
    return Solution(
        near.T + step,
        step,
        near.T,
        final.scale,
        correlation,
        final.inside,
        final.information,
        converged & final.inside,
        iterations,
        None,
        subjects,
    )


def solved_plainly(posed: Posed, tolerance: float) -> Solution:
    """A normal outcome with any working correlation, from the residuals of least squares.

    They are small numbers: whatever shift the outcome has, no digit is lost after. Sums serve the iteration;
    what the covariances need is taken from the observations once, at the solution.
    """
    near = starting_values(posed.laid)
    rest = less_mean(posed.laid, near)
    equations: Equations = in_pairs(rest) if rest.pairs_are_fewer else rest
    step, converged, iterations = scoring(equations, np.zeros_like(near), tolerance)
    return solution_of(rest.moments(step), near + step, step, near, converged, iterations)


def in_pairs(problem: Problem) -> Pairs:
    """The sums by pairs of visits of what is left of a normal outcome."""
    root = np.sqrt(problem.weight)
    return pairs_of(
        (problem.outcome - problem.offset) * root,
        problem.design * root[..., np.newaxis],
        problem.patterns,
        problem.pattern_of[0],
        problem.counts,
        problem.largest,
        problem.working,
        problem.spent,
        problem.fixed_scale,
    )


def less_mean(problem: Problem, near: Vector) -> Problem:
    """The problem of what is left of a normal outcome after its mean at near (B, p)."""
    mean = np.where(problem.seen, predictor(problem, near), 0.0)
    return replace(problem, outcome=problem.outcome - mean, offset=np.where(problem.seen, 0.0, problem.offset))


def solved_by_steps(posed: Posed, tolerance: float) -> Solution:
    """Any family: first as if visits were independent, then with the working correlation."""
    problem = posed.laid
    beta = starting_values(problem)
    poor = ~allowed(problem, predictor(problem, beta))
    if poor.any():
        beta[poor] = mean_only(problem)[poor]
    if problem.working.name != "independence":
        beta, _, _ = scoring(replace(problem, working=Working("independence")), beta, ROUGH_TOLERANCE)
    beta, converged, iterations = scoring(problem, beta, tolerance)
    return solution_of(problem.moments(beta), beta, beta, np.zeros_like(beta), converged, iterations)


def solution_of(
    final: Moments,
    beta: Vector,
    step: Vector,
    near: Vector,
    converged: NDArray[np.bool_],
    iterations: NDArray[np.intp],
) -> Solution:
    """The solution with the moments at it."""
    return Solution(
        beta,
        step,
        near,
        final.scale,
        final.correlation,
        final.inside,
        final.information,
        converged & final.inside,
        iterations,
        final,
        None,
    )
