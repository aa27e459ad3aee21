"""`equipoise donors match` and `equipoise hla`: every column on worked pairs, and tables in any state."""

import csv
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from equipoise.cli import main
from equipoise.donors import RULES, PersonReader, builtin_reference
from equipoise.exchange.matching_tables import read_people

if TYPE_CHECKING:
    from conftest import Worked

HEAD = "id,A_1,A_2,B_1,B_2,C_1,C_2,KIR"
PLAIN = "A*01:01,A*02:01,B*07:02,B*08:01,C*07:01,C*05:01"
PANEL = "2DL1 2DL3 2DS4 3DL1"
TITLE = builtin_reference().title
FILES = Path(__file__).parent / "files"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(name: str, *lines: str) -> Path:
    path = Path(name)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def people() -> None:
    """One donor and one recipient who serve."""
    written("D.csv", HEAD, f"D1,{PLAIN},{PANEL}")
    written("R.csv", HEAD.removesuffix(",KIR"), "R1,A*01:01,A*02:01,B*07:02,B*08:01,C*07:01,C*07:01")


def equipoise(*arguments: str) -> int:
    """Run the command, and give the exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def matched(*options: str, rule: str = "educated") -> int:
    tables = ("--donors", "D.csv", "--recipients", "R.csv")
    return equipoise("donors", "match", *tables, "--rule", rule, "--out", "M.csv", *options)


def rows() -> list[dict[str, str]]:
    with Path("M.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_worked_pair_in_every_column(worked: "Worked") -> None:
    for name, code, hla, kir in (
        ("D.csv", worked.name, worked.donor_hla, worked.kir),
        ("R.csv", "R1", worked.recipient_hla, ""),
    ):
        cells = [cell for pair in hla.values() for cell in pair]
        written(name, HEAD, ",".join([f'"{code}"', *cells, kir]))
    options = ["--with-a3-a11"] if worked.with_a3_a11 else []
    assert matched(*options, rule="receptor-ligand") == 0
    (row,) = rows()
    assert {
        name: row[name]
        for name in (
            "recipient", "donor", "rank", "rule", "verdict", "gvh", "hvg", "receptor_ligand", "missing_ligand",
            "educated", "reference",
        )
    } == {
        "recipient": "R1",
        "donor": worked.name,
        "rank": "1",
        "rule": "receptor_ligand",
        "verdict": "mismatch" if worked.receptor_ligand else "match",
        "gvh": worked.gvh,
        "hvg": worked.hvg,
        "receptor_ligand": worked.receptor_ligand,
        "missing_ligand": worked.missing,
        "educated": worked.educated,
        "reference": TITLE,
    }  # fmt: skip
    assert row["explanation"].endswith(".")
    others = dict(part.split("=") for part in row["other_rules"].split())
    assert others.keys() == RULES.keys() - {"receptor_ligand"}
    assert others["ligand_ligand_gvh"] == ("mismatch" if worked.gvh else "match")


@pytest.mark.usefixtures("people")
def test_one_row_whole_and_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert matched() == 0
    assert rows() == [
        {
            "recipient": "R1",
            "donor": "D1",
            "rank": "1",
            "rule": "educated",
            "verdict": "mismatch",
            "missing_ligands": "C2",
            "gvh": "C2",
            "hvg": "",
            "receptor_ligand": "2DL1 3DL1",
            "missing_ligand": "C2 Bw4",
            "educated": "2DL1",
            "b_content": "Neutral",
            "explanation": "Donor has KIR2DL1, and the recipient shows no ligand of it (C2), while the donor does: "
            "donor shows C1 and C2; recipient shows C1.",
            "warnings": "",
            "direction": "gvh",
            "haplotype": "AA",
            "centromeric": "A/A",
            "telomeric": "A/A",
            "donor_ligands": "C1 C2",
            "recipient_ligands": "C1",
            "other_rules": "ligand_ligand_gvh=mismatch ligand_ligand_hvg=match receptor_ligand=mismatch "
            "receptor_ligand_c=mismatch missing_ligand=mismatch hla_c_group_mismatch_gvh=mismatch "
            "hla_cw_allele=mismatch",
            "reference": TITLE,
        }
    ]
    assert capsys.readouterr().out == (
        f"Wrote M.csv: 1 donor by 1 recipient, rule educated: {RULES['educated']}\n"
        "1 mismatch, 0 ambiguous, 0 not-evaluable, 0 match\n"
        "recipient  best donor  verdict   on  B-content\n"
        "R1         D1          mismatch  C2  Neutral\n"
        f"Ligands by {TITLE}\n"
    )


@pytest.mark.usefixtures("people")
def test_whom_no_donor_can_serve_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    written("R.csv", HEAD, f"R1,{PLAIN},", "R2,A*01:01,A*02:01,B*07:02,B*08:01,C*07:01,Cw7,")
    assert matched(rule="hla-c-group-mismatch-gvh") == 0
    said = capsys.readouterr().out
    assert "R1         none        match\n" in said
    assert "No donor is a mismatch for 2 of 2 recipients: R1, R2\nMore typing may yet find one for: R2\n" in said
    assert "Warnings about the typing of 1 code: see the column warnings\n" in said


@pytest.mark.usefixtures("people")
def test_json_holds_the_pairs_and_whom_nobody_serves(capsys: pytest.CaptureFixture[str]) -> None:
    assert matched("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"] == rows()
    assert {name: found[name] for name in ("rule", "unserved", "may_be_served", "reference", "counts")} == {
        "rule": "educated",
        "unserved": [],
        "may_be_served": [],
        "reference": TITLE,
        "counts": {"mismatch": 1, "ambiguous": 0, "not-evaluable": 0, "match": 0},
    }


def test_help_names_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert equipoise("donors", "match", "--help") == 0
    said = capsys.readouterr().out
    listed = [line.split()[0] for line in said.partition("The rules")[2].splitlines()[1:] if line.strip()]
    assert listed == [rule.replace("_", "-") for rule in RULES]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\nD1,{PLAIN},{PANEL}\n",
        f"\ufeff{HEAD}\nD1,{PLAIN},{PANEL}\n",
        f"{HEAD}\nD1,{PLAIN},{PANEL}\n".replace("\n", "\r\n"),
        f"{HEAD}\nD1,{PLAIN},{PANEL}\n".replace(",", ";"),
        f"{HEAD}\nD1,{PLAIN},{PANEL}\n".replace(",", "\t"),
        f"\n{HEAD}\n\n,,,,,,,\nD1,{PLAIN},{PANEL}\n\n",
        f'{HEAD}\n"D1",{PLAIN},"2DL1,2DL3,2DS4,3DL1"\n',
        f"{HEAD},note\n D1 ,{PLAIN},{PANEL},seen\n",
        f"KIR,{HEAD.removesuffix(',KIR')}\n{PANEL},D1,{PLAIN}\n",
        f"{HEAD}\nD1,{PLAIN},{PANEL}",
    ],
    ids=["plain", "mark", "crlf", "semicolons", "tabs", "blank lines", "quotes", "more columns", "order", "no end"],
)
@pytest.mark.usefixtures("people")
def test_table_in_any_dress_is_the_same_table(text: str) -> None:
    assert matched() == 0
    plain = rows()
    Path("D.csv").write_bytes(text.encode())
    assert matched() == 0
    assert rows() == plain


@pytest.mark.usefixtures("people")
def test_code_like_a_formula_cannot_calculate() -> None:
    written("D.csv", HEAD, f"=1+1,{PLAIN},{PANEL}")
    assert matched() == 0
    assert rows()[0]["donor"] == "'=1+1"


@pytest.mark.usefixtures("people")
def test_code_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    written("R.csv", HEAD, f"R\x1b[2J\u202e,{PLAIN},")
    assert matched() == 0
    said = capsys.readouterr().out
    assert "R\\x1b[2J\\u202e" in said
    assert "\x1b" not in said
    assert rows()[0]["recipient"] == "R\x1b[2J\u202e"


NO_NAME = "is not the name of an HLA allele"
TABLES = [
    (
        "id,A_1,A_2\nD1,a,b\n",
        "D.csv:1: B_1: is not a column of the file; add it; columns found: id, A_1, A_2\n"
        "D.csv:1: B_2: is not a column of the file; add it; columns found: id, A_1, A_2\n"
        "D.csv:1: C_1: is not a column of the file; add it; columns found: id, A_1, A_2\n"
        "D.csv:1: C_2: is not a column of the file; add it; columns found: id, A_1, A_2\n"
        "D.csv:1: KIR: is not a column of the file; add it; columns found: id, A_1, A_2",
    ),
    (
        f"{HEAD.replace('KIR', 'kir').replace('A_1', 'A1')}\nD1,{PLAIN},{PANEL}\n",
        "D.csv:1: A_1: is not a column of the file; rename column A1\n"
        "D.csv:1: KIR: is not a column of the file; rename column kir",
    ),
    (
        f"{HEAD},A_1\nD1,{PLAIN},{PANEL},A*01:01\n",
        "D.csv:1: A_1: is the name of 2 columns; give each column its own name",
    ),
    (
        f"{HEAD}\nD1,{PLAIN},{PANEL}\nD1,{PLAIN},{PANEL}\n,{PLAIN},{PANEL}\n",
        "D.csv:3: id = D1: stands on line 2 already; give each row its own code\n"
        "D.csv:4: id: is empty; give each row its own code",
    ),
    (
        f"{HEAD}\nD1,A*1:1,A*02:01,B*07:02,Bw4,C*07:01,C*07:AB,2DL9\nD2,,,,C*07:01,,,\n",
        f"D.csv:2: A_1 = A*1:1: {NO_NAME}; did you mean A*01:01?\n"
        "D.csv:2: B_2 = Bw4: is an epitope that several alleles carry, not an allele; give the alleles\n"
        "D.csv:2: C_2 = C*07:AB: is a code for several alleles; "
        "name the file of codes with --mac, or list the alleles\n"
        "D.csv:2: KIR = 2DL9: is not a KIR gene; did you mean 2DL5?\n"
        "D.csv:3: B_2 = C*07:01: is a name of HLA-C; move it to the column of HLA-C",
    ),
    (
        f"{HEAD}\nD1,x\n",
        "D.csv:2: has 2 cells where the header has 8; "
        "add or remove a delimiter, and put a cell that holds one in quotes",
    ),
    (
        f"{HEAD}\nD\0,{PLAIN},{PANEL}\n",
        "D.csv:2: holds 1 NUL characters, the first here; "
        "write the file again from its source; it may be cut off or not be text",
    ),
    ("", "D.csv: is empty; write the header line and the rows again"),
    (f"{HEAD}\n", "D.csv: has no rows below its header; add at least one row"),
    (
        f'{HEAD}\n"D1,{PLAIN},{PANEL}\n',
        "D.csv:2: cannot be taken apart (unexpected end of data); "
        "close each quote, write a quote within a cell twice, and keep cells short",
    ),
]


@pytest.mark.parametrize(("text", "said"), TABLES)
@pytest.mark.usefixtures("people")
def test_table_that_cannot_be_read_is_refused_whole(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    written("M.csv", "the old one")
    Path("D.csv").write_bytes(text.encode())
    assert matched() == 1
    assert capsys.readouterr().err == f"Refused. {said}\n"
    assert Path("M.csv").read_text(encoding="utf-8") == "the old one\n"
    assert sorted(path.name for path in Path().iterdir()) == ["D.csv", "M.csv", "R.csv"]


@pytest.mark.usefixtures("people")
def test_table_that_is_not_utf_8_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("D.csv").write_bytes(f"{HEAD}\nDön,{PLAIN},{PANEL}\n".encode("latin-1"))
    assert matched() == 1
    assert (
        capsys.readouterr().err == "Refused. D.csv:2: byte 33 of the file, 0xf6, is not UTF-8; save the file as UTF-8\n"
    )


READABLE = "check its name and that you may read it"
CHECK = "check the name, the room on the disk, and who may read and write there"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--loci", "Q"], "loci = Q: are not loci that show a ligand; use some of A,B,C"),
        (
            ["--loci", "B,C", "--with-a3-a11"],
            "loci = B,C: lack HLA-A, which A3 and A11 are of; add A, or leave A3 and A11 out",
        ),
        (
            ["--reference", "D.csv"],
            "reference = D.csv: is not a ligand reference; build one with `equipoise hla build`",
        ),
        (["--mac", "none"], "mac = none: is not a file; check its name"),
        (
            ["--mac", "D.csv"],
            "mac = D.csv: holds no code of several alleles; give the file of codes, a line each: AB, a tab, 01/02",
        ),
        (["--out", "D.csv"], "--out = D.csv: is a file that this command reads; give the result a name of its own"),
        (["--out", "."], f"file = .: the system refuses it (Is a directory); {CHECK}"),
        (["--out", "no/M.csv"], f"file = no: the system refuses it (No such file or directory); {CHECK}"),
        (
            ["--donors", "none"],
            "none: cannot be read (No such file or directory); check its name and that you may read it",
        ),
        (["--donors", "."], ".: cannot be read (Is a directory); check its name and that you may read it"),
    ],
)
@pytest.mark.usefixtures("people")
def test_what_cannot_be_done_is_refused(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("D.csv").read_bytes()
    assert matched(*options) == 1
    assert capsys.readouterr().err == f"Refused. {said}\n"
    assert Path("D.csv").read_bytes() == before
    assert not Path("M.csv").exists()


@pytest.mark.usefixtures("people")
def test_codes_and_a_built_reference_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert equipoise("hla", "build", str(FILES / "C_prot.txt"), "--out", "reference.csv") == 0
    said = capsys.readouterr()
    assert said.out.startswith("Wrote reference.csv: 11 proteins, IPD-IMGT/HLA 9.99.0 (sha256 ")
    assert said.err == "It holds no allele of HLA-A, HLA-B: give that file too.\n"
    written("codes.txt", "AB\t01/02")
    written("D.csv", HEAD, f"D1,,,,,C*01:AB,C*02:02,{PANEL}")
    assert matched("--reference", "reference.csv", "--mac", "codes.txt", "--loci", "C") == 0
    (row,) = rows()
    assert row["reference"].startswith("IPD-IMGT/HLA 9.99.0 (sha256 ")
    assert row["warnings"].startswith("donor C*01:01: is not in IPD-IMGT/HLA 9.99.0")


def test_a_hundred_thousand_rows_are_read_fast() -> None:
    path = written("D.csv", HEAD, *(f"D{number},{PLAIN},{PANEL}" for number in range(100_000)))
    began = time.process_time()
    people = read_people(path, PersonReader(builtin_reference()))
    assert time.process_time() - began < 20
    assert [people[0].id, people[-1].id, len(people)] == ["D0", "D99999", 100_000]


def test_show_tells_group_and_remarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert equipoise("hla", "show", "C*07:01", "A*01:01", "B*07:02", "C*04:09N", "C*02") == 0
    assert capsys.readouterr().out == (
        "name      group                      remarks\n"
        "C*07:01   C1\n"
        "A*01:01   no ligand\n"
        "B*07:02   Bw6 (no ligand)\n"
        "C*04:09N  no ligand (not expressed)  C*04:09N: not expressed, shows no ligand\n"
        "C*02      C1 or C2                   C*02: low resolution, the family has alleles of C1, C2\n"
        f"Reference: {TITLE}\n"
    )


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert equipoise("hla", "show", "--json", "C*07:01/07:07") == 0
    assert json.loads(capsys.readouterr().out) == {
        "reference": TITLE,
        "names": [{"name": "C*07:01/07:07", "may be": ["C*07:01", "C*07:07"], "groups": ["C1", "C2"], "warnings": []}],
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("7", "HLA = 7: does not say its locus; write it as A*, B* or C*, such as C*07:02"),
        ("C*07:02+C*07:04", "names = C*07:02+C*07:04: is a whole genotype; give its alleles one by one"),
    ],
)
def test_show_refuses_what_is_no_name(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert equipoise("hla", "show", name) == 1
    assert capsys.readouterr().err == f"Refused. {said}\n"


def test_build_does_not_write_over_what_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    content = (FILES / "C_prot.txt").read_text()
    written("C_prot.txt", content.rstrip("\n"))
    kept = Path("C_prot.txt").read_bytes()
    Path("same.txt").hardlink_to("C_prot.txt")
    for out in ("C_prot.txt", "./C_prot.txt", "same.txt"):
        assert equipoise("hla", "build", "C_prot.txt", "--out", out) == 1
        assert capsys.readouterr().err == (
            f"Refused. --out = {Path(out)}: is a file that this command reads; give the result a name of its own\n"
        )
    assert Path("C_prot.txt").read_bytes() == kept


def test_build_counts_one_protein_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (FILES / "hla_prot.fasta").read_text().splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(">") and " C*" in line)
    last = next((place for place in range(first + 1, len(lines)) if lines[place].startswith(">")), len(lines))
    written("one.fasta", *lines[first:last])
    assert equipoise("hla", "build", "one.fasta", "--out", "one.csv", "--release", "9.99.0") == 0
    assert capsys.readouterr().out.startswith("Wrote one.csv: 1 protein, ")


def test_build_refuses_what_is_no_protein_file(capsys: pytest.CaptureFixture[str]) -> None:
    written("x.txt", "hello")
    assert equipoise("hla", "build", "x.txt", "--out", "reference.csv") == 1
    assert capsys.readouterr().err == (
        "Refused. file = x.txt: is neither a protein alignment nor a protein FASTA file; "
        "give A_prot.txt, B_prot.txt, C_prot.txt or hla_prot.fasta as IPD-IMGT/HLA publishes them\n"
    )
    assert not Path("reference.csv").exists()
