"""Whether a participant may enter: what is known, and what each criterion makes of it.

An inclusion rule must be known to be true and an exclusion rule known to be false; what is not known never passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from equipoise.capture import value_of
from equipoise.conduct.donor_tables import PARTICIPANT
from equipoise.conduct.in_force import InForce
from equipoise.conduct.refusing import NotEligible, listed
from equipoise.conduct.serving import serving_donors
from equipoise.conduct.tissue_typing import stored_person
from equipoise.conduct.trials import Trial
from equipoise.ledger import Row, Tables
from equipoise.protocol.rules import Rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """One criterion, and whether its rule is true, false or not known (None) of a participant."""

    criterion: str
    category: Literal["INCLUSION", "EXCLUSION"]
    text: str
    value: bool | None

    @property
    def passes(self) -> bool:
        """Whether it lets the participant in: known, and as it must be."""
        return self.value is (self.category == "INCLUSION")

    @property
    def fails(self) -> bool:
        """Whether it keeps the participant out: known, and not as it must be."""
        return self.value is (self.category == "EXCLUSION")

    def __str__(self) -> str:
        """`INCL01 not met: Age 18 to 65 years`; `not known` where it is not known."""
        if self.value is None:
            return f"{self.criterion} not known: {self.text}"
        state = "not met" if self.category == "INCLUSION" else "present"
        return f"{self.criterion} {state}: {self.text}"


def verdicts(trial: Trial, in_force: InForce, tables: Tables, participant: Row) -> tuple[Verdict, ...]:
    """Every criterion of the protocol in force, in its order."""
    record = eligibility_record(in_force, tables, participant)
    if in_force.protocol.donor_matching is not None:
        record |= matching_record(trial, in_force, tables, str(participant["participant"]))
    return tuple(
        Verdict(criterion.id, category, criterion.text, _truth(criterion.rule, record))
        for category, criterion in in_force.protocol.criteria
    )


def check_eligible(code: str, found: Sequence[Verdict]) -> None:
    """Let a participant pass whom every criterion lets in.

    Raises:
        NotEligible: naming every criterion that does not.
    """
    against = [verdict for verdict in found if not verdict.passes]
    if against:
        remedy = "record what is missing or correct what is wrong; otherwise record the screen failure"
        raise NotEligible("participant", code, listed(against), remedy)


def eligibility_record(in_force: InForce, tables: Tables, participant: Row) -> dict[str, Any]:
    """What a criterion reads: items of screening and baseline forms, the consent, the site.

    Where a form was recorded at more than one of these visits, the last visit's answers count.
    """
    items = in_force.protocol.items
    record: dict[str, Any] = {
        name: None if text is None else value_of(items[name], text)
        for name, text in answers_before(in_force, tables, participant).items()
    }
    record["participant.site"] = participant["site"]
    record["participant.screened_on"] = _date(participant["screened_on"])
    record["consent.signed_on"] = _date(participant["consented_on"])
    return record


def matching_record(trial: Trial, in_force: InForce, tables: Tables, participant: str) -> dict[str, Any]:
    """What is known of a participant's typing and donors; unknown until the participant is typed.

    The names are looked up only where a criterion reads them, since matching costs time.
    """
    asked = {name for _, criterion in in_force.protocol.criteria for name in criterion.rule.names}
    record: dict[str, Any] = {}
    if "participant.hla_typed" in asked:
        person = stored_person(trial, in_force.deciding_rule, tables, PARTICIPANT, participant)
        record["participant.hla_typed"] = None if person is None else in_force.deciding_rule.typed(person)
    if "donors.eligible" in asked:
        record["donors.eligible"] = serving_donors(trial, in_force, tables, participant)
    return record


def answers_before(in_force: InForce, tables: Tables, participant: Row) -> dict[str, str | None]:
    """The stored answers of screening and baseline visits by `form.item`; None where marked missing."""
    rows = tables.rows("value", participant=participant["participant"], repeat=1)
    known = in_force.protocol.items
    found: dict[str, str | None] = {}
    for visit in in_force.eligibility_visits:
        for row in rows:
            name = f"{row['form']}.{row['item']}"
            if row["visit"] == visit and name in known:
                found[name] = None if row["value"] is None else str(row["value"])
    return found


def verdict_payload(found: Sequence[Verdict]) -> list[Mapping[str, Any]]:
    """The verdicts as an event keeps them."""
    return [{"criterion": verdict.criterion, "category": verdict.category, "value": verdict.value} for verdict in found]


def _truth(rule: Rule, record: Mapping[str, Any]) -> bool | None:
    value = rule.evaluate(record)
    return value if isinstance(value, bool) else None


def _date(cell: object) -> date | None:
    return None if cell is None else date.fromisoformat(str(cell))
