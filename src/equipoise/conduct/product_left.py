"""What is left to do about product: courses, infusions not finished, results to come, bags not accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, tzinfo

from equipoise.conduct.in_force import InForce
from equipoise.conduct.product_record import chain_of, lot_of, missed_courses
from equipoise.conduct.product_tables import RELEASED
from equipoise.conduct.trials import Trial
from equipoise.donors import LotBalance, lot_balance
from equipoise.ledger import Row, Tables


def open_courses(in_force: InForce, tables: Tables, participant: Row, today: date) -> Iterator[str]:
    """What is open of a participant's courses by a day."""
    code = str(participant["participant"])
    given = {str(row["course"]): row for row in tables.rows("infusion", participant=code)}
    for course, row in given.items():
        if row["stopped_at"] is None:
            yield f"the infusion of course {course} is not finished"
    allocated = tables.row("allocation", code)
    if allocated is None:
        return
    missed = missed_courses(tables, code)
    ends = [str(row["withdrawn_on"]) for row in tables.rows("withdrawal", participant=code)]
    planned = in_force.planned_courses(str(allocated["arm"]), date.fromisoformat(str(participant["randomised_on"])))
    for course, plan in planned.items():
        ended = any(plan.closes.isoformat() >= end for end in ends)
        if course not in given and course not in missed and not ended and plan.closes < today:
            yield f"course {course} is neither given nor recorded as missed"


def open_lots(tables: Tables, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Lots of which something is open, and what."""
    for row in tables.rows("lot"):
        lot = str(row["lot"])
        if row["status"] == "quarantine":
            yield lot, "is in quarantine"
        if row["status"] == RELEASED[1]:
            yield lot, "is released conditionally: record what is to come and release it, or recall it"
        balance = _balance(tables, row, zone)
        if not balance.closed:
            stock = f"{balance.in_stock} bags in the store, {balance.issued} issued, {balance.left_ml} mL left"
            yield lot, f"is not accounted for: {stock}"


def lot_balances(trial: Trial) -> tuple[LotBalance, ...]:
    """What became of every lot's bags; each must be infused or destroyed to its last mL in the end."""
    with trial.ledger.reading() as reader:
        zone = trial.newest(reader).timezone
        return tuple(_balance(reader, row, zone) for row in reader.rows("lot"))


def _balance(tables: Tables, row: Row, zone: tzinfo) -> LotBalance:
    lot = lot_of(tables, row, zone)
    return lot_balance(lot, {bag.id: chain_of(tables, bag.id) for bag in lot.bags})
