"""Watch the stopping rules: where each stands after an event, what is paused, and the committee's decision.

The rules are those of the trial's newest protocol, at every site alike. A pause begins with the event that crosses a
boundary and lasts until the decision is recorded, even when a correction takes the event back. After a decision to
continue the next counted event pauses anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from equipoise.conduct.acting import Act, acting, check_not_future
from equipoise.conduct.in_force import InForce, check_known
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_frames import treated
from equipoise.conduct.refusing import NotAccepted, OutOfOrder
from equipoise.conduct.tables import TRIAL
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Row, Tables, is_blank
from equipoise.protocol.document import Protocol
from equipoise.protocol.safety import StoppingRule
from equipoise.safety.adverse_events import counted_term
from equipoise.safety.stopping import boundary_of, standing_in_order

CONTINUE, STOP = "continue", "stop"
DECISIONS = (CONTINUE, STOP)

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """When treatment began: its day in the trial's zone, and the moment (UTC) as the tables keep it."""

    day: str
    at: str

    def may_precede(self, facts: Facts) -> bool:
        """Whether an event may have begun from then on: by the minute where that is known, otherwise by the day."""
        if facts["onset_at"] is not None:
            return str(facts["onset_at"]) >= self.at
        return str(facts["onset"]) >= self.day and str(facts["aware_at"]) >= self.at


def standings_after_event(
    protocol: Protocol, tables: Tables, participant: str, number: int, facts: Facts | None
) -> list[dict[str, Any]]:
    """Where each rule of the participant's arm stands once an adverse event is what the facts say.

    Args:
        protocol: the trial's newest version.
        tables: the tables before the event.
        participant: whose event it is.
        number: the event's number within the participant.
        facts: the event as it will stand; None when it will not.

    Returns:
        For the payload, one entry a rule; none before the participant is treated.
    """
    records = _records(tables, but=(participant, number))
    if facts is not None:
        records.append((participant, facts))
    found = []
    for rule in protocol.stopping_rules:
        people = treated_in(tables, rule.arm)
        if participant in people:
            found.append(_standing(protocol, tables, rule, people, records))
    return found


def standings_after_start(
    protocol: Protocol, tables: Tables, participant: str, arm: str, start: Start
) -> list[dict[str, Any]]:
    """Where each rule of an arm stands once an infusion of a participant is started."""
    records = _records(tables)
    people = _infused_in(tables, arm)
    people.setdefault(participant, start)
    rules = [rule for rule in protocol.stopping_rules if rule.arm == arm]
    return [_standing(protocol, tables, rule, people, records) for rule in rules]


def standings_after_amendment(protocol: Protocol, tables: Tables) -> list[dict[str, Any]]:
    """Where each rule of a new version stands on what is recorded, once anybody of its arm is treated."""
    records = _records(tables)
    treated_by = [(rule, treated_in(tables, rule.arm)) for rule in protocol.stopping_rules]
    return [_standing(protocol, tables, rule, people, records) for rule, people in treated_by if people]


def treated_in(tables: Tables, arm: str) -> dict[str, Start]:
    """The participants of an arm who count as treated, in order, each with when treatment began.

    Events count from then. It is the first infusion; in an arm in which none is recorded, randomisation, so that a
    trial that keeps its doses elsewhere is watched too.
    """
    infused = _infused_in(tables, arm)
    if infused:
        return infused
    rows = sorted(tables.rows("allocation", arm=arm), key=lambda row: int(str(row["seq"])))
    starts = {
        row["participant"]: Start(str(row["randomised_on"]), str(row["randomised_at"]))
        for row in tables.rows("participant")
    }
    return {str(row["participant"]): starts[row["participant"]] for row in rows}


def _records(tables: Tables, but: tuple[str, int] | None = None) -> list[tuple[str, Facts]]:
    """Whose each adverse event is, and what it is; without those that were voided, and without one."""
    rows = (row for row in tables.rows("adverse_event") if row["voided_at"] is None)
    return [(str(row["participant"]), _facts(row)) for row in rows if (row["participant"], row["number"]) != but]


def _infused_in(tables: Tables, arm: str) -> dict[str, Start]:
    return {person: _first_infusion(tables, person) for person in treated(tables, arm)}


def _first_infusion(tables: Tables, participant: str) -> Start:
    rows = tables.rows("infusion", participant=participant)
    return min((Start(str(row["started_on"]), str(row["started_at"])) for row in rows), key=lambda start: start.at)


def pause_of(protocol: Protocol, tables: Tables, what: Literal["randomisation", "infusion"]) -> OutOfOrder | None:
    """What is said while a crossed stopping rule pauses an act; None while none does."""
    for rule in protocol.stopping_rules:
        state = tables.row("stopping_state", rule.id)
        if what in rule.pauses and state is not None and state["paused"]:
            decided = state["decision"] == STOP
            problem = "was crossed, and the trial is stopped" if decided else f"is crossed and pauses {what}"
            remedy = "record a new decision first" if decided else "wait until the committee's decision is recorded"
            return OutOfOrder("stopping_rules", rule.id, problem, remedy)
    return None


def check_not_paused(protocol: Protocol, tables: Tables, what: Literal["randomisation", "infusion"]) -> None:
    """Let an act pass that no crossed stopping rule pauses.

    Raises:
        OutOfOrder: naming the rule.
    """
    paused = pause_of(protocol, tables, what)
    if paused is not None:
        raise paused


def decide_stopping(
    trial: Trial,
    rule: str,
    *,
    decision: str,
    committee: str | None = None,
    statement: str,
    on: date,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record what the committee decided on a crossed stopping rule: to continue, or to stop.

    Args:
        trial: the trial.
        rule: the rule's id.
        decision: `continue`, which ends the pause until the next counted event, or `stop`, which leaves it.
        committee: who decided, one of the protocol's `committees` where it has any.
        statement: what was decided and why, in the committee's words.
        on: the day of the decision.
        by: who records it.
        reason: why it is recorded, such as the minutes received.
        at: when (UTC).

    Raises:
        NotFound: when there is no such rule, or no such committee.
        OutOfOrder: when the rule pauses nothing that waits for a decision.
        NotAccepted: when the decision is neither, the statement is blank, or the day is to come.
    """
    with acting(trial, Kind.STOPPING_DECIDED, by=by, reason=reason, at=at) as act:
        in_force = trial.newest(act.writer)
        check_known("rule", rule, [known.id for known in in_force.protocol.stopping_rules])
        _check_decision(act, in_force, decision, committee, statement, on)
        state = act.writer.row("stopping_state", rule)
        if state is None or not state["paused"]:
            raise OutOfOrder("rule", rule, "waits for no decision", "record one once it is crossed")
        payload = {
            "rule": rule,
            "decision": decision,
            "committee": committee,
            "statement": statement.strip(),
            "on": on.isoformat(),
            "events": int(str(state["events"])),
            "paused": decision == STOP,
        }
        act.append(payload, stream=TRIAL, in_force=in_force)


def _check_decision(
    act: Act, in_force: InForce, decision: str, committee: str | None, statement: str, on: date
) -> None:
    if decision not in DECISIONS:
        raise NotAccepted("decision", decision, "is not a decision", f"use one of {', '.join(DECISIONS)}")
    committees = [known.id for known in in_force.protocol.committees]
    if committees and committee is None:
        raise NotAccepted("committee", None, "is not named", f"use one of {', '.join(committees)}")
    if committee is not None:
        check_known("committee", committee, committees)
    if is_blank(statement):
        raise NotAccepted("statement", None, "is blank", "write what was decided and why")
    check_not_future("on", on, in_force.day_of(act.at))


def _standing(
    protocol: Protocol,
    tables: Tables,
    rule: StoppingRule,
    people: Mapping[str, Start],
    records: Iterable[tuple[str, Facts]],
) -> dict[str, Any]:
    counted = [
        person
        for person, facts in records
        if person in people and people[person].may_precede(facts) and _is_counted(protocol, rule, facts)
    ]
    counts: Sequence[int] = [counted.count(person) for person in people]
    found = standing_in_order(boundary_of(protocol, rule, until=len(people)), counts)
    state = tables.row("stopping_state", rule.id)
    was_paused = state is not None and bool(state["paused"])
    known = None if state is None else state["decided_events"]
    # When a correction took an event back after the decision, the next one is one more than what was decided on.
    decided = None if known is None else min(int(str(known)), found.events)
    is_new = found.crossed and (known is None or found.events > int(str(known)))
    return {
        "rule": rule.id,
        "treated": found.treated,
        "events": found.events,
        "boundary": found.limit,
        "crossed": found.crossed,
        "crossed_at": found.crossed_at,
        "paused": was_paused or is_new,
        "decided_events": decided,
    }


def _is_counted(protocol: Protocol, rule: StoppingRule, facts: Facts) -> bool:
    """Whether a rule counts an event: by its highest grade, and by its relation to the trial's products."""
    products = [part.id for part in protocol.interventions if part.role == "Experimental Intervention"]
    assert protocol.safety is not None, "there are adverse events only where the protocol says how they are collected"
    rules = protocol.safety.adverse_events
    means = rules.related_means
    answers = [facts["related"][name] for name in products if name in facts["related"]]
    related = next((answer for answer in answers if answer in means), next(iter(answers), None))
    record = {
        "ae.term": counted_term(rules, facts["term"], facts),
        "ae.grade": Decimal(facts["highest_grade"]),
        "ae.serious": facts["serious"],
        "ae.related": related,
        "ae.course": facts["course"],
        "ae.onset": date.fromisoformat(facts["onset"]),
    }
    return rule.event.holds(record)


def _facts(row: Row) -> Facts:
    return {**row, "serious": bool(row["serious"]), "related": json.loads(str(row["related"]))}
