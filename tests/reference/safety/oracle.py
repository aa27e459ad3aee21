"""Grade on and around every limit, the plain way: fractions, one row of the criteria at a time.

    python tests/reference/safety/oracle.py CRITERIA_FOLDER > tests/reference/safety/grades.csv

The criteria are daids_v2_1_labs.csv and ctcae_v5_labs.csv: a line for each grade of each term and unit with its two
bounds. Nothing of Equipoise is imported.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

FILES = {"daids-2.1": "daids_v2_1_labs.csv", "ctcae-5.0": "ctcae_v5_labs.csv"}
COLUMNS = ("scale", "parameter", "value", "unit", "lln", "uln", "baseline", "sex", "age", "fasting", "hiv", "qualifier")
ANY_UNIT = ("xULN", "xBASE", "% decrease from BASE")
MEASURED_IN = {"EGFR": "mL/min", "BILI": "umol/L", "BILDIR": "umol/L", "CREAT": "umol/L", "URATE": "umol/L"}
ENZYMES = "U/L"
ULN, LLN = Fraction(20), Fraction("0.3")  # 1.1 x 20 is not 22 in binary
TINY = Fraction(1, 10_000)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The criteria that numbers decide."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["qualifier"] != "clinical_only"]


def cases(scale: str, rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Values on and beside every bound of every row, in circumstances in which the row holds."""
    seen = set()
    for row in rows:
        for unit, sex, answer in product(units_of(row), sexes_of(row), answers_of(row, rows)):
            for lln, uln, base in limits_of(row):
                for value in values_of(row, {"abs": Fraction(1), "LLN": lln, "ULN": uln, "BASE": base}):
                    fasting = {"fasting": "yes", "nonfasting": "no", "any": "no"}[row["fasting"]]
                    texts = tuple(map(decimal, (value, lln, uln, base)))
                    case = (scale, row["parameter"], texts[0], unit, *texts[1:], sex, "40", fasting, "no", answer)
                    if value >= 0 and case not in seen:
                        seen.add(case)
                        yield dict(zip(COLUMNS, case, strict=True))


def units_of(row: dict[str, str]) -> list[str]:
    if row["unit"] in ANY_UNIT:
        return [MEASURED_IN.get(row["parameter"], ENZYMES)]
    return row["unit"].split(" or ")


def sexes_of(row: dict[str, str]) -> list[str]:
    return ["F", "M"] if row["sex"] == "any" else [row["sex"]]


def answers_of(row: dict[str, str], rows: list[dict[str, str]]) -> list[str]:
    """Every answer that its term's rows ask for; one where they ask nothing."""
    asked = {other["qualifier"] for other in rows if other["parameter"] == row["parameter"]} - {""}
    return sorted(asked) or [""]


def limits_of(row: dict[str, str]) -> list[tuple[Fraction, Fraction, Fraction]]:
    """LLN, ULN and baseline that bring the row's own bounds apart."""
    factors = [Fraction(row[f"{side}_value"]) for side in ("lower", "upper") if row[f"{side}_ref"] == "abs"]
    far = Fraction(1000)
    if row["unit"].startswith("%"):
        return [(LLN, ULN, far), (LLN, ULN, ULN * 4)]
    if row["baseline_rule"] != "any":
        return [(LLN, ULN, ULN * 3 if row["baseline_rule"] == "abnormal" else ULN * Fraction("0.9"))]
    if row["unit"] == "xBASE":
        return [(LLN, far, ULN), (LLN, ULN, ULN * Fraction("0.9"))]
    if row["unit"] == "xULN" or not factors:
        return [(LLN, ULN, far), (LLN, ULN, ULN * Fraction("0.9"))]
    if row["direction"] == "L":
        lln = max(factors) * Fraction("1.15")
        return [(lln, lln * 3, min(factors) / 2), (lln, lln * 3, lln * 2)]
    uln = min(factors) * Fraction("0.85")
    return [(uln / 4, uln, uln / 2)]


def values_of(row: dict[str, str], references: dict[str, Fraction]) -> list[Fraction]:
    """Each bound, and a little on both sides of it."""
    found = []
    for side in ("lower", "upper"):
        if not row[f"{side}_value"]:
            continue
        factor = Fraction(row[f"{side}_value"])
        edge = factor * references[row[f"{side}_ref"]]
        if row["unit"].startswith("%"):
            edge = references["BASE"] * (100 - factor) / 100
        found += [edge - TINY, edge, edge + TINY]
    return found


def grade_of(case: dict[str, str], rows: list[dict[str, str]]) -> int:
    """The highest grade of the rows that hold; 0 when none does."""
    value, uln, lln, base = (Fraction(case[name]) for name in ("value", "uln", "lln", "baseline"))
    references = {"abs": Fraction(1), "ULN": uln, "LLN": lln, "BASE": base}
    state = "abnormal" if base > uln else "normal"
    grades = [0]
    for row in rows:
        if (
            row["parameter"] == case["parameter"]
            and (row["unit"] in ANY_UNIT or case["unit"] in row["unit"].split(" or "))
            and row["sex"] in ("any", case["sex"])
            and row["fasting"] in ("any", "fasting" if case["fasting"] == "yes" else "nonfasting")
            and row["baseline_rule"] in ("any", state)
            and row["qualifier"] in ("", case["qualifier"])
            and within(row, 100 * (base - value) / base if row["unit"].startswith("%") else value, references)
        ):
            grades.append(int(row["grade"]))
    return max(grades)


def within(row: dict[str, str], value: Fraction, references: dict[str, Fraction]) -> bool:
    """Whether both bounds of a row hold."""
    if row["lower_value"]:
        lower = Fraction(row["lower_value"]) * references[row["lower_ref"]]
        if value < lower or (value == lower and row["lower_incl"] != "1"):
            return False
    if row["upper_value"]:
        upper = Fraction(row["upper_value"]) * references[row["upper_ref"]]
        if value > upper or (value == upper and row["upper_incl"] != "1"):
            return False
    return True


def decimal(number: Fraction) -> str:
    """A fraction as the decimal that it is."""
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    digits = str(int(number * 10**places)).rjust(places + 1, "0")
    return f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits


def graded_cases(folder: Path) -> Iterator[dict[str, str]]:
    """Every case with its grade."""
    for scale, name in FILES.items():
        rows = rows_of(folder / name)
        for case in cases(scale, rows):
            yield {**case, "grade": str(grade_of(case, rows))}


if __name__ == "__main__":
    writer = csv.DictWriter(sys.stdout, (*COLUMNS, "grade"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(graded_cases(Path(sys.argv[1])))
