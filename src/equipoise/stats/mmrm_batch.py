"""Thousands of repeated-measures fits at once, from arrays.

For simulated trials. The same engine as `mmrm`, which is the batch of one. Fits are worked through in blocks that
stay in the processor's cache; a fit that has settled leaves its block's iteration.
Shapes: leading axes (...) are independent fits; n subjects, T visits, p coefficients, m contrasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from equipoise.stats.coefficients import contrast_rows, two_sided_p
from equipoise.stats.mmrm_engine import Index, Problem, Solution, solve, transposed
from equipoise.stats.mmrm_fit import KENWARD_ROGER, METHODS, check_choices
from equipoise.stats.mmrm_inference import (
    adjusted,
    kenward_roger_f,
    orthogonal_contrasts,
    parameter_covariance,
    pooled_df,
    satterthwaite,
)
from equipoise.stats.mmrm_rows import cells_of
from equipoise.stats.mmrm_structures import STRUCTURES, Array, Structure, structure_of
from equipoise.stats.refusals import BadSample, RankDeficient, choose
from equipoise.stats.samples import Matrix, Vector

OFFERED = ("kenward-roger", "kenward-roger-linear", "satterthwaite", "residual")
NUMBERS_A_BLOCK = 300_000  # numbers in one block's derivatives of the information, some 2.4 MB
DEPENDENT = 1e-8  # relative length of what a column adds to those before it
RANK = 1e-10  # relative singular value of a design's covariates that counts


@dataclass(frozen=True, slots=True, eq=False)
class MmrmBatch:
    """Many repeated-measures fits.

    `beta` is (..., p), `covariance` (..., p, p). Of each contrast (..., m): `estimate`, `std_error`, `df`, `p_value`.
    Of the joint test (...): `joint_statistic`, `joint_df`, `joint_p_value`; `joint_usable` says where it exists.
    Where `usable` is False a fit did not settle or its covariance is not determined: coefficients are the last iterate,
    variances infinite and P values one.
    """

    beta: Vector
    covariance: Matrix
    estimate: Vector
    std_error: Vector
    df: Vector
    p_value: Vector
    joint_statistic: Vector
    joint_df: Vector
    joint_p_value: Vector
    usable: NDArray[np.bool_]
    joint_usable: NDArray[np.bool_]
    iterations: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """The arrays with one leading axis, of length one where all fits share it; prior weights are worked in.

    `outcome` (B, n, T), `design` (B, n, T, p), `observed` (B, n, T), `group` (B, n) codes from 0 to `groups` - 1.
    """

    outcome: Array
    design: Array
    observed: NDArray[np.bool_]
    group: Index
    groups: int
    lead: tuple[int, ...]

    def take(self, block: slice) -> "Arrays":
        """Some of the fits."""
        own = {name: getattr(self, name) for name in ("outcome", "design", "observed", "group")}
        return replace(self, **{name: array if len(array) == 1 else array[block] for name, array in own.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block's problem, and the way back: coefficients are `back @ (shift + scale beta)`."""

    problem: Problem
    back: Array
    shift: Array
    scale: Array


def mmrm_batch(
    y: ArrayLike,
    X: ArrayLike,
    observed: ArrayLike | None = None,
    *,
    covariance: str = "us",
    group: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    method: str = "reml",
    df: str = "kenward-roger-linear",
    contrasts: ArrayLike | None = None,
    joint: ArrayLike | None = None,
) -> MmrmBatch:
    """Fit each leading index as a mixed model for repeated measures of its own.

    Args:
        y: (..., n, T), outcomes; those not observed are not read.
        X: (..., n, T, p), designs.
        observed: (..., n, T), whether each outcome was; None for all. Leading axes broadcast, so that a design or a
            pattern that all fits share is given once.
        covariance: as for `mmrm`; sp_exp takes visits one apart.
        group: (..., n), labels of the subjects' groups, each of which has a covariance of its own; None for one.
        weights: (..., n, T), prior weights; None for one.
        method: reml or ml.
        df: kenward-roger, kenward-roger-linear, satterthwaite or residual.
        contrasts: (m, p), whose tests are wanted; None for each coefficient.
        joint: (q, p), contrasts tested together; None for all of `contrasts`.

    Raises:
        BadSample: shapes that do not agree, observed values that are not finite, or weights that are not above zero.
        RankDeficient: a design in which a column repeats others.
        UnknownChoice: a name that is not offered.
    """
    arrays = arranged(y, X, observed, group, weights)
    fits = mmrm_by_rule(arrays, (df,), covariance=covariance, method=method, contrasts=contrasts, joint=joint)
    return fits[df]


def mmrm_by_rule(
    arrays: Arrays,
    rules: Sequence[str],
    *,
    covariance: str = "us",
    method: str = "reml",
    contrasts: ArrayLike | None = None,
    joint: ArrayLike | None = None,
) -> dict[str, MmrmBatch]:
    """The fits once, and their tests by each rule for degrees of freedom; arguments and refusals of `mmrm_batch`."""
    choose("covariance", covariance, STRUCTURES)
    choose("method", method, METHODS)
    for df in rules:
        choose("df", df, OFFERED)
        check_choices(df, "model", method)
    n, visits, p = arrays.design.shape[1:]
    names = [str(place) for place in range(p)]
    rows = np.eye(p) if contrasts is None else contrast_rows(np.atleast_2d(contrasts), names, {})
    together = rows if joint is None else contrast_rows(np.atleast_2d(joint), names, {})
    structure = structure_of(covariance, range(1, visits + 1), np.arange(visits, dtype=np.float64))
    fits = int(np.prod(arrays.lead))
    q = arrays.groups * len(structure.parameters)
    step = max(1, NUMBERS_A_BLOCK // (visits**4 + (visits**2 + q) * p * p + n * visits * p))
    parts = []
    for start in range(0, fits, step):
        block = posed(arrays.take(slice(start, start + step)), structure, reml=method == "reml")
        parts.append(one_block(block, rules, rows, together))
    shapes = {
        "beta": (p,),
        "covariance": (p, p),
        **dict.fromkeys(("estimate", "std_error", "df", "p_value"), (len(rows),)),
    }
    return {
        rule: MmrmBatch(
            **{
                name: np.concatenate([part[rule][name] for part in parts]).reshape(
                    (*arrays.lead, *shapes.get(name, ()))
                )
                for name in parts[0][rule]
            }
        )
        for rule in rules
    }


def arranged(
    y: ArrayLike,
    X: ArrayLike,
    observed: ArrayLike | None = None,
    group: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Arrays:
    """The arrays of `mmrm_batch`, checked, with one leading axis.

    Raises:
        BadSample: shapes that do not agree, observed values that are not finite, or weights that are not above zero.
    """
    outcome, design = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64)
    if design.ndim < 3 or outcome.ndim < 2 or outcome.shape[-2:] != design.shape[-3:-1]:
        shapes = (outcome.shape, design.shape)
        raise BadSample("y, X", shapes, "do not agree", "give y (..., n, T) and X (..., n, T, p)")
    plane = design.shape[-3:-1]
    seen = np.ones(plane, bool) if observed is None else np.asarray(observed, dtype=bool)
    weight = np.ones(plane) if weights is None else np.asarray(weights, dtype=np.float64)
    for name, array in (("observed", seen), ("weights", weight)):
        if array.shape[-2:] != plane:
            raise BadSample(name, array.shape, f"does not end in {plane}", "give (..., n, T)")
    labels, codes = np.unique(np.zeros(plane[0]) if group is None else np.asarray(group), return_inverse=True)
    codes = codes.reshape(plane[0] if group is None else np.shape(group))
    if codes.shape[-1:] != plane[:1]:
        raise BadSample("group", codes.shape, f"does not end in {plane[:1]}", "give (..., n)")
    leads = (outcome.shape[:-2], design.shape[:-3], seen.shape[:-2], weight.shape[:-2], codes.shape[:-1])
    try:
        lead = np.broadcast_shapes(*leads)
    except ValueError:
        named = f"y {outcome.shape}, X {design.shape}, observed {seen.shape}"
        if weights is not None:
            named += f", weights {weight.shape}"
        if group is not None:
            named += f", group {codes.shape}"
        raise BadSample("y, X", None, f"have leading axes that do not agree ({named})", "check the shapes") from None
    flat = Arrays(
        np.broadcast_to(outcome, (*lead, *plane)).reshape(-1, *plane),
        flattened(design, 3, lead),
        flattened(seen, 2, lead),
        flattened(codes.astype(np.intp), 1, lead),
        len(labels),
        lead,
    )
    bad = int((~np.isfinite(flat.outcome) & flat.observed).sum())
    bad += int((~np.isfinite(flat.design).all(axis=-1) & flat.observed).sum())
    if bad:
        raise BadSample("y, X", None, f"hold {bad} observed values that are not finite", "correct them")
    return flat if weights is None else weighted(flat, flattened(weight, 2, lead))


def weighted(arrays: Arrays, weight: Array) -> Arrays:
    """The arrays with outcomes and designs times the root of prior weights (B, n, T).

    Raises:
        BadSample: weights of observed values that are not above zero.
    """
    sound = np.isfinite(weight) & (weight > 0)
    bad = int((~sound & arrays.observed).sum())
    if bad:
        problem = f"hold {bad} values of observed visits that are not above zero"
        raise BadSample("weights", None, problem, "mark those visits as not observed")
    root = np.sqrt(np.where(sound, weight, 1.0))
    return replace(arrays, outcome=arrays.outcome * root, design=arrays.design * root[..., np.newaxis])


def flattened(array: NDArray[Any], trailing: int, lead: tuple[int, ...]) -> NDArray[Any]:
    """The array with one leading axis: of every fit, or of length one where all fits share it."""
    own, rest = array.shape[:-trailing], array.shape[-trailing:]
    if int(np.prod(own)) == 1:
        return array.reshape(1, *rest)
    return np.broadcast_to(array, (*lead, *rest)).reshape(-1, *rest)


def posed(arrays: Arrays, structure: Structure, *, reml: bool) -> Block:
    """A block's problem: orthogonal columns, least-squares residuals of mean square one.

    Raises:
        RankDeficient: a column that repeats others.
    """
    fits, n, visits = arrays.outcome.shape
    p = arrays.design.shape[-1]
    known = arrays.observed[..., np.newaxis]
    wide = np.where(known, arrays.design, 0.0).reshape(-1, n * visits, p)
    lengths = np.sqrt((wide**2).sum(axis=1, keepdims=True))
    q, triangle = np.linalg.qr(wide / np.where(lengths > 0, lengths, 1.0))
    if (np.abs(np.diagonal(triangle, axis1=-2, axis2=-1)) < DEPENDENT).any() or (lengths == 0).any():
        raise RankDeficient("X", None, "has columns that repeat one another in some fit", "drop them")
    rows = float(np.sqrt(n * visits))
    back = rows * np.linalg.inv(triangle) / transposed(lengths)
    outcome = np.where(arrays.observed, arrays.outcome, 0.0).reshape(fits, -1, 1)
    shift = transposed(q) @ outcome
    residual = outcome - q @ shift
    residual = (residual - q @ (transposed(q) @ residual)).reshape(fits, n, visits)
    residual = np.where(arrays.observed, residual, 0.0)
    many = np.broadcast_to(arrays.observed.sum(axis=(-2, -1)), fits)
    scale = np.sqrt((residual**2).sum(axis=(-2, -1)) / many)
    scale = np.where(scale > 0, scale, 1.0)
    design = (rows * q).reshape(-1, n, visits, p)
    residual = residual / scale[:, np.newaxis, np.newaxis]
    if arrays.groups == 1 and bool(arrays.observed.all()):
        problem = complete(design, residual, structure, reml=reml)
    else:
        problem = by_cell(design, residual, arrays, structure, reml=reml)
    return Block(problem, back, shift[..., 0] / rows, scale)


def complete(design: Array, outcome: Array, structure: Structure, *, reml: bool) -> Problem:
    """Fits without a missing visit: as many rows as the subjects have independent covariates."""
    shared, n, visits, p = design.shape
    u, values, turned = np.linalg.svd(design.reshape(shared, n, visits * p), full_matrices=False)
    rank = int((values > RANK * values[:, :1]).sum(axis=-1).max())
    u = u[..., :rank]
    rows = (values[:, :rank, np.newaxis] * turned[:, :rank]).reshape(shared, rank, visits, p)
    top = transposed(u) @ outcome
    below = outcome - u @ top
    one = np.zeros((1, 1), np.intp)
    rest = (transposed(below) @ below)[:, np.newaxis]
    return Problem(
        rows,
        top,
        np.zeros((1, rank), np.intp),
        rest,
        np.full((1, 1), float(n)),
        np.ones((1, 1, visits), bool),
        one,
        1,
        structure,
        reml,
    )


def by_cell(design: Array, outcome: Array, arrays: Arrays, structure: Structure, *, reml: bool) -> Problem:
    """Fits with missing visits or groups: each subject is a row; those of one group and pattern share a cell."""
    fits, n, visits = outcome.shape
    kinds = max(len(arrays.observed), len(arrays.group))
    observed = np.broadcast_to(arrays.observed, (kinds, n, visits))
    alike = [cells_of(*own) for own in zip(observed, np.broadcast_to(arrays.group, (kinds, n)), strict=True)]
    most = max(len(cells.count) for cells in alike)
    count, seen = np.zeros((kinds, most)), np.zeros((kinds, most, visits), bool)
    group = np.zeros((kinds, most), np.intp)
    for place, cells in enumerate(alike):
        own = slice(len(cells.count))
        count[place, own], seen[place, own], group[place, own] = cells.count, cells.seen, cells.group
    return Problem(
        design,
        outcome,
        np.stack([cells.of_subject for cells in alike]),
        np.zeros((fits, 1, visits, visits)),
        count,
        seen,
        group if arrays.groups > 1 else np.zeros((1, 1), np.intp),
        arrays.groups,
        structure,
        reml,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """What tests of a block's fits need: `root` (B, p, p), `matrix` (B, p, p) and `beta` (B, p) in the user's units.

    `turned` and `spread` are the engine's; `residual_df` (B,) is the number of rows less coefficients.
    """

    root: Array
    matrix: Array
    beta: Vector
    turned: Array
    spread: Array
    residual_df: Vector
    rule: str

    def df(self, contrasts: Array) -> Vector:
        """(B, m), degrees of freedom of contrasts (m, p) or (B, m, p), one by one."""
        across = contrasts @ self.root
        if self.rule == "residual":
            return np.broadcast_to(self.residual_df[:, np.newaxis], across.shape[:2])
        return satterthwaite(across, self.turned, self.spread)


def one_block(block: Block, rules: Sequence[str], rows: Matrix, together: Matrix) -> dict[str, dict[str, Array]]:
    """One block's fits, and by rule their tests by the names of `MmrmBatch`."""
    solution = solve(block.problem)
    spread, known = parameter_covariance(block.problem, solution)
    return {rule: tests_of(block, solution, spread, known, rule, rows, together) for rule in rules}


def tests_of(
    block: Block,
    solution: Solution,
    spread: Array,
    known: NDArray[np.bool_],
    rule: str,
    rows: Matrix,
    together: Matrix,
) -> dict[str, Array]:
    """The fits and their tests by one rule; `spread` (B, q, q) and `known` (B,) are of the covariance parameters."""
    problem = block.problem
    back = block.back * block.scale[:, np.newaxis, np.newaxis]
    inner = solution.state.root @ transposed(solution.state.root)
    if rule in KENWARD_ROGER:
        inner = adjusted(problem, solution, spread, linear=rule == "kenward-roger-linear")
    matrix = back @ inner @ transposed(back)
    usable = solution.converged & known & (np.diagonal(matrix, axis1=-2, axis2=-1) > 0).all(axis=-1)
    beta = (block.back @ block.shift[..., np.newaxis] + back @ solution.state.beta[..., np.newaxis])[..., 0]
    p = beta.shape[-1]
    each = usable[:, np.newaxis, np.newaxis]
    finite = np.where(each, matrix, np.eye(p))
    many = np.broadcast_to((problem.count[..., np.newaxis] * problem.seen).sum(axis=(-2, -1)), usable.shape)
    found = Inference(
        back @ solution.state.root, finite, beta, solution.slopes.turned, spread, np.asarray(many - p), rule
    )
    estimate, values = beta @ rows.T, found.df(rows)
    std_error = np.where(usable[:, np.newaxis], np.sqrt(((rows @ finite) * rows).sum(axis=-1)), np.inf)
    return {
        "beta": beta,
        "covariance": np.where(each, matrix, np.diag(np.full(p, np.inf))),
        "estimate": estimate,
        "std_error": std_error,
        "df": values,
        "p_value": two_sided_p(estimate / std_error, values),
        "usable": usable,
        "iterations": solution.iterations,
        **joint_tests(found, together, usable),
    }


def joint_tests(found: Inference, rows: Matrix, usable: NDArray[np.bool_]) -> dict[str, Array]:
    """The joint test of contrasts (q, p) in each fit, by the names of `MmrmBatch`."""
    q, fits = len(rows), len(found.beta)
    factor, exists = np.ones(fits), usable
    if found.rule in KENWARD_ROGER:
        scaled = kenward_roger_f(rows @ found.root, found.turned, found.spread)
        factor, df, exists = scaled.factor, scaled.df, usable & scaled.exists
    elif found.rule == "satterthwaite":
        df = pooled_df(found.df(orthogonal_contrasts(rows, found.matrix)))
    else:
        df = found.residual_df
    estimate = (found.beta @ rows.T)[..., np.newaxis]
    wald = (transposed(estimate) @ np.linalg.solve(rows @ found.matrix @ rows.T, estimate))[:, 0, 0] / q
    statistic = np.where(exists, factor * wald, 0.0)
    return {
        "joint_statistic": statistic,
        "joint_df": df,
        "joint_p_value": special.fdtrc(q, df, statistic),
        "joint_usable": exists,
    }
