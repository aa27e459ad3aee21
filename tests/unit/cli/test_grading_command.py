"""`equipoise safety grade` as a person meets it."""

import csv
from pathlib import Path

import pytest

HEADER = "participant,parameter,value,unit,lln,uln,baseline,sex,age,fasting,hiv"
LABS = f"""{HEADER},visit,remark
P01,HGB,9.5,g/dL,13,17,14,M,40,no,yes,m1,=2+3
P01,CD4,139,/uL,500,1500,120,M,40,no,yes,m1,-1.5
P01,ALT,100,U/L,,,,M,40,no,yes,m1,"a, b"
P02,ALT,n/d,U/L,5,40,30,F,,no,yes,m1,
P02,CRP,9,mg/L,0,5,,F,35,no,yes,m1,<5
"""


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    path = tmp_path / "labs.csv"
    path.write_text(LABS, encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_grades_stand_beside_the_columns_as_they_came(run, labs, tmp_path):
    code, out, err = run("safety", "grade", labs, "--scale", "daids-2.1", "--out", tmp_path / "g.csv")
    assert (code, err) == (0, "")
    rows = rows_of(tmp_path / "g.csv")
    assert list(rows[0]) == [*HEADER.split(","), "visit", "remark", "grade", "direction", "rule", "note"]
    assert [row["grade"] for row in rows] == ["2", "not-graded", "not-gradable", "not-gradable", "not-graded"]
    assert [row["direction"] for row in rows] == ["L", "", "", "", ""]
    assert rows[0]["rule"] == "DAIDS 2.1 (July 2017), Hemoglobin, Low: 9 to < 10 g/dL, male, >= 13 years"
    assert [row["note"] for row in rows] == [
        "",
        "DAIDS 2.1 (July 2017) grades this only in participants without HIV",
        "uln is missing",
        "no number: value = n/d; write digits with a point",
        "DAIDS 2.1 (July 2017) does not grade CRP",
    ]
    assert [row["remark"] for row in rows] == ["'=2+3", "-1.5", "a, b", "", "<5"]
    assert out == (
        "DAIDS 2.1 (July 2017)  0  1  2  3  4  not-graded  not-gradable\n"
        "ALT                    0  0  0  0  0           0             2\n"
        "CD4                    0  0  0  0  0           1             0\n"
        "CRP                    0  0  0  0  0           1             0\n"
        "HGB                    0  0  1  0  0           0             0\n"
        "not-gradable: 1 because no number\n"
        "not-gradable: 1 because uln is missing\n"
        "not-graded: 1 because DAIDS 2.1 (July 2017) does not grade CRP\n"
        "not-graded: 1 because DAIDS 2.1 (July 2017) grades this only in participants without HIV\n"
        "\n"
        f"Wrote {tmp_path / 'g.csv'}: 5 values\n"
    )


@pytest.mark.parametrize("scales", [["--scale", "DAIDS", "--scale", "ctcae_v5"], ["--scale", "daids,ctcae"]])
def test_two_scales_stand_side_by_side(run, labs, tmp_path, scales):
    assert run("safety", "grade", labs, *scales, "--out", tmp_path / "g.csv")[0] == 0
    rows = rows_of(tmp_path / "g.csv")
    assert [row["grade_daids-2.1"] for row in rows][:2] == ["2", "not-graded"]
    assert [row["grade_ctcae-5.0"] for row in rows][:2] == ["2", "3"]
    assert rows[1]["rule_ctcae-5.0"] == "CTCAE 5.0, CD4 lymphocytes decreased: 50 to < 200 /uL"


def test_a_file_of_a_spreadsheet_with_semicolons_and_a_byte_order_mark(run, labs, tmp_path):
    text = HEADER.replace(",", ";") + ";qualifier\nP1;LIPASE;180;U/L;;60;;F;40;;;symptomatic\n"
    labs.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert run("safety", "grade", labs, "--scale", "ctcae", "--out", tmp_path / "g.csv")[0] == 0
    assert (tmp_path / "g.csv").read_text(encoding="utf-8").splitlines()[1] == (
        "P1;LIPASE;180;U/L;;60;;F;40;;;symptomatic;3;H;CTCAE 5.0, Lipase increased: > 2 to 5 x ULN, symptomatic;"
    )


def test_the_worst_case_can_be_asked_for(run, labs, tmp_path):
    labs.write_text(f"{HEADER}\nP1,LIPASE,180,U/L,,60,,F,40,,\n")
    assert run("safety", "grade", labs, "--scale", "ctcae", "--out", tmp_path / "g.csv")[0] == 0
    assert rows_of(tmp_path / "g.csv")[0]["grade"] == "2"
    run("safety", "grade", labs, "--scale", "ctcae", "--out", tmp_path / "g.csv", "--unanswered", "worst")
    assert rows_of(tmp_path / "g.csv")[0]["grade"] == "3"


def test_an_own_scale(run, labs, tmp_path):
    own = tmp_path / "ward.yaml"
    own.write_text(
        'scale: Ward\nversion: "1"\nladders:\n- {parameter: CRP, term: CRP raised, direction: H, unit: mg/L, '
        'steps: [{grade: 1, range: "> 5 to 50"}, {grade: 2, range: "> 50"}]}\n'
    )
    assert run("safety", "grade", labs, "--scale-file", own, "--out", tmp_path / "g.csv")[0] == 0
    assert rows_of(tmp_path / "g.csv")[4]["rule"] == "Ward 1, CRP raised: > 5 to 50 mg/L"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            LABS.replace(",hiv", "").replace("uln", "upper"),
            "{labs}:1: hiv: is not a column of the file; add it, with empty cells where it is not known\n"
            "{labs}:1: uln: is not a column of the file; add it, with empty cells where it is not known",
        ),
        (LABS.replace("fasting", "fast_ing"), "{labs}:1: fasting: is not a column of the file; rename column fast_ing"),
        (LABS.replace("visit", "unit"), "{labs}:1: unit: is the name of 2 columns; give each column its own name"),
        (
            LABS.replace(",m1,-1.5", ",m1"),
            "{labs}:3: has 12 cells where the header has 13; "
            "add or remove a delimiter, and put a cell that holds one in quotes",
        ),
        (
            LABS.replace("visit", "Grade"),
            "column = grade: is already in the table; rename it there; grades get this name",
        ),
        ("", "{labs}: is empty; write the header line and the rows again"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_whole(run, labs, tmp_path, text, told):
    labs.write_text(text)
    code, out, err = run("safety", "grade", labs, "--scale", "daids", "--out", tmp_path / "g.csv")
    assert (code, out) == (1, "")
    assert err == f"Refused. {told.replace('{labs}', labs.name)}\n"
    assert not (tmp_path / "g.csv").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--scale", "who"],
            "scale = who: is not a scale that comes with the program; "
            "use one of daids-2.1, ctcae-5.0, or your own with --scale-file",
        ),
        ([], "--scale: is missing; name a scale: --scale daids-2.1 or --scale ctcae-5.0"),
        (["--scale", "daids,DAIDS"], "--scale = daids-2.1: is named twice; name each scale once"),
    ],
)
def test_a_scale_that_is_not_there_is_refused(run, labs, tmp_path, options, told):
    code, _, err = run("safety", "grade", labs, *options, "--out", tmp_path / "g.csv")
    assert (code, err) == (1, f"Refused. {told}\n")


def test_the_values_are_never_written_over(run, labs):
    code, _, err = run("safety", "grade", labs, "--scale", "daids", "--out", labs)
    assert (code, err) == (
        1,
        f"Refused. --out = {labs}: is a file that this command reads; give the result a name of its own\n",
    )
    assert labs.read_text() == LABS


def test_a_scale_of_ones_own_is_never_written_over(run, labs, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("kept")
    code, _, err = run("safety", "grade", labs, "--scale", "daids", "--scale-file", own, "--out", own)
    assert (code, err.partition(";")[0]) == (1, f"Refused. --out = {own}: is a file that this command reads")
    assert own.read_text() == "kept"


@pytest.mark.parametrize("blank", ["", ",,,,,,,,,,\n", "  , ,,,,,,,,,\n\n"])
def test_a_table_without_rows_is_refused(run, tmp_path, blank):
    path = tmp_path / "none.csv"
    path.write_text(f"{HEADER}\n{blank}", encoding="utf-8")
    code, out, err = run("safety", "grade", path, "--scale", "daids", "--out", tmp_path / "g.csv")
    assert (code, out, err) == (1, "", "Refused. none.csv: has no rows below its header; add at least one row\n")
    assert not (tmp_path / "g.csv").exists()


def test_a_row_without_anything_in_it_is_no_value(run, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text(f"{HEADER}\n,,,,,,,,,,\nP01,HGB,9.5,g/dL,13,17,14,M,40,no,yes\n\n ,,,,,,,,,,\n", encoding="utf-8")
    code, out, _ = run("safety", "grade", path, "--scale", "daids", "--out", tmp_path / "g.csv")
    assert code == 0
    assert out.endswith(
        f"HGB                    0  0  1  0  0           0             0\n\nWrote {tmp_path / 'g.csv'}: 1 value\n"
    )
    assert out.startswith("DAIDS 2.1 (July 2017)")  # whatever the name it was asked by
    assert [row["grade"] for row in rows_of(tmp_path / "g.csv")] == ["2"]


def test_a_long_table_keeps_its_order_and_tells_the_line_of_a_fault(run, labs, tmp_path):
    lines = [f"P{i:04d},K,{4 + i % 3},mmol/L,,,,F,40,," for i in range(1000)]
    labs.write_text("\n".join([HEADER, *lines]) + "\n")
    assert run("safety", "grade", labs, "--scale", "daids", "--out", tmp_path / "g.csv")[0] == 0
    rows = rows_of(tmp_path / "g.csv")
    assert [row["participant"] for row in rows] == [f"P{i:04d}" for i in range(1000)]
    assert [row["grade"] for row in rows] == [("0", "0", "2")[i % 3] for i in range(1000)]
    labs.write_text("\n".join([HEADER, *lines, "P1000,K"]) + "\n")
    code, _, err = run("safety", "grade", labs, "--scale", "daids", "--out", tmp_path / "h.csv")
    assert (code, err) == (
        1,
        "Refused. labs.csv:1002: has 2 cells where the header has 11; "
        "add or remove a delimiter, and put a cell that holds one in quotes\n",
    )
