"""Thousands of repeated-measures fits at once, from arrays.

For simulated trials. The same engine as `mmrm`, which is the batch of one. Fits are worked through in blocks; a fit
that has settled leaves its block's iteration.
Shapes: leading axes (...) are independent fits; n subjects, T visits, p coefficients, m contrasts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from equipoise.stats.coefficients import contrast_rows, two_sided_p
from equipoise.stats.gee_batch import flattened
from equipoise.stats.mmrm_data import NO_RESIDUAL, refuse_extreme_residuals
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

TRAILING = {"y": 2, "X": 3, "observed": 2, "group": 1, "weights": 2}
OFFERED = ("kenward-roger", "kenward-roger-linear", "satterthwaite", "residual")
NUMBERS_A_BLOCK = 5_000_000  # some 40 MB: the more fits go together, the less the last ones cost
DEPENDENT = 1e-8  # relative length of what a column adds to those before it
RANK = 1e-10  # relative singular value of a design's covariates that counts


@dataclass(frozen=True, slots=True, eq=False)
class MmrmBatch:
    """Many repeated-measures fits.

    `beta` is (..., p), `covariance` (..., p, p). Of each contrast (..., m): `estimate`, `std_error`, `df`, `p_value`.
    Of the joint test (...): `joint_statistic`, `joint_df`, `joint_p_value`; `joint_usable` says where it exists.
    Where `usable` is False a fit did not settle, its covariance is not determined, nothing varies about its model, or a
    column of its design repeats others at the visits observed: coefficients are the last iterate, variances infinite
    and P values one.
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
    """The arrays with one leading axis, of length one where all fits share it; `group` (B, n) is a code.

    Outcome and design are times the root of the weights.
    """

    outcome: Array
    design: Array
    observed: NDArray[np.bool_]
    group: Index
    lead: tuple[int, ...]

    @property
    def groups(self) -> int:
        """How many there are in all fits."""
        return int(self.group.max()) + 1

    def take(self, block: slice) -> "Arrays":
        """Some of the fits."""
        return Arrays(
            self.outcome[block],
            self.design if len(self.design) == 1 else self.design[block],
            self.observed if len(self.observed) == 1 else self.observed[block],
            self.group if len(self.group) == 1 else self.group[block],
            self.lead,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block's problem, and the way back: coefficients are `back @ (shift + scale beta)`.

    `full_rank` (B,) says for which fits no column repeats others; for those that have one `back` is not right. `varies`
    (B,) says which leave a residual variation.
    """

    problem: Problem
    back: Array
    shift: Array
    scale: Array
    full_rank: NDArray[np.bool_]
    varies: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scale)

    def take(self, places: Index) -> "Block":
        """Some of the fits."""
        return Block(
            self.problem.take(places),
            self.back if len(self.back) == 1 else self.back[places],
            self.shift[places],
            self.scale[places],
            self.full_rank[places],
            self.varies[places],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A block's fits: `solution` by the engine, `spread` (B, q, q) of its parameters, and which can be used (B,)."""

    block: Block
    solution: Solution
    spread: Array
    usable: NDArray[np.bool_]


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
        group: (..., n), each subject's group, whose covariance is its own; None for one covariance.
        weights: (..., n, T), prior weights as for `mmrm`; those of visits not observed are not read.
        method: reml or ml.
        df: kenward-roger, kenward-roger-linear, satterthwaite or residual.
        contrasts: (m, p), whose tests are wanted; None for each coefficient.
        joint: (q, p), contrasts tested together; None for all of `contrasts`.

    Raises:
        BadSample: shapes that do not agree, observed values that are not finite, or weights that are not above zero.
        RankDeficient: a design in which a column repeats others in every fit.
        UnknownChoice: a name that is not offered.
    """
    return mmrm_by_rule(
        y,
        X,
        observed,
        rules=(df,),
        covariance=covariance,
        group=group,
        weights=weights,
        method=method,
        contrasts=contrasts,
        joint=joint,
    )[df]


def mmrm_by_rule(
    y: ArrayLike,
    X: ArrayLike,
    observed: ArrayLike | None = None,
    *,
    rules: Sequence[str],
    covariance: str = "us",
    group: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    method: str = "reml",
    contrasts: ArrayLike | None = None,
    joint: ArrayLike | None = None,
) -> dict[str, MmrmBatch]:
    """As `mmrm_batch`, by each of several rules for degrees of freedom, from one fit."""
    choose("covariance", covariance, STRUCTURES)
    choose("method", method, METHODS)
    for rule in rules:
        choose("df", rule, OFFERED)
        check_choices(rule, "model", method)
    arrays = arranged(y, X, observed, group, weights)
    n, visits, p = arrays.design.shape[1:]
    names = [str(place) for place in range(p)]
    rows = np.eye(p) if contrasts is None else contrast_rows(np.atleast_2d(contrasts), names, {})
    together = rows if joint is None else contrast_rows(np.atleast_2d(joint), names, {})
    structure = structure_of(covariance, range(1, visits + 1), np.arange(visits, dtype=np.float64))
    fits = int(np.prod(arrays.lead))
    q = arrays.groups * len(structure.parameters)
    step = max(1, NUMBERS_A_BLOCK // (visits**4 + (visits**2 + q) * p * p + n * visits * p))
    parts: dict[str, list[dict[str, Array]]] = {rule: [] for rule in rules}
    full_rank = False
    for start in range(0, fits, step):
        block = posed(arrays.take(slice(start, start + step)), structure, arrays.groups, reml=method == "reml")
        full_rank = full_rank or bool(block.full_rank.any())
        for found in tests(block, rules, rows, together):
            for rule in rules:
                parts[rule].append(found[rule])
    if not full_rank:
        raise RankDeficient("X", None, "has columns that repeat one another in every fit", "drop them")
    return {rule: joined(found, arrays.lead) for rule, found in parts.items()}


def joined(parts: Sequence[dict[str, Array]], lead: tuple[int, ...]) -> MmrmBatch:
    """The parts of a batch one after the other, under its leading axes."""
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return MmrmBatch(**{name: array.reshape((*lead, *array.shape[1:])) for name, array in arrays.items()})


def arranged(
    y: ArrayLike,
    X: ArrayLike,
    observed: ArrayLike | None,
    group: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Arrays:
    """The arrays, checked, with one leading axis.

    Raises:
        BadSample: shapes that do not agree, observed values that are not finite, or weights that are not above zero.
    """
    outcome, design = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64)
    if design.ndim < 3 or outcome.ndim < 2 or outcome.shape[-2:] != design.shape[-3:-1]:
        shapes = (outcome.shape, design.shape)
        raise BadSample("y, X", shapes, "do not agree", "give y (..., n, T) and X (..., n, T, p)")
    plane = design.shape[-3:-1]
    given: dict[str, NDArray[Any]] = {"y": outcome, "X": design}
    given["observed"] = np.ones(plane, bool) if observed is None else np.asarray(observed, dtype=bool)
    if group is not None:
        given["group"] = np.asarray(group)
    if weights is not None:
        given["weights"] = np.asarray(weights, dtype=np.float64)
    for name, trailing, form in (("observed", plane, "n, T"), ("group", plane[:1], "n"), ("weights", plane, "n, T")):
        if name in given and given[name].shape[-len(trailing) :] != trailing:
            raise BadSample(name, given[name].shape, f"does not end in {trailing}", f"give (..., {form})")
    lead = leading(given)
    flat = {name: flattened(array, TRAILING[name], lead) for name, array in given.items()}
    refuse_values(flat)
    names = flat.get("group", np.zeros((1, plane[0])))
    codes = np.searchsorted(np.unique(names), names)
    root = np.sqrt(np.where(flat["observed"], flat["weights"], 1.0)) if "weights" in flat else np.ones((1, 1, 1))
    whole = np.broadcast_to(flat["y"], (int(np.prod(lead)), *plane))
    return Arrays(whole * root, flat["X"] * root[..., np.newaxis], flat["observed"], codes, lead)


def leading(arrays: dict[str, NDArray[Any]]) -> tuple[int, ...]:
    """The leading axes that all arrays broadcast to.

    Raises:
        BadSample: when they do not.
    """
    try:
        return np.broadcast_shapes(*(array.shape[: -TRAILING[name]] for name, array in arrays.items()))
    except ValueError:
        named = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise BadSample("y, X", None, f"have leading axes that do not agree ({named})", "check the shapes") from None


def refuse_values(arrays: dict[str, NDArray[Any]]) -> None:
    """Refuse observed outcomes and designs that are not finite, and weights that are not above zero.

    Raises:
        BadSample: how many.
    """
    seen = arrays["observed"]
    bad = int((~np.isfinite(arrays["y"]) & seen).sum())
    bad += int((~np.isfinite(arrays["X"]).all(axis=-1) & seen).sum())
    if bad:
        raise BadSample("y, X", None, f"hold {bad} observed values that are not finite", "correct them")
    if "weights" in arrays:
        good = np.isfinite(arrays["weights"]) & (arrays["weights"] > 0)
        if (bad_weights := int((~good & seen).sum())) > 0:
            raise BadSample("weights", None, f"hold {bad_weights} values that are not above zero", "correct them")


def posed(arrays: Arrays, structure: Structure, groups: int = 1, *, reml: bool) -> Block:
    """A block's problem: orthogonal columns, least-squares residuals of mean square one."""
    fits, n, visits = arrays.outcome.shape
    p = arrays.design.shape[-1]
    known = arrays.observed[..., np.newaxis]
    wide = np.where(known, arrays.design, 0.0).reshape(-1, n * visits, p)
    lengths = np.sqrt((wide**2).sum(axis=1, keepdims=True))
    q, triangle = np.linalg.qr(wide / np.where(lengths > 0, lengths, 1.0))
    full_rank = (np.abs(np.diagonal(triangle, axis1=-2, axis2=-1)) >= DEPENDENT).all(axis=-1)
    triangle = np.where(full_rank[:, np.newaxis, np.newaxis], triangle, np.eye(p))
    lengths = np.where(lengths > 0, lengths, 1.0)
    rows = float(np.sqrt(n * visits))
    back = rows * np.linalg.inv(triangle) / transposed(lengths)
    outcome = np.where(arrays.observed, arrays.outcome, 0.0).reshape(fits, -1, 1)
    shift = transposed(q) @ outcome
    residual = outcome - q @ shift
    residual = (residual - q @ (transposed(q) @ residual)).reshape(fits, n, visits)
    residual = np.where(arrays.observed, residual, 0.0)
    many = np.broadcast_to(arrays.observed.sum(axis=(-2, -1)), fits)
    scale = np.sqrt((residual**2).sum(axis=(-2, -1)) / many)
    varies = scale > NO_RESIDUAL * np.sqrt((outcome**2).sum(axis=(-2, -1)) / many)
    scale = np.where(varies, scale, 1.0)
    refuse_extreme_residuals(scale, "y")
    design = (rows * q).reshape(-1, n, visits, p)
    residual = residual / scale[:, np.newaxis, np.newaxis]
    if groups == 1 and arrays.observed.all():
        problem = complete(design, residual, structure, reml=reml)
    else:
        problem = by_pattern(design, residual, arrays.observed, arrays.group, groups, structure, reml=reml)
    return Block(problem, back, shift[..., 0] / rows, scale, np.broadcast_to(full_rank, fits), varies)


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


def by_pattern(
    design: Array,
    outcome: Array,
    observed: NDArray[np.bool_],
    group: Index,
    groups: int,
    structure: Structure,
    *,
    reml: bool,
) -> Problem:
    """Fits with missing visits or groups: each subject is a row, and subjects of one pattern and group share a cell."""
    fits, _, visits = outcome.shape
    many = max(len(observed), len(group))
    observed = np.broadcast_to(observed, (many, *observed.shape[1:]))
    group = np.broadcast_to(group, (many, group.shape[1]))
    alike = [cells_of(seen, whose) for seen, whose in zip(observed, group, strict=True)]
    most = max(len(cells.count) for cells in alike)
    count, seen = np.zeros((many, most)), np.zeros((many, most, visits), bool)
    cell_group = np.zeros((many, most), np.intp)
    for place, cells in enumerate(alike):
        own = slice(len(cells.count))
        count[place, own], seen[place, own], cell_group[place, own] = cells.count, cells.seen, cells.group
    return Problem(
        design,
        outcome,
        np.stack([cells.of_subject for cells in alike]),
        np.zeros((fits, 1, visits, visits)),
        count,
        seen,
        cell_group,
        groups,
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


def tests(block: Block, rules: Sequence[str], rows: Matrix, together: Matrix) -> Iterator[dict[str, dict[str, Array]]]:
    """A block's fits and tests in their order, by rule and the names of `MmrmBatch`.

    A block in which a search meets a singular matrix is halved until that fit is alone.
    """
    try:
        solution = solve(block.problem)
        spread, known = parameter_covariance(block.problem, solution)
    except np.linalg.LinAlgError:
        if len(block) == 1:
            yield dict.fromkeys(rules, unmade(block, rows))
            return
        half = len(block) // 2
        for places in (np.arange(half), np.arange(half, len(block))):
            yield from tests(block.take(places), rules, rows, together)
        return
    solved = Solved(block, solution, spread, solution.converged & known & block.full_rank & block.varies)
    yield {rule: tested(solved, rule, rows, together) for rule in rules}


def unmade(block: Block, rows: Matrix) -> dict[str, Array]:
    """A fit whose search met a singular matrix: the coefficients of least squares, and no test."""
    beta = (block.back @ block.shift[..., np.newaxis])[..., 0]
    each, none, one = (len(beta), len(rows)), np.zeros(len(beta), bool), np.ones(len(beta))
    return {
        "beta": beta,
        "covariance": np.diag(np.full(beta.shape[-1], np.inf))[np.newaxis],
        "estimate": beta @ rows.T,
        "std_error": np.full(each, np.inf),
        "df": np.ones(each),
        "p_value": np.ones(each),
        "usable": none,
        "iterations": np.zeros(len(beta), np.intp),
        "joint_statistic": 0 * one,
        "joint_df": one,
        "joint_p_value": one,
        "joint_usable": none,
    }


def tested(solved: Solved, rule: str, rows: Matrix, together: Matrix) -> dict[str, Array]:
    """A block's fits and tests by one rule, by the names of `MmrmBatch`."""
    block, solution, spread = solved.block, solved.solution, solved.spread
    problem = block.problem
    back = block.back * block.scale[:, np.newaxis, np.newaxis]
    inner = solution.state.root @ transposed(solution.state.root)
    if rule in KENWARD_ROGER:
        inner = adjusted(problem, solution, spread, linear=rule == "kenward-roger-linear")
    matrix = back @ inner @ transposed(back)
    usable = solved.usable & (np.diagonal(matrix, axis1=-2, axis2=-1) > 0).all(axis=-1)
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
