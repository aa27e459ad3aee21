"""Sums of squares, epsilons and multivariate tests of repeated measures, one design a batch of thousands of trials.

Each effect is a contrast between subjects crossed with a contrast within them; its hypothesis and error are matrices of
products, from which the univariate F, both epsilons, Mauchly's W and the multivariate tests all follow.
Entries come first and trials last, so that each step serves the whole batch. Equations: docs/methods/rm-anova.md.
Shapes: B trials, n subjects, C cells, k contrasts within subjects, r columns of an effect between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.stacked import products, solved

SINGULAR = 1e-12  # smallest eigenvalue relative to the largest

Named = Sequence[tuple[str, Matrix]]


@dataclass(frozen=True, eq=False)
class Stratum:
    """The error (k, k, B) of the contrasts of one effect within subjects, each on `df` (B,) degrees of freedom.

    `name` is that effect's, empty for the mean over the cells.
    """

    name: str
    error: Matrix
    df: Vector

    @property
    def contrasts(self) -> int:
        """How many, k."""
        return len(self.error)

    @cached_property
    def greenhouse_geisser(self) -> Vector:
        """(B,), equation (gg); one for a single contrast."""
        if self.contrasts == 1:
            return self.ones
        # Over the trace first: squares of products leave what a float can hold long before the products do.
        shares = self.error / np.maximum(trace(self.error), np.finfo(float).tiny)
        return np.asarray(1 / (self.contrasts * np.maximum((shares**2).sum(axis=(0, 1)), np.finfo(float).tiny)))

    @cached_property
    def huynh_feldt(self) -> Vector:
        """(B,), equation (hf), above one as it may be; one for a single contrast."""
        k, gg = self.contrasts, self.greenhouse_geisser
        if k == 1:
            return self.ones
        room = k * (self.df - k * gg)
        return np.where(room > SINGULAR, ((self.df + 1) * k * gg - 2) / np.where(room > SINGULAR, room, 1.0), 1.0)

    @cached_property
    def mauchly(self) -> tuple[Vector, Vector, NDArray[np.bool_]]:
        """W (B,), its P and whether the test can be made; one, one and yes for a single contrast."""
        k = self.contrasts
        if k == 1:
            return self.ones, self.ones, self.ones > 0
        total = np.maximum(trace(self.error), np.finfo(float).tiny)
        scaled = np.linalg.eigvalsh(np.moveaxis(self.error, -1, 0)) * (k / total)[:, np.newaxis]
        made = (self.df >= k) & (scaled[:, 0] > SINGULAR * scaled[:, -1])
        log_w = np.log(np.where(made[:, np.newaxis], scaled, 1.0)).sum(axis=1)
        return np.exp(log_w), mauchly_p(log_w, k, np.where(made, self.df, k + 1.0)), made

    @property
    def ones(self) -> Vector:
        """(B,)."""
        return np.ones(self.error.shape[-1])


@dataclass(frozen=True, eq=False)
class Effect:
    """One effect: its name, its hypothesis (k, k, B) on r columns, and the stratum whose error it is held against."""

    name: str
    hypothesis: Matrix
    columns: int
    stratum: Stratum

    @property
    def df_num(self) -> int:
        """Of the univariate F."""
        return self.columns * self.stratum.contrasts

    @property
    def df_den(self) -> Vector:
        """(B,), of the univariate F."""
        return self.stratum.df * self.stratum.contrasts

    @cached_property
    def sum_sq(self) -> Vector:
        """(B,), of the effect."""
        return trace(self.hypothesis)

    @cached_property
    def sum_sq_error(self) -> Vector:
        """(B,), of the error."""
        return trace(self.stratum.error)

    @cached_property
    def statistic(self) -> Vector:
        """(B,), F; zero where there is no error."""
        error = self.sum_sq_error / self.df_den
        return np.asarray(np.where(error > 0, self.sum_sq / self.df_num / np.where(error > 0, error, 1.0), 0.0))

    def p_value(self, epsilon: Vector) -> Vector:
        """(B,), P of F with both degrees of freedom times epsilon (B,)."""
        return np.asarray(special.fdtrc(self.df_num * epsilon, self.df_den * epsilon, self.statistic))


@dataclass(frozen=True, slots=True)
class Multivariate:
    """A multivariate test of one effect in one trial: its statistic and the F that approximates it."""

    statistic: float
    f: float
    df_num: float
    df_den: float
    p_value: float


def effects_of(
    outcomes: Matrix, complete: Matrix, within: Named, between: Named
) -> tuple[list[Effect], Vector, NDArray[np.bool_]]:
    """Every effect, equations (hypothesis) and (error).

    Args:
        outcomes: (C, n, B), best centred; not read where a subject is not complete.
        complete: (n, B) or (n, 1), one for a subject with every cell and zero for the others.
        within: orthonormal contrasts (C, k) by name, the mean over cells first, without a name.
        between: columns (n, r) by name, the intercept first, without a name.

    Returns:
        The effects, the error's sum of squares over all strata (B,), and in which trials every effect is determined.
    """
    whole = np.hstack([columns for _, columns in between]).T[:, :, np.newaxis] * complete
    values = outcomes * complete
    g = len(whole)
    inverse, regular = solved(products(whole, whole), np.eye(g)[:, :, np.newaxis])
    coefficients = np.einsum("acb,cdb->adb", inverse, products(whole, values))
    residuals = values - np.einsum("anb,acb->cnb", whole, coefficients)
    errors = products(residuals, residuals)
    df = np.broadcast_to(complete.sum(axis=0) - g, errors.shape[-1:])
    effects = []
    for inner, contrast in within:
        own = np.einsum("ck,acb->akb", contrast, coefficients)
        stratum = Stratum(inner, np.einsum("ck,dl,cdb->klb", contrast, contrast, errors, optimize=True), df)
        stop = 0
        for outer, columns in between:
            start, stop = stop, stop + columns.shape[1]
            if inner or outer:
                there, determined = solved(inverse[start:stop, start:stop], own[start:stop])
                regular = regular & determined
                name = ":".join(part for part in (outer, inner) if part)
                effects.append(Effect(name, products_over(own[start:stop], there), stop - start, stratum))
    return effects, trace(errors), np.broadcast_to(regular, df.shape) & (df > 0)


def products_over(first: Matrix, second: Matrix) -> Matrix:
    """(k, l, B), sums over the first axis of products of tables (r, k, B) and (r, l, B)."""
    return np.asarray(np.einsum("rkb,rlb->klb", first, second))


def trace(matrix: Matrix) -> Vector:
    """(B,), of matrices (k, k, B)."""
    return np.asarray(np.einsum("kkb->b", matrix))


def mauchly_p(log_w: Vector, k: int, df: Vector) -> Vector:
    """P of Mauchly's W by Box's expansion to the second order (Anderson 1958, section 10.7).

    Args:
        log_w: natural logarithms of W.
        k: number of contrasts.
        df: degrees of freedom of the error products.
    """
    rho = 1 - (2 * k**2 + k + 2) / (6 * k * df)
    second = (k + 2) * (k - 1) * (k - 2) * (2 * k**3 + 6 * k**2 + 3 * k + 2) / (288 * (df * k * rho) ** 2)
    chi2 = -df * rho * log_w
    f = k * (k + 1) // 2 - 1
    first, later = special.chdtrc(f, chi2), special.chdtrc(f + 4, chi2)
    return np.clip(first + second * (later - first), 0.0, 1.0)


def pillai(effect: Effect) -> Multivariate | None:
    """Pillai's trace of the first trial, tr(H (H + E)^-1), equation (pillai); None where the error is singular.

    Source:
        Pillai (1955), Annals of Mathematical Statistics 26:117-121.
    """
    roots = hypothesis_roots(effect)
    if roots is None:
        return None
    k, r, df = effect.stratum.contrasts, effect.columns, float(effect.stratum.df[0])
    s, m, n = min(r, k), (abs(k - r) - 1) / 2, (df - k - 1) / 2
    statistic = float((roots / (1 + roots)).sum())
    f = (2 * n + s + 1) / (2 * m + s + 1) * statistic / (s - statistic)
    df_num, df_den = s * (2 * m + s + 1), s * (2 * n + s + 1)
    return Multivariate(statistic, f, df_num, df_den, float(special.fdtrc(df_num, df_den, f)))


def wilks(effect: Effect) -> Multivariate | None:
    """Wilks's lambda of the first trial, det(E) / det(H + E), equation (wilks); None where the error is singular.

    Source:
        Wilks (1932), Biometrika 24:471-494; Rao (1951), Bulletin of the International Statistical Institute 33:177-180.
    """
    roots = hypothesis_roots(effect)
    if roots is None:
        return None
    k, r, df = effect.stratum.contrasts, effect.columns, float(effect.stratum.df[0])
    below = k**2 + r**2 - 5
    power = np.sqrt((k**2 * r**2 - 4) / below) if below > 0 else 1.0
    df_num = float(k * r)
    df_den = float((df + r - (k + r + 1) / 2) * power - (k * r - 2) / 2)
    log = float(-np.log1p(roots).sum())
    f = float(np.expm1(-log / power)) * df_den / df_num
    return Multivariate(float(np.exp(log)), f, df_num, df_den, float(special.fdtrc(df_num, df_den, f)))


def hypothesis_roots(effect: Effect) -> Vector | None:
    """The eigenvalues of E^-1 H in the first trial, none below zero; None where E has no inverse."""
    error = effect.stratum.error[..., 0]
    lengths = np.sqrt(np.diag(error))
    if effect.stratum.df[0] < len(error) or not (lengths > 0).all():
        return None
    correlation = error / np.outer(lengths, lengths)
    values, vectors = np.linalg.eigh(correlation)
    if values[0] <= SINGULAR * values[-1]:
        return None
    root = vectors / np.sqrt(values) / lengths[:, np.newaxis]
    return np.asarray(np.maximum(np.linalg.eigvalsh(root.T @ effect.hypothesis[..., 0] @ root), 0.0))
