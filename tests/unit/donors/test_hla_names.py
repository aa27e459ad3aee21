"""Names of HLA alleles of every age and resolution; what is no name is refused with the nearest one."""

import pytest

from equipoise.donors import BadName, HlaAllele, parse_allele
from equipoise.donors.hla_names import Designation, parse_designation

NAMES = [
    # text, column, kind, allele or families or code
    ("C*07:02", None, "allele", "C*07:02"),
    ("HLA-C*07:02", None, "allele", "C*07:02"),
    ("hla-c*07:02", "C", "allele", "C*07:02"),
    (" C * 07:02 ", "C", "allele", "C*07:02"),
    ("07:02", "C", "allele", "C*07:02"),
    ("C07:02", "C", "allele", "C*07:02"),
    ("C*07:02:01:03N", None, "allele", "C*07:02:01:03N"),
    ("C*07:02:01", None, "allele", "C*07:02:01"),
    ("A*02:101", None, "allele", "A*02:101"),
    ("B*44:02:01:02S", None, "allele", "B*44:02:01:02S"),
    ("A*24:02:01:02L", None, "allele", "A*24:02:01:02L"),
    ("B*15:377Q", None, "allele", "B*15:377Q"),
    ("A*01:01:38L", None, "allele", "A*01:01:38L"),
    ("Cw*0702", None, "allele", "C*07:02"),
    ("Cw*07020103N", None, "allele", "C*07:02:01:03N"),
    ("cw0702", None, "allele", "C*07:02"),
    ("A0201", None, "allele", "A*02:01"),
    ("0201", "A", "allele", "A*02:01"),
    ("A*0101", None, "allele", "A*01:01"),
    ("C*07:02", None, "allele", "C*07:02"),
    ("C*07:02P", None, "p-group", "C*07:02"),
    ("C*07:02:01G", None, "g-group", "C*07:02:01"),
    ("A*02:01:01G", None, "g-group", "A*02:01:01"),
    ("C*07:02g", None, "g-group", "C*07:02"),
    ("C*07", None, "family", "07"),
    ("C*07:XX", None, "family", "07"),
    ("C*07XX", None, "family", "07"),
    ("07", "C", "family", "07"),
    ("Cw7", None, "family", "07"),
    ("HLA-Cw7", None, "family", "07"),
    ("Cw1", None, "family", "01"),
    ("Cw9", None, "family", "03"),
    ("Cw10", None, "family", "03"),
    ("B46", None, "family", "46"),
    ("B17", None, "family", "57 58"),
    ("B62", None, "family", "15"),
    ("B5", None, "family", "51 52"),
    ("A9", None, "family", "23 24"),
    ("A2403", None, "family", "24"),
    ("B5102", None, "family", "51"),
    ("C*07:AB", None, "code", "AB"),
    ("C*07AB", None, "code", "AB"),
]


@pytest.mark.parametrize(("text", "column", "kind", "means"), NAMES)
def test_name_is_read(text: str, column: str | None, kind: str, means: str) -> None:
    found = parse_designation(text, column)
    said = found.allele.name if found.allele else found.code or " ".join(found.families)
    assert (found.kind, said, found.text) == (kind, means, text)


def test_letters_and_digits_of_full_width_are_the_plain_ones() -> None:
    wide = "\uff23\uff0a\uff10\uff17\uff1a\uff10\uff12"
    assert parse_designation(wide) == Designation(wide, "C", "allele", HlaAllele("C", ("07", "02")))


NO_NAME = "is not the name of an HLA allele"
WRITE = "write it as locus, star and fields, such as C*07:02, or leave it empty when it was not typed"
EPITOPE = "is an epitope that several alleles carry, not an allele; give the alleles"
REFUSED = [
    ("C*7:2", None, f"HLA = C*7:2: {NO_NAME}; did you mean C*07:02?"),
    ("C*07:1", "C", f"HLA-C = C*07:1: {NO_NAME}; did you mean C*07:01?"),
    ("C*07;02", "C", f"HLA-C = C*07;02: {NO_NAME}; did you mean C*07:02?"),
    ("C*07:02Z", "C", f"HLA-C = C*07:02Z: {NO_NAME}; did you mean C*07:02?"),
    ("C*7", "C", f"HLA-C = C*7: {NO_NAME}; did you mean C*07?"),
    ("7", "C", f"HLA-C = 7: {NO_NAME}; did you mean C*07?"),
    ("C*007:02", "C", f"HLA-C = C*007:02: {NO_NAME}; did you mean C*07:02?"),
    ("C*07:99999", "C", f"HLA-C = C*07:99999: {NO_NAME}; {WRITE}"),
    ("C*07:0", "C", f"HLA-C = C*07:0: {NO_NAME}; {WRITE}"),
    ("C*07:002", "C", f"HLA-C = C*07:002: {NO_NAME}; did you mean C*07:02?"),
    ("hello", "C", f"HLA-C = hello: {NO_NAME}; {WRITE}"),
    ("C*", "C", f"HLA-C = C*: {NO_NAME}; {WRITE}"),
    ("C*07:02:01:03:04", "C", f"HLA-C = C*07:02:01:03:04: {NO_NAME}; {WRITE}"),
    ("\u0660\u0667:\u0660\u0662", "C", f"HLA-C = \u0660\u0667:\u0660\u0662: {NO_NAME}; {WRITE}"),
    ("07:02", None, "HLA = 07:02: does not say its locus; write it as A*, B* or C*, such as C*07:02"),
    ("C*07:02", "B", "HLA-B = C*07:02: is a name of HLA-C; move it to the column of HLA-C"),
    ("DRB1*15:01", "C", "HLA-C = DRB1*15:01: is a name of HLA-DRB1; give alleles of HLA-A, -B and -C"),
    ("Bw4", "B", f"HLA-B = Bw4: {EPITOPE}"),
    ("HLA-Bw6", None, f"HLA = HLA-Bw6: {EPITOPE}"),
    ("Bw4-80I", "B", f"HLA-B = Bw4-80I: {EPITOPE}"),
    (
        "A*02101",
        "A",
        "HLA-A = A*02101: could be read with its digits divided in more than one way; "
        "write it with colons, such as A*02:101",
    ),
    (
        "A*0210102",
        "A",
        "HLA-A = A*0210102: could be read with its digits divided in more than one way; "
        "write it with colons between its fields",
    ),
    (
        "B*9501",
        "B",
        "HLA-B = B*9501: is of a family that became part of B*15 in 2010; look up its name today, B*15:1..",
    ),
]


@pytest.mark.parametrize(("text", "column", "said"), REFUSED)
def test_what_is_no_name_is_refused(text: str, column: str | None, said: str) -> None:
    with pytest.raises(BadName) as refused:
        parse_designation(text, column)
    assert str(refused.value) == said


def test_a_family_is_not_one_allele() -> None:
    with pytest.raises(BadName) as refused:
        parse_allele("Cw7")
    assert str(refused.value) == "HLA-C = Cw7: does not name one allele; give two fields, such as C*07:02"


def test_protein_and_family_of_an_allele() -> None:
    allele = parse_allele("C*07:02:01:03N")
    assert (allele.protein, allele.family, allele.suffix) == ("C*07:02", "07", "N")


@pytest.mark.parametrize("wrong", [("D", ("01", "01"), ""), ("C", ("07",), ""), ("C", ("07", "02"), "Z")])
def test_an_allele_cannot_be_built_wrong(wrong: tuple[str, tuple[str, ...], str]) -> None:
    with pytest.raises(AssertionError):
        HlaAllele(*wrong)
