"""Numbers that are only bounds, and rules asked of all that they may be."""

from decimal import Decimal

import pytest

from equipoise.donors import ProductRefused, parse_measured
from equipoise.donors.measured import plain, spanning
from equipoise.protocol.rules import parse_rule


@pytest.mark.parametrize(
    ("text", "shows", "exact"),
    [
        ("0.05", "0.05", "0.05"),
        (" 1.2e8 ", "120000000", "1.2e8"),
        ("< 0.05", "< 0.05", None),
        ("<=0.05", "<= 0.05", None),
        ("≤ 0.05", "<= 0.05", None),
        ("> 95", "> 95", None),
        (">= 95", ">= 95", None),
        ("≥95", ">= 95", None),
        ("0", "0", "0"),
        ("<= 1e-3", "<= 0.001", None),
    ],
)
def test_a_number_is_read_as_laboratories_write_it(text, shows, exact):
    measured = parse_measured(text, "result of endotoxin")
    assert str(measured) == shows
    assert measured.exact == (None if exact is None else Decimal(exact))


@pytest.mark.parametrize("text", ["", "low", "-1", "1,5", "1e999", "NaN", "inf", "< ", "<< 5", "5 %", "１", "1" * 30])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ProductRefused) as refused:
        parse_measured(text, "result of endotoxin")
    assert str(refused.value) == (
        f"result of endotoxin = {text}: is not a number; "
        "write a number of zero or more, such as 0.05, or a bound, such as < 0.05"
    )


def test_less_than_nothing_is_refused():
    with pytest.raises(ProductRefused) as refused:
        parse_measured("< 0", "result of endotoxin")
    assert str(refused.value) == "result of endotoxin = < 0: is below zero; write the limit of detection"


@pytest.mark.parametrize(
    ("text", "rule", "meets"),
    [
        ("5", "value < 5", False),
        ("4.999", "value < 5", True),
        ("< 5", "value < 5", True),
        ("<= 5", "value < 5", None),
        ("< 0.05", "value < 5", True),
        ("< 10", "value < 5", None),
        ("> 5", "value < 5", False),
        (">= 5", "value < 5", False),
        (">= 4.99", "value < 5", None),
        ("> 85", "value >= 85", True),
        ("> 84", "value >= 85", None),
        (">= 85", "value >= 85", True),
        ("< 85", "value >= 85", False),
        ("<= 85", "value >= 85", None),
        ("> 10", "10 < value <= 20", None),
        ("> 20", "10 < value <= 20", False),
        ("< 5", "value != 3", None),
        ("< 3", "value != 3", True),
        ("< 5", "value in [3, 4]", None),
        ("> 4", "value not in [3, 4]", True),
        ("< 5", "not value >= 5", True),
        ("< 5", "value < 2 or value >= 2", True),
        ("< 5", "value < 2 and value > 2", False),
        ("< 5", "value * 2 < 100", None),  # a rule that calculates is asked of exact numbers only
        ("4", "value * 2 < 100", True),
    ],
)
def test_a_rule_is_met_only_where_all_that_a_number_may_be_agrees(text, rule, meets):
    assert parse_measured(text, "result").meets(parse_rule(rule)) is meets


@pytest.mark.parametrize(
    ("one", "other", "product"),
    [
        ("2", "3", "6"),
        ("< 2", "3", "< 6"),
        ("<= 2", "3", "<= 6"),
        ("<= 2", "<= 3", "<= 6"),
        ("<= 2", "< 3", "< 6"),
        ("> 2", "3", "> 6"),
        (">= 2", "> 3", "> 6"),
        (">= 2", ">= 3", ">= 6"),
        ("> 2", "< 3", ">= 0"),  # nothing is not ruled out
    ],
)
def test_bounds_multiply(one, other, product):
    first, second = parse_measured(one, "result"), parse_measured(other, "result")
    assert {str(first.times(second)), str(second.times(first))} == {product}


def test_bounds_are_divided():
    shows = [str(parse_measured(text, "result").over(Decimal(4))) for text in ("6", "< 6", "<= 6", "> 6", ">= 6")]
    assert shows == ["1.5", "< 1.5", "<= 1.5", "> 1.5", ">= 1.5"]


def test_several_numbers_span_from_least_to_most():
    several = [parse_measured(text, "result") for text in ("3", "< 2", "5")]
    assert str(spanning(several)) == "<= 5"
    assert str(spanning([parse_measured("3", "r"), parse_measured("5", "r")])) == "3 to 5"
    assert str(spanning([parse_measured("3", "r"), parse_measured("> 5", "r")])) == ">= 3"


@pytest.mark.parametrize(
    ("value", "text"),
    [("33333.333333", "33333.3"), ("0.8333333", "0.833333"), ("1e8", "100000000"), ("0", "0"), ("0.50", "0.5")],
)
def test_numbers_are_shown_in_digits(value, text):
    assert plain(Decimal(value)) == text
