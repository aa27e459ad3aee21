"""Report an adverse event and follow it up. Each follow-up keeps the whole record and what it changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from equipoise.conduct.acting import Act, acting, check_not_before, check_not_future
from equipoise.conduct.in_force import InForce, nearest
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Row, is_blank
from equipoise.protocol.safety import AdverseEventRules

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
    onset: date,
    grade: int,
    serious: bool,
    criteria: Sequence[str] = (),
    related: Mapping[str, str],
    course: str | None = None,
    outcome: str,
    resolved: date | None = None,
    action: str | None = None,
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
        onset: the day on which it began.
        grade: 1 to 5 by the protocol's scale.
        serious: whether it meets any of `SERIOUS_CRITERIA`.
        criteria: those that it meets.
        related: for each of the protocol's `related_to`, the causality asked for.
        course: the course of treatment that it followed, if any.
        outcome: one of `ENDED` or `NOT_ENDED`.
        resolved: the day on which it ended, with an outcome of `ENDED`.
        action: what was done with the trial intervention, one of `ACTIONS`.
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
    """
    facts = {
        "term": term,
        "verbatim": verbatim.strip(),
        "onset": onset.isoformat(),
        "grade": grade,
        "serious": serious,
        "criteria": list(criteria),
        "related": dict(related),
        "course": course,
        "outcome": outcome,
        "resolved": None if resolved is None else resolved.isoformat(),
        "action": action,
        "aware_at": _moment("aware_at", aware_at),
    }
    with acting(trial, Kind.ADVERSE_EVENT_REPORTED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        _check_collected(in_force, row, onset)
        _check_facts(act, in_force, facts)
        number = int(str(row["adverse_events"])) + 1
        payload = {"participant": participant, "number": number, "facts": facts}
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
) -> None:
    """Say what became of an adverse event. What is None stays as it was; the former record stays in the ledger.

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
    }
    with acting(trial, Kind.ADVERSE_EVENT_FOLLOWED_UP, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        stands = act.writer.row("adverse_event", participant, number)
        if stands is None:
            problem = f"is not an adverse event of {participant}"
            raise NotFound("number", number, problem, "check the number, or report the event")
        before = _facts_of(stands)
        facts = before | {name: value for name, value in given.items() if value is not None}
        if outcome in NOT_ENDED and resolved is None:
            facts["resolved"] = None
        changed = {name: [before[name], facts[name]] for name in facts if facts[name] != before[name]}
        if not changed:
            raise NotAccepted("adverse event", number, "nothing differs from what stands there", "leave it")
        _check_facts(act, in_force, facts)
        payload = {"participant": participant, "number": number, "facts": facts, "changed": changed}
        act.append(payload, stream=participant, in_force=in_force)


def _facts_of(row: Row) -> dict[str, Any]:
    facts: dict[str, Any] = {name: value for name, value in row.items() if name not in ("participant", "number")}
    facts["serious"] = bool(row["serious"])
    facts["criteria"] = json.loads(str(row["criteria"]))
    facts["related"] = json.loads(str(row["related"]))
    return facts


def _rules(in_force: InForce) -> AdverseEventRules:
    safety = in_force.protocol.safety
    if safety is None:
        remedy = "amend the protocol to say how adverse events are collected"
        raise NotAccepted("safety", None, "is not in the protocol", remedy)
    return safety.adverse_events


def _check_collected(in_force: InForce, participant: Row, onset: date) -> None:
    code = participant["participant"]
    if _rules(in_force).collected_from == "consent":
        start, what = participant["consented_on"], "consent"
    else:  # nothing is dosed before randomisation, and what was given is not recorded yet
        start, what = participant["randomised_on"], "randomisation"
    if start is None:
        problem = f"has no {what} yet, and events are collected from {what} on"
        raise OutOfOrder("participant", code, problem, "record it as history on a form")
    check_not_before("onset", onset, start, f"the day of {what}")


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
    if facts["course"] is not None:
        courses = [course.id for regimen in in_force.protocol.regimens for course in regimen.courses]
        _check_code("course", facts["course"], courses)
    _check_seriousness(facts)
    _check_days(in_force, facts, in_force.day_of(act.at))
    if facts["aware_at"] > act.at.isoformat(timespec="microseconds"):
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
    onset = date.fromisoformat(facts["onset"])
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
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
