"""Intervals for a shift between two arms by inverting a re-randomisation test.

A shift d is kept when neither one-sided test of "the arms differ by d" rejects at half of one minus the
level. For the difference of means each re-drawn allocation changes sides at one known shift, so the limits
are order statistics of those shifts: nothing is searched for.
Equations: docs/methods/rerandomisation.md.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.refusals import BadSample
from equipoise.stats.samples import Matrix, Vector

OutcomeStatistic = Callable[[Vector, Matrix], Vector]
SAME = 1e-12  # relative; two sums of the same numbers in another order differ by less


def mean_differences(outcome: Vector, codes: Matrix) -> Vector:
    """Mean of the outcome under code 1 less that under code 0, for each row of codes.

    Args:
        outcome: (n,), best centred near zero.
        codes: (R, n), 0 or 1.

    Returns:
        (R,), in the outcome's units.
    """
    treated = codes.sum(axis=-1)
    total = outcome.sum()
    sums = codes @ outcome
    return np.asarray(sums / treated - (total - sums) / (codes.shape[-1] - treated), dtype=np.float64)


def changing_shifts(outcome: Vector, codes: Matrix, observed: Vector) -> tuple[Vector, NDArray[np.bool_]]:
    """For each allocation, the shift at which its difference of means equals the observed one.

    Equation (changing) in docs/methods/rerandomisation.md. Only allocations that differ from the observed one
    (or its mirror) have such a shift; the second value marks them.

    Returns:
        (R,) shifts, meaningful where marked, and (R,) marks.
    """
    here = mean_differences(outcome, observed[np.newaxis])[0]
    there = mean_differences(outcome, codes)
    overlap = mean_differences(observed, codes)
    moves = overlap < 1 - SAME
    return np.where(moves, (here - there) / np.where(moves, 1 - overlap, 1.0), 0.0), moves


def shift_limits(
    shifts: Vector, moves: NDArray[np.bool_], mass: Vector, always: float, tail: float
) -> tuple[float, float]:
    """The closed interval of shifts that neither one-sided test rejects.

    Args:
        shifts: (R,), where each allocation changes sides.
        moves: (R,), whether it does; one that does not counts for every shift.
        mass: (R,), the probability of each allocation.
        always: further probability that counts for every shift (the observed allocation in Monte Carlo).
        tail: the size of each one-sided test.

    Returns:
        Lower and upper limit; infinite where the allocations are too few to exclude anything.
    """
    base = always + float(mass[~moves].sum())
    largest = tail * (1 + SAME)  # an error of 0.1 in floats may be less than one division of ten
    if base > largest:
        return -np.inf, np.inf
    order = np.argsort(shifts[moves], kind="stable")
    ordered, masses = shifts[moves][order], mass[moves][order]
    from_below = base + np.cumsum(masses)
    from_above = base + np.cumsum(masses[::-1])
    lower = float(ordered[np.argmax(from_below > largest)])
    upper = float(ordered[::-1][np.argmax(from_above > largest)])
    return lower, upper


def arm_codes(allocations: NDArray[np.generic], observed: NDArray[np.generic]) -> tuple[Matrix, Vector]:
    """Arm codes as 0 and 1, in the order of the two codes that were observed.

    Raises:
        BadSample: unless exactly two arms occur, and every re-drawn allocation uses both.
    """
    arms = np.unique(observed)
    if arms.size != 2 or not np.isin(allocations, arms).all():
        raise BadSample("allocations", None, "do not hold exactly two arms", "give an interval for two arms only")
    codes = (allocations == arms[1]).astype(np.float64)
    treated = codes.sum(axis=-1)
    if ((treated == 0) | (treated == codes.shape[-1])).any():
        first = int(np.argmax((treated == 0) | (treated == codes.shape[-1])))
        raise BadSample(
            f"allocations[{first}]",
            None,
            "gives everyone the same arm, which has no difference of means",
            "draw from the procedure given that both arms occur, or test without an interval",
        )
    return codes, (observed == arms[1]).astype(np.float64)


def searched_limit(rejects: Callable[[float], bool], inside: float, step: float, side: int) -> float:
    """The last shift on one side that is not rejected, by doubling and then halving.

    Args:
        rejects: whether the one-sided test rejects a shift; assumed to change once on the way out.
        inside: a shift that is not rejected.
        step: a first distance, in the outcome's units.
        side: -1 to go down, 1 to go up.

    Returns:
        The limit to within 1e-10 of the step; infinite when no shift within 2**60 steps is rejected.
    """
    near, distance = 0.0, step
    while not rejects(inside + side * distance):
        near, distance = distance, 2 * distance
        if distance > step * 2.0**60:
            return side * np.inf
    while distance - near > 1e-10 * step:
        middle = (near + distance) / 2
        if rejects(inside + side * middle):
            distance = middle
        else:
            near = middle
    return inside + side * near
