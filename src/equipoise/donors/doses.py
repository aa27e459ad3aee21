"""What a bag, or the part of it that was given, brings to a participant: cells, and T cells and endotoxin a kilogram.

Viable NK cells are cells x viability x share of NK cells; CD3+ cells a kilogram are cells x share of CD3+ cells /
weight; endotoxin a kilogram is concentration x volume / weight. All in exact decimals; a result that is only a bound
gives a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.donors.lots import Bag, LotResult
from equipoise.donors.measured import EXACT, Measured, exactly, plain
from equipoise.donors.release import measured_of
from equipoise.protocol.interventions import Product, Regimen

HUNDRED = Decimal(100)
UNITS = {"viable_nk": "cells", "cd3_per_kg": "cells/kg", "endotoxin_per_kg": "[EU]/kg"}

LimitVerdict = Literal["passes", "fails", "not judgeable"]
DoseVerdict = Literal["within", "below", "above", "not judgeable"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a lot's results say of its cells: shares in %, endotoxin in [EU]/mL; None where not known."""

    viability: Measured | None = None
    nk: Measured | None = None
    cd3: Measured | None = None
    endotoxin: Measured | None = None


@dataclass(frozen=True, slots=True)
class Quantities:
    """What a volume of a bag brings: cells, viable NK cells, CD3+ cells/kg, [EU]/kg; None where it cannot be told."""

    cells: Decimal
    viable_nk: Measured | None
    cd3_per_kg: Measured | None
    endotoxin_per_kg: Measured | None


@dataclass(frozen=True, slots=True)
class JudgedLimit:
    """A dose limit and what it says of a dose; `text` is the verdict as a sentence."""

    limit: str
    quantity: str
    verdict: LimitVerdict
    blocking: bool
    text: str


@dataclass(frozen=True, slots=True)
class JudgedDose:
    """A dose beside the plan, in the plan's units.

    `share` is given over planned; None where either is not known.
    """

    planned: Decimal | None
    given: Measured | None
    share: Measured | None
    verdict: DoseVerdict
    text: str


def contents_of(product: Product, results: Sequence[LotResult]) -> Contents:
    """The contents by the criteria that the product's `composition` names."""
    named = product.composition
    return Contents(
        viability=_share(measured_of(product, results, named.viability)),
        nk=_share(measured_of(product, results, named.nk)),
        cd3=_share(measured_of(product, results, named.cd3)),
        endotoxin=measured_of(product, results, named.endotoxin),
    )


def _share(measured: Measured | None) -> Measured | None:
    """A share of cells, which is at most 100 %: a bound such as > 95 ends there."""
    if measured is None or measured.high is not None or measured.low > HUNDRED:
        return measured
    return Measured(measured.low, HUNDRED, measured.low_included or measured.low == HUNDRED, high_included=True)


def quantities(
    bag: Bag, contents: Contents, *, weight_kg: Decimal | None, volume_given_ml: Decimal | None = None
) -> Quantities:
    """What a volume of a bag brings to a participant.

    Args:
        bag: its cells and volume.
        contents: of its lot.
        weight_kg: of the participant; None or not above zero when not known.
        volume_given_ml: from 0 to the bag's volume; None is the whole bag.
    """
    volume = bag.volume_ml if volume_given_ml is None else volume_given_ml
    assert 0 <= volume <= bag.volume_ml, "volume is within the bag"
    cells = EXACT.divide(EXACT.multiply(bag.cells, volume), bag.volume_ml)
    # Numerators first and one division at the end, so that 2.0e5 comes out as 2.0e5.
    part = EXACT.multiply(bag.cells, volume)
    weight = weight_kg if weight_kg is not None and weight_kg.is_finite() and weight_kg > 0 else None
    viable = cd3 = endotoxin = None
    if contents.viability is not None and contents.nk is not None:
        divisor = EXACT.multiply(bag.volume_ml, HUNDRED * HUNDRED)
        viable = exactly(part).times(contents.viability).times(contents.nk).over(divisor)
    if contents.cd3 is not None and weight is not None:
        divisor = EXACT.multiply(EXACT.multiply(bag.volume_ml, HUNDRED), weight)
        cd3 = exactly(part).times(contents.cd3).over(divisor)
    if contents.endotoxin is not None and weight is not None:
        endotoxin = exactly(volume).times(contents.endotoxin).over(weight)
    return Quantities(cells, viable, cd3, endotoxin)


def judge_limits(product: Product, dose: Quantities) -> tuple[JudgedLimit, ...]:
    """Every dose limit of the product; a quantity that is not known is not judgeable and never passes."""
    judged = []
    for limit in product.dose_limits:
        measured: Measured | None = getattr(dose, limit.quantity)
        answer = None if measured is None else measured.meets(limit.rule)
        verdict: LimitVerdict = "not judgeable" if answer is None else "passes" if answer else "fails"
        if measured is None:
            text = f"{limit.quantity} is not known: the weight or a result of the lot is missing"
        else:
            says = {"passes": "meets", "fails": "does not meet", "not judgeable": "does not tell whether it meets"}
            text = f"{limit.quantity} = {measured} {UNITS[limit.quantity]} {says[verdict]} {limit.rule}"
        judged.append(JudgedLimit(limit.id, limit.quantity, verdict, limit.blocking, text))
    return tuple(judged)


def planned_dose(regimen: Regimen, weight_kg: Decimal | None) -> Decimal | None:
    """The dose of one course; None when it goes by weight and there is none."""
    if regimen.dose.per != "kg":
        return regimen.dose.value
    if weight_kg is None or not (weight_kg.is_finite() and weight_kg > 0):
        return None
    return EXACT.multiply(regimen.dose.value, weight_kg)


def judge_dose(product: Product, regimen: Regimen, dose: Quantities, weight_kg: Decimal | None) -> JudgedDose:
    """A dose beside the plan.

    Viable NK cells are counted where the product's composition names viability and share of NK cells, otherwise all
    cells. Within is from planned x (1 - allowed_deviation) to planned x (1 + allowed_deviation), both included.
    """
    counts_viable = product.composition.viability is not None and product.composition.nk is not None
    given = dose.viable_nk if counts_viable else exactly(dose.cells)
    planned = planned_dose(regimen, weight_kg)
    what = "viable NK cells" if counts_viable else "cells"
    if given is None or planned is None:
        lacks = "weight" if planned is None else "viability or the share of NK cells"
        return JudgedDose(planned, given, None, "not judgeable", f"{what}: {lacks} is not known")
    off = EXACT.multiply(planned, regimen.dose.allowed_deviation)
    least, most = EXACT.subtract(planned, off), EXACT.add(planned, off)
    verdict = _dose_verdict(given, least, most)
    place = {"not judgeable": "which does not tell whether it is within"}.get(verdict, verdict)
    text = f"{given} {what} of {plain(planned)} planned, {place} {plain(least)} to {plain(most)}"
    return JudgedDose(planned, given, given.over(planned), verdict, text)


def _dose_verdict(given: Measured, least: Decimal, most: Decimal) -> DoseVerdict:
    if given.high is not None and (given.high < least or (given.high == least and not given.high_included)):
        return "below"
    if given.low > most or (given.low == most and not given.low_included):
        return "above"
    if given.low >= least and given.high is not None and given.high <= most:
        return "within"
    return "not judgeable"
