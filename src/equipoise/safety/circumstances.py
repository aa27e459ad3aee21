"""What decides a grade beside the numbers: what is measured in which unit, in whom, how; in normal form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from equipoise.safety.readings import UNKNOWN, read_number
from equipoise.safety.scales import Scale

YES = frozenset({"yes", "y", "true", "1", "positive", "pos", "fasting", "fasted", "infected", "hiv+"})
NO = frozenset({"no", "n", "false", "0", "negative", "neg", "nonfasting", "not fasting", "non-fasting", "fed", "hiv-"})
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
DAYS = {"days": Decimal(1), "months": Decimal("30.4375"), "years": Decimal("365.25")}


@dataclass(frozen=True, slots=True)
class LabValue:
    """A laboratory value and what decides its grade, each as the text that was recorded; "" is unknown.

    `lln`, `uln` and `baseline` are in the value's own unit. `age` is in years. `fasting` and `hiv` are yes or no.
    `qualifier` holds answers such as `symptomatic`, separated by spaces; `none` answers no to all.
    """

    parameter: str
    value: str
    unit: str
    lln: str = ""
    uln: str = ""
    baseline: str = ""
    sex: str = ""
    age: str = ""
    fasting: str = ""
    hiv: str = ""
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything but the numbers: what is measured in which unit, in whom, how. Equal ones share a plan."""

    parameter: str
    unit: str
    sex: str
    ages: frozenset[str] | None  # the age rules that hold; None when the age is unknown
    fasting: str
    hiv: str
    answers: frozenset[str]
    remarks: tuple[str, ...] = ()


def circumstances_of(scale: Scale, value: LabValue) -> Circumstances:
    """Everything about a value but its numbers, in normal form."""
    sex, sex_remark = normal_sex(value.sex)
    ages, age_remark = normal_age(value.age, age_rules(scale))
    fasting, fasting_remark = normal_answer("fasting", value.fasting)
    hiv, hiv_remark = normal_answer("hiv", value.hiv)
    remarks = tuple(remark for remark in (sex_remark, age_remark, fasting_remark, hiv_remark) if remark)
    return Circumstances(
        value.parameter.strip(),
        value.unit.strip(),
        sex,
        ages,
        fasting,
        hiv,
        normal_qualifier(value.qualifier),
        remarks,
    )


def normal_answer(name: str, text: str) -> tuple[str, str]:
    """Yes, no or "" (unknown), and a remark on a text that is none of them."""
    word = text.strip().lower()
    if word in YES:
        return "yes", ""
    if word in NO:
        return "no", ""
    return "", "" if word in UNKNOWN else f"{name} = {text.strip()} is not yes or no, so it counts as unknown"


def normal_sex(text: str) -> tuple[str, str]:
    """M, F or "" (unknown), and a remark on a text that is none of them."""
    word = text.strip().lower()
    if word in UNKNOWN:
        return "", ""
    sex = SEXES.get(word, "")
    return sex, "" if sex else f"sex = {text.strip()} is not M or F, so it counts as unknown"


def age_rules(scale: Scale) -> tuple[str, ...]:
    """The age rules that a scale's ladders have, each once."""
    return tuple(sorted({ladder.age for ladder in scale.ladders if ladder.age is not None}))


def normal_age(text: str, rules: Iterable[str]) -> tuple[frozenset[str] | None, str]:
    """The age rules that hold at an age in years, None when it is unknown; and a remark on a text that is no age."""
    if text.strip().lower() in UNKNOWN:
        return None, ""
    reading = read_number(text)
    if reading is None or reading.sign:
        return None, f"age = {text.strip()} is not a number of years, so it counts as unknown"
    return frozenset(rule for rule in rules if _old_enough(reading.number, rule)), ""


def _old_enough(years: Decimal, rule: str) -> bool:
    sign, number, unit = rule.split()
    days, least = years * DAYS["years"], Decimal(number) * DAYS[unit]
    return days >= least if sign == ">=" else days > least


def normal_qualifier(text: str) -> frozenset[str]:
    """The answers in a text: words, in small letters, with underscores for spaces within."""
    return frozenset(re.sub(r"[;,|]", " ", text.strip().lower()).replace("-", "_").split())
