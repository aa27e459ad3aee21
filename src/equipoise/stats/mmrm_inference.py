"""What the fitted covariance's own uncertainty does to tests of the coefficients.

Satterthwaite's degrees of freedom, Kenward and Roger's covariance and F test, and rules that only count.
Everything is in the coordinates in which the coefficients' covariance Phi is the identity: a contrast l (p,) of the
coefficients is there `l @ root`. Shapes as in `mmrm_engine`. Equations: docs/methods/mmrm.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.mmrm_engine import Problem, Solution, by_place, positive_definite, transposed
from equipoise.stats.mmrm_structures import Array
from equipoise.stats.samples import Matrix, Vector

SAME_DF = 1e-8
NO_VARIANCE = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class ScaledF:
    """An F test whose statistic is multiplied by `factor` and referred to F on its q and `df` degrees of freedom."""

    factor: float
    df: float


def parameter_covariance(solution: Solution) -> tuple[Array, NDArray[np.bool_]]:
    """(B, q, q), the inverse of the observed information, and for which fits that is positive definite."""
    observed = solution.slopes.observed
    scale = np.sqrt(np.abs(np.diagonal(observed, axis1=-2, axis2=-1)))
    scale = np.where(scale > 0, scale, 1.0)
    both = scale[..., :, np.newaxis] * scale[..., np.newaxis, :]
    known = positive_definite(observed / both)
    inverse = np.linalg.inv(np.where(known[:, np.newaxis, np.newaxis], observed / both, np.eye(scale.shape[-1])))
    return (inverse + transposed(inverse)) / 2 / both, known


def adjusted(problem: Problem, solution: Solution, spread: Array, *, linear: bool) -> Array:
    """(B, p, p), Kenward and Roger's covariance of the coefficients, equation (kenward-roger).

    Args:
        problem: what was fitted.
        solution: its fit.
        spread: (B, q, q), covariance of the covariance parameters.
        linear: without the second derivatives of the structure.

    Source:
        Kenward and Roger (1997), Biometrics 53:983-997.
    """
    state, derivatives = solution.state, solution.slopes
    fits, p = state.beta.shape
    visits = problem.structure.visits
    own = len(problem.structure.parameters)
    rotated = state.weighted @ state.root[:, np.newaxis]
    total = np.zeros((fits, p, p))
    for group in range(problem.groups):
        theta = state.theta.reshape(fits, problem.groups, own)[:, group]
        block = spread[:, group * own : (group + 1) * own, group * own : (group + 1) * own]
        jacobian = problem.structure.jacobian(theta)
        entries = (jacobian @ block @ transposed(jacobian)).reshape(fits, visits, visits, visits, visits)
        # sum_ij w_ij V_i W V_j, for each cell's W.
        ordered = entries.transpose(0, 2, 3, 1, 4).reshape(fits, visits**2, visits**2)
        middle = (state.weight.reshape(fits, -1, visits**2) @ ordered).reshape(state.weight.shape)
        if problem.structure.hessian is not None and not linear:
            curve = problem.structure.hessian(theta).reshape(fits, visits**2, own * own)
            bend = (curve @ block.reshape(fits, own * own, 1)).reshape(fits, 1, visits, visits)
            middle = middle - bend / 4
        if problem.groups > 1:
            middle = middle * (problem.cell_group == group)[..., np.newaxis, np.newaxis]
        carried = by_place(middle, problem.row_cell) @ rotated
        total += transposed(rotated.reshape(fits, -1, p)) @ carried.reshape(fits, -1, p)
    turned = derivatives.turned.reshape(fits, -1, p, p)
    mixed = (spread @ derivatives.turned).reshape(turned.shape)
    total -= turned.transpose(0, 2, 1, 3).reshape(fits, p, -1) @ mixed.reshape(fits, -1, p)
    inner = np.eye(p) + total + transposed(total)
    return np.asarray(state.root @ inner @ transposed(state.root))


def satterthwaite(contrasts: Array, turned: Array, spread: Array) -> Array:
    """(B, m), Satterthwaite's degrees of freedom of contrasts (B, m, p), equation (satterthwaite).

    Source:
        Giesbrecht and Burns (1985), Biometrics 41:477-486.
    """
    fits, many, p = contrasts.shape
    pairs = (contrasts[..., :, np.newaxis] * contrasts[..., np.newaxis, :]).reshape(fits, many, p * p)
    slope = pairs @ transposed(turned)
    spread_of_variance = ((slope @ spread) * slope).sum(axis=-1)
    variance = (contrasts**2).sum(axis=-1)
    with np.errstate(divide="ignore"):
        return np.asarray(2 * variance**2 / np.maximum(spread_of_variance, NO_VARIANCE * variance**2))


def pooled_df(values: Vector) -> float:
    """Denominator degrees of freedom of a joint test from those of its orthogonal contrasts, equation (fai-cornelius).

    Source:
        Fai and Cornelius (1996), Journal of Statistical Computation and Simulation 54:363-378.
    """
    if np.ptp(values) <= SAME_DF * values.max():
        return float(values.mean())
    if values.min() <= 2:
        return 2.0
    total = float((values / (values - 2)).sum())
    return 2 * total / (total - values.size)


def orthogonal_contrasts(rows: Matrix, root: Matrix) -> Matrix:
    """(q, p), the contrasts L (q, p) turned so that their estimates are uncorrelated, times the root."""
    across = rows @ root
    _, vectors = np.linalg.eigh(across @ across.T)
    return np.asarray(vectors.T @ across)


def kenward_roger_f(rows: Matrix, root: Matrix, turned: Array, spread: Matrix) -> ScaledF | None:
    """Kenward and Roger's scale and degrees of freedom of a joint test, equation (kenward-roger-f).

    Args:
        rows: (q, p), L.
        root: (p, p).
        turned: (parameters, p, p).
        spread: (parameters, parameters).

    Returns:
        None where the approximation has no solution.
    """
    q = len(rows)
    basis, _ = np.linalg.qr((rows @ root).T)
    parts = (basis.T @ turned @ basis).reshape(len(turned), -1)
    traces = parts @ np.eye(q).ravel()
    first = float(traces @ spread @ traces)
    second = float((parts * (spread @ parts)).sum())
    if q == 1:
        return ScaledF(1.0, 2 / first)
    b = (first + 6 * second) / (2 * q)
    g = ((q + 1) * first - (q + 4) * second) / ((q + 2) * second)
    divisor = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / divisor, (q - g) / divisor, (q + 2 - g) / divisor
    if min(1 - second / q, 1 - c2 * b, 1 - c3 * b) <= 0:
        return None
    mean = 1 / (1 - second / q)
    variance = 2 / q * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    ratio = variance / (2 * mean**2)
    if not q * ratio > 1:
        return None
    df = 4 + (q + 2) / (q * ratio - 1)
    return ScaledF(df / (mean * (df - 2)), df)
