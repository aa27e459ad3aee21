"""Report an adverse event and follow it up. Each follow-up keeps the whole record and what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from equipoise.conduct.acting import Act, acting
from equipoise.conduct.details import moment_text
from equipoise.conduct.harm_facts import (
    NOT_ENDED,
    Facts,
    adverse_event_row,
    changed_facts,
    check_collected,
    check_facts,
    ended_on,
    facts_of,
    settled,
    time_text,
)
from equipoise.conduct.harm_tables import codes_of
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted
from equipoise.conduct.stopping_watch import standings_after_event
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor
from equipoise.safety.moments import parse_moment


def report_adverse_event(
    trial: Trial,
    participant: str,
    *,
    term: str | None = None,
    verbatim: str,
    onset: date | str,
    grade: int,
    highest_grade: int | None = None,
    serious: bool,
    criteria: Sequence[str] = (),
    related: Mapping[str, str],
    course: str | None = None,
    outcome: str,
    resolved: date | str | None = None,
    action: str | None = None,
    expected: bool | None = None,
    of_interest: str | None = None,
    treatment: str | None = None,
    reporter: str | None = None,
    aware_at: datetime,
    by: Actor,
    reason: str,
    at: datetime,
) -> int:
    """Report an adverse event of a participant.

    Args:
        trial: the trial.
        participant: the participant's code.
        term: a code of the protocol's `safety.adverse_events.terms`; None when a dictionary codes the events.
        verbatim: the event in the reporter's words.
        onset: when it began, as far as it is known: a day, or a text such as `2018-03` or `2018-03-05T14:30`.
        grade: 1 to 5 by the protocol's scale.
        highest_grade: the worst grade that it has had; `grade` when not given.
        serious: whether it meets any of `SERIOUS_CRITERIA`.
        criteria: those that it meets.
        related: for each of the protocol's `related_to`, the causality asked for.
        course: the course of treatment that it followed, if any.
        outcome: one of `ENDED` or `NOT_ENDED`.
        resolved: when it ended, as far as it is known, with an outcome of `ENDED`.
        action: what was done with the trial intervention, one of `ACTIONS`.
        expected: whether it is expected, when a person says so; otherwise the protocol's list decides.
        of_interest: the category of special interest that it belongs to, one of the protocol's.
        treatment: what was given against it.
        reporter: who told of it, in a word such as participant or physician; no name.
        aware_at: when the site learned of it (UTC): reporting deadlines count from here.
        by: who reports.
        reason: why it is recorded, such as a visit.
        at: when (UTC).

    Returns:
        The event's number within the participant.

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: before events are collected of this participant.
        NotAccepted: when a code is not the protocol's or the facts contradict each other.
        Refusal: when the onset is no date, or the highest grade or the category of interest cannot be.
    """
    moment = parse_moment("onset", onset if isinstance(onset, str) else onset.isoformat())
    facts = {
        "term": term,
        "verbatim": verbatim.strip(),
        "onset": moment.first_day.isoformat(),
        "onset_given": moment.text,
        "grade": grade,
        "highest_grade": highest_grade,
        "serious": serious,
        "criteria": list(criteria),
        "related": dict(related),
        "course": course,
        "outcome": outcome,
        "resolved": None,
        "resolved_given": None,
        "action": action,
        "expected_said": expected,
        "of_interest": of_interest,
        "treatment": treatment,
        "reporter": reporter,
        "aware_at": time_text("aware_at", aware_at),
    }
    with acting(trial, Kind.ADVERSE_EVENT_REPORTED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        check_collected(in_force, row, moment)
        if resolved is not None:
            facts |= ended_on(in_force, resolved, at)
        check_facts(act, in_force, facts)
        facts = settled(act, in_force, row, facts)
        number = int(str(row["adverse_events"])) + 1
        stopping = standings_after_event(trial.newest(act.writer).protocol, act.writer, participant, number, facts)
        payload = {"participant": participant, "number": number, "facts": facts, "stopping": stopping}
        act.append(payload, stream=participant, in_force=in_force)
    return number


def follow_up_adverse_event(
    trial: Trial,
    participant: str,
    number: int,
    *,
    by: Actor,
    reason: str,
    at: datetime,
    grade: int | None = None,
    serious: bool | None = None,
    criteria: Sequence[str] | None = None,
    related: Mapping[str, str] | None = None,
    outcome: str | None = None,
    resolved: date | str | None = None,
    action: str | None = None,
    highest_grade: int | None = None,
    expected: bool | None = None,
    of_interest: str | None = None,
    treatment: str | None = None,
    informed_at: datetime | None = None,
) -> None:
    """Say what became of an adverse event. What is None stays as it was; the former record stays in the ledger.

    Args:
        trial: the trial.
        participant: the participant's code.
        number: the event's number within the participant.
        by: who reports.
        reason: why it is recorded, such as a letter received.
        at: when (UTC).
        grade: as in `report_adverse_event`, as are those that follow.
        serious: whether it meets a criterion of seriousness now.
        criteria: all that it meets now.
        related: all causality asked for, as it is judged now.
        outcome: what became of it.
        resolved: when it ended.
        action: what was done with the trial intervention.
        highest_grade: the worst grade that it has had.
        expected: whether a person holds it to be expected.
        of_interest: its category of special interest.
        treatment: what was given against it.
        informed_at: when the site learned this (UTC), `at` when not given: a deadline that this starts counts from it.

    Raises:
        NotFound: when the participant or the event is not in this trial.
        NotAccepted: when nothing changes, a code is not the protocol's, or the facts contradict each other.
    """
    given = {
        "grade": grade,
        "serious": serious,
        "criteria": None if criteria is None else list(criteria),
        "related": None if related is None else dict(related),
        "outcome": outcome,
        "action": action,
        "highest_grade": highest_grade,
        "expected_said": expected,
        "of_interest": of_interest,
        "treatment": treatment,
    }
    informed = time_text("informed_at", at if informed_at is None else informed_at)
    with acting(trial, Kind.ADVERSE_EVENT_FOLLOWED_UP, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        stands = adverse_event_row(act, participant, number)
        before = facts_of(stands)
        facts = before | {name: value for name, value in given.items() if value is not None}
        if resolved is not None:
            facts |= ended_on(in_force, resolved, at)
        elif outcome in NOT_ENDED:
            facts |= {"resolved": None, "resolved_given": None}
        if highest_grade is None and grade is not None:
            facts["highest_grade"] = None
        check_facts(act, in_force, facts, before)
        _check_informed(act, facts, informed)
        codes = codes_of(stands)
        facts = settled(act, in_force, row, facts, highest_before=before["highest_grade"], coding=codes)
        changed = changed_facts(number, before, facts)
        newest = trial.newest(act.writer).protocol
        stopping = standings_after_event(newest, act.writer, participant, number, {**facts, **codes})
        told = {"facts": facts, "changed": changed, "informed_at": informed, "stopping": stopping}
        act.append({"participant": participant, "number": number, **told}, stream=participant, in_force=in_force)


def _check_informed(act: Act, facts: Facts, informed: str) -> None:
    if informed > moment_text(act.at):
        raise NotAccepted("informed_at", informed, "is after now", "correct the time")
    if informed < facts["aware_at"]:
        problem = f"is before the site was aware of the event, {facts['aware_at']}"
        raise NotAccepted("informed_at", informed, problem, "correct the time")
