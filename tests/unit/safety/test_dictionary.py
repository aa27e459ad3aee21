"""Dictionaries from files: the terms here are made up, in the form of the files that a subscription delivers."""

from pathlib import Path

import pytest

from equipoise.protocol.safety import AdverseEventRules
from equipoise.safety.dictionary import DictionaryRefused, own_dictionary, read_meddra, read_terms

LLT = """\
90000001$Warm feeling$90000011$$$$$$$Y$$
90000002$Feeling of warmth$90000011$$$$$$$N$$
90000003$Cold feeling$90000012$$$$$$$Y$$
"""
PT = """\
90000011$Warmth$$80000001$$$$$$$$
90000012$Coldness$$80000001$$$$$$$$
"""
MDHIER = """\
90000011$1$2$3$Warmth$Warm states$States$Whole body disorders$Body$$80000001$Y$
90000011$4$5$6$Warmth$Other states$Others$Skin made up$Skin$$80000001$N$
90000012$1$2$3$Coldness$Cold states$States$Whole body disorders$Body$$80000001$Y$
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("llt", LLT), ("pt", PT), ("mdhier", MDHIER)):
        (tmp_path / f"{name}.asc").write_text(text, encoding="utf-8")
    return tmp_path


def refusal(ask) -> str:
    with pytest.raises(DictionaryRefused) as refused:
        ask()
    return str(refused.value)


@pytest.mark.parametrize("text", ["90000002", "feeling OF warmth ", "Feeling of warmth"])
def test_a_term_is_found_by_code_or_name_with_its_place_in_the_hierarchy(folder: Path, text: str):
    found = read_meddra(folder, "99.1").find(text)
    assert (found.code, found.preferred_code, found.preferred) == ("90000002", "90000011", "Warmth")
    assert (found.system, found.groups) == ("Whole body disorders", ("Warm states", "States"))
    assert (found.dictionary, found.version, found.current) == ("MedDRA", "99.1", False)


def test_a_term_that_is_not_there_is_refused(folder: Path):
    assert refusal(lambda: read_meddra(folder, "99.1").find("Warm")) == (
        "term = Warm: is neither a code nor a name of MedDRA 99.1; "
        "look the term up, and give its code or its whole name"
    )


def test_files_that_are_not_whole_are_refused(folder: Path):
    assert refusal(lambda: read_meddra(folder, " ")) == "version: is blank; say of which version the files are"
    (folder / "pt.asc").write_text(PT.splitlines()[0], encoding="utf-8")
    assert refusal(lambda: read_meddra(folder, "99.1")) == (
        "llt.asc:3 = 90000012: is a preferred term that is not in pt.asc; take all three files of one version"
    )
    (folder / "mdhier.asc").write_text("90000011$1$2", encoding="utf-8")
    assert refusal(lambda: read_meddra(folder, "99.1")) == (
        "mdhier.asc:1 = 90000011$1$2: has 3 fields between $ where 12 are needed; take the file as it was delivered"
    )
    (folder / "pt.asc").write_bytes(b"90000011$W\xe4rme")
    assert refusal(lambda: read_meddra(folder, "99.1")) == (
        f"file = {folder / 'pt.asc'}: byte 11 is not UTF-8; save it as UTF-8"
    )
    (folder / "pt.asc").unlink()
    assert refusal(lambda: read_meddra(folder, "99.1")) == (
        f"file = {folder / 'pt.asc'}: cannot be read (No such file or directory); "
        "name the folder or file of the dictionary"
    )


def test_another_dictionary_is_read_from_three_columns(tmp_path: Path):
    path = tmp_path / "terms.csv"
    path.write_text('\ufeffcode,name,system\nW1,"Warmth, sudden",Body\nW2,Coldness,\n', encoding="utf-8")
    dictionary = read_terms(path, "WHO-like", "2018")
    assert dictionary.find("warmth, sudden").system == "Body"
    assert dictionary.find("W2").preferred == "Coldness"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "code,name\n",
            "terms.csv:1 = code,name: are not the columns of a dictionary; begin it with the line code,name,system",
        ),
        (
            "code,name,system\nW1,,Body\n",
            "terms.csv:2 = W1,,Body: is not a whole line; give code, name and system; only the system may be blank",
        ),
        (
            "code,name,system\nW1,Warm,\nW1,Cold,\n",
            "terms.csv:3 = W1: is a code that stands twice; keep one of the lines",
        ),
    ],
)
def test_a_dictionary_with_a_fault_is_refused_whole(tmp_path: Path, text: str, said: str):
    path = tmp_path / "terms.csv"
    path.write_text(text, encoding="utf-8")
    assert refusal(lambda: read_terms(path, "WHO-like", "2018")) == said


def test_the_trials_own_list_is_a_dictionary_too():
    rules = AdverseEventRules(related_to=(), terms={"FEVER": "Fever", "RASH": "Rash"}, systems={"RASH": "Skin"})
    own = own_dictionary(rules, "1.0")
    assert (own.find("RASH").system, own.find("fever").system, own.find("fever").code) == ("Skin", "", "FEVER")
