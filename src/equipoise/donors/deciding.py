"""The mismatch rule that a protocol names, and what must be typed before it may decide."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.donors.hla_names import LOCI
from equipoise.donors.ligands import LIGANDS, considered_ligands
from equipoise.donors.mismatch import rule_named
from equipoise.donors.people import Person
from equipoise.protocol.interventions import DonorMatching
from equipoise.refusals import Refusal

SIDES = ("donor", "participant")
TYPED = {"hla_a": "A", "hla_b": "B", "hla_c": "C", "kir": "KIR"}
LIGANDS_OF_DISPUTE = frozenset({"A3", "A11"})


@dataclass(frozen=True, slots=True)
class DecidingRule:
    """The rule by name and version, the loci whose ligands count, and the typings that it requires."""

    name: str
    version: int
    loci: tuple[str, ...]
    with_a3_a11: bool
    requires: tuple[str, ...]

    def lacking(self, donor: Person, participant: Person) -> tuple[str, ...]:
        """The required typings that are not there or not whole, by the protocol's names for them."""
        people = dict(zip(SIDES, (donor, participant), strict=True))
        return tuple(name for name in self.requires if _is_lacking(people, name))

    def typed(self, participant: Person) -> bool:
        """Whether a participant's own required typings are there and whole."""
        own = [name for name in self.requires if name.startswith("participant.")]
        return not any(_is_lacking({"participant": participant}, name) for name in own)


def _is_lacking(people: dict[str, Person], name: str) -> bool:
    side, _, what = name.partition(".")
    person = people[side]
    return not person.kir.typed if what == "kir" else TYPED[what] in person.ligands.missing_loci


def deciding_rule(part: DonorMatching) -> DecidingRule:
    """The rule of a protocol.

    Ligands count of the loci that `requires` names, or of HLA-A, -B and -C when it names none; A3 and A11 count when
    `ligands` names them. `ligands` must then name just those that these loci show, so that nobody reads it otherwise.

    Raises:
        Refusal: a rule, a typing or a ligand that there is not, or ligands that are not those of the loci.
    """
    known = [f"{side}.{what}" for side in SIDES for what in TYPED]
    for name in part.requires:
        if name not in known:
            raise Refusal("donor_matching.requires", name, "is not a typing", f"use some of {', '.join(known)}")
    named = {TYPED[name.partition(".")[2]] for name in part.requires}
    loci = tuple(locus for locus in LOCI if locus in named) or LOCI
    with_a3_a11 = bool(LIGANDS_OF_DISPUTE & set(part.ligands))
    shown = considered_ligands(loci, with_a3_a11=with_a3_a11)
    if part.ligands and set(part.ligands) != set(shown):
        said = " ".join(part.ligands)
        unknown = [ligand for ligand in part.ligands if ligand not in LIGANDS]
        if unknown:
            raise Refusal("donor_matching.ligands", unknown[0], "is not a ligand", f"use some of {', '.join(LIGANDS)}")
        problem = f"are not what HLA-{', HLA-'.join(loci)} show"
        remedy = f"write {', '.join(shown)}, or change the loci that donor_matching.requires names"
        raise Refusal("donor_matching.ligands", said, problem, remedy)
    return DecidingRule(rule_named(part.rule), part.version, loci, with_a3_a11, part.requires)
