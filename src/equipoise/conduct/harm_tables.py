"""The tables of adverse events, their deadlines and the stopping rules, and how events fill them.

Events of earlier versions hold fewer facts of an adverse event; what they lack is not known, or follows from what they
have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.conduct.folding import Fold, Payload, as_json
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Cell, Event, Put, Row, Table
from equipoise.protocol.safety import CodingDictionary

CODING = (
    "code", "coded_term", "preferred_term", "preferred_code", "coded_system", "term_groups", "dictionary",
    "dictionary_version", "coded_at",
)  # fmt: skip
"""The columns of an event's place in a dictionary; all None while it has none."""

TABLES = (
    Table(
        "adverse_event",
        ("participant", "number"),
        {
            "participant": str, "number": int, "term": str, "verbatim": str, "onset": str, "grade": int, "serious": int,
            "criteria": str, "related": str, "course": str, "outcome": str, "resolved": str, "action": str,
            "aware_at": str, "onset_given": str, "onset_at": str, "highest_grade": int, "suspected": int,
            "expected": int, "expected_said": int, "of_interest": str, "treatment": str, "reporter": str,
            "reported_at": str, "resolved_given": str, "voided_at": str,
            "code": str, "coded_term": str, "preferred_term": str, "preferred_code": str, "coded_system": str,
            "term_groups": str, "dictionary": str, "dictionary_version": str, "coded_at": str,
        },
    ),
    Table(
        "judgement",
        ("participant", "number", "seq"),
        {
            "participant": str, "number": int, "seq": int, "aware_at": str, "criteria": str, "suspected": int,
            "expected": int,
        },
    ),
    Table(
        "telling",
        ("participant", "number", "seq"),
        {"participant": str, "number": int, "seq": int, "receiver": str, "told_at": str},
    ),
    Table(
        "stopping",
        ("rule", "seq"),
        {
            "rule": str, "seq": int, "at": str, "participant": str, "treated": int, "events": int, "boundary": int,
            "crossed": int,
        },
    ),
    Table(
        "stopping_state",
        ("rule",),
        {"rule": str, "events": int, "paused": int, "decision": str, "decided_events": int},
    ),
)  # fmt: skip


def codes_of(row: Row) -> dict[str, str]:
    """The codes that an event goes by, and of which dictionary; none before it is coded."""
    return {name: str(row[name]) for name in ("code", "preferred_code", "dictionary") if row[name] is not None}


def is_coded_by(dictionary: CodingDictionary, row: Row) -> bool:
    """Whether an event is coded by a dictionary in that version."""
    return (row["dictionary"], row["dictionary_version"]) == (dictionary.name, dictionary.version)


YES_OR_NO = ("serious", "suspected", "expected", "expected_said")


def _harmed(event: Event, payload: Payload) -> Iterator[Put]:
    facts = dict(payload["facts"])
    participant, number = payload["participant"], payload["number"]
    facts.setdefault("onset_given", facts["onset"])
    facts.setdefault("resolved_given", facts["resolved"])
    facts.setdefault("highest_grade", facts["grade"])
    facts |= {name: int(facts[name]) for name in YES_OR_NO if facts.get(name) is not None}
    facts |= {"criteria": as_json(facts["criteria"]), "related": as_json(facts["related"])}
    reported = event.kind == Kind.ADVERSE_EVENT_REPORTED
    if reported:
        facts["reported_at"] = event.at.isoformat()
        yield Put("participant", (participant,), {"adverse_events": number})
    if "coding" in payload:
        facts |= dict.fromkeys(CODING) if payload["coding"] is None else _coding(event, payload["coding"])
    yield Put("adverse_event", (participant, number), facts)
    if facts.get("suspected") is not None:
        # A correction and a code tell the site nothing of what happened: what it knew counts from when it learned it.
        told = event.kind in (Kind.ADVERSE_EVENT_REPORTED, Kind.ADVERSE_EVENT_FOLLOWED_UP)
        aware_at = payload.get("informed_at", facts["aware_at"]) if told else None
        judged = {name: facts[name] for name in ("criteria", "suspected", "expected")}
        yield Put("judgement", (participant, number, event.seq), {"aware_at": aware_at, **judged})
    yield from standings_put(event, payload)


def _coding(event: Event, coding: Payload) -> dict[str, Cell]:
    return {**coding, "term_groups": as_json(coding["term_groups"]), "coded_at": event.at.isoformat()}


def _voided(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("adverse_event", (payload["participant"], payload["number"]), {"voided_at": event.at.isoformat()})
    yield from standings_put(event, payload)


def standings_put(event: Event, payload: Payload) -> Iterator[Put]:
    """Where each stopping rule that an event bears on stands after it."""
    for each in payload.get("stopping", ()):
        seen = {name: each[name] for name in ("treated", "events", "boundary")}
        where = {"at": event.at.isoformat(), "participant": payload.get("participant")}
        yield Put("stopping", (each["rule"], event.seq), {**where, **seen, "crossed": int(each["crossed"])})
        state: dict[str, Cell] = {"events": each["events"], "paused": int(each["paused"])}
        if each.get("decided_events") is not None:
            state["decided_events"] = each["decided_events"]
        yield Put("stopping_state", (each["rule"],), state)


def _told(event: Event, payload: Payload) -> Iterator[Put]:
    key = (payload["participant"], payload["number"], event.seq)
    yield Put("telling", key, {"receiver": payload["to"], "told_at": payload["told_at"]})


def _decided(event: Event, payload: Payload) -> Iterator[Put]:
    values = {"decision": payload["decision"], "decided_events": payload["events"], "paused": int(payload["paused"])}
    yield Put("stopping_state", (payload["rule"],), values)


FOLDS: Mapping[Kind, Fold] = {
    Kind.ADVERSE_EVENT_REPORTED: _harmed,
    Kind.ADVERSE_EVENT_FOLLOWED_UP: _harmed,
    Kind.ADVERSE_EVENT_CORRECTED: _harmed,
    Kind.ADVERSE_EVENT_CODED: _harmed,
    Kind.ADVERSE_EVENT_VOIDED: _voided,
    Kind.ADVERSE_EVENT_TOLD: _told,
    Kind.STOPPING_DECIDED: _decided,
}
