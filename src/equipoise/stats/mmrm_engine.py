"""Maximise the (restricted) likelihood of repeated measures, many fits at once.

Works on rows that stand for subjects: within a missingness pattern the subjects are turned, by an orthogonal
transformation, into a few rows with the same sums of cross-products, so no iteration costs more for more subjects.
Terms: *cell* (the subjects of one group who were seen at the same visits), *row* (a subject, or what stands for
several), *rest* (the cross-products of outcomes, by cell, that no row with a design carries).
Shapes: B fits, G groups, K cells, S rows, T visits, p coefficients, q covariance parameters of all groups.
Arrays that all fits share have a leading axis of length one. Equations: docs/methods/mmrm.md.
"""

from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.mmrm_structures import Array, Structure, covariance_by_group

Index: TypeAlias = NDArray[np.intp]
TOLERANCE = 1e-8  # length of the Newton step left, in standard errors of the covariance parameters
MOST_STEPS = 100
MOST_HALVINGS = 30
NUMBERS_AT_ONCE = 300_000  # in the second derivatives of several fits, which then stay in the processor's cache
ROUNDING = 1e-12  # of the deviance, relative: no step can be seen to improve by less
RIDGE = 1e-8  # relative, added to an average information that may be singular
LEAST_EIGENVALUE = 0.05  # of the correlation of the visits, at the start
LEAST_COMPLETE = 1e-6  # the same where no visit is missing, when the start is the solution or near it
PARTS = 8  # into which a stack is divided to find the matrices without a factor
SINGULAR = 1e6  # inflation at which a fit is on its way to a singular covariance and is given up
LEAST_POSSIBLE = 1e-9  # the same, anywhere
PER_SHARED = ("design", "row_cell", "count", "seen", "cell_group")


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be fitted.

    `design` (B, S, T, p) and `outcome` (B, S, T) are by row, zero where a visit was not seen; `row_cell` (B, S) is each
    row's cell. By cell: `rest` (B, K, T, T), `count` (B, K) of subjects, `seen` (B, K, T), `cell_group` (B, K).
    """

    design: Array
    outcome: Array
    row_cell: Index
    rest: Array
    count: Array
    seen: NDArray[np.bool_]
    cell_group: Index
    groups: int
    structure: Structure
    reml: bool

    def take(self, places: Index | slice) -> "Problem":
        """The problems of some of the fits."""
        arrays = {name: getattr(self, name) for name in (*PER_SHARED, "outcome", "rest")}
        return replace(self, **{name: array if len(array) == 1 else array[places] for name, array in arrays.items()})


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A point: parameters (B, q), and what follows from them.

    `weight` (B, K, T, T) is the inverse covariance by cell, zero where not seen, `row_weight` (B, S, T, T) the same by
    row. `root` (B, p, p) times its transpose is the covariance of `beta` (B, p). `weighted` (B, S, T, p) and `score`
    (B, S, T) are the design and the residuals times the weight; `rest` (B, K, T, T) is the rest, weighted on both
    sides. `deviance` (B,) leaves constants out and is infinite where the covariance is not positive definite.
    `inflation` (B,) is the largest of 1 / (1 - R^2) of one visit given the others; infinite at a singular covariance.
    """

    theta: Array
    weight: Array
    row_weight: Array
    root: Array
    beta: Array
    weighted: Array
    score: Array
    rest: Array
    deviance: Array
    inflation: Array


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Derivatives of half the deviance at a state.

    `gradient` (B, q), `observed` and `average` (B, q, q) information. `turned` (B, q, p p): L' P_i L, where L is the
    state's root and P_i the derivative of the coefficients' information, with its sign changed.
    """

    gradient: Array
    observed: Array
    average: Array
    turned: Array


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Where the iteration ended: `length` (B,) is the relative gradient there, equation (stop)."""

    state: State
    slopes: Slopes
    converged: NDArray[np.bool_]
    iterations: Index
    length: Array


def transposed(array: Array) -> Array:
    """The array with its last two axes exchanged."""
    return np.swapaxes(array, -1, -2)


def by_place(array: Array, place: Index) -> Array:
    """(B, M, ...), entries of (B, N, ...) along the second axis at (B, M) places; (B, 1, ...) where N is one."""
    if array.shape[1] == 1:
        return array
    if len(place) == 1:
        return np.asarray(array[:, place[0]])
    if len(array) == 1:
        return np.asarray(array[0][place])
    return np.asarray(array[np.arange(len(array))[:, np.newaxis], place])


def positive_definite(matrix: Array) -> NDArray[np.bool_]:
    """(...), whether each matrix (..., T, T) has a Cholesky factor."""
    return cholesky(matrix)[1]


def cholesky(matrix: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The lower factor of each matrix (..., T, T), one where it has none, and which have one (...)."""
    try:
        factor = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
        if np.isfinite(factor).all():
            return factor, np.ones(matrix.shape[:-2], dtype=bool)
    except np.linalg.LinAlgError:
        pass
    flat = matrix.reshape(-1, *matrix.shape[-2:])
    if len(flat) == 1:
        return np.broadcast_to(np.eye(matrix.shape[-1]), matrix.shape), np.zeros(matrix.shape[:-2], dtype=bool)
    parts = [cholesky(part) for part in np.array_split(flat, min(len(flat), PARTS))]
    return (
        np.concatenate([part[0] for part in parts]).reshape(matrix.shape),
        np.concatenate([part[1] for part in parts]).reshape(matrix.shape[:-2]),
    )


def evaluate(problem: Problem, theta: Array) -> State:
    """The state at parameters (B, q); equations (beta) and (deviance)."""
    sigma = covariance_by_group(problem.structure, theta, problem.groups)
    visits = sigma.shape[-1]
    diagonal = np.eye(visits) * np.diagonal(sigma, axis1=-2, axis2=-1)[..., np.newaxis, :]
    possible = np.asarray(positive_definite(sigma - LEAST_POSSIBLE * diagonal).all(axis=-1))
    if not possible.all():
        sigma = np.where(possible[:, np.newaxis, np.newaxis, np.newaxis], sigma, np.eye(visits))
    both = problem.seen[..., :, np.newaxis] & problem.seen[..., np.newaxis, :]
    cells = np.where(both, by_place(sigma, problem.cell_group), np.eye(visits))
    factor = np.linalg.cholesky(cells)
    weight = np.linalg.inv(cells) * both
    row_weight = by_place(weight, problem.row_cell)
    weighted = row_weight @ problem.design
    rows = (len(weighted), -1, weighted.shape[-1])
    stacked, long = problem.design.reshape(len(problem.design), *rows[1:]), weighted.reshape(rows)
    information = transposed(long) @ stacked
    information = (information + transposed(information)) / 2
    lower, sound = cholesky(information)
    root = transposed(np.asarray(np.linalg.inv(lower), dtype=np.float64))
    outcome = problem.outcome.reshape(len(problem.outcome), -1, 1)
    beta = root @ (transposed(root) @ (transposed(long) @ outcome))
    residual = problem.outcome - (stacked @ beta).reshape(problem.outcome.shape)
    score = (row_weight @ residual[..., np.newaxis])[..., 0]
    fits = len(theta)
    deviance = (
        (problem.count * 2 * np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(axis=-1)).sum(axis=-1)
        + (residual * score).reshape(fits, -1).sum(axis=-1)
        + (weight * problem.rest).reshape(fits, -1).sum(axis=-1)
    )
    if problem.reml:
        deviance = deviance + 2 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1)
    return State(
        theta,
        weight,
        row_weight,
        root,
        beta[..., 0],
        weighted,
        score,
        weight @ problem.rest @ weight,
        np.where(possible & sound, deviance, np.inf),
        np.diagonal(cells * weight, axis1=-2, axis2=-1).reshape(fits, -1).max(axis=-1),
    )


def slopes(problem: Problem, state: State) -> Slopes:
    """First and second derivatives, some fits at a time."""
    fits, many = len(state.theta), problem.design[0].size * problem.structure.visits
    step = max(1, NUMBERS_AT_ONCE // (many + state.theta.shape[-1] * state.beta.shape[-1] ** 2))
    if step >= fits:
        return derivatives(problem, state)
    parts = []
    for start in range(0, fits, step):
        places = slice(start, start + step)
        parts.append(derivatives(problem.take(places), taken(state, places)))
    return Slopes(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Slopes)))


def derivatives(problem: Problem, state: State) -> Slopes:
    """The derivatives; equations (gradient), (average), (expected) and (observed)."""
    rotated = state.weighted @ state.root[:, np.newaxis]
    parts = [one_group(problem, state, rotated, group) for group in range(problem.groups)]
    gradient = np.concatenate([part.gradient for part in parts], axis=-1)
    turned = parts[0].turned if len(parts) == 1 else np.concatenate([part.turned for part in parts], axis=-2)
    pulled = np.concatenate([part.pulled for part in parts], axis=-2)
    average = -pulled @ transposed(pulled) / 2
    observed = 2 * average
    if problem.reml:
        observed = observed - turned @ transposed(turned) / 2
    own = len(problem.structure.parameters)
    for group, part in enumerate(parts):
        block = (..., slice(group * own, (group + 1) * own), slice(group * own, (group + 1) * own))
        average[block] += part.average
        observed[block] += part.observed
    return Slopes(gradient, (observed + transposed(observed)) / 2, (average + transposed(average)) / 2, turned)


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """What one group gives to the derivatives, before the terms that groups share through the coefficients.

    `turned` (B, q, p p) and `pulled` (B, q, p) are X' W V_i W X and X' W V_i W r, turned by the state's root.
    """

    gradient: Array
    average: Array
    observed: Array
    turned: Array
    pulled: Array


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A group's gradient in the entries of its covariance, `slope` (B, T, T), and what it is made of.

    By row or summed: `drawn` u u' and `lever` H Phi H' (B, S, T, T); by cell: `many` (B, K, T, T), the weights times
    the numbers of subjects, and `rest`. `weighted` and `score` are the group's alone.
    """

    slope: Array
    drawn: Array
    lever: Array
    many: Array
    rest: Array
    weighted: Array
    score: Array


def entries(problem: Problem, state: State, rotated: Array, group: int) -> Entries:
    """A group's gradient by entry, equation (gradient)."""
    score, weighted, weight, rest = state.score, rotated, state.weight, state.rest
    if problem.groups > 1:
        cells = (problem.cell_group == group).astype(np.float64)[..., np.newaxis, np.newaxis]
        rows = by_place(cells, problem.row_cell)
        score, weighted, weight, rest = score * rows[..., 0], weighted * rows, weight * cells, rest * cells
    drawn = score[..., :, np.newaxis] * score[..., np.newaxis, :]
    lever = weighted @ transposed(weighted) if problem.reml else np.zeros_like(drawn)
    if state.row_weight.shape[1] == 1:
        drawn, lever = drawn.sum(axis=1, keepdims=True), lever.sum(axis=1, keepdims=True)
    many = problem.count[..., np.newaxis, np.newaxis] * weight
    slope = ((many - rest).sum(axis=1) - (drawn + lever).sum(axis=1)) / 2
    return Entries(slope, drawn, lever, many, rest, weighted, score)


def one_group(problem: Problem, state: State, rotated: Array, group: int) -> Share:
    """A group's share of the derivatives."""
    fits, visits, p = len(state.theta), state.weighted.shape[-2], state.weighted.shape[-1]
    own = entries(problem, state, rotated, group)
    inverse = np.concatenate([state.row_weight, state.weight], axis=1)
    theta = state.theta.reshape(fits, problem.groups, -1)[:, group]
    jacobian = problem.structure.jacobian(theta)
    carry = transposed(jacobian)
    average = carry @ traces(inverse, np.concatenate([own.drawn, own.rest], axis=1)) @ jacobian / 2
    observed = 2 * average + carry @ traces(inverse, np.concatenate([own.lever, -own.many / 2], axis=1)) @ jacobian
    if problem.structure.hessian is not None:
        curve = problem.structure.hessian(theta)
        flat = own.slope.reshape(fits, 1, -1) @ curve.reshape(fits, visits**2, -1)
        observed = observed + flat.reshape(observed.shape)
    wide = own.weighted.reshape(fits, -1, visits * p)
    cross = (transposed(wide) @ own.score).reshape(fits, visits, p, visits).transpose(0, 1, 3, 2)
    turned = by_pair(wide, visits)
    if not problem.structure.by_entry:
        low, high = np.triu_indices(visits)
        turned = carry[..., low * visits + high] @ turned
    return Share(
        (carry @ own.slope.reshape(fits, visits**2, 1))[..., 0],
        average,
        observed,
        turned,
        carry @ cross.reshape(fits, visits**2, p),
    )


def by_pair(wide: Array, visits: int) -> Array:
    """sum_i H_ia' H_ib + H_ib' H_ia, once where a = b, by pairs of visits a <= b: (B, T (T + 1) / 2, p p).

    Args:
        wide: (B, S, T p), the rows' H_i with the visits side by side.
        visits: T.
    """
    fits, _, width = wide.shape
    p = width // visits
    found = np.empty((fits, visits * (visits + 1) // 2, p, p))
    first = 0
    for visit in range(visits):
        own = transposed(wide[..., visit * p : (visit + 1) * p]) @ wide[..., visit * p :]
        after = own[..., p:].reshape(fits, p, -1, p).transpose(0, 2, 1, 3)
        found[:, first] = own[..., :p]
        np.add(after, transposed(after), out=found[:, first + 1 : first + visits - visit])
        first += visits - visit
    return found.reshape(fits, -1, p * p)


def traces(left: Array, right: Array) -> Array:
    """sum_m tr(E_ab L_m E_cd R_m), (B, T T, T T) with rows (a, b) and columns (c, d); E_ab is one at (a, b) only.

    The trace is L[b, c] R[d, a], so that all of them are one matrix product, and its entries put in order.

    Args:
        left: (B, M, T, T), L.
        right: (B, M, T, T), R.
    """
    fits, many, visits, _ = left.shape
    product = transposed(left.reshape(fits, many, -1)) @ right.reshape(fits, many, -1)
    ordered = product.reshape(fits, visits, visits, visits, visits).transpose(0, 4, 1, 2, 3)
    return np.asarray(ordered.reshape(fits, visits**2, visits**2))


def start(problem: Problem) -> Array:
    """(B, q), parameters from the covariance of least-squares residuals by pairs of visits, made positive definite."""
    p = problem.design.shape[-1]
    stacked = problem.design.reshape(len(problem.design), -1, p)
    outcome = problem.outcome.reshape(len(problem.outcome), -1, 1)
    beta = np.linalg.solve(transposed(stacked) @ stacked, transposed(stacked) @ outcome)
    residual = problem.outcome - (stacked @ beta).reshape(problem.outcome.shape)
    seen = problem.seen.astype(np.float64)
    many = (problem.count[..., np.newaxis] * seen).sum(axis=(-2, -1))
    free = many - p if problem.reml else many
    complete = (problem.seen.all(axis=-1) | (problem.count == 0)).all(axis=-1)
    pairs = problem.count[..., np.newaxis, np.newaxis] * seen[..., :, np.newaxis] * seen[..., np.newaxis, :]
    found = []
    for group in range(problem.groups):
        cells = (problem.cell_group == group).astype(np.float64)[..., np.newaxis, np.newaxis]
        own = residual * by_place(cells, problem.row_cell)[..., 0]
        sums = transposed(own) @ residual + (problem.rest * cells).sum(axis=1)
        moments = sums / np.maximum((pairs * cells).sum(axis=1), 1.0) * (many / free)[:, np.newaxis, np.newaxis]
        found.append(problem.structure.start(repaired(moments, complete)))
    return np.concatenate(found, axis=-1)


def repaired(moments: Array, complete: NDArray[np.bool_]) -> Array:
    """A covariance (B, T, T) whose correlation has no eigenvalue below `LEAST_EIGENVALUE`; no variance becomes one.

    Those of `complete` (B,) fits are left as they are if they have none below `LEAST_COMPLETE`.
    """
    variance = np.diagonal(moments, axis1=-2, axis2=-1)
    most = variance.max(axis=-1, keepdims=True)
    variance = np.maximum(variance, np.where(most > 0, 1e-3 * most, 1.0))
    lengths = np.sqrt(variance)
    correlation = moments / (lengths[..., :, np.newaxis] * lengths[..., np.newaxis, :])
    places = np.arange(moments.shape[-1])
    correlation[..., places, places] = 1.0
    values, vectors = np.linalg.eigh(correlation)
    sound = complete & (values[..., 0] > LEAST_COMPLETE)
    values = np.where(sound[..., np.newaxis], values, np.maximum(values, LEAST_EIGENVALUE))
    raised = (vectors * values[..., np.newaxis, :]) @ transposed(vectors)
    return np.asarray(raised * lengths[..., :, np.newaxis] * lengths[..., np.newaxis, :])


def solve(problem: Problem) -> Solution:
    """Newton's method with observed information, average information where that is not positive definite.

    A step that does not improve is halved. Fits that have settled, or that no step improves, leave the iteration.

    Source:
        Gilmour, Thompson and Cullis (1995), Biometrics 51:1440-1450 (average information);
        Jennrich and Schluchter (1986), Biometrics 42:805-820.
    """
    fits = len(problem.outcome)
    theta = start(problem)
    state = evaluate(problem, theta)
    converged, iterations = np.zeros(fits, bool), np.full(fits, MOST_STEPS)
    left = np.arange(fits)
    now, slope = problem, slopes(problem, state)
    for step in range(MOST_STEPS):
        move, length = newton(slope)
        settled = length < TOLERANCE
        moved, better = improved(now, state, move, ~settled)
        better = better & (moved.inflation < SINGULAR)
        theta[left] = moved.theta
        converged[left[settled]] = True
        iterations[left[~better]] = step
        if not better.any():
            if not settled.all():
                state, slope = moved, slopes(now, moved)
            break
        if not better.all():
            kept = np.flatnonzero(better)
            left, now, moved = left[kept], now.take(kept), taken(moved, kept)
        state, slope = moved, slopes(now, moved)
    if len(left) < fits:
        state = evaluate(problem, theta)
        slope = slopes(problem, state)
    return Solution(state, slope, converged, iterations, newton(slope)[1])


def newton(derivatives: Slopes) -> tuple[Array, Array]:
    """The step (B, q) and its length in standard errors of the parameters (B,), equation (stop)."""
    scale = np.sqrt(np.abs(np.diagonal(derivatives.average, axis1=-2, axis2=-1)))
    scale = np.where(scale > 0, scale, 1.0)
    both = scale[..., :, np.newaxis] * scale[..., np.newaxis, :]
    observed, average = derivatives.observed / both, derivatives.average / both
    convex = positive_definite(observed)
    information = observed
    if not convex.all():
        ridged = average + RIDGE * np.eye(scale.shape[-1])
        information = np.where(convex[:, np.newaxis, np.newaxis], observed, ridged)
    slope = derivatives.gradient / scale
    step = -np.linalg.solve(information, slope[..., np.newaxis])[..., 0]
    return step / scale, np.sqrt(np.maximum(-(slope * step).sum(axis=-1), 0.0))


def improved(problem: Problem, state: State, move: Array, wanted: NDArray[np.bool_]) -> tuple[State, NDArray[np.bool_]]:
    """The states after as much of each step as does not worsen the deviance, and which fits found one.

    A fit that is not `wanted` or finds none stays where it is.
    """
    if not wanted.any():
        return state, wanted
    trial = evaluate(problem, moved(problem, state.theta, move))
    allowed = state.deviance + ROUNDING * (1 + np.abs(state.deviance))
    better = wanted & (trial.deviance <= allowed)
    short = 1.0
    for _ in range(MOST_HALVINGS):
        again = np.flatnonzero(wanted & ~better)
        if not again.size:
            break
        short /= 2
        tried = problem.take(again)
        part = evaluate(tried, moved(tried, state.theta[again], short * move[again]))
        merge(trial, again, part)
        better[again] = part.deviance <= allowed[again]
    stays = np.flatnonzero(~better)
    if stays.size:
        merge(trial, stays, taken(state, stays))
    return trial, better


def moved(problem: Problem, theta: Array, step: Array) -> Array:
    """Parameters (B, q) after a step, group by group."""
    shape = (len(theta), problem.groups, -1)
    return problem.structure.moved(theta.reshape(shape), step.reshape(shape)).reshape(theta.shape)


def taken(state: State, places: Index | slice) -> State:
    """The states of some of the fits."""
    return State(*(getattr(state, field.name)[places] for field in fields(State)))


def merge(state: State, places: Index, part: State) -> None:
    """Write the states of some of the fits into the others'."""
    for field in fields(State):
        getattr(state, field.name)[places] = getattr(part, field.name)
