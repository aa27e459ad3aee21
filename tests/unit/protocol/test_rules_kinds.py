"""Checking rules against the kinds of names before any record is there."""

import pytest

from equipoise.protocol.rules import DATE, LOGIC, NUMBER, REPEATED, TEXT, TIME, choice, many, parse_rule

KINDS = {
    "screen.cd4": NUMBER,
    "screen.sex": choice(["M", "F"]),
    "screen.phase": choice(["1", "2"]),
    "screen.note": TEXT,
    "symptoms": many(["FEVER", "CHILLS"]),
    "consent_date": DATE,
    "screening_date": DATE,
    "taken_at": TIME,
    "randomised": LOGIC,
    "ae": REPEATED,
    "ae.grade": NUMBER,
    "ae.related": choice(["RELATED", "NOT RELATED"]),
    "cm": REPEATED,
    "cm.dose": NUMBER,
}


def problems(text: str) -> list[str]:
    return [f"{each.column}: {each.problem}; {each.remedy}" for each in parse_rule(text).check_types(KINDS)]


@pytest.mark.parametrize(
    "text",
    [
        "50 <= screen.cd4 < 200 and screen.sex == 'F'",
        "screen.sex in ['M', 'F'] or screen.note == 'M'",
        "'FEVER' in symptoms and missing(symptoms)",
        "consent_date <= screening_date and days_between(consent_date, date('2018-02-01')) < 28",
        "taken_at < time('10:00')",
        "any(ae.grade >= 3 and ae.related == 'RELATED' and screen.cd4 < 50)",
        "count(ae.grade >= 3) + count(cm.dose > 1) >= 2",
        "if(randomised, screen.cd4, 0) == coalesce(screen.cd4, 1)",
        "randomised == yes",
    ],
)
def test_a_sensible_rule_has_no_problems(text):
    assert problems(text) == []


PROBLEMS = {
    "screen.cd3 < 5": "1: there is no screen.cd3 here; write screen.cd4",
    "5 > weight": "5: there is no weight here; write a name that is known here; put a code or text in quotes",
    "screen.sex == F": "15: F is a code without quotes; write 'F'",
    "screen.sex == 'f'": "15: 'f' is no code of the choice; write 'F'",
    "screen.sex == 'X'": "15: 'X' is no code of the choice; the codes are 'F', 'M'",
    "'X' == screen.sex": "1: 'X' is no code of the choice; the codes are 'F', 'M'",
    "screen.sex in ['F', 'X']": "21: 'X' is no code of the choice; the codes are 'F', 'M'",
    "'FEVR' in symptoms": "1: 'FEVR' is no code of the choice; write 'FEVER'",
    "screen.sex == yes": "1: a choice is compared with yes or no; write a code: 'F', 'M'",
    "screen.phase == 1": "1: a choice is compared with a number; write '1'",
    "screen.cd4 == '5'": "1: a number is compared with text; compare values of the same kind",
    "consent_date > '2018-02-01'": "1: a date is compared with text; write date('2018-02-01')",
    "taken_at > '08:30'": "1: a time is compared with text; write time('08:30')",
    "randomised == 'Y'": "1: yes or no is compared with text; write yes or no, without quotes",
    "screen.sex < 'M'": "1: < does not apply to a choice; use == or !=",
    "symptoms == symptoms": "1: == does not apply to a set of codes; write 'CODE' in the name",
    "'FEVER' in screen.sex": "12: screen.sex is not a set of codes; list values in [ ]",
    "3 in symptoms": "1: a number is looked for among codes; give a code in quotes",
    "screen.cd4 and randomised": "1: a number stands where yes or no is needed; compare it with something",
    "not screen.cd4": "5: a number stands where yes or no is needed; compare it with something",
    "screen.note * 2 > 1": "1: text stands where a number is needed; give a number",
    "-consent_date > 1": "2: a date stands where a number is needed; use days_between(a, b)",
    "days_between(screen.cd4, consent_date) > 1": (
        "1: days_between(a, b) is given a date and a number; give it a date in every place"
    ),
    "max(randomised, screen.cd4) > 1": (
        "1: max(a, b) is given a number and yes or no; give it numbers, dates or times, all of one kind"
    ),
    "if(randomised, 1, 'x') == 1": "1: if may give a number or text; give values of one kind",
    "coalesce(consent_date, 1) == consent_date": "1: coalesce may give a date or a number; give values of one kind",
    "ae.grade >= 3": "1: ae is a repeated group; ask its rows with any(), all() or count()",
    "missing(ae)": "9: ae is a repeated group; ask its rows with any(), all() or count()",
    "any(ae.grade > cm.dose)": "16: cm is a repeated group; ask its rows with any(), all() or count()",
    "any(ae.grade > 1) and ae.grade > 1": "23: ae is a repeated group; ask its rows with any(), all() or count()",
    "any(screen.cd4 > 3)": "1: screen is not a repeated group; ask its value without any()",
    "any(ae.grade)": "5: a number stands where yes or no is needed; compare it with something",
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items())
def test_a_rule_that_cannot_mean_anything_is_told_with_column_and_remedy(text, problem):
    assert problems(text) == [problem]


def test_each_problem_is_told_once_in_the_order_of_the_text():
    date_for_number = "a date stands where a number is needed; use days_between(a, b)"
    assert problems("screening_date - consent_date < 28") == [f"1: {date_for_number}", f"18: {date_for_number}"]


def test_a_rule_tells_the_kind_that_it_gives():
    assert parse_rule("screen.cd4 / 2").is_number(KINDS)
    assert not parse_rule("screen.cd4 < 2").is_number(KINDS)
    assert parse_rule("screen.cd4 < 2").kind(KINDS) == LOGIC
    assert parse_rule("min(consent_date, screening_date)").kind(KINDS) == DATE
    assert parse_rule("screen.sex").kind(KINDS) == choice(["F", "M"])
    assert parse_rule("weight").kind(KINDS) is None
