"""End a course at the bedside: what was given is computed and kept, and what must be noted is told."""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal

from equipoise.capture import number_text
from equipoise.conduct.acting import acting
from equipoise.conduct.details import Number, check_past, moment, moment_text, quantity
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_record import (
    bag_row,
    chain_of,
    check_reasons,
    held_bag,
    infusion_row,
    reasons_payload,
    regimen_of,
    step_payload,
)
from equipoise.conduct.refusing import OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.donors import (
    Finish,
    Handover,
    HeldBag,
    Measured,
    Reason,
    check_finish,
    finish_findings,
    given_dose,
    handover_reasons,
    holder,
    judge_dose,
)
from equipoise.ledger import Actor
from equipoise.protocol.interventions import Product, Regimen

AS_A_FLOAT_HOLDS = Context(prec=15)


def finish_infusion(
    trial: Trial,
    participant: str,
    course: str,
    *,
    stopped_at: datetime,
    volume_given_ml: Number,
    completed: bool,
    stop_reason: str = "",
    by: Actor,
    reason: str,
    at: datetime,
) -> tuple[Reason, ...]:
    """Record the end of an infusion; what it gave is computed and kept.

    Args:
        trial: the trial.
        participant: who received it.
        course: which course.
        stopped_at: when it ended.
        volume_given_ml: how much was given.
        completed: whether all was given that was meant to be.
        stop_reason: why not; blank when it was.
        by: who records it.
        reason: why.
        at: when (UTC).

    Returns:
        What must be noted, such as a dose beside the plan; the event keeps it.

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: when the course was not started, or is finished.
        NotAccepted: when a detail is none, or the end is to come.
        Against: with every reason why the end cannot be as it is told.
    """
    with acting(trial, Kind.INFUSION_FINISHED, by=by, reason=reason, at=at) as act:
        person = act.participant(participant)
        in_force = act.in_force_for(person)
        row = infusion_row(act, participant, course)
        if row["stopped_at"] is not None:
            raise OutOfOrder("course", course, f"was finished at {row['stopped_at']}", "leave it")
        stopped = moment("stopped_at", stopped_at)
        check_past("stopped_at", stopped, at)
        volume = quantity("volume_given_ml", volume_given_ml, "mL", zero=True)
        zone = in_force.timezone
        finish = Finish(stopped.astimezone(zone), volume, completed, stop_reason.strip())
        bag = bag_row(act, str(row["bag"]))
        product = in_force.product(str(bag["product"]))
        held = held_bag(act.writer, product, bag, zone)
        started = datetime.fromisoformat(str(row["started_at"])).astimezone(zone)
        chain = chain_of(act.writer, held.bag.id)
        step = Handover(held.bag.id, "infused", stopped, holder(chain) or by.id, "", "", None, volume)
        against = check_finish(finish, held.bag, started_at=started)
        if not against:
            against = handover_reasons(held.bag, chain, step)
        check_reasons("course", course, against)
        allocated = act.writer.row("allocation", participant)
        assert allocated is not None, "who was infused is randomised"
        regimen = regimen_of(in_force, str(allocated["arm"]), product.id)
        assert regimen is not None, "the product is given to an arm"
        weight = None if row["weight_kg"] is None else Decimal(str(row["weight_kg"]))
        found = finish_findings(finish, held, started_at=started, product=product, regimen=regimen, weight_kg=weight)
        payload = {
            "participant": participant,
            "course": course,
            "stopped_at": moment_text(stopped),
            "volume_given_ml": number_text(volume),
            "completed": completed,
            "stop_reason": finish.stop_reason or None,
            "dose": _dose(finish, held, product, regimen, weight),
            "findings": reasons_payload(found),
            **step_payload(step, chain),
        }
        act.append(payload, stream=participant, in_force=in_force)
    return found


def _dose(
    finish: Finish, held: HeldBag, product: Product, regimen: Regimen, weight: Decimal | None
) -> dict[str, str | None]:
    """What was given, exact numbers as text; None where only a bound or nothing is known."""
    given = given_dose(finish, held, product=product, weight_kg=weight)
    judged = judge_dose(product, regimen, given, weight)
    return {
        "cells_given": number_text(given.cells),
        "viable_nk": _exact(given.viable_nk),
        "cd3_per_kg": _exact(given.cd3_per_kg),
        "endotoxin_per_kg": _exact(given.endotoxin_per_kg),
        "planned_dose": None if judged.planned is None else number_text(judged.planned),
        "dose_share": _exact(judged.share),
        "text": judged.text,
    }


def _exact(measured: Measured | None) -> str | None:
    return None if measured is None or measured.exact is None else number_text(AS_A_FLOAT_HOLDS.plus(measured.exact))
