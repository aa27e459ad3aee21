"""Which ligands a person shows: every answer that the typing leaves open, and why.

A *reading* is a set of ligands that the person may show; one reading means that the typing settles it. A copy that was
not typed may be anything: it is never taken for a second copy of the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

from equipoise.donors.hla_names import LOCI, HlaAllele
from equipoise.donors.hla_typing import HlaTyping, LocusTyping, MacCodes, parse_locus, parse_typing
from equipoise.donors.ligand_reference import Reference
from equipoise.donors.ligand_rules import BY_FAMILY, Group, remarks
from equipoise.refusals import Refusal

LIGANDS = ("C1", "C2", "Bw4", "A3", "A11")
Ligands = frozenset[str]
Readings = frozenset[Ligands]

SHOWN: Mapping[Group, str] = {
    "C1": "C1", "C2": "C2", "Bw4-80I": "Bw4", "Bw4-80T": "Bw4", "A3": "A3", "A11": "A11",
}  # fmt: skip
ANY_GROUP: Mapping[str, frozenset[Group]] = {
    "A": frozenset({"none", "Bw4-80I", "A3", "A11"}),
    "B": frozenset({"Bw6", "Bw4-80I", "C1"}),
    "C": frozenset({"C1", "C2"}),
}
"""What a copy that was not typed may be."""
NO_RULE: Mapping[str, frozenset[Group]] = {
    "A": frozenset({"none", "Bw4-80I"}),
    "B": frozenset({"Bw6", "Bw4-80I"}),
    "C": frozenset({"none", "C1", "C2"}),
}
"""What a copy whose residues fit no rule may be."""
NOT_TAKEN = "it is not taken for a second copy of the other"
WITHIN_FAMILY = "its family has alleles of {}; build a reference with `equipoise hla build` to know"


@dataclass(frozen=True, slots=True)
class CopyDetail:
    """How one gene copy was read: as entered, the alleles and families it may be, their groups, the reference."""

    text: str
    locus: str
    alleles: tuple[str, ...]
    families: tuple[str, ...]
    groups: tuple[Group, ...]
    reference: str


@dataclass(frozen=True)
class LigandReadings:
    """Every set of ligands that a person may show.

    `considered` are the ligands looked for. `choices` holds, for each answer to what an ambiguous typing leaves open,
    the readings that copies not typed leave then. `missing_loci` are those not wholly typed, `ambiguous_loci` those
    whose typing leaves more than one group open; `detail` has an entry for each gene copy.
    """

    considered: tuple[str, ...]
    choices: frozenset[Readings]
    missing_loci: tuple[str, ...]
    ambiguous_loci: tuple[str, ...]
    warnings: tuple[str, ...]
    detail: tuple[CopyDetail, ...]

    @cached_property
    def readings(self) -> Readings:
        """Every set of ligands that is possible."""
        return frozenset.union(*self.choices)

    @cached_property
    def certain(self) -> Ligands:
        """Shown in every reading."""
        return frozenset.intersection(*self.readings)

    @cached_property
    def possible(self) -> Ligands:
        """Shown in at least one reading."""
        return frozenset.union(*self.readings)


@dataclass(frozen=True, slots=True)
class CopyReading:
    """What one gene copy may show: its choices, what must be said of it, and how it was read."""

    choices: frozenset[Readings]
    warnings: tuple[str, ...]
    detail: CopyDetail


@dataclass(frozen=True, slots=True)
class LocusReading:
    """What one locus may show, whether it is wholly typed, and whether its typing leaves a group open."""

    choices: frozenset[Readings]
    typed: bool
    ambiguous: bool
    warnings: tuple[str, ...]
    detail: tuple[CopyDetail, ...]


def considered_ligands(loci: Sequence[str], *, with_a3_a11: bool) -> tuple[str, ...]:
    """The ligands that these loci can show.

    Raises:
        Refusal: a locus that shows none, or A3 and A11 without HLA-A.
    """
    unknown = [locus for locus in loci if locus not in LOCI]
    if unknown or not loci:
        raise Refusal("loci", ",".join(loci), "are not loci that show a ligand", "use some of A,B,C")
    if len(set(loci)) < len(loci):
        raise Refusal("loci", ",".join(loci), "name a locus twice", "name each once")
    if with_a3_a11 and "A" not in loci:
        raise Refusal("loci", ",".join(loci), "lack HLA-A, which A3 and A11 are of", "add A, or leave A3 and A11 out")
    shown = {"C": ("C1", "C2"), "B": ("C1", "Bw4"), "A": ("Bw4", "A3", "A11") if with_a3_a11 else ("Bw4",)}
    wanted = {ligand for locus in loci for ligand in shown[locus]}
    return tuple(ligand for ligand in LIGANDS if ligand in wanted)


def ligands_of(
    hla: Mapping[str, tuple[str, str]],
    reference: Reference,
    *,
    loci: Sequence[str] = LOCI,
    with_a3_a11: bool = False,
    mac: MacCodes | None = None,
) -> LigandReadings:
    """The ligands that a person shows.

    Args:
        hla: the two cells of each locus as entered; a locus that is not there was not typed.
        reference: of residues.
        loci: whose ligands count.
        with_a3_a11: whether A3 and A11, ligands of KIR3DL2, count.
        mac: the user's codes of several alleles.

    Raises:
        BadName, MacRefusal: a cell that cannot be read.
        Refusal: loci that show no ligand.
    """
    return LigandReader(reference, mac).ligands(hla, loci, with_a3_a11=with_a3_a11)


class LigandReader:
    """Reads the ligands of many people, each distinct cell and pair of cells once."""

    def __init__(self, reference: Reference, mac: MacCodes | None = None) -> None:
        """Keep what every reading shares."""
        self.reference = reference
        self.mac = mac
        self._copies: dict[tuple[str, str], HlaTyping] = {}
        self._copy_readings: dict[tuple[str, str, Ligands], CopyReading] = {}
        self._loci: dict[tuple[str, str, str], LocusTyping] = {}
        self._read: dict[tuple[str, str, str, tuple[str, ...]], LocusReading] = {}

    def ligands(
        self, hla: Mapping[str, tuple[str, str]], loci: Sequence[str] = LOCI, *, with_a3_a11: bool = False
    ) -> LigandReadings:
        """The ligands of one person; arguments and refusals as of `ligands_of`."""
        considered = considered_ligands(loci, with_a3_a11=with_a3_a11)
        choices: frozenset[Readings] = frozenset({frozenset({frozenset()})})
        missing, ambiguous = list[str](), list[str]()
        warnings, detail = list[str](), list[CopyDetail]()
        for locus in loci:
            first, second = hla.get(locus, ("", ""))
            read = self.locus_reading(first, second, locus, considered)
            choices = together(choices, read.choices)
            if not read.typed:
                missing.append(locus)
            if read.ambiguous:
                ambiguous.append(locus)
            warnings.extend(read.warnings)
            detail.extend(read.detail)
        return LigandReadings(
            considered,
            choices,
            tuple(missing),
            tuple(ambiguous),
            tuple(dict.fromkeys(warnings)),
            tuple(detail),
        )

    def typing(self, first: str, second: str, locus: str) -> LocusTyping:
        """The genotypes of a locus; refusals as of `parse_locus`."""
        key = (locus, first, second)
        if key not in self._loci:
            self._loci[key] = parse_locus(first, second, locus, read=self._copy)
        return self._loci[key]

    def _copy(self, text: str, locus: str) -> HlaTyping:
        key = (locus, text)
        if key not in self._copies:
            self._copies[key] = parse_typing(text, locus, mac=self.mac)
        return self._copies[key]

    def _copy_reading(self, copy: HlaTyping, considered: Ligands) -> CopyReading:
        key = (copy.locus, copy.text, considered)
        if key not in self._copy_readings:
            groups, said = copy_groups(copy, self.reference, considered)
            ligands = shown_by(groups, considered)
            names = tuple(allele.name for allele in copy.alleles)
            self._copy_readings[key] = CopyReading(
                frozenset(frozenset({each}) for each in ligands) if copy.typed else frozenset({ligands}),
                (*copy.warnings, *said),
                CopyDetail(copy.text, copy.locus, names, copy.families, tuple(sorted(groups)), self.reference.title),
            )
        return self._copy_readings[key]

    def locus_reading(self, first: str, second: str, locus: str, considered: tuple[str, ...]) -> LocusReading:
        """What a locus may show."""
        key = (locus, first, second, considered)
        if key not in self._read:
            self._read[key] = self._locus(self.typing(first, second, locus), frozenset(considered))
        return self._read[key]

    def _locus(self, typing: LocusTyping, considered: Ligands) -> LocusReading:
        choices: set[Readings] = set()
        warnings, detail = list[str](), list[CopyDetail]()
        ambiguous = False
        for genotype in typing.genotypes:
            if genotype[0].typed != genotype[1].typed:
                warnings.append(f"HLA-{typing.locus}: one allele is not typed; {NOT_TAKEN}")
            read = [self._copy_reading(copy, considered) for copy in genotype]
            for copy in read:
                warnings.extend(copy.warnings)
                detail.append(copy.detail)
            ambiguous |= any(len(copy.choices) > 1 for copy in read)
            choices |= together(read[0].choices, read[1].choices)
        ambiguous |= len(typing.genotypes) > 1 and len(choices) > 1
        return LocusReading(frozenset(choices), typing.typed, ambiguous, tuple(warnings), tuple(detail))


@lru_cache(maxsize=65_536)
def together(one: frozenset[Readings], two: frozenset[Readings]) -> frozenset[Readings]:
    """What two copies or two loci may show together, by the choices that each leaves open."""
    return frozenset(frozenset(a | b for a in of_one for b in of_two) for of_one, of_two in product(one, two))


def shown_by(groups: Iterable[Group], considered: Ligands) -> Readings:
    """What a copy of one of these groups may show of the ligands considered."""
    return frozenset(frozenset({SHOWN[group]} & considered if group in SHOWN else ()) for group in groups)


def copy_groups(
    copy: HlaTyping, reference: Reference, considered: Ligands = frozenset(LIGANDS)
) -> tuple[frozenset[Group], tuple[str, ...]]:
    """The groups that a gene copy may be of, and what must be said of them where these ligands count."""
    if not copy.typed:
        return ANY_GROUP[copy.locus], ()
    groups: set[Group] = set()
    warnings: list[str] = []
    for allele in copy.alleles:
        found, said = allele_groups(allele, reference, considered)
        groups |= found
        warnings.extend(said)
    for family in copy.families:
        found = reference.family_groups(copy.locus, family)
        if not found:
            warnings.append(f"{copy.locus}*{family}: is a family that {reference.title} does not hold")
            found = _any_of(copy.locus)
        elif len(shown_by(found, considered)) > 1:
            names = ", ".join(sorted(found))
            warnings.append(f"{copy.text.strip()}: low resolution, the family has alleles of {names}")
        groups |= _settled(copy.locus, found)
    return frozenset(groups), tuple(warnings)


def allele_groups(
    allele: HlaAllele, reference: Reference, considered: Ligands = frozenset(LIGANDS)
) -> tuple[frozenset[Group], list[str]]:
    """The groups that an allele may be of, and what must be said of it where these ligands count."""
    if allele.suffix == "N":
        return frozenset({"null"}), _said_of_null(allele, reference)
    warnings = []
    if allele.suffix:
        warnings.append(f"{allele.name}: suffix {allele.suffix}, expression uncertain; classified by its sequence")
    entry = reference.entry(allele)
    if entry is None:
        found = reference.family_groups(allele.locus, allele.family)
        if not found or reference.complete:
            warnings.append(f"{allele.name}: is not in {reference.title}")
            return _settled(allele.locus, found) if found else _any_of(allele.locus), warnings
        names = ", ".join(sorted(found))
        warnings.append(f"{allele.name}: is not among the common alleles; {WITHIN_FAMILY.format(names)}")
        return _settled(allele.locus, found), warnings
    if entry.suffix == "N":
        return frozenset({"null"}), [
            f"{allele.name}: every form of it is not expressed ({entry.allele}), shows no ligand"
        ]
    groups = frozenset(entry.groups)
    motif = entry.motifs[0] if entry.motifs else ""
    counts = any(shown_by(groups, considered))
    warnings.extend(
        f"{allele.name}: {text}"
        for text in remarks(allele.locus, allele.family, allele.protein, motif, entry.groups[0])
        if text != BY_FAMILY or counts
    )
    if "N" in entry.expression and len(allele.fields) < 4 and counts:
        warnings.append(f"{allele.name}: some of its longer forms are not expressed; counted as expressed")
    if "unclassified" in groups:
        warnings.append(f"{allele.name}: its residues fit no rule, so its ligand is not known")
    return _settled(allele.locus, groups), warnings


def _said_of_null(allele: HlaAllele, reference: Reference) -> list[str]:
    """That it shows nothing, and whether anybody but its name says so."""
    entry = reference.entry(allele)
    of_a_longer_form = entry is not None and len(allele.fields) > 2 and "N" in entry.expression
    said = [f"{allele.name}: not expressed, shows no ligand"]
    if entry is None or not (entry.suffix == "N" or of_a_longer_form):
        said.append(f"{allele.name}: is not in {reference.title}, so only its suffix says that it is not expressed")
    return said


def _any_of(locus: str) -> frozenset[Group]:
    """What a copy may be whose name is not known: of any group, or of residues that fit no rule."""
    return ANY_GROUP[locus] | NO_RULE[locus]


def _settled(locus: str, groups: Iterable[Group]) -> frozenset[Group]:
    """The groups with what is not classified spread over what it may be."""
    found = set(groups)
    if "unclassified" in found:
        found = (found - {"unclassified"}) | NO_RULE[locus]
    return frozenset(found)
