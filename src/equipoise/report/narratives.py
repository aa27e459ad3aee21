"""One adverse event as its receiver is told it: the case put together from the record, and its printable sheet."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from equipoise.analysis.first_answers import SEX, first_answers, told
from equipoise.conduct.harm_facts import SERIOUS_CRITERIA
from equipoise.protocol.document import Protocol
from equipoise.protocol.interventions import Regimen
from equipoise.refusals import Refusal
from equipoise.report.page import rendered
from equipoise.report.words import spoken
from equipoise.safety.moments import Moment, parse_moment
from equipoise.safety.narrative import Case, narrative_of
from equipoise.safety.scales import scale_of

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

HOURS_MATTER = 72
CONCOMITANT, HISTORY = "CMTRT", "MHTERM"  # names of CDASH

Event = Mapping[Hashable, Any]


class NoSuchEvent(Refusal):
    """An adverse event that is not in the record."""


def case_of(
    snapshot: Snapshot, participant: str, number: int, *, reported_at: datetime, follow_up: bool = False
) -> Case:
    """What the record holds of an adverse event and its participant.

    Args:
        snapshot: of the trial.
        participant: the participant's code.
        number: the event's number within the participant.
        reported_at: when the sheet is made.
        follow_up: whether an earlier report was made; so it is when the record says that anybody was told.

    Raises:
        NoSuchEvent: when the participant has no event of that number.
    """
    events = snapshot.adverse_events
    found = events[(events["participant"] == participant) & (events["number"] == number)].to_dict("records")
    if not found:
        own = [str(each) for each in events.loc[events["participant"] == participant, "number"]]
        problem = f"is not an adverse event of {participant}"
        remedy = f"use one of {', '.join(own)}" if own else "check the code; no event of this participant is recorded"
        raise NoSuchEvent("number", number, problem, remedy)
    protocol, event = snapshot.protocol, found[0]
    return Case(
        participant=participant,
        number=number,
        trial=protocol.protocol.id,
        sponsor=protocol.parties.sponsor.name,
        follow_up=follow_up or bool(event["told"]),
        reported_at=_minute(protocol, reported_at),
        **_of_event(protocol, event),
        **_of_person(protocol, snapshot, participant),
        **_of_treatment(protocol, snapshot, participant, event),
    )


def narrative_page(snapshot: Snapshot, case: Case) -> str:
    """The case as one printable HTML page: the narrative, and the boxes of the CIOMS I form."""
    named = {"protocol": snapshot.protocol, "snapshot": snapshot, "case": case, "narrative": narrative_of(case)}
    return rendered("narrative.html", named)


def _of_event(protocol: Protocol, event: Event) -> dict[str, Any]:
    assert protocol.safety is not None, "there are adverse events only where the protocol says how they are collected"
    names = {part.id: part.name for part in protocol.interventions}
    related = json.loads(str(event["related"]))
    coded = event["preferred_term"] is not None
    own = protocol.safety.adverse_events.terms.get(str(event["term"]), event["verbatim"])
    return {
        "term": event["preferred_term"] if coded else own,
        "coded_by": f"{event['dictionary']} {event['dictionary_version']}, {event['code']}" if coded else None,
        "verbatim": event["verbatim"],
        "onset": event["onset_given"],
        "grade": event["grade"],
        "highest_grade": event["highest_grade"] or event["grade"],
        "scale": scale_of(protocol.safety.grading).label,
        "criteria": tuple(SERIOUS_CRITERIA[code] for code in event["criteria"]),
        "related": {names.get(part, part): answer for part, answer in related.items()},
        "expected": bool(event["expected"]),
        "outcome": event["outcome"],
        "resolved": event["resolved_given"],
        "action": event["action"],
        "treatment": event["treatment"],
        "course": event["followed_course"],
        "reporter": event["reporter"],
        "aware_at": _minute(protocol, datetime.fromisoformat(str(event["aware_at"]))),
    }


def _of_person(protocol: Protocol, snapshot: Snapshot, participant: str) -> dict[str, Any]:
    people = snapshot.participants
    site = people.loc[people["participant"] == participant, "site"].iloc[0]
    country = next(each.country for each in protocol.sites if each.id == site)
    age = first_answers(protocol, snapshot, id="age").get(participant)
    sex = first_answers(protocol, snapshot, cdash=SEX).get(participant)
    lists = [item.codelist for item in protocol.items.values() if item.cdash == SEX and item.codelist]
    words = {code: text for name in lists for code, text in protocol.codelists[name].items()}
    return {
        "country": country,
        "age": None if age is None else f"{age} years",
        "sex": None if sex is None else words.get(sex, sex).lower(),
        "indication": protocol.population.condition,
        "concomitant": _all_answers(protocol, snapshot, participant, CONCOMITANT),
        "history": _all_answers(protocol, snapshot, participant, HISTORY),
    }


def _all_answers(protocol: Protocol, snapshot: Snapshot, participant: str, cdash: str) -> tuple[str, ...] | None:
    """What was answered to items of that name, each once; None where none is asked."""
    items = {name: item for name, item in protocol.items.items() if item.cdash == cdash}
    if not items:
        return None
    values = snapshot.values
    own = values[(values["participant"] == participant) & values["item"].isin(list(items)) & values["value"].notna()]
    answers = (told(protocol, items[row["item"]], str(row["value"])) for row in own.to_dict("records"))
    return tuple(dict.fromkeys(text for texts in answers for text in texts))


def _of_treatment(protocol: Protocol, snapshot: Snapshot, participant: str, event: Event) -> dict[str, Any]:
    """The trial's products as they were given before the event, and given again after it; or that none was."""
    infusions = snapshot.infusions[snapshot.infusions["participant"] == participant].to_dict("records")
    onset = parse_moment("onset", str(event["onset_given"]))
    _, began_before = onset.span(_clock(protocol))
    given = [row for row in infusions if row["started_at"] < began_before]
    later = tuple(_started(protocol, row) for row in infusions if row not in given)
    if not given:
        return {"products": (), "dose": "none given", "route": "none given", "given_on": (), "given_again": later}
    regimens = [regimen for regimen in protocol.regimens if {row["course"] for row in given} & _courses(regimen)]
    doses = (f"{regimen.dose.value:,.0f} {regimen.dose.unit} planned" for regimen in regimens)
    return {
        "products": tuple(_products(protocol, snapshot, given)),
        "dose": "; ".join((*doses, *(_given(row) for row in given))),
        "route": "; ".join(dict.fromkeys(spoken(regimen.route) for regimen in regimens)),
        "given_on": tuple(_started(protocol, row) for row in given),
        "given_again": later,
        "since_infusion": _since(protocol, event, onset, given[-1]),
    }


def _products(protocol: Protocol, snapshot: Snapshot, given: Sequence[Event]) -> Iterator[str]:
    """Each product once, with the lots that were given of it."""
    of_lot = {row["lot"]: row["product"] for row in snapshot.lots.to_dict("records")}
    for product in protocol.products:
        lots = [row for row in given if of_lot[row["lot"]] == product.id]
        told = ", ".join(f"lot {row['lot']} of donor {row['donor']} (course {row['course']})" for row in lots)
        if lots:
            yield f"{product.name}: {told}"


def _since(protocol: Protocol, event: Event, onset: Moment, infusion: Event) -> str:
    """How long after the start of the last infusion an event began: in hours while they matter, then in days."""
    hours = event["hours_after_infusion"]
    if hours is not None and hours == hours and hours < HOURS_MATTER:
        return f"the event began {hours:.1f} hours after its start"
    if onset.day is None:
        return "the time between is not known"
    days = (onset.day - infusion["started_at"].astimezone(_clock(protocol)).date()).days
    return (
        "the event began on the same day"
        if days == 0
        else f"the event began {days} day{'' if days == 1 else 's'} later"
    )


def _courses(regimen: Regimen) -> set[str]:
    return {course.id for course in regimen.courses}


def _given(row: Event) -> str:
    if row["stopped_at"] is None:
        return f"course {row['course']} still running"
    stopped = "" if row["completed"] else f", stopped: {row['stop_reason'] or 'no reason recorded'}"
    return f"course {row['course']} {row['volume_given_ml']:g} mL, {row['dose_share']:.2f} of the plan{stopped}"


def _started(protocol: Protocol, row: Event) -> str:
    return f"course {row['course']}: {_minute(protocol, row['started_at'])}"


def _clock(protocol: Protocol) -> ZoneInfo:
    return ZoneInfo(protocol.conventions.timezone)


def _minute(protocol: Protocol, moment: datetime) -> str:
    """By the trial's own clock, as onsets are."""
    return f"{moment.astimezone(_clock(protocol)):%Y-%m-%dT%H:%M}"
