"""No text of a protocol becomes a formula in results.csv, and none is lost."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from equipoise.analysis.results import Results, Row

# Without half pairs, NUL and carriage returns: no protocol can hold them.
TEXTS = st.one_of(
    st.sampled_from(["=1+1", '=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "-", "\N{MINUS SIGN}5"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1),
)


def calculates(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula; a sign before digits alone makes a number."""
    if cell[0] in "+-":
        digits, _, power = cell[1:].lower().partition("e")
        power = power[1:] if power[:1] in ("+", "-") else power
        return any(not each.isdecimal() and each not in ".," for each in digits + power)
    return cell[0] in "=@\t\r"


@given(label=TEXTS, unit=TEXTS, number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_text_is_never_a_formula_and_a_number_always_a_number(label: str, unit: str, number: float):
    row = Row(id="a", analysis="a", estimate=number, label=label, unit=unit)
    results = Results(rows=(row,), sentences={}, populations={}, meta={})
    (read,) = csv.DictReader(io.StringIO(results.as_csv(), newline=""))
    assert float(read["estimate"]) == number
    for column, text in (("label", label), ("unit", unit)):
        assert not calculates(read[column])
        assert read[column] in (text, f"'{text}")
