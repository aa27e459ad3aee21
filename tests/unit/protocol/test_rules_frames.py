"""Evaluating rules on whole frames: types of columns in, types of columns out."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from equipoise.protocol.rules import RuleRefused, parse_rule

FRAME = pd.DataFrame(
    {
        "lab.cd4": pd.array([139, 350, None], dtype="Int64"),
        "lab.cd8": [950.0, 0.0, np.nan],
        "sex": pd.Series(["F", None, "M"], dtype="str"),
        "arm": pd.Categorical(["NK", "ART", None]),
        "treated": pd.array([True, False, None], dtype="boolean"),
        "drawn": pd.to_datetime(["2018-02-01", "2018-03-01", None]),
        "exact": pd.Series([Decimal("0.1"), None, Decimal("0.3")], dtype="object"),
        "ae": pd.Series([[{"grade": 3}], [], None], dtype="object"),
        "drugs": pd.Series([["AZT"], [], None], dtype="object"),
    }
).set_axis(["P01", "P02", "P03"])


def logic(*values: bool | None) -> pd.Series:
    return pd.Series(list(values), index=FRAME.index, dtype="boolean")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("lab.cd4 < 200", logic(True, False, None)),
        ("lab.cd8 > 100 or lab.cd4 > 300", logic(True, True, None)),
        ("sex == 'F'", logic(True, None, False)),
        ("arm != 'NK'", logic(False, True, None)),
        ("not treated", logic(False, True, None)),
        ("drawn >= date('2018-02-02')", logic(False, True, None)),
        ("any(ae.grade >= 3)", logic(True, False, None)),
        ("'AZT' in drugs", logic(True, False, None)),
        ("missing(sex)", logic(False, True, False)),
        ("yes", logic(True, True, True)),
    ],
)
def test_a_condition_gives_a_boolean_column(text, column):
    pd.testing.assert_series_equal(parse_rule(text).evaluate_frame(FRAME), column)


def test_a_calculation_gives_a_column_of_numbers():
    ratio = pd.Series([139 / 950, None, None], index=FRAME.index, dtype="Float64")
    pd.testing.assert_series_equal(parse_rule("lab.cd4 / lab.cd8").evaluate_frame(FRAME), ratio)
    tripled = pd.Series([0.3, None, 0.9], index=FRAME.index, dtype="Float64")
    pd.testing.assert_series_equal(parse_rule("3 * exact").evaluate_frame(FRAME), tripled)


def test_dates_and_texts_give_a_column_of_objects():
    drawn = parse_rule("drawn").evaluate_frame(FRAME)
    assert drawn.tolist() == [datetime.date(2018, 2, 1), datetime.date(2018, 3, 1), None]
    assert parse_rule("if(treated, 'yes', sex)").evaluate_frame(FRAME).tolist() == ["yes", None, None]


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("treated", "boolean"),
        ("lab.cd4 > 1", "boolean"),
        ("lab.cd8 + 1", "Float64"),
        ("lab.cd8", "Float64"),
        ("sex", "object"),
    ],
)
def test_the_type_of_a_column_does_not_hang_on_its_values(text, dtype):
    rule = parse_rule(text)
    assert rule.evaluate_frame(FRAME.iloc[:0]).dtype == dtype
    assert rule.evaluate_frame(FRAME.iloc[2:].assign(sex=None)).dtype == dtype


def test_a_missing_column_is_refused():
    with pytest.raises(RuleRefused) as refused:
        parse_rule("lab.CD4 > 1").evaluate_frame(FRAME)
    assert str(refused.value) == (
        "rule = lab.CD4 > 1: the frame has no column lab.CD4; rename lab.cd4, or add the column"
    )
    with pytest.raises(RuleRefused) as refused:
        parse_rule("weight > 1").evaluate_frame(FRAME)
    assert str(refused.value) == "rule = weight > 1: the frame has no column weight; add the column"


def test_a_column_of_the_wrong_kind_is_refused():
    with pytest.raises(RuleRefused) as refused:
        parse_rule("sex > 1").evaluate_frame(FRAME)
    assert str(refused.value) == ("rule = sex > 1: text is compared with a number; compare values of the same kind")
