"""Generalised estimating equations of a normal outcome from a few sums, whatever the number of subjects.

With an identity link and visits that all correlate alike, the inverse working correlation of a subject with m visits
is (I - s J) / (1 - alpha), J all ones, s = alpha / (1 + (m - 1) alpha). So the equations and the moment estimates need
the products of columns summed over visits, and those of the subjects' totals summed over the subjects
with the same m: an iteration is a few operations on matrices of p + 1. Entries come first and fits last, so that
each operation serves a whole block. Equations (sums) to (shares) in docs/methods/batch.md.
Shapes: B fits, n subjects, T visits, p coefficients, M numbers of visits; b is B, or 1 where all fits share.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.gee_working import one_correlation
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.stacked import products, solved


@dataclass(frozen=True, eq=False)
class Totals:
    """Products of columns, the outcome's residual the last of them, so that `w = (-beta, 1)` makes a residual.

    `whole` (p + 1, p + 1, B) sums over observations; `crossed` (M, p + 1, p + 1, B) are of subjects' totals, summed
    over the subjects with `sizes` (M,) visits. `observed` and `pairs` (b,) count observations and pairs of them;
    `largest` (b,) is the most visits that one subject has.
    """

    whole: Matrix
    crossed: Matrix
    sizes: Vector
    observed: Vector
    pairs: Vector
    largest: Vector
    exchangeable: bool
    spent: int
    fixed_scale: float | None

    @property
    def n_fits(self) -> int:
        """B."""
        return int(self.whole.shape[-1])

    @cached_property
    def both(self) -> Matrix:
        """(p + 1, p + 1, B), the products of totals over all subjects less those of observations: twice the pairs'."""
        return np.asarray(self.crossed.sum(axis=0) - self.whole)

    def only(self, fits: NDArray[np.intp]) -> "Totals":
        """The same sums for some of the fits."""
        return replace(
            self,
            whole=self.whole[..., fits],
            crossed=self.crossed[..., fits],
            observed=self.observed if len(self.observed) == 1 else self.observed[fits],
            pairs=self.pairs if len(self.pairs) == 1 else self.pairs[fits],
            largest=self.largest if len(self.largest) == 1 else self.largest[fits],
        )

    def shortened(self, beta: Vector, step: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """The step as it is: every mean is one that a normal outcome can have."""
        return step, np.ones(len(step), bool)

    def moments(self, beta: Vector) -> "TotalMoments":
        """Scale, correlation, information and score at beta (B, p), equations (sums) and (alpha)."""
        weights = np.concatenate([-beta.T, np.ones((1, len(beta)))])
        squares = np.maximum(quadratic(weights, self.whole), 0.0)
        scale = squares / (self.observed - self.spent)
        if self.fixed_scale is not None:
            scale = np.full_like(scale, self.fixed_scale)
        alpha, inside = np.zeros_like(scale), np.ones(len(beta), bool)
        if self.exchangeable:
            total = quadratic(weights, self.both) / 2
            positive = np.where(scale > 0, scale, 1.0)
            alpha, inside = one_correlation("exchangeable", total, self.pairs - self.spent, positive, self.largest)
        table = (self.whole - np.einsum("mb,macb->acb", shrink(self.sizes[:, np.newaxis], alpha), self.crossed)) / (
            1 - alpha
        )
        score = np.einsum("acb,cb->ba", table[:-1], weights)
        return TotalMoments(table[:-1, :-1].transpose(2, 0, 1), score, scale, alpha, inside)


@dataclass(frozen=True, slots=True, eq=False)
class TotalMoments:
    """At one value of the coefficients: `information` (B, p, p), `score` (B, p), without the scale; (B,) the rest."""

    information: Matrix
    score: Vector
    scale: Vector
    alpha: Vector
    inside: NDArray[np.bool_]


def shrink(sizes: Vector, alpha: Vector) -> Vector:
    """What, for each number of visits, the inverse correlation takes from the products of totals: s."""
    return np.asarray(alpha / (1 + (sizes - 1) * alpha))


def quadratic(weights: Vector, table: Matrix) -> Vector:
    """(B,), w' S w."""
    return np.asarray(np.einsum("ab,ab->b", weights, np.einsum("acb,cb->ab", table, weights)))


@dataclass(frozen=True, eq=False)
class Rows:
    """The data of a block, entries first: design (p, T, n, b), outcome (T, n, B), number of visits (n, b).

    What was not seen is zero in both. Prior weights are in them by their root, offsets taken from the outcome.
    """

    design: Matrix
    outcome: Vector
    visits: Vector

    @cached_property
    def own(self) -> Matrix:
        """(p, p, n, b), each subject's products of columns."""
        return np.asarray(np.einsum("atnb,ctnb->acnb", self.design, self.design))

    @cached_property
    def sums(self) -> Matrix:
        """(p, n, b), each subject's totals of the columns."""
        return np.asarray(self.design.sum(axis=1))

    @cached_property
    def gram(self) -> Matrix:
        """(p, p, b), the products of columns over all observations."""
        p, visits, n, fits = self.design.shape
        flat = self.design.reshape(p, visits * n, fits)
        return (flat[..., 0] @ flat[..., 0].T)[..., np.newaxis] if fits == 1 else products(flat, flat)

    def against(self, outcome: Vector) -> Vector:
        """(p, B), the products of the columns with an outcome (T, n, B)."""
        p, visits, n, fits = self.design.shape
        flat, values = self.design.reshape(p, visits * n, fits), outcome.reshape(visits * n, -1)
        return np.asarray(flat[..., 0] @ values if fits == 1 else np.einsum("amb,mb->ab", flat, values))

    def residual(self, beta: Vector) -> Vector:
        """(T, n, B), the outcome less its mean at beta (p, B)."""
        p, visits, n, fits = self.design.shape
        if fits == 1:
            mean = (self.design.reshape(p, visits * n).T @ beta).reshape(visits, n, -1)
        else:
            mean = np.einsum("atnb,ab->tnb", self.design, beta)
        return np.asarray(self.outcome - mean)

    def totals(self, residual: Vector, *, exchangeable: bool, spent: int, fixed_scale: float | None) -> Totals:
        """What the iteration needs, with a residual (T, n, B) in the outcome's place."""
        p, fits = len(self.design), residual.shape[-1]
        whole = np.empty((p + 1, p + 1, fits))
        whole[:p, :p] = self.gram
        whole[p, :p] = whole[:p, p] = self.against(residual)
        whole[p, p] = np.einsum("tnb,tnb->b", residual, residual)
        sizes = np.flatnonzero(np.bincount(self.visits.astype(np.intp).ravel())).astype(np.float64)
        sizes = sizes[sizes > 0] if exchangeable else sizes[:0]
        sums = np.empty((p + 1, *residual.shape[1:]))
        sums[:p], sums[p] = self.sums, residual.sum(axis=0)
        crossed = np.empty((sizes.size, p + 1, p + 1, fits))
        for place, size in enumerate(sizes):
            crossed[place] = products(sums * (self.visits == size) if sizes.size > 1 else sums, sums)
        pairs = (self.visits * (self.visits - 1)).sum(axis=0) / 2
        observed, largest = self.visits.sum(axis=0), self.visits.max(axis=0)
        return Totals(whole, crossed, sizes, observed, pairs, largest, exchangeable, spent, fixed_scale)


@dataclass(frozen=True, eq=False)
class Subjects:
    """Each subject's part at the solution: `beta` (p, B) there, alpha (B,), from the rows."""

    rows: Rows
    beta: Vector
    alpha: Vector

    @cached_property
    def shrunk(self) -> Vector:
        """(n, B), s of each subject."""
        return shrink(np.maximum(self.rows.visits, 1.0), self.alpha)

    @cached_property
    def scores(self) -> Matrix:
        """(p, n, B), each subject's term of the estimating equation, equation (terms)."""
        residual = self.rows.residual(self.beta)
        own = np.einsum("atnb,tnb->anb", self.rows.design, residual)
        return np.asarray((own - self.shrunk * self.rows.sums * residual.sum(axis=0)) / (1 - self.alpha))

    @cached_property
    def shares(self) -> Matrix:
        """(p, p, n, B), each subject's part of the information, equation (shares)."""
        sums = self.rows.sums
        return np.asarray((self.rows.own - (self.shrunk * sums)[:, np.newaxis] * sums) / (1 - self.alpha))


def rows_of(
    outcome: Vector, design: Matrix, seen: NDArray[np.bool_], offset: Vector | None, weight: Vector | None
) -> Rows:
    """The block's data, entries first.

    Args:
        outcome: (b, n, T); what stands where nothing was seen is not read.
        design: (b, n, T, p), likewise.
        seen: (b, n, T).
        offset: (b, n, T) or None.
        weight: (b, n, T) or None.
    """
    present = seen.transpose(2, 1, 0).astype(np.float64)
    values = outcome if offset is None else outcome - offset
    root = None if weight is None else np.sqrt(np.where(seen, weight, 1.0)).transpose(2, 1, 0)
    known = np.where(seen, values, 0.0).transpose(2, 1, 0)
    columns = design.transpose(3, 2, 1, 0)
    if not seen.all():
        columns = np.where(present > 0, columns, 0.0)
    if root is not None:
        known, columns = known * root, columns * root
    return Rows(np.ascontiguousarray(columns), np.ascontiguousarray(known), present.sum(axis=0))


def least_squares(rows: Rows, fits: int) -> Vector:
    """(p, B), the coefficients as if visits were independent; zero where they are not determined."""
    beta, _ = solved(rows.gram, rows.against(rows.outcome)[:, np.newaxis])
    found = beta[:, 0]
    return found if found.shape[-1] == fits else np.broadcast_to(found, (len(rows.design), fits))
