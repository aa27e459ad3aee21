"""`equipoise safety uncoded`, `term`, `code` and `narrative` as a person meets them, on a rehearsed trial."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

import csv
import json
import shutil
from pathlib import Path

import pytest

from equipoise import conduct
from equipoise.ledger import Actor

TERMS = """code,name,system
P1,Pyrexia,General
F1,Felt hot,General
F2,Felt cold,General
R1,"Rash, itchy",Skin
"""


@pytest.fixture
def folder(trial_kit, tmp_path: Path):
    """A trial with three events: felt hot, an itchy rash, felt colder."""
    rules = '    dictionary: {name: House, version: "3"}\n'
    own = "    terms: {FEVER: Fever, RASH: Rash}\n"
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(own, rules))
    (tmp_path / "trial" / "dictionary.csv").write_text(TERMS, encoding="utf-8")
    participant = kit.consented()
    kit.harmed(participant, term=None, onset="2018-02-01T09:30", treatment="paracetamol", reporter="participant")
    kit.harmed(participant, term=None, verbatim="itchy rash", grade=3, serious=True, criteria=("AESHOSP",))
    kit.harmed(participant, term=None, verbatim="=felt colder")
    kit.trial.close()
    return tmp_path / "trial"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(path: Path, codes: dict[str, str]) -> None:
    found = rows(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(found[0]))
        writer.writeheader()
        writer.writerows(row | {"code": codes.get(row["number"], row["code"])} for row in found)


def test_events_are_coded_from_a_table_with_suggestions(run, folder, tmp_path):
    out = tmp_path / "codes.csv"
    code, said, _ = run("safety", "uncoded", folder, "--out", out)
    assert (code, said.splitlines()[0]) == (0, "Adverse events: 3; not coded by House 3: 3")
    assert said.splitlines()[1] == f"Wrote {out}: 1 of 3 rows have a code; look at each, and fill in the others."
    found = rows(out)
    assert [(row["number"], row["code"], row["suggestions"]) for row in found] == [
        ("1", "F1", ""),
        ("2", "", "R1 Rash, itchy"),
        ("3", "", "F2 Felt cold | F1 Felt hot"),
    ]
    fill(out, {"2": "rash, ITCHY"})
    assert run("safety", "code", folder, out, "--by", "c.coder", "--reason", "round 1")[:2] == (
        0,
        "Coded by House 3: 2; left to code: 1\n",
    )
    code, said, _ = run("log", folder, "--kind", "adverse event coded")
    assert [line.split("  ", 1)[1].split("  ")[-1] for line in said.splitlines()] == ["round 1", "round 1"]
    assert "c.coder (data_manager)" in said
    # The same file again changes nothing, and finishes what an interruption left.
    fill(out, {"3": "F2"})
    assert run("safety", "code", folder, out, "--by", "c.coder", "--reason", "round 2")[1] == (
        "Coded by House 3: 1; left to code: 0\n"
    )
    assert run("safety", "uncoded", folder)[:2] == (0, "Adverse events: 3; not coded by House 3: 0\n")
    assert run("verify", folder)[0] == 0


def test_codes_are_looked_over_and_changed(run, folder, tmp_path):
    out = tmp_path / "codes.csv"
    run("safety", "uncoded", folder, "--out", out)
    run("safety", "code", folder, out, "--by", "c.coder", "--reason", "round 1")
    run("safety", "uncoded", folder, "--all", "--out", out)
    assert [(row["code"], row["name"]) for row in rows(out)] == [("F1", "Felt hot"), ("", ""), ("", "")]
    fill(out, {"1": "P1"})
    assert run("safety", "code", folder, out, "--by", "c.coder", "--reason", "reviewed")[1].startswith(
        "Coded by House 3: 1;"
    )
    said = run("safety", "uncoded", folder, "--all")[1]
    assert said.splitlines()[1:3] == [
        "participant  number  verbatim      code",
        "01-001            1  felt hot      P1",
    ]


def test_every_fault_of_the_table_is_told_and_nothing_is_recorded(run, folder, tmp_path):
    out = tmp_path / "codes.csv"
    out.write_text(
        "participant,number,verbatim,code\n01-001,1,felt hot,P9\n01-001,9,felt hot,P1\n"
        "01-001,2,itchy rush,R1\n01-001,3,=felt colder,F2\n01-001,3,=felt colder,F1\n",
        encoding="utf-8",
    )
    code, said, refused = run("safety", "code", folder, out, "--by", "c.coder", "--reason", "round 1")
    assert (code, said) == (1, "")
    assert refused.splitlines() == [
        "Refused. codes.csv:2: code = P9: is neither a code nor a name of House 3; look the term up, and give its code or its whole name",
        "codes.csv:3: number = 9: is no adverse event of 01-001; write the table anew",
        "codes.csv:4: verbatim = itchy rush: is not what the record says, itchy rash; write the table anew",
        "codes.csv:6: number = 3: stands in line 5 already; keep one of the lines",
    ]
    assert run("log", folder, "--kind", "adverse event coded")[0] == 0
    assert run("safety", "uncoded", folder)[1].startswith("Adverse events: 3; not coded by House 3: 3\n")


def test_a_role_that_may_not_code_is_refused(run, folder, tmp_path):
    out = tmp_path / "codes.csv"
    run("safety", "uncoded", folder, "--out", out)
    told = ("--by", "m.monitor", "--role", "monitor", "--reason", "round 1")
    assert run("safety", "code", folder, out, *told) == (
        1,
        "",
        "Refused. role = monitor: may not record 'adverse event coded'; ask the investigator or coordinator or data_manager\n",
    )


def test_a_term_is_looked_up(run, folder):
    code, said, _ = run("safety", "term", folder, "felt hott")
    assert (code, said.splitlines()) == (
        0,
        [
            "code  term       preferred term  system",
            "F1    Felt hot   Felt hot        General",
            "F2    Felt cold  Felt cold       General",
        ],
    )
    assert run("safety", "term", folder, "zzz") == (
        1,
        "",
        "Refused. term = zzz: is like no term of House 3; try another word for it\n",
    )


def test_an_event_is_told_as_text_json_and_page(run, folder, tmp_path):
    code, said, _ = run("safety", "narrative", folder, "01-001", 1, "--out", tmp_path / "event.html")
    lines = said.splitlines()
    assert code == 0
    assert lines[0].startswith(
        "Participant 01-001 (sex and age not known) of trial KIT had felt hot, reported as “felt hot”, from 2018-02-01T09:30, grade 1 by"
    )
    assert "  14  Suspect products                    none" in lines
    assert "  15  Dose                                none given" in lines
    assert " 24d  Reported by                         participant" in lines
    assert lines[-1] == f"Wrote {tmp_path / 'event.html'}"
    page = (tmp_path / "event.html").read_text(encoding="utf-8")
    assert "<dt>24b Control number</dt><dd>KIT/01-001/1</dd>" in page
    code, said, _ = run("safety", "narrative", folder, "01-001", 2, "--json", "--follow-up")
    told = json.loads(said)
    boxes = {box["number"]: box["text"] for box in told["boxes"]}
    assert (boxes["8-12"], boxes["25a"]) == ("requires or prolongs hospitalisation", "follow-up")
    assert "It is serious: it requires or prolongs hospitalisation." in told["narrative"]


def test_the_code_is_told_with_the_event(run, folder, tmp_path):
    out = tmp_path / "codes.csv"
    run("safety", "uncoded", folder, "--out", out)
    fill(out, {"2": "R1"})
    run("safety", "code", folder, out, "--by", "c.coder", "--reason", "round 1")
    assert (
        "Rash, itchy (reported as: itchy rash; House 3, R1), grade 3 by"
        in run("safety", "narrative", folder, "01-001", 2)[1]
    )


def test_an_event_that_is_not_there_is_refused_with_those_that_are(run, folder):
    assert run("safety", "narrative", folder, "01-001", 9)[2] == (
        "Refused. number = 9: is not an adverse event of 01-001; use one of 1, 2, 3\n"
    )
    assert run("safety", "narrative", folder, "01-009", 1)[2] == (
        "Refused. number = 1: is not an adverse event of 01-009; check the code; no event of this participant is recorded\n"
    )


def test_a_trial_without_its_dictionary_asks_for_it(run, folder):
    (folder / "dictionary.csv").unlink()
    said = f"Refused. dictionary = House 3: is not in {folder}, and does not come with the program; "
    assert run("safety", "uncoded", folder)[2].startswith(said)
    shutil.rmtree(folder)
    assert run("safety", "uncoded", folder)[0] == 1


def test_a_name_in_the_record_opens_no_script_in_the_page(run, trial_kit, tmp_path):
    kit = trial_kit.Kit(tmp_path / "trial")
    participant = kit.consented()
    kit.harmed(participant, verbatim="<script>alert(1)</script> & {{ 7 * 7 }}")
    conduct.void_adverse_event(
        kit.trial, participant, kit.harmed(participant), by=Actor("a", "investigator"), reason="twice", at=kit.tick()
    )
    kit.trial.close()
    page = tmp_path / "event.html"
    assert run("safety", "narrative", tmp_path / "trial", participant, 1, "--out", page)[0] == 0
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }}" in text
    assert run("safety", "narrative", tmp_path / "trial", participant, 2)[0] == 1


def test_what_a_spreadsheet_makes_of_codes_and_lines_is_understood(run, trial_kit, tmp_path):
    rules = '    dictionary: {name: House, version: "3"}\n'
    own = "    terms: {FEVER: Fever, RASH: Rash}\n"
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(own, rules))
    (tmp_path / "trial" / "dictionary.csv").write_text("code,name,system\n+P1,Felt hot,\n", encoding="utf-8")
    participant = kit.consented()
    kit.harmed(participant, term=None, verbatim="felt hot")
    kit.harmed(participant, term=None, verbatim="hot,\r\nthen cold")
    kit.trial.close()
    out = tmp_path / "codes.csv"
    run("safety", "uncoded", tmp_path / "trial", "--out", out)
    assert [row["code"] for row in rows(out)] == ["'+P1", ""]
    fill(out, {"2": "+P1"})
    out.write_bytes(out.read_bytes().replace(b"\r\n", b"\n"))
    code, said, refused = run("safety", "code", tmp_path / "trial", out, "--by", "c.coder", "--reason", "round 1")
    assert (code, said, refused) == (0, "Coded by House 3: 2; left to code: 0\n", "")


def test_long_texts_and_signs_that_move_the_cursor_stay_on_their_line(run, trial_kit, tmp_path):
    rules = '    dictionary: {name: DAIDS, version: "2.1"}\n'
    own = "    terms: {FEVER: Fever, RASH: Rash}\n"
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(own, rules))
    participant = kit.consented()
    kit.harmed(participant, term=None, verbatim="hot \x1b[2J" + "x" * 5_000)
    kit.trial.close()
    said = run("safety", "uncoded", tmp_path / "trial")[1]
    assert "\x1b" not in said
    assert max(len(line) for line in said.splitlines()) < 100
    assert "\x1b" not in run("safety", "narrative", tmp_path / "trial", participant, 1)[1]
