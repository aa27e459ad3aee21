"""The whole matrix of donors and recipients under every model, ranked, with a sentence for each pair.

A verdict holds in every reading of both persons, or it is not given. Counting readings is a product of matrices
(`mismatch`), so that ten thousand donors and a thousand recipients take seconds. Sentences are made when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.donors.ligands import LIGANDS, LigandReadings
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
from equipoise.donors.people import Person, Proteins
from equipoise.donors.sentences import explanation
from equipoise.refusals import Refusal

Codes = NDArray[np.uint8]
Counts = NDArray[np.float32]
Flags = NDArray[np.bool_]
MISMATCH, AMBIGUOUS, NOT_EVALUABLE, MATCH = range(4)
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
            verdicts=verdicts,
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
    giving, taking = side_of(donors, with_kir=True), side_of(recipients)
    c_giving, c_taking = side_of(donors, c_alone=True), side_of(recipients, c_alone=True)
    joint = giving.joint
    of_dl = table.receptor_ligand[[name.startswith("2DL") for name in RECEPTORS]]
    pair = np.ix_(taking.place, giving.place)
    c_pair = np.ix_(c_taking.place, c_giving.place)
    verdicts = {
        "ligand_ligand_gvh": _of_pair(table.gvh, giving, taking)[pair],
        "ligand_ligand_hvg": _of_pair(table.hvg, giving, taking)[pair],
        "receptor_ligand": _of_receptors(table.receptor_ligand, joint, taking, giving.untyped)[pair],
        "receptor_ligand_c": _of_receptors(of_dl, joint, taking, giving.untyped)[pair],
        "missing_ligand": _of_recipient(table.missing, taking, len(giving.shown))[pair],
        "educated": _of_receptors(table.educated, joint, taking, giving.untyped | giving.missing)[pair],
        "hla_c_group_mismatch_gvh": _of_pair(of_c.gvh, c_giving, c_taking)[c_pair],
        "hla_cw_allele": _of_proteins(donors, recipients),
    }
    assert verdicts.keys() == RULES.keys()
    return MatchMatrix(
        tuple(donors),
        tuple(recipients),
        rule_named(rule),
        reference,
        verdicts,
        _certain_of_pair(table.gvh, giving, taking)[pair],
        _certain_of_pair(table.hvg, giving, taking)[pair],
        _certain_of_pair(of_c.gvh, c_giving, c_taking)[c_pair],
        _certain_of_recipient(table.missing, taking)[taking.place],
        _certain_of_receptors(table.receptor_ligand, joint, taking)[pair],
        _certain_of_receptors(table.educated, joint, taking)[pair],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The kinds of persons of one side: those alike in every respect that the models ask of are one kind.

    `shown` (k, 32) are the sets that a kind may show, `receptors` (k, 32) the sets of inhibitory receptors that it may
    have; `missing` and `untyped` (k,) say whether HLA or KIR typing that is missing leaves these open. `place` (n,) is
    the kind of each person.
    """

    shown: Counts
    receptors: Counts
    missing: Flags
    untyped: Flags
    place: NDArray[np.intp]

    @property
    def total(self) -> Counts:
        """(k,), how many sets each may show."""
        return np.asarray(self.shown.sum(axis=1))

    @property
    def joint(self) -> Counts:
        """(k, 32 x 32), the sets shown and the receptors together."""
        return (self.shown[:, :, np.newaxis] * self.receptors[:, np.newaxis, :]).reshape(len(self.shown), -1)


def side_of(people: Sequence[Person], *, c_alone: bool = False, with_kir: bool = False) -> Side:
    """The kinds of persons, by all loci considered or by HLA-C alone; donors with their receptors."""
    shown = indicators([person.c_ligands if c_alone else person.ligands for person in people])
    receptors = receptors_of(people) if with_kir else np.zeros_like(shown)
    missing = np.array([person.lacks_c if c_alone else person.lacks_typing for person in people])
    untyped = np.array([with_kir and not person.kir.typed for person in people])
    whole = np.packbits(np.column_stack([shown, receptors, missing, untyped]).astype(bool), axis=1)
    _, first, place = np.unique(whole, axis=0, return_index=True, return_inverse=True)
    return Side(shown[first], receptors[first], missing[first], untyped[first], place.ravel())


def indicators(people: Sequence[LigandReadings]) -> Counts:
    """(n, 32), one where a person may show just that set."""
    found = np.zeros((len(people), CASES), np.float32)
    for place, readings in enumerate(people):
        for reading in readings.readings:
            found[place, bits(reading, LIGANDS)] = 1
    return found


def receptors_of(people: Sequence[Person]) -> Counts:
    """(n, 32), one where a donor may have just that set of inhibitory receptors."""
    found = np.zeros((len(people), CASES), np.float32)
    for place, person in enumerate(people):
        present, unknown = bits(person.kir.present, RECEPTORS), bits(person.kir.unknown, RECEPTORS)
        for number in range(CASES):
            if number & ~unknown == present:
                found[place, number] = 1
    return found


def _count_of_pair(table: Flags, giving: Side, taking: Side) -> Counts:
    """(recipients, donors), in how many pairs of readings a table (donor, recipient) says yes."""
    return np.asarray(taking.shown @ (giving.shown @ table.astype(np.float32)).T)


def _count_of_receptors(table: Flags, joint: Counts, taking: Side) -> Counts:
    """The same for a table (donor, recipient, receptors), from donors' sets and receptors together (n, 32 x 32)."""
    flat = table.transpose(0, 2, 1).reshape(-1, CASES).astype(np.float32)
    return np.asarray(taking.shown @ (joint @ flat).T)


def _coded(count: Counts, total: Counts, missing: Flags) -> Codes:
    """Mismatch in all readings, in none, or what leaves it open."""
    codes = np.where(missing, np.uint8(NOT_EVALUABLE), np.uint8(AMBIGUOUS))
    codes[count < HALF] = MATCH
    codes[count > total - HALF] = MISMATCH
    return codes


def _of_pair(table: Flags, giving: Side, taking: Side) -> Codes:
    """Verdicts of a table (ligand, donor, recipient)."""
    count = _count_of_pair(np.asarray(table.any(axis=0)), giving, taking)
    return _coded(
        count, np.multiply.outer(taking.total, giving.total), np.logical_or.outer(taking.missing, giving.missing)
    )


def _of_receptors(table: Flags, joint: Counts, taking: Side, donors_missing: Flags) -> Codes:
    """Verdicts of a table (receptor, donor, recipient, receptors)."""
    count = _count_of_receptors(np.asarray(table.any(axis=0)), joint, taking)
    total = np.multiply.outer(taking.total, joint.sum(axis=1))
    return _coded(count, total, np.logical_or.outer(taking.missing, donors_missing))


def _of_recipient(table: Flags, taking: Side, donors: int) -> Codes:
    """Verdicts of a table (ligand, recipient), the same for every donor."""
    count = taking.shown @ np.asarray(table.any(axis=0)).astype(np.float32)
    codes = _coded(count, taking.total, taking.missing)
    return np.ascontiguousarray(np.broadcast_to(codes[:, np.newaxis], (len(codes), donors)))


def _certain_of_pair(table: Flags, giving: Side, taking: Side) -> Codes:
    """(recipients, donors), the ligands for which a table says yes in every pair of readings."""
    total = np.multiply.outer(taking.total, giving.total) - HALF
    return _numbers([_count_of_pair(each, giving, taking) > total for each in table])


def _certain_of_recipient(table: Flags, taking: Side) -> Codes:
    """(recipients,), the ligands for which a table (ligand, recipient) says yes in every reading."""
    return _numbers([taking.shown @ each.astype(np.float32) > taking.total - HALF for each in table])


def _certain_of_receptors(table: Flags, joint: Counts, taking: Side) -> Codes:
    """The same for receptors."""
    total = np.multiply.outer(taking.total, joint.sum(axis=1)) - HALF
    return _numbers([_count_of_receptors(each, joint, taking) > total for each in table])


def _numbers(flags: Sequence[NDArray[Any]]) -> Codes:
    """A set as a number, from one array of flags for each name."""
    found = np.zeros(flags[0].shape, np.uint8)
    for place, flag in enumerate(flags):
        found |= flag.astype(np.uint8) << np.uint8(place)
    return found


def _of_proteins(donors: Sequence[Person], recipients: Sequence[Person]) -> Codes:
    """Whether the HLA-C proteins of two persons differ."""
    kinds: dict[Proteins | None, int] = {}
    places = [[kinds.setdefault(person.proteins, len(kinds)) for person in people] for people in (recipients, donors)]
    pairs: dict[frozenset[str], int] = {}
    for kind in kinds:
        for pair in kind or ():
            pairs.setdefault(pair, len(pairs))
    may = np.zeros((len(kinds), max(len(pairs), 1)), np.float32)
    for kind, row in kinds.items():
        for pair in kind or ():
            may[row, pairs[pair]] = 1
    same = may @ may.T
    total = np.multiply.outer(may.sum(axis=1), may.sum(axis=1))
    unknown = np.array([kind is None for kind in kinds])
    codes = _coded(total - same, np.maximum(total, 1), np.zeros_like(same, dtype=bool))
    codes[np.logical_or.outer(unknown, unknown)] = NOT_EVALUABLE
    return codes[np.ix_(places[0], places[1])]
