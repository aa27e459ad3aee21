"""One sentence for each pair: why the deciding rule says what it says."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.donors.cw_alleles import CwCopy
from equipoise.donors.ligands import LIGANDS, SHOWN, LigandReadings
from equipoise.donors.mismatch import BY_RECEPTOR, CLASSICAL, NEEDS_KIR, READS, RECEPTORS, SAME_RECEPTOR, Verdict
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
    given, taken = sides(rule, donor, recipient)
    both = f"donor shows {shows(given)}; recipient shows {shows(taken)}"
    if verdict in ("ambiguous", "not-evaluable"):
        return f"Not settled by the typing ({open_because(rule, donor, recipient)}): {both}."
    if rule == "hla_cw_allele":
        return _of_cw(verdict, donor, recipient)
    if verdict == "match":
        return f"No mismatch: {both}{_why_not(rule, donor, recipient)}."
    if not deciding:
        return f"A mismatch whatever the open answers are, though not always on the same ligand: {both}."
    if rule == "missing_ligand":
        return f"Recipient lacks {listed(deciding)}: recipient shows {shows(taken)}."
    if rule == "ligand_ligand_hvg":
        return f"Recipient shows {listed(deciding)} and the donor does not: {both}."
    if rule in NEEDS_KIR:
        wanted = educated if rule == "educated" else receptors
        if rule == "receptor_ligand_c":
            wanted = [name for name in receptors if name.startswith("2DL")]
        them = "it" if len(wanted) == 1 else "them"
        text = f"Donor has {_named(wanted)}, and the recipient shows no ligand of {them} ({listed(deciding)})"
        return f"{text}, while the donor does: {both}." if rule == "educated" else f"{text}: {both}."
    return f"Donor shows {listed(deciding)} and the recipient does not: {both}."


def sides(rule: str, donor: Person, recipient: Person) -> tuple[LigandReadings, LigandReadings]:
    """The readings of both that a rule goes by."""
    if rule in ("hla_c_group_mismatch_gvh", "hla_cw_allele"):
        return donor.c_ligands, recipient.c_ligands
    return donor.ligands, recipient.ligands


def open_because(rule: str, donor: Person, recipient: Person) -> str:
    """What of the typing leaves the verdict open: only what bears on it."""
    given, taken = sides(rule, donor, recipient)
    if rule == "hla_cw_allele":
        reasons = [*_open_cw("donor", donor), *_open_cw("recipient", recipient)]
        return "; ".join(reasons)
    wanted = _at_stake(rule, donor, given, taken)
    reasons = [] if rule in BY_RECEPTOR or rule == "missing_ligand" else _open_loci("donor", given, wanted)
    reasons += _open_loci("recipient", taken, wanted)
    if rule in NEEDS_KIR and not donor.kir.typed:
        reasons.append("donor's KIR genes not typed")
    elif rule in NEEDS_KIR:
        unknown = [
            name
            for name in RECEPTORS
            if name in donor.kir.open_receptors and set(READS[name]) & set(given.considered) - taken.certain
        ]
        reasons += [f"donor's {_named(unknown)} not known"] if unknown else []
    return "; ".join(reasons)


def _at_stake(rule: str, donor: Person, given: LigandReadings, taken: LigandReadings) -> frozenset[str]:
    """The ligands on which a mismatch could still rest; A3 and A11 stand for each other."""
    if rule == "ligand_ligand_hvg":
        return _with_kin(taken.possible) - given.certain
    lacking = frozenset(taken.considered) - taken.certain
    if rule == "missing_ligand":
        return lacking & set(CLASSICAL)
    if rule in NEEDS_KIR:
        having = donor.kir.receptors | donor.kir.open_receptors
        names = [name for name in RECEPTORS if name in having and (rule != "receptor_ligand_c" or name[:3] == "2DL")]
        lacking &= {ligand for name in names for ligand in READS[name]}
    return lacking if rule in BY_RECEPTOR else lacking & _with_kin(given.possible)


def _with_kin(ligands: frozenset[str]) -> frozenset[str]:
    """Ligands, and those that the same receptor reads."""
    return ligands | set(SAME_RECEPTOR) if ligands & set(SAME_RECEPTOR) else ligands


def _open_loci(who: str, readings: LigandReadings, wanted: frozenset[str]) -> list[str]:
    """The loci of a person that leave it open whether one of these ligands is shown."""
    missing, unclear = dict[str, None](), dict[str, None]()
    for copy in readings.detail:
        shown = [{SHOWN[group]} if group in SHOWN else set() for group in copy.groups]
        sometimes = set[str]().union(*shown) - set[str].intersection(*shown)
        if sometimes & (wanted - readings.certain):
            (unclear if copy.alleles or copy.families else missing)[f"HLA-{copy.locus}"] = None
    said = [f"{who}'s {listed(list(missing))} not wholly typed"] if missing else []
    return said + ([f"{who}'s {listed(list(unclear))} ambiguous"] if unclear else [])


def _open_cw(who: str, person: Person) -> list[str]:
    copies = [copy for genotype in person.cw for copy in genotype]
    said = [] if all(copy.typed for copy in copies) else [f"{who}'s HLA-C not wholly typed"]
    unclear = len(person.cw) > 1 or any(copy.typed and not copy.settled for copy in copies)
    return said + ([f"{who}'s HLA-C ambiguous"] if unclear else [])


def _why_not(rule: str, donor: Person, recipient: Person) -> str:
    if rule == "hla_c_group_mismatch_gvh" and {"C1", "C2"} <= recipient.c_ligands.certain:
        return "; a recipient with C1 and C2 can never lack a group of HLA-C"
    if rule in NEEDS_KIR:
        counted = [name for name in RECEPTORS if set(READS[name]) & set(recipient.ligands.considered)]
        return f"; donor has {_named([name for name in counted if name in donor.kir.receptors])}"
    return ""


def _named(receptors: Sequence[str]) -> str:
    return listed([f"KIR{name}" for name in receptors]) if receptors else "no inhibitory receptor of these"


def _of_cw(verdict: Verdict, donor: Person, recipient: Person) -> str:
    has = "has an HLA-C protein" if verdict == "mismatch" else "has no HLA-C protein"
    return f"Donor {has} that the recipient lacks: donor {_proteins(donor)}; recipient {_proteins(recipient)}."


def _proteins(person: Person) -> str:
    return " or ".join(f"{_copy(first)} and {_copy(second)}" for first, second in person.cw)


def _copy(copy: CwCopy) -> str:
    names = [*sorted(copy.proteins), *sorted(copy.families), *(["not expressed"] if copy.may_be_null else [])]
    return "/".join(names) or "not typed"
