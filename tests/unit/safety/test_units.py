"""Which units are the same, and which are not although they look it."""

import pytest

from equipoise.safety.parameters import NAMES, UNITS, parameter_of
from equipoise.safety.units import Unit, unit_of

GIGA_PER_LITRE = [
    "10^9/L", "10*9/L", "x10^9/L", "X 10^9 / L", "×10⁹/L", "10E9/L", "10e9/L", "G/L", "Gpt/L",
    "10^3/uL", "10*3/uL", "K/uL", "k/µL", "10³/μL", "thou/uL", "x10^3/mm3", "10^3 cells/uL", "10**9/l",
    "K/UL", "X10^3/UL",
]  # fmt: skip
PER_MICROLITRE = ["/uL", "cells/uL", "{cells}/uL", "cells/mm3", "/mm3", "/mm^3", "cell/µL", "10^6/L", "/cmm", "/mm³"]


@pytest.mark.parametrize("text", GIGA_PER_LITRE)
def test_giga_per_litre(text):
    assert unit_of(text) == Unit("count", 9)


@pytest.mark.parametrize("text", PER_MICROLITRE)
def test_per_microlitre(text):
    assert unit_of(text) == Unit("count", 6)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("g/L", Unit("mass", 0)),
        ("g/dL", Unit("mass", 1)),
        ("g/dl", Unit("mass", 1)),
        ("mg/dL", Unit("mass", -2)),
        ("mg/L", Unit("mass", -3)),
        ("ug/dL", Unit("mass", -5)),
        ("mcg/dL", Unit("mass", -5)),
        ("µmol/L", Unit("substance", -6)),
        ("umol/L", Unit("substance", -6)),
        ("micromol/L", Unit("substance", -6)),
        ("mcmol/L", Unit("substance", -6)),
        ("millimol/L", Unit("substance", -3)),
        ("mg%", Unit("mass", -2)),
        ("mval/L", Unit("equivalents", -3)),
        ("mmol/L", Unit("substance", -3)),
        ("mEq/L", Unit("equivalents", -3)),
        ("mL/min/1.73 m²", Unit("filtration by area", 0)),
        ("mL/min/{1.73_m2}", Unit("filtration by area", 0)),
        ("mL/min", Unit("filtration", 0)),
        ("ML/MIN", Unit("filtration", 0)),
        ("G/DL", Unit("mass", 1)),
        ("MG/DL", Unit("mass", -2)),
        ("MMOL/L", Unit("substance", -3)),
        ("U/L", Unit("enzyme units", 0)),
        ("u/l", Unit("enzyme units", 0)),
        ("IU/L", Unit("enzyme units", 0)),
        ("[iU]/L", Unit("enzyme units", 0)),
        ("units/L", Unit("enzyme units", 0)),
        ("mU/mL", Unit("enzyme units", 0)),
        ("U/mL", Unit("enzyme units", 3)),
        ("µkat/L", Unit("katals", -6)),
        ("mckat/L", Unit("katals", -6)),
        ("UKAT/L", Unit("katals", -6)),
        ("nkat/l", Unit("katals", -9)),
    ],
)
def test_units_of_mass_substance_filtration_and_activity(text, unit):
    assert unit_of(text) == unit


@pytest.mark.parametrize("text", ["", "g", "%", "U", "mg/kg", "G", "copies/mL", "Mg/L", "MG/L", "10/L/L"])
def test_other_units_are_not_known(text):
    assert unit_of(text) is None


def test_a_milliequivalent_is_a_millimole_of_a_monovalent_ion_only():
    assert unit_of("mEq/L", "K") == unit_of("mmol/L", "K")
    assert unit_of("mEq/L", "MG") != unit_of("mmol/L", "MG")


def test_every_parameter_has_usual_units_and_every_one_of_these_is_known():
    assert set(UNITS) == set(NAMES)
    assert [(code, text) for code, usual in UNITS.items() for text in usual if unit_of(text, code) is None] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("Haemoglobin", "HGB"), ("alt", "ALT"), ("Na+", "SODIUM"), ("TLYH", "CD4"), ("uric acid", "URATE"), ("x", "X")],
)
def test_parameters_have_many_names(name, code):
    assert parameter_of(name) == code
