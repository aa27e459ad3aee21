"""What the fitted covariance's own uncertainty does to tests of the coefficients.

Satterthwaite's degrees of freedom, Kenward and Roger's covariance and F test, and rules that only count.
Everything is in the coordinates in which the coefficients' covariance Phi is the identity: a contrast l (p,) of the
coefficients is there `l @ root`. Shapes as in `mmrm_engine`. Equations: docs/methods/mmrm.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.mmrm_engine import Problem, Solution, by_place, positive_definite, traces, transposed
from equipoise.stats.mmrm_structures import Array, covariance_by_group
from equipoise.stats.samples import Matrix, Vector

SAME_DF = 1e-8
NO_VARIANCE = 1e-300
NO_CORRELATION = 1e-8
NO_INFORMATION = 1e-12  # relative to what the same visits would tell of a parameter if the coefficients were known


@dataclass(frozen=True, slots=True, eq=False)
class ScaledF:
    """F tests whose statistics are multiplied by `factor` (B,) and referred to F on their q and `df` (B,).

    Where `exists` (B,) is False the approximation has no solution; `factor` is zero and `df` one there.
    """

    factor: Vector
    df: Vector
    exists: NDArray[np.bool_]


def parameter_covariance(problem: Problem, solution: Solution) -> tuple[Array, NDArray[np.bool_]]:
    """(B, q, q), the inverse of the observed information, and for which fits the parameters are determined.

    They are where the information is positive definite, is more than rounding for each and, under sp_exp, the range has
    not run to zero.
    """
    observed = solution.slopes.observed
    told = np.diagonal(observed, axis1=-2, axis2=-1) > NO_INFORMATION * without_coefficients(problem, solution)
    scale = np.sqrt(np.abs(np.diagonal(observed, axis1=-2, axis2=-1)))
    scale = np.where(scale > 0, scale, 1.0)
    both = scale[..., :, np.newaxis] * scale[..., np.newaxis, :]
    known = positive_definite(observed / both) & told.all(axis=-1)
    if problem.structure.name == "sp_exp":
        sigma = covariance_by_group(problem.structure, solution.state.theta, problem.groups)
        known = known & (sigma[..., 0, 1:].max(axis=-1) > NO_CORRELATION * sigma[..., 0, 0]).all(axis=-1)
    inverse = np.linalg.inv(np.where(known[:, np.newaxis, np.newaxis], observed / both, np.eye(scale.shape[-1])))
    return (inverse + transposed(inverse)) / 2 / both, known


def without_coefficients(problem: Problem, solution: Solution) -> Array:
    """(B, q), the expected information of each parameter if the coefficients were known: half of sum tr(V W V W)."""
    weight, theta = solution.state.weight, solution.state.theta
    found = []
    for group in range(problem.groups):
        own = (problem.cell_group == group) * problem.count
        jacobian = problem.structure.jacobian(theta.reshape(len(theta), problem.groups, -1)[:, group])
        whole = traces(weight, own[..., np.newaxis, np.newaxis] * weight)
        found.append(((whole @ jacobian) * jacobian).sum(axis=-2) / 2)
    return np.concatenate(found, axis=-1)


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


def pooled_df(values: Array) -> Vector:
    """(B,), degrees of freedom of joint tests from those of their orthogonal contrasts (B, q), (fai-cornelius).

    Source:
        Fai and Cornelius (1996), Journal of Statistical Computation and Simulation 54:363-378.
    """
    q = values.shape[-1]
    alike = np.ptp(values, axis=-1) <= SAME_DF * values.max(axis=-1)
    few = values.min(axis=-1) <= 2
    safe = np.where((few | alike)[..., np.newaxis], 3.0, values)
    total = (safe / (safe - 2)).sum(axis=-1)
    pooled = 2 * total / np.where(total > q, total - q, 1.0)
    return np.asarray(np.where(alike, values.mean(axis=-1), np.where(few, 2.0, pooled)))


def orthogonal_contrasts(rows: Matrix, covariance: Array) -> Array:
    """(B, q, p), contrasts (q, p) combined so that under a covariance (B, p, p) they are uncorrelated."""
    _, vectors = np.linalg.eigh(rows @ covariance @ rows.T)
    return np.asarray(transposed(vectors) @ rows)


def kenward_roger_f(across: Array, turned: Array, spread: Array) -> ScaledF:
    """Kenward and Roger's scale and degrees of freedom of joint tests, equation (kenward-roger-f).

    Args:
        across: (B, q, p), the contrasts times the root.
        turned: (B, parameters, p p).
        spread: (B, parameters, parameters).

    Source:
        Kenward and Roger (1997), Biometrics 53:983-997.
    """
    fits, q, p = across.shape
    basis = np.linalg.qr(transposed(across))[0][:, np.newaxis]
    parts = transposed(basis) @ turned.reshape(fits, -1, p, p) @ basis
    traces = np.trace(parts, axis1=-2, axis2=-1)[:, np.newaxis]
    flat = parts.reshape(fits, -1, q * q)
    first = (traces @ spread @ transposed(traces))[:, 0, 0]
    second = (flat * (spread @ flat)).sum(axis=(-2, -1))
    if q == 1:
        return ScaledF(np.ones(fits), 2 / first, np.ones(fits, bool))
    b = (first + 6 * second) / (2 * q)
    g = ((q + 1) * first - (q + 4) * second) / ((q + 2) * second)
    divisor = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / divisor, (q - g) / divisor, (q + 2 - g) / divisor
    left = np.stack([1 - second / q, 1 - c2 * b, 1 - c3 * b])
    exists = (left > 0).all(axis=0)
    left = np.where(exists, left, 1.0)
    # ratio is V / (2 E^2), the variance of the statistic over twice its squared mean.
    ratio = left[0] ** 2 * (1 + c1 * b) / (q * left[1] ** 2 * left[2])
    exists = exists & (q * ratio > 1)
    df = 4 + (q + 2) / np.where(exists, q * ratio - 1, 1.0)
    return ScaledF(np.where(exists, left[0] * df / (df - 2), 0.0), np.where(exists, df, 1.0), exists)
