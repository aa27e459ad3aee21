"""KIR genes: which are present, absent or not known, what haplotypes they speak for, and B-content.

Sources: Cooley et al. (2010), Blood 116:2411-2419 (motifs and B-content); Hsu et al. (2002), Journal of Immunology
169:5118 (haplotypes A and B). Rules, and where tools differ: docs/methods/mismatch-models.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from equipoise.refusals import Refusal

GENES = (
    "2DL1", "2DL2", "2DL3", "2DL4", "2DL5", "2DS1", "2DS2", "2DS3", "2DS4", "2DS5", "2DP1", "3DL1", "3DL2", "3DL3",
    "3DS1", "3DP1",
)  # fmt: skip
HAPLOTYPE_B = frozenset({"2DL2", "2DL5", "2DS1", "2DS2", "2DS3", "2DS5", "3DS1"})
ACTIVATING = frozenset({"2DS1", "2DS2", "2DS3", "2DS4", "2DS5", "3DS1"})
FRAMEWORK = frozenset({"2DL4", "3DL2", "3DL3", "3DP1"})
WITHIN_THE_CELL = "3DL1*004"
DELETED = re.compile(r"2DS4N|2DS4\*(003|004|006|007|008|009|010|012|013)")

Motif = Literal["A/A", "A/B", "B/B", "unknown"]
Content = Literal["Best", "Better", "Neutral", "unknown"]
UNTYPED = frozenset({"", "-", "na", "n/a", "nt", "not typed"})


class BadGene(Refusal):
    """A text that names no KIR gene."""


@dataclass(frozen=True, slots=True)
class KirTyping:
    """The genes of one person.

    `present` and `unknown` are genes; those in neither are absent. Where nothing was typed `typed` is False and every
    gene is unknown. `warnings` are about what was entered.
    """

    present: frozenset[str]
    unknown: frozenset[str]
    typed: bool
    warnings: tuple[str, ...] = ()

    @property
    def absent(self) -> frozenset[str]:
        """The genes known not to be there."""
        return frozenset(GENES) - self.present - self.unknown


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

    A gene is named (`2DL1`, `KIR2DL1`), with its alleles (`2DL1*003/034+003`), or with POS, NEG or both
    (`2DS1*NEG`, `2DS2*POS|NEG`, which leaves it unknown). Genes that are not named are absent.

    Raises:
        BadGene: naming the nearest gene.
    """
    if text.strip().lower() in UNTYPED:
        return NOT_TYPED
    present, unknown = set[str](), set[str]()
    warnings = list[str]()
    for name in re.split(r"[\s,;]+", text.strip().upper()):
        if not name:
            continue
        gene, _, alleles = re.sub(r"[=:]", "*", re.sub(r"^KIR", "", name)).partition("*")
        gene = {"2DL5A": "2DL5", "2DL5B": "2DL5", "2DS4N": "2DS4", "2DS4D": "2DS4"}.get(gene, gene)
        if gene not in GENES:
            close = get_close_matches(gene, GENES, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"use genes such as {', '.join(GENES[:3])}"
            raise BadGene("KIR", name, "is not a KIR gene", remedy)
        said = set(filter(None, re.split(r"[|/+]", alleles)))
        if "NEG" in said:
            if said != {"NEG"}:
                unknown.add(gene)
            continue
        present.add(gene)
        warnings.extend(_unexpressed(gene, name, said))
        if gene == "3DL1" and said == {"004"}:
            present.discard(gene)
    return KirTyping(frozenset(present), frozenset(unknown - present), typed=True, warnings=tuple(warnings))


def _unexpressed(gene: str, name: str, alleles: set[str]) -> list[str]:
    if gene == "3DL1" and alleles == {"004"}:
        return ["KIR3DL1*004 stays within the cell: not counted as a receptor"]
    if gene == "2DS4" and DELETED.search(name):
        return [f"KIR{name}: forms with a deletion are not expressed"]
    return []


def b_content(kir: KirTyping) -> BContent:
    """Haplotypes, motifs of both halves, and Cooley's class; unknown where the genes contradict each other."""
    if not kir.typed:
        return BContent("unknown", "unknown", "unknown", None, "unknown")
    centromeric, telomeric = _centromeric(kir), _telomeric(kir)
    warnings = []
    if centromeric == "unknown" and not kir.unknown & {"2DL2", "2DL3", "2DS2"}:
        warnings.append("KIR: none of 2DL2, 2DL3 and 2DS2 is present, which no haplotype allows; check the typing")
    if telomeric == "unknown" and not kir.unknown & {"2DS1", "2DS4", "3DL1", "3DS1"}:
        problem = "KIR: none of 2DS4, 2DS1 and 3DS1 is present; if the list names inhibitory genes only, B-content"
        warnings.append(f"{problem} cannot be told from it")
    haplotype: Literal["AA", "Bx", "unknown"]
    if kir.present & HAPLOTYPE_B:
        haplotype = "Bx"
    else:
        haplotype = "unknown" if kir.unknown & HAPLOTYPE_B or "unknown" in (centromeric, telomeric) else "AA"
    if "unknown" in (centromeric, telomeric):
        return BContent(haplotype, centromeric, telomeric, None, "unknown", tuple(warnings))
    score = centromeric.count("B") + telomeric.count("B")
    content: Content = "Best" if centromeric == "B/B" else "Better" if score >= 2 else "Neutral"
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
