"""Thousands of small symmetric systems at once, their entries first.

NumPy calls LAPACK once a matrix, which costs more than a matrix of four by four is worth. Here each entry is a
vector over all systems, and one pass of vector arithmetic does the same step of elimination in all of them.
Shapes: p by p entries, any axes (...) of systems after them, which broadcast.
"""

import math

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.samples import Matrix

FEW_SYSTEMS = 200  # up to which LAPACK's calls cost less than NumPy's own
LEAST_PIVOT = 1e-13  # of its diagonal entry: what a column adds to those before it, squared


def solved(matrix: Matrix, right: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
    """Solve positive definite systems by elimination without pivoting.

    Args:
        matrix: (p, p, ...), symmetric.
        right: (p, k, ...), k right-hand sides.

    Returns:
        (p, k, ...), zero where a system is not positive definite or not finite, and (...) which are.

    Source:
        Golub and Van Loan (2013), Matrix Computations, section 4.1: elimination of a positive definite matrix is
        stable without pivoting.
    """
    p, k = len(matrix), right.shape[1]
    axes = np.broadcast_shapes(matrix.shape[2:], right.shape[2:])
    if math.prod(axes) <= FEW_SYSTEMS:
        found = solved_by_lapack(*(entries_last(table, axes) for table in (matrix, right)))
        if found is not None:
            return found.transpose(-2, -1, *range(len(axes))), np.ones(axes, bool)
    table = np.empty((p, p + k, *axes))
    table[:, :p] = matrix
    table[:, p:] = right
    least = LEAST_PIVOT * np.einsum("aa...->a...", matrix)
    pivots, inverse = np.empty_like(table[:, 0]), np.empty_like(table[:, 0])
    # A system that is not positive definite may divide by zero; its answer is replaced.
    with np.errstate(all="ignore"):
        for j in range(p):
            pivots[j] = table[j, j]
            inverse[j] = 1 / table[j, j]
            rest = table[j + 1 :, j + 1 :]
            rest -= (table[j + 1 :, j] * inverse[j])[:, np.newaxis] * table[j, j + 1 :]
        answer = table[:, p:]
        for j in reversed(range(p)):
            answer[j] *= inverse[j]
            answer[:j] -= table[:j, j, np.newaxis] * answer[j]
    regular = np.asarray(((pivots > least) & (pivots > 0)).all(axis=0) & np.isfinite(answer).all(axis=(0, 1)))
    return np.where(regular, answer, 0.0), regular


def entries_last(table: Matrix, axes: tuple[int, ...]) -> Matrix:
    """(*axes, a, c), of a table (a, c, ...) whose systems broadcast to the axes."""
    whole = table if table.shape[2:] == axes else np.broadcast_to(table, (*table.shape[:2], *axes))
    return whole.transpose(*range(2, 2 + len(axes)), 0, 1)


def solved_by_lapack(systems: Matrix, right: Matrix) -> Matrix | None:
    """Solutions (..., p, k) one system at a time; None unless all are positive definite by the same measure.

    Args:
        systems: (..., p, p), symmetric.
        right: (..., p, k).
    """
    try:
        pivots = np.linalg.cholesky(systems).diagonal(axis1=-2, axis2=-1) ** 2
    except np.linalg.LinAlgError:
        return None
    if not (pivots > LEAST_PIVOT * systems.diagonal(axis1=-2, axis2=-1)).all():
        return None
    return np.asarray(np.linalg.solve(systems, right), dtype=np.float64)


def products(left: Matrix, right: Matrix) -> Matrix:
    """(a, c, ...), the sums over the third axis of products of two tables.

    Args:
        left: (a, m, ...).
        right: (c, m, ...); systems broadcast.
    """
    return np.asarray(np.einsum("am...,cm...->ac...", left, right))
