"""Put right what was recorded of an adverse event in error, or void an event that was none.

What the site learned later is a follow-up; a correction is of what was wrong from the first. When the site became aware
is never changed, because deadlines count from it.
"""

from __future__ import annotations

from datetime import date, datetime

from equipoise.conduct.acting import acting
from equipoise.conduct.harm_facts import (
    adverse_event_row,
    changed_facts,
    check_collected,
    check_facts,
    facts_of,
    settled,
)
from equipoise.conduct.harm_tables import codes_of
from equipoise.conduct.kinds import Kind
from equipoise.conduct.stopping_watch import standings_after_event
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, is_blank
from equipoise.safety.moments import parse_moment


def correct_adverse_event(
    trial: Trial,
    participant: str,
    number: int,
    *,
    term: str | None = None,
    verbatim: str | None = None,
    onset: date | str | None = None,
    course: str | None = None,
    reporter: str | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Set anew what was wrong from the first. What is None stays; what stood there stays in the ledger.

    A corrected verbatim text takes the event's code away: it was the code of another text.

    Args:
        trial: the trial.
        participant: the participant's code.
        number: the event's number within the participant.
        term: as in `report_adverse_event`, as are those that follow.
        verbatim: the event in the reporter's words.
        onset: when it began, as far as it is known.
        course: the course of treatment that it followed; blank where it followed none.
        reporter: who told of it.
        by: who corrects.
        reason: why it was wrong.
        at: when (UTC).

    Raises:
        NotFound: when the participant or the event is not in this trial.
        OutOfOrder: when the event was voided, or began before events are collected.
        NotAccepted: when nothing changes, a code is not the protocol's, or the facts contradict each other.
        Refusal: when the onset is no date.
    """
    given = {
        "term": term,
        "verbatim": None if verbatim is None else verbatim.strip(),
        "onset_given": onset.isoformat() if isinstance(onset, date) else onset,
        "course": course,
        "reporter": reporter,
    }
    with acting(trial, Kind.ADVERSE_EVENT_CORRECTED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        stands = adverse_event_row(act, participant, number)
        before = facts_of(stands)
        facts = before | {name: value for name, value in given.items() if value is not None}
        if course is not None and is_blank(course):
            facts["course"] = None
        check_collected(in_force, row, parse_moment("onset", facts["onset_given"]))
        check_facts(act, in_force, facts, before)
        uncoded = facts["verbatim"] != before["verbatim"]
        codes = {} if uncoded else codes_of(stands)
        facts = settled(act, in_force, row, facts, coding=codes)
        newest = trial.newest(act.writer).protocol
        payload = {
            "participant": participant,
            "number": number,
            "facts": facts,
            "changed": changed_facts(number, before, facts),
            "stopping": standings_after_event(newest, act.writer, participant, number, {**facts, **codes}),
        }
        act.append(payload | ({"coding": None} if uncoded else {}), stream=participant, in_force=in_force)


def void_adverse_event(trial: Trial, participant: str, number: int, *, by: Actor, reason: str, at: datetime) -> None:
    """Void an event that was recorded in error, such as twice or for another participant. It counts no longer.

    A pause of a stopping rule that the event brought about lasts until the committee's decision is recorded.

    Args:
        trial: the trial.
        participant: the participant's code.
        number: the event's number within the participant; it is not given again.
        by: who voids it.
        reason: why it was none.
        at: when (UTC).

    Raises:
        NotFound: when the participant or the event is not in this trial.
        OutOfOrder: when it was voided already.
    """
    with acting(trial, Kind.ADVERSE_EVENT_VOIDED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        adverse_event_row(act, participant, number)
        newest = trial.newest(act.writer).protocol
        stopping = standings_after_event(newest, act.writer, participant, number, None)
        payload = {"participant": participant, "number": number, "stopping": stopping}
        act.append(payload, stream=participant, in_force=act.in_force_for(row))
