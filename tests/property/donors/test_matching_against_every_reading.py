"""The matrix says what a slow comparison of every reading of both persons says; knowledge settles and never turns."""

import csv
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from equipoise.analysis.cells import safe_cell
from equipoise.donors import Person, PersonReader, builtin_reference, match, parse_allele
from equipoise.donors.mismatch import RULES
from equipoise.exchange.matching_tables import as_cells, write_matrix

READER = PersonReader(builtin_reference())
WITH_A3 = PersonReader(builtin_reference(), with_a3_a11=True)

# By hand: the ligand that each shows. None: not typed.
SHOWN = {
    "A": {"A*01:01": "", "A*02:01": "", "A*24:02": "Bw4", "A*03:01": "A3", "A*11:01": "A11", "A*24:09N": ""},
    "B": {"B*07:02": "", "B*08:01": "", "B*44:02": "Bw4", "B*57:01": "Bw4", "B*46:01": "C1"},
    "C": {"C*07:01": "C1", "C*01:02": "C1", "C*05:01": "C2", "C*06:02": "C2", "C*07:07": "C2", "C*04:09N": ""},
}
ANYTHING = {"A": ("", "Bw4", "A3", "A11"), "B": ("", "Bw4", "C1"), "C": ("C1", "C2")}
READS = {"2DL1": {"C2"}, "2DL2": {"C1"}, "2DL3": {"C1"}, "3DL1": {"Bw4"}, "3DL2": {"A3", "A11"}}

Names = frozenset[str]
Copy = tuple[str, ...]  # what it may be; empty when not typed
Typing = dict[str, Any]


def copies(locus: str) -> st.SearchStrategy[Copy]:
    names = sorted(SHOWN[locus])
    return st.lists(st.sampled_from(names), max_size=2, unique=True).map(tuple)


genes = st.none() | st.fixed_dictionaries({gene: st.sampled_from(["POS", "NEG", "POS|NEG"]) for gene in READS})
typings = st.fixed_dictionaries({**{locus: st.tuples(copies(locus), copies(locus)) for locus in "ABC"}, "KIR": genes})


def read(reader: PersonReader, code: str, typing: Typing) -> Person:
    hla = {locus: ("/".join(typing[locus][0]), "/".join(typing[locus][1])) for locus in "ABC"}
    kir = typing["KIR"]
    return reader.read(code, hla, "" if kir is None else " ".join(f"{gene}*{said}" for gene, said in kir.items()))


def settled(typing: Typing) -> Iterator[tuple[list[tuple[str, Copy]], dict[str, str] | None]]:
    """Each way to settle what is ambiguous: a name for each copy that was typed, POS or NEG for each gene."""
    places = [(locus, copy) for locus in "ABC" for copy in typing[locus]]
    options = [[(name,) for name in copy] if copy else [()] for _, copy in places]
    kir = typing["KIR"]
    for chosen in product(*options):
        named = [(locus, copy) for (locus, _), copy in zip(places, chosen, strict=True)]
        if kir is None:
            yield named, None
        else:
            for said in product(*(text.split("|") for text in kir.values())):
                yield named, dict(zip(kir, said, strict=True))


def shown(named: list[tuple[str, Copy]], loci: str, considered: Names) -> set[Names]:
    """Every set of ligands that copies not typed leave open."""
    options = [[SHOWN[locus][copy[0]]] if copy else ANYTHING[locus] for locus, copy in named if locus in loci]
    return {considered.intersection(each) for each in product(*options)}


def receptors(kir: dict[str, str] | None) -> set[Names]:
    if kir is None:
        return {
            frozenset(gene for gene, has in zip(READS, each, strict=True) if has) for each in product((0, 1), repeat=5)
        }
    return {frozenset(gene for gene, said in kir.items() if said == "POS")}


@cache
def is_mismatch(rule: str, donor: Names, had: Names, recipient: Names, considered: Names) -> bool:
    def lacks(one: str, other: Names) -> bool:
        return not other & ({"A3", "A11"} if one in ("A3", "A11") else {one})

    unread = [gene for gene in had if READS[gene] & considered and not READS[gene] & recipient]
    return {
        "ligand_ligand_gvh": any(lacks(one, recipient) for one in donor),
        "hla_c_group_mismatch_gvh": any(lacks(one, recipient) for one in donor),
        "ligand_ligand_hvg": any(lacks(one, donor) for one in recipient),
        "missing_ligand": bool({"C1", "C2", "Bw4"} - recipient),
        "receptor_ligand": bool(unread),
        "receptor_ligand_c": any(gene.startswith("2DL") for gene in unread),
        "educated": any(READS[gene] & donor for gene in unread),
    }[rule]


def verdict_of(outcomes: Iterable[set[bool]]) -> str:
    """From the answers that copies not typed leave, for each way to settle what is ambiguous."""
    found = list(outcomes)
    if any(len(each) > 1 for each in found):
        return "not-evaluable"
    answers = set().union(*found)
    return "ambiguous" if len(answers) > 1 else "mismatch" if answers == {True} else "match"


def slow_verdict(rule: str, donor: Typing, recipient: Typing, considered: Names) -> str:
    loci = "C" if rule == "hla_c_group_mismatch_gvh" else "ABC"
    given = {(frozenset(shown(named, loci, considered)), frozenset(receptors(kir))) for named, kir in settled(donor)}
    taken = {frozenset(shown(named, loci, considered)) for named, _ in settled({**recipient, "KIR": None})}
    return verdict_of(
        {is_mismatch(rule, one, had, other, considered) for one in ones for had in having for other in others}
        for ones, having in given
        for others in taken
    )


OTHERS = ("other 1", "other 2")


def slow_cw(donor: Typing, recipient: Typing) -> str:
    universe = [*(name for name in SHOWN["C"] if name != "C*04:09N"), *OTHERS]

    def pairs(copies: Iterable[Copy]) -> set[Names]:
        return {frozenset(set(each) - {"C*04:09N"}) for each in product(*(copy or universe for copy in copies))}

    def ways(typing: Typing) -> Iterator[tuple[Copy, ...]]:
        return product(*([(name,) for name in copy] if copy else [()] for copy in typing["C"]))

    return verdict_of(
        {not one <= other for one in pairs(mine) for other in pairs(theirs)}
        for mine in ways(donor)
        for theirs in ways(recipient)
    )


CLASSICAL = frozenset({"C1", "C2", "Bw4"})


@settings(max_examples=40)
@given(st.lists(typings, min_size=1, max_size=3), st.lists(typings, min_size=1, max_size=2))
def test_matrix_is_that_of_every_reading(donors: list[Typing], recipients: list[Typing]) -> None:
    for reader, considered in ((READER, CLASSICAL), (WITH_A3, CLASSICAL | {"A3", "A11"})):
        matrix = match(
            [read(reader, f"D{place}", typing) for place, typing in enumerate(donors)],
            [read(reader, f"R{place}", {**typing, "KIR": None}) for place, typing in enumerate(recipients)],
            "receptor_ligand",
            reference="r",
        )
        for row, taker in enumerate(recipients):
            for column, giver in enumerate(donors):
                found = matrix.pair(row, column).verdicts
                for rule in RULES:
                    of_c = CLASSICAL if rule == "hla_c_group_mismatch_gvh" else considered
                    slow = slow_cw(giver, taker) if rule == "hla_cw_allele" else slow_verdict(rule, giver, taker, of_c)
                    assert found[rule] == slow, (rule, giver, taker)


@settings(max_examples=100)
@given(typings, typings)
def test_sets_of_a_pair_hold_in_every_reading(donor: Typing, recipient: Typing) -> None:
    pair = match(
        [read(WITH_A3, "D", donor)], [read(WITH_A3, "R", {**recipient, "KIR": None})], "educated", reference="r"
    ).pair(0, 0)
    everything = CLASSICAL | {"A3", "A11"}
    given_ = set().union(*(shown(named, "ABC", everything) for named, _ in settled({**donor, "KIR": None})))
    taken = set().union(*(shown(named, "ABC", everything) for named, _ in settled({**recipient, "KIR": None})))
    missing = {one for one in CLASSICAL if all(one not in other for other in taken)}
    gvh = {
        one
        for one in everything
        if all(one in mine for mine in given_)
        and all(not other & ({"A3", "A11"} if one in ("A3", "A11") else {one}) for other in taken)
    }
    assert set(pair.missing_ligand) == missing
    assert set(pair.gvh) == gvh


@st.composite
def vague_and_settled(draw: st.DrawFn) -> tuple[Typing, Typing]:
    """A typing, and the same with more known."""
    vague = draw(typings)
    more: Typing = {}
    for locus in "ABC":
        more[locus] = tuple(
            (draw(st.sampled_from(copy or sorted(SHOWN[locus]))),) if draw(st.booleans()) else copy
            for copy in vague[locus]
        )
    kir = vague["KIR"] or dict.fromkeys(READS, "POS|NEG")
    known = {
        gene: draw(st.sampled_from(said.split("|"))) if draw(st.booleans()) else said for gene, said in kir.items()
    }
    more["KIR"] = known if vague["KIR"] is not None or draw(st.booleans()) else None
    return vague, more


@settings(max_examples=200)
@given(vague_and_settled(), vague_and_settled())
def test_knowledge_never_turns_a_verdict(donor: tuple[Typing, Typing], recipient: tuple[Typing, Typing]) -> None:
    vague, more = (
        match(
            [read(WITH_A3, "D", donor[place])],
            [read(WITH_A3, "R", {**recipient[place], "KIR": None})],
            "educated",
            reference="r",
        )
        .pair(0, 0)
        .verdicts
        for place in (0, 1)
    )
    for rule, verdict in vague.items():
        if verdict in ("mismatch", "match"):
            assert more[rule] == verdict, rule


A3_OR_A11 = {
    "one": {"A": (("A*03:01",), ("A*01:01",)), "B": (("B*07:02",),) * 2, "C": (("C*07:01",),) * 2, "KIR": None},
    "open": {
        "A": (("A*01:01", "A*11:01"), ("A*01:01",)), "B": (("B*07:02",),) * 2, "C": (("C*07:01",),) * 2, "KIR": None,
    },
}  # fmt: skip


@settings(max_examples=150)
@given(typings, typings, st.sampled_from(sorted(RULES)))
@example(A3_OR_A11["one"], A3_OR_A11["open"], "ligand_ligand_gvh")
@example(A3_OR_A11["open"], A3_OR_A11["one"], "ligand_ligand_hvg")
def test_what_leaves_a_verdict_open_is_always_named(donor: Typing, recipient: Typing, rule: str) -> None:
    taker = read(WITH_A3, "R", {**recipient, "KIR": None})
    pair = match([read(WITH_A3, "D", donor)], [taker], rule, reference="r").pair(0, 0)
    cause = pair.explanation.partition("Not settled by the typing (")[2].partition(")")[0]
    assert bool(cause) == (pair.verdict in ("ambiguous", "not-evaluable"))
    assert (pair.verdict == "not-evaluable") <= ("typed" in cause)
    assert (pair.verdict == "ambiguous") <= ("ambiguous" in cause or "not known" in cause)


@given(st.lists(typings, min_size=2, max_size=6), typings, st.randoms())
def test_order_of_donors_does_not_matter(donors: list[Typing], recipient: Typing, random: Any) -> None:
    people = [read(READER, f"D{place}", typing) for place, typing in enumerate(donors)]
    taker = read(READER, "R", {**recipient, "KIR": None})
    shuffled = random.sample(people, len(people))
    first, second = (list(match(side, [taker], "educated", reference="r").pairs()) for side in (people, shuffled))
    assert first == second


two = st.integers(1, 99).map(lambda number: f"{number:02}")
fields = two | st.integers(100, 1999).map(str)


@given(st.sampled_from("ABC"), two, st.lists(fields, min_size=1, max_size=3), st.sampled_from(["", *"NLSCAQ"]))
def test_name_of_an_allele_is_read_back(locus: str, family: str, others: list[str], suffix: str) -> None:
    name = f"{locus}*{':'.join([family, *others])}{suffix}"
    allele = parse_allele(name)
    assert allele.name == name
    assert parse_allele(f"hla-{name.lower()}") == allele
    assert parse_allele(name.partition("*")[2], locus) == allele


# People who differ in little: by which locus, or how, the same ligands are left open.
ALIKE = {"A": [(), ("A*01:01",), ("A*01:01", "A*24:02")], "B": [(), ("B*07:02",), ("B*07:02", "B*44:02")]}
alike = st.fixed_dictionaries(
    {
        **{locus: st.tuples(st.just(some[1]), st.sampled_from(some)) for locus, some in ALIKE.items()},
        "C": st.just((("C*07:01",), ("C*01:02",))),
        "KIR": st.sampled_from([None, dict.fromkeys(READS, "POS"), dict.fromkeys(READS, "NEG")]),
    }
)
CROWD = [
    {"A": (ALIKE["A"][1], a), "B": (ALIKE["B"][1], b), "C": (("C*07:01",), ("C*01:02",)), "KIR": kir}
    for a in ALIKE["A"]
    for b in ALIKE["B"]
    for kir in (None, dict.fromkeys(READS, "POS"))
]


@settings(max_examples=60)
@example(CROWD, CROWD, "ligand_ligand_gvh", False)
@example(CROWD, CROWD, "hla_cw_allele", True)
@given(
    st.lists(typings | alike, min_size=2, max_size=14),
    st.lists(typings | alike, min_size=1, max_size=5),
    st.sampled_from(sorted(RULES)),
    st.booleans(),
)
def test_every_row_of_the_table_is_its_pair(
    donors: list[Typing], recipients: list[Typing], rule: str, with_a3: bool
) -> None:
    """The table makes the text of people who are alike once: each row is what the pair says by itself."""
    reader = WITH_A3 if with_a3 else READER
    matrix = match(
        [read(reader, f"D,{place}", typing) for place, typing in enumerate(donors * 2)],
        [
            read(reader, f"=R{place}", {**typing, "KIR": None})
            for place, typing in enumerate([*recipients, *recipients])
        ],
        rule,
        reference='IPD "r"',
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.csv"
        write_matrix(matrix, path)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    slow = [{name: safe_cell(cell) for name, cell in as_cells(pair).items()} for pair in matrix.pairs()]
    assert rows == slow
