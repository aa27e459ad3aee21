"""Reading YAML: exact values with their lines, and every hostile or doubtful file refused on its line."""

from decimal import Decimal

import pytest

from equipoise.protocol.faults import ProtocolRefused
from equipoise.protocol.reading import Limits, read_bytes, read_yaml
from equipoise.refusals import Refusal

PROTOCOL = """\
# the trial
protocol: {id: NK-DEMO, version: "1.0", date: 2026-03-02}
sites:
  - {id: '01', country: NO}
  - id: 02
    country: CN
dose: 1e8
ready: true
forms: &all [labs, symptoms]
visits:
  - window:
      days_before: -7
    forms: *all
note: |
  two
  lines
empty:
"""


def refusal(text: str | bytes, limits: Limits | None = None) -> str:
    with pytest.raises(ProtocolRefused) as refused:
        read_yaml(text, "protocol.yaml", limits or Limits())
    return str(refused.value)


def test_values_follow_the_core_schema_with_exact_numbers_and_dates_as_text():
    assert read_yaml(PROTOCOL, "protocol.yaml").data == {
        "protocol": {"id": "NK-DEMO", "version": "1.0", "date": "2026-03-02"},
        "sites": [{"id": "01", "country": "NO"}, {"id": 2, "country": "CN"}],
        "dose": Decimal("1e8"),
        "ready": True,
        "forms": ["labs", "symptoms"],
        "visits": [{"window": {"days_before": -7}, "forms": ["labs", "symptoms"]}],
        "note": "two\nlines\n",
        "empty": None,
    }


def test_each_path_knows_its_line_a_key_the_line_of_the_key():
    lines = read_yaml(PROTOCOL, "protocol.yaml").lines
    assert lines[()] == 2
    assert lines["protocol", "version"] == 2
    assert lines["sites",] == 3
    assert lines["sites", 1] == 5
    assert lines["sites", 1, "country"] == 6
    assert lines["visits", 0, "window", "days_before"] == 12
    assert lines["visits", 0, "forms"] == 13
    assert lines["visits", 0, "forms", 1] == 9
    assert lines["note",] == 14


def test_a_line_is_found_for_a_key_that_is_not_there():
    located = read_yaml(PROTOCOL, "protocol.yaml")
    assert located.line_of(("visits", 0, "window", "days_after")) == 11
    assert located.line_of(("arms", 0)) == 2


def test_source_text_and_quoting_are_kept():
    located = read_yaml(PROTOCOL, "protocol.yaml")
    assert located.raw["sites", 1, "id"] == "02"
    assert located.raw["dose",] == "1e8"
    assert ("visits",) not in located.raw
    assert ("protocol", "version") in located.quoted
    assert ("note",) in located.quoted
    assert ("sites", 1, "id") not in located.quoted


def test_an_alias_repeats_values_without_sharing_them():
    located = read_yaml("a: &x [1]\nb: *x\n", "p.yaml")
    assert located.data == {"a": [1], "b": [1]}
    assert located.value_at(("a",)) is not located.value_at(("b",))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("01", 1),
        ("-0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.0", Decimal("1.0")),
        (".5", Decimal("0.5")),
        ("1e8", Decimal("1e8")),
        ("1E-3", Decimal("0.001")),
        ("~", None),
        ("TRUE", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1.0.0", "1.0.0"),
        ("2018-02-01", "2018-02-01"),
        ("'1'", "1"),
        ('"\\u00e9"', "é"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(source, value):
    data = read_yaml(f"a: {source}\n", "p.yaml").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_a_decimal_keeps_its_written_places():
    assert str(read_yaml("a: 1.10\n", "p.yaml").data["a"]) == "1.10"


def test_keys_are_text_whatever_they_look_like():
    assert read_yaml("1: a\ntrue: b\nNO: c\n", "p.yaml").data == {"1": "a", "true": "b", "NO": "c"}


def test_a_byte_order_mark_and_windows_line_ends_are_taken_off():
    located = read_yaml(b"\xef\xbb\xbfa: 1\r\nb: 'x\r\n  y'\r\nc: 2\r\n", "p.yaml")
    assert located.data == {"a": 1, "b": "x y", "c": 2}
    assert located.lines["c",] == 4
    assert located.text == "a: 1\nb: 'x\n  y'\nc: 2\n"


REFUSED = {
    "nothing": ("# only a remark\n", "1: the file holds nothing; write the protocol into it"),
    "empty document": ("---\n...\n", "1: the file holds nothing; write the protocol into it"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "3: a: is written twice, on lines 1 and 3; keep one of the two"),
    "duplicate key in quotes": (
        "w: {a: 1,\n 'a': 3}\n",
        "2: w.a: is written twice, on lines 1 and 2; keep one of the two",
    ),
    "merge key": (
        "a: &x {b: 1}\nc:\n  <<: *x\n",
        "3: c['<<']: a merge key (<<) copies other keys unseen; write the keys out",
    ),
    "missing key": ("{: 1}\n", "1: ['']: a key is missing before the colon; write the key"),
    "list as key": ("? [a]\n: 1\n", "1: a key is a group or a list; write a word as the key"),
    "alias as key": ("a: &x k\n*x : 1\n", "2: a key is an alias; write the key itself"),
    "anchor on key": ("&x a: 1\n", "1: a: the key carries an anchor; put the anchor before the value"),
    "python tag": (
        "a: !!python/object/apply:os.system ['id']\n",
        "1: a: carries the tag tag:yaml.org,2002:python/object/apply:os.system; "
        "remove the tag, and put the value in quotes if it is text",
    ),
    "own tag": (
        "a:\n  - !secret x\n",
        "2: a[0]: carries the tag !secret; remove the tag, and put the value in quotes if it is text",
    ),
    "two documents": (
        "a: 1\n---\nb: 2\n",
        "2: a second document begins; keep one document and remove the line `---` or `...`",
    ),
    "old YAML": (
        "%YAML 1.1\n---\na: no\n",
        "2: a directive (%) changes how the file is read; remove the lines that begin with %",
    ),
    "unknown alias": (
        "a: *b\n",
        "1: a: the alias *b names no anchor above it; write the value itself",
    ),
    "alias to itself": (
        "a: &b [*b]\n",
        "1: a[0]: the alias *b repeats the group it stands in; write the value itself",
    ),
    "anchor twice": (
        "a: &x 1\nb: &x 2\n",
        "2: b: the anchor &x is named twice; give each anchor its own name",
    ),
    "tab": (
        "a:\n\tb: 1\n",
        "2: a tab stands where only spaces may; use spaces for indenting and after colons and dashes",
    ),
    "colon in text": (
        "a: b: c\n",
        "1: a colon and a space stand inside a text, or the indenting is wrong; "
        "put the text in quotes, or align the key with its neighbours",
    ),
    "open quote": ("a: 'x\nb: 1\n", "1: a quotation mark is not closed; close the quotation mark"),
    "open bracket": (
        "a: [1, 2\nb: 1\n",
        "1: a bracket [ is not closed; put a comma between entries and close it with ]",
    ),
    "open brace": ("a: {b: 1\n", "1: a brace { is not closed; put a comma between entries and close it with }"),
    "value missing": ("a: [", "1: a value is missing; write a value, or close the bracket"),
    "not a key": (
        "a: 1\nb\nc: 2\n",
        "2: the line is not a key, a colon, a space and a value; write it as `key: value`, or indent it below its key",
    ),
    "indenting": (
        "a:\n  - 1\n b: 2\n",
        "3: the line does not fit the indenting of the lines above it; align it with the keys or dashes it belongs to",
    ),
    "list on key's line": (
        "a: - 1\n",
        "1: a dash begins a list where none can stand; put the list on the lines below its key",
    ),
    "unknown escape": ('a: "\\q"\n', "1: a backslash in double quotes begins an unknown escape; use single quotes"),
    "special first letter": (
        "a: @x\n",
        "1: a text begins with a character that has a meaning of its own in YAML; put the text in quotes",
    ),
    "escape beyond Unicode": ('a: "\\UFFFFFFFF"\n', "1: the line is not YAML; correct it"),
    "nonsense": (
        "%\n",
        "1: the line is not YAML (expected alphabetic or numeric character, but found '\\n'); correct it",
    ),
    "not a number": (
        "a: .nan\n",
        "1: a = .nan: is not a finite number; write a number, or put it in quotes to mean text",
    ),
    "endless number": (
        "a: 1e999999\n",
        "1: a = 1e999999: has an exponent beyond 100; write a smaller number, or put it in quotes to mean text",
    ),
    "long number": (
        "a: " + "9" * 51 + "\n",
        "1: a = " + "9" * 51 + ": is a number of more than 50 digits; shorten it, or put it in quotes to mean text",
    ),
    "NUL": ("a: 1\nb: x\0y\n", "2: column 5 holds U+0000, which nobody can see; remove the character"),
    "escaped NUL": ('a: "\\0"\n', "1: a: holds U+0000, which nobody can see; remove the character or its escape"),
    "half a character": (
        'a: "\\ud800"\n',
        "1: a: holds U+D800, which nobody can see; remove the character or its escape",
    ),
    "text that runs backwards": (
        "a: \u202ex\n",
        "1: column 4 holds U+202E right-to-left override, which nobody can see; remove the character",
    ),
    "byte-order mark inside": (
        "a: x\ufeff\n",
        "1: column 5 holds U+FEFF zero width no-break space, which nobody can see; remove the character",
    ),
    "not UTF-8": (b"a: 1\nb: \xff\n", "2: byte 0xFF in column 4 is not UTF-8; save the file as UTF-8 text"),
    "UTF-16": ("a: 1".encode("utf-16"), "1: byte 0xFF in column 1 is not UTF-8; save the file as UTF-8 text"),
}


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED)
def test_a_doubtful_file_is_refused_on_its_line(source, message):
    assert refusal(source) == f"protocol.yaml:{message}"


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)
REPEATED = (
    "the file holds more than 20000 values, those that aliases repeat counted each time; remove what is not needed"
)
TOO_LARGE = {
    "alias bomb": (BOMB, f"5: a4[0]: {REPEATED}"),
    "many values": ("- 1\n" * 25_000, f"20000: [19999]: {REPEATED}"),
    "many empty lists": (f"[{'[],' * 25_000}]", f"1: [19999]: {REPEATED}"),
    "deep brackets": (
        "[" * 900_000,
        f"1: {'[0]' * 40}: is nested more than 40 levels deep; write it with fewer levels",
    ),
    "deep dashes": ("- " * 50, f"1: {'[0]' * 40}: is nested more than 40 levels deep; write it with fewer levels"),
    "deep aliases": (
        f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 20}*a{']' * 20}\n",
        f"2: b{'[0]' * 20}: is nested more than 40 levels deep; write it with fewer levels",
    ),
    "many anchors": (
        "".join(f"- &a{i} x\n" for i in range(30)),
        "21: [20]: the file has more than 20 anchors; write some of the values out",
    ),
    "large": ("x" * 10_000_000, "1: the file is larger than 1000000 bytes; remove what is not needed"),
    "many lines": ("\n" * 900_000, "50000: the file holds more than 50000 lines; remove what is not needed"),
    "many words": (f"a: {'b ' * 400_000}", "1: the file holds more than 150000 words; remove what is not needed"),
}


@pytest.mark.parametrize(("source", "message"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_hostile_file_is_refused_at_the_limit_it_passes(source, message):
    assert refusal(source) == f"protocol.yaml:{message}"


def test_a_file_at_its_limits_is_read():
    limits = Limits(size=100, lines=3, words=6, depth=2, nodes=9, anchors=1)
    assert read_yaml("a: &x [1, 2]\nb: *x\n", "p.yaml", limits).data == {"a": [1, 2], "b": [1, 2]}
    message = (
        "the file holds more than 8 values, those that aliases repeat counted each time; remove what is not needed"
    )
    assert refusal("a: &x [1, 2]\nb: *x\n", Limits(nodes=8)) == f"protocol.yaml:2: b: {message}"


def test_a_number_or_a_file_at_its_limit_is_read():
    assert read_yaml(f"a: {'9' * 50}\n", "p.yaml").data == {"a": int("9" * 50)}
    assert read_yaml("a: 1e-100\n", "p.yaml").data == {"a": Decimal("1e-100")}
    assert "has an exponent beyond 100" in refusal("a: 1e101\n")
    assert read_yaml("a: 12345\n", "p.yaml", Limits(size=9)).data == {"a": 12345}
    assert refusal("a: 12345\n", Limits(size=8)).endswith(
        "1: the file is larger than 8 bytes; remove what is not needed"
    )


def test_the_depth_of_an_alias_is_that_of_its_deepest_value():
    assert "is nested more than 4 levels deep" in refusal("a: &a [[[]], x]\nb: [*a]\n", Limits(depth=4))


def test_every_doubtful_value_is_told_at_once():
    assert refusal("a: !x 1\nb: .inf\na: 2\n") == (
        "protocol.yaml:1: a: carries the tag !x; remove the tag, and put the value in quotes if it is text\n"
        "protocol.yaml:2: b = .inf: is not a finite number; write a number, or put it in quotes to mean text\n"
        "protocol.yaml:3: a: is written twice, on lines 1 and 3; keep one of the two"
    )


def test_a_file_with_a_fault_on_every_line_is_given_up_after_fifty():
    with pytest.raises(ProtocolRefused) as refused:
        read_yaml("a: 1\n" * 1_000, "p.yaml")
    assert len(refused.value.faults) == 50


def test_a_file_is_read_as_bytes_and_never_much_beyond_the_limit(tmp_path):
    path = tmp_path / "protocol.yaml"
    path.write_bytes(b"a: 1\r\n")
    assert read_bytes(path) == b"a: 1\r\n"
    path.write_bytes(b"x" * 2_000_000)
    assert len(read_bytes(path)) == 1_000_001


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(Refusal) as refused:
        read_bytes(tmp_path / "none.yaml")
    assert str(refused.value).endswith("none.yaml: does not exist; check the name and the folder")
    with pytest.raises(Refusal) as refused:
        read_bytes(tmp_path)
    assert str(refused.value).endswith(": is a folder; name the file in it")
