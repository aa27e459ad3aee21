import json
import math

import pytest

from equipoise.analysis import Histogram, Residual, Results, ResultsRefusal, Row, from_json, read_json

ROWS = (
    Row(
        "a.m2.student",
        "a",
        role="main",
        outcome="cd4",
        estimate=0.1 + 0.2,
        p_value=1e-300,
        df=18.0,
        n=20,
        unit="cells/uL",
    ),
    Row("flow.screened", "flow", estimate=27.0, n=27, label='with "quotes", a comma and 中文'),
)
RESULTS = Results(
    rows=ROWS,
    sentences={"primary": "So it is."},
    populations={"FAS": ("01-001", "01-002")},
    meta={"position": 42, "head_hash": "ab", "rehearsal": None},
    histograms={"a": Histogram((0.0, 0.5, 1.0), (3, 4), 0.25, "cells/uL")},
    residuals={"b": (Residual("01-001", "m2", 140.0, -1.25), Residual("01-002", "m2", 150.5, 0.5))},
)


def test_json_gives_the_same_results_back_and_the_same_bytes_again(tmp_path):
    RESULTS.write_json(tmp_path / "results.json")
    again = read_json(tmp_path / "results.json")
    assert again == RESULTS
    assert again.as_json() == RESULTS.as_json()


def test_rows_are_found_by_id_and_by_what_they_hold():
    assert RESULTS.row("flow.screened") is ROWS[1]
    assert RESULTS.maybe("flow.nothing") is None
    assert RESULTS.find(analysis="a", role="main") == (ROWS[0],)
    assert RESULTS.find(analysis="a", role="descriptive") == ()
    with pytest.raises(KeyError):
        RESULTS.row("flow.nothing")


def test_frame_holds_every_number():
    frame = RESULTS.frame()
    assert list(frame["id"]) == ["a.m2.student", "flow.screened"]
    assert frame["estimate"].tolist() == [0.30000000000000004, 27.0]
    assert math.isnan(frame["p_value"][1])
    assert frame["n"].tolist() == [20, 27]
    assert frame["label"][0] is None


def test_csv_has_a_line_for_each_row_with_all_digits(tmp_path):
    RESULTS.write_csv(tmp_path / "results.csv")
    lines = (tmp_path / "results.csv").read_text(encoding="utf-8").split("\n")
    assert lines[0] == (
        "id,analysis,role,outcome,population,method,term,arm,visit,estimate,std_error,df,df2,statistic,p_value,"
        "conf_low,conf_high,n,unit,label"
    )
    assert lines[1] == "a.m2.student,a,main,cd4,,,,,,0.30000000000000004,,18.0,,,1e-300,,,20,cells/uL,"
    assert lines[2] == 'flow.screened,flow,,,,,,,,27.0,,,,,,,,27,,"with ""quotes"", a comma and 中文"'
    assert lines[3:] == [""]


def test_a_number_that_is_not_finite_is_never_a_row():
    with pytest.raises(AssertionError, match=r"x: estimate = nan"):
        Row("x", "x", estimate=math.nan)
    with pytest.raises(AssertionError, match=r"x: conf_low = -inf"):
        Row("x", "x", conf_low=-math.inf)


def test_an_id_stands_once():
    with pytest.raises(AssertionError, match="an id is used twice"):
        Results(rows=(ROWS[0], ROWS[0]), sentences={}, populations={}, meta={})


def changed(**parts):
    return json.dumps(json.loads(RESULTS.as_json()) | parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        changed(equipoise_results=2),
        changed(rows=[{"id": "x", "analysis": "x", "colour": "red"}]),
        changed(rows=[{"id": "x", "analysis": "x"}, {"id": "x", "analysis": "x"}]),
        changed(rows=[{"id": "x", "analysis": "x", "estimate": "1"}]),
        RESULTS.as_json().replace("27.0", "NaN"),
        changed(populations=7),
    ],
)
def test_another_file_is_refused(text):
    with pytest.raises(ResultsRefusal) as refused:
        from_json(text, "mine.json")
    assert str(refused.value) == (
        "mine.json: is not a results file of this version; run `equipoise analyse` again to write a new one"
    )
