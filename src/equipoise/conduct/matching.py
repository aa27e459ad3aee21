"""Match a donor with a participant by the rule that the protocol names.

The deciding rule's verdict stands; what every other model says is kept beside it. A match holds as long as neither
person is typed anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from equipoise.conduct.acting import Act, acting, check_in_trial
from equipoise.conduct.donating import donor_row
from equipoise.conduct.donor_tables import DONOR, PARTICIPANT, SETS
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, NotEligible, OutOfOrder
from equipoise.conduct.tissue_typing import typed_person
from equipoise.conduct.trials import Trial
from equipoise.donors import Pair, match
from equipoise.ledger import Actor, Row, Tables, is_blank

AMBIGUOUS, MISMATCH = "ambiguous", "mismatch"


def match_donor(
    trial: Trial,
    participant: str,
    donor: str,
    *,
    accept_ambiguous: str | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> Pair:
    """Match a donor with a participant by the deciding rule, on the typings that are stored.

    Args:
        trial: the trial.
        participant: the participant's code.
        donor: the donor's code.
        accept_ambiguous: why a person accepts a verdict that the typing leaves open; None accepts none.
        by: who matches.
        reason: why.
        at: when (UTC).

    Returns:
        What all models say.

    Raises:
        NotFound: when the participant or donor is not in this trial.
        OutOfOrder: before the protocol's time for matching, without a typing, when matched already, or when the
            participant has left.
        NotEligible: when the donor is not judged eligible, or the verdict is not a mismatch.
        NotAccepted: when there is no ambiguity to accept, or the protocol names no rule.
    """
    with acting(trial, Kind.DONOR_MATCHED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        rule = in_force.deciding_rule
        check_in_trial(participant, row)
        _check_when(act, in_force, row)
        _check_donor(act.writer, donor)
        stands = match_that_stands(act.writer, participant, donor)
        if stands is not None and (stands["rule"], stands["rule_version"]) == (rule.name, rule.version):
            problem = f"is matched with donor {donor} since {stands['matched_on']}"
            raise OutOfOrder("participant", participant, problem, "go on with the lot")
        giver = typed_person(trial, rule, act.writer, DONOR, donor)
        taker = typed_person(trial, rule, act.writer, PARTICIPANT, participant)
        lacking = rule.lacking(giver, taker)
        if lacking:
            problem = f"needs {', '.join(lacking)}, which the typing of donor {donor} or {participant} does not hold"
            raise OutOfOrder("donor_matching", rule.name, problem, "record a whole typing first")
        pair = match([giver], [taker], rule.name, reference=trial.reference.title).pair(0, 0)
        accepted = _accepted(pair, accept_ambiguous)
        act.append(_payload(act, in_force, pair, accepted), stream=participant, in_force=in_force)
    return pair


def match_that_stands(tables: Tables, participant: str, donor: str) -> Row | None:
    """The match of a participant and a donor, unless either was typed anew since."""
    row = tables.row("match", participant, donor)
    if row is None:
        return None
    typings = [tables.row("typing", PARTICIPANT, participant), tables.row("typing", DONOR, donor)]
    return row if all(typing is not None and _seq(typing) < _seq(row) for typing in typings) else None


def why_not_now(in_force: InForce, tables: Tables, participant: Row) -> tuple[str, str] | None:
    """Why a participant is not to be matched now, and what to do; None when matching may go on."""
    if in_force.deciding_rule and participant["consented_on"] is None:
        return "has signed no consent", "record the consent first"
    code = str(participant["participant"])
    allocated = tables.row("allocation", code)
    part = in_force.protocol.donor_matching
    assert part is not None, "a deciding rule was read"
    if allocated is None:
        if part.when == "after_randomisation":
            return "is not randomised, and the protocol matches after that", "randomise first"
        return None
    if not in_force.products_of(str(allocated["arm"])):
        return "receives no product of a donor", "leave it"
    if tables.row("withdrawal", code, "intervention") is not None:
        return "receives the intervention no more", "leave it"
    return None


def _seq(row: Row) -> int:
    return int(str(row["seq"]))


def _check_when(act: Act, in_force: InForce, participant: Row) -> None:
    why = why_not_now(in_force, act.writer, participant)
    if why is not None:
        raise OutOfOrder("participant", participant["participant"], *why)


def _check_donor(tables: Tables, donor: str) -> None:
    row = donor_row(tables, donor)
    if not row["eligible"]:
        state = "is judged not eligible" if row["eligible"] == 0 else "is not judged eligible"
        problem = f"{state}: {row['eligibility_note']}" if row["eligibility_note"] else state
        raise NotEligible("donor", donor, problem, "choose another donor, or ask the quality unit")


def _accepted(pair: Pair, reason: str | None) -> str | None:
    """The reason with which a person accepts what the typing leaves open."""
    if pair.verdict == AMBIGUOUS:
        if reason is None or is_blank(reason):
            remedy = "type further, choose another donor, or say in accept_ambiguous why it is accepted"
            raise NotEligible("donor", pair.donor, f"is ambiguous for {pair.recipient}: {pair.explanation}", remedy)
        return reason.strip()
    if pair.verdict != MISMATCH:
        problem = f"is no mismatch for {pair.recipient} ({pair.verdict}): {pair.explanation}"
        raise NotEligible("donor", pair.donor, problem, "choose another donor")
    if reason is not None:
        raise NotAccepted("accept_ambiguous", reason, "is given for a verdict that is not ambiguous", "leave it out")
    return None


def _payload(act: Act, in_force: InForce, pair: Pair, accepted: str | None) -> dict[str, Any]:
    return {
        "participant": pair.recipient,
        "donor": pair.donor,
        "on": in_force.day_of(act.at).isoformat(),
        "rule": pair.rule,
        "rule_version": in_force.deciding_rule.version,
        "verdict": pair.verdict,
        **{name: list(getattr(pair, name)) for name in SETS},
        "b_content": pair.b_content or None,
        "haplotype": pair.haplotype or None,
        "centromeric": pair.centromeric or None,
        "telomeric": pair.telomeric or None,
        "direction": pair.direction or None,
        "verdicts": dict(pair.verdicts),
        "donor_ligands": pair.donor_ligands,
        "participant_ligands": pair.recipient_ligands,
        "explanation": pair.explanation,
        "warnings": list(pair.warnings),
        "reference": pair.reference,
        "reference_sha256": act.trial.reference.sha256,
        "accepted": accepted,
    }
