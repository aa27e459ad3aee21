"""One sentence for each pair: why the deciding rule says what it says."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.donors.ligands import LIGANDS, LigandReadings
from equipoise.donors.mismatch import NEEDS_KIR, OF_C_ALONE, READS, RECEPTORS, Verdict
from equipoise.donors.people import Person


def listed(names: Sequence[str]) -> str:
    """Names as a sentence says them: C1, C2 and Bw4; `none` where there are none."""
    if not names:
        return "none"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def shows(readings: LigandReadings) -> str:
    """What a person shows, and what they may show."""
    certain = [ligand for ligand in LIGANDS if ligand in readings.certain]
    perhaps = [ligand for ligand in LIGANDS if ligand in readings.possible - readings.certain]
    text = listed(certain)
    return f"{text}, perhaps {listed(perhaps)}" if perhaps else text


def explanation(
    rule: str,
    verdict: Verdict,
    donor: Person,
    recipient: Person,
    deciding: Sequence[str],
    receptors: Sequence[str],
    educated: Sequence[str],
) -> str:
    """The sentence.

    Args:
        rule: the deciding one.
        verdict: what it gives.
        donor: who gives.
        recipient: who receives.
        deciding: the ligands that the mismatch rests on.
        receptors: donor receptors whose ligand the recipient lacks.
        educated: those of them whose ligand the donor shows.
    """
    by_c = rule == "hla_c_group_mismatch_gvh"
    given = donor.c_ligands if by_c else donor.ligands
    taken = recipient.c_ligands if by_c else recipient.ligands
    both = f"donor shows {shows(given)}; recipient shows {shows(taken)}"
    if verdict in ("ambiguous", "not-evaluable"):
        return f"Not settled by the typing ({open_because(rule, donor, recipient)}): {both}."
    if rule == "hla_cw_allele":
        return f"HLA-C proteins {'differ' if verdict == 'mismatch' else 'are the same'}: {_proteins(donor, recipient)}."
    if verdict == "match":
        return f"No mismatch: {both}{_why_not(rule, donor, recipient)}."
    if rule == "missing_ligand":
        return f"Recipient lacks {listed(deciding)}: recipient shows {shows(taken)}."
    if rule == "ligand_ligand_hvg":
        return f"Recipient shows {listed(deciding)} and the donor does not: {both}."
    if rule in NEEDS_KIR:
        wanted = educated if rule == "educated" else receptors
        if rule in OF_C_ALONE:
            wanted = [name for name in receptors if name.startswith("2DL")]
        names = listed([f"KIR{name}" for name in wanted]) if wanted else "an inhibitory receptor"
        text = f"Donor has {names}, and the recipient shows no ligand of it ({listed(deciding)})"
        return f"{text}, while the donor does: {both}." if rule == "educated" else f"{text}: {both}."
    return f"Donor shows {listed(deciding)} and the recipient does not: {both}."


def open_because(rule: str, donor: Person, recipient: Person) -> str:
    """What of the typing leaves the verdict open."""
    by_c = rule in ("hla_c_group_mismatch_gvh", "hla_cw_allele")
    reasons = []
    for name, person in (("donor", donor), ("recipient", recipient)):
        if name == "donor" and rule in ("receptor_ligand", "receptor_ligand_c", "missing_ligand"):
            continue
        readings = person.c_ligands if by_c else person.ligands
        missing = [f"HLA-{locus}" for locus in readings.missing_loci]
        unclear = [f"HLA-{locus}" for locus in readings.ambiguous_loci]
        if missing:
            reasons.append(f"{name}'s {listed(missing)} not wholly typed")
        if unclear or (
            rule == "hla_cw_allele" and not missing and (person.proteins is None or len(person.proteins) > 1)
        ):
            reasons.append(f"{name}'s {listed(unclear or ['HLA-C'])} ambiguous")
    if rule in NEEDS_KIR:
        if not donor.kir.typed:
            reasons.append("donor's KIR genes not typed")
        elif donor.kir.unknown & set(RECEPTORS):
            unknown = [name for name in RECEPTORS if name in donor.kir.unknown]
            reasons.append(f"donor's {listed([f'KIR{name}' for name in unknown])} not known")
    return "; ".join(reasons) or "typing incomplete"


def _why_not(rule: str, donor: Person, recipient: Person) -> str:
    if rule == "hla_c_group_mismatch_gvh" and {"C1", "C2"} <= recipient.c_ligands.certain:
        return "; a recipient with C1 and C2 can never lack a group of HLA-C"
    if rule in NEEDS_KIR:
        names = [f"KIR{name}" for name in RECEPTORS if name in donor.kir.present and name in READS]
        return f"; donor has {listed(names)}"
    return ""


def _proteins(donor: Person, recipient: Person) -> str:
    def of(person: Person) -> str:
        pairs = [sorted(pair) for pair in person.proteins or ()]
        return " or ".join(sorted(" ".join(pair) or "none expressed" for pair in pairs))

    return f"donor {of(donor)}; recipient {of(recipient)}"
