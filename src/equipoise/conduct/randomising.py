"""Randomise a participant: everything is checked again, drawn, recorded and only then shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from equipoise.conduct.acting import Act, acting, check_in_trial
from equipoise.conduct.eligibility import answers_before, check_eligible, verdict_payload, verdicts
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, OutOfOrder
from equipoise.conduct.screening import check_consented
from equipoise.conduct.stopping_watch import check_not_paused
from equipoise.conduct.trials import Trial, trial_row
from equipoise.ledger import Actor, Row, Tables
from equipoise.randomisation import (
    Allocated,
    Commitment,
    Method,
    Secret,
    allocate,
    check_reveal,
    stratum_of,
)


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a participant was allocated to, and the place in the stratum's sequence."""

    participant: str
    arm: str
    number: int
    stratum: str


def randomise(trial: Trial, participant: str, *, by: Actor, reason: str, at: datetime) -> Allocation:
    """Randomise one participant.

    One transaction: the ledger is taken, consent and criteria are checked again under the protocol in force at the
    site, the next place is drawn and recorded. The arm is told once that is on the disk. A crash before then draws
    the same arm again.

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: without consent or declared eligibility; when randomised already, failed or gone; while a crossed
            stopping rule pauses randomisation.
        NotEligible: naming every criterion that is no longer met.
        NotAccepted: when the trial is not randomised here, a stratum is not known, or the secret is not the one.
        AllocationRefused: when the sequence is used up.
    """
    with acting(trial, Kind.PARTICIPANT_RANDOMISED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        _check_not_randomised(participant, row)
        check_in_trial(participant, row)
        check_not_paused(trial.newest(act.writer).protocol, act.writer, "randomisation")
        in_force = act.in_force_for(row)
        check_consented(act, in_force, row)
        if row["declared_on"] is None:
            remedy = "ask the investigator to declare eligibility first"
            raise OutOfOrder("participant", participant, "was not declared eligible", remedy)
        found = verdicts(trial, in_force, act.writer, row)
        check_eligible(participant, found)
        method = _method(act, in_force)
        allocated = _draw(act, in_force, method, row)
        payload = {
            "participant": participant,
            "arm": allocated.arm,
            "number": allocated.number,
            "stratum": allocated.stratum,
            "factors": dict(allocated.factors),
            "on": in_force.day_of(at).isoformat(),
            "verdicts": verdict_payload(found),
        }
        act.append(payload, stream=participant, in_force=in_force)
    return Allocation(participant, allocated.arm, allocated.number, allocated.stratum)


def committed_secret(trial: Trial, tables: Tables, method: Method) -> Secret:
    """The secret in the trial's folder, when it is the one committed to.

    Raises:
        SecretRefused: when it cannot be read, or others may.
        NotAccepted: when it is another one.
    """
    row = trial_row(tables)
    secret = Secret.read(trial.secret_path)
    if not check_reveal(Commitment(str(row["commitment"])), secret, str(row["committed_hash"]), method):
        remedy = "restore the trial's own secret.key from its safe copy"
        raise NotAccepted("secret", None, "is not the one that the trial committed to", remedy)
    return secret


def allocated_so_far(tables: Tables, stratum: str | None = None) -> list[Allocated]:
    """Allocations of one stratum or of all, in the order in which they were made."""
    rows = tables.rows("allocation") if stratum is None else tables.rows("allocation", stratum=stratum)
    return [
        Allocated(int(str(row["number"])), str(row["arm"]), str(row["stratum"]), json.loads(str(row["factors"])))
        for row in sorted(rows, key=lambda row: int(str(row["seq"])))
    ]


def _check_not_randomised(code: str, participant: Row) -> None:
    if participant["randomised_on"] is not None:
        problem = f"was randomised on {participant['randomised_on']}"
        raise OutOfOrder("participant", code, problem, "open its record instead")


def _method(act: Act, in_force: InForce) -> Method:
    """The trial's one method; a site under an older version must not draw by another."""
    if in_force.method is None:
        remedy = "record what was allocated elsewhere by importing it"
        raise NotAccepted("allocation.method", "external", "this trial is not randomised here", remedy)
    if trial_row(act.writer)["revealed"] is not None:
        problem = "the secret was revealed, so that arms can be known beforehand"
        raise OutOfOrder("allocation", None, problem, "no participant can be randomised any more")
    if in_force.method != act.trial.newest(act.writer).method:
        version = in_force.protocol.protocol.version
        problem = "allocates otherwise than the newest version"
        raise NotAccepted("protocol", version, problem, "record the site's approval of the newest version first")
    return in_force.method


def _draw(act: Act, in_force: InForce, method: Method, participant: Row) -> Allocated:
    allocation = in_force.protocol.allocation
    levels = {**answers_before(in_force, act.writer, participant), "site": str(participant["site"])}
    stratum = stratum_of(_levels(allocation.strata, levels, "strata"))
    return allocate(
        method,
        committed_secret(act.trial, act.writer, method),
        trial=in_force.protocol.protocol.id,
        stratum=stratum,
        past=allocated_so_far(act.writer, stratum),
        factors=_levels(allocation.factors, levels, "factors"),
    )


def _levels(names: tuple[str, ...], levels: dict[str, str | None], field: str) -> dict[str, str]:
    found = {}
    for name in names:
        level = levels.get(name)
        if level is None:
            problem = "is not known for this participant"
            raise NotAccepted(f"allocation.{field}", name, problem, "record it at screening or baseline")
        found[name] = level
    return found
