"""Lots, bags and their chains as the rules read them, from the tables; and steps of custody as events keep them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, cast

from equipoise.capture import number_text
from equipoise.conduct.acting import Act
from equipoise.conduct.details import moment_text
from equipoise.conduct.harm_tables import codes_of
from equipoise.conduct.in_force import InForce
from equipoise.conduct.matching import match_that_stands
from equipoise.conduct.recorded_weight import recorded_weight
from equipoise.conduct.refusing import Against, NotFound, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.donors import (
    Bag,
    DonorMatch,
    Excursion,
    Handover,
    HeldBag,
    Lot,
    LotResult,
    Reason,
    Standing,
    bag_status,
    chain_excursions,
    handover_reasons,
)
from equipoise.ledger import Row, Tables
from equipoise.protocol.interventions import Product, Regimen
from equipoise.safety.adverse_events import counted_term

RELEASERS = ("conditionally_released_by", "released_by")


def lot_row(tables: Tables, lot: str) -> Row:
    """The lot's row.

    Raises:
        NotFound: when there is no lot of that code.
    """
    row = tables.row("lot", lot)
    if row is None:
        raise NotFound("lot", lot, "is not in this trial", "check the code, or receive the lot")
    return row


def bag_row(act: Act, bag: str) -> Row:
    """The bag's row.

    Raises:
        NotFound: when there is none of that code, or it is issued to a participant of a site that is not the person's.
    """
    row = act.writer.row("bag", bag)
    if row is None or not _may_see(act, row):
        raise NotFound("bag", bag, "is not in this trial", "check the code")
    return row


def infusion_row(act: Act, participant: str, course: str) -> Row:
    """The row of an infusion that was started.

    Raises:
        OutOfOrder: when it was not.
    """
    row = act.writer.row("infusion", participant, course)
    if row is None:
        raise OutOfOrder("course", course, f"was not started for {participant}", "start the infusion first")
    return row


def _may_see(act: Act, bag: Row) -> bool:
    if act.by.site is None or bag["participant"] is None:
        return True
    participant = act.writer.row("participant", str(bag["participant"]))
    return participant is not None and participant["site"] == act.by.site


def lot_of(tables: Tables, row: Row, zone: tzinfo) -> Lot:
    """A lot with its bags, its times in the trial's zone."""
    ends = row["expires_at"]
    return Lot(
        str(row["lot"]),
        str(row["product"]),
        str(row["donor"]),
        date.fromisoformat(str(row["donated_on"])),
        datetime.fromisoformat(str(row["made_at"])).astimezone(zone),
        datetime.fromisoformat(str(row["received_at"])).astimezone(zone),
        tuple(bag_of(bag) for bag in tables.rows("bag", lot=row["lot"])),
        None if ends is None else datetime.fromisoformat(str(ends)).astimezone(zone),
        str(row["status"]),  # type: ignore[arg-type]
    )


def bag_of(row: Row) -> Bag:
    """A bag's contents."""
    return Bag(str(row["bag"]), Decimal(str(row["cells"])), Decimal(str(row["volume_ml"])))


def results_of(tables: Tables, lot: str) -> tuple[LotResult, ...]:
    """A lot's results in the order recorded."""
    return tuple(
        LotResult(
            str(row["criterion"]),
            str(row["value"]),
            datetime.fromisoformat(str(row["at"])),
            None if row["unit"] is None else str(row["unit"]),
            str(row["invalidates"] or ""),
        )
        for row in tables.rows("lot_result", lot=lot)
    )


def chain_of(tables: Tables, bag: str) -> tuple[Handover, ...]:
    """A bag's handovers in order."""
    return tuple(
        Handover(
            bag,
            str(row["event"]),  # type: ignore[arg-type]
            datetime.fromisoformat(str(row["at"])),
            str(row["giver"]),
            str(row["receiver"]),
            str(row["place"]),
            _decimal(row["celsius"]),
            _decimal(row["volume_ml"]),
            None if row["participant"] is None else str(row["participant"]),
            None if row["course"] is None else str(row["course"]),
        )
        for row in tables.rows("custody", bag=bag)
    )


def held_bag(tables: Tables, product: Product, row: Row, zone: tzinfo) -> HeldBag:
    """A bag as it is when it is to be given: its lot, results, where it stands, how warm it was."""
    made = lot_row(tables, str(row["lot"]))
    lot = lot_of(tables, made, zone)
    chain = chain_of(tables, str(row["bag"]))
    return HeldBag(
        bag_of(row),
        lot,
        results_of(tables, lot.id),
        str(row["status"]),  # type: ignore[arg-type]
        None if row["participant"] is None else str(row["participant"]),
        None if row["course"] is None else str(row["course"]),
        open_excursions(product, row, chain),
        donor_not_eligible=_not_eligible(tables, lot.donor),
        released_by=tuple(str(made[how]) for how in RELEASERS if made[how] is not None),
    )


def open_excursions(product: Product, row: Row, chain: Sequence[Handover]) -> tuple[Excursion, ...]:
    """Temperatures outside storage that the quality unit has not accepted."""
    return chain_excursions(product.storage, chain[int(str(row["accepted_steps"] or 0)) :])


def _not_eligible(tables: Tables, donor: str) -> str:
    """Why a donor is not eligible now; blank when they are."""
    row = tables.row("donor", donor)
    assert row is not None, "a lot has a donor"
    return "" if row["eligible"] else str(row["eligibility_note"] or "nobody has judged it")


def standing_of(
    trial: Trial, in_force: InForce, tables: Tables, participant: Row, product: str, *, by_day: date
) -> Standing:
    """How a participant stands towards a product on a day."""
    code = str(participant["participant"])
    allocated = tables.row("allocation", code)
    products = () if allocated is None else in_force.products_of(str(allocated["arm"]))
    withdrawn = participant["withdrawn_on"] is not None or tables.row("withdrawal", code, "intervention") is not None
    return Standing(
        code,
        randomised=allocated is not None,
        withdrawn=withdrawn,
        products=frozenset(products),
        matches=_matches(in_force, tables, code),
        given=frozenset(str(row["course"]) for row in tables.rows("infusion", participant=code)),
        missed=missed_courses(tables, code),
        visits_done=frozenset(str(row["visit"]) for row in tables.rows("visit", participant=code, status="done")),
        stopped=_stopped(in_force, tables, code, product),
        weight=recorded_weight(in_force, tables, code, by_day=by_day),
    )


def missed_courses(tables: Tables, participant: str) -> frozenset[str]:
    """The courses recorded as missed, but for those of which that was taken back."""
    return frozenset(
        str(row["course"]) for row in tables.rows("missed_course", participant=participant, taken_back_on=None)
    )


def _matches(in_force: InForce, tables: Tables, participant: str) -> dict[str, DonorMatch] | None:
    """Donors matched under the rule in force, whose typing still stands."""
    if in_force.protocol.donor_matching is None:
        return None
    rule = in_force.deciding_rule
    found = {}
    for row in tables.rows("match", participant=participant, rule=rule.name, rule_version=rule.version):
        donor = str(row["donor"])
        if match_that_stands(tables, participant, donor) is not None:
            found[donor] = DonorMatch(str(row["verdict"]), str(row["accepted"] or ""))
    return found


def _stopped(in_force: InForce, tables: Tables, participant: str, product: str) -> str:
    """Why the protocol stops a product for a participant; blank when it does not."""
    for part in in_force.protocol.interventions:
        regimen = next((known for known in in_force.protocol.regimens if known.id == part.regimen), None)
        if part.product != product or regimen is None or regimen.stop_if is None:
            continue
        rows = tables.rows("adverse_event", participant=participant)
        events = [_event(in_force, row, part.id) for row in rows if row["voided_at"] is None]
        if regimen.stop_if.evaluate({"ae": events}) is not False:
            return f"stop_if of {regimen.id} is met or cannot be told ({regimen.stop_if})"
    return ""


def _event(in_force: InForce, row: Row, intervention: str) -> dict[str, Any]:
    """An adverse event as a rule reads it, by its highest grade; `related` is for the intervention at hand."""
    related = json.loads(str(row["related"])).get(intervention)
    onset = date.fromisoformat(str(row["onset"]))
    assert in_force.protocol.safety is not None, "an event is collected by rules"
    term = counted_term(in_force.protocol.safety.adverse_events, cast(str | None, row["term"]), codes_of(row))
    read = {"term": term, "grade": row["highest_grade"], "serious": bool(row["serious"])}
    return {**row, **read, "related": related, "onset": onset}


def regimen_of(in_force: InForce, arm: str | None, product: str) -> Regimen | None:
    """How an arm receives a product; as any arm does when this one does not, so that its rules can be asked."""
    regimens = {} if arm is None else in_force.regimens_of(arm)
    if product in regimens:
        return regimens[product]
    every = [in_force.regimens_of(other) for other in in_force.protocol.arm_ids]
    return next((regimens[product] for regimens in every if product in regimens), None)


def step_payload(new: Handover, chain: Sequence[Handover], **more: object) -> dict[str, Any]:
    """A step of custody as an event keeps it, and how the bag stands after it."""
    step = {
        "at": moment_text(new.at.astimezone(UTC)),
        "event": new.step,
        "giver": new.giver,
        "receiver": new.receiver,
        "place": new.place,
        "celsius": None if new.celsius is None else number_text(new.celsius),
        "volume_ml": None if new.volume_ml is None else number_text(new.volume_ml),
        "participant": new.participant,
        "course": new.course,
    }
    now: dict[str, Any] = {"status": bag_status([*chain, new])}
    if new.step in ("issued", "returned"):
        now |= {"participant": new.participant, "course": new.course}
    return {"bag": new.bag, "position": len(chain) + 1, "step": step, "bag_now": now, **more}


def check_step(bag: Bag, chain: Sequence[Handover], new: Handover) -> None:
    """Let a step of custody pass.

    Raises:
        Against: with every reason.
    """
    check_reasons("bag", bag.id, handover_reasons(bag, chain, new))


def check_reasons(field: str, value: str, reasons: Sequence[Reason]) -> None:
    """Let an act pass that nothing speaks against.

    Raises:
        Against: with every reason.
    """
    if reasons:
        raise Against(field, value, reasons)


def reasons_payload(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    """Reasons as an event keeps them."""
    return [{"code": reason.code, "text": str(reason)} for reason in reasons]


def _decimal(cell: object) -> Decimal | None:
    return None if cell is None else Decimal(str(cell))
