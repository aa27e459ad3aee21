"""Tests and intervals of coefficients, one by one and together.

Degrees of freedom may be infinite: then the normal and chi-squared distributions are used.
Terms: *term* (a part of the formula), *contrast* (a row L of weights on the coefficients).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import special

from equipoise.stats.refusals import BadSample, UnknownChoice
from equipoise.stats.samples import Matrix, Vector

Terms: TypeAlias = "str | Sequence[str] | Sequence[Sequence[float]] | Matrix"
SINGULAR = 1e-10  # relative length of what a contrast adds to those before it


@dataclass(frozen=True, slots=True)
class JointTest:
    """A Wald test that several contrasts of the coefficients are zero together.

    `statistic` is F; with infinite `df_den` it is the chi-squared statistic over `df_num`.
    """

    statistic: float
    df_num: int
    df_den: float
    p_value: float
    method: str


def two_sided_p(statistic: Vector, df: Vector) -> Vector:
    """P of a t statistic as far from zero either way; normal where df is infinite."""
    normal = special.ndtr(-np.abs(statistic))
    student = special.stdtr(np.where(np.isinf(df), 1.0, df), -np.abs(statistic))
    return np.asarray(2 * np.where(np.isinf(df), normal, student), dtype=np.float64)


def quantile(level: float, df: Vector) -> Vector:
    """The t quantile that leaves (1 - level) / 2 above; normal where df is infinite."""
    student = special.stdtrit(np.where(np.isinf(df), 1.0, df), (1 + level) / 2)
    return np.asarray(np.where(np.isinf(df), special.ndtri((1 + level) / 2), student), dtype=np.float64)


def coefficient_columns(
    terms: Sequence[str], beta: Vector, covariance: Matrix, df: Vector, level: float
) -> dict[str, Any]:
    """The columns of a coefficient table.

    Args:
        terms: p names.
        beta: (p,).
        covariance: (p, p), of beta.
        df: (p,), infinite for the normal distribution.
        level: of the intervals.
    """
    std_error = np.sqrt(np.diag(covariance))
    statistic = beta / std_error
    half = quantile(level, df) * std_error
    return {
        "term": list(terms),
        "estimate": beta,
        "std_error": std_error,
        "df": df,
        "statistic": statistic,
        "p_value": two_sided_p(statistic, df),
        "conf_low": beta - half,
        "conf_high": beta + half,
    }


def contrast_rows(terms: Terms, columns: Sequence[str], places: dict[str, tuple[int, ...]]) -> Matrix:
    """The rows L of a joint test.

    Args:
        terms: names of terms or of single columns, or the (q, p) matrix itself.
        columns: the p names of the coefficients.
        places: which columns each term of the formula takes.

    Raises:
        UnknownChoice: a name that is neither a term nor a column.
        BadSample: neither names nor numbers, a matrix of the wrong width, or rows that repeat one another.
    """
    if isinstance(terms, str):
        terms = [terms]
    try:
        if all(isinstance(term, str) for term in terms):
            rows: Matrix = np.eye(len(columns))[columns_of([str(term) for term in terms], columns, places)]
        else:
            rows = np.atleast_2d(np.asarray(terms, dtype=np.float64))
    except (TypeError, ValueError):
        raise BadSample(
            "terms", None, "are neither names nor rows of numbers", f"give names, or rows of {len(columns)} weights"
        ) from None
    if rows.ndim != 2 or rows.shape[1] != len(columns) or not len(rows) or not np.isfinite(rows).all():
        raise BadSample("terms", None, f"has shape {rows.shape}", f"give rows of {len(columns)} finite weights")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rank = 0 if (lengths == 0).any() else np.linalg.matrix_rank(rows / lengths, tol=SINGULAR)
    if rank < len(rows):
        raise BadSample("terms", None, "has rows that are zero or repeat one another", "drop them")
    return rows


def columns_of(names: list[str], columns: Sequence[str], places: dict[str, tuple[int, ...]]) -> list[int]:
    """Which columns the named terms or columns take, in order, each once."""
    found: dict[int, None] = {}
    for name in names:
        if name in places:
            found.update(dict.fromkeys(places[name]))
        elif name in columns:
            found[list(columns).index(name)] = None
        else:
            offered = dict.fromkeys([*places, *columns])
            raise UnknownChoice("terms", name, "is not in the model", f"choose from {', '.join(offered)}")
    return list(found)


def wald_test(rows: Matrix, beta: Vector, covariance: Matrix, df_den: float) -> JointTest:
    """The joint Wald test of L beta = 0.

    Args:
        rows: (q, p), L.
        beta: (p,).
        covariance: (p, p).
        df_den: denominator degrees of freedom, infinite for chi-squared.

    Raises:
        BadSample: a covariance that is singular on these contrasts.
    """
    spread = rows @ covariance @ rows.T
    lengths = np.sqrt(np.diag(spread))
    correlation = spread / np.outer(lengths, lengths)
    if np.linalg.eigvalsh(correlation)[0] < SINGULAR:
        raise BadSample(
            "terms",
            None,
            f"asks for {len(rows)} contrasts at once, more than the covariance has rank for",
            "test fewer",
        )
    scaled = (rows @ beta) / lengths
    q = len(rows)
    statistic = float(scaled @ np.linalg.solve(correlation, scaled)) / q
    if np.isinf(df_den):
        p_value = float(special.chdtrc(q, q * statistic))
        name = f"Wald test, chi-squared on {q} df divided by {q}"
    else:
        p_value = float(special.fdtrc(q, df_den, statistic))
        name = f"Wald test, F on {q} and {df_den:g} df"
    return JointTest(statistic, q, df_den, p_value, name)
