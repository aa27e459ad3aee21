"""The tables that the acts read, folded from events by one pure function.

The same fold fills the database, a rebuild and any past day in memory. An event holds all that its rows need, so that
the fold looks at nothing else. Dates are ISO text, yes and no are 1 and 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from equipoise.conduct import donor_tables, harm_tables, product_tables
from equipoise.conduct.folding import Fold, Payload, as_json
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Event, Projection, Put, Table

TRIAL = "trial"
"""The key of the one row of table `trial`, and the stream of the trial's own events."""

TABLES = (
    Table(
        "trial",
        ("id",),
        {
            "id": str, "code": str, "rehearsal": str, "protocol_number": int, "protocol_hash": str,
            "commitment": str, "committed_hash": str, "locked": int, "revealed": str,
        },
    ),
    Table(
        "protocol_version",
        ("number",),
        {"number": int, "version": str, "hash": str, "text": str, "amended_at": str},
    ),
    Table("investigator", ("id",), {"id": str, "acted": int}),
    Table("site", ("site",), {"site": str, "screened": int, "protocol_number": int}),
    Table(
        "participant",
        ("participant",),
        {
            "participant": str, "site": str, "number": int, "screened_on": str, "consented_on": str,
            "declared_on": str, "failed_on": str, "failed_criteria": str, "failure_reason": str,
            "randomised_on": str, "randomised_at": str, "withdrawn_on": str, "adverse_events": int,
        },
    ),
    Table(
        "consent",
        ("participant", "consent", "version"),
        {"participant": str, "consent": str, "version": str, "signed_on": str},
    ),
    Table(
        "visit",
        ("participant", "visit"),
        {"participant": str, "visit": str, "status": str, "date": str, "reason": str},
    ),
    Table(
        "form",
        ("participant", "visit", "form", "repeat"),
        {"participant": str, "visit": str, "form": str, "repeat": int, "recorded_at": str, "findings": str},
    ),
    Table(
        "value",
        ("participant", "visit", "form", "repeat", "item"),
        {
            "participant": str, "visit": str, "form": str, "repeat": int, "item": str, "value": str, "missing": str,
            "unit": str, "comment": str, "corrections": int,
        },
    ),
    Table(
        "correction",
        ("seq", "item"),
        {
            "seq": int, "item": str, "participant": str, "visit": str, "form": str, "repeat": int, "cause": str,
            "old": str, "new": str, "old_missing": str, "new_missing": str, "reason": str, "at": str, "actor": str,
        },
    ),
    Table(
        "allocation",
        ("participant",),
        {
            "participant": str, "seq": int, "arm": str, "stratum": str, "number": int, "factors": str,
        },
    ),
    Table(
        "deviation",
        ("seq",),
        {"seq": int, "participant": str, "category": str, "happened_on": str, "description": str, "major": int},
    ),
    Table(
        "withdrawal",
        ("participant", "scope"),
        {"participant": str, "scope": str, "reason_code": str, "withdrawn_on": str},
    ),
    *donor_tables.TABLES,
    *product_tables.TABLES,
    *harm_tables.TABLES,
)  # fmt: skip


def _created(event: Event, payload: Payload) -> Iterator[Put]:
    named = {"code": payload["trial"], "rehearsal": payload["rehearsal"], "locked": 0}
    yield Put("trial", (TRIAL,), {**named, "protocol_number": 1, "protocol_hash": event.protocol_hash})
    yield from _version(event, payload, 1)
    for site in payload["sites"]:
        yield Put("site", (site,), {"screened": 0, "protocol_number": 1})


def _amended(event: Event, payload: Payload) -> Iterator[Put]:
    number = payload["number"]
    yield Put("trial", (TRIAL,), {"protocol_number": number, "protocol_hash": event.protocol_hash})
    yield from _version(event, payload, number)
    for site in payload["new_sites"]:
        yield Put("site", (site,), {"screened": 0})
    yield from harm_tables.standings_put(event, payload)


def _version(event: Event, payload: Payload, number: int) -> Iterator[Put]:
    values = {"version": payload["version"], "hash": event.protocol_hash, "text": payload["protocol"]}
    yield Put("protocol_version", (number,), {**values, "amended_at": event.at.isoformat()})


def _committed(event: Event, payload: Payload) -> Iterator[Put]:
    values = {"commitment": payload["commitment"], "committed_hash": payload["protocol_hash"]}
    yield Put("trial", (TRIAL,), values)


def _approved(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("site", (payload["site"],), {"protocol_number": payload["number"]})


def _screened(event: Event, payload: Payload) -> Iterator[Put]:
    site, number = payload["site"], payload["number"]
    yield Put("site", (site,), {"screened": number})
    values = {"site": site, "number": number, "screened_on": payload["on"], "adverse_events": 0}
    yield Put("participant", (payload["participant"],), values)


def _consented(event: Event, payload: Payload) -> Iterator[Put]:
    participant = payload["participant"]
    key = (participant, payload["consent"], payload["version"])
    yield Put("consent", key, {"signed_on": payload["signed_on"]})
    yield Put("participant", (participant,), {"consented_on": payload["first_signed_on"]})


def _recorded(event: Event, payload: Payload) -> Iterator[Put]:
    participant, visit = payload["participant"], payload["visit"]
    key = (participant, visit, payload["form"], payload["repeat"])
    yield Put("visit", (participant, visit), {"status": "done", "date": payload["date"], "reason": None})
    findings = as_json(payload["findings"])
    yield Put("form", key, {"recorded_at": event.at.isoformat(), "findings": findings})
    for item, answer in payload["answers"].items():
        yield Put("value", (*key, item), {**_answer(answer), "unit": answer["unit"], "corrections": 0})
    yield from _changed(event, payload)


def _answer(answer: Payload) -> dict[str, Any]:
    return {"value": answer["value"], "missing": answer["missing"], "comment": answer["comment"]}


def _changed(event: Event, payload: Payload) -> Iterator[Put]:
    """Items that a correction, or a computation that follows from new answers, sets anew."""
    for change in payload["changes"]:
        where = {name: change[name] for name in ("visit", "form", "repeat")}
        key = (payload["participant"], *where.values(), change["item"])
        new = {"value": change["new"], "missing": change["new_missing"], "unit": change["unit"]}
        yield Put("value", key, {**new, "comment": change["comment"], "corrections": change["corrections"]})
        if change["corrections"]:
            kept = {name: change[name] for name in ("cause", "old", "new", "old_missing", "new_missing")}
            who = {"reason": event.reason, "at": event.at.isoformat(), "actor": event.actor.id}
            item = f"{change['form']}.{change['item']}"
            yield Put("correction", (event.seq, item), {"participant": key[0], **where, **kept, **who})


def _missed(event: Event, payload: Payload) -> Iterator[Put]:
    key = (payload["participant"], payload["visit"])
    yield Put("visit", key, {"status": "missed", "reason": payload["cause"]})


def _redated(event: Event, payload: Payload) -> Iterator[Put]:
    participant, visit = payload["participant"], payload["visit"]
    yield Put("visit", (participant, visit), {"date": payload["new"]})
    where = {"participant": participant, "visit": visit, "cause": "corrected"}
    who = {"reason": event.reason, "at": event.at.isoformat(), "actor": event.actor.id}
    yield Put("correction", (event.seq, "visit.date"), {**where, "old": payload["old"], "new": payload["new"], **who})
    yield from _changed(event, payload)


def _declared(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("participant", (payload["participant"],), {"declared_on": payload["on"]})


def _failed(event: Event, payload: Payload) -> Iterator[Put]:
    values = {"failed_on": payload["on"], "failure_reason": payload["reason_code"]}
    criteria = as_json(payload["failed_criteria"])
    yield Put("participant", (payload["participant"],), {**values, "failed_criteria": criteria})


def _randomised(event: Event, payload: Payload) -> Iterator[Put]:
    participant = payload["participant"]
    place = {name: payload[name] for name in ("arm", "stratum", "number")}
    yield Put("allocation", (participant,), {"seq": event.seq, **place, "factors": as_json(payload["factors"])})
    at = event.at.isoformat(timespec="microseconds")
    yield Put("participant", (participant,), {"randomised_on": payload["on"], "randomised_at": at})


def _deviated(event: Event, payload: Payload) -> Iterator[Put]:
    values = {name: payload[name] for name in ("participant", "category", "description")}
    yield Put("deviation", (event.seq,), {**values, "happened_on": payload["on"], "major": int(payload["major"])})


def _withdrawn(event: Event, payload: Payload) -> Iterator[Put]:
    key = (payload["participant"], payload["scope"])
    yield Put("withdrawal", key, {"reason_code": payload["reason_code"], "withdrawn_on": payload["on"]})
    if payload["scope"] == "trial":
        yield Put("participant", (payload["participant"],), {"withdrawn_on": payload["on"]})


def _locked(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("trial", (TRIAL,), {"locked": 1})


def _unlocked(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("trial", (TRIAL,), {"locked": 0})


def _revealed(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("trial", (TRIAL,), {"revealed": payload["secret"]})


_FOLDS: Mapping[Kind, Fold] = {
    Kind.TRIAL_CREATED: _created,
    Kind.RANDOMISATION_COMMITTED: _committed,
    Kind.PROTOCOL_AMENDED: _amended,
    Kind.AMENDMENT_APPROVED: _approved,
    Kind.PARTICIPANT_SCREENED: _screened,
    Kind.CONSENT_RECORDED: _consented,
    Kind.FORM_RECORDED: _recorded,
    Kind.ITEM_CORRECTED: _changed,
    Kind.ITEM_MISSING: _changed,
    Kind.VISIT_MISSED: _missed,
    Kind.VISIT_REDATED: _redated,
    Kind.ELIGIBILITY_DECLARED: _declared,
    Kind.SCREENING_FAILED: _failed,
    Kind.PARTICIPANT_RANDOMISED: _randomised,
    Kind.DEVIATION_REPORTED: _deviated,
    Kind.PARTICIPANT_WITHDRAWN: _withdrawn,
    Kind.TRIAL_LOCKED: _locked,
    Kind.TRIAL_UNLOCKED: _unlocked,
    Kind.RANDOMISATION_REVEALED: _revealed,
    **donor_tables.FOLDS,
    **product_tables.FOLDS,
    **harm_tables.FOLDS,
}


def fold(event: Event) -> Iterable[Put]:
    """The rows that an event sets; whoever acts as investigator is known as one, since they must release no product."""
    yield from _FOLDS[Kind(event.kind)](event, event.payload)
    if event.actor.role == "investigator":
        yield Put("investigator", (event.actor.id,), {"acted": 1})


PROJECTION = Projection(version=5, tables=TABLES, fold=fold)
"""What the ledger of a trial is opened with."""
