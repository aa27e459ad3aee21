"""Grades on and around every limit of both scales, against a plain reading of the criteria.

`grades.csv` was made by oracle.py (Python's fractions, no code of ours) from the two criteria files named there:
published limits as transcribed in admiral 1.5.0.9003, with the choices of docs/methods/grading.md. `more_grades.csv`
holds terms that those files lack, graded by hand from the published text. Grades are whole numbers, so the tolerance
is none.
"""

import csv
import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from equipoise.safety.circumstances import LabValue
from equipoise.safety.grade_table import grade_values
from equipoise.safety.grading import grade_value
from equipoise.safety.scales import scale_named

HERE = Path(__file__).parent


def rows_of(name):
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows_for(scale):
    return [row for name in ("grades.csv", "more_grades.csv") for row in rows_of(name) if row["scale"] == scale]


@pytest.mark.parametrize("name", ["daids-2.1", "ctcae-5.0"])
def test_on_and_around_every_limit(name):
    rows = rows_for(name)
    assert len(rows) > 1000
    found = grade_values(scale_named(name), pd.DataFrame(rows).drop(columns=["scale", "grade"]))["grade"]
    wrong = [(row, grade) for row, grade in zip(rows, found, strict=True) if grade != row["grade"]]
    assert wrong == []
    assert {row["grade"] for row in rows} == {"0", "1", "2", "3", "4"}


@pytest.mark.parametrize("name", ["daids-2.1", "ctcae-5.0"])
def test_every_step_of_the_scale_is_reached(name):
    rows = rows_for(name)
    scale = scale_named(name)
    told = {
        grade_value(scale, LabValue(**{k: v for k, v in row.items() if k not in ("scale", "grade")})).rule
        for row in rows
    }
    missing = [
        (ladder.term, ladder.unit, step.range)
        for ladder in scale.ladders
        for step in ladder.steps
        if step.range and not any(ladder.term in rule and step.range in rule for rule in told)
    ]
    assert missing == []


def test_the_expectations_are_what_the_criteria_say(shared):
    specification = importlib.util.spec_from_file_location("oracle", HERE / "oracle.py")
    oracle = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(oracle)
    folder = shared("data/safety/daids_v2_1_labs.csv").parent
    assert list(oracle.graded_cases(folder)) == rows_of("grades.csv")
