"""Dictionaries from files: the terms here are made up, in the form of the files that a subscription delivers."""

from pathlib import Path

import pytest

from equipoise.safety.dictionary import DictionaryRefused, dictionary_in, read_meddra, read_terms
from equipoise.safety.scales import scale_named

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
        "mdhier.asc:1 = 90000011: has 3 fields between $ where 12 are needed; take the file as it was delivered"
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
            "terms.csv:1 = code,name: are not the columns of a dictionary; "
            "begin it with the line code,name,system; cells may be divided by , ; or tabs",
        ),
        (
            "code,name,system\nW1,,Body\n",
            "terms.csv:2 = W1,,Body: is not a whole line; give code, name and system; only the system may be blank",
        ),
        (
            "code,name,system\nW1,Warm,\nW1,Cold,\n",
            "terms.csv:3 = W1: is a code that stands twice; keep one of the lines",
        ),
        (
            "code,name,system\nW1,Warm,\nW2,WARM,\n",
            "terms.csv:3 = warm: is a name that stands twice; keep one of the lines",
        ),
        (
            'code,name,system\nW1,"Warm,\n',
            "terms.csv:2: is no CSV (unexpected end of data); close every quotation mark, and keep each cell short",
        ),
        (
            f"code,name,system\nW1,{'x' * 140_000},\n",
            "terms.csv:2: is no CSV (field larger than field limit (131072)); "
            "close every quotation mark, and keep each cell short",
        ),
    ],
)
def test_a_dictionary_with_a_fault_is_refused_whole(tmp_path: Path, text: str, said: str):
    path = tmp_path / "terms.csv"
    path.write_text(text, encoding="utf-8")
    assert refusal(lambda: read_terms(path, "WHO-like", "2018")) == said


def test_the_release_that_a_delivery_states_must_be_the_protocols(folder: Path):
    (folder / "meddra_release.asc").write_text("99.1$English$$$", encoding="utf-8")
    assert read_meddra(folder, "99.1").version == "99.1"
    assert refusal(lambda: read_meddra(folder, "99.0")) == (
        "version = 99.0: is not that of meddra_release.asc, 99.1; "
        "amend the protocol's dictionary.version, or take the files of that version"
    )


def test_an_event_is_coded_by_a_current_term_alone(folder: Path):
    dictionary = read_meddra(folder, "99.1")
    assert dictionary.current("warm feeling").code == "90000001"
    assert refusal(lambda: dictionary.current("90000002")) == (
        "term = 90000002: is no longer current in MedDRA 99.1; use a current one, such as Warmth"
    )


def test_the_same_words_are_found_whatever_stands_between_them(folder: Path):
    dictionary = read_meddra(folder, "99.1")
    found = dictionary.exact("  COLD-feeling.")
    assert found is not None
    assert found.code == "90000003"
    assert dictionary.exact("feeling of warmth") is None  # not current
    assert dictionary.exact("cold") is None


TERMS = """\
code,name,system
P,Pyrexia,General
C,Chills,General
I,Upper respiratory tract infection,Infections
U,Urinary tract infection,Infections
S,Injection site pain,General
B,Feeling cold,General
"""


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("chills", "C"),
        ("chils after the infusion", "C"),
        ("infection of the upper respiratory tract", "I"),
        ("respiratory infection", "I"),
        ("felt cold", "B"),
        ("pirexia", "P"),
        ("after the", ""),
        ("", ""),
    ],
)
def test_terms_that_share_rare_words_are_suggested_first(tmp_path: Path, text: str, codes: str):
    path = tmp_path / "terms.csv"
    path.write_text(TERMS, encoding="utf-8")
    dictionary = read_terms(path, "WHO-like", "2018")
    assert " ".join(term.code for term in dictionary.suggestions(text)) == codes
    assert len(dictionary.suggestions(text, 1)) == min(1, len(codes))


def test_terms_that_are_not_current_are_not_suggested(folder: Path):
    assert [term.code for term in read_meddra(folder, "99.1").suggestions("feeling of warmth")] == [
        "90000001",
        "90000003",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Code;Name;System\r\nW1;Warm, sudden;Body\r\n\r\n",
        "code\tname\tsystem\nW1\tWarm, sudden\tBody\n\n",
        'code,name,system\nW1,"Warm,\nsudden",Body\n,,\n',
    ],
)
def test_a_dictionary_may_come_from_any_spreadsheet(tmp_path: Path, text: str):
    path = tmp_path / "terms.csv"
    path.write_bytes(text.encode())
    assert read_terms(path, "WHO-like", "2018").find("warm, sudden").code == "W1"


def test_names_that_differ_in_a_sign_are_never_filled_in(tmp_path: Path):
    path = tmp_path / "terms.csv"
    path.write_text("code,name,system\nA,HBs antigen +,\nB,HBs antigen -,\nC,Fever,\n", encoding="utf-8")
    dictionary = read_terms(path, "WHO-like", "2018")
    assert dictionary.exact("HBs antigen +") is None
    assert {term.code for term in dictionary.suggestions("HBs antigen +")} == {"A", "B"}


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("llt", LLT.splitlines()[0], "llt.asc:4 = 90000001: is a code that stands twice"),
        ("mdhier", MDHIER.splitlines()[0], "mdhier.asc:4 = 90000011: has two primary paths"),
    ],
)
def test_files_of_meddra_that_say_a_thing_twice_are_refused(folder: Path, name: str, more: str, said: str):
    path = folder / f"{name}.asc"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert refusal(lambda: read_meddra(folder, "99.1")) == f"{said}; take all three files of one version"


def test_files_of_meddra_without_a_term_are_refused(folder: Path):
    (folder / "llt.asc").write_text("\n", encoding="utf-8")
    assert refusal(lambda: read_meddra(folder, "99.1")) == (
        "llt.asc: holds no term; take all three files of one version"
    )


def test_lines_may_end_as_they_do_on_any_system(folder: Path):
    for path in folder.iterdir():
        path.write_bytes(path.read_text(encoding="utf-8").replace("\n", "\r\n").encode())
    assert read_meddra(folder, "99.1").find("90000003").system == "Whole body disorders"


# --- the dictionary of a trial's folder


def test_the_files_in_the_folder_come_first(tmp_path: Path):
    (tmp_path / "dictionary.csv").write_text(TERMS, encoding="utf-8")
    assert dictionary_in(tmp_path, "DAIDS", "2.1").find("C").name == "Chills"
    inside = tmp_path / "dictionary"
    inside.mkdir()
    for name, text in (("llt", LLT), ("pt", PT), ("mdhier", MDHIER)):
        (inside / f"{name}.asc").write_text(text, encoding="utf-8")
    assert dictionary_in(tmp_path, "MedDRA", "99.1").find("90000001").preferred == "Warmth"
    assert refusal(lambda: dictionary_in(tmp_path, "WHO-ART", "1")) == (
        "dictionary.name = WHO-ART: is not what the folder dictionary is for; "
        "write WHO-ART as dictionary.csv, or name the dictionary MedDRA"
    )


def test_without_files_only_published_scales_are_there(tmp_path: Path):
    assert refusal(lambda: dictionary_in(tmp_path, "MedDRA", "27.1")) == (
        f"dictionary = MedDRA 27.1: is not in {tmp_path}, and does not come with the program; "
        "put the files of MedDRA into its folder dictionary, or another dictionary into its file dictionary.csv"
    )


@pytest.mark.parametrize(("name", "version", "scale"), [("CTCAE", "5.0", "ctcae-5.0"), ("DAIDS", "2.1", "daids-2.1")])
def test_every_term_that_a_scale_grades_is_in_its_dictionary(tmp_path: Path, name: str, version: str, scale: str):
    dictionary = dictionary_in(tmp_path, name, version)
    terms = {ladder.term for ladder in scale_named(scale).ladders}
    assert {dictionary.current(term).name for term in terms} == terms
    assert all(term.system and term.code == term.name for term in dictionary.terms.values())
    assert {(term.dictionary, term.version) for term in dictionary.terms.values()} == {(name, version)}


def test_daids_has_the_events_usual_after_an_infusion(tmp_path: Path):
    dictionary = dictionary_in(tmp_path, "DAIDS", "2.1")
    assert dictionary.find("chills").system == "Systemic"
    assert dictionary.find("Cytokine Release Syndrome").system == "Systemic"
