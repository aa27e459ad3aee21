"""Which limits of normal hold, and what they make of a value."""

from datetime import date
from decimal import Decimal

import pytest

from equipoise.capture import range_flag, reference_range
from equipoise.protocol.eligibility import AgeRange
from equipoise.protocol.forms import ReferenceRange

HB = (
    ReferenceRange(low=130, high=175, sex="M"),
    ReferenceRange(low=115, high=150, sex="F"),
    ReferenceRange(low=120, high=150, sex="F", site="02"),
    ReferenceRange(low=118, high=150, sex="F", from_date="2019-01-01"),
)
BY_AGE = (ReferenceRange(high=26, age=AgeRange(to_years=49)), ReferenceRange(high=30, age=AgeRange(from_years=50)))


def found(ranges, *, sex="F", age=40, site="01", on=date(2018, 2, 1)):
    return reference_range(ranges, sex=sex, age=age, site=site, on=on)


def test_the_range_of_the_sex_the_site_and_the_day():
    assert found(HB, sex="M") == HB[0]
    assert found(HB) == HB[1]
    assert found(HB, site="02") == HB[2]
    assert found(HB, on=date(2018, 12, 31)) == HB[1]
    assert found(HB, on=date(2019, 1, 1)) == HB[3]
    assert found(HB, site="02", on=date(2019, 1, 1)) == HB[2]  # the site's own before the newest general one
    assert found(HB, sex=None) is None
    assert found((), sex="M") is None


def test_ages_are_whole_years_with_both_ends_included():
    assert [found(BY_AGE, age=age) for age in (49, 50, None)] == [BY_AGE[0], BY_AGE[1], None]


@pytest.mark.parametrize(
    ("value", "limits", "flag"),
    [
        ("114.9", HB[1], "LOW"),
        ("115", HB[1], "NORMAL"),
        ("150", HB[1], "NORMAL"),
        ("150.1", HB[1], "HIGH"),
        ("0", BY_AGE[0], "NORMAL"),
        ("27", BY_AGE[0], "HIGH"),
        ("27", None, None),
        ("27", ReferenceRange(), None),
    ],
)
def test_flags(value, limits, flag):
    assert range_flag(Decimal(value), limits) == flag
