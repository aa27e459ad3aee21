"""People who are alike in all that a pair says of them but code and warnings, so that each sentence is made once.

What a pair says of HLA-C proteins is compared allele by allele; the verdict of that comparison is not part of a kind,
and under the rule that goes by it every person's proteins are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from equipoise.donors.ligands import LigandReadings
from equipoise.donors.people import Person

BY_PROTEIN = "hla_cw_allele"

Kinds = NDArray[np.intp]


def kinds_of_donors(donors: Sequence[Person], rule: str) -> Kinds:
    """The kind of each donor under a deciding rule, (n,) numbers from 0 in the order of their first appearance."""
    return _numbered(donors, lambda person: (_tissue(person, rule), _genes(person)))


def kinds_of_recipients(recipients: Sequence[Person], rule: str) -> Kinds:
    """The kind of each recipient likewise; their KIR genes are no part of it."""
    return _numbered(recipients, lambda person: _tissue(person, rule))


def _numbered(people: Sequence[Person], kind_of: Callable[[Person], Hashable]) -> Kinds:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(kind_of(person), len(numbers)) for person in people], np.intp)


def _tissue(person: Person, rule: str) -> Hashable:
    proteins = person.cw if rule == BY_PROTEIN else None
    return _said_of(person.ligands), _said_of(person.c_ligands), proteins


def _genes(person: Person) -> Hashable:
    kir, content = person.kir, person.content
    groups = content.content, content.haplotype, content.centromeric, content.telomeric
    return kir.typed, kir.receptors, kir.open_receptors, groups


def _said_of(readings: LigandReadings) -> Hashable:
    """What may be shown; where that is open, also which copies leave it open, whatever their alleles are called."""
    if readings.certain == readings.possible:
        return readings.choices
    copies = frozenset((copy.locus, copy.groups, bool(copy.alleles or copy.families)) for copy in readings.detail)
    return readings.choices, copies
