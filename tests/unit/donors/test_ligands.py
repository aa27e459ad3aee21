"""What a person shows: every reading that the typing leaves open."""

from collections.abc import Mapping

import pytest

from equipoise.donors import LigandReadings, builtin_reference, ligands_of
from equipoise.donors.ligands import considered_ligands
from equipoise.refusals import Refusal

REFERENCE = builtin_reference()
PLAIN_A = ("A*01:01", "A*02:01")
PLAIN_B = ("B*07:02", "B*08:01")
PLAIN_C = ("C*07:01", "C*07:01")


def read(**cells: tuple[str, str]) -> LigandReadings:
    return ligands_of({"A": PLAIN_A, "B": PLAIN_B, "C": PLAIN_C, **cells}, REFERENCE)


def as_text(readings: LigandReadings) -> set[str]:
    return {" ".join(name for name in readings.considered if name in reading) for reading in readings.readings}


@pytest.mark.parametrize(
    ("cells", "readings"),
    [
        ({}, {"C1"}),
        ({"C": ("C*07:01", "C*05:01")}, {"C1 C2"}),
        ({"C": ("C*06:02", "C*06:02")}, {"C2"}),
        ({"B": ("B*07:02", "B*44:02")}, {"C1 Bw4"}),
        ({"B": ("B*46:01", "B*07:02"), "C": ("C*04:01", "C*05:01")}, {"C1 C2"}),
        ({"A": ("A*24:02", "A*01:01")}, {"C1 Bw4"}),
        ({"A": ("A*24:09N", "A*01:01")}, {"C1"}),
        ({"C": ("C*04:09N", "C*07:01")}, {"C1"}),
        ({"C": ("C*04:09N", "C*04:09N")}, {""}),
        ({"C": ("Cw7", "C*05:01")}, {"C1 C2", "C2"}),
        ({"C": ("C*07:01/C*07:07", "C*07:01")}, {"C1", "C1 C2"}),
        ({"C": ("C*07:01+C*05:01|C*07:02+C*07:01", "")}, {"C1 C2", "C1"}),
    ],
)
def test_readings(cells: Mapping[str, tuple[str, str]], readings: set[str]) -> None:
    assert as_text(read(**cells)) == readings


def test_homozygous_must_be_entered_twice() -> None:
    twice, once = read(C=("C*06:02", "C*06:02")), read(C=("C*06:02", ""))
    assert (as_text(twice), twice.missing_loci, twice.warnings) == ({"C2"}, (), ())
    assert (as_text(once), once.missing_loci, once.ambiguous_loci) == ({"C2", "C1 C2"}, ("C",), ())
    assert once.warnings == ("HLA-C: one allele is not typed; it is not taken for a second copy of the other",)


@pytest.mark.parametrize("mark", ["-", "X", "blank"])
def test_a_mark_in_the_second_column_is_not_homozygous(mark: str) -> None:
    found = read(C=("C*06:02", mark))
    assert as_text(found) == {"C2", "C1 C2"}
    assert f"HLA-C: '{mark}' is taken as not typed, not as a second copy of the first" in found.warnings


@pytest.mark.parametrize(
    ("locus", "possible"),
    [("A", {"C1", "C1 Bw4"}), ("B", {"C1", "C1 Bw4"}), ("C", {"", "C1", "C2", "C1 C2"})],
)
def test_a_locus_that_was_not_typed_may_show_anything(locus: str, possible: set[str]) -> None:
    found = read(**{locus: ("", "")})
    assert as_text(found) == possible - {""}
    assert found.missing_loci == (locus,)


def test_an_untyped_hla_b_may_carry_the_c1_epitope() -> None:
    found = read(B=("B*07:02", ""), C=("C*05:01", "C*06:02"))
    assert as_text(found) == {"C2", "C1 C2", "C2 Bw4"}


def test_choices_keep_what_is_ambiguous_apart_from_what_is_missing() -> None:
    ambiguous, missing = read(C=("C*07:01/C*07:07", "C*07:01")), read(C=("C*07:01", ""))
    assert ambiguous.readings == missing.readings
    assert ambiguous.choices == {frozenset({frozenset({"C1"})}), frozenset({frozenset({"C1", "C2"})})}
    assert missing.choices == {frozenset({frozenset({"C1"}), frozenset({"C1", "C2"})})}
    assert (ambiguous.ambiguous_loci, missing.ambiguous_loci) == (("C",), ())
    assert (missing.certain, missing.possible) == ({"C1"}, {"C1", "C2"})


def test_detail_keeps_input_alleles_groups_and_release() -> None:
    found = read(C=("Cw*0702/0707", "C*07"))
    detail = [copy for copy in found.detail if copy.locus == "C"]
    assert [(copy.text, copy.alleles, copy.families, copy.groups) for copy in detail] == [
        ("Cw*0702/0707", ("C*07:02", "C*07:07"), (), ("C1", "C2")),
        ("C*07", (), ("07",), ("C1", "C2", "none")),
    ]
    assert {copy.reference for copy in found.detail} == {REFERENCE.title}


def test_loci_and_a3_a11() -> None:
    hla = {"A": ("A*03:01", "A*24:02"), "B": PLAIN_B, "C": PLAIN_C}
    assert as_text(ligands_of(hla, REFERENCE)) == {"C1 Bw4"}
    assert as_text(ligands_of(hla, REFERENCE, loci=("B", "C"))) == {"C1"}
    assert as_text(ligands_of(hla, REFERENCE, with_a3_a11=True)) == {"C1 Bw4 A3"}


@pytest.mark.parametrize(
    ("loci", "with_a3_a11", "said"),
    [
        (("D",), False, "loci = D: are not loci that show a ligand; use some of A,B,C"),
        ((), False, "loci = : are not loci that show a ligand; use some of A,B,C"),
        (("B", "B", "C"), False, "loci = B,B,C: name a locus twice; name each once"),
        (("B", "C"), True, "loci = B,C: lack HLA-A, which A3 and A11 are of; add A, or leave A3 and A11 out"),
    ],
)
def test_loci_that_cannot_be(loci: tuple[str, ...], with_a3_a11: bool, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        considered_ligands(loci, with_a3_a11=with_a3_a11)
    assert str(refused.value) == said
