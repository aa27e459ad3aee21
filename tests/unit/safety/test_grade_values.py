"""Frames as programs have them: numbers, None and truth values beside text, and columns that are not there."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from equipoise.refusals import Refusal
from equipoise.safety.grade_table import grade_values, text_of
from equipoise.safety.scales import scale_named

DAIDS = scale_named("daids-2.1")


def test_numbers_and_truth_values_are_read_as_they_are():
    frame = pd.DataFrame(
        {
            "parameter": ["BILI", "CD4", "HGB", "K"],
            "value": [22.0, 139, Decimal("9.5"), None],
            "unit": ["umol/L", "/uL", "g/dL", "mmol/L"],
            "uln": [20, None, np.nan, 5.1],
            "sex": [None, "F", "M", "M"],
            "age": [40, 40.5, np.int64(41), 40],
            "hiv": [True, False, None, None],
        },
        index=["a", "b", "c", "d"],
        dtype=object,
    )
    grades = grade_values(DAIDS, frame)
    assert grades["grade"].to_dict() == {"a": "1", "b": "3", "c": "2", "d": "not-gradable"}
    assert grades.loc["d", "note"] == "value is missing"
    assert list(grades.columns) == ["grade", "direction", "rule", "note"]


def test_columns_of_numbers_are_read_too():
    frame = pd.DataFrame({"parameter": ["BILI"] * 2, "value": [22.0, 21.99], "unit": "umol/L", "uln": [20, 20]})
    assert grade_values(DAIDS, frame)["grade"].tolist() == ["1", "0"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, ""), (float("nan"), ""), (pd.NaT, ""), (True, "yes"), (22.0, "22.0"), (5, "5"), ("x", "x")],
)
def test_a_cell_as_text(cell, text):
    assert text_of(cell) == text


def test_no_rows_give_no_grades():
    assert grade_values(DAIDS, pd.DataFrame({"parameter": [], "value": [], "unit": []})).shape == (0, 4)


def test_a_column_that_is_needed_and_not_there_is_refused():
    with pytest.raises(Refusal) as refused:
        grade_values(DAIDS, pd.DataFrame({"parameter": ["K"], "value": ["4"]}))
    assert str(refused.value) == ("column = unit: is not in the table; add it; needed are parameter, value, unit")


def test_numbers_too_large_for_the_machine_are_compared_all_the_same():
    frame = pd.DataFrame(
        {
            "parameter": "ALT",
            "value": ["900000000000", "99999999999.9", "1e30", "100000000000"],
            "unit": "U/L",
            "uln": ["90000000000", "10000000000", "1e29", "10000000000.01"],
        }
    )
    assert grade_values(DAIDS, frame)["grade"].tolist() == ["4", "3", "4", "3"]
