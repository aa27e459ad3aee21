"""One answer: what it is stored as, what a rule reads, and why it is refused."""

from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pytest

from equipoise.capture import AnswerError, normal_text, value_of
from equipoise.capture.values import number_text

CODES = {"FEVER": "Fever", "RASH": "Rash", "COUGH": "Cough"}


@pytest.mark.parametrize(
    ("type", "raw", "text", "value"),
    [
        ("integer", "139", "139", Decimal(139)),
        ("integer", " +0139 ", "139", Decimal(139)),
        ("integer", 139, "139", Decimal(139)),
        ("integer", np.int64(139), "139", Decimal(139)),
        ("integer", "139.0", "139", Decimal(139)),
        ("integer", "1e8", "100000000", Decimal(100000000)),
        ("integer", "-0", "0", Decimal(0)),
        ("decimal", "1.50", "1.5", Decimal("1.5")),
        ("decimal", ".5", "0.5", Decimal("0.5")),
        ("decimal", "5.", "5", Decimal(5)),
        ("decimal", Decimal("0.10"), "0.1", Decimal("0.1")),
        ("decimal", "1.5E-2", "0.015", Decimal("0.015")),
        ("decimal", "100", "100", Decimal(100)),
        ("date", "2018-02-28", "2018-02-28", date(2018, 2, 28)),
        ("date", date(2018, 2, 28), "2018-02-28", date(2018, 2, 28)),
        ("time", "08:30", "08:30", time(8, 30)),
        ("time", time(8, 30), "08:30", time(8, 30)),
        ("yes-no", "Yes", "yes", True),
        ("yes-no", "N", "no", False),
        ("yes-no", True, "yes", True),
        ("yes-no", False, "no", False),
        ("choice", " RASH ", "RASH", "RASH"),
        ("many", ["COUGH", "FEVER", "COUGH"], '["FEVER", "COUGH"]', frozenset({"FEVER", "COUGH"})),
        ("many", '["RASH"]', '["RASH"]', frozenset({"RASH"})),
        ("many", "RASH", '["RASH"]', frozenset({"RASH"})),
        ("many", frozenset(), "[]", frozenset()),
        ("text", "  as\nseen ", "as\nseen", "as\nseen"),
        ("text", "e\u0301", "é", "é"),
    ],
)
def test_an_answer_has_one_text_and_one_value(item, type, raw, text, value):
    of = item(type)
    assert normal_text(of, raw, CODES) == text
    assert value_of(of, text) == value
    assert normal_text(of, text, CODES) == text  # the stored text is itself an answer


@pytest.mark.parametrize(
    ("type", "raw", "more", "problem"),
    [
        ("integer", "12x", {}, "is not a number; write digits, such as 139 or 1.5"),
        ("integer", "1.5", {}, "is not a whole number; write it without decimals"),
        ("integer", True, {}, "is not a number; write digits, such as 139 or 1.5"),
        ("integer", "٣", {}, "is not a number; write digits, such as 139 or 1.5"),
        ("decimal", 1.5, {}, "is a binary fraction, which is not exact; pass it as text or Decimal"),
        ("decimal", "1,5", {}, "has a comma; write the decimals after a point, and no mark between thousands"),
        ("decimal", "1,234,567", {}, "is not a number; write digits, such as 139 or 1.5"),
        ("decimal", "nan", {}, "is not a number; write digits, such as 139 or 1.5"),
        ("decimal", Decimal("Infinity"), {}, "is not a number; write digits, such as 139 or 1.5"),
        ("decimal", "1e99", {}, "has more than 30 digits; round it as the protocol asks"),
        ("decimal", "1e999999999", {}, "is not a number; write digits, such as 139 or 1.5"),
        ("decimal", "1" * 31, {}, "has more than 30 digits; round it as the protocol asks"),
        ("decimal", "1.25", {"places": 1}, "has more than 1 decimal; round it to 1 decimal"),
        ("decimal", "1.255", {"places": 2}, "has more than 2 decimals; round it to 2 decimals"),
        ("decimal", "<50", {}, "is not a number; write digits, such as 139 or 1.5"),
        ("date", "2018-02-30", {}, "is not a date; write year, month and day, such as 2018-02-28"),
        ("date", "28.2.2018", {}, "is not a date; write year, month and day, such as 2018-02-28"),
        ("date", "20180228", {}, "is not a date; write year, month and day, such as 2018-02-28"),
        ("date", datetime(2018, 2, 28), {}, "is not a date; write year, month and day, such as 2018-02-28"),
        ("time", "24:00", {}, "is not a time of day; write hours and minutes, such as 08:30"),
        ("time", "8:30", {}, "is not a time of day; write hours and minutes, such as 08:30"),
        ("yes-no", "maybe", {}, "is neither yes nor no; answer yes or no"),
        ("yes-no", 1, {}, "is neither yes nor no; answer yes or no"),
        ("choice", "fever", {}, "is not in the code list; choose one of FEVER, RASH, COUGH"),
        ("many", ["FEVER", "X"], {}, "is not in the code list; choose one of FEVER, RASH, COUGH"),
        ("many", 3, {}, "is not a list of codes; choose among FEVER, RASH, COUGH"),
        ("many", "[" * 100_000, {}, "is not in the code list; choose one of FEVER, RASH, COUGH"),
        ("text", 3, {}, "is not text; write it as text"),
        ("text", "abcdef", {"max_length": 5}, "has 6 characters; shorten it to 5"),
        ("text", "x" * 2001, {}, "has 2001 characters; shorten it to 2000"),
        ("text", "a\0b", {}, "holds a control character; type it again, without pasting"),
        ("text", "a\ud800b", {}, "holds a control character; type it again, without pasting"),
    ],
)
def test_what_is_no_answer_is_refused(item, type, raw, more, problem):
    with pytest.raises(AnswerError) as refused:
        normal_text(item(type, **more), raw, CODES)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("number", "text"),
    [("100", "100"), ("1E+2", "100"), ("0.00", "0"), ("-0.0", "0"), ("1E-7", "0.0000001"), ("-2.50", "-2.5")],
)
def test_a_number_has_neither_exponent_nor_needless_zeros(number, text):
    assert number_text(Decimal(number)) == text
