"""KIR genes: which are present, absent or not known, what haplotypes they speak for, and B-content.

Sources: Cooley et al. (2010), Blood 116:2411-2419 (motifs and B-content); Hsu et al. (2002), Journal of Immunology
169:5118 (haplotypes A and B). Rules, and where tools differ: docs/methods/mismatch-models.md.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from equipoise.refusals import Refusal

GENES = (
    "2DL1", "2DL2", "2DL3", "2DL4", "2DL5", "2DS1", "2DS2", "2DS3", "2DS4", "2DS5", "2DP1", "3DL1", "3DL2", "3DL3",
    "3DS1", "3DP1",
)  # fmt: skip
FRAMEWORK = frozenset({"2DL4", "3DL2", "3DL3", "3DP1"})  # on every haplotype, and left out of many lists
HAPLOTYPE_B = frozenset({"2DL2", "2DL5", "2DS1", "2DS2", "2DS3", "2DS5", "3DS1"})
WITHIN_THE_CELL = "004"  # the form of 3DL1 that does not reach the surface
WITHOUT = frozenset({WITHIN_THE_CELL, "NEG"})
DELETED = frozenset({"003", "004", "006", "007", "008", "009", "010", "012", "013"})  # forms of 2DS4
ALLELE = re.compile(r"(?P<protein>[0-9]{3})[0-9]{0,4}[A-Z]?|POS|NEG|NEW")

Motif = Literal["A/A", "A/B", "B/B", "unknown"]
Content = Literal["Best", "Better", "Neutral", "unknown"]
UNTYPED = frozenset({"", "-", "na", "n/a", "nt", "not typed"})


class BadGene(Refusal):
    """A text that names no KIR gene."""


@dataclass(frozen=True, slots=True)
class KirTyping:
    """The genes of one person.

    `present` and `unknown` are genes; those in neither are absent. `silent` are genes present of which no form reaches
    the surface, `perhaps_silent` those of which that is open; `assumed` are genes of every haplotype that nobody named.
    Where nothing was typed `typed` is False and every gene is unknown. `warnings` are about what was entered.
    """

    present: frozenset[str]
    unknown: frozenset[str]
    typed: bool
    warnings: tuple[str, ...] = ()
    silent: frozenset[str] = frozenset()
    perhaps_silent: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()

    @property
    def absent(self) -> frozenset[str]:
        """The genes known not to be there."""
        return frozenset(GENES) - self.present - self.unknown - self.assumed

    @property
    def receptors(self) -> frozenset[str]:
        """The genes taken to give a receptor at the surface."""
        return (self.present | self.assumed) - self.silent - self.perhaps_silent

    @property
    def open_receptors(self) -> frozenset[str]:
        """The genes that may give one."""
        return self.unknown | self.perhaps_silent


NOT_TYPED = KirTyping(frozenset(), frozenset(GENES), typed=False)


@dataclass(frozen=True, slots=True)
class BContent:
    """What the genes say of the two haplotypes: AA or Bx, both halves, the number of B motifs, and the class."""

    haplotype: Literal["AA", "Bx", "unknown"]
    centromeric: Motif
    telomeric: Motif
    score: int | None
    content: Content
    warnings: tuple[str, ...] = ()


def parse_kir(text: str) -> KirTyping:
    """Read genes present, divided by spaces, commas or semicolons.

    A gene is named (`2DL1`, `KIR2DL1`), with its alleles (`2DL1*003/034+003`: `+` divides gene copies, `/` and `|` what
    one may be), or with POS, NEG or both (`2DS1*NEG`, `2DS2*POS|NEG`, which leaves it unknown). Genes that are not
    named are absent, but for those that every haplotype has.

    Raises:
        BadGene: naming the nearest gene, or what an allele looks like.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.lower() in UNTYPED:
        return NOT_TYPED
    said: dict[str, bool | None] = {}
    silent, perhaps_silent = set[str](), set[str]()
    warnings = list[str]()
    for name in filter(None, re.split(r"[\s,;]+", plain.upper())):
        gene, genotypes = _parts(name)
        there = _is_there(genotypes)
        if said.setdefault(gene, there) != there:
            raise BadGene("KIR", name, f"says of KIR{gene} what another entry denies", "name each gene once")
        if there is False:
            continue
        if gene == "3DL1" and not all(any(map(WITHOUT.isdisjoint, genotype)) for genotype in genotypes):
            perhaps = any(copy - WITHOUT for genotype in genotypes for copy in genotype)
            (perhaps_silent if perhaps else silent).add(gene)
            if any(WITHIN_THE_CELL in copy for genotype in genotypes for copy in genotype):
                warnings.append(_within_the_cell(perhaps=perhaps))
        if gene == "2DS4" and (name.startswith(("2DS4N", "KIR2DS4N", "2DS4D", "KIR2DS4D")) or _all_deleted(genotypes)):
            warnings.append(f"KIR{name.removeprefix('KIR')}: forms with a deletion are not expressed")
    present = frozenset(gene for gene, there in said.items() if there)
    unknown = frozenset(gene for gene, there in said.items() if there is None)
    return KirTyping(
        present,
        unknown,
        True,
        tuple(warnings),
        frozenset(silent) & present,
        frozenset(perhaps_silent) & present,
        FRAMEWORK.difference(said),
    )


Genotypes = tuple[tuple[frozenset[str], ...], ...]


def _parts(name: str) -> tuple[str, Genotypes]:
    """The gene, and each genotype as what its copies may be; none where alleles are not given."""
    gene, _, alleles = re.sub(r"[=:]", "*", re.sub(r"^KIR", "", name)).partition("*")
    gene = {"2DL5A": "2DL5", "2DL5B": "2DL5", "2DS4N": "2DS4", "2DS4D": "2DS4"}.get(gene, gene)
    if gene not in GENES:
        close = get_close_matches(gene, GENES, n=1)
        remedy = f"did you mean {close[0]}?" if close else f"use genes such as {', '.join(GENES[:3])}"
        raise BadGene("KIR", name, "is not a KIR gene", remedy)
    genotypes = []
    for genotype in filter(None, alleles.split("|")):
        copies = []
        for copy in genotype.split("+"):
            forms = [ALLELE.fullmatch(form) for form in copy.split("/")]
            if None in forms:
                problem = f"does not say what KIR{gene} is"
                raise BadGene("KIR", name, problem, f"write alleles such as {gene}*003, or POS or NEG")
            copies.append(frozenset(form["protein"] or form[0] for form in forms if form is not None))
        genotypes.append(tuple(copies))
    return gene, tuple(genotypes)


def _is_there(genotypes: Genotypes) -> bool | None:
    """Whether the gene is present in every genotype, in none, or neither."""
    found: set[bool | None] = set()
    for copies in genotypes:
        if any("NEG" not in copy for copy in copies):
            found.add(True)
        else:
            found.add(False if all(copy == {"NEG"} for copy in copies) else None)
    return True if not found else found.pop() if len(found) == 1 else None


def _within_the_cell(*, perhaps: bool) -> str:
    form = f"KIR3DL1*{WITHIN_THE_CELL} stays within the cell"
    return f"{form}: whether there is a receptor is open" if perhaps else f"{form}: not counted as a receptor"


def _all_deleted(genotypes: Genotypes) -> bool:
    forms = {form for genotype in genotypes for copy in genotype for form in copy} - {"NEG"}
    return bool(forms) and forms <= DELETED


def b_content(kir: KirTyping) -> BContent:
    """Haplotypes, motifs of both halves, and Cooley's class; unknown where the genes contradict each other."""
    if not kir.typed:
        return BContent("unknown", "unknown", "unknown", None, "unknown")
    centromeric, telomeric = _centromeric(kir), _telomeric(kir)
    warnings = []
    if centromeric == "unknown" and not kir.unknown & {"2DL2", "2DL3", "2DS2"}:
        warnings.append("KIR: none of 2DL2, 2DL3 and 2DS2 is present, which no haplotype allows; check the typing")
    if telomeric == "unknown" and not kir.unknown & {"2DS1", "2DS4", "3DL1", "3DS1"}:
        warnings.append(
            "KIR: none of 2DS4, 2DS1 and 3DS1 is named, as if inhibitory genes alone were listed; type those too"
        )
    haplotype: Literal["AA", "Bx", "unknown"]
    if kir.present & HAPLOTYPE_B:
        haplotype = "Bx"
    else:
        haplotype = "unknown" if kir.unknown & HAPLOTYPE_B or "unknown" in (centromeric, telomeric) else "AA"
    known = "unknown" not in (centromeric, telomeric)
    score = centromeric.count("B") + telomeric.count("B") if known else None
    content: Content = "unknown"
    if centromeric == "B/B":
        content = "Best"  # whatever the other half is
    elif score is not None:
        content = "Better" if score >= 2 else "Neutral"
    return BContent(haplotype, centromeric, telomeric, score, content, tuple(warnings))


def _centromeric(kir: KirTyping) -> Motif:
    if kir.unknown & {"2DL2", "2DL3", "2DS2"}:
        return "unknown"
    b = bool(kir.present & {"2DL2", "2DS2"})
    if "2DL3" in kir.present:
        return "A/B" if b else "A/A"
    return "B/B" if b else "unknown"


def _telomeric(kir: KirTyping) -> Motif:
    if kir.unknown & {"2DS1", "2DS4", "3DL1", "3DS1"}:
        return "unknown"
    b = bool(kir.present & {"2DS1", "3DS1"})
    if not b and "2DS4" not in kir.present:
        return "unknown"
    if {"3DL1", "2DS4"} <= kir.present:
        return "A/B" if b else "A/A"
    return "B/B"
