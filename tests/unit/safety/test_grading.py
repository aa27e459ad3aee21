"""What is said with a grade, and what happens when something is missing or unreadable."""

import pytest

from equipoise.protocol.grading import Ladder
from equipoise.safety.circumstances import LabValue
from equipoise.safety.grading import grade_value
from equipoise.safety.parameters import UNITS
from equipoise.safety.plans import Grading
from equipoise.safety.readings import read_number
from equipoise.safety.scales import Scale, scale_named
from equipoise.safety.units import unit_of

DAIDS, CTCAE = scale_named("daids-2.1"), scale_named("ctcae-5.0")
DAIDS_LABEL, CTCAE_LABEL = "DAIDS 2.1 (July 2017)", "CTCAE 5.0"


def graded(scale, parameter, value, unit, **known):
    return grade_value(scale, LabValue(parameter, value, unit, **{"age": "40", **known}))


def test_the_rule_names_scale_version_term_range_unit_and_for_whom():
    assert graded(DAIDS, "HGB", "9.5", "g/dL", sex="M") == Grading(
        "2", "L", f"{DAIDS_LABEL}, Hemoglobin, Low: 9 to < 10 g/dL, male, >= 13 years", ""
    )


def test_the_range_is_told_in_the_unit_that_was_reported():
    assert graded(DAIDS, "PLAT", "60000", "cells/µL").rule == (
        f"{DAIDS_LABEL}, Platelets, Decreased: 50000 to < 100000 cells/µL"
    )
    assert graded(CTCAE, "PLAT", "60000", "/uL", lln="150000").rule == (
        f"{CTCAE_LABEL}, Platelet count decreased: 50000 to < 75000 /uL"
    )
    assert graded(DAIDS, "GLUC", "1.3", "g/L", fasting="yes").rule == (
        f"{DAIDS_LABEL}, Glucose Fasting, High: > 1.25 to 2.5 g/L, fasting"
    )


def test_no_grade_has_the_terms_that_were_looked_at_and_no_direction():
    assert graded(DAIDS, "K", "4.0", "mmol/L") == Grading(
        "0", "", f"{DAIDS_LABEL}, Potassium, High; Potassium, Low: no range holds", ""
    )


@pytest.mark.parametrize(
    ("scale", "parameter", "value", "unit", "known", "note"),
    [
        (DAIDS, "ALT", "100", "U/L", {}, "uln is missing"),
        (DAIDS, "ALT", "100", "U/L", {"uln": "forty"}, "uln is not a usable number"),
        (DAIDS, "ALT", "100", "U/L", {"uln": "0"}, "uln is not a usable number"),
        (DAIDS, "CREAT", "60", "umol/L", {"uln": "110"}, "baseline is missing"),
        (DAIDS, "ALB", "33", "g/L", {}, "lln is missing"),
        (DAIDS, "ALT", "100", "U/L", {"lln": "50", "uln": "40"}, "lln is above uln; correct them"),
        (DAIDS, "HGB", "9.5", "g/dL", {}, "sex is unknown, and the grade differs by sex"),
        (
            DAIDS,
            "HGB",
            "9.5",
            "g/dL",
            {"sex": "X"},
            "sex is unknown, and the grade differs by sex; sex = X is not M or F, so it counts as unknown",
        ),
        (DAIDS, "CD4", "139", "/uL", {}, "hiv is unknown, and the limits hold only without HIV or only with it"),
        (
            CTCAE,
            "ALT",
            "50",
            "U/L",
            {"uln": "40"},
            "baseline is missing or cannot be placed, and the grade differs by a normal or abnormal one",
        ),
        (DAIDS, "K", "5,7", "mmol/L", {}, "no number: value = 5,7; write digits with a point"),
        (DAIDS, "K", "haemolysed", "mmol/L", {}, "no number: value = haemolysed; write digits with a point"),
        (DAIDS, "K", "-5", "mmol/L", {}, "no number: value = -5; write digits with a point"),
        (DAIDS, "K", " ", "mmol/L", {}, "value is missing"),
        (
            DAIDS,
            "GLUC",
            "100",
            "furlong",
            {"fasting": "yes"},
            f"unit furlong is not one that {DAIDS_LABEL} has limits in; report it in mmol/L, mg/dL, "
            "never convert by hand",
        ),
        (
            DAIDS,
            "K",
            "4",
            "",
            {},
            f"no unit is given of those that {DAIDS_LABEL} has limits in; report it in mmol/L, never convert by hand",
        ),
        (
            DAIDS,
            "ALT",
            "200",
            "mmol/L",
            {"uln": "40"},
            "unit mmol/L cannot be one of ALT, which is measured in units such as U/L, IU/L, ukat/L or nkat/L; "
            "correct the unit",
        ),
        (
            DAIDS,
            "CREAT",
            "200",
            "U/L",
            {"uln": "110", "baseline": "80"},
            "unit U/L cannot be one of CREAT, which is measured in units such as umol/L or mg/dL; correct the unit",
        ),
        (
            CTCAE,
            "Lipase",
            "180",
            "10^9/L",
            {"uln": "60", "age": ""},
            "unit 10^9/L cannot be one of Lipase, which is measured in units such as U/L, IU/L, ukat/L or nkat/L; "
            "correct the unit",
        ),
        (
            DAIDS,
            "ALT",
            "200",
            "furlong",
            {"uln": "40"},
            "unit furlong is not known; write it in a known way, such as U/L, IU/L, ukat/L or nkat/L",
        ),
        (
            DAIDS,
            "PLAT",
            "<60",
            "G/L",
            {},
            "not exact enough: values < 60 may have grade 2, 3 or 4; report a more exact value",
        ),
        (DAIDS, "PLAT", "<0", "G/L", {}, "the value lies below 0; correct it"),
    ],
)
def test_what_decides_and_is_missing_makes_a_value_not_gradable_and_never_0(scale, parameter, value, unit, known, note):
    grading = graded(scale, parameter, value, unit, **known)
    assert (grading.grade, grading.direction, grading.note, grading.number) == ("not-gradable", "", note, None)


@pytest.mark.parametrize(
    ("scale", "parameter", "unit"),
    [(DAIDS, "HGB", "U/L"), (CTCAE, "HGB", "U/L"), (DAIDS, "SODIUM", "10^9/L"), (CTCAE, "SODIUM", "10^9/L")],
)
def test_a_unit_that_the_parameter_cannot_have_is_not_gradable_where_limits_have_units_too(scale, parameter, unit):
    grading = graded(scale, parameter, "9", unit, lln="13", uln="17", sex="M")
    assert grading.grade == "not-gradable"
    assert grading.note.startswith(f"unit {unit} is not one that {scale.label} has limits in; report it in ")


@pytest.mark.parametrize(
    ("parameter", "unit"),
    [("ALT", "IU/L"), ("ALT", "µkat/L"), ("ALT", "u/l"), ("BILI", "mg/dL"), ("BILI", "umol/L"), ("CREAT", "mg/L")],
)
def test_a_multiple_holds_in_every_unit_that_the_parameter_can_have(parameter, unit):
    grading = graded(DAIDS, parameter, "5.2", unit, uln="1", baseline="1")
    assert (grading.grade, grading.note) == ("4" if parameter in ("BILI", "CREAT") else "3", "")


@pytest.mark.parametrize("scale", [DAIDS, CTCAE])
@pytest.mark.parametrize("unit", ["g/L", "mmol/L", "mEq/L", "10^9/L", "U/L", "ukat/L", "mL/min", "furlong"])
def test_nothing_has_a_grade_in_a_unit_of_another_kind(scale, unit):
    known = {"lln": "10", "uln": "20", "baseline": "15", "sex": "M", "fasting": "yes", "hiv": "no"}
    reported = {code: unit_of(unit, code) for code in scale.by_parameter}
    kinds = {code: {unit_of(text, code).kind for text in UNITS[code]} for code in scale.by_parameter}
    foreign = [code for code, read in reported.items() if read is None or read.kind not in kinds[code]]
    assert len(foreign) > 10
    grades = {code: graded(scale, code, value, unit, **known) for code in foreign for value in ("1", "15", "900")}
    assert [code for code, grading in grades.items() if grading.number is not None] == []


def test_a_parameter_of_an_own_scale_is_graded_in_any_unit():
    crp = Ladder.model_validate(
        {"parameter": "CRP", "term": "Raised", "direction": "H", "steps": [{"grade": 1, "range": "> ULN"}]}
    )
    assert graded(Scale("ward", "Ward 1", (crp,)), "CRP", "9", "furlong", uln="5").grade == "1"


def test_a_multiple_holds_without_a_unit_and_the_note_says_so():
    grading = graded(DAIDS, "ALT", "200", "", uln="40")
    assert (grading.grade, grading.note) == ("3", "no unit is given: value and limits are taken to share one")


@pytest.mark.parametrize(
    ("scale", "parameter", "value", "unit", "known", "note"),
    [
        (DAIDS, "CRP", "9", "mg/L", {}, f"{DAIDS_LABEL} does not grade CRP"),
        (DAIDS, "CD4", "139", "/uL", {"hiv": "yes"}, f"{DAIDS_LABEL} grades this only in participants without HIV"),
        (DAIDS, "CHOL", "9", "mmol/L", {"fasting": "no"}, "the limits hold only for a fasting specimen"),
        (
            DAIDS,
            "CHOL",
            "9",
            "mmol/L",
            {},
            "the limits hold only for a fasting specimen; fasting is unknown",
        ),
        (DAIDS, "CHOL", "9", "mmol/L", {"fasting": "yes", "age": "17"}, "the scale has no limits for this age here"),
        (
            CTCAE,
            "PHOS",
            "3.0",
            "mmol/L",
            {},
            f"{CTCAE_LABEL} gives no numeric limits for Hypophosphatemia and Hyperphosphatemia: "
            "it is graded clinically",
        ),
        (
            CTCAE,
            "GLUC",
            "25",
            "mmol/L",
            {"lln": "3.9", "uln": "6.1"},
            f"{CTCAE_LABEL} gives no numeric limits for Hyperglycemia: it is graded clinically",
        ),
    ],
)
def test_what_the_scale_does_not_grade_is_not_graded(scale, parameter, value, unit, known, note):
    grading = graded(scale, parameter, value, unit, **known)
    assert (grading.grade, grading.direction, grading.note) == ("not-graded", "", note)


def test_a_normal_glucose_is_0_although_high_glucose_is_clinical():
    assert graded(CTCAE, "GLUC", "5", "mmol/L", lln="3.9", uln="6.1").grade == "0"
    assert graded(CTCAE, "GLUC", "2.9", "mmol/L").grade == "2"


def test_unknown_sex_is_no_matter_where_both_sexes_agree():
    grading = graded(DAIDS, "HGB", "6", "g/dL")
    assert (grading.grade, grading.note) == ("4", "sex is unknown: the grade is the same for both sexes")


def test_a_missing_alternative_is_said():
    grading = graded(DAIDS, "CREAT", "130", "umol/L", uln="110")
    assert (grading.grade, grading.note) == ("1", "the grade may be higher: baseline is missing")


def test_without_baseline_a_value_up_to_uln_is_0_for_a_normal_and_an_abnormal_one():
    assert graded(CTCAE, "ALT", "40", "U/L", uln="40").grade == "0"
    assert graded(CTCAE, "ALT", "40.1", "U/L", uln="40").grade == "not-gradable"


def test_an_abnormal_baseline_is_said():
    assert graded(CTCAE, "ALT", "150", "U/L", uln="40", baseline="100") == Grading(
        "1",
        "H",
        f"{CTCAE_LABEL}, Alanine aminotransferase increased: 1.5 to 3 x BASE, abnormal baseline",
        "the baseline is above the limit of normal: graded by multiples of the baseline",
    )


@pytest.mark.parametrize(
    ("scale", "parameter", "value", "unit", "known"),
    [
        (CTCAE, "NEUT", "1.45", "10^9/L", {"lln": "1.4"}),
        (DAIDS, "CREAT", "100", "umol/L", {"uln": "110", "baseline": "50"}),
    ],
)
def test_a_grade_within_the_limits_of_normal_is_flagged(scale, parameter, value, unit, known):
    note = "the value lies within the laboratory's limits of normal; the scale's own limit grades it"
    assert graded(scale, parameter, value, unit, **known).note == note


def test_unknown_fasting_grades_glucose_by_the_other_limits():
    grading = graded(DAIDS, "GLUC", "7", "mmol/L")
    assert (grading.grade, grading.note) == ("1", "fasting is unknown: graded by the non-fasting limits")


def test_unknown_age_grades_as_an_adult_and_says_so():
    grading = graded(DAIDS, "HGB", "9.5", "g/dL", sex="M", age="")
    assert (grading.grade, grading.note) == ("2", "age is unknown: graded as an adult")
    assert graded(DAIDS, "HGB", "9.5", "g/dL", sex="M", age="forty").note == (
        "age = forty is not a number of years, so it counts as unknown; age is unknown: graded as an adult"
    )


@pytest.mark.parametrize(
    ("parameter", "value", "known", "grades"),
    [
        # qualifier: not answered, by the worst case, none, the graver answer
        ("LIPASE", "180", {"uln": "60"}, ("2", "3", "2", "symptomatic", "3")),
        ("LIPASE", "400", {"uln": "60"}, ("3", "4", "3", "symptomatic", "4")),
        ("LIPASE", "100", {"uln": "60"}, ("2", "2", "2", "symptomatic", "2")),
        ("URATE", "500", {"uln": "400"}, ("1", "3", "1", "consequences", "3")),
        ("K", "3.2", {"lln": "3.5", "uln": "5"}, ("1", "2", "1", "symptomatic", "2")),
    ],
)
def test_a_qualifier_decides_and_its_absence_is_said(parameter, value, known, grades):
    unit = {"K": "mmol/L", "URATE": "umol/L"}.get(parameter, "U/L")
    row = {"age": "40", **known}
    open_question = LabValue(parameter, value, unit, **row)
    least, worst, none, word, answered = grades
    assert grade_value(CTCAE, open_question).grade == least
    assert grade_value(CTCAE, open_question, unanswered="worst").grade == worst
    assert ("worst case" in grade_value(CTCAE, open_question).note) == (least != worst)
    assert grade_value(CTCAE, LabValue(parameter, value, unit, **row, qualifier="none")).grade == none
    assert grade_value(CTCAE, LabValue(parameter, value, unit, **row, qualifier=word)).grade == answered


def test_the_worst_case_is_told():
    assert graded(CTCAE, "LIPASE", "180", "U/L", uln="60").note == (
        "qualifier not answered: every answer gives grade 2 or more; worst case grade 3 if symptomatic, least grade 2"
    )
    assert graded(DAIDS, "BILDIR", "30", "umol/L", uln="5").note == (
        "qualifier not answered: every answer gives grade 0 or more; worst case grade 4 if life threatening, "
        "least grade 0"
    )


def test_an_answer_to_another_question_is_told():
    assert graded(CTCAE, "LIPASE", "180", "U/L", uln="60", qualifier="sympotmatic").note.startswith(
        "qualifier = sympotmatic answers nothing here; use asymptomatic, symptomatic or none"
    )


@pytest.mark.parametrize(
    ("value", "grade"),
    [("<20", "4"), ("< 25", "4"), ("<= 24.9", "4"), ("<=25", "not-gradable"), (">125", "0"), (">=125", "0")],
)
def test_a_detection_limit_is_graded_when_all_it_may_be_has_one_grade(value, grade):
    assert graded(DAIDS, "PLAT", value, "10*9/L").grade == grade


def test_a_detection_limit_tells_its_grade_and_rule():
    assert graded(DAIDS, "PLAT", "< 20", "10*9/L") == Grading(
        "4", "L", f"{DAIDS_LABEL}, Platelets, Decreased: < 25 10*9/L", "all values < 20 have this grade"
    )


def test_both_ends_of_a_scale_within_a_detection_limit():
    assert graded(DAIDS, "K", ">2.6", "mmol/L").grade == "not-gradable"
    assert graded(DAIDS, "K", ">7", "mmol/L").grade == "4"
    assert graded(DAIDS, "EGFR", "<25", "mL/min", baseline="90").grade == "4"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e3", "1000"), (".5", "0.5"), ("5.", "5"), ("007", "7"), ("0.1000", "0.1"), ("≤5", "5"), ("> 1.5E-2", "0.015")],
)
def test_numbers_that_are_read(text, number):
    reading = read_number(text)
    assert reading is not None
    assert str(reading.number.normalize()) in (number, f"{float(number):.0E}".replace("+0", "+"), "1E+3")


@pytest.mark.parametrize("text", ["", "-1", "+1", "1,000", "1 000", "nan", "inf", "5 mg", "<", "1e999", "٣", "5-6"])
def test_texts_that_are_no_numbers(text):
    assert read_number(text) is None


def test_numbers_of_any_length_are_compared_exactly():
    just_below, at = "24." + "9" * 25, "25." + "0" * 25
    assert graded(DAIDS, "PLAT", just_below, "10^9/L").grade == "4"
    assert graded(DAIDS, "PLAT", at, "10^9/L").grade == "3"
    assert graded(DAIDS, "PLAT", "1e60", "10^9/L").grade == "0"
