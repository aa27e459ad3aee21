"""Whether a body weight told at the bedside can be the participant's: a slip of the pen would defeat limits per kg."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal

from equipoise.donors.measured import EXACT, plain
from equipoise.donors.reasons import Reason

LEAST_KG, MOST_KG = Decimal(2), Decimal(350)
"""Between which weights a participant can be."""
ALLOWED_CHANGE = Decimal("0.15")
"""By which share of the weight recorded last that of the day may differ without a word."""


@dataclass(frozen=True, slots=True)
class RecordedWeight:
    """A weight on a form of the participant, and the day of its visit."""

    kg: Decimal
    on: date


def is_possible(weight_kg: Decimal) -> bool:
    """Whether anybody in a trial can weigh so much."""
    return weight_kg.is_finite() and LEAST_KG <= weight_kg <= MOST_KG


def weight_reasons(weight_kg: Decimal | None, recorded: RecordedWeight | None, accepted: str) -> Iterator[Reason]:
    """Why a weight told at the bedside is not taken; nothing when there is none or it may be.

    Args:
        weight_kg: as told.
        recorded: the one recorded last; None when there is none to compare with.
        accepted: why it differs from that; blank when nobody says so.

    Codes: `weight`, `weight-change`.
    """
    if weight_kg is None:
        return
    if not is_possible(weight_kg):
        problem = f"is not from {LEAST_KG} to {MOST_KG} kg"
        yield Reason("weight", "weight_kg", weight_kg, problem, "weigh the participant again")
    elif recorded is not None and is_possible(recorded.kg) and not accepted.strip():
        off = EXACT.divide(abs(weight_kg - recorded.kg), recorded.kg)
        if off > ALLOWED_CHANGE:
            allowed = plain(ALLOWED_CHANGE * 100)
            found = plain((off * 100).quantize(Decimal("0.1"), rounding=ROUND_UP))  # never as little as is allowed
            problem = f"is {found} % off the {plain(recorded.kg)} kg of {recorded.on}, more than {allowed} %"
            remedy = "weigh again; correct the recorded weight if that is wrong, or say why it changed (accept_weight)"
            yield Reason("weight-change", "weight_kg", weight_kg, problem, remedy)
