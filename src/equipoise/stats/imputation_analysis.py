"""One answer from many completed sets: analyses set by set, joined by Rubin's rules or by the jackknife.

Equations: docs/methods/imputation.md.
Shapes: D sets, n subjects, p coefficients. In a jackknife set 0 has everyone and each later set leaves one subject out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from scipy import linalg

from equipoise.stats.coefficients import JointTest, Terms, coefficient_columns, contrast_rows, wald_test
from equipoise.stats.frames import Frame, Opened, like
from equipoise.stats.mmrm_engine import Index
from equipoise.stats.mmrm_structures import Array
from equipoise.stats.refusals import BadSample, UnknownChoice, is_number
from equipoise.stats.rubin import Combined, combine
from equipoise.stats.samples import Matrix, Vector

NO_RESIDUAL = 1e-12  # relative to the spread of the outcome


class Fit(Protocol):
    """What the analysis of one completed set returns: a fit of this room, or anything with the same four names.

    `coefficients` has a column `term` (p), `beta` is (p,), `covariance` (p, p), `df` a number or (p,).
    """

    @property
    def coefficients(self) -> Any: ...  # noqa: D102
    @property
    def beta(self) -> Vector: ...  # noqa: D102
    @property
    def covariance(self) -> Matrix: ...  # noqa: D102
    @property
    def df(self) -> Any: ...  # noqa: D102


Analysis: TypeAlias = Callable[[Any], Fit]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many subjects there are, and how many of their outcomes were seen and imputed."""

    subjects: int
    observed: int
    imputed: int


@dataclass(frozen=True, slots=True, eq=False)
class ImputedFit:
    """An analysis of imputed data.

    `beta` (p,), `covariance` (p, p) and `df` (p,) are of the pooled coefficients. `pooling` has the parts of Rubin's
    rules, each (p,), and is None after a jackknife. `mc_error` (p,) is the standard error of `beta` that is due to the
    number of draws, zero after a jackknife. `sets` counts the completed sets analysed.
    """

    coefficients: Frame
    beta: Vector
    covariance: Matrix
    df: Vector
    pooling: Combined | None
    mc_error: Vector
    sets: int
    n_subjects: int
    n_observations: int
    n_imputed: int
    converged: bool
    iterations: int
    method: str
    columns: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]

    def joint_test(self, terms: Terms) -> JointTest:
        """Wald F test that terms, columns or the contrasts L (q, p) are zero together, on the least of their df.

        Raises:
            UnknownChoice: a name that is not in the model.
            BadSample: contrasts that repeat one another.
        """
        rows = contrast_rows(terms, self.columns, self.terms)
        return wald_test(rows, self.beta, self.covariance, float(self.df[(rows != 0).any(axis=0)].min()))


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """What the sets gave: `estimates` (D, p), `covariances` (D, p, p), `df` (p,) of complete data."""

    columns: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    estimates: Matrix
    covariances: Array
    df: Vector


def least_squares(outcome: Matrix, design: Matrix, left_out: Index) -> tuple[Matrix, Array]:
    """Coefficients (D, p) and model covariances (D, p, p) of each set.

    Args:
        outcome: (D, n).
        design: (n, p).
        left_out: (D,), the subject that a set leaves out, -1 for none.

    Raises:
        BadSample: no residual variation, or no more subjects than coefficients.
    """
    n, p = design.shape
    if n - int((left_out >= 0).any()) <= p:
        raise BadSample("data", None, f"has {n} subjects for {p} coefficients", "drop covariates from the analysis")
    q, upper = np.linalg.qr(design)
    origin = outcome[:, :1]
    moved = outcome - origin
    inner = moved @ q
    residual = moved - inner @ q.T
    rest = (residual**2).sum(axis=1)
    if (rest <= NO_RESIDUAL**2 * (moved**2).sum(axis=1)).any():
        raise BadSample("data", None, "has no residual variation about the model", "check for copied columns")
    half = linalg.solve_triangular(upper, np.eye(p))
    beta = inner @ half.T
    beta[:, 0] += origin[:, 0]
    out = np.flatnonzero(left_out >= 0)
    who = left_out[out]
    change = residual[out, who] / (1 - (q[who] ** 2).sum(axis=1))
    beta[out] -= change[:, np.newaxis] * (q[who] @ half.T)
    return np.asarray(beta), (rest / (n - p))[:, np.newaxis, np.newaxis] * (half @ half.T)


def analysed(analysis: Analysis, sets: Iterable[Any], *, jackknife: bool) -> Analysed:
    """Each set through a caller's analysis; after a jackknife the degrees of freedom are those of the first set.

    Raises:
        BadSample: no function, a result without coefficients, or coefficients that differ between sets.
    """
    if not callable(analysis):
        raise BadSample("analysis", analysis, "is not a function", "give one of a completed frame that returns a fit")
    names: tuple[str, ...] | None = None
    estimates, covariances, freedoms = [], [], []
    for data in sets:
        fit = analysis(data)
        try:
            own = tuple(map(str, fit.coefficients["term"]))
            beta, covariance = np.asarray(fit.beta, dtype=np.float64), np.asarray(fit.covariance, dtype=np.float64)
            df = np.broadcast_to(np.asarray(fit.df, dtype=np.float64), beta.shape)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise BadSample(
                "analysis",
                None,
                "returns something without coefficients, beta, covariance and df",
                "return a fit of this library, or an object with these four",
            ) from None
        if names is not None and own != names:
            raise BadSample(
                "analysis", None, "gives other coefficients in one completed set than in another", "fix its terms"
            )
        names = own
        estimates.append(beta)
        covariances.append(covariance)
        freedoms.append(df)
    assert names is not None
    places: dict[str, tuple[int, ...]] = {name: (place,) for place, name in enumerate(names)}
    df = freedoms[0] if jackknife else np.stack(freedoms).mean(axis=0)
    return Analysed(names, places, np.stack(estimates), np.stack(covariances), df)


def pooled_fit(
    found: Analysed, *, jackknife: bool, df: float | None, level: float, frame: Opened, counts: Counts, method: str
) -> ImputedFit:
    """The sets' answers as one, equations (rubin) and (jackknife).

    Args:
        found: the sets' answers.
        jackknife: whether the sets leave out one subject each, the first none.
        df: of complete data, None for the analysis's own.
        level: of the intervals.
        frame: the kind of table to give back.
        counts: of subjects and outcomes.
        method: the sentence so far.

    Raises:
        UnknownChoice: degrees of freedom that are not above zero.
    """
    if df is not None and not (is_number(df) and df > 0):
        raise UnknownChoice("df", df, "is not a number of degrees of freedom", "give one above zero, or infinity")
    complete = found.df if df is None else np.full(len(found.df), float(df))
    sets = len(found.estimates)
    if jackknife:
        pooling, beta, freedom = None, found.estimates[0], complete
        covariance = jackknife_covariance(found.estimates[1:])
        mc_error = np.zeros(len(beta))
        ending = f"jackknife over {sets - 1} subjects (Wolbers et al. 2022)"
    else:
        variances = np.diagonal(found.covariances, axis1=-2, axis2=-1)
        pooling = combine(found.estimates, variances, complete)
        beta, freedom, mc_error = pooling.estimate, pooling.df, pooling.mc_error
        spread = found.estimates - beta
        covariance = found.covariances.mean(axis=0) + (1 + 1 / sets) * (spread.T @ spread) / (sets - 1)
        ending = f"pooled over {sets} completed sets by Rubin's rules (Rubin 1987; Barnard and Rubin 1999)"
    reference = "normal reference distribution" if np.isinf(complete).all() else "t tests"
    return ImputedFit(
        like(frame, coefficient_columns(found.columns, beta, covariance, freedom, level)),
        beta,
        covariance,
        freedom,
        pooling,
        mc_error,
        sets,
        counts.subjects,
        counts.observed,
        counts.imputed,
        True,
        1,
        f"{method}, {ending}, {reference}",
        found.columns,
        found.terms,
    )


def jackknife_covariance(estimates: Matrix) -> Matrix:
    """(p, p), from the estimates (n, p) that leave one subject out each; equation (jackknife)."""
    n = len(estimates)
    spread = estimates - (estimates[0] + (estimates - estimates[0]).mean(axis=0))
    return np.asarray((n - 1) / n * (spread.T @ spread))
