"""Vital signs around infusions: which value is before, which is furthest, and of whom."""

from dataclasses import replace

import pandas as pd
import pytest

from equipoise.analysis import vital_signs
from equipoise.analysis.results import Results
from equipoise.conduct.snapshots import COLUMNS
from equipoise.report.tables.vital_signs import vital_signs_table

SIGNS = (
    ("01-001", "C1", -30, {"temperature": 36.4, "systolic": 118.0}),
    ("01-001", "C1", -5, {"temperature": 36.6}),
    ("01-001", "C1", 0, {"temperature": 36.5, "systolic": 120.0, "saturation": 99.0}),
    ("01-001", "C1", 30, {"temperature": 38.4, "systolic": 95.0, "saturation": 94.0}),
    ("01-001", "C1", 60, {"temperature": 37.9, "systolic": 181.0}),
    ("01-003", "C1", 15, {"temperature": 37.0}),
    ("01-002", "C1", 15, {"temperature": 41.0}),  # of the other arm, and not infused
)


@pytest.fixture
def watched(made, records, planned):
    """Two infused participants of the new arm, one of whom was not measured before the start."""
    people = [records.person(code, arm) for code, arm in (("01-001", "NEW"), ("01-002", "OLD"), ("01-003", "NEW"))]
    snapshot = made(planned(replace=(("analyses:\n", "analyses: []\n"),)), people=people)
    infusions = [{"participant": code, "arm": "NEW", "course": "C1"} for code in ("01-001", "01-003")]
    signs = [{"participant": who, "course": course, "minutes": at, **found} for who, course, at, found in SIGNS]
    return replace(
        snapshot,
        infusions=frame("infusions", infusions),
        infusion_vital_signs=frame("infusion_vital_signs", signs),
    )


def frame(name, rows):
    return pd.DataFrame(
        [[row.get(column) for column in COLUMNS[name]] for row in rows], columns=list(COLUMNS[name]), dtype=object
    )


def test_before_is_the_last_value_and_after_the_furthest_on_each_side(watched):
    found = {row.id: row for row in vital_signs.answer(watched.protocol, watched).rows}
    values = {id.removeprefix("vitals.NEW.C1."): (row.estimate, row.n) for id, row in found.items()}
    assert values["temperature.before.median"] == (36.6, 1)
    assert values["temperature.highest.lowest"] == (37.0, 2)
    assert values["temperature.highest.highest"] == (38.4, 2)
    assert values["systolic.before.median"] == (118.0, 1)
    assert (values["systolic.highest.median"], values["systolic.lowest.median"]) == ((181.0, 1), (95.0, 1))
    assert values["saturation.lowest.median"] == (94.0, 1)
    assert not [id for id in values if id.startswith(("pulse", "saturation.before", "saturation.highest"))]
    assert found["vitals.NEW.C1.temperature.highest.median"].unit == "Cel"


def test_without_vital_signs_there_are_no_rows(watched):
    bare = replace(watched, infusion_vital_signs=watched.infusion_vital_signs[:0])
    assert vital_signs.answer(watched.protocol, bare).rows == ()
    assert vital_signs_table(watched.protocol, Results(rows=(), sentences={}, populations={}, meta={})) is None


def test_the_table_has_a_row_for_each_side_and_a_dash_where_nothing_was_measured(watched):
    rows = vital_signs.answer(watched.protocol, watched).rows
    table = vital_signs_table(watched.protocol, Results(rows=rows, sentences={}, populations={}, meta={}))
    (body,) = table.bodies
    shown = {row.head: row.cells[0].striptags() for row in body.rows}
    assert body.title == "New + old"
    assert shown["Temperature, °C: before"] == "36.6 (36.6 to 36.6)"
    assert shown["Temperature, °C: highest"] == "37.7 (37.0 to 38.4)"
    assert shown["Systolic pressure, mmHg: lowest"] == "95 (95 to 95)"
    assert shown["Pulse, per minute: highest"] == "–"
