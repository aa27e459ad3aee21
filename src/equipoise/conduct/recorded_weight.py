"""The body weight that stands on the forms, beside which that of the bedside is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from equipoise.conduct.in_force import InForce
from equipoise.conduct.refusing import NotFound
from equipoise.conduct.trials import Trial
from equipoise.donors import RecordedWeight
from equipoise.ledger import Row, Tables

WEIGHT, KILOGRAMS = "WEIGHT", "kg"


def last_weight(trial: Trial, participant: str, *, by_day: date) -> RecordedWeight | None:
    """The weight of a participant's latest visit up to a day that holds one; None when none does.

    Raises:
        NotFound: when the participant is not in this trial.
    """
    with trial.ledger.reading() as reader:
        row = reader.row("participant", participant)
        if row is None:
            raise NotFound("participant", participant, "is not in this trial", "check the code")
        return recorded_weight(trial.at_site(reader, str(row["site"])), reader, participant, by_day=by_day)


def recorded_weight(in_force: InForce, tables: Tables, participant: str, *, by_day: date) -> RecordedWeight | None:
    """The latest answer, up to a day, to an item of `cdash: WEIGHT` that was recorded in kg."""
    days = {
        str(row["visit"]): date.fromisoformat(str(row["date"]))
        for row in tables.rows("visit", participant=participant, status="done")
    }
    found = [
        RecordedWeight(Decimal(str(row["value"])), days[str(row["visit"])])
        for row in _answers(in_force, tables, participant)
        if row["value"] is not None and row["unit"] == KILOGRAMS and days.get(str(row["visit"]), date.max) <= by_day
    ]
    return max(found, key=lambda weight: weight.on, default=None)


def _answers(in_force: InForce, tables: Tables, participant: str) -> Iterator[Row]:
    for name, item in in_force.protocol.items.items():
        if item.cdash == WEIGHT:
            form, _, item_id = name.partition(".")
            yield from tables.rows("value", participant=participant, form=form, item=item_id)
