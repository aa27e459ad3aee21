"""Thousands of GEE fits at once, from arrays.

For simulated trials and for re-randomisation tests of a GEE statistic. The same engine as `gee`, which is the
batch of one. Fits are worked through in blocks that stay in the processor's cache.
Shapes: leading axes (...) are independent fits; n subjects, T visits, p coefficients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.blocks import blocks
from equipoise.stats.coefficients import two_sided_p
from equipoise.stats.gee_covariance import (
    COVARIANCES,
    DF_COVARIANCES,
    FORMULAS,
    LEVERAGE_CORRECTED,
    Sandwich,
    estimated_df,
)
from equipoise.stats.gee_engine import TOLERANCE, pose, solve
from equipoise.stats.gee_families import Family, check_outcome, family_and_link
from equipoise.stats.gee_fit import read_scale
from equipoise.stats.gee_working import read_working
from equipoise.stats.refusals import BadSample, TooFewClusters, choose
from equipoise.stats.samples import Matrix, Vector

TRAILING = {"y": 2, "X": 3, "observed": 2, "weights": 2, "offset": 2}


@dataclass(frozen=True, slots=True, eq=False)
class GeeBatch:
    """Many GEE fits. `beta` is (..., p), `scale` (...), `covariances` (..., p, p) by name.

    `df` (..., m) holds the estimated degrees of freedom of the contrasts asked for, by covariance and rule.

    Where `usable` (...) is False a fit did not settle, or its working correlation was not positive definite: its
    coefficients are the last iterate. Where `exists[name]` (...) is False the covariance of that name does not, because
    the fit is not usable, a subject determines a coefficient alone, or a variance came out negative: its
    variances are infinite and its estimated degrees of freedom one.
    """

    beta: Vector
    scale: Vector
    covariances: dict[str, Matrix]
    df: dict[tuple[str, str], Vector]
    usable: NDArray[np.bool_]
    exists: dict[str, NDArray[np.bool_]]
    iterations: NDArray[np.intp]

    def statistic(self, contrast: ArrayLike, covariance: str) -> Vector:
        """(...), the contrast (p,) of the coefficients over its standard error; zero without that covariance."""
        row, exists = np.asarray(contrast, dtype=np.float64), self.exists[covariance]
        matrix = np.where(exists[..., np.newaxis, np.newaxis], self.covariances[covariance], np.eye(row.size))
        ratio = self.beta @ row / np.sqrt(((matrix @ row) * row).sum(axis=-1))
        return np.asarray(np.where(exists, ratio, 0.0))

    def p_value(self, contrast: ArrayLike, covariance: str, df: ArrayLike = np.inf) -> Vector:
        """(...), two-sided P of a contrast (p,) by t on df (...), infinite for the normal distribution."""
        statistic = self.statistic(contrast, covariance)
        return two_sided_p(statistic, np.broadcast_to(np.asarray(df, dtype=np.float64), statistic.shape))


def gee_batch(
    y: ArrayLike,
    X: ArrayLike,
    observed: ArrayLike | None = None,
    *,
    family: str = "gaussian",
    link: str | None = None,
    working: "str | ArrayLike" = "exchangeable",
    covariances: Sequence[str] = ("robust",),
    df: Sequence[str] = (),
    contrasts: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    scale: "float | str | None" = None,
    tolerance: float = TOLERANCE,
) -> GeeBatch:
    """Fit each leading index as a GEE of its own.

    Args:
        y: (..., n, T), outcomes; those not observed are not read.
        X: (..., n, T, p), designs.
        observed: (..., n, T), whether each outcome was; None for all. Leading axes broadcast, so that an outcome or a
            design that all fits share is given once.
        family: as for `gee`.
        link: as for `gee`.
        working: as for `gee`.
        covariances: names of the covariances wanted.
        df: pan-wall, fay-graubard, or both: rules that estimate degrees of freedom, for those covariances that they
            go with.
        contrasts: (m, p), whose degrees of freedom these are; None for each coefficient.
        weights: (..., n, T), prior weights.
        offset: (..., n, T), added to the linear predictor.
        scale: as for `gee`.
        tolerance: length of the last step in standard errors; 1e-6 is enough for a simulation.

    Raises:
        BadSample: shapes that do not agree, no fit, or observed values that are not finite.
        TooFewClusters: no more subjects than coefficients.
        NotIdentified: a working correlation with parameters that too few pairs inform in some fit.
    """
    for name in covariances:
        choose("covariances", name, COVARIANCES)
    for rule in df:
        choose("df", rule, tuple(DF_COVARIANCES))
    chosen, tie = family_and_link(family, link)
    arrays = arranged(y, X, observed, weights, offset)
    n, visits, p = arrays["X"].shape[-3:]
    if n <= p:
        raise TooFewClusters("X", (n, p), f"has {n} clusters for {p} coefficients", "drop columns")
    rows = np.eye(p) if contrasts is None else np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    if rows.shape[-1] != p:
        raise BadSample("contrasts", rows.shape, f"are not rows of {p} weights", "give (m, p)")
    structure = read_working(working, visits)
    fixed, without_p = read_scale(scale)
    lead = leading(arrays)
    if not np.prod(lead):
        raise BadSample("y, X", (arrays["y"].shape, arrays["X"].shape), "hold no fit", "give at least one")
    flat = {name: flattened(array, TRAILING[name], lead) for name, array in arrays.items()}
    check_values(flat, chosen)
    parts = []
    for block in blocks(int(np.prod(lead)), n * visits * p):
        now = {name: array if len(array) == 1 else array[block] for name, array in flat.items()}
        posed = pose(
            now["y"],
            now["X"],
            now["observed"],
            family=chosen,
            link=tie,
            working=structure,
            offset=now.get("offset"),
            weight=now.get("weights"),
            without_p=without_p,
            fixed_scale=fixed,
        )
        sandwich = Sandwich(posed, solve(posed, tolerance), np.eye(p))
        parts.append(one_block(sandwich, covariances, [(name, rule) for rule in df for name in covariances], rows))
    return GeeBatch(
        np.concatenate([part.beta for part in parts]).reshape(*lead, p),
        np.concatenate([part.scale for part in parts]).reshape(lead),
        {name: np.concatenate([part.covariances[name] for part in parts]).reshape(*lead, p, p) for name in covariances},
        {pair: np.concatenate([part.df[pair] for part in parts]).reshape(*lead, len(rows)) for pair in parts[0].df},
        np.concatenate([part.usable for part in parts]).reshape(lead),
        {name: np.concatenate([part.exists[name] for part in parts]).reshape(lead) for name in covariances},
        np.concatenate([part.iterations for part in parts]).reshape(lead),
    )


def arranged(
    y: ArrayLike, X: ArrayLike, observed: ArrayLike | None, weights: ArrayLike | None, offset: ArrayLike | None
) -> dict[str, NDArray[Any]]:
    """Every array that was given, by name, and which outcomes were observed.

    Raises:
        BadSample: trailing axes that do not agree.
    """
    outcome, design = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64)
    if design.ndim < 3 or outcome.ndim < 2 or outcome.shape[-2:] != design.shape[-3:-1]:
        raise BadSample(
            "y, X", (outcome.shape, design.shape), "do not agree", "give y (..., n, T) and X (..., n, T, p)"
        )
    plane = design.shape[-3:-1]
    arrays = {
        "y": outcome,
        "X": design,
        "observed": np.ones(plane, bool) if observed is None else np.asarray(observed, dtype=bool),
    }
    beside = {"weights": weights, "offset": offset}
    arrays |= {name: np.asarray(array, dtype=np.float64) for name, array in beside.items() if array is not None}
    for name, array in arrays.items():
        if name != "X" and array.shape[-2:] != plane:
            raise BadSample(name, array.shape, f"does not end in {plane}", "give (..., n, T)")
    return arrays


def leading(arrays: dict[str, NDArray[Any]]) -> tuple[int, ...]:
    """The leading axes that all arrays broadcast to.

    Raises:
        BadSample: when they do not.
    """
    try:
        return np.broadcast_shapes(*(array.shape[: -TRAILING[name]] for name, array in arrays.items()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise BadSample("y, X", None, f"have leading axes that do not agree ({shapes})", "check the shapes") from None


def flattened(array: NDArray[Any], trailing: int, lead: tuple[int, ...]) -> NDArray[Any]:
    """The array with one leading axis: of every fit, or of length one where all fits share it."""
    own, rest = array.shape[:-trailing], array.shape[-trailing:]
    if int(np.prod(own)) == 1:
        return array.reshape(1, *rest)
    return np.broadcast_to(array, (*lead, *rest)).reshape(-1, *rest)


def check_values(arrays: dict[str, NDArray[Any]], family: Family) -> None:
    """Refuse observed values that are not finite, or outcomes that the family cannot have."""
    seen = arrays["observed"]
    for name in arrays.keys() & {"X", "offset", "weights"}:
        good = np.isfinite(arrays[name])
        good = good.all(axis=-1) if name == "X" else good & ((name == "offset") | (arrays[name] > 0))
        if not good.all() and (bad := ~good & seen).any():
            raise BadSample(name, None, f"holds {int(bad.sum())} values that cannot be used", "correct them")
    fits = family.outcome_fits(arrays["y"])
    if not fits.all():
        outcome, known = np.broadcast_arrays(arrays["y"], seen)
        check_outcome(family, outcome[known])


def one_block(
    sandwich: Sandwich, covariances: Sequence[str], rules: Sequence[tuple[str, str]], rows: Matrix
) -> GeeBatch:
    """One block's fits, covariances and degrees of freedom."""
    solution = sandwich.solution
    # A fit that ran away may overflow; it is marked, and its numbers are replaced.
    with np.errstate(all="ignore"):
        matrices = {name: FORMULAS[name](sandwich) for name in covariances}
        df = {pair: estimated_df(sandwich, *pair, rows) for pair in rules if pair[0] in DF_COVARIANCES[pair[1]]}
        usable = solution.converged & (solution.scale > 0)
        exists = {name: usable & existing(sandwich, name, matrix) for name, matrix in matrices.items()}
        informed = usable & ~sandwich.alone.any(axis=-1) if any(rule == "fay-graubard" for _, rule in df) else usable
    unknown = np.where(np.eye(sandwich.n_coefficients, dtype=bool), np.inf, 0.0)
    return GeeBatch(
        solution.beta,
        solution.scale,
        {name: np.where(exists[name][:, np.newaxis, np.newaxis], matrix, unknown) for name, matrix in matrices.items()},
        {
            (name, rule): np.where((informed & exists[name])[:, np.newaxis], values, 1.0)
            for (name, rule), values in df.items()
        },
        usable,
        exists,
        solution.iterations,
    )


def existing(sandwich: Sandwich, name: str, matrix: Matrix) -> NDArray[np.bool_]:
    """(B,), whether a covariance (B, p, p) has a variance for each coefficient and its correction is finite."""
    positive = np.asarray((np.diagonal(matrix, axis1=-2, axis2=-1) > 0).all(axis=-1))
    return positive & ~sandwich.alone.any(axis=-1) if name in LEVERAGE_CORRECTED else positive
