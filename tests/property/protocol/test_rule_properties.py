"""Random rules on random records: text and tree, record and frame, tables and oracles agree."""

from __future__ import annotations

import calendar
import functools
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.protocol.rules import (
    DATE,
    LOGIC,
    NUMBER,
    REPEATED,
    TEXT,
    TIME,
    Kind,
    Rule,
    RuleRefused,
    choice,
    many,
    parse_rule,
)
from equipoise.protocol.rules.calendar import months_between, years_between
from equipoise.protocol.rules.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Comparison,
    Junction,
    Literal,
    Membership,
    Name,
    Negative,
    Node,
    Not,
)

CODES = ("POS", "NEG", "ND")
KINDS: Mapping[str, Kind] = {
    "lab.cd4": NUMBER,
    "lab.rna": NUMBER,
    "eligible": LOGIC,
    "consented": LOGIC,
    "screen.hbsag": choice(CODES),
    "screen.note": TEXT,
    "screen.drugs": many(CODES),
    "born": DATE,
    "screened": DATE,
    "taken": TIME,
    "ae": REPEATED,
    "ae.grade": NUMBER,
    "ae.serious": LOGIC,
}

numbers = st.decimals(min_value=-1000, max_value=1000, places=2, allow_nan=False, allow_infinity=False)
dates = st.dates(min_value=date(1930, 1, 1), max_value=date(2030, 12, 31))
times = st.times().map(lambda moment: time(moment.hour, moment.minute))
texts = st.text(alphabet="aB'é %=", max_size=5)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": numbers,
    "text": texts,
    "date": dates,
    "time": times,
    "logic": st.booleans(),
    "choice": st.sampled_from(CODES),
    "many": st.frozensets(st.sampled_from(CODES)),
}


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def rows() -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries({"grade": maybe(st.integers(1, 5).map(Decimal)), "serious": maybe(st.booleans())})
    return st.lists(row, max_size=3)


def records() -> st.SearchStrategy[dict[str, Any]]:
    values = {name: maybe(VALUES[kind.sort]) for name, kind in KINDS.items() if not name.startswith("ae")}
    return st.fixed_dictionaries({**values, "ae": maybe(rows())})


literals = st.one_of(
    numbers.map(abs),
    texts,
    st.sampled_from(CODES),
    st.booleans(),
    dates,
    times,
    st.sampled_from([Decimal("1E+8"), Decimal(0)]),
).map(Literal)
names = st.sampled_from([name for name in KINDS if name != "ae"]).map(Name)
many_names = st.just(Name("screen.drugs"))


def combined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Trees one level higher, of any kinds: most are nonsense, all can be written and read."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    comparators = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    options = st.lists(literals | numbers.map(Literal), min_size=1, max_size=3).map(tuple)
    sums = st.lists(st.tuples(st.sampled_from("+-"), inner), min_size=1, max_size=2).map(tuple)
    products = st.lists(st.tuples(st.sampled_from("*/"), inner), min_size=1, max_size=2).map(tuple)
    return st.one_of(
        inner.map(Not),
        inner.map(Negative),
        st.builds(Junction, st.sampled_from(["and", "or"]), several),
        st.builds(Comparison, inner, st.lists(st.tuples(comparators, inner), min_size=1, max_size=2).map(tuple)),
        st.builds(Membership, inner, options | many_names, st.booleans()),
        st.builds(Arithmetic, inner, sums),
        st.builds(Arithmetic, inner, products),
        calls(inner),
    )


def calls(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    one, two, three = (st.tuples(*[inner] * count) for count in (1, 2, 3))
    return st.one_of(
        st.builds(Call, st.sampled_from(["abs", "floor", "missing", "known"]), one),
        st.builds(Call, st.sampled_from(["days_between", "months_between", "years_between"]), two),
        st.builds(Call, st.sampled_from(["min", "max", "coalesce"]), two | three),
        st.builds(Call, st.just("if"), three),
        st.builds(Call, st.just("round"), st.tuples(inner, st.integers(0, 3).map(Decimal).map(Literal))),
        st.sampled_from(
            [
                Aggregate(function, "ae", condition)
                for function in ("any", "all", "count")
                for condition in (
                    Name("ae.serious"),
                    Comparison(Name("ae.grade"), ((">=", Literal(Decimal(3))),)),
                    Junction("and", (Name("ae.serious"), Comparison(Name("lab.cd4"), (("<", Literal(Decimal(50))),)))),
                )
            ]
        ),
    )


@functools.cache
def of_sort(sort: str, depth: int) -> st.SearchStrategy[Node]:
    """Trees whose value is of a sort, sensible all the way down."""
    leaves = [Name(name) for name, kind in KINDS.items() if kind.sort == sort and not name.startswith("ae")]
    leaf = st.sampled_from(leaves) | VALUES[sort].map(lambda value: Literal(abs(value) if sort == "number" else value))
    if depth == 0:
        return leaf
    same = of_sort(sort, depth - 1)
    logic, number = of_sort("logic", depth - 1), of_sort("number", depth - 1)
    forms = [leaf, st.builds(Call, st.just("coalesce"), st.tuples(same, same))]
    forms.append(st.builds(lambda *parts: Call("if", parts), logic, same, same))
    if sort == "logic":
        forms += logic_forms(depth - 1)
    if sort == "number":
        day = of_sort("date", depth - 1)
        sums = st.tuples(st.tuples(st.sampled_from("+-"), number))
        products = st.tuples(st.tuples(st.sampled_from("*/"), number))
        forms += [
            st.builds(Arithmetic, number, sums),
            st.builds(Arithmetic, number, products),
            st.builds(Negative, number),
            st.builds(Call, st.sampled_from(["abs", "floor"]), st.tuples(number)),
            st.builds(Call, st.sampled_from(["min", "max"]), st.tuples(number, number)),
            st.builds(Call, st.just("round"), st.tuples(number, st.just(Literal(Decimal(1))))),
            st.builds(Call, st.sampled_from(["days_between", "months_between", "years_between"]), st.tuples(day, day)),
            st.just(Aggregate("count", "ae", Comparison(Name("ae.grade"), ((">=", Literal(Decimal(3))),)))),
        ]
    return st.one_of(forms)


def logic_forms(depth: int) -> list[st.SearchStrategy[Node]]:
    logic = of_sort("logic", depth)
    number, day, moment, text = (of_sort(sort, depth) for sort in ("number", "date", "time", "text"))
    compared = [
        st.builds(
            lambda left, sign, right: Comparison(left, ((sign, right),)),
            sides,
            st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
            sides,
        )
        for sides in (number, day, moment)
    ]
    equal = [
        st.builds(
            lambda left, sign, right: Comparison(left, ((sign, right),)), sides, st.sampled_from(["==", "!="]), sides
        )
        for sides in (logic, text)
    ]
    code = st.sampled_from(CODES).map(Literal)
    return [
        *compared,
        *equal,
        st.builds(lambda a, b, c: Comparison(a, (("<=", b), ("<", c))), number, number, number),
        st.builds(Not, logic),
        st.builds(Junction, st.sampled_from(["and", "or"]), st.tuples(logic, logic)),
        st.builds(lambda c: Comparison(Name("screen.hbsag"), (("==", c),)), code),
        st.builds(Membership, st.just(Name("screen.hbsag")), st.tuples(code, code), st.booleans()),
        st.builds(Membership, code, many_names, st.booleans()),
        st.builds(Call, st.sampled_from(["missing", "known"]), st.tuples(number | day | text | logic)),
        st.sampled_from([Aggregate(function, "ae", Name("ae.serious")) for function in ("any", "all")]),
    ]


def rule_of(tree: Node) -> Rule:
    """The rule of a tree, through its text, as the protocol file would have it."""
    return parse_rule(str(Rule("", tree)))


any_tree = st.recursive(literals | names, combined, max_leaves=8)
sensible = of_sort("logic", 3) | of_sort("number", 3)


@given(any_tree)
@settings(max_examples=300)
def test_a_written_tree_reads_back_as_itself(tree):
    assert rule_of(tree).tree == tree


@given(any_tree)
def test_writing_is_settled_after_once(tree):
    text = str(Rule("", tree))
    assert str(parse_rule(text)) == text


@given(sensible, st.lists(records(), min_size=1, max_size=6))
@settings(max_examples=300)
def test_a_frame_gives_for_each_row_what_the_record_gives(tree, several):
    rule = rule_of(tree)
    frame = pd.DataFrame(several, index=[f"row {place}" for place in range(len(several))], dtype="object")
    column = rule.evaluate_frame(frame)
    assert list(column.index) == list(frame.index)
    for found, record in zip(column, several, strict=True):
        expected = rule.evaluate(record)
        if expected is None:
            assert pd.isna(found)
        elif isinstance(expected, Decimal):
            assert found == float(expected)
        else:
            assert found == expected


@given(sensible, records())
@settings(max_examples=500)
def test_a_rule_without_type_problems_never_refuses_a_record_of_its_kinds(tree, record):
    rule = rule_of(tree)
    assert rule.check_types(KINDS) == ()
    value = rule.evaluate(record)
    kind = rule.kind(KINDS)
    assert value is None or isinstance(value, Decimal if kind == NUMBER else bool)


@given(any_tree, records())
@settings(max_examples=500)
def test_what_meets_unlike_values_was_told_of_beforehand(tree, record):
    rule = rule_of(tree)
    try:
        rule.evaluate(record)
    except RuleRefused:
        assert rule.check_types(KINDS) != () or rule.kind(KINDS) == KINDS["screen.drugs"]


THREE = {False: Fraction(0), None: Fraction(1, 2), True: Fraction(1)}
VALUE = {number: value for value, number in THREE.items()}
letters = st.sampled_from("pqr").map(Name)
logic_trees = st.recursive(
    letters,
    lambda inner: st.one_of(
        inner.map(Not),
        st.builds(Junction, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(lambda *parts: Call("if", parts), inner, inner, inner),
        st.builds(lambda part: Call("missing", (part,)), inner),
    ),
    max_leaves=10,
)


def kleene(tree: Node, values: Mapping[str, Fraction]) -> Fraction:
    """Kleene's strong logic as arithmetic: unknown is a half, and is the minimum, or the maximum."""
    match tree:
        case Name():
            return values[tree.name]
        case Not():
            return 1 - kleene(tree.operand, values)
        case Junction():
            parts = [kleene(operand, values) for operand in tree.operands]
            return min(parts) if tree.word == "and" else max(parts)
        case Call(function="missing"):
            return Fraction(kleene(tree.arguments[0], values) == Fraction(1, 2))
        case Call():
            condition, first, second = (kleene(argument, values) for argument in tree.arguments)
            return condition if condition == Fraction(1, 2) else first if condition else second
    raise AssertionError(tree)


@given(logic_trees, st.fixed_dictionaries({letter: st.sampled_from([True, False, None]) for letter in "pqr"}))
@settings(max_examples=500)
def test_logic_agrees_with_kleene_as_arithmetic(tree, record):
    values = {name: THREE[value] for name, value in record.items()}
    assert rule_of(tree).evaluate(record) is VALUE[kleene(tree, values)]


whole = st.integers(-999, 999).map(Decimal)
sums = st.recursive(
    st.sampled_from("ab").map(Name) | st.decimals(0, 99, places=2).map(Literal),
    lambda inner: st.one_of(
        st.builds(Negative, inner),
        st.builds(
            Arithmetic, inner, st.lists(st.tuples(st.sampled_from("+-"), inner), min_size=1, max_size=3).map(tuple)
        ),
        st.builds(Arithmetic, inner, st.tuples(st.tuples(st.just("*"), inner))),
    ),
    max_leaves=5,
)


def fraction_of(tree: Node, record: Mapping[str, Decimal]) -> Fraction:
    match tree:
        case Name():
            return Fraction(record[tree.name])
        case Literal():
            return Fraction(tree.value)
        case Negative():
            return -fraction_of(tree.operand, record)
        case Arithmetic():
            result = fraction_of(tree.first, record)
            for sign, operand in tree.rest:
                value = fraction_of(operand, record)
                result = result * value if sign == "*" else result + value if sign == "+" else result - value
            return result
    raise AssertionError(tree)


@given(sums, whole, whole)
def test_sums_and_products_of_decimals_are_exact(tree, a, b):
    record = {"a": a, "b": b}
    assert Fraction(rule_of(tree).evaluate(record)) == fraction_of(tree, record)


def a_month_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@given(dates, st.integers(0, 60), st.integers(0, 40))
def test_completed_months_are_those_that_can_be_added(start, months, days):
    end = date.fromordinal(a_month_later(start, months).toordinal() + days)
    counted = months_between(start, end)
    assert a_month_later(start, counted) <= end < a_month_later(start, counted + 1)
    assert months_between(end, start) == -counted
    assert years_between(start, end) == counted // 12


tokens = st.sampled_from(
    [
        *("a", "ae.grade", "1", "1e8", "'x'", "yes", "and", "or", "not", "in", "==", "<", "+", "-", "*", "/"),
        *("(", ")", "[", "]", ",", "any(", "if(", "round(", "date('2018-02-01')", "missing("),
        *("=", "!", '"', ".", "é", "\x00"),
    ]
)


def rule_or_refusal(text: str) -> Rule | RuleRefused:
    try:
        return parse_rule(text)
    except RuleRefused as refused:
        return refused


@given(st.lists(tokens, max_size=40).map(" ".join) | st.text(max_size=60))
@settings(max_examples=500)
def test_any_text_is_a_rule_or_is_refused(text):
    read = rule_or_refusal(text)
    if isinstance(read, Rule):
        assert parse_rule(str(read)).tree == read.tree
    else:
        assert read.problem
        assert read.remedy


@pytest.mark.parametrize("opening", ["(", "not ", "-", "abs(", "any(", "a and (b or ", "[", "if(a, ", "a + b * -(c < "])
def test_no_opening_however_often_repeated_exhausts_anything(opening):
    with pytest.raises(RuleRefused):
        parse_rule((opening * 2_000)[:2_000])
