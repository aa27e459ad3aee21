"""Thousands of analyses of covariance at once, from arrays.

Shapes: leading axes (...) are independent fits; n participants, p coefficients, fits last inside.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.blocks import blocks
from equipoise.stats.coefficients import two_sided_p
from equipoise.stats.least_squares import COVARIANCES, FULL_LEVERAGE, NO_RESIDUAL
from equipoise.stats.refusals import BadSample, choose
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.stacked import products, solved


@dataclass(frozen=True, slots=True, eq=False)
class AncovaBatch:
    """Many least-squares fits: `beta` (..., p), `covariance` (..., p, p), `df` and `residual_sd` (...).

    Where `usable` (...) is False the design is rank deficient, a row determines a coefficient alone under hc2 or hc3,
    or there is no residual variation: coefficients are zero and variances infinite.
    """

    beta: Vector
    covariance: Matrix
    df: Vector
    residual_sd: Vector
    usable: NDArray[np.bool_]

    def statistic(self, contrast: ArrayLike) -> Vector:
        """(...), t of a contrast (p,); zero where a fit is not usable."""
        row = np.asarray(contrast, dtype=np.float64)
        matrix = np.where(self.usable[..., np.newaxis, np.newaxis], self.covariance, np.eye(row.size))
        return np.asarray(np.where(self.usable, self.beta @ row / np.sqrt(((matrix @ row) * row).sum(axis=-1)), 0.0))

    def p_value(self, contrast: ArrayLike) -> Vector:
        """(...), two-sided P of a contrast (p,); one where a fit is not usable."""
        return two_sided_p(self.statistic(contrast), np.where(self.usable, self.df, 1.0))


def ancova_batch(
    y: ArrayLike, X: ArrayLike, observed: ArrayLike | None = None, *, covariance: str = "model"
) -> AncovaBatch:
    """Fit each leading index by least squares on its own.

    Args:
        y: (..., n), outcomes; those not observed are not read.
        X: (..., n, p), designs.
        observed: (..., n), whether each outcome was; None for all. Leading axes broadcast.
        covariance: model, hc2 or hc3.

    Raises:
        BadSample: shapes that do not agree, values that are not finite, or no more rows than coefficients.
    """
    choose("covariance", covariance, COVARIANCES)
    outcome, design = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64)
    if design.ndim < 2 or outcome.ndim < 1 or outcome.shape[-1:] != design.shape[-2:-1]:
        raise BadSample("y, X", (outcome.shape, design.shape), "do not agree", "give y (..., n) and X (..., n, p)")
    n, p = design.shape[-2:]
    seen = np.ones(n, bool) if observed is None else np.asarray(observed, dtype=bool)
    if n <= p:
        raise BadSample("X", (n, p), f"has {n} rows for {p} coefficients", "drop columns")
    check_finite(outcome, design, seen)
    lead = np.broadcast_shapes(outcome.shape[:-1], design.shape[:-2], seen.shape[:-1])
    values = np.broadcast_to(np.where(seen, outcome, 0.0), (*lead, n)).reshape(-1, n)
    columns, known = one_axis(design, lead, 2), one_axis(seen, lead, 1)
    parts = [
        fitted(values[block], chosen(columns, block), chosen(known, block), covariance)
        for block in blocks(len(values), n * (p + 2))
    ]
    return AncovaBatch(
        np.concatenate([part.beta for part in parts]).reshape(*lead, p),
        np.concatenate([part.covariance for part in parts]).reshape(*lead, p, p),
        np.concatenate([part.df for part in parts]).reshape(lead),
        np.concatenate([part.residual_sd for part in parts]).reshape(lead),
        np.concatenate([part.usable for part in parts]).reshape(lead),
    )


def check_finite(outcome: Vector, design: Matrix, seen: NDArray[np.bool_]) -> None:
    """Refuse observed rows whose values are not finite."""
    for name, good in (("y", np.isfinite(outcome)), ("X", np.isfinite(design).all(axis=-1))):
        if not good.all() and (bad := ~good & seen).any():
            raise BadSample(name, None, f"holds {int(bad.sum())} values that cannot be used", "correct them")


def one_axis(array: NDArray[np.generic], lead: tuple[int, ...], trailing: int) -> Matrix:
    """The array with one leading axis, of length one where all fits share it."""
    own, rest = array.shape[:-trailing], array.shape[-trailing:]
    shared = int(np.prod(own)) == 1
    return np.asarray(
        (array if shared else np.broadcast_to(array, (*lead, *rest))).reshape(-1, *rest), dtype=np.float64
    )


def chosen(array: Matrix, block: slice) -> Matrix:
    """A block of the array; all of one that all fits share."""
    return array if len(array) == 1 else array[block]


def fitted(outcome: Matrix, design: Matrix, seen: Matrix, covariance: str) -> AncovaBatch:
    """One block: outcome (B, n), design (b, n, p), seen (b, n)."""
    y = np.ascontiguousarray(outcome.T)
    x = np.where(seen.T > 0, design.transpose(2, 1, 0), 0.0)
    p, df = len(x), np.broadcast_to(seen.sum(axis=1) - x.shape[0], len(outcome))
    inverse, regular = solved(products(x, x), np.eye(p)[:, :, np.newaxis])
    beta = np.zeros((p, y.shape[-1]))
    for _ in range(2):  # the second time on what is left, so that the normal equations cost no digits
        left = y - np.einsum("anb,ab->nb", x, beta)
        beta = beta + np.einsum("acb,cb->ab", inverse, np.einsum("anb,nb->ab", x, left))
    left = (y - np.einsum("anb,ab->nb", x, beta)) * seen.T
    squares = (left**2).sum(axis=0)
    usable = regular & (df > 0) & (squares > NO_RESIDUAL**2 * (y**2).sum(axis=0))
    if covariance == "model":
        matrix = inverse * (squares / np.maximum(df, 1))
    else:
        pulled = np.einsum("acb,cnb->anb", inverse, x)
        leverage = np.einsum("anb,anb->nb", pulled, x)
        usable = usable & (leverage <= FULL_LEVERAGE).all(axis=0)
        room = np.where(leverage <= FULL_LEVERAGE, 1 - leverage, 1.0)
        terms = pulled * (left / room ** (0.5 if covariance == "hc2" else 1.0))
        matrix = products(terms, terms)
    unknown = np.where(np.eye(p, dtype=bool), np.inf, 0.0)[:, :, np.newaxis]
    return AncovaBatch(
        np.where(usable, beta, 0.0).T,
        np.moveaxis(np.where(usable, matrix, unknown), -1, 0),
        np.asarray(df, dtype=np.float64),
        np.sqrt(squares / np.maximum(df, 1)),
        usable,
    )
