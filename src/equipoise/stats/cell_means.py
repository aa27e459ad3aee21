"""The cell means of a repeated-measures analysis of variance as coefficients, for marginal means.

One coefficient a combination of between and within levels. Two models of their covariance: multivariate leaves the
cells' covariance unstructured; univariate pools each stratum's mean square, as sphericity allows.
Equations: docs/methods/marginal-means.md.
Terms: *group* (a combination of between levels), *cell* (a combination of within levels), *stratum* (a within effect).
"""

from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from equipoise.stats.coefficients import JointTest, wald_test
from equipoise.stats.frames import Frame
from equipoise.stats.reference_grid import levels_of
from equipoise.stats.repeated_measures import RepeatedMeasuresAnova, within_contrasts
from equipoise.stats.samples import Matrix, Vector

MODELS = ("multivariate", "univariate")
SENTENCES = {
    "multivariate": "covariance of the cell means from the multivariate model, t tests on {df} df",
    "univariate": "covariance of the cell means from the strata's mean squares, Satterthwaite (1946) df",
}


@dataclass(frozen=True, slots=True, eq=False)
class CellRecipe:
    """One column a cell, by the values of its factors."""

    rows: pd.DataFrame
    cells: pd.DataFrame
    link: str = "identity"
    offset: str | None = None

    @property
    def categorical(self) -> frozenset[str]:
        """Every factor."""
        return frozenset(map(str, self.rows.columns))

    @property
    def terms(self) -> tuple[frozenset[str], ...]:
        """One term, in which every factor may depend on every other."""
        return (self.categorical,)

    def design(self, rows: pd.DataFrame) -> Matrix:
        """(n, cells), one where the row is the cell."""
        same = [rows[name].to_numpy()[:, np.newaxis] == self.cells[name].to_numpy() for name in self.cells]
        return np.asarray(np.all(same, axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class CellMeans:
    """Cell means (G C,), group by group, their covariance, and the strata whose mean squares it is made of.

    `shares` (S, G C, G C) are the parts of the covariance by stratum, on `strata_df` (S,) degrees of freedom; the
    multivariate model has one stratum.
    """

    coefficients: Frame
    beta: Vector
    covariance: Matrix
    recipe: CellRecipe
    method: str
    shares: Matrix = field(repr=False)
    strata_df: Vector

    def df_of(self, rows: Matrix) -> Vector:
        """(q,), the degrees of freedom of contrasts (q, p): Satterthwaite's over the strata, equation (strata)."""
        if len(self.shares) == 1:
            return np.full(len(rows), self.strata_df[0])
        parts = np.einsum("qp,spr,qr->qs", rows, self.shares, rows)
        return np.asarray(parts.sum(axis=1) ** 2 / (parts**2 / self.strata_df).sum(axis=1))

    def joint_test(self, rows: Matrix) -> JointTest:
        """Wald F test that contrasts (q, p) are zero together, on the least df of any.

        Raises:
            BadSample: contrasts that repeat one another.
        """
        return wald_test(rows, self.beta, self.covariance, float(self.df_of(rows).min()))


def cell_means(fit: RepeatedMeasuresAnova, model: str) -> CellMeans:
    """The cell means of a fit.

    Args:
        fit: of rm_anova.
        model: one of `MODELS`.
    """
    cells = fit.data
    between = [levels_of(cells.between[name]) for name in cells.between]
    sizes = tuple(len(levels) for _, levels in between)
    owner = (
        np.ravel_multi_index(tuple(codes for codes, _ in between), sizes) if sizes else np.zeros(fit.n_subjects, int)
    )
    counts = np.bincount(owner).astype(np.float64)
    means = np.array([cells.outcomes[owner == group].mean(axis=0) for group in range(counts.size)])
    left = cells.outcomes - means[owner]
    df = fit.n_subjects - counts.size
    sigma, strata_df = strata(left.T @ left, df, within_contrasts(cells.names, cells.within), model)
    shares = np.array([np.kron(np.diag(1 / counts), part) for part in sigma])
    names = [*map(str, cells.between.columns), *cells.names]
    places = [*(levels for _, levels in between), *(tuple(map(plain, levels)) for levels in cells.within)]
    table = pd.DataFrame(list(product(*places)), columns=names)
    rows = table.iloc[np.repeat(np.arange(len(table)), np.repeat(counts.astype(int), means.shape[1]))]
    return CellMeans(
        fit.table,
        means.ravel() + cells.origin,
        shares.sum(axis=0),
        CellRecipe(rows.reset_index(drop=True), table),
        f"{fit.method}; {SENTENCES[model].format(df=df)}",
        shares,
        strata_df,
    )


def plain(value: object) -> object:
    """A level as a plain Python value."""
    return value.item() if isinstance(value, np.generic) else value


def strata(error: Matrix, df: int, contrasts: list[tuple[str, Matrix]], model: str) -> tuple[Matrix, Vector]:
    """The covariance (S, C, C) of one subject's cells by stratum, and the strata's degrees of freedom (S,).

    Args:
        error: (C, C), residual products of the cells.
        df: subjects less groups.
        contrasts: orthonormal (C, k), one a stratum.
        model: one of `MODELS`.
    """
    if model == "multivariate":
        return error[np.newaxis] / df, np.array([float(df)])
    sizes = np.array([matrix.shape[1] * df for _, matrix in contrasts], dtype=np.float64)
    squares = [np.trace(matrix.T @ error @ matrix) for _, matrix in contrasts]
    return np.array(
        [matrix @ matrix.T * square / size for (_, matrix), square, size in zip(contrasts, squares, sizes, strict=True)]
    ), sizes
