"""Every allele of IPD-IMGT/HLA 3.58.0 is of the group that its residues give.

Data: ../shared/data/hla/kir_ligand_groups.csv, 16,889 two-field alleles with residues 76 to 83, group and the group by
residues 77 and 80 alone, derived from the protein sequences of release 3.58.0 by a program of its own (its README says
how); HLA-C agrees in 2,544 of 2,544 alleles with published predictions, HLA-B in 3,578 of 3,579.
The alignment is written here in the official form from these residues, around a made-up protein. No tolerance.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from equipoise.donors import Reference, builtin_reference, group_77_80, ligand_group, parse_allele
from equipoise.donors.hla_files import build_reference

TABLE = "data/hla/kir_ligand_groups.csv"
Row = dict[str, str]
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
LEADER = 24
BLOCK, GROUP, NAMES = 100, 10, 19


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    path = Path(__file__).resolve().parents[3].parent / "shared" / TABLE
    if not path.exists():
        pytest.skip(f"../shared/{TABLE} is not beside this checkout")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def residues(row: Row) -> str:
    """Residues 76 to 83; empty where the protein could not be placed."""
    found = row["residue_76"] + row["residues_77_83"]
    return found if len(found) == 8 and found.isalpha() else ""


def test_all_alleles_are_there(rows: list[Row]) -> None:
    assert len(rows) == 16_889


def test_group_of_every_allele_by_the_rules(rows: list[Row]) -> None:
    wrong = []
    for row in rows:
        allele = parse_allele(row["allele"])
        group = "null" if row["expression"] == "N" else ligand_group(allele.locus, allele.family, residues(row))
        two = "null" if row["expression"] == "N" else group_77_80(allele.locus, residues(row)) or ""
        if (group, two) != (row["group"], row["group_77_80"]):
            wrong.append((row["allele"], group, row["group"], two, row["group_77_80"]))
    assert wrong == []


def alignment(locus: str, rows: Sequence[Row]) -> str:
    """An alignment in the official form: blocks, marks over residues, the first row in letters, insertion columns."""
    before = "".join(LETTERS[place * 7 % 20] for place in range(LEADER + 75))
    after = "".join(LETTERS[place * 3 % 20] for place in range(40))
    whole = {}
    for number, row in enumerate(rows):
        known = residues(row) or "*" * 8
        leader = before[:LEADER] if number % 3 or not number else "*" * LEADER
        inserted = "...." if number % 50 or not number else ".GG."
        middle = before[LEADER:]
        whole[row["allele"]] = leader + middle[:71] + inserted + middle[71:] + known + after
    first = next(iter(whole.values()))
    lines = [f"# file: {locus}_prot.txt", "# date: 2024-10-09", "# version: IPD-IMGT/HLA 3.58.0", "#", ""]
    for start in range(0, len(first), BLOCK):
        columns = range(start, min(start + BLOCK, len(first)))
        marked = [LEADER] if start == 0 else []
        heads, bars = {NAMES: "-24" if start == 0 else "77"}, [NAMES]
        for column in marked:
            place = NAMES + column + column // GROUP
            heads[place] = "1"
            bars.append(place)
        lines.append(written({1: "Prot", **heads}))
        lines.append(written(dict.fromkeys(bars, "|")))
        for name, sequence in whole.items():
            text = [
                sequence[column] if name == rows[0]["allele"] or sequence[column] != first[column] else "-"
                for column in columns
            ]
            text = ["." if sequence[column] == "." else each for each, column in zip(text, columns, strict=True)]
            parts = ["".join(text[place : place + GROUP]) for place in range(0, len(text), GROUP)]
            lines.append(f" {name}".ljust(NAMES) + " ".join(parts) + " ")
        lines.append("")
    return "\n".join([*lines, "Please see the terms of use.", ""])


def written(words: dict[int, str]) -> str:
    line = ""
    for place, word in sorted(words.items()):
        line = line.ljust(place) + word
    return line


def as_first(rows: list[Row], locus: str) -> list[Row]:
    """The rows of a locus; the first is wholly known."""
    own = [row for row in rows if row["locus"] == locus]
    assert residues(own[0])
    return own


@pytest.fixture(scope="module")
def built(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("alignments")
    paths = []
    for locus in "ABC":
        paths.append(folder / f"{locus}_prot.txt")
        paths[-1].write_text(alignment(locus, as_first(rows, locus)), encoding="utf-8")
    return build_reference(paths)


def test_reference_built_from_alignments_holds_every_allele_with_its_group(rows: list[Row], built: Reference) -> None:
    assert (built.release, len(built.entries)) == ("IPD-IMGT/HLA 3.58.0", 16_889)
    wrong = []
    for row in rows:
        entry = built.entry(parse_allele(row["allele"]))
        if entry is None or entry.groups != (row["group"],):
            wrong.append((row["allele"], row["group"], entry))
    assert wrong == []


def test_builtin_list_and_its_families_agree_with_the_whole(built: Reference) -> None:
    short = builtin_reference()
    for name, entry in short.entries.items():
        assert entry.groups == built.entries[name].groups, name
    assert short.families is not None
    for (locus, family), groups in short.families.items():
        assert groups == built.family_groups(locus, family), (locus, family)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ("B*07:02 B*08:02", "Bw6 Bw4-80T"),
        ("B*07:02 B*07:36", "Bw6 Bw4-80I"),
        ("C*02:03 C*07:59", "C1 C2"),
        ("C*07:63", "C1"),
        ("A*24:04 A*24:19 A*24:28 A*24:44", "none"),
    ],
)
def test_checks_from_other_tools(built: Reference, names: str, groups: str) -> None:
    found = {group for name in names.split() for group in built.entries[name].groups}
    assert found == set(groups.split())
