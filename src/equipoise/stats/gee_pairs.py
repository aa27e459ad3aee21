"""Generalised estimating equations of a normal outcome from products by pairs of visits.

With an identity link, a working correlation and residuals enter the equations only through the products of columns
at two visits, summed over the subjects with the same visits seen. These are made once; an iteration is then a few
matrix products with them, whatever the number of subjects. Equation (pairs) in docs/methods/batch.md.
Shapes: B fits, n subjects, T visits, p coefficients, K patterns of visits seen; b is B, or 1 where all fits share.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.gee_working import Working, estimate, inverses
from equipoise.stats.samples import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Pairs:
    """Products at two visits, summed over the subjects of each pattern, the outcome being a small residual.

    `columns` (b, K T T, p p) are of a column with a column, `crossed` (B, K T T, p) of a column at the first visit
    with the outcome at the second. `columns_all` (b, p p, T T), `crossed_all` (B, p, T T) and `squares` (B, T T)
    sum over patterns. `counts` (b, T, T) and `largest` (b,) are as for `estimate`.
    """

    columns: Matrix
    crossed: Matrix
    columns_all: Matrix
    crossed_all: Matrix
    squares: Matrix
    counts: Matrix
    largest: Vector
    patterns: NDArray[np.bool_]
    working: Working
    spent: int
    fixed_scale: float | None

    @property
    def n_fits(self) -> int:
        """B."""
        return len(self.squares)

    def only(self, fits: NDArray[np.intp]) -> "Pairs":
        """The same sums for some of the fits."""
        shared = len(self.columns) == 1
        return replace(
            self,
            columns=self.columns if shared else self.columns[fits],
            columns_all=self.columns_all if shared else self.columns_all[fits],
            crossed=self.crossed[fits],
            crossed_all=self.crossed_all[fits],
            squares=self.squares[fits],
            counts=self.counts if len(self.counts) == 1 else self.counts[fits],
            largest=self.largest if len(self.largest) == 1 else self.largest[fits],
        )

    def shortened(self, beta: Vector, step: Vector) -> tuple[Vector, NDArray[np.bool_]]:
        """The step as it is: every mean is one that a normal outcome can have."""
        return step, np.ones(len(step), bool)

    def moments(self, beta: Vector) -> "PairMoments":
        """Scale, working correlation, information and score at beta (B, p), equation (pairs)."""
        visits, p = self.patterns.shape[-1], beta.shape[-1]
        products = self.residual_products(beta).reshape(-1, visits, visits)
        scale = np.maximum(np.trace(products, axis1=-2, axis2=-1), 0.0) / (self.observed - self.spent)
        if self.fixed_scale is not None:
            scale = np.full_like(scale, self.fixed_scale)
        # A scale of zero is refused by the caller; one keeps the division silent until then.
        positive = np.where(scale > 0, scale, 1.0)
        correlation, inside = estimate(self.working, products, self.counts, positive, self.spent, self.largest)
        inverse = inverses(self.working, correlation, self.patterns[np.newaxis]).reshape(len(beta), -1)
        information = times(inverse, self.columns).reshape(-1, p, p)
        score = times(inverse, self.crossed) - (information @ beta[..., np.newaxis])[..., 0]
        return PairMoments(information, score, scale, correlation, inside)

    @property
    def observed(self) -> Vector:
        """(b,), how many observations there are."""
        return np.asarray(np.trace(self.counts, axis1=-2, axis2=-1))

    def residual_products(self, beta: Vector) -> Matrix:
        """(B, T T), products of the residuals at beta (B, p), summed over subjects."""
        visits, p = self.patterns.shape[-1], beta.shape[-1]
        against = times(beta, self.crossed_all).reshape(-1, visits, visits)
        both = (beta[:, np.newaxis] * beta[..., np.newaxis]).reshape(-1, p * p)
        rest = self.squares + times(both, self.columns_all)
        return np.asarray(rest - (against + np.swapaxes(against, -1, -2)).reshape(-1, visits * visits))


@dataclass(frozen=True, slots=True, eq=False)
class PairMoments:
    """At one value of the coefficients: `information` (B, p, p), `score` (B, p), without the scale; (B,) the rest."""

    information: Matrix
    score: Vector
    scale: Vector
    correlation: Matrix
    inside: NDArray[np.bool_]


def times(rows: Matrix, tables: Matrix) -> Matrix:
    """(B, m), each fit's row (k,) of `rows` times its table (k, m), or the one that all fits share."""
    return np.asarray(rows @ tables[0] if len(tables) == 1 else (rows[:, np.newaxis] @ tables)[:, 0])


def pairs_of(
    outcome: Vector,
    design: Matrix,
    patterns: NDArray[np.bool_],
    pattern_of: NDArray[np.intp],
    counts: Matrix,
    largest: Vector,
    working: Working,
    spent: int,
    fixed_scale: float | None,
) -> Pairs:
    """The sums of a block whose fits share the patterns of visits seen.

    Args:
        outcome: (b, T, n), zero where nothing was seen; weighted by the root of the prior weight, as the design.
        design: (b, T, n, p), likewise.
        patterns: (K, T), the distinct patterns.
        pattern_of: (n,), which each subject has.
        counts: (b, T, T), subjects seen at both of two visits.
        largest: (b,), the most visits that one subject has.
        working: the working correlation.
        spent: taken from the numbers of observations and pairs in divisors.
        fixed_scale: phi when it is not estimated.
    """
    fits, visits, _, p = design.shape
    columns = np.empty((fits, len(patterns), visits, visits, p, p))
    crossed = np.empty((max(fits, len(outcome)), len(patterns), visits, visits, p))
    for number in range(len(patterns)):
        members = np.flatnonzero(pattern_of == number)
        whole = members.size == len(pattern_of)
        own = design if whole else design[:, :, members]
        values = outcome if whole else outcome[:, :, members]
        flat = np.swapaxes(own, -1, -2).reshape(fits, visits * p, members.size)
        across = np.swapaxes(flat, -1, -2)
        table = (flat @ across).reshape(fits, visits, p, visits, p)
        columns[:, number] = table.transpose(0, 1, 3, 2, 4)
        with_outcome = (values @ across).reshape(-1, visits, visits, p)
        crossed[:, number] = np.swapaxes(with_outcome, 1, 2)
    squares = (outcome @ np.swapaxes(outcome, -1, -2)).reshape(-1, visits * visits)
    return Pairs(
        columns.reshape(fits, -1, p * p),
        crossed.reshape(len(crossed), -1, p),
        flipped(columns.sum(axis=1).reshape(fits, -1, p * p)),
        flipped(crossed.sum(axis=1).reshape(len(crossed), -1, p)),
        np.broadcast_to(squares, (len(crossed), visits * visits)),
        counts,
        largest,
        patterns,
        working,
        spent,
        fixed_scale,
    )


def flipped(table: Matrix) -> Matrix:
    """The last two axes exchanged, laid out anew."""
    return np.ascontiguousarray(np.swapaxes(table, -1, -2))
