"""Re-randomisation tests of thousands of outcomes at once, under one set of re-drawn allocations.

Shapes: leading axes (...) are independent outcomes; n participants, R allocations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.stats.blocks import blocks
from equipoise.stats.refusals import BadSample
from equipoise.stats.rerandomise import TIE, Allocations, check_listed, checked_blocks, masses
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.shift_intervals import arm_codes


@dataclass(frozen=True, slots=True, eq=False)
class RerandomisationBatch:
    """Many tests: `statistic`, `p_value` and `mc_error` (...), as `rerandomisation` gives them one by one."""

    statistic: Vector
    p_value: Vector
    mc_error: Vector
    n_draws: int
    exact: bool


def rerandomisation_batch(
    outcome: ArrayLike,
    allocations: Allocations,
    observed: ArrayLike,
    *,
    exact: bool = False,
    probabilities: ArrayLike | None = None,
) -> RerandomisationBatch:
    """Test each outcome's difference of means between two arms, by allocations re-drawn from the trial's procedure.

    Args:
        outcome: (..., n), every participant's.
        allocations: as for `rerandomisation`, the same for every outcome.
        observed: (n,), the arms as allocated.
        exact: whether the allocations are all there are.
        probabilities: of each allocation when exact and not all alike.

    Raises:
        BadSample: shapes that do not agree, an outcome that is missing, or an allocation of everyone to one arm.
    """
    arms, values = np.asarray(observed), np.asarray(outcome, dtype=np.float64)
    drawn = np.concatenate(list(checked_blocks(allocations, arms)))
    if values.shape[-1:] != arms.shape or not np.isfinite(values).all():
        raise BadSample("outcome", values.shape, f"is not {arms.size} finite numbers each", "give (..., n)")
    codes, treated = arm_codes(drawn, arms)
    mass = masses(probabilities, len(codes), exact=exact)
    check_listed(drawn, arms, exact=exact)
    lead, flat = values.shape[:-1], values.reshape(-1, arms.size)
    centred = (flat - flat.mean(axis=1, keepdims=True)).T
    own, others = contrasts(treated[np.newaxis]), contrasts(codes)
    statistic, p_value = np.empty(len(flat)), np.empty(len(flat))
    for block in blocks(len(flat), len(codes)):
        here = (own @ centred[:, block])[0]
        null = np.abs(others @ centred[:, block])
        far = null >= np.abs(here) - TIE * np.maximum(np.abs(here), null.max(axis=0))
        statistic[block], p_value[block] = here, mass @ far + (0.0 if exact else 1 / (len(codes) + 1))
    p_value = np.minimum(1.0, p_value)
    error = np.zeros_like(p_value) if exact else np.sqrt(p_value * (1 - p_value) / (len(codes) + 1))
    return RerandomisationBatch(statistic.reshape(lead), p_value.reshape(lead), error.reshape(lead), len(codes), exact)


def contrasts(codes: Matrix) -> Matrix:
    """(R, n), what makes an outcome the difference of its means under code 1 and code 0."""
    treated = codes.sum(axis=1, keepdims=True)
    return np.asarray(codes / treated - (1 - codes) / (codes.shape[1] - treated))
