"""A worse value never has a milder grade, and a unit of another power of ten never another grade."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from equipoise.safety.circumstances import LabValue
from equipoise.safety.grading import grade_value
from equipoise.safety.scales import scale_named

DAIDS = scale_named("daids-2.1")
KNOWN = {"lln": "", "sex": "F", "age": "40", "fasting": "yes", "hiv": "no"}
UP = {"ALT": ("U/L", "40"), "BILI": ("umol/L", "20"), "CREAT": ("umol/L", "110"), "TRIG": ("mmol/L", "")}
DOWN = {
    "HGB": ("g/dL", ""),
    "NEUT": ("10^9/L", ""),
    "CD4": ("10^9/L", ""),
    "EGFR": ("mL/min", ""),
    "MG": ("mmol/L", ""),
}
values = st.decimals(0, 1000, places=3)


def grade(parameter, value, unit, uln):
    known = {**KNOWN, "uln": uln, "baseline": "77"}
    return grade_value(DAIDS, LabValue(parameter, format(value, "f"), unit, **known)).number


@given(st.sampled_from(sorted({**UP, **DOWN})), values, values)
def test_a_worse_value_is_never_milder(parameter, one, other):
    unit, uln = {**UP, **DOWN}[parameter]
    low, high = (grade(parameter, value, unit, uln) for value in sorted((one, other)))
    assert low is not None
    assert low <= high if parameter in UP else low >= high


@given(st.sampled_from([("PLAT", "10^9/L", "/uL", 3), ("HGB", "g/dL", "g/L", 1), ("GLUC", "mg/dL", "g/L", -2)]), values)
def test_a_power_of_ten_changes_nothing(units, value):
    parameter, unit, other, power = units
    scaled = Decimal(value).scaleb(power)
    assert grade(parameter, value, unit, "") == grade(parameter, scaled, other, "")
