"""What is recorded of an adverse event: which facts may stand together, and what follows from them by the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from equipoise.conduct.acting import Act, check_not_before, check_not_future
from equipoise.conduct.details import moment, moment_text
from equipoise.conduct.harm_tables import CODING
from equipoise.conduct.in_force import InForce, nearest
from equipoise.conduct.refusing import NotAccepted, NotFound, OutOfOrder
from equipoise.ledger import Row, is_blank
from equipoise.protocol.safety import AdverseEventRules
from equipoise.safety.adverse_events import (
    check_end,
    check_highest_grade,
    check_of_interest,
    is_expected,
    is_suspected,
    names_of,
    onset_known,
)
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

NO_CODE: Mapping[str, str] = MappingProxyType({})

NOT_FACTS = ("participant", "number", "reported_at", "voided_at", *CODING)
"""Columns of an event that are no facts of its report."""


def adverse_event_row(act: Act, participant: str, number: int) -> Row:
    """An adverse event as it stands.

    Raises:
        NotFound: when there is none of that number.
        OutOfOrder: when it was voided.
    """
    row = act.writer.row("adverse_event", participant, number)
    if row is None:
        problem = f"is not an adverse event of {participant}"
        raise NotFound("number", number, problem, "check the number, or report the event")
    if row["voided_at"] is not None:
        problem = f"of {participant} was voided at {row['voided_at']}"
        raise OutOfOrder("number", number, problem, "report the event anew if it took place")
    return row


def facts_of(row: Row) -> dict[str, Any]:
    """The facts as they stand; an event reported to an earlier version has not all of them."""
    facts: dict[str, Any] = {name: value for name, value in row.items() if name not in NOT_FACTS}
    for name in ("serious", "suspected", "expected", "expected_said"):
        facts[name] = None if row[name] is None else bool(row[name])
    facts["criteria"] = json.loads(str(row["criteria"]))
    facts["related"] = json.loads(str(row["related"]))
    return facts


def rules_of(in_force: InForce) -> AdverseEventRules:
    """How the protocol collects adverse events.

    Raises:
        NotAccepted: when it does not say.
    """
    safety = in_force.protocol.safety
    if safety is None:
        remedy = "amend the protocol to say how adverse events are collected"
        raise NotAccepted("safety", None, "is not in the protocol", remedy)
    return safety.adverse_events


def ended_on(in_force: InForce, resolved: date | str, now: datetime) -> dict[str, str]:
    """The end as it was given, and the day to count by: the latest that it may be.

    Raises:
        MomentRefused: when it is no date.
    """
    end = parse_moment("resolved", resolved if isinstance(resolved, str) else resolved.isoformat())
    day = max(end.first_day, min(end.last_day, in_force.day_of(now)))
    return {"resolved": day.isoformat(), "resolved_given": end.text}


def settled(
    act: Act,
    in_force: InForce,
    participant: Row,
    facts: Facts,
    *,
    highest_before: int = 0,
    coding: Mapping[str, str] = NO_CODE,
) -> dict[str, Any]:
    """The facts with what follows from them: the day to count by, the highest grade, whether suspected and expected.

    Args:
        act: the act under way.
        in_force: the protocol in force for the participant.
        participant: the participant's row.
        facts: as they were told.
        highest_before: the worst grade known before.
        coding: by which the event is coded: code, preferred_code, dictionary.
    """
    rules = rules_of(in_force)
    zone = in_force.timezone
    aware_at = datetime.fromisoformat(str(facts["aware_at"]))
    onset = onset_known(facts["onset_given"], aware_at, facts["resolved_given"], zone)
    infusions = act.writer.rows("infusion", participant=participant["participant"])
    begun = [*sorted(str(row["started_at"]) for row in infusions)[:1], participant["randomised_at"]]
    starts = [datetime.fromisoformat(str(at)).astimezone(zone) for at in begun if at is not None]
    moment_known = None if onset.at is None else onset.span(zone)[0]
    products = {part.id for part in in_force.protocol.interventions if part.role == "Experimental Intervention"}
    return {
        **facts,
        "onset": onset.assumed_day(starts).isoformat(),
        "onset_at": None if moment_known is None else time_text("onset", moment_known),
        "highest_grade": facts["highest_grade"] or max(facts["grade"], highest_before),
        "suspected": is_suspected(rules, facts["related"], products),
        "expected": is_expected(
            rules, names_of(rules, facts["term"], coding), facts["criteria"], facts["expected_said"]
        ),
    }


def changed_facts(number: int, before: Facts, facts: Facts) -> dict[str, list[object]]:
    """By name, what stood and what stands now.

    Raises:
        NotAccepted: when nothing differs.
    """
    changed = {name: [before[name], facts[name]] for name in facts if facts[name] != before[name]}
    if not changed:
        raise NotAccepted("adverse event", number, "nothing differs from what stands there", "leave it")
    return changed


def check_collected(in_force: InForce, participant: Row, onset: Moment) -> None:
    """Let an event pass that the protocol collects.

    Raises:
        OutOfOrder: before events are collected of this participant.
        NotAccepted: when it ended before they were.
    """
    code = participant["participant"]
    if rules_of(in_force).collected_from == "consent":
        start, what = participant["consented_on"], "consent"
    else:  # nothing is dosed before randomisation, and what was given is not recorded yet
        start, what = participant["randomised_on"], "randomisation"
    if start is None:
        problem = f"has no {what} yet, and events are collected from {what} on"
        raise OutOfOrder("participant", code, problem, "record it as history on a form")
    check_not_before("onset", onset.last_day, start, f"the day of {what}")


def check_facts(act: Act, in_force: InForce, facts: Facts, before: Facts | None = None) -> None:
    """Let the facts of an event pass that are the protocol's and agree with each other.

    A term that stands already passes although an amendment took it off the list: what is known of the event besides
    can be told all the same.

    Raises:
        NotAccepted: naming the fact, or the facts that contradict each other.
        Refusal: when the highest grade or the category of interest cannot be.
    """
    rules = rules_of(in_force)
    if before is None or facts["term"] != before["term"]:
        _check_term(rules, facts["term"])
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
    if facts["aware_at"] > moment_text(act.at):
        raise NotAccepted("aware_at", facts["aware_at"], "is after now", "correct the time")
    _check_days(act, in_force, facts)


def time_text(field: str, time: datetime) -> str:
    """A time with its zone, as events keep it.

    Raises:
        NotAccepted: when it does not say its zone.
    """
    return moment_text(moment(field, time))


def _check_term(rules: AdverseEventRules, term: str | None) -> None:
    """Of the trial's own list when it has one; else the event's verbatim text is what a dictionary codes."""
    if term is None:
        if rules.dictionary is None:
            remedy = f"use one of {', '.join(rules.terms)}" if rules.terms else "name the event in a word or two"
            raise NotAccepted("term", None, "is not given", remedy)
    elif rules.terms:
        _check_code("term", term, rules.terms)
    elif rules.dictionary is not None:
        remedy = f"leave it out: the verbatim text is what is coded by {rules.dictionary.label}"
        raise NotAccepted("term", term, "is not of a list of the trial, which has none", remedy)
    elif is_blank(term):
        raise NotAccepted("term", None, "is blank", "name the event in a word or two")


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


def _check_days(act: Act, in_force: InForce, facts: Facts) -> None:
    today = in_force.day_of(act.at)
    onset = parse_moment("onset", facts["onset_given"])
    check_not_future("onset", onset.first_day, today)
    if onset.at is not None and onset.span(in_force.timezone)[0] > act.at:
        raise NotAccepted("onset", onset.text, "is after now", "correct the time")
    aware_at = datetime.fromisoformat(str(facts["aware_at"])).astimezone(in_force.timezone)
    if onset.span(in_force.timezone)[0] > aware_at:
        problem = f"is after the site was aware of the event, {aware_at:%Y-%m-%dT%H:%M}"
        raise NotAccepted("onset", onset.text, problem, "correct the onset, or the time of awareness")
    given = facts["resolved_given"]
    if (facts["outcome"] in ENDED) != (given is not None):
        problem = "does not go with a day of ending" if given else "needs the day on which it ended"
        raise NotAccepted("outcome", facts["outcome"], problem, "make outcome and resolved agree")
    if given is not None:
        ended = parse_moment("resolved", given)
        check_not_future("resolved", ended.first_day, today)
        if ended.at is not None and ended.span(in_force.timezone)[0] > act.at:
            raise NotAccepted("resolved", given, "is after now", "correct the time")
        check_end(onset, ended)


def _check_code(field: str, value: str, known: Sequence[str] | Mapping[str, str]) -> None:
    if value not in known:
        raise NotAccepted(field, value, "is not a code for this", nearest(value, known))
