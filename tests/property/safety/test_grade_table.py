"""A table is graded as each of its rows is, whatever is in it."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from equipoise.safety.circumstances import LabValue
from equipoise.safety.grade_table import grade_values
from equipoise.safety.grading import grade_value
from equipoise.safety.scales import scale_named

COLUMNS = ("parameter", "value", "unit", "lln", "uln", "baseline", "sex", "age", "fasting", "hiv", "qualifier")
UNITS = ["g/dL", "g/L", "mmol/L", "umol/L", "mg/dL", "10^9/L", "/uL", "U/L", "mL/min", "mEq/L", "", "furlong"]
LIMITS_MET = ["10", "10.9", "22", "1.1", "20", "120", "0.8", "100", "50", "143", "110", "7", "6.95", "0.65"]
number = st.one_of(
    st.sampled_from(LIMITS_MET),
    st.decimals(0, 500, places=2).map(str),
    st.decimals(0, 10, places=9).map(str),
    st.integers(0, 10**15).map(str),
)
value = st.one_of(
    number, st.builds(lambda sign, text: sign + text, st.sampled_from(["<", "<=", "> ", ">="]), number),
    st.sampled_from(["", "haemolysed", "-1", "1e-40", "1e40"]),
)  # fmt: skip
limit = st.one_of(st.just(""), number, st.sampled_from(["x", "0"]))
row = st.tuples(
    st.sampled_from([*sorted(scale_named("daids-2.1").by_parameter), "GGT", "LDH", "CRP"]),
    value,
    st.sampled_from(UNITS),
    limit,
    limit,
    limit,
    st.sampled_from(["F", "M", "", "?"]),
    st.sampled_from(["40", "17", "3", "", "old"]),
    st.sampled_from(["yes", "no", "", "maybe"]),
    st.sampled_from(["yes", "no", ""]),
    st.sampled_from(["", "none", "symptomatic", "consequences", "other"]),
)


@given(
    st.lists(row, min_size=1, max_size=30), st.sampled_from(["daids-2.1", "ctcae-5.0"]),
    st.sampled_from(["certain", "worst"]),
)  # fmt: skip
def test_every_row_as_by_itself(rows, name, unanswered):
    scale = scale_named(name)
    grades = grade_values(scale, pd.DataFrame(rows, columns=COLUMNS, dtype=object), unanswered=unanswered)
    for cells, found in zip(rows, grades.itertuples(index=False), strict=True):
        alone = grade_value(scale, LabValue(**dict(zip(COLUMNS, cells, strict=True))), unanswered=unanswered)
        assert tuple(found) == (alone.grade, alone.direction, alone.rule, alone.note)
