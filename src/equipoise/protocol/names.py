"""The names that a rule may read, by where it stands, and what each holds.

Items are `form.item`; within a form's own rules the form's items are also known by their bare ids. Beside them:
`participant.*` (the course of a participant), `donors.eligible` (how many eligible donors serve a participant),
`consent.signed_on`, `visit.date`, `ae.*` (adverse events), `value` (a lot's test result, or a quantity of a dose). The
acts and analyses that evaluate a rule fill a record with just these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from equipoise.protocol.rules import DATE, LOGIC, NUMBER, REPEATED, TEXT, TIME, Kind, choice, many

if TYPE_CHECKING:
    from equipoise.protocol.document import Protocol
    from equipoise.protocol.forms import Item
    from equipoise.protocol.interventions import ReleaseCriterion

SIMPLE_KINDS = {
    "integer": NUMBER,
    "decimal": NUMBER,
    "derived": NUMBER,
    "text": TEXT,
    "date": DATE,
    "time": TIME,
    "yes-no": LOGIC,
}


def kind_of(item: Item, codelists: Mapping[str, Mapping[str, str]]) -> Kind:
    """What an item holds; a list that is not there has no codes."""
    codes = codelists.get(item.codelist or "", {})
    if item.type == "choice":
        return choice(codes)
    if item.type == "many":
        return many(codes)
    return SIMPLE_KINDS[item.type]


def item_names(protocol: Protocol, form_ids: set[str] | None = None) -> dict[str, Kind]:
    """`form.item` of the forms named, or of all."""
    return {
        name: kind_of(item, protocol.codelists)
        for name, item in protocol.items.items()
        if form_ids is None or name.partition(".")[0] in form_ids
    }


def eligibility_names(protocol: Protocol) -> dict[str, Kind]:
    """For criteria: what is asked before allocation, the consent, the site; where donors are matched, the typing."""
    matching = {"participant.hla_typed": LOGIC, "donors.eligible": NUMBER} if protocol.donor_matching else {}
    return early_names(protocol) | matching


def early_names(protocol: Protocol) -> dict[str, Kind]:
    """What is asked before allocation, the consent, the site."""
    early = [*protocol.screening_visits, *([protocol.baseline_visit] if protocol.baseline_visit else [])]
    asked = {form_id for visit in early for form_id in visit.forms}
    return item_names(protocol, asked) | {
        "consent.signed_on": DATE,
        "participant.screened_on": DATE,
        "participant.site": choice(site.id for site in protocol.sites),
    }


def form_names(protocol: Protocol, form_id: str) -> dict[str, Kind]:
    """For show_if, formulas and checks: the form's items by bare id, other forms of the same visit by `form.item`."""
    own = {item.id: kind_of(item, protocol.codelists) for item in protocol.form_items(form_id)}
    return item_names(protocol) | own | {"visit.date": DATE}


def analysis_names(protocol: Protocol) -> dict[str, Kind]:
    """For analysis sets: the participant's course, and what was asked before allocation."""
    return early_names(protocol) | {
        "participant.arm": choice(protocol.arm_ids),
        "participant.consented": LOGIC,
        "participant.eligible": LOGIC,
        "participant.randomised": LOGIC,
        "participant.withdrawn": LOGIC,
        "participant.major_deviation": LOGIC,
        "participant.follow_up_visits_done": NUMBER,
    }


def adverse_event_names(protocol: Protocol) -> dict[str, Kind]:
    """For a rule on one adverse event."""
    rules = protocol.safety.adverse_events if protocol.safety else None
    causality = rules.causality if rules else ()
    by_code = rules is not None and rules.dictionary is not None and not rules.terms
    return {
        "ae.term": TEXT if by_code else choice(rules.terms if rules else ()),
        "ae.grade": NUMBER,
        "ae.serious": LOGIC,
        "ae.related": choice(causality),
        "ae.course": TEXT,
        "ae.onset": DATE,
    }


def participant_event_names(protocol: Protocol) -> dict[str, Kind]:
    """For a rule on all adverse events of a participant: `any(...)`, `all(...)`, `count(...)`."""
    return {"ae": REPEATED} | adverse_event_names(protocol)


def release_names(criterion: ReleaseCriterion) -> dict[str, Kind]:
    """For a release criterion: its `value`, a number where a unit is given, otherwise text."""
    return {"value": NUMBER if criterion.unit is not None else TEXT}


def dose_limit_names() -> dict[str, Kind]:
    """For a dose limit: its `value`, the quantity that one bag gives the participant."""
    return {"value": NUMBER}
