"""Report an adverse event and follow it up. Each follow-up keeps the whole record and what it changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from equipoise.conduct.acting import Act, acting, check_not_before, check_not_future
from equipoise.conduct.details import moment_text
from equipoise.conduct.in_force import InForce, nearest
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.stopping_watch import first_infusion_on, standings_after_event
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Row, is_blank
from equipoise.protocol.safety import AdverseEventRules
from equipoise.safety.adverse_events import check_highest_grade, check_of_interest, is_expected, is_suspected
from equipoise.safety.moments import Moment, parse_moment

SERIOUS_CRITERIA: Mapping[str, str] = MappingProxyType(
    {
        "AESDTH": "results in death",
        "AESLIFE": "is life-threatening",
        "AESHOSP": "requires or prolongs hospitalisation",
        "AESDISAB": "disables or incapacitates",
        "AESCONG": "is a congenital anomaly",
        "AESMIE": "is otherwise medically important",
    }
)
"""Why an event is serious (ICH E2A), by CDISC variable."""

ENDED = ("RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE", "FATAL")
NOT_ENDED = ("RECOVERING/RESOLVING", "NOT RECOVERED/NOT RESOLVED", "UNKNOWN")
ACTIONS = (
    "DOSE NOT CHANGED", "DOSE REDUCED", "DOSE INCREASED", "DOSE RATE REDUCED", "DRUG INTERRUPTED", "DRUG WITHDRAWN",
    "NOT APPLICABLE", "UNKNOWN",
)  # fmt: skip
GRADES = range(1, 6)
FATAL_GRADE = 5

Facts = Mapping[str, Any]


def report_adverse_event(
    trial: Trial,
    participant: str,
    *,
    term: str,
    verbatim: str,
    onset: date | str,
    grade: int,
    highest_grade: int | None = None,
    serious: bool,
    criteria: Sequence[str] = (),
    related: Mapping[str, str],
    course: str | None = None,
    outcome: str,
    resolved: date | None = None,
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
        term: a code of the protocol's `safety.adverse_events.terms`.
        verbatim: the event in the reporter's words.
        onset: when it began, as far as it is known: a day, or a text such as `2018-03` or `2018-03-05T14:30`.
        grade: 1 to 5 by the protocol's scale.
        highest_grade: the worst grade that it has had; `grade` when not given.
        serious: whether it meets any of `SERIOUS_CRITERIA`.
        criteria: those that it meets.
        related: for each of the protocol's `related_to`, the causality asked for.
        course: the course of treatment that it followed, if any.
        outcome: one of `ENDED` or `NOT_ENDED`.
        resolved: the day on which it ended, with an outcome of `ENDED`.
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
        "resolved": None if resolved is None else resolved.isoformat(),
        "action": action,
        "expected_said": expected,
        "of_interest": of_interest,
        "treatment": treatment,
        "reporter": reporter,
        "aware_at": _moment("aware_at", aware_at),
    }
    with acting(trial, Kind.ADVERSE_EVENT_REPORTED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        _check_collected(in_force, row, moment)
        _check_facts(act, in_force, facts)
        facts = _settled(act, in_force, row, facts)
        _check_begun(act, facts)
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
    resolved: date | None = None,
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
        resolved: the day on which it ended.
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
        "resolved": None if resolved is None else resolved.isoformat(),
        "action": action,
        "highest_grade": highest_grade,
        "expected_said": expected,
        "of_interest": of_interest,
        "treatment": treatment,
    }
    informed = _moment("informed_at", at if informed_at is None else informed_at)
    with acting(trial, Kind.ADVERSE_EVENT_FOLLOWED_UP, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        stands = adverse_event_row(act, participant, number)
        before = _facts_of(stands)
        facts = before | {name: value for name, value in given.items() if value is not None}
        if outcome in NOT_ENDED and resolved is None:
            facts["resolved"] = None
        if highest_grade is None and grade is not None:
            facts["highest_grade"] = None
        _check_facts(act, in_force, facts)
        _check_informed(act, facts, informed)
        facts = _settled(act, in_force, row, facts, before["highest_grade"])
        changed = {name: [before[name], facts[name]] for name in facts if facts[name] != before[name]}
        if not changed:
            raise NotAccepted("adverse event", number, "nothing differs from what stands there", "leave it")
        stopping = standings_after_event(trial.newest(act.writer).protocol, act.writer, participant, number, facts)
        told = {"facts": facts, "changed": changed, "informed_at": informed, "stopping": stopping}
        act.append({"participant": participant, "number": number, **told}, stream=participant, in_force=in_force)


def adverse_event_row(act: Act, participant: str, number: int) -> Row:
    """An adverse event as it stands.

    Raises:
        NotFound: when there is none of that number.
    """
    row = act.writer.row("adverse_event", participant, number)
    if row is None:
        problem = f"is not an adverse event of {participant}"
        raise NotFound("number", number, problem, "check the number, or report the event")
    return row


def _settled(act: Act, in_force: InForce, participant: Row, facts: Facts, highest_before: int = 0) -> dict[str, Any]:
    """The facts with what follows from them: the day to count by, the highest grade, whether suspected and expected."""
    rules = _rules(in_force)
    onset = parse_moment("onset", facts["onset_given"])
    randomised_on = participant["randomised_on"]
    starts = (
        first_infusion_on(act.writer, str(participant["participant"])),
        None if randomised_on is None else date.fromisoformat(str(randomised_on)),
    )
    ended = facts["resolved"] or date.max.isoformat()
    possible = (day for day in starts if day is not None and onset.may_be(day) and day.isoformat() <= ended)
    moment_known = None if onset.at is None else onset.span(in_force.timezone)[0]
    products = {part.id for part in in_force.protocol.interventions if part.role == "Experimental Intervention"}
    return {
        **facts,
        "onset": onset.assumed_day(next(possible, None)).isoformat(),
        "onset_at": None if moment_known is None else _moment("onset", moment_known),
        "highest_grade": facts["highest_grade"] or max(facts["grade"], highest_before),
        "suspected": is_suspected(rules, facts["related"], products),
        "expected": is_expected(rules, facts["term"], facts["criteria"], facts["expected_said"]),
    }


def _check_begun(act: Act, facts: Facts) -> None:
    if facts["onset_at"] is not None and facts["onset_at"] > moment_text(act.at):
        raise NotAccepted("onset", facts["onset_given"], "is after now", "correct the time")


def _check_informed(act: Act, facts: Facts, informed: str) -> None:
    if informed > moment_text(act.at):
        raise NotAccepted("informed_at", informed, "is after now", "correct the time")
    if informed < facts["aware_at"]:
        problem = f"is before the site was aware of the event, {facts['aware_at']}"
        raise NotAccepted("informed_at", informed, problem, "correct the time")


def _facts_of(row: Row) -> dict[str, Any]:
    """The facts as they stand; an event reported to an earlier version has not all of them."""
    left_out = ("participant", "number", "reported_at")
    facts: dict[str, Any] = {name: value for name, value in row.items() if name not in left_out}
    for name in ("serious", "suspected", "expected", "expected_said"):
        facts[name] = None if row[name] is None else bool(row[name])
    facts["criteria"] = json.loads(str(row["criteria"]))
    facts["related"] = json.loads(str(row["related"]))
    return facts


def _rules(in_force: InForce) -> AdverseEventRules:
    safety = in_force.protocol.safety
    if safety is None:
        remedy = "amend the protocol to say how adverse events are collected"
        raise NotAccepted("safety", None, "is not in the protocol", remedy)
    return safety.adverse_events


def _check_collected(in_force: InForce, participant: Row, onset: Moment) -> None:
    code = participant["participant"]
    if _rules(in_force).collected_from == "consent":
        start, what = participant["consented_on"], "consent"
    else:  # nothing is dosed before randomisation, and what was given is not recorded yet
        start, what = participant["randomised_on"], "randomisation"
    if start is None:
        problem = f"has no {what} yet, and events are collected from {what} on"
        raise OutOfOrder("participant", code, problem, "record it as history on a form")
    check_not_before("onset", onset.last_day, start, f"the day of {what}")


def _check_facts(act: Act, in_force: InForce, facts: Facts) -> None:
    rules = _rules(in_force)
    if rules.terms:
        _check_code("term", facts["term"], rules.terms)
    if is_blank(facts["verbatim"]):
        raise NotAccepted("verbatim", None, "is blank", "write the event in the reporter's words")
    if facts["grade"] not in GRADES or isinstance(facts["grade"], bool):
        raise NotAccepted("grade", facts["grade"], "is not a grade from 1 to 5", "grade it by the protocol's scale")
    for criterion in facts["criteria"]:
        _check_code("criteria", criterion, SERIOUS_CRITERIA)
    _check_related(rules, facts["related"])
    _check_code("outcome", facts["outcome"], (*ENDED, *NOT_ENDED))
    if facts["action"] is not None:
        _check_code("action", facts["action"], ACTIONS)
    check_of_interest(rules, facts["of_interest"])
    check_highest_grade(facts["grade"], facts["highest_grade"])
    if facts["course"] is not None:
        courses = [course.id for regimen in in_force.protocol.regimens for course in regimen.courses]
        _check_code("course", facts["course"], courses)
    _check_seriousness(facts)
    _check_days(in_force, facts, in_force.day_of(act.at))
    if facts["aware_at"] > moment_text(act.at):
        raise NotAccepted("aware_at", facts["aware_at"], "is after now", "correct the time")


def _check_related(rules: AdverseEventRules, related: Mapping[str, str]) -> None:
    for name, answer in related.items():
        _check_code("related", name, rules.related_to)
        _check_code(f"related.{name}", answer, rules.causality)
    for name in rules.related_to:
        if name not in related:
            remedy = f"answer one of {', '.join(rules.causality)}"
            raise NotAccepted(f"related.{name}", None, "is not answered", remedy)


def _check_seriousness(facts: Facts) -> None:
    fatal = "AESDTH" in facts["criteria"]
    if facts["serious"] != bool(facts["criteria"]):
        problem = "has no criterion" if facts["serious"] else "has a criterion of seriousness but is not serious"
        remedy = f"name what it meets: {', '.join(SERIOUS_CRITERIA)}" if facts["serious"] else "make both agree"
        raise NotAccepted("serious", facts["serious"], problem, remedy)
    if not (fatal == (facts["grade"] == FATAL_GRADE) == (facts["outcome"] == "FATAL")):
        said = f"grade {facts['grade']}, {facts['outcome']}, {', '.join(facts['criteria']) or 'not serious'}"
        problem = "death is grade 5, outcome FATAL and criterion AESDTH together"
        raise NotAccepted("adverse event", said, problem, "make the three agree")


def _check_days(in_force: InForce, facts: Facts, today: date) -> None:
    onset = parse_moment("onset", facts["onset_given"]).first_day
    check_not_future("onset", onset, today)
    if (facts["outcome"] in ENDED) != (facts["resolved"] is not None):
        problem = "does not go with a day of ending" if facts["resolved"] else "needs the day on which it ended"
        raise NotAccepted("outcome", facts["outcome"], problem, "make outcome and resolved agree")
    if facts["resolved"] is not None:
        resolved = date.fromisoformat(facts["resolved"])
        check_not_future("resolved", resolved, today)
        check_not_before("resolved", resolved, onset, "the onset")


def _check_code(field: str, value: str, known: Sequence[str] | Mapping[str, str]) -> None:
    if value not in known:
        raise NotAccepted(field, value, "is not a code for this", nearest(value, known))


def _moment(field: str, moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise NotAccepted(field, moment.isoformat(), "does not say its time zone", "pass a time with its zone")
    return moment_text(moment.astimezone(UTC))
