"""Reading rules: what parses, how tightly signs bind, and every refusal in full."""

import re
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from equipoise.protocol.rules import RuleRefused, parse_rule
from equipoise.protocol.rules.functions import FUNCTIONS

# The criteria proposed for the example trial, and the rules of the worked protocol.
TRIAL_RULES = [
    "hiv1_confirmed == yes",
    "18 <= age <= 65",
    "art_months >= 24 and regimen_months >= 6",
    "hiv_rna < 50 and suppressed_months >= 12 and blips_12m <= 1",
    "50 <= cd4_screen < 200 and 50 <= cd4_prior < 200 and 28 <= cd4_interval_days <= 182",
    "karnofsky >= 70",
    "hla_c_typed == yes and eligible_donors >= 1",
    "consent_date <= screening_date and contraception == yes",
    "hbsag == positive or hcv_rna == detected",
    "oi_active == yes or oi_treated_days < 28 or tb_active == yes",
    "malignancy_5y == yes",
    "sex == female and (pregnancy_test == positive or breastfeeding == yes)",
    "hb < 90 or neut < 1.0 or plt < 75",
    "alt > 3*alt_uln or ast > 3*ast_uln or tbil > 2*tbil_uln or creat > 1.5*creat_uln or egfr < 60",
    "immunomod_days < 84",
    "prior_cell_therapy == yes or transfusion_days < 28",
    "serious_comorbidity == yes or dependence == yes or allergy_product == yes",
    "other_trial_days < 84 or vaccine_days < 28",
    "screen.cd4 < 350",
    "screen.sex == 'F' and screen.pregnant == 'Y'",
    "value == 'negative'",
    "any(ae.grade >= 3 and ae.related == 'RELATED')",
    "tmax < 34 or tmax > 43",
    "labs.cd4 / labs.cd8",
    "randomised",
]


@pytest.mark.parametrize("text", TRIAL_RULES)
def test_the_rules_of_a_trial_parse_and_keep_their_text(text):
    rule = parse_rule(text)
    assert rule.text == text
    assert parse_rule(str(rule)).tree == rule.tree


def test_a_rule_knows_its_names_groups_size_and_depth():
    rule = parse_rule("screen.cd4 < 3 * uln and any(ae.grade >= 3)")
    assert rule.names == {"screen.cd4", "uln", "ae.grade"}
    assert rule.groups == {"ae"}
    assert rule.size == 10
    assert rule.depth == 4


def test_rules_are_values():
    assert parse_rule("a < 1") == parse_rule("a < 1")
    assert len({parse_rule("a < 1"), parse_rule("a < 1"), parse_rule("a  < 1")}) == 2


@pytest.mark.parametrize(
    ("text", "bracketed"),
    [
        ("a or b and c", "a or (b and c)"),
        ("not a and b", "(not a) and b"),
        ("not a == b", "not (a == b)"),
        ("a + b * c - d", "a + (b * c) - d"),
        ("-a * b", "(-a) * b"),
        ("a < b + c", "a < (b + c)"),
        ("a - b - c", "((a) - (b)) - c"),
        ("a not in [1] or b", "(a not in [1]) or b"),
        ("a\n  and\tb", "a and b"),
    ],
)
def test_signs_bind_as_in_school(text, bracketed):
    record = {"a": Decimal(7), "b": Decimal(3), "c": Decimal(2), "d": Decimal(1)}
    truths = {"a": True, "b": False, "c": True, "d": False}
    for values in (record, truths):
        assert outcome(text, values) == outcome(bracketed, values)


def outcome(text: str, record: dict[str, object]) -> object:
    try:
        return parse_rule(text).evaluate(record)
    except RuleRefused as refused:
        return refused.problem


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("( (a)and(b) )", "a and b"),
        ("(a and b) and c", "(a and b) and c"),
        ("yes or no", "true or false"),
        ("x in[ 1,-2 , 'it''s' ]", "x in [1, -2, 'it''s']"),
        ("x not  in codes", "x not in codes"),
        ("d >= date( '2018-02-01' )", "d >= date('2018-02-01')"),
        ("t == time('08:30')", "t == time('08:30')"),
        ("(not a) == b", "(not a) == b"),
        ("-(a + b) / .5", "-(a + b) / 0.5"),
        ("1e8 <= dose", "1E+8 <= dose"),
    ],
)
def test_a_rule_is_written_plainly(text, plain):
    assert str(parse_rule(text)) == plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e8", Decimal("1e8")),
        ("0.10", Decimal("0.1")),
        ("'it''s'", "it's"),
        ("yes", True),
        ("false", False),
        ("date('2018-02-28')", date(2018, 2, 28)),
        ("time('08:30')", time(8, 30)),
    ],
)
def test_constants_are_exact_values(text, value):
    assert parse_rule(text).evaluate({}) == value


REFUSED = {
    "": "rule: is empty; write a condition such as screen.cd4 < 350",
    " ": "rule =  : is empty; write a condition such as screen.cd4 < 350",
    "a = 1": "column 3: = is no sign of the rule language; write == to compare",
    "a && b": "column 3: & is no sign of the rule language; write and",
    "a || b": "column 3: | is no sign of the rule language; write or",
    "!a": "column 1: ! is no sign of the rule language; write not, or != to compare",
    "a <> b": "column 3: <> is no sign of the rule language; write !=",
    "a ≥ b": "column 3: ≥ is no sign of the rule language; write >=",
    "a ** 2": "column 3: ** is no sign of the rule language; there are no powers; multiply instead",
    "a ^ 2": "column 3: ^ is no sign of the rule language; there are no powers; multiply instead",
    'a == "x"': 'column 6: " is no sign of the rule language; put text in single quotes',
    "a == ‘x’": "column 6: ‘ is no sign of the rule language; put text in straight single quotes",
    "a; b": "column 2: ; is no sign of the rule language; remove it, or put text in quotes",
    "a.b..c": "column 4: . is no sign of the rule language; remove it, or put text in quotes",
    "größe > 1": "column 3: ö is no sign of the rule language; remove it, or put text in quotes",
    "a == 'x": "column 6: a quotation mark is not closed on its line; close it with '",
    "24months": "column 1: the number 24 runs into letters; put a sign between the two",
    "1. < a": "column 1: the number 1 ends in a point; write digits after the point",
    "1e999999": "column 1: a number has an exponent beyond 50; write a smaller number",
    "1e-51": "column 1: a number has an exponent beyond 50; write a smaller number",
    "1" * 35: "column 1: a number has more than 34 digits; write fewer digits",
    "a AND b": "column 3: AND is not written in small letters; write and",
    "a b": "column 3: b follows a finished value; put a sign, and or or between the two",
    "a 'b'": "column 3: 'b' follows a finished value; put a sign, and or or between the two",
    "a)": "column 2: ) closes nothing; remove it",
    "a, b": "column 2: a comma stands outside a list or a call; write one condition",
    "(a or b": (
        "column 8: the end stands where ) must close the ( of column 1; "
        "close it with ), or put a comma or a sign between values"
    ),
    "a in [1 2]": (
        "column 9: 2 stands where ] must close the [ of column 6; "
        "close it with ], or put a comma or a sign between values"
    ),
    "a and": "column 6: a value is missing before the end; write a name, a number or a text in quotes",
    "a and or b": "column 7: a value is missing before or; write a name, a number or a text in quotes",
    "a == not b": "column 6: not stands where a value must stand; put not and its condition in brackets",
    "a < b in [1]": "column 7: in follows a finished comparison; put the first one in brackets",
    "a not b": "column 7: b stands after not where in must stand; write not in, or and not",
    "a in (1, 2)": "column 6: ( stands where a list must follow in; write in [1, 2]",
    "a in []": "column 7: ] begins no plain value of a list; list numbers, texts in quotes or dates",
    "a in [b]": "column 7: b begins no plain value of a list; list numbers, texts in quotes or dates",
    "a in [-'x']": "column 7: - begins no plain value of a list; list numbers, texts in quotes or dates",
    "day_between(a, b)": "column 1: there is no function day_between; write days_between(a, b)",
    "__import__('os')": (
        "column 1: there is no function __import__; use one of abs, all, any, coalesce, count, date, "
        "days_between, floor, if, known, max, min, missing, months_between, round, time, years_between"
    ),
    "abs(a, b)": "column 1: abs is given 2 values; write abs(x)",
    "min(a)": "column 1: min is given 1 values; write min(a, b)",
    "if(a, b)": "column 1: if is given 2 values; write if(condition, a, b)",
    "missing()": "column 1: missing is given 0 values; write missing(x)",
    "round(a, b)": "column 1: round is not given its decimal places; write a whole number from 0 to 20 there",
    "round(a, 1.5)": "column 1: round is not given its decimal places; write a whole number from 0 to 20 there",
    "date('2018-02-30')": "column 1: date is not given a date in quotes; write it as date('2018-02-01')",
    "date('2018-W05-4')": "column 1: date is not given a date in quotes; write it as date('2018-02-01')",
    "date(a)": "column 1: date is not given a date in quotes; write it as date('2018-02-01')",
    "time('8:30')": "column 1: time is not given a time in quotes; write it as time('08:30')",
    "any(a > 1)": "column 1: any names no repeated group; write any(ae.grade >= 3)",
    "any(ae.a, ae.b)": "column 1: any is given 2 values; write any(condition)",
    "any(ae.a and all(ae.b))": "column 14: all stands within any; ask one group at a time, in two rules",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_a_text_that_is_no_rule_is_refused_with_column_and_remedy(text, message):
    with pytest.raises(RuleRefused) as refused:
        parse_rule(text)
    assert str(refused.value) == (message if message.startswith("rule") else f"rule = {text}: {message}")


LIMITS = {
    "characters": ("a" * 2_001, "is longer than 2000 characters; split it into several rules"),
    "parts": (" or ".join("a" * 200), "has more than 200 parts; split it into several rules"),
    "levels": ("not " * 30 + "a", "is nested more than 30 levels deep; split it into several rules"),
    "brackets": ("(" * 900 + "a" + ")" * 900, "is nested more than 30 levels deep; split it into several rules"),
    "brackets by one": ("(" * 60 + "a" + ")" * 60, "is nested more than 30 levels deep; split it into several rules"),
    "minus signs": ("-" * 1_999 + "a", "is nested more than 30 levels deep; split it into several rules"),
}


@pytest.mark.parametrize(("text", "message"), LIMITS.values(), ids=LIMITS)
def test_a_rule_beyond_a_limit_is_refused(text, message):
    with pytest.raises(RuleRefused) as refused:
        parse_rule(text)
    assert str(refused.value).endswith(f"…: {message}")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2_000,
        " or ".join("a" * 199),
        "not " * 29 + "a",
        "(" * 59 + "a" + ")" * 59,
        "(not (" * 14 + "a" + "))" * 14,
    ],
    ids=["characters", "parts", "levels", "brackets", "brackets around levels"],
)
def test_a_rule_at_a_limit_is_read(text):
    assert parse_rule(text).text == text


REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "rule-language.md"


def test_the_rules_of_the_reference_parse():
    blocks = re.findall(r"```rule\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    rules = [line for block in blocks for line in block.splitlines()]
    assert len(rules) == 9
    assert all(parse_rule(text).names for text in rules)


def test_the_reference_lists_every_function():
    listed = set(re.findall(r"`([a-z_]+)\(", REFERENCE.read_text(encoding="utf-8")))
    assert set(FUNCTIONS) <= listed
