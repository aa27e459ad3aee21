"""Decide the outcome of many values by one plan: comparisons of whole numbers, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.grading import Bound
from equipoise.safety.plans import CLINICAL, DISAGREED, HIGHER, RANK_BITS, UNSEEN, WITHIN, Plan

Array = NDArray[Any]


def decide(plan: Plan, values: Array, lln: Array, uln: Array, base: Array, places: int) -> Array:
    """The outcome of each value as a code for `Plan.told`.

    Args:
        plan: how to grade; not settled.
        values: (n,), whole numbers, in 10^-places of the reported unit.
        lln: (n,), likewise; not looked at where the plan says that it is missing.
        uln: (n,), likewise.
        base: (n,), likewise.
        places: decimal places of the numbers.

    Returns:
        (n,), integers. Exact as long as no product of a number and a limit's factor overflows the arrays' type.
    """
    numbers = {"": None, "LLN": lln, "ULN": uln, "BASE": base}
    scaled = values * 10**plan.places

    def limit(bound: Bound, reference: str) -> Any:
        factor = int(bound.factor.scaleb(plan.places))
        array = numbers[reference]
        return factor * 10**places if array is None else array * factor

    def beyond(bound: Bound | None, *, lower: bool, floor: str) -> Array:
        """Whether values are on the range's side of a bound; one that cannot be seen lets all pass."""
        inclusive = bound is not None and bound.inclusive
        if bound is None:
            return np.ones(len(values), dtype=bool)
        reference: str = bound.reference
        if reference and plan.limits.of(reference) != "usable":
            if not floor or reference != "BASE":
                return np.ones(len(values), dtype=bool)
            reference, inclusive = floor, False
        end = limit(bound, reference)
        if lower:
            return np.asarray(scaled >= end if inclusive else scaled > end, dtype=bool)
        return np.asarray(scaled <= end if inclusive else scaled < end, dtype=bool)

    matches = []
    for rung in plan.rungs:
        # An abnormal baseline lies beyond the limit of normal, so that a multiple of it does too.
        above = "ULN" if rung.baseline == "abnormal" and rung.direction == "H" and plan.limits.uln == "usable" else ""
        below = "LLN" if rung.baseline == "abnormal" and rung.direction == "L" and plan.limits.lln == "usable" else ""
        matches.append(
            beyond(rung.values.lower, lower=True, floor=above) & beyond(rung.values.upper, lower=False, floor=below)
        )
    return _outcomes(plan, matches, values, lln, uln)


def _outcomes(plan: Plan, matches: Sequence[Array], values: Array, lln: Array, uln: Array) -> Array:
    grades = np.array([0, *(rung.grade for rung in plan.rungs)])

    def highest(ranks: tuple[int, ...]) -> Array:
        found = np.zeros(len(values), dtype=np.int64)
        for rank in ranks:  # they rise, so that a later one is graver
            found[matches[rank - 1]] = rank
        return found

    unseen = np.zeros(len(values), dtype=bool)
    higher, disagreed = unseen.copy(), unseen.copy()
    first: Array | None = None
    worst = np.zeros(len(values), dtype=np.int64)
    for answers in plan.worlds:
        least: Array | None = None
        most = np.zeros(len(values), dtype=np.int64)
        for world in answers:
            rank, hidden = highest(world.holds), highest(world.blind)
            unseen |= (rank == 0) & (hidden > 0)
            higher |= (rank > 0) & (grades[hidden] > grades[rank])
            least = rank if least is None else np.where(grades[rank] < grades[least], rank, least)
            most = np.where(grades[rank] > grades[most], rank, most)
        assert least is not None
        if first is None:
            first, worst = least, most
        else:
            disagreed |= (grades[least] != grades[first]) | (grades[most] != grades[worst])
    assert first is not None
    given = worst if plan.unanswered == "worst" else first
    clinical = np.zeros(len(values), dtype=bool)
    for direction, _ in plan.clinical:
        limit, state = (uln, plan.limits.uln) if direction == "H" else (lln, plan.limits.lln)
        normal = np.zeros(len(values), dtype=bool)
        if state == "usable":
            normal = np.asarray(values <= limit if direction == "H" else values >= limit, dtype=bool)
        clinical |= ~normal
    clinical &= given == 0
    upward = np.array([False, *(rung.direction == "H" for rung in plan.rungs)])[given]
    within = np.zeros(len(values), dtype=bool)
    if plan.limits.uln == "usable":
        within |= upward & np.asarray(values <= uln, dtype=bool)
    if plan.limits.lln == "usable":
        within |= ~upward & np.asarray(values >= lln, dtype=bool)
    within &= given > 0
    code: Array = first | (worst << RANK_BITS)
    for flag, holds in (
        (UNSEEN, unseen),
        (DISAGREED, disagreed),
        (CLINICAL, clinical),
        (HIGHER, higher),
        (WITHIN, within),
    ):
        code = code | np.where(holds, flag, 0)
    return code
