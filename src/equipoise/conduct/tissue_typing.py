"""Record the HLA and KIR typing of donors and participants: what was entered, what it may be, what it shows.

The event keeps the cells as entered, the alleles that each may stand for, their groups, the reference that they were
read from and every warning, so that a later release can be compared with what was known then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from equipoise.conduct.acting import Act, acting, check_in_trial, check_not_future
from equipoise.conduct.donating import donor_row, donor_stream
from equipoise.conduct.donor_tables import DONOR, PARTICIPANT
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.donors import LOCI, DecidingRule, Person, PersonReader, shown
from equipoise.ledger import Actor, Tables, is_blank

Hla = Mapping[str, tuple[str, str]]
"""The two cells of each locus (A, B, C) as a laboratory reports them; a locus that is not there was not typed."""


def type_donor(
    trial: Trial,
    donor: str,
    *,
    hla: Hla,
    kir: str = "",
    method: str,
    laboratory: str,
    reported_on: date,
    by: Actor,
    reason: str,
    at: datetime,
) -> Person:
    """Record a donor's typing; a later report takes the place of an earlier one, which the ledger keeps.

    Args:
        trial: the trial.
        donor: the donor's code.
        hla: as `Hla`.
        kir: genes present, divided by spaces; empty when not typed.
        method: how it was typed, such as `NGS`.
        laboratory: who typed it.
        reported_on: the day of the report.
        by: who acts.
        reason: why.
        at: when (UTC).

    Returns:
        The typing as the mismatch models see it, every warning included.

    Raises:
        NotFound: when there is no such donor.
        BadName, MacRefusal, BadGene: a cell that cannot be read.
        NotAccepted: when nothing was typed, a locus is none, a text is blank, or the day is to come.
    """
    with acting(trial, Kind.DONOR_TYPED, by=by, reason=reason, at=at) as act:
        donor_row(act.writer, donor)
        in_force = trial.newest(act.writer)
        report = {"method": method, "laboratory": laboratory}
        person, payload = _read(act, in_force, (DONOR, donor), hla, kir, report, reported_on)
        act.append(payload, stream=donor_stream(donor), in_force=in_force)
    return person


def type_participant(
    trial: Trial,
    participant: str,
    *,
    hla: Hla,
    kir: str = "",
    method: str,
    laboratory: str,
    reported_on: date,
    by: Actor,
    reason: str,
    at: datetime,
) -> Person:
    """Record a participant's typing; arguments, answer and refusals as of `type_donor`.

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: before consent, or when the participant failed screening or left.
    """
    with acting(trial, Kind.PARTICIPANT_TYPED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        check_in_trial(participant, row)
        if row["consented_on"] is None:
            raise OutOfOrder("participant", participant, "has signed no consent", "record the consent first")
        in_force = act.in_force_for(row)
        report = {"method": method, "laboratory": laboratory}
        person, payload = _read(act, in_force, (PARTICIPANT, participant), hla, kir, report, reported_on)
        act.append(payload, stream=participant, in_force=in_force)
    return person


def stored_person(trial: Trial, rule: DecidingRule, tables: Tables, side: str, code: str) -> Person | None:
    """A donor or participant as the rule sees them, from the stored cells; None when not typed."""
    row = tables.row("typing", side, code)
    if row is None:
        return None
    reader = PersonReader(trial.reference, loci=rule.loci, with_a3_a11=rule.with_a3_a11, mac=trial.mac)
    hla = {locus: (cells[0], cells[1]) for locus, cells in json.loads(str(row["hla"])).items()}
    return reader.read(code, hla, str(row["kir"]))


def typed_person(trial: Trial, rule: DecidingRule, tables: Tables, side: str, code: str) -> Person:
    """A donor or participant as the rule sees them.

    Raises:
        OutOfOrder: when they are not typed.
    """
    person = stored_person(trial, rule, tables, side, code)
    if person is None:
        raise OutOfOrder(side, code, "is not typed", "record the typing first")
    return person


def _read(
    act: Act,
    in_force: InForce,
    who: tuple[str, str],
    hla: Hla,
    kir: str,
    report: Mapping[str, str],
    reported_on: date,
) -> tuple[Person, dict[str, Any]]:
    """The person as read, and the event's payload."""
    side, code = who
    for locus in hla:
        if locus not in LOCI:
            raise NotAccepted("hla", locus, "is not a locus that shows a ligand", f"use some of {', '.join(LOCI)}")
    cells = {locus: tuple(cell.strip() for cell in hla[locus]) for locus in LOCI if locus in hla}
    for locus, pair in cells.items():
        if len(pair) != 2:
            raise NotAccepted(f"hla.{locus}", len(pair), "is not the number of cells of a locus", "give two")
    if not any(cell for pair in cells.values() for cell in pair) and not kir.strip():
        raise NotAccepted(side, code, "has nothing typed in this report", "give the cells of the report")
    for name, text in report.items():
        if is_blank(text):
            raise NotAccepted(name, None, "is blank", "write what the report says")
    check_not_future("reported_on", reported_on, in_force.day_of(act.at))
    part = in_force.protocol.donor_matching
    loci, with_a3_a11 = (LOCI, False) if part is None else (LOCI, in_force.deciding_rule.with_a3_a11)
    reader = PersonReader(act.trial.reference, loci=loci, with_a3_a11=with_a3_a11, mac=act.trial.mac)
    person = reader.read(code, {locus: (pair[0], pair[1]) for locus, pair in cells.items()}, kir.strip())
    payload = {side: code, "hla": cells, "kir": kir.strip(), **report, "reported_on": reported_on.isoformat()}
    return person, payload | _read_as(act, person)


def _read_as(act: Act, person: Person) -> dict[str, Any]:
    """What the cells were read as, and from what."""
    content, kir = person.content, person.kir
    copies = [
        {
            "locus": copy.locus,
            "text": copy.text,
            "alleles": copy.alleles,
            "families": copy.families,
            "groups": copy.groups,
        }
        for copy in person.ligands.detail
    ]
    return {
        "copies": copies,
        "ligands": shown(person.ligands),
        "missing_loci": person.ligands.missing_loci,
        "ambiguous_loci": person.ligands.ambiguous_loci,
        "kir_present": sorted(kir.present),
        "kir_unknown": sorted(kir.unknown) if kir.typed else [],
        "haplotype": content.haplotype if kir.typed else None,
        "centromeric": content.centromeric if kir.typed else None,
        "telomeric": content.telomeric if kir.typed else None,
        "b_content": content.content if kir.typed else None,
        "reference": act.trial.reference.title,
        "reference_sha256": act.trial.reference.sha256,
        "warnings": person.warnings,
    }
