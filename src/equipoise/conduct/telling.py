"""Tell an adverse event to the sponsor, a committee or an authority, and what is still due."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from equipoise.conduct.acting import acting
from equipoise.conduct.details import moment_text
from equipoise.conduct.harm_facts import adverse_event_row
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Row, Tables
from equipoise.safety.clocks import Deadline, Judgement, Telling, deadlines

RECEIVERS = ("sponsor", "committee", "authority")


def report_to(
    trial: Trial,
    participant: str,
    number: int,
    *,
    to: str,
    told_at: datetime,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record that an adverse event was told to somebody; a deadline that had started by then is met.

    Args:
        trial: the trial.
        participant: the participant's code.
        number: the event's number within the participant.
        to: who was told, one of `RECEIVERS`.
        told_at: when, with its zone.
        by: who records it.
        reason: how it was told, such as by which form.
        at: when it is recorded (UTC).

    Raises:
        NotFound: when the participant or the event is not in this trial.
        NotAccepted: when the receiver is none of them, or the time is to come, before awareness, or without zone.
    """
    with acting(trial, Kind.ADVERSE_EVENT_TOLD, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        stands = adverse_event_row(act, participant, number)
        if to not in RECEIVERS:
            raise NotAccepted("to", to, "is nobody to be told", f"use one of {', '.join(RECEIVERS)}")
        if told_at.utcoffset() is None:
            raise NotAccepted("told_at", told_at.isoformat(), "does not say its time zone", "pass a time with its zone")
        if told_at > act.at:
            raise NotAccepted("told_at", told_at.isoformat(), "is after now", "correct the time")
        if told_at < datetime.fromisoformat(str(stands["aware_at"])):
            problem = f"is before the site was aware, {stands['aware_at']}"
            raise NotAccepted("told_at", told_at.isoformat(), problem, "correct the time")
        told = moment_text(told_at.astimezone(UTC))
        payload = {"participant": participant, "number": number, "to": to, "told_at": told}
        act.append(payload, stream=participant, in_force=act.in_force_for(row))


def deadlines_of(in_force: InForce, tables: Tables, participant: str, number: int) -> tuple[Deadline, ...]:
    """The deadlines of an adverse event by the protocol's clocks; none where they are not in the protocol."""
    safety = in_force.protocol.safety
    if safety is None:
        return ()
    judgements = _judgements(tables.rows("judgement", participant=participant, number=number))
    tellings = [
        Telling(str(row["receiver"]), datetime.fromisoformat(str(row["told_at"])))
        for row in tables.rows("telling", participant=participant, number=number)
    ]
    return deadlines(judgements, safety.adverse_events.report_within, tellings)


def _judgements(rows: Sequence[Row]) -> list[Judgement]:
    """Each change of how an event is judged, with when the site learned what makes it so.

    What a follow-up told of other things changes nothing here. A code or a correction tells nothing new: what was known
    of criteria and causality is judged anew, and counts from when that was learned.
    """
    found: list[Judgement] = []
    learned = None
    for row in sorted(rows, key=lambda row: int(str(row["seq"]))):
        criteria = frozenset(json.loads(str(row["criteria"])))
        suspected, expected = bool(row["suspected"]), bool(row["expected"])
        told = None if row["aware_at"] is None else datetime.fromisoformat(str(row["aware_at"]))
        last = found[-1] if found else None
        if last is not None and (criteria, suspected, expected) == (last.criteria, last.suspected, last.expected):
            continue
        if told is not None and (last is None or (criteria, suspected) != (last.criteria, last.suspected)):
            learned = told
        aware_at = told or learned
        assert aware_at is not None, "the first judgement is of a report"
        found.append(Judgement(aware_at, criteria, suspected, expected))
    return found
