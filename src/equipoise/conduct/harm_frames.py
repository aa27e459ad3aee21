"""The frames of adverse events and of the stopping rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from equipoise.capture import study_day
from equipoise.conduct.frames import Record, day_of, flag_of, moment_of
from equipoise.conduct.harm_tables import CODING
from equipoise.conduct.in_force import InForce
from equipoise.conduct.telling import deadlines_of
from equipoise.ledger import Row, Tables
from equipoise.safety.adverse_events import is_treatment_emergent, onset_known
from equipoise.safety.infusion_reactions import Infusion, hours_after, observe_hours_of, reaction_among
from equipoise.safety.moments import Moment

NOT_CODED = "not coded"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "adverse_events": (
        "participant", "number", "term", "name", "verbatim", "onset", "day", "grade", "serious", "criteria",
        "related", "related_any", "course", "outcome", "resolved", "action", "aware_at", "after_randomisation",
        "onset_given", "onset_at", "highest_grade", "system", "expected", "of_interest", "treatment", "reporter",
        "treatment_emergent", "infusion_reaction", "hours_after_infusion", "reported_at", "deadlines", "resolved_given",
        "counted_as", *CODING, "followed_course", "told",
    ),
    "stopping": ("rule", "position", "at", "participant", "treated", "events", "boundary", "crossed"),
}  # fmt: skip


def adverse_events(in_force: InForce, tables: Tables) -> Iterator[Record]:
    """Adverse events as they stand, in the newest version of the protocol."""
    infusions = _infusions(in_force, tables)
    safety = in_force.protocol.safety
    means = safety.adverse_events.related_means if safety else ()
    product = {part.id for part in in_force.protocol.interventions if part.role == "Experimental Intervention"}
    people = {row["participant"]: row for row in tables.rows("participant")}
    for row in tables.rows("adverse_event"):
        if row["voided_at"] is not None:
            continue
        person = people[row["participant"]]
        onset, anchor = day_of(row["onset"]), day_of(person["randomised_on"])
        assert onset is not None, "an adverse event has an onset"
        related = json.loads(str(row["related"]))
        due = deadlines_of(in_force, tables, str(row["participant"]), int(str(row["number"])))
        yield {
            **row,
            "onset": onset,
            "day": None if anchor is None else study_day(onset, anchor),
            "serious": bool(row["serious"]),
            "criteria": tuple(json.loads(str(row["criteria"]))),
            "related_any": any(answer in means for name, answer in related.items() if name in product),
            "resolved": day_of(row["resolved"]),
            "after_randomisation": _is_after(in_force, row, person),
            "onset_at": moment_of(row["onset_at"]),
            **_counted(in_force, row),
            "term_groups": tuple(json.loads(str(row["term_groups"] or "[]"))),
            "coded_at": moment_of(row["coded_at"]),
            "expected": flag_of(row["expected"]),
            **_after_infusion(in_force, row, infusions.get(str(row["participant"]), ())),
            "reported_at": moment_of(row["reported_at"]),
            "deadlines": tuple((f"{each.clock} ({each.to})", each.due_at, each.met_at) for each in due),
            "told": tuple(_told(tables, row)),
        }


def _counted(in_force: InForce, row: Row) -> Record:
    """Under what an event is counted: its preferred term where the protocol names a dictionary, else its own term."""
    rules = None if in_force.protocol.safety is None else in_force.protocol.safety.adverse_events
    if rules is not None and rules.dictionary is not None:
        if row["dictionary"] != rules.dictionary.name:  # also of another dictionary, before an amendment
            return {"counted_as": NOT_CODED, "name": NOT_CODED, "system": NOT_CODED}
        return {"counted_as": row["preferred_code"], "name": row["preferred_term"], "system": row["coded_system"]}
    if row["term"] is None:  # of a dictionary that an amendment took away
        return {"counted_as": NOT_CODED, "name": row["verbatim"], "system": None}
    term = str(row["term"])
    terms, systems = ({}, {}) if rules is None else (rules.terms, rules.systems)
    return {"counted_as": term, "name": terms.get(term, row["verbatim"]), "system": systems.get(term)}


def _told(tables: Tables, row: Row) -> Iterator[tuple[str, datetime | None]]:
    """Who was told of an event, and when."""
    for each in tables.rows("telling", participant=row["participant"], number=row["number"]):
        yield str(each["receiver"]), moment_of(each["told_at"])


def _onset(in_force: InForce, row: Row) -> Moment:
    """When an event began, as far as it is known."""
    aware_at = datetime.fromisoformat(str(row["aware_at"]))
    ended = None if row["resolved_given"] is None else str(row["resolved_given"])
    return onset_known(str(row["onset_given"]), aware_at, ended, in_force.timezone)


def _is_after(in_force: InForce, row: Row, person: Row) -> bool:
    """Whether an event may have begun after randomisation."""
    randomised_at = moment_of(person["randomised_at"])
    if randomised_at is None:
        return False
    return _onset(in_force, row).may_follow(randomised_at.astimezone(in_force.timezone))


def _infusions(in_force: InForce, tables: Tables) -> dict[str, list[Infusion]]:
    """Started infusions by participant."""
    found: dict[str, list[Infusion]] = {}
    arms = {row["participant"]: str(row["arm"]) for row in tables.rows("allocation")}
    for row in tables.rows("infusion"):
        started_at = moment_of(row["started_at"])
        assert started_at is not None, "an infusion has a start"
        hours = observe_hours_of(in_force.regimens_of(arms[row["participant"]]).values(), str(row["course"]))
        infusion = Infusion(str(row["course"]), started_at, moment_of(row["stopped_at"]), hours)
        found.setdefault(str(row["participant"]), []).append(infusion)
    return found


def _after_infusion(in_force: InForce, row: Row, infusions: Sequence[Infusion]) -> Record:
    """What infusions make of an event; None where none is recorded."""
    if not infusions:
        names = ("treatment_emergent", "infusion_reaction", "hours_after_infusion", "followed_course")
        return dict.fromkeys(names)
    zone = in_force.timezone
    onset = _onset(in_force, row)
    first = min(each.started_at for each in infusions)
    infusion, reaction = reaction_among(onset, infusions, zone)
    return {
        "treatment_emergent": is_treatment_emergent(onset, first.astimezone(zone)),
        "infusion_reaction": reaction,
        "followed_course": None if infusion is None else infusion.course,
        "hours_after_infusion": None if infusion is None else hours_after(onset, infusion, zone),
    }


def stopping(tables: Tables) -> Iterator[Record]:
    """Where each rule stood after each event that bears on it, in the ledger's order."""
    for row in sorted(tables.rows("stopping"), key=lambda row: (str(row["rule"]), int(str(row["seq"])))):
        yield {**row, "position": row["seq"], "at": moment_of(row["at"]), "crossed": bool(row["crossed"])}
