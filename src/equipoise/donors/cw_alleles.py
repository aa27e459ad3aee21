"""HLA-C at the level of alleles: whether a donor expresses a protein that the recipient does not.

Two persons are compared by what each gene copy may be, never by one guess: a difference that holds whatever the open
answers are is a mismatch, and none whatever they are is a match.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.donors.hla_names import HlaAllele
from equipoise.donors.hla_typing import HlaTyping, LocusTyping
from equipoise.donors.ligand_reference import Reference

Flags = NDArray[np.bool_]
UNNAMED = 2  # proteins beside those named by anyone: two, since two copies that are not known may differ


@dataclass(frozen=True, slots=True)
class CwCopy:
    """What one gene copy may be: proteins, any of some families, or not expressed; nothing of it when not typed."""

    proteins: frozenset[str]
    families: frozenset[str]
    may_be_null: bool

    @property
    def typed(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.proteins or self.families or self.may_be_null)

    @property
    def settled(self) -> bool:
        """Whether it can be one thing only."""
        return not self.families and len(self.proteins) + self.may_be_null == 1


CwGenotypes = tuple[tuple[CwCopy, CwCopy], ...]


def cw_genotypes(typing: LocusTyping, reference: Reference) -> CwGenotypes:
    """The genotypes of a person's HLA-C; an allele counts as not expressed by its suffix or by the reference."""
    return tuple((_copy(first, reference), _copy(second, reference)) for first, second in typing.genotypes)


def _copy(copy: HlaTyping, reference: Reference) -> CwCopy:
    silent = [allele for allele in copy.alleles if _is_null(allele, reference)]
    proteins = frozenset(allele.protein for allele in copy.alleles if allele not in silent)
    return CwCopy(proteins, frozenset(f"C*{family}" for family in copy.families), bool(silent))


def _is_null(allele: HlaAllele, reference: Reference) -> bool:
    entry = reference.entry(allele)
    return allele.suffix == "N" or (entry is not None and entry.suffix == "N")


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """(recipients, donors): whether always a mismatch, whether never, and whether a copy is not typed."""

    always: Flags
    never: Flags
    untyped: Flags


def compare_cw(donors: Sequence[CwGenotypes], recipients: Sequence[CwGenotypes]) -> Compared:
    """Whether each donor expresses a protein that each recipient lacks."""
    universe = _universe([*donors, *recipients])
    giving, taking = _Rows.of(donors, universe), _Rows.of(recipients, universe)
    first, second = giving.copies
    within = [[_meet(own, other) for other in taking.copies] for own in giving.copies]
    both = [_meet(first & second, other) for other in taking.copies]
    may_lie_within = (
        (within[0][0] & within[1][1]) | (within[0][1] & within[1][0]) | both[0] | both[1]
        | (giving.null[0] & (within[1][0] | within[1][1])) | (giving.null[1] & (within[0][0] | within[0][1]))
        | (giving.null[0] & giving.null[1])
    )  # fmt: skip
    certain = taking.certain
    lies_within = ~_meet(first, ~certain) & ~_meet(second, ~certain)
    return Compared(
        _all(~may_lie_within, taking.starts, giving.starts),
        _all(lies_within, taking.starts, giving.starts),
        ~_all(~(taking.untyped[:, np.newaxis] | giving.untyped), taking.starts, giving.starts),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Genotypes one after another: each copy (genotypes, proteins), whether it may be null, where persons begin."""

    copies: tuple[Flags, Flags]
    null: tuple[Flags, Flags]
    certain: Flags
    untyped: Flags
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, people: Sequence[CwGenotypes], universe: dict[str, frozenset[int]]) -> _Rows:
        """The rows of people."""
        genotypes = [genotype for person in people for genotype in person]
        size = len(universe[""])
        copies = tuple(_flags([genotype[place] for genotype in genotypes], universe, size) for place in (0, 1))
        null = tuple(np.array([genotype[place].may_be_null for genotype in genotypes]) for place in (0, 1))
        settled = [np.array([genotype[place].settled for genotype in genotypes]) for place in (0, 1)]
        certain = (copies[0] & settled[0][:, np.newaxis]) | (copies[1] & settled[1][:, np.newaxis])
        untyped = np.array([not (first.typed and second.typed) for first, second in genotypes])
        starts = np.cumsum([0, *(len(person) for person in people[:-1])])
        return cls((copies[0], copies[1]), (null[0], null[1]), certain, untyped, starts)


def _universe(people: Sequence[CwGenotypes]) -> dict[str, frozenset[int]]:
    """The numbers of the proteins of each name and family, and of all under the empty name."""
    copies = [copy for person in people for genotype in person for copy in genotype]
    names = sorted({name for copy in copies for name in copy.proteins})
    families = sorted({name[:4] for name in names} | {family for copy in copies for family in copy.families})
    numbers = {name: frozenset({place}) for place, name in enumerate(names)}
    following = len(names)
    for family in [*families, ""]:
        own = {place for place, name in enumerate(names) if name[:4] == family}
        numbers[family] = frozenset(own | set(range(following, following + UNNAMED)))
        following += UNNAMED
    numbers[""] = frozenset(range(following))
    return numbers


def _flags(copies: Sequence[CwCopy], universe: dict[str, frozenset[int]], size: int) -> Flags:
    found = np.zeros((len(copies), size), bool)
    for row, copy in enumerate(copies):
        for name in _names(copy):
            found[row, list(universe[name])] = True
    return found


def _names(copy: CwCopy) -> Iterator[str]:
    if not copy.typed:
        yield ""
    yield from copy.proteins
    yield from copy.families


def _meet(donors: Flags, recipients: Flags) -> Flags:
    """(recipients, donors), whether two rows share a protein."""
    return np.asarray(recipients.astype(np.float32) @ donors.astype(np.float32).T > 0)


def _all(flags: Flags, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Flags:
    """Whether a flag holds for every genotype of both persons."""
    if (len(rows), len(columns)) == flags.shape:  # one genotype each
        return flags
    return np.asarray(np.logical_and.reduceat(np.logical_and.reduceat(flags, rows, axis=0), columns, axis=1))
