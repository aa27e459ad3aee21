"""A whole form: what stands, what is found."""

from datetime import date
from decimal import Decimal

import pytest

from equipoise.capture import Answer, Missing, check_form
from equipoise.protocol.forms import Limits, Range
from equipoise.protocol.rules import parse_rule


def texts(checked):
    return [f"{finding.severity} {finding}" for finding in checked.findings]


def number(item, id="x", **more):
    return item("decimal", id=id, **more)


def test_answers_stand_in_the_forms_order_and_empty_ones_are_left_out(item, sheet):
    form = sheet(number(item, "a"), number(item, "b"), item("text", "c"), item("text", "d"))
    checked = check_form(form, {"c": " ", "b": "2.0", "a": 1, "d": None})
    assert list(checked.answers.items()) == [("a", Answer("1")), ("b", Answer("2"))]
    assert checked.findings == ()


def test_every_fault_is_told_at_once(item, sheet):
    form = sheet(number(item, "a", required=True), number(item, "b"), item("yes-no", "c", required=True))
    checked = check_form(form, {"b": "x", "aa": 1, "zebra": 2})
    assert texts(checked) == [
        "hard f.aa: is not an item of the form; did you mean a?",
        "hard f.zebra: is not an item of the form; use a, b, c",
        "hard f.b = x: is not a number; write digits, such as 139 or 1.5",
        "hard f.a: is required; answer it",
        "hard f.c: is required; answer it",
    ]
    assert (len(checked.hard), len(checked.soft)) == (5, 0)


def test_an_unreadable_answer_is_not_called_missing_too(item, sheet):
    checked = check_form(sheet(number(item, "a", required=True)), {"a": "x"})
    assert texts(checked) == ["hard f.a = x: is not a number; write digits, such as 139 or 1.5"]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("-1", "hard f.a = -1: is below 0 /uL; check the value and its unit"),
        ("0", "soft f.a = 0: is below 10 /uL; check the value and its unit, or add a comment"),
        ("10", None),
        ("1500", None),
        ("1500.5", "soft f.a = 1500.5: is above 1500 /uL; check the value and its unit, or add a comment"),
        ("5000", "soft f.a = 5000: is above 1500 /uL; check the value and its unit, or add a comment"),
        ("5001", "hard f.a = 5001: is above 5000 /uL; check the value and its unit"),
    ],
)
def test_both_ends_of_a_range_are_within_it_and_hard_comes_before_soft(item, sheet, raw, found):
    limits = Range(hard=Limits(min=0, max=5000), soft=Limits(min=10, max=1500))
    checked = check_form(sheet(number(item, "a", unit="/uL", range=limits)), {"a": raw})
    assert texts(checked) == ([found] if found else [])


def test_a_missing_code_answers_a_required_item(item, sheet):
    form = sheet(number(item, "a", required=True, missing=("ND", "CLOT")))
    checked = check_form(form, {"a": Missing("ND")})
    assert (checked.answers, checked.findings) == ({"a": Answer(missing="ND")}, ())
    assert texts(check_form(form, {"a": Missing("LOST")})) == [
        "hard f.a = LOST: is not a missing code of the item; use one of ND, CLOT"
    ]
    assert texts(check_form(form, {})) == ["hard f.a: is required; answer it, or mark it missing (ND, CLOT)"]
    assert texts(check_form(sheet(number(item, "a")), {"a": Missing("ND")})) == [
        "hard f.a = ND: is not a missing code of the item; answer it; it has no missing codes"
    ]


def test_a_missing_code_is_unknown_to_rules(item, sheet):
    form = sheet(
        number(item, "a", missing=("ND",)),
        item("derived", "b", formula=parse_rule("a * 2")),
        checks=[("SMALL", "a < 10", "hard"), ("GONE", "missing(a)", "soft")],
    )
    checked = check_form(form, {"a": Missing("ND")})
    assert list(checked.answers) == ["a"]
    assert texts(checked) == ["soft f.a: GONE found; correct the answers, or add a comment"]


def test_a_hidden_item_needs_no_answer_and_may_have_none(item, sheet):
    form = sheet(
        item("choice", "sex", codelist="SEX"),
        item("yes-no", "pregnant", required=True, show_if=parse_rule("sex == 'F'")),
    )
    assert check_form(form, {"sex": "M"}).findings == ()
    assert texts(check_form(form, {"sex": "M", "pregnant": "no"})) == [
        "hard f.pregnant = no: is not asked here; leave it out"
    ]
    assert texts(check_form(form, {"sex": "F"})) == ["hard f.pregnant: is required; answer it"]
    assert check_form(form, {}).findings == ()  # not known to be shown is hidden


def test_an_item_hidden_by_a_hidden_item_is_hidden(item, sheet):
    form = sheet(
        item("yes-no", "any"),
        item("many", "which", show_if=parse_rule("any == yes")),
        number(item, "tmax", required=True, show_if=parse_rule("'FEVER' in which")),
    )
    assert check_form(form, {"any": "no"}).findings == ()
    assert texts(check_form(form, {"any": "yes", "which": ["FEVER"]})) == ["hard f.tmax: is required; answer it"]
    checked = check_form(form, {"any": "no", "which": ["FEVER"], "tmax": "38"})
    assert texts(checked) == [
        'hard f.which = ["FEVER"]: is not asked here; leave it out',
        "hard f.tmax = 38: is not asked here; leave it out",
    ]
    assert list(checked.answers) == ["any"]


def test_derived_items_are_computed_rounded_half_up_and_checked(item, sheet):
    limits = Range(soft=Limits(max=1))
    form = sheet(
        number(item, "cd4"),
        number(item, "cd8"),
        item("derived", "ratio", unit="1", places=3, formula=parse_rule("cd4 / cd8"), range=limits),
        item("derived", "twice", formula=parse_rule("ratio * 2")),
    )
    assert check_form(form, {"cd4": 139, "cd8": 734}).answers["ratio"] == Answer("0.189")
    assert check_form(form, {"cd4": "0.0005", "cd8": 1}).answers["ratio"] == Answer("0.001")
    checked = check_form(form, {"cd4": 3, "cd8": 2})
    assert (checked.answers["ratio"], checked.answers["twice"]) == (Answer("1.5"), Answer("3"))
    assert texts(checked) == ["soft f.ratio = 1.5: is above 1; check the value and its unit, or add a comment"]
    assert list(check_form(form, {"cd4": 3, "cd8": 0}).answers) == ["cd4", "cd8"]  # a division by zero is unknown
    assert texts(check_form(form, {"ratio": 2})) == ["hard f.ratio = 2: is computed, not entered; leave it out"]
    assert texts(check_form(form, {"ratio": Missing("ND")})) == [
        "hard f.ratio = ND: is computed, not entered; leave it out"
    ]


def test_edit_checks_read_other_forms_of_the_visit_and_its_date(item, sheet):
    form = sheet(
        item("date", "drawn"),
        number(item, "x"),
        checks=[("LATER", "drawn > visit.date", "hard"), ("HIGH", "x > other.y and f.x > 1", "soft")],
    )
    around = {"visit.date": date(2018, 2, 1), "other.y": Decimal(5)}
    assert texts(check_form(form, {"drawn": "2018-02-02", "x": 6}, around)) == [
        "hard f.drawn = 2018-02-02: LATER found; correct the answers",
        "soft f.x = 6: HIGH found; correct the answers, or add a comment",
    ]
    assert check_form(form, {"drawn": "2018-02-01", "x": 5}, around).findings == ()
    assert check_form(form, {"drawn": "2018-02-02", "x": 6}).findings == ()  # what is not known finds nothing


def test_a_long_or_strange_answer_is_shown_on_one_short_line(item, sheet):
    (finding,) = check_form(sheet(number(item, "a")), {"a": "1\n2" + "9" * 200}).findings
    line = str(finding)
    assert line.startswith("f.a = 1\\n2999")
    assert line.endswith("…: is not a number; write digits, such as 139 or 1.5")
    assert "\n" not in line
