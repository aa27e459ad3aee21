"""What a cell of a typing report may stand for: lists, genotypes, codes, and what was not typed."""

from pathlib import Path

import pytest

from equipoise.donors import MacCodes, parse_typing, read_mac_codes
from equipoise.donors.hla_typing import HlaTyping, parse_locus
from equipoise.refusals import Refusal

CODES = MacCodes({"AB": ("01", "02"), "ZZZ": ("01:01", "02:02")}, "codes.txt")


def names(copy: HlaTyping) -> list[str]:
    return [allele.name for allele in copy.alleles] + [f"{copy.locus}*{family}" for family in copy.families]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("C*07:02/C*07:04", ["C*07:02", "C*07:04"]),
        ("C*07:02/07:04", ["C*07:02", "C*07:04"]),
        ("C*07:02/04", ["C*07:02", "C*07:04"]),
        ("C*07:02/04N", ["C*07:02", "C*07:04N"]),
        ("C*07:02 / C*06:02 / C*07:02", ["C*07:02", "C*06:02"]),
        ("Cw*0702/0704", ["C*07:02", "C*07:04"]),
        ("Cw*0702/1203", ["C*07:02", "C*12:03"]),
        ("B*15:01/101", ["B*15:01", "B*15:101"]),
        ("C*07:AB", ["C*07:01", "C*07:02"]),
        ("C*02:ZZZ", ["C*01:01", "C*02:02"]),
        ("C*07:AB/C*06:02", ["C*06:02", "C*07:01", "C*07:02"]),
        ("Cw7/Cw9", ["C*07", "C*03"]),
        ("C*07:02P", ["C*07:02"]),
    ],
)
def test_list_is_kept_whole(text: str, means: list[str]) -> None:
    locus = "B" if text[0] == "B" else "C"
    assert sorted(names(parse_typing(text, locus, mac=CODES))) == sorted(means)


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_cell_is_not_typed(text: str) -> None:
    copy = parse_typing(text, "C")
    assert not copy.typed
    assert copy.warnings == ()


@pytest.mark.parametrize("text", ["-", "--", "\N{EN DASH}", "X", "blank", "NA", "n/a", "NT", "unknown", "."])
def test_a_mark_for_nothing_is_not_typed_and_said(text: str) -> None:
    copy = parse_typing(text, "C")
    assert not copy.typed
    assert copy.warnings == (f"HLA-C: '{text}' is taken as not typed, not as a second copy of the first",)


@pytest.mark.parametrize("text", ["C*04:01:01G", "C*04:01g"])
def test_g_group_may_hold_null_alleles(text: str) -> None:
    said = f"{text}: a G group may hold alleles that are not expressed; counted as expressed"
    assert parse_typing(text, "C").warnings == (said,)


CUT = "a" * 79 + "…"
REFUSED = [
    (
        "C*07:AB",
        None,
        "HLA-C = C*07:AB: is a code for several alleles; name the file of codes with --mac, or list the alleles",
    ),
    (
        "C*07:QQ",
        CODES,
        "HLA-C = C*07:QQ: is a code that codes.txt does not hold; use a newer file, or list the alleles",
    ),
    (
        "C*07:ZZZ",
        CODES,
        "HLA-C = C*07:ZZZ: is a code for 01:01/02:02, none of family 07; check the name, or list the alleles",
    ),
    (
        "C*07:02:01/04",
        None,
        "HLA-C = 04: could be any field of an allele beside C*07:02:01; write each name of the list in full",
    ),
    ("C*07:02/", None, "HLA-C = C*07:02/: has an empty place in its list; take out the / that is too much"),
    (
        "C*07:02+C*07:04",
        None,
        "HLA-C = C*07:02+C*07:04: holds a whole genotype; put it in the first column alone",
    ),
    ("a" * 100_001, None, f"HLA-C = {CUT}: is too long to be a typing; check the cell"),
]


@pytest.mark.parametrize(("text", "codes", "said"), REFUSED)
def test_cell_that_cannot_be_read(text: str, codes: MacCodes | None, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_typing(text, "C", mac=codes)
    assert str(refused.value) == said


GENOTYPES = [
    ("C*07:02", "C*07:04", [("C*07:02", "C*07:04")]),
    ("C*07:02", "C*07:02", [("C*07:02", "C*07:02")]),
    ("C*07:02", "", [("C*07:02", "")]),
    ("C*07:02+C*07:04", "", [("C*07:02", "C*07:04")]),
    ("C*07:02/C*07:01+C*07:04", "-", [("C*07:02 C*07:01", "C*07:04")]),
    ("C*07:01+C*04:01|C*07:02+C*04:03", "", [("C*07:01", "C*04:01"), ("C*07:02", "C*04:03")]),
    ("A*01:01+A*02:01^B*07:02+B*08:01^C*07:01+C*04:01", "", [("C*07:01", "C*04:01")]),
    ("A*01:01~B*08:01~C*07:01+A*02:01~B*07:02~C*07:02", "", [("C*07:01", "C*07:02")]),
    ("C*07:01+", "", [("C*07:01", "")]),
    ("07:01+04:01", "", [("C*07:01", "C*04:01")]),
]


@pytest.mark.parametrize(("first", "second", "means"), GENOTYPES)
def test_genotypes_of_a_locus(first: str, second: str, means: list[tuple[str, str]]) -> None:
    found = parse_locus(first, second, "C")
    assert [tuple(" ".join(names(copy)) for copy in genotype) for genotype in found.genotypes] == means
    assert found.typed == all("" not in genotype for genotype in means)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            "C*07:02+C*07:04",
            "C*07:02",
            "HLA-C = C*07:02: stands beside a whole genotype; leave the second column empty",
        ),
        ("A*01:01+A*02:01", "", "HLA-C = A*01:01+A*02:01: holds no genotype of HLA-C; check the column"),
        ("C*07:01+C*07:02+C*07:04", "", "HLA-C = C*07:01+C*07:02+C*07:04: has 3 copies of one gene; give two"),
        (
            "C*07:01~C*07:02+C*04:01",
            "",
            "HLA-C = C*07:01~C*07:02: has two alleles of one gene on one chromosome; divide copies by +",
        ),
    ],
)
def test_genotype_that_is_none(first: str, second: str, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_locus(first, second, "C")
    assert str(refused.value) == said


def test_file_of_codes_of_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "numer.v3.txt"
    path.write_text(
        "LAST UPDATED: 01/01/26\n*\tCODE\tSUBTYPE\n\n\tAB\t01/02\n*\tBCDE\t01:01/02:02\nAC 01/03\n* BAD x/y\n"
    )
    codes = read_mac_codes(path)
    assert dict(codes.lists) == {"AB": ("01", "02"), "BCDE": ("01:01", "02:02"), "AC": ("01", "03")}
    assert codes.name == "numer.v3.txt"


@pytest.mark.parametrize("content", [b"", b"id,A_1\n1,2\n", b"\x00\xff" * 100])
def test_file_without_codes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "codes.txt"
    path.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        read_mac_codes(path)
    assert str(refused.value) == (
        f"mac = {path}: holds no code of several alleles; give the file of codes, a line each: AB, a tab, 01/02"
    )


def test_codes_cannot_be_changed_from_outside() -> None:
    lists = {"AB": ("01", "02")}
    codes = MacCodes(lists)
    lists["AB"] = ("99",)
    with pytest.raises(TypeError):
        codes.lists["AB"] = ("99",)  # type: ignore[index]
    assert names(parse_typing("C*07:AB", "C", mac=codes)) == ["C*07:01", "C*07:02"]
