"""A donor or recipient as the models see them: ligands, receptors and HLA-C proteins, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from equipoise.donors.hla_names import LOCI, HlaAllele
from equipoise.donors.hla_typing import LocusTyping, MacCodes
from equipoise.donors.kir import BContent, KirTyping, b_content, parse_kir
from equipoise.donors.ligand_reference import Reference
from equipoise.donors.ligands import LigandReader, LigandReadings

MOST_PAIRS = 400  # of proteins that an ambiguous typing may be, beyond which it counts as not known
MISSING_ADDS = {"A": ("Bw4", "A3", "A11"), "B": ("Bw4", "C1"), "C": ("C1", "C2")}

Proteins = frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class Person:
    """One donor or recipient by code.

    `ligands` are of the loci considered, `c_ligands` of HLA-C alone; `proteins` the pairs of HLA-C proteins that they
    may express, None where HLA-C is not typed at two fields.
    """

    id: str
    hla: Mapping[str, tuple[str, str]]
    ligands: LigandReadings
    c_ligands: LigandReadings
    proteins: Proteins | None
    kir: KirTyping
    content: BContent

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that must be said of the typing."""
        return tuple(dict.fromkeys((*self.ligands.warnings, *self.kir.warnings, *self.content.warnings)))

    @property
    def lacks_typing(self) -> bool:
        """Whether a locus that was not typed leaves open what the person shows."""
        return _lacks(self.ligands)

    @property
    def lacks_c(self) -> bool:
        """The same of HLA-C alone."""
        return _lacks(self.c_ligands)


def _lacks(readings: LigandReadings) -> bool:
    adds = {ligand for locus in readings.missing_loci for ligand in MISSING_ADDS[locus]}
    return bool((adds & set(readings.considered)) - readings.certain)


class PersonReader:
    """Reads people, each distinct typing once."""

    def __init__(
        self,
        reference: Reference,
        *,
        loci: Sequence[str] = LOCI,
        with_a3_a11: bool = False,
        mac: MacCodes | None = None,
    ) -> None:
        """Keep what every reading shares; arguments as of `ligands_of`."""
        self.loci = tuple(loci)
        self.with_a3_a11 = with_a3_a11
        self.ligands = LigandReader(reference, mac)
        self._hla: dict[tuple[tuple[str, str], ...], tuple[LigandReadings, LigandReadings, Proteins | None]] = {}
        self._kir: dict[str, tuple[KirTyping, BContent]] = {}
        self._proteins: dict[tuple[str, str], Proteins | None] = {}

    def read(self, id: str, hla: Mapping[str, tuple[str, str]], kir: str = "") -> Person:
        """One person.

        Raises:
            BadName, MacRefusal, BadGene: a cell that cannot be read.
        """
        key = tuple(hla.get(locus, ("", "")) for locus in LOCI)
        if key not in self._hla:
            self._hla[key] = self._read_hla(dict(zip(LOCI, key, strict=True)))
        if kir not in self._kir:
            typing = parse_kir(kir)
            self._kir[kir] = typing, b_content(typing)
        return Person(id, dict(zip(LOCI, key, strict=True)), *self._hla[key], *self._kir[kir])

    def _read_hla(self, hla: Mapping[str, tuple[str, str]]) -> tuple[LigandReadings, LigandReadings, Proteins | None]:
        shown = self.ligands.ligands(hla, self.loci, with_a3_a11=self.with_a3_a11)
        of_c = self.ligands.ligands(hla, ("C",))
        for locus in set(LOCI) - set(self.loci):  # what does not count must be readable all the same
            self.ligands.typing(*hla[locus], locus)
        if hla["C"] not in self._proteins:
            self._proteins[hla["C"]] = self._proteins_of(self.ligands.typing(*hla["C"], "C"))
        return shown, of_c, self._proteins[hla["C"]]

    def _proteins_of(self, typing: LocusTyping) -> Proteins | None:
        found: set[frozenset[str]] = set()
        for genotype in typing.genotypes:
            if any(copy.families or not copy.typed for copy in genotype):
                return None
            copies = [
                tuple(dict.fromkeys(None if self._is_null(allele) else allele.protein for allele in copy.alleles))
                for copy in genotype
            ]
            if len(copies[0]) * len(copies[1]) > MOST_PAIRS:
                return None
            found |= {frozenset(protein for protein in pair if protein is not None) for pair in product(*copies)}
        return frozenset(found)

    def _is_null(self, allele: HlaAllele) -> bool:
        entry = self.ligands.reference.entry(allele)
        return allele.suffix == "N" or (entry is not None and entry.suffix == "N")
