"""SAMPL, number by number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.forms import Item
from equipoise.report import numbers

NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "places", "printed"),
    [
        (67.033, 0, "67"),
        (67.033, 1, "67.0"),
        (-1.5, 1, "−1.5"),
        (-0.0004, 2, "0.00"),
        (0.0, 0, "0"),
        (None, 1, "–"),
    ],
)
def test_a_number_has_its_decimals_a_true_minus_and_no_negative_zero(value, places, printed):
    assert numbers.fixed(value, places) == printed


@pytest.mark.parametrize(
    ("p", "printed"),
    [
        (0.0241, "0.024"),
        (0.0062, "0.006"),
        (0.3349, "0.33"),
        (0.1004, "0.10"),
        (0.00099, f"<{NARROW}0.001"),
        (0.0, f"<{NARROW}0.001"),
        (0.9951, f">{NARROW}0.99"),
        (None, "–"),
    ],
)
def test_p_is_exact_to_two_or_three_digits(p, printed):
    assert numbers.probability(p) == printed


@given(st.floats(0, 1))
def test_no_p_is_printed_as_nought_or_one(p):
    assert numbers.probability(p) not in {"0.000", "0.00", "1.00", "1.000", ""}


@pytest.mark.parametrize(("p", "printed"), [(0.024, f"P{NARROW}={NARROW}0.024"), (0.0001, f"P{NARROW}<{NARROW}0.001")])
def test_a_p_in_a_sentence_stays_on_one_line(p, printed):
    assert numbers.p_statement(p) == printed


def test_an_interval_uses_the_word_between_negative_limits():
    assert numbers.interval(-12.34, -1.0, 1) == "−12.3 to −1.0"


def test_an_open_end_of_an_interval_is_named():
    assert numbers.interval(None, 4.0, 0) == "no lower limit to 4"
    assert numbers.interval(None, None, 0) == "–"


@pytest.mark.parametrize(
    ("unit", "printed"),
    [
        ("cells/uL", "cells/µL"),
        ("/uL", f"per{NARROW}µL"),
        ("10*9/L", "10⁹/L"),
        ("umol/L", "µmol/L"),
        ("{copies}/mL", "copies/mL"),
        ("Cel", "°C"),
        ("Cells", "Cells"),
        ("sqrt(cells/uL)", "√(cells/µL)"),
        ("1", ""),
        ("a", "years"),
        (None, ""),
    ],
)
def test_ucum_is_printed_as_people_write_it(unit, printed):
    assert numbers.unit_text(unit) == printed


def test_a_unit_follows_its_number_and_a_dash_has_none():
    assert numbers.with_unit("67", "cells/uL") == f"67{NARROW}cells/µL"
    assert numbers.with_unit("–", "cells/uL") == "–"
    assert numbers.with_unit("0.2", "1") == "0.2"


@pytest.mark.parametrize(
    ("count", "total", "printed"), [(3, 19, None), (7, 20, "35%"), (0, 0, None), (45, 467, "9.6%"), (1, 199, "1%")]
)
def test_few_participants_have_no_per_cent(count, total, printed):
    assert numbers.per_cent(count, total) == printed


@pytest.mark.parametrize(("df", "printed"), [(18.0, "18"), (16.7702, "16.77"), (None, "–")])
def test_whole_degrees_of_freedom_are_printed_whole(df, printed):
    assert numbers.degrees(df) == printed


@pytest.mark.parametrize(("count", "printed"), [(9999, "9999"), (20000, f"20{NARROW}000")])
def test_thousands_are_parted_from_ten_thousand_on(count, printed):
    assert numbers.grouped(count) == printed


def test_a_summary_has_one_digit_more_than_was_measured():
    whole = Item(id="age", question="Age", type="integer")
    tenths = Item(id="weight", question="Weight", type="decimal", places=1)
    assert (numbers.places_of_summary(whole), numbers.places_of_summary(tenths)) == (1, 2)
