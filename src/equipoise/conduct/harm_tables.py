"""The tables of adverse events, their deadlines and the stopping rules, and how events fill them.

Events of earlier versions hold fewer facts of an adverse event; what they lack is not known, or follows from what they
have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.conduct.folding import Fold, Payload, as_json
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Event, Put, Table

TABLES = (
    Table(
        "adverse_event",
        ("participant", "number"),
        {
            "participant": str, "number": int, "term": str, "verbatim": str, "onset": str, "grade": int, "serious": int,
            "criteria": str, "related": str, "course": str, "outcome": str, "resolved": str, "action": str,
            "aware_at": str, "onset_given": str, "onset_at": str, "highest_grade": int, "suspected": int,
            "expected": int, "expected_said": int, "of_interest": str, "treatment": str, "reporter": str,
            "reported_at": str,
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


YES_OR_NO = ("serious", "suspected", "expected", "expected_said")


def _harmed(event: Event, payload: Payload) -> Iterator[Put]:
    facts = dict(payload["facts"])
    participant, number = payload["participant"], payload["number"]
    facts.setdefault("onset_given", facts["onset"])
    facts.setdefault("highest_grade", facts["grade"])
    facts |= {name: int(facts[name]) for name in YES_OR_NO if facts.get(name) is not None}
    facts |= {"criteria": as_json(facts["criteria"]), "related": as_json(facts["related"])}
    reported = event.kind == Kind.ADVERSE_EVENT_REPORTED
    if reported:
        facts["reported_at"] = event.at.isoformat()
        yield Put("participant", (participant,), {"adverse_events": number})
    yield Put("adverse_event", (participant, number), facts)
    if facts.get("suspected") is not None:
        aware_at = facts["aware_at"] if reported else payload["informed_at"]
        judged = {name: facts[name] for name in ("criteria", "suspected", "expected")}
        yield Put("judgement", (participant, number, event.seq), {"aware_at": aware_at, **judged})
    yield from standings_put(event, payload)


def standings_put(event: Event, payload: Payload) -> Iterator[Put]:
    """Where each stopping rule that an event bears on stands after it."""
    for each in payload.get("stopping", ()):
        seen = {name: each[name] for name in ("treated", "events", "boundary")}
        where = {"at": event.at.isoformat(), "participant": payload["participant"]}
        yield Put("stopping", (each["rule"], event.seq), {**where, **seen, "crossed": int(each["crossed"])})
        state = {"events": each["events"], "paused": int(each["paused"])}
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
    Kind.ADVERSE_EVENT_TOLD: _told,
    Kind.STOPPING_DECIDED: _decided,
}
