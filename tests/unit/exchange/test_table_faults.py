"""A broken table is refused whole, with every fault: file, line, column, value and what to do."""

from pathlib import Path

import pytest

from equipoise.exchange import TableRefused, delimited, read_long_table

HEAD = "patient,drug,gender,month,cd4\n"
REMEDY = "add or remove a delimiter, and put a cell that holds one in quotes"
GOOD = "1,new,female,0,99\n1,new,female,6,120\n2,old,male,0,80\n"


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            "1,new,female,0,99\n",
            "cd4.csv:5: month = 0: participant 1 already has visit m0 on line 2; "
            "keep one row for each participant and visit",
        ),
        ("3,new,male,0,low\n", "cd4.csv:5: cd4 = low: is not a number; write digits, such as 139 or 1.5"),
        (
            '3,new,male,0,"12,5"\n',
            "cd4.csv:5: cd4 = 12,5: has a comma; write the decimals after a point, and no mark between thousands",
        ),
        ("3,new,male,0,nan\n", "cd4.csv:5: cd4 = nan: is not a number; write digits, such as 139 or 1.5"),
        ("3,new,male,0,1e999999\n", "cd4.csv:5: cd4 = 1e999999: is not a number; write digits, such as 139 or 1.5"),
        ("3,neu,male,0,99\n", "cd4.csv:5: drug = neu: is not in data.arms; did you mean new?"),
        (
            "3,placebo,male,0,99\n",
            "cd4.csv:5: drug = placebo: is not in data.arms; add it to data.arms, or correct it to one of new, old",
        ),
        (
            "2,new,male,6,99\n",
            "cd4.csv:5: drug = new: participant 2 is in arm OLD on line 4; give each participant one arm",
        ),
        (
            "2,old,female,6,99\n",
            "cd4.csv:5: gender = female: participant 2 has M on line 4; "
            "give each participant one value, or map the column in data.items",
        ),
        (
            "2,old,,6,99\n",
            "cd4.csv:5: gender: participant 2 has M on line 4; "
            "give each participant one value, or map the column in data.items",
        ),
        ("3,new,mal,0,99\n", "cd4.csv:5: gender = mal: is not in data.codes.entry.sex; did you mean male?"),
        (
            "3,new,male,12,99\n",
            "cd4.csv:5: month = 12: is not in data.visits; add it to data.visits, or correct it to one of 0, 6",
        ),
        (
            ",new,male,0,99\n",
            "cd4.csv:5: patient: names no participant; write the participant's code, or remove the row",
        ),
        (
            "3,new,male,0,-1\n",
            "cd4.csv:5: cd4 = -1: is below 0; correct the value, or the item's hard range in the protocol",
        ),
        (
            "3,new,male,0,5e3\n",
            "cd4.csv:5: cd4 = 5e3: is above 4000; correct the value, or the item's hard range in the protocol",
        ),
        (
            "3,new,male,0\n",
            "cd4.csv:5: has 4 cells where the header has 5; "
            "add or remove a delimiter, and put a cell that holds one in quotes",
        ),
        (
            "3,new,male,0,99,\n",
            "cd4.csv:5: has 6 cells where the header has 5; "
            "add or remove a delimiter, and put a cell that holds one in quotes",
        ),
        (
            '3,new,male,0,"99\n',
            "cd4.csv:5: cannot be taken apart (unexpected end of data); "
            "close each quote, write a quote within a cell twice, and keep cells short",
        ),
        (
            '3,new,"ma"le,0,99\n',
            "cd4.csv:5: cannot be taken apart (',' expected after '\"'); "
            "close each quote, write a quote within a cell twice, and keep cells short",
        ),
    ],
)
def test_a_broken_row_is_named(refusal, rows, fault):
    assert refusal(HEAD + GOOD + rows) == fault


def test_an_endless_cell_is_refused(refusal):
    assert refusal(HEAD + GOOD + f"3,new,male,0,{'9' * 140_000}\n") == (
        "cd4.csv:5: cannot be taken apart (field larger than field limit (131072)); "
        "close each quote, write a quote within a cell twice, and keep cells short"
    )


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (
            "patient,drug,gender,month\n",
            "cd4.csv:1: cd4: is not a column of the file; columns found: patient, drug, gender, month",
        ),
        (
            "patient,drug,gender,months,cd4\n",
            "cd4.csv:1: month: is not a column of the file; rename column months, or correct `data`\n"
            "cd4.csv:1: months: is a column that the protocol's `data` does not name; "
            "map it in data.items or data.participant_items, or list it in data.ignored",
        ),
        (
            "patient,drug,gender,month,cd4,cd4\n",
            "cd4.csv:1: cd4: is the name of columns 5 and 6; give each column its own name",
        ),
        (
            "patient,drug,gender,month,cd4,weight\n",
            "cd4.csv:1: weight: is a column that the protocol's `data` does not name; "
            "map it in data.items or data.participant_items, or list it in data.ignored",
        ),
    ],
)
def test_a_wrong_header_is_named_before_any_row(refusal, head, fault):
    assert refusal(head + "3,neu,male,99\n") == fault


@pytest.mark.parametrize("content", ["", "\n \n", "\N{ZERO WIDTH NO-BREAK SPACE}"])
def test_an_empty_file_is_refused(refusal, content):
    assert refusal(content) == "cd4.csv: is empty; write the header line and the rows again"


def test_a_header_alone_is_refused(refusal):
    assert refusal(HEAD) == "cd4.csv: has a header and no rows; write the rows below the header"


def test_another_encoding_is_named_with_its_place(refusal):
    content = (HEAD + GOOD + "3,new,female,0,99\n").replace("3,new", "3é,new").encode("latin-1")
    place = content.index(b"\xe9") + 1
    assert refusal(content) == f"cd4.csv:5: byte {place} of the file, 0xe9, is not UTF-8; save the file as UTF-8"


def test_utf_16_is_refused(refusal):
    content = (HEAD + GOOD).encode("utf-16")
    assert refusal(content) == "cd4.csv:1: byte 1 of the file, 0xff, is not UTF-8; save the file as UTF-8"


def test_nul_bytes_are_refused(refusal):
    assert refusal(HEAD + GOOD + "3,new,male,0,9\x009\x00\n") == (
        "cd4.csv:5: holds 2 NUL characters, the first here; "
        "write the file again from its source; it may be cut off or not be text"
    )


def test_a_file_too_large_is_not_read(refusal, monkeypatch):
    monkeypatch.setattr(delimited, "LARGEST", 40)
    assert refusal(HEAD + GOOD) == ("cd4.csv: has more than 40 bytes; leave out columns that `data` does not name")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_file_without_an_end_is_not_read(foreign, monkeypatch):
    monkeypatch.setattr(delimited, "LARGEST", 40)
    with pytest.raises(TableRefused) as refused:
        read_long_table(foreign(), Path("/dev/zero"))
    assert str(refused.value) == "zero: has more than 40 bytes; leave out columns that `data` does not name"


def test_a_folder_is_named_though_its_name_is_a_dot(foreign):
    with pytest.raises(TableRefused) as refused:
        read_long_table(foreign(), Path())
    assert str(refused.value) == ".: cannot be read (Is a directory); check its name and that you may read it"


def test_a_file_that_is_not_there_is_refused(foreign, tmp_path):
    with pytest.raises(TableRefused) as refused:
        read_long_table(foreign(), tmp_path / "none.csv")
    assert str(refused.value) == (
        "none.csv: cannot be read (No such file or directory); check its name and that you may read it"
    )


def test_a_folder_is_refused(foreign, tmp_path):
    with pytest.raises(TableRefused) as refused:
        read_long_table(foreign(), tmp_path)
    assert "cannot be read (Is a directory)" in str(refused.value)


def test_all_faults_are_told_at_once_in_order_of_lines(refusal):
    rows = "3,neu,male,0,low\n3,new,male\n4,old,male,7,9\n4,old,female,6,ten\n"
    assert [line.split(": ")[:2] for line in refusal(HEAD + GOOD + rows).split("\n")] == [
        ["cd4.csv:5", "cd4 = low"],
        ["cd4.csv:5", "drug = neu"],
        ["cd4.csv:6", f"has 3 cells where the header has 5; {REMEDY}"],
        ["cd4.csv:7", "month = 7"],
        ["cd4.csv:8", "cd4 = ten"],
        ["cd4.csv:8", "gender = female"],
    ]


@pytest.mark.parametrize(("n", "last"), [(50, None), (51, "and 1 more fault"), (1_050, "and 1000 more faults")])
def test_beyond_fifty_faults_are_counted(read, n, last):
    with pytest.raises(TableRefused) as refused:
        read(HEAD + "".join(f"{place},new,male,0,x\n" for place in range(n)))
    lines = str(refused.value).split("\n")
    assert refused.value.n_faults == n
    assert len(refused.value.faults) == 50
    assert lines[0] == "cd4.csv:2: cd4 = x: is not a number; write digits, such as 139 or 1.5"
    assert lines[50:] == ([last] if last else [])


def test_a_line_is_counted_where_its_record_begins(refusal):
    content = "patient,drug,gender,month,cd4,comment\n" + '1,new,male,0,9,"two\nlines"\n\n2,old,male,0,x,\n'
    assert refusal(content) == "cd4.csv:5: cd4 = x: is not a number; write digits, such as 139 or 1.5"


def test_hostile_values_are_shown_on_one_line(refusal):
    content = HEAD + '1,"new\n\x1b[2J",male,0,9\n'
    assert refusal(content) == (
        "cd4.csv:2: drug = new\\n\\x1b[2J: is not in data.arms; add it to data.arms, or correct it to one of new, old"
    )
    twice = HEAD + '"3\n=x",new,male,0,9\n' * 2
    assert refusal(twice) == (
        "cd4.csv:4: month = 0: participant 3\\n=x already has visit m0 on line 2; "
        "keep one row for each participant and visit"
    )
