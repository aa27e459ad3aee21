"""The whole matrix of donors and recipients under every model, ranked, with a sentence for each pair.

A verdict holds in every reading of both persons, or it is not given. Counting readings is a product of matrices
(`mismatch`), so that ten thousand donors and a thousand recipients take seconds. Sentences are made when asked for.
Terms: *choice* (the readings that are left once an ambiguous typing is settled), *kind* (persons alike in all choices).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from equipoise.donors.cw_alleles import compare_cw
from equipoise.donors.kir import KirTyping
from equipoise.donors.ligands import LIGANDS, LigandReadings, Readings
from equipoise.donors.mismatch import (
    CASES,
    READS,
    RECEPTORS,
    RULES,
    VERDICTS,
    Verdict,
    bits,
    named,
    rule_named,
    tables,
)
from equipoise.donors.people import Person
from equipoise.donors.sentences import explanation
from equipoise.refusals import Refusal

Codes = NDArray[np.uint8]
Counts = NDArray[np.float32]
Flags = NDArray[np.bool_]
MISMATCH, AMBIGUOUS, NOT_EVALUABLE, MATCH = range(4)
CACHED = 65_536
HALF = 0.5  # counts are whole numbers in floating point
CONTENT_ORDER = {"Best": 0, "Better": 1, "Neutral": 2, "unknown": 3}
TIE_BREAKERS = frozenset({"2DS1", "3DS1"})


@dataclass(frozen=True, slots=True)
class Pair:
    """What the models say of one donor and one recipient; sets as names in order."""

    recipient: str
    donor: str
    rule: str
    verdict: Verdict
    missing_ligands: tuple[str, ...]
    gvh: tuple[str, ...]
    hvg: tuple[str, ...]
    receptor_ligand: tuple[str, ...]
    missing_ligand: tuple[str, ...]
    educated: tuple[str, ...]
    b_content: str
    explanation: str
    warnings: tuple[str, ...]
    rank: int
    verdicts: Mapping[str, Verdict]
    direction: str
    haplotype: str
    centromeric: str
    telomeric: str
    donor_ligands: str
    recipient_ligands: str
    reference: str


@dataclass(frozen=True)
class MatchMatrix:
    """Verdicts of every recipient (rows) and donor (columns).

    `verdicts` hold a code of `VERDICTS` by rule; `gvh`, `hvg`, `receptor_ligand` and `educated` (recipients, donors)
    and `missing_ligand` (recipients,) hold sets as numbers: what is so in every reading.
    """

    donors: tuple[Person, ...]
    recipients: tuple[Person, ...]
    rule: str
    reference: str
    verdicts: Mapping[str, Codes]
    gvh: Codes
    hvg: Codes
    c_gvh: Codes
    missing_ligand: Codes
    receptor_ligand: Codes
    educated: Codes

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdicts", MappingProxyType(dict(self.verdicts)))
        sets = (self.gvh, self.hvg, self.c_gvh, self.missing_ligand, self.receptor_ligand, self.educated)
        for codes in (*self.verdicts.values(), *sets):
            codes.setflags(write=False)

    @cached_property
    def donor_order(self) -> NDArray[np.intp]:
        """Donors by what breaks ties: B-content, activating 2DS1 or 3DS1, code."""
        keys = [
            (CONTENT_ORDER[donor.content.content], not donor.kir.present & TIE_BREAKERS, donor.id)
            for donor in self.donors
        ]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)

    def ranked(self, recipient: int) -> NDArray[np.intp]:
        """Donors from the best down, for the recipient at that place."""
        order = self.donor_order
        return order[np.argsort(self.verdicts[self.rule][recipient, order], kind="stable")]

    @cached_property
    def unserved(self) -> tuple[str, ...]:
        """Recipients for whom no donor is a mismatch by the deciding rule."""
        served = (self.verdicts[self.rule] == MISMATCH).any(axis=1)
        return tuple(person.id for person, found in zip(self.recipients, served, strict=True) if not found)

    @cached_property
    def may_be_served(self) -> tuple[str, ...]:
        """Those of `unserved` for whom a donor may yet be a mismatch, once typing settles what is open."""
        codes = self.verdicts[self.rule]
        is_open = ((codes == AMBIGUOUS) | (codes == NOT_EVALUABLE)).any(axis=1)
        waiting = {person.id for person, found in zip(self.recipients, is_open, strict=True) if found}
        return tuple(code for code in self.unserved if code in waiting)

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """Pairs by verdict of the deciding rule."""
        found = np.bincount(self.verdicts[self.rule].ravel(), minlength=len(VERDICTS))
        return {verdict: int(count) for verdict, count in zip(VERDICTS, found, strict=True)}

    def pairs(self) -> Iterator[Pair]:
        """Every pair: recipients in their order, donors from the best down."""
        for recipient in range(len(self.recipients)):
            for rank, donor in enumerate(self.ranked(recipient), start=1):
                yield self.pair(recipient, int(donor), rank)

    def pair(self, recipient: int, donor: int, rank: int = 0) -> Pair:
        """The pair at these places."""
        giver, taker = self.donors[donor], self.recipients[recipient]
        verdicts = {name: VERDICTS[codes[recipient, donor]] for name, codes in self.verdicts.items()}
        gvh = named(int(self.gvh[recipient, donor]), LIGANDS)
        hvg = named(int(self.hvg[recipient, donor]), LIGANDS)
        receptors = named(int(self.receptor_ligand[recipient, donor]), RECEPTORS)
        educated = named(int(self.educated[recipient, donor]), RECEPTORS)
        missing = named(int(self.missing_ligand[recipient]), LIGANDS)
        deciding = {
            "ligand_ligand_gvh": gvh,
            "ligand_ligand_hvg": hvg,
            "receptor_ligand": read_by(receptors, taker.ligands),
            "receptor_ligand_c": read_by([name for name in receptors if name.startswith("2DL")], taker.ligands),
            "missing_ligand": missing,
            "educated": read_by(educated, taker.ligands),
            "hla_c_group_mismatch_gvh": named(int(self.c_gvh[recipient, donor]), LIGANDS),
            "hla_cw_allele": (),
        }[self.rule]
        verdict = verdicts[self.rule]
        return Pair(
            recipient=taker.id,
            donor=giver.id,
            rule=self.rule,
            verdict=verdict,
            missing_ligands=deciding,
            gvh=gvh,
            hvg=hvg,
            receptor_ligand=receptors,
            missing_ligand=missing,
            educated=educated,
            b_content=giver.content.content if giver.kir.typed else "",
            explanation=explanation(self.rule, verdict, giver, taker, deciding, receptors, educated),
            warnings=tuple(
                [f"donor {text}" for text in giver.warnings] + [f"recipient {text}" for text in taker.ligands.warnings]
            ),
            rank=rank,
            verdicts=MappingProxyType(verdicts),
            direction=direction(verdicts),
            haplotype=giver.content.haplotype if giver.kir.typed else "",
            centromeric=giver.content.centromeric if giver.kir.typed else "",
            telomeric=giver.content.telomeric if giver.kir.typed else "",
            donor_ligands=shown(giver.ligands),
            recipient_ligands=shown(taker.ligands),
            reference=self.reference,
        )


def read_by(receptors: Sequence[str], recipient: LigandReadings) -> tuple[str, ...]:
    """The ligands that receptors read and the recipient certainly lacks."""
    wanted = {ligand for receptor in receptors for ligand in READS[receptor]}
    lacking = wanted & set(recipient.considered) - recipient.possible
    return tuple(ligand for ligand in LIGANDS if ligand in lacking)


def direction(verdicts: Mapping[str, Verdict]) -> str:
    """The ligand-ligand comparison in a word: gvh, hvg, bidirectional, permissive, or empty where it is not known."""
    both = verdicts["ligand_ligand_gvh"], verdicts["ligand_ligand_hvg"]
    words: Mapping[tuple[Verdict, Verdict], str] = {
        ("mismatch", "mismatch"): "bidirectional",
        ("mismatch", "match"): "gvh",
        ("match", "mismatch"): "hvg",
        ("match", "match"): "permissive",
    }
    return words.get(both, "")


def shown(readings: LigandReadings) -> str:
    """The ligands shown, those that are only possible with a question mark."""
    names = [
        ligand if ligand in readings.certain else f"{ligand}?" for ligand in LIGANDS if ligand in readings.possible
    ]
    return " ".join(names)


def match(donors: Sequence[Person], recipients: Sequence[Person], rule: str, *, reference: str) -> MatchMatrix:
    """Compare every donor with every recipient.

    Args:
        donors: read by one `PersonReader`.
        recipients: read by the same.
        rule: the deciding rule's name.
        reference: how results name the reference that ligands were read from.

    Raises:
        Refusal: no donor, no recipient, or a rule that there is not.
    """
    for name, people in (("donors", donors), ("recipients", recipients)):
        if not people:
            raise Refusal(name, None, "are none", "give at least one")
    considered = donors[0].ligands.considered
    table, of_c = tables(considered), tables(("C1", "C2"))
    of_dl = table.receptor_ligand[[name.startswith("2DL") for name in RECEPTORS]]
    giving, taking = Side.of(donors, _shown), Side.of(recipients, _shown)
    c_giving, c_taking = Side.of(donors, _c_shown), Side.of(recipients, _c_shown)
    joint, anyone = Side.of(donors, _shown_with_receptors), Side.of(donors, _nothing)
    verdicts = {
        "ligand_ligand_gvh": _verdicts(table.gvh, giving, taking),
        "ligand_ligand_hvg": _verdicts(table.hvg, giving, taking),
        "receptor_ligand": _verdicts(table.receptor_ligand, joint, taking),
        "receptor_ligand_c": _verdicts(of_dl, joint, taking),
        "missing_ligand": _verdicts(table.missing, anyone, taking),
        "educated": _verdicts(table.educated, joint, taking),
        "hla_c_group_mismatch_gvh": _verdicts(of_c.gvh, c_giving, c_taking),
        "hla_cw_allele": _of_cw(donors, recipients),
    }
    assert verdicts.keys() == RULES.keys()
    return MatchMatrix(
        tuple(donors),
        tuple(recipients),
        rule_named(rule),
        reference,
        verdicts,
        _certain(table.gvh, giving, taking),
        _certain(table.hvg, giving, taking),
        _certain(of_c.gvh, c_giving, c_taking),
        _certain(table.missing, anyone, taking)[:, 0].copy(),
        _certain(table.receptor_ligand, joint, taking),
        _certain(table.educated, joint, taking),
    )


Choices = frozenset[frozenset[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side's persons by kind.

    `choices` (a, cases) has a row for each distinct choice, with a one for each case that it leaves possible; `kinds`
    (k, a) says which choices a kind has; `place` (n,) is the kind of each person.
    """

    choices: Counts
    kinds: Counts
    place: NDArray[np.intp]

    @classmethod
    def of(cls, people: Sequence[Person], choices_of: Callable[[Person], tuple[int, Choices]]) -> Side:
        """The kinds of people by what `choices_of` tells of each: the number of cases, and the choices."""
        kinds: dict[Choices, int] = {}
        rows: dict[frozenset[int], int] = {}
        place = np.zeros(len(people), np.intp)
        cases = 1
        for number, person in enumerate(people):
            cases, found = choices_of(person)
            place[number] = kinds.setdefault(found, len(kinds))
            for choice in found:
                rows.setdefault(choice, len(rows))
        choices, members = np.zeros((len(rows), cases), np.float32), np.zeros((len(kinds), len(rows)), np.float32)
        for choice, row in rows.items():
            choices[row, list(choice)] = 1
        for found, kind in kinds.items():
            members[kind, [rows[choice] for choice in found]] = 1
        return cls(choices, members, place)


def _shown(person: Person) -> tuple[int, Choices]:
    return CASES, _numbered(person.ligands.choices)


def _c_shown(person: Person) -> tuple[int, Choices]:
    return CASES, _numbered(person.c_ligands.choices)


def _shown_with_receptors(person: Person) -> tuple[int, Choices]:
    return CASES * CASES, _joint(person.ligands.choices, _receptors(person.kir))


def _nothing(person: Person) -> tuple[int, Choices]:
    return 1, frozenset({frozenset({0})})


@lru_cache(maxsize=CACHED)
def _numbered(choices: frozenset[Readings]) -> Choices:
    """Choices with each set of ligands as its number."""
    return frozenset(frozenset(bits(reading, LIGANDS) for reading in choice) for choice in choices)


@lru_cache(maxsize=CACHED)
def _receptors(kir: KirTyping) -> Choices:
    """The sets of inhibitory receptors: genes left open are a choice each, genes not typed are not."""
    has, may_have = bits(kir.receptors, RECEPTORS), bits(kir.open_receptors, RECEPTORS)
    sets = [number for number in range(CASES) if number & ~may_have == has]
    return frozenset(frozenset({number}) for number in sets) if kir.typed else frozenset({frozenset(sets)})


@lru_cache(maxsize=CACHED)
def _joint(choices: frozenset[Readings], receptors: Choices) -> Choices:
    """Ligands and receptors together, a pair as one number."""
    return frozenset(
        frozenset(shown * CASES + had for shown in choice for had in having)
        for choice in _numbered(choices)
        for having in receptors
    )


def _flat(table: Flags, cases: int) -> Flags:
    """A table (name, recipient), (name, donor, recipient) or (name, donor, recipient, receptors) by the donor's cases.

    Returns:
        (name, cases, recipient).
    """
    if table.ndim == 4:
        table = table.transpose(0, 1, 3, 2)
    return table.reshape(len(table), cases, CASES)


def _counted(table: Flags, giving: Side, taking: Side) -> tuple[Flags, Flags]:
    """(recipients' choices, donors' choices): whether a table (cases, recipient) says yes throughout, or no."""
    count = taking.choices @ (giving.choices @ table.astype(np.float32)).T
    total = np.multiply.outer(taking.choices.sum(axis=1), giving.choices.sum(axis=1))
    return count > total - HALF, count < HALF


def _in_some(flags: Flags, giving: Side, taking: Side) -> Flags:
    """(recipients' kinds, donors' kinds), whether a flag of choices holds for some pair of theirs."""
    return np.asarray(taking.kinds @ flags.astype(np.float32) @ giving.kinds.T > HALF)


def _verdicts(table: Flags, giving: Side, taking: Side) -> Codes:
    """(recipients, donors), the verdicts of a table.

    Once ambiguous typings are settled, a verdict may still hang on what was not typed: then it is not evaluable. It is
    ambiguous where each choice has its verdict and they differ.
    """
    of_any = np.asarray(_flat(table, giving.choices.shape[1]).any(axis=0))
    yes, no = _counted(of_any, giving, taking)
    some_yes, some_no = _in_some(yes, giving, taking), _in_some(no, giving, taking)
    codes = np.where(_in_some(~(yes | no), giving, taking), np.uint8(NOT_EVALUABLE), np.uint8(AMBIGUOUS))
    codes[(codes == AMBIGUOUS) & ~some_no] = MISMATCH
    codes[(codes == AMBIGUOUS) & ~some_yes] = MATCH
    return codes[np.ix_(taking.place, giving.place)]


def _certain(table: Flags, giving: Side, taking: Side) -> Codes:
    """(recipients, donors), the names for which a table says yes in every case, as a number."""
    found = np.zeros((len(taking.kinds), len(giving.kinds)), np.uint8)
    for place, each in enumerate(_flat(table, giving.choices.shape[1])):
        yes, _ = _counted(each, giving, taking)
        found |= (~_in_some(~yes, giving, taking)).astype(np.uint8) << np.uint8(place)
    return found[np.ix_(taking.place, giving.place)]


def _of_cw(donors: Sequence[Person], recipients: Sequence[Person]) -> Codes:
    """Verdicts on HLA-C proteins."""
    giving, taking = (list(dict.fromkeys(person.cw for person in people)) for people in (donors, recipients))
    compared = compare_cw(giving, taking)
    codes = np.where(compared.untyped, np.uint8(NOT_EVALUABLE), np.uint8(AMBIGUOUS))
    codes[compared.always] = MISMATCH
    codes[compared.never] = MATCH
    kinds = [{kind: place for place, kind in enumerate(side)} for side in (taking, giving)]
    places = [[of[person.cw] for person in people] for of, people in zip(kinds, (recipients, donors), strict=True)]
    return codes[np.ix_(*places)]
