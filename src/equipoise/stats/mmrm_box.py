"""The modified Box correction: a test for trials too small for Kenward and Roger's.

The F test of ordinary least squares, which estimates nothing but means, rescaled and with the degrees of freedom that
the fitted covariance of the visits gives it. Equation (box) in docs/methods/mmrm.md.
"""

import numpy as np
from scipy import special

from equipoise.stats.coefficients import JointTest
from equipoise.stats.mmrm_engine import Problem, by_place, transposed
from equipoise.stats.mmrm_structures import Array, covariance_by_group
from equipoise.stats.refusals import NotIdentified
from equipoise.stats.samples import Matrix, Vector


def box_test(problem: Problem, theta: Array, rows: Matrix, shift: Vector) -> JointTest:
    """Test that contrasts L (q, p) of the engine's coefficients are zero.

    Args:
        problem: one fit.
        theta: (1, parameters).
        rows: L, in the engine's coordinates.
        shift: (p,), coefficients taken off the outcome before, in the same coordinates.

    Raises:
        NotIdentified: where the approximating F has no finite variance.

    Source:
        Skene and Kenward (2010), Statistics in Medicine 29:2838-2856.
    """
    design, p = problem.design[0], problem.design.shape[-1]
    q, seen = len(rows), problem.seen[0]
    sigma = by_place(covariance_by_group(problem.structure, theta, problem.groups), problem.cell_group)[0]
    sigma = sigma * (seen[:, :, np.newaxis] & seen[:, np.newaxis, :])
    by_row = by_place(sigma[np.newaxis], problem.row_cell)[0]
    flat = design.reshape(-1, p)
    # Coordinates in which the design's cross-product is the identity: (X C)' (X C) = I.
    half = np.linalg.inv(np.linalg.cholesky(flat.T @ flat)).T
    turned = design @ half
    once = by_row @ turned
    between = turned.reshape(-1, p).T @ once.reshape(-1, p)
    twice = once.reshape(-1, p).T @ once.reshape(-1, p)
    estimate = turned.reshape(-1, p).T @ problem.outcome[0].ravel()
    basis, _ = np.linalg.qr((rows @ half).T)
    tested = basis.T @ between @ basis
    count = problem.count[0]
    total = float(count @ np.trace(sigma, axis1=-2, axis2=-1)) - float(np.trace(between))
    squares = float(count @ (sigma * transposed(sigma)).sum(axis=(-2, -1))) - 2 * float(np.trace(twice))
    squares += float((between * between.T).sum())
    spread = float((tested * tested.T).sum()) / float(np.trace(tested)) ** 2 + squares / total**2
    if not q * spread > 1:
        raise NotIdentified(
            "terms", None, "has no modified Box correction", "test fewer contrasts, or use kenward-roger-linear"
        )
    df = (q * (4 * spread + 1) - 2) / (q * spread - 1)
    residual = float((problem.outcome**2).sum() + np.trace(problem.rest[0], axis1=-2, axis2=-1).sum())
    residual -= float(estimate @ estimate)
    whole = basis.T @ (estimate + np.linalg.solve(half, shift))
    ratio = float(whole @ whole) / residual
    statistic = ratio / (float(np.trace(tested)) / total) * df / (df - 2)
    return JointTest(
        statistic,
        q,
        df,
        float(special.fdtrc(q, df, statistic)),
        f"least-squares F with the modified Box correction (Skene and Kenward 2010), F on {q} and {df:g} df",
    )
