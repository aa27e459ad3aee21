"""The scales that come with the program, a scale of one's own, and what is refused in one."""

import pytest

from equipoise.protocol import ProtocolRefused, faults_in, parse
from equipoise.protocol.grading import parse_range
from equipoise.refusals import Refusal
from equipoise.safety.circumstances import LabValue
from equipoise.safety.grading import grade_value
from equipoise.safety.scales import read_scale_file, scale_named, scale_of

OWN = """scale: Ward
version: "1"
ladders:
- parameter: CRP
  term: CRP raised
  direction: H
  unit: mg/L
  steps:
  - {grade: 1, range: "> 10 to 50"}
  - {grade: 2, range: "> 50 to 100"}
  - {grade: 3, range: "> 100"}
"""


@pytest.mark.parametrize(
    "name", ["daids-2.1", "DAIDS", "daids_v2.1", "Daids 2.1", "DAIDSv2.1", "DAIDS 2.1 (July 2017)"]
)
def test_names_of_daids(name):
    assert scale_named(name).label == "DAIDS 2.1 (July 2017)"


@pytest.mark.parametrize("name", ["ctcae-5.0", "CTCAE", "ctcae_v5", "CTCAE v5.0", "ctcae5"])
def test_names_of_ctcae(name):
    assert scale_named(name).label == "CTCAE 5.0"


@pytest.mark.parametrize("name", ["ctcae-4.03", "daids-2.0", "", "who"])
def test_another_scale_is_refused_with_the_list(name):
    with pytest.raises(Refusal) as refused:
        scale_named(name)
    assert str(refused.value) == (
        f"scale = {name}: is not a scale that comes with the program; "
        "use one of daids-2.1, ctcae-5.0, or your own with --scale-file"
    )


@pytest.mark.parametrize("name", ["daids-2.1", "ctcae-5.0"])
def test_ranges_are_told_as_they_are_written(name):
    steps = [step for ladder in scale_named(name).ladders for step in ladder.steps if step.range]
    assert len(steps) > 150
    assert [step.range for step in steps if step.values.text != step.range] == []


def test_the_tables_come_with_their_notice(checkout):
    notice = (checkout / "src" / "equipoise" / "safety" / "tables" / "NOTICE.txt").read_text(encoding="utf-8")
    for said in (
        "National Institutes of Health",
        "National Cancer Institute",
        "admiral",
        "Apache License, Version 2.0",
    ):
        assert said in notice


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.25 to < 2.5 x ULN", "1.25 to < 2.5 x ULN"),
        ("> ULN to 3 x ULN", "> ULN to 3 x ULN"),
        ("30 to < LLN", "30 to < LLN"),
        (">=10", ">= 10"),
        ("<LLN", "< LLN"),
    ],
)
def test_ranges(text, written):
    assert parse_range(text).text == written


OWN_IN_PROTOCOL = """grading:
    scale: own
    version: ward
    ladders:
      - {parameter: CRP, term: CRP raised, direction: H, unit: mg/L, steps: [{grade: 1, range: "> 5"}]}
"""


def protocol_text(checkout, grading):
    """The example protocol with another `safety.grading`."""
    text = (checkout / "examples" / "nk-hiv" / "protocol.yaml").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("  grading:")]
    return text.replace(line, "  " + grading.rstrip()).encode()


def test_the_scale_of_a_protocol(checkout):
    protocol = parse((checkout / "examples" / "nk-hiv" / "protocol.yaml").read_bytes())
    assert scale_of(protocol.safety.grading) is scale_named("daids-2.1")


def test_a_protocol_that_brings_its_own_scale(checkout):
    scale = scale_of(parse(protocol_text(checkout, OWN_IN_PROTOCOL)).safety.grading)
    assert grade_value(scale, LabValue("CRP", "6", "mg/L")).rule == "own ward, CRP raised: > 5 mg/L"


def test_a_version_that_does_not_come_with_the_program_is_refused(checkout):
    grading = parse(protocol_text(checkout, 'grading: {scale: CTCAE, version: "4.03"}')).safety.grading
    with pytest.raises(Refusal, match=r"^scale = CTCAE 4\.03: is not a scale that comes with the program"):
        scale_of(grading)


@pytest.mark.parametrize(
    ("grading", "told"),
    [
        (
            "grading: {scale: own, version: ward}",
            "safety.grading: ladders go with scale own, and own needs them; "
            "write the ladders of an own scale, or name a published one without any",
        ),
        (
            OWN_IN_PROTOCOL.replace("> 5", "> 5 to 9"),
            "safety.grading.ladders[0].steps[0].range = > 5 to 9: leaves values above it without a grade; "
            "leave the worst grade open on that side",
        ),
    ],
)
def test_a_faulty_scale_in_a_protocol_is_a_fault_of_its_line(checkout, grading, told):
    faults = faults_in(protocol_text(checkout, grading))
    assert [str(fault).partition(": ")[2] for fault in faults] == [told]


def read(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return read_scale_file(path)


def test_a_scale_of_ones_own(tmp_path):
    scale = read(tmp_path, OWN)
    grading = grade_value(scale, LabValue("crp", "0.06", "g/L"))
    assert (grading.grade, grading.rule) == ("2", "Ward 1, CRP raised: > 0.05 to 0.1 g/L")


STEP = "10: ladders[0].steps[1].range"
SHAPES = "`9 to < 10`, `< 7`, `30 to < LLN`, `> ULN to 3 x ULN` or `1.25 to < 2.5 x ULN`"
GAP = "close it, so that every value has a grade"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("> 50 to 100", "> 60 to 100", f"{STEP} = > 60 to 100: leaves a gap to > 10 to 50; {GAP}"),
        (
            "> 50 to 100",
            "> 50 to < 100",
            f"11: ladders[0].steps[2].range = > 100: leaves a gap to > 50 to < 100; {GAP}",
        ),
        (
            "> 50 to 100",
            "50 to 100",
            f"{STEP} = 50 to 100: overlaps > 10 to 50; let a value belong to one grade only",
        ),
        (
            '"> 100"',
            '"> 100 to 200"',
            "11: ladders[0].steps[2].range = > 100 to 200: leaves values above it without a grade; "
            "leave the worst grade open on that side",
        ),
        (
            "> 50 to 100",
            "> 5 x ULM to 100",
            f"{STEP} = > 5 x ULM to 100: is not a range of values; write it as {SHAPES}",
        ),
        ("> 50 to 100", "> 100 to 50", f"{STEP} = > 100 to 50: holds no value; write the smaller limit first"),
        (
            "> 50 to 100",
            "< 50 to 100",
            f"{STEP} = < 50 to 100: has a sign that points away from the range; write it as {SHAPES}",
        ),
        (
            "grade: 2",
            "grade: 4",
            f"11: ladders[0].steps[2].range = > 100: leaves a gap to > 10 to 50; {GAP}",
        ),
        (
            "> 10 to 50",
            "> 10",
            f"{STEP} = > 50 to 100: does not begin where > 10 ends; "
            "let each grade begin where the one below it ends; grades rise as values get worse",
        ),
        (
            "> 50 to 100",
            "> 10 to 50",
            "10: ladders[0].steps[1]: is the range of two steps; keep one of them, or say what each needs",
        ),
        (
            "  unit: mg/L\n",
            "",
            "8: ladders[0].steps[0].range = > 10 to 50: has a plain number although the ladder has no unit; "
            "add the ladder's unit, or write a multiple such as 3 x ULN",
        ),
        ("grade: 2", "grade: 7", "10: ladders[0].steps[1].grade = 7: must be at most 4; write 4 or a value below it"),
        (
            "direction: H",
            "direction: up",
            "6: ladders[0].direction = up: is not one of the values that the field takes; write 'L' or 'H'",
        ),
    ],
)
def test_a_faulty_scale_is_refused_with_its_line(tmp_path, old, new, fault):
    with pytest.raises(ProtocolRefused) as refused:
        read(tmp_path, OWN.replace(old, new, 1))
    assert str(refused.value).splitlines() == [f"{tmp_path}/own.yaml:{fault}"]
