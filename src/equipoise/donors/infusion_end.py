"""Whether the end of an infusion is told as it can be, what it gave, and what must be noted of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from equipoise.donors.doses import Quantities, contents_of, judge_dose, judge_limits, quantities
from equipoise.donors.infusion import HeldBag
from equipoise.donors.lots import Bag, expiry
from equipoise.donors.measured import plain
from equipoise.donors.reasons import Reason, minute
from equipoise.protocol.interventions import Product, Regimen

LEFT_BEHIND = Decimal("0.1")
"""The share of a bag that may stay in bag and line when all was given."""
LONG, LONGEST = timedelta(days=1), timedelta(days=7)
"""How long an infusion lasts before that is noted, and before it is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an infusion: when, the volume given in mL, whether all was given and if not why."""

    stopped_at: datetime
    volume_given_ml: Decimal
    completed: bool
    stop_reason: str = ""


def check_finish(finish: Finish, bag: Bag, *, started_at: datetime) -> tuple[Reason, ...]:
    """Every reason why an end cannot be as it is told; empty when it can.

    Codes: `stop-before-start`, `lasted`, `volume`, `volume-completed`, `stop-reason`.
    """
    found = []
    if finish.stopped_at < started_at:
        problem = f"is before the start, {minute(started_at)}"
        found.append(Reason("stop-before-start", "stopped_at", finish.stopped_at, problem, "correct the time"))
    if finish.stopped_at - started_at > LONGEST:
        problem = f"is more than {LONGEST.days} days after the start, {minute(started_at)}"
        found.append(Reason("lasted", "stopped_at", finish.stopped_at, problem, "correct the time"))
    volume = finish.volume_given_ml
    if not volume.is_finite() or volume < 0:
        found.append(Reason("volume", "volume_given_ml", volume, "is below zero", "write the volume given in mL"))
    elif volume > bag.volume_ml:
        problem = f"is above the {plain(bag.volume_ml)} mL of bag {bag.id}"
        found.append(Reason("volume", "volume_given_ml", volume, problem, "correct the volume"))
    elif finish.completed and volume < (least := bag.volume_ml * (1 - LEFT_BEHIND)):
        whole = f"the {plain(bag.volume_ml)} mL of bag {bag.id}"
        problem = f"is below {plain(least)} of {whole}, for an infusion that was completed"
        remedy = "correct the volume, or record it as not completed and say why it was stopped"
        found.append(Reason("volume-completed", "volume_given_ml", volume, problem, remedy))
    if not finish.completed and not finish.stop_reason.strip():
        problem = "is missing for an infusion that was not completed"
        found.append(Reason("stop-reason", "stop_reason", None, problem, "say why it was stopped"))
    if finish.completed and finish.stop_reason.strip():
        problem = "is given for an infusion that was completed"
        found.append(Reason("stop-reason", "stop_reason", finish.stop_reason, problem, "leave one of the two out"))
    return tuple(found)


def finish_findings(
    finish: Finish,
    held: HeldBag,
    *,
    started_at: datetime,
    product: Product,
    regimen: Regimen,
    weight_kg: Decimal | None,
) -> tuple[Reason, ...]:
    """What must be noted of an infusion as it was given, and is recorded all the same since it happened.

    Codes: `lasted-long`, `expired-during`, `dose-deviation`, `dose-limit`.
    """
    found = []
    if finish.stopped_at - started_at > LONG:
        problem = f"is more than {LONG // timedelta(hours=1)} hours after the start, {minute(started_at)}"
        remedy = "check both times, and report a deviation"
        found.append(Reason("lasted-long", "stopped_at", finish.stopped_at, problem, remedy))
    ends = expiry(held.lot, product)
    if ends is not None and finish.stopped_at > ends:
        problem = f"went by before the infusion ended, {minute(finish.stopped_at)}"
        found.append(Reason("expired-during", f"lot {held.lot.id} expiry", ends, problem, "report a deviation"))
    dose = given_dose(finish, held, product=product, weight_kg=weight_kg)
    judged = judge_dose(product, regimen, dose, weight_kg)
    if judged.verdict != "within":
        found.append(Reason("dose-deviation", "dose", judged.verdict, judged.text, "report a deviation"))
    found += [
        Reason("dose-limit", f"dose limit {limit.limit}", None, limit.text, "report a deviation")
        for limit in judge_limits(product, dose)
        if limit.verdict != "passes"
    ]
    return tuple(found)


def given_dose(finish: Finish, held: HeldBag, *, product: Product, weight_kg: Decimal | None) -> Quantities:
    """What the participant received."""
    contents = contents_of(product, held.results)
    return quantities(held.bag, contents, weight_kg=weight_kg, volume_given_ml=finish.volume_given_ml)
