"""Ligand groups: the published facts and exceptions, and what must be said beside them."""

import pytest

from equipoise.donors import builtin_reference, group_77_80, ligand_group, parse_typing
from equipoise.donors.ligands import copy_groups

REFERENCE = builtin_reference()

# IPD-KIR ligand pages; per allele from IPD-IMGT/HLA 3.58.0. Those that the short list holds.
SETTLED = {
    "C1": "C*01:02 C*03:03 C*03:04 C*07:01 C*07:02 C*08:01 C*12:02 C*12:03 C*14:02 C*16:01 C*14:04 C*15:07",
    "C2": "C*02:02 C*04:01 C*05:01 C*06:02 C*15:02 C*17:01 C*18:01 "
    "C*03:07 C*03:10 C*07:07 C*08:10 C*12:04 C*12:05 C*12:09 C*16:02",
    "Bw4-80I": "B*51:01 B*57:01 B*58:01 B*49:01 B*07:36 B*08:03 B*15:13 B*15:16 B*15:17 B*15:23 B*15:24 B*40:13 "
    "B*40:19 A*23:01 A*24:02 A*25:01 A*32:01",
    "Bw4-80T": "B*44:02 B*44:03 B*27:05 B*37:01 B*08:02 B*13:01 B*13:02",
    "Bw6": "B*07:02 B*08:01 B*35:01 B*15:01 B*27:08 B*27:12 B*44:09 B*47:02 B*47:03",
    "none": "A*01:01 A*02:01 A*26:01 A*24:04",
    "A3": "A*03:01 A*03:02",
    "A11": "A*11:01 A*11:02",
    "null": "C*04:09N A*24:09N",
}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in SETTLED for name in SETTLED[group].split()])
def test_group_of_a_common_allele(group: str, name: str) -> None:
    groups, _ = copy_groups(parse_typing(name, name[0]), REFERENCE)
    assert groups == {group}


@pytest.mark.parametrize(
    ("locus", "family", "residues", "group", "by_two"),
    [
        ("C", "07", "VSVSNLRG", "C1", "C1"),  # C*07:63 is V76 S77 N80 too
        ("C", "14", "VNLRNLRG", "C1", "C1"),  # residue 80 decides where 77 says otherwise
        ("C", "03", "VSLRKLRG", "C2", "C2"),
        ("C", "07", "VSLRDLRG", "unclassified", "unclassified"),
        ("B", "46", "VSLRNLRG", "C1", "Bw6"),
        ("B", "73", "VSLRNLRG", "C1", "Bw6"),
        ("B", "46", "ESLRNLRG", "Bw6", "Bw6"),
        ("B", "56", "VSLRNLRG", "Bw6", "Bw6"),
        ("B", "57", "ENMRIALR", "Bw4-80I", "Bw4-80I"),
        ("B", "44", "ENLRTALR", "Bw4-80T", "Bw4-80T"),
        ("B", "37", "EDLRTLLR", "Bw4-80T", "Bw4-80T"),
        ("B", "15", "ESLRIALR", "Bw4-80I", "unclassified"),
        ("B", "15", "ESLRTLLR", "Bw4-80T", "Bw4-80T"),
        ("B", "07", "EGLRNLRG", "Bw6", "Bw6"),
        ("B", "44", "ENLRTLRG", "unclassified", "Bw4-80T"),  # without arginine 83
        ("B", "35", "ENLRNLRG", "unclassified", "unclassified"),
        ("A", "24", "ENLRIALR", "Bw4-80I", None),
        ("A", "02", "ENLRTALR", "Bw4-80T", None),
        ("A", "03", "ENLRIALR", "Bw4-80I", None),
        ("A", "03", "VDLGTLRG", "A3", None),
        ("A", "11", "VDLGTLRG", "A11", None),
        ("A", "01", "ANLGTLRG", "none", None),
        ("A", "01", "", "unclassified", None),
        ("B", "07", "", "unclassified", "unclassified"),
        ("C", "07", "", "unclassified", "unclassified"),
    ],
)
def test_rule_of_residues(locus: str, family: str, residues: str, group: str, by_two: str | None) -> None:
    assert ligand_group(locus, family, residues) == group
    assert group_77_80(locus, residues) == by_two


REMARKS = {
    "B*13:01": "Bw4 by sequence, but did not protect targets from KIR3DL1 natural killer cells (Foley 2008)",
    "B*13:02": "Bw4 by sequence, but did not protect targets from KIR3DL1 natural killer cells (Foley 2008)",
    "A*23:01": "ligand of KIR3DL1, but weak in one of two studies (Foley 2008; Stern 2008)",
    "A*25:01": "Bw4 by sequence, but reported as a weak ligand of KIR3DL1 or none (Foley 2008; Stern 2008)",
    "B*46:01": "carries the C1 epitope on HLA-B, by serology Bw6; the rule of residues 77 and 80 alone does not see it",
    "A*11:01": "ligand of KIR3DL2 by its family; binding depends on the peptide",
    "B*35:27": "its residues fit no rule, so its ligand is not known",
    "C*04:09N": "not expressed, shows no ligand",
    "A*24:02:01:02L": "suffix L, expression uncertain; classified by its sequence",
    "C*07:02": "some of its longer forms are not expressed; counted as expressed",
}


@pytest.mark.parametrize("name", REMARKS)
def test_what_is_said_beside_a_group(name: str) -> None:
    _, warnings = copy_groups(parse_typing(name, name[0]), REFERENCE)
    assert warnings == (f"{name}: {REMARKS[name]}",)


@pytest.mark.parametrize("name", ["C*07:02N", "C*99:01N", "A*24:02:01N", "C*04:01N"])
def test_a_null_allele_that_is_not_known_is_taken_at_its_suffix_and_that_is_said(name: str) -> None:
    found, warnings = copy_groups(parse_typing(name, name[0]), REFERENCE)
    assert found == {"null"}
    assert warnings == (
        f"{name}: not expressed, shows no ligand",
        f"{name}: is not in {REFERENCE.title}, so only its suffix says that it is not expressed",
    )


@pytest.mark.parametrize(
    "name", ["C*04:09N", "A*24:09N", "C*04:09:01N", "B*07:02:01N"]
)  # some long form of B*07:02 is null
def test_a_null_allele_that_is_known_needs_no_more_words(name: str) -> None:
    _, warnings = copy_groups(parse_typing(name, name[0]), REFERENCE)
    assert warnings == (f"{name}: not expressed, shows no ligand",)


@pytest.mark.parametrize("name", ["C*07:01", "B*07:02", "A*01:01", "C*07:02:01:01"])
def test_nothing_is_said_where_nothing_must_be(name: str) -> None:
    _, warnings = copy_groups(parse_typing(name, name[0]), REFERENCE)
    assert warnings == ()


def test_remarks_on_a3_are_left_out_where_it_does_not_count() -> None:
    _, warnings = copy_groups(parse_typing("A*03:01", "A"), REFERENCE, frozenset({"C1", "C2", "Bw4"}))
    assert warnings == ()


BUILD = "build a reference with `equipoise hla build` to know"
OPEN = [
    # text, groups that it may be of, what is said
    ("B*35:27", {"Bw4-80I", "Bw6"}, "B*35:27: its residues fit no rule, so its ligand is not known"),
    ("Cw7", {"C1", "C2", "none"}, "Cw7: low resolution, the family has alleles of C1, C2, unclassified"),
    ("C*02", {"C1", "C2"}, "C*02: low resolution, the family has alleles of C1, C2"),
    (
        "C*02:03",
        {"C1", "C2"},
        f"C*02:03: is not among the common alleles; its family has alleles of C1, C2; {BUILD}",
    ),
    ("C*99", {"C1", "C2", "none"}, f"C*99: is a family that {REFERENCE.title} does not hold"),
    ("C*99:01", {"C1", "C2", "none"}, f"C*99:01: is not in {REFERENCE.title}"),
]


@pytest.mark.parametrize(("text", "groups", "said"), OPEN)
def test_what_is_not_settled_stays_open(text: str, groups: set[str], said: str) -> None:
    found, warnings = copy_groups(parse_typing(text, text[0]), REFERENCE)
    assert found == groups
    assert warnings == (said,)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("C*07:01/C*07:02", {"C1"}),
        ("C*07:02/C*07:07", {"C1", "C2"}),
        ("C*04:01/C*04:09N", {"C2", "null"}),
        ("B*07:02/B*07:36", {"Bw6", "Bw4-80I"}),
        ("A30", {"none"}),
        ("C*07:02:01G", {"C1"}),
        ("C*04:01P", {"C2"}),
    ],
)
def test_list_is_of_every_group_that_a_member_is_of(text: str, groups: set[str]) -> None:
    found, _ = copy_groups(parse_typing(text, text[0]), REFERENCE)
    assert found == groups
