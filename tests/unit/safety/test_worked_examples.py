"""Values whose grades were worked out by hand from the published tables."""

import pytest

from equipoise.safety.circumstances import LabValue
from equipoise.safety.grading import grade_value
from equipoise.safety.scales import scale_named


def lab(parameter, value, unit, **known):
    return LabValue(parameter, value, unit, **{"age": "40", **known})


DAIDS = [
    (1, lab("HGB", "10.9", "g/dL", sex="M"), "1"),
    (2, lab("HGB", "11.0", "g/dL", sex="M"), "0"),
    (5, lab("HGB", "9.9", "g/dL", sex="F"), "1"),
    (6, lab("HGB", "6.4", "g/dL", sex="F"), "4"),
    (9, lab("NEUT", "0.79", "10^9/L"), "2"),
    (10, lab("NEUT", "0.39", "10^9/L"), "4"),
    (13, lab("PLAT", "100", "10^9/L"), "1"),
    (14, lab("PLAT", "99.9", "10^9/L"), "2"),
    (17, lab("CD4", "139", "/uL", hiv="no"), "3"),
    (18, lab("LYM", "0.55", "10^9/L", hiv="yes"), "not-graded"),
    (21, lab("ALT", "100", "U/L", uln="40"), "2"),
    (22, lab("ALT", "200", "U/L", uln="40"), "3"),
    (25, lab("BILI", "22", "umol/L", uln="20"), "1"),
    (26, lab("BILI", "52", "umol/L", uln="20"), "3"),
    (29, lab("CREAT", "100", "umol/L", uln="110", baseline="50"), "4"),
    (30, lab("CREAT", "143", "umol/L", uln="110", baseline="140"), "1"),
    (33, lab("EGFR", "59", "mL/min/1.73 m2", baseline="70"), "3"),
    (34, lab("GLUC", "6.95", "mmol/L", fasting="yes"), "2"),
    (37, lab("SODIUM", "120.5", "mmol/L"), "3"),
    (38, lab("K", "6.5", "mmol/L"), "3"),
    (41, lab("PHOS", "0.64", "mmol/L", lln="0.8"), "2"),
    (42, lab("CK", "600", "U/L", uln="200"), "1"),
]
CTCAE = [
    (45, lab("HGB", "9.9", "g/dL", lln="13"), "2"),
    (46, lab("HGB", "12.5", "g/dL", lln="13"), "1"),
    (49, lab("CD4", "139", "/uL", lln="500"), "3"),
    (50, lab("ALT", "120", "U/L", uln="40", baseline="30"), "1"),
    (53, lab("ALT", "150", "U/L", uln="40", baseline="100"), "1"),
    (54, lab("CREAT", "100", "umol/L", uln="110", baseline="65"), "2"),
    (57, lab("LIPASE", "180", "U/L", uln="60", qualifier="asymptomatic"), "2"),
    (57, lab("LIPASE", "180", "U/L", uln="60", qualifier="symptomatic"), "3"),
    (58, lab("GLUC", "25", "mmol/L"), "not-graded"),
]
# The rest of the rules that a grader must get right, with their own grades.
TRAPS = [
    ("daids-2.1", lab("ALT", "44", "U/L", uln="40"), "0"),  # 1.1 x ULN, between normal and grade 1
    ("daids-2.1", lab("CREAT", "92.4", "umol/L", uln="110", baseline="60"), "3"),  # 1.54 x baseline, though normal
    ("daids-2.1", lab("TRIG", "3.42", "mmol/L", fasting="yes"), "1"),
    ("daids-2.1", lab("TRIG", "1000", "mg/dL", fasting="yes"), "3"),
    ("daids-2.1", lab("CREAT", "143", "umol/L", uln="110", baseline="143"), "1"),  # 1.3 x ULN belongs to grade 1
    ("daids-2.1", lab("PLAT", "50", "10^9/L"), "2"),
    ("daids-2.1", lab("TRIG", "11.4", "mmol/L", fasting="yes"), "3"),
    ("daids-2.1", lab("TRIG", "11.41", "mmol/L", fasting="yes"), "4"),
    ("daids-2.1", lab("NEUT", "799.5", "cells/mm3"), "2"),
    ("daids-2.1", lab("NEUT", "1000", "/mm3"), "1"),
    ("daids-2.1", lab("BILI", "0.33", "mg/dL", uln="0.3"), "1"),  # 1.1 x 0.3 = 0.33000000000000002 in binary
    ("ctcae-5.0", lab("SODIUM", "129.5", "mmol/L", lln="135", qualifier="none"), "2"),
    ("ctcae-5.0", lab("NEUT", "1.45", "10^9/L", lln="1.4"), "2"),
    ("ctcae-5.0", lab("CD4", "139", "/uL", lln="400", hiv="yes"), "3"),
    ("ctcae-5.0", lab("URATE", "500", "umol/L", uln="400", qualifier="consequences"), "3"),
]


@pytest.mark.parametrize(("number", "value", "grade"), DAIDS)
def test_daids(number, value, grade):
    assert grade_value(scale_named("daids-2.1"), value).grade == grade


@pytest.mark.parametrize(("number", "value", "grade"), CTCAE)
def test_ctcae(number, value, grade):
    assert grade_value(scale_named("ctcae-5.0"), value).grade == grade


@pytest.mark.parametrize(("scale", "value", "grade"), TRAPS)
def test_traps(scale, value, grade):
    assert grade_value(scale_named(scale), value).grade == grade
