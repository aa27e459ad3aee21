"""Draw the tissue types of a rehearsal's people, and what its product lots are found to hold.

A person has two haplotypes of HLA-C with HLA-B, two alleles of HLA-A and two haplotypes of KIR genes. Typing reports
have flaws: a family in place of an allele, an allele left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.donors.hla_names import LOCI

if TYPE_CHECKING:
    from equipoise.protocol.rehearsal import LotQuantity, TissuePanel

Cells = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class VirtualTissue:
    """A person's true alleles by locus and KIR genes, and the report on the alleles, which may be flawed."""

    hla: Mapping[str, tuple[str, str]]
    reported: Mapping[str, tuple[str, str]]
    kir: str


def draw_tissue(panel: TissuePanel, rng: np.random.Generator) -> VirtualTissue:
    """One person's tissue types."""
    pairs = [_picked(panel.haplotypes, rng).split() for _ in range(2)]
    alleles: dict[str, list[str]] = {locus: [] for locus in LOCI}
    for haplotype in (*pairs, [_picked(panel.hla_a, rng)], [_picked(panel.hla_a, rng)]):
        for allele in haplotype:
            alleles[allele[0]].append(allele)
    hla: Cells = {locus: (found[0], found[1]) for locus, found in alleles.items()}
    genes = {gene for _ in range(2) for gene in _picked(panel.kir, rng).split()}
    return VirtualTissue(hla, _reported(hla, panel, rng), " ".join(sorted(genes)))


def _picked(weights: Mapping[str, int], rng: np.random.Generator) -> str:
    shares = np.array(list(weights.values()), dtype=np.float64)
    return list(weights)[int(rng.choice(shares.size, p=shares / shares.sum()))]


def _reported(hla: Cells, panel: TissuePanel, rng: np.random.Generator) -> Cells:
    """The report: HLA-A and -B may be of low resolution or lack an allele; HLA-C, which decides, is typed again."""
    reported: Cells = {}
    for locus, pair in hla.items():
        first, second = pair
        if locus != "C":
            low, missing = rng.random(2) < (float(panel.low_resolution), float(panel.missing))
            first = first.partition(":")[0] if low else first
            second = "" if missing else second
        reported[locus] = (first, second)
    return reported


def draw_quantity(quantity: LotQuantity, rng: np.random.Generator) -> float:
    """A measured quantity: gamma with its mean and SD, or so far below a limit such as 100%."""
    mean, sd = float(quantity.mean), float(quantity.sd)
    drawn = float(rng.gamma((mean / sd) ** 2, sd**2 / mean)) if sd else mean
    return drawn if quantity.below is None else float(quantity.below) - drawn
