"""Evaluating rules on records: three-valued tables, exact numbers, calendar, repeated groups."""

from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pytest

from equipoise.protocol.rules import UNKNOWN, RuleRefused, parse_rule

D = Decimal


def value(text: str, **record: object) -> object:
    return parse_rule(text).evaluate({name.replace("__", "."): held for name, held in record.items()})


T, F, U = True, False, None


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (T, T, T, T),
        (T, U, U, T),
        (T, F, F, T),
        (U, T, U, T),
        (U, U, U, U),
        (U, F, F, U),
        (F, T, F, T),
        (F, U, F, U),
        (F, F, F, F),
    ],
)
def test_and_and_or_follow_kleene(a, b, both, either):
    assert value("a and b", a=a, b=b) is both
    assert value("a or b", a=a, b=b) is either


@pytest.mark.parametrize(("a", "opposite"), [(T, F), (F, T), (U, U)])
def test_not_of_unknown_is_unknown(a, opposite):
    assert value("not a", a=a) is opposite


def test_unknown_never_passes():
    rule = parse_rule("screen.cd4 < 200")
    assert rule.holds({"screen.cd4": D(199)})
    assert not rule.holds({"screen.cd4": D(200)})
    assert not rule.holds({"screen.cd4": None})
    assert not rule.holds({})
    assert not parse_rule("not (screen.cd4 < 200)").holds({})


@pytest.mark.parametrize(
    "text",
    [
        "a == a",
        "a + 1",
        "-a",
        "a * 0",
        "a < 1",
        "1 < a < 0 or a == 1",
        "a in [1]",
        "abs(a)",
        "min(a, 1)",
        "round(a, 1)",
    ],
)
def test_what_touches_an_unknown_is_unknown(text):
    assert value(text, a=None) is UNKNOWN


def test_a_chain_is_false_as_soon_as_one_link_is():
    assert value("50 <= cd4 < upper", cd4=D(40), upper=None) is False
    assert value("50 <= cd4 < upper", cd4=D(60), upper=None) is UNKNOWN
    assert value("50 <= cd4 < 200", cd4=D(50)) is True
    assert value("50 <= cd4 < 200", cd4=D(200)) is False


def test_numbers_are_exact_decimals():
    assert value("1.1 * 20 == 22") is True
    assert value("0.1 + 0.2 == 0.3") is True
    assert value("ratio == 0.1", ratio=0.1) is True
    assert value("a - b - c", a=10, b=3, c=2) == D(5)
    assert value("a / b / c", a=D(12), b=D(3), c=D(2)) == D(2)
    assert value("1 / 3") == D("0." + "3" * 34)


@pytest.mark.parametrize("text", ["1 / a", "a / a", "1 / (a - 0)", "1 / a > 0"])
def test_division_by_zero_is_unknown(text):
    assert value(text, a=D(0)) is UNKNOWN


def test_a_result_beyond_every_number_is_unknown():
    assert value("a * a", a=D("1e6000")) is UNKNOWN
    assert value("round(a, 2)", a=D("1e40")) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("round(2.5, 0)", "3"),
        ("round(-2.5, 0)", "-3"),
        ("round(0.125, 2)", "0.13"),
        ("floor(2.9)", "2"),
        ("floor(-2.1)", "-3"),
        ("abs(-3)", "3"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 1, 2)", "3"),
    ],
)
def test_functions_of_numbers(text, result):
    assert value(text) == D(result)


@pytest.mark.parametrize(
    ("start", "end", "days", "months", "years"),
    [
        ("2018-01-31", "2018-02-27", 27, 0, 0),
        ("2018-01-31", "2018-02-28", 28, 1, 0),
        ("2018-02-28", "2018-01-31", -28, -1, 0),
        ("2018-02-28", "2018-03-28", 28, 1, 0),
        ("1978-03-02", "2018-03-01", 14609, 479, 39),
        ("1978-03-02", "2018-03-02", 14610, 480, 40),
        ("2000-02-29", "2018-02-28", 6574, 216, 18),
        ("2018-02-28", "2000-02-29", -6574, -216, -18),
        ("2018-02-01", "2018-02-01", 0, 0, 0),
    ],
)
def test_time_between_dates_is_counted_on_the_calendar(start, end, days, months, years):
    record = {"a": date.fromisoformat(start), "b": date.fromisoformat(end)}
    assert parse_rule("days_between(a, b)").evaluate(record) == days
    assert parse_rule("months_between(a, b)").evaluate(record) == months
    assert parse_rule("years_between(a, b)").evaluate(record) == years


def test_dates_and_times_compare_with_their_like():
    assert value("d >= date('2018-02-01')", d=date(2018, 2, 1)) is True
    assert value("t < time('10:00')", t=time(9, 59)) is True
    assert value("min(d, date('2018-02-01'))", d=date(2018, 3, 1)) == date(2018, 2, 1)


def test_membership_in_a_list_and_in_a_set_of_codes():
    assert value("code in ['A', 'B']", code="B") is True
    assert value("code not in ['A', 'B']", code="B") is False
    assert value("code not in ['A', 'B']", code=None) is UNKNOWN
    assert value("grade in [1, -2]", grade=D("-2.0")) is True
    assert value("'FEVER' in symptoms", symptoms=["FEVER", "CHILLS"]) is True
    assert value("'RASH' not in symptoms", symptoms=frozenset({"FEVER"})) is True
    assert value("'RASH' in symptoms", symptoms=[]) is False
    assert value("'RASH' in symptoms", symptoms=None) is UNKNOWN


def test_missing_and_known_are_never_unknown():
    assert value("missing(a)", a=None) is True
    assert value("known(a)", a=None) is False
    assert value("missing(a)", a=D(0)) is False
    assert value("missing(a / b)", a=D(1), b=D(0)) is True


def test_if_and_coalesce():
    assert value("if(sex == 'F', 40, 50)", sex="F") == D(40)
    assert value("if(sex == 'F', 40, 50)", sex="M") == D(50)
    assert value("if(sex == 'F', 40, 40)", sex=None) is UNKNOWN
    assert value("coalesce(a, b, 7)", a=None, b=D(3)) == D(3)
    assert value("coalesce(a, b, 7)", a=None, b=None) == D(7)
    assert value("coalesce(a, b)", a=None, b=None) is UNKNOWN


EVENTS = [{"grade": D(3), "related": "RELATED"}, {"grade": D(1), "related": "NOT RELATED"}]


def test_a_repeated_group_is_asked_row_by_row():
    assert value("any(ae.grade >= 3 and ae.related == 'RELATED')", ae=EVENTS) is True
    assert value("all(ae.grade >= 3)", ae=EVENTS) is False
    assert value("count(ae.grade >= 1)", ae=EVENTS) == D(2)
    assert value("any(ae.grade > limit)", ae=EVENTS, limit=D(3)) is False


def test_no_rows_and_unknown_rows_of_a_group():
    assert value("any(ae.grade >= 3)", ae=[]) is False
    assert value("all(ae.grade >= 3)", ae=[]) is True
    assert value("count(ae.grade >= 3)", ae=[]) == D(0)
    assert value("any(ae.grade >= 3)", ae=None) is UNKNOWN
    assert value("any(ae.grade >= 3)", ae=[{"grade": None}]) is UNKNOWN
    assert value("any(ae.grade >= 3)", ae=[{"grade": None}, {"grade": D(4)}]) is True
    assert value("all(ae.grade >= 3)", ae=[{}, {"grade": D(1)}]) is False
    assert value("count(ae.grade >= 3)", ae=[{}, {"grade": D(4)}]) is UNKNOWN


@pytest.mark.parametrize(
    ("held", "result"),
    [
        (3, D(3)),
        (0.1, D("0.1")),
        (float("nan"), UNKNOWN),
        (D("NaN"), UNKNOWN),
        (D("sNaN"), UNKNOWN),
        (D("1e9999"), D("1e9999")),
        (np.int64(3), D(3)),
        (np.float64(0.1), D("0.1")),
        (np.float32(0.5), D("0.5")),
        (np.bool_(True), True),
        (datetime(2018, 2, 1, 8, 30), date(2018, 2, 1)),
        ("text", "text"),
    ],
)
def test_values_come_in_as_they_are_kept(held, result):
    assert value("a", a=held) == result


REFUSED = {
    "text and number": ("a < 5", {"a": "x"}, "text is compared with a number; compare values of the same kind"),
    "date and text": (
        "a == '2018-02-01'",
        {"a": date(2018, 2, 1)},
        "a date is compared with text; compare values of the same kind",
    ),
    "order of text": ("a < 'b'", {"a": "a"}, "< does not apply to text; use == or !="),
    "order of logic": ("a > no", {"a": True}, "> does not apply to yes or no; use == or !="),
    "order of sets": ("a == a", {"a": ["x"]}, "== does not apply to a set of codes; write 'CODE' in the name"),
    "logic of number": ("a and yes", {"a": 1}, "a number stands where yes or no is needed; compare it with something"),
    "sum of text": ("a + 1", {"a": "1"}, "text stands where a number is needed; give a number"),
    "difference of dates": (
        "a - a",
        {"a": date(2018, 2, 1)},
        "a date stands where a number is needed; use days_between(a, b)",
    ),
    "days of numbers": (
        "days_between(a, a)",
        {"a": 1},
        "days_between(a, b) is given a number; give it a date in every place",
    ),
    "least of unlike": (
        "min(a, 1)",
        {"a": date(2018, 2, 1)},
        "min(a, b) is given a date and a number; give it numbers, dates or times, all of one kind",
    ),
    "no set": ("'x' in a", {"a": "x"}, "a is not a set of codes; compare it with ==, or list values in [ ]"),
    "number in set": ("1 in a", {"a": ["x"]}, "a number is looked for among the codes of a; give a code in quotes"),
    "rows without any": ("ae", {"ae": EVENTS}, "ae is a repeated group; ask its rows with any(), all() or count()"),
    "any without rows": (
        "any(a.b)",
        {"a": "x"},
        "a is not a repeated group; ask its value without any, all or count",
    ),
    "set as answer": ("a", {"a": ["x"]}, "a set of codes is no answer; write 'CODE' in the name"),
    "infinite": ("a", {"a": float("inf")}, "a is infinite; give a finite number"),
    "foreign": (
        "a",
        {"a": object()},
        "a is of a kind that no rule can use; give it as number, text, date or yes or no",
    ),
}


@pytest.mark.parametrize(("text", "record", "message"), REFUSED.values(), ids=REFUSED)
def test_values_of_the_wrong_kind_are_refused_in_words(text, record, message):
    with pytest.raises(RuleRefused) as refused:
        parse_rule(text).evaluate(record)
    assert str(refused.value) == f"rule = {text}: {message}"
