"""A donor or recipient as the models see them: ligands, receptors and HLA-C proteins, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.donors.cw_alleles import CwGenotypes, cw_genotypes
from equipoise.donors.hla_names import LOCI
from equipoise.donors.hla_typing import MacCodes
from equipoise.donors.kir import BContent, KirTyping, b_content, parse_kir
from equipoise.donors.ligand_reference import Reference
from equipoise.donors.ligands import LigandReader, LigandReadings, considered_ligands
from equipoise.refusals import Refusal

Read = tuple[LigandReadings, LigandReadings, CwGenotypes]


@dataclass(frozen=True, slots=True)
class Person:
    """One donor or recipient by code.

    `ligands` are of the loci considered, `c_ligands` of HLA-C alone; `cw` the HLA-C genotypes that they may have.
    """

    id: str
    hla: Mapping[str, tuple[str, str]]
    ligands: LigandReadings
    c_ligands: LigandReadings
    cw: CwGenotypes
    kir: KirTyping
    content: BContent

    def __post_init__(self) -> None:
        object.__setattr__(self, "hla", MappingProxyType(dict(self.hla)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that must be said of the typing."""
        return tuple(dict.fromkeys((*self.ligands.warnings, *self.kir.warnings, *self.content.warnings)))


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
        """Keep what every reading shares; arguments as of `ligands_of`.

        Raises:
            Refusal: loci that show no ligand.
        """
        considered_ligands(loci, with_a3_a11=with_a3_a11)
        self.loci = tuple(loci)
        self.with_a3_a11 = with_a3_a11
        self.ligands = LigandReader(reference, mac)
        self._hla: dict[tuple[tuple[str, str], ...], Read] = {}
        self._kir: dict[str, tuple[KirTyping, BContent]] = {}
        self._cw: dict[tuple[str, str], CwGenotypes] = {}

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

    def refusals(self, hla: Mapping[str, tuple[str, str]], kir: str) -> Iterator[Refusal]:
        """All that is wrong with a person whom `read` refuses: one refusal for each locus, and one for KIR."""
        for locus in LOCI:
            try:
                self.ligands.typing(*hla.get(locus, ("", "")), locus)
            except Refusal as refusal:
                yield refusal
        try:
            parse_kir(kir)
        except Refusal as refusal:
            yield refusal

    def _read_hla(self, hla: Mapping[str, tuple[str, str]]) -> Read:
        shown = self.ligands.ligands(hla, self.loci, with_a3_a11=self.with_a3_a11)
        of_c = self.ligands.ligands(hla, ("C",))
        for locus in set(LOCI) - set(self.loci):  # what does not count must be readable all the same
            self.ligands.typing(*hla[locus], locus)
        if hla["C"] not in self._cw:
            self._cw[hla["C"]] = cw_genotypes(self.ligands.typing(*hla["C"], "C"), self.ligands.reference)
        return shown, of_c, self._cw[hla["C"]]
