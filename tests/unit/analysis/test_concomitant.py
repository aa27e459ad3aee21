"""Medicines beside the interventions: by code or by text, after randomisation alone, each participant once."""

from datetime import date

import pytest

from equipoise.analysis import concomitant
from equipoise.analysis.results import Results
from equipoise.report.tables.concomitant import concomitant_table

FORM = """\
  - id: drugs
    title: Drugs
    repeating: true
    items:
      - {id: coded, cdash: CMTRT, question: Which, type: choice, codelist: DRUG}
      - {id: other, cdash: CMTRT, question: Another, type: text}
      - {id: several, cdash: CMTRT, question: All of them, type: many, codelist: DRUG}
"""


@pytest.fixture
def asking(planned):
    """The small protocol with a form that asks for medicines."""
    return planned(
        replace=(
            ("analyses:\n", "analyses: []\n"),
            ("codelists: {sex:", "codelists: {DRUG: {B: Beta, A: Alpha, C: Gamma}, sex:"),
            ("  - {id: dose,", FORM + "  - {id: dose,"),
            ("forms: [blood, dose]", "forms: [blood, dose, drugs]"),
        )
    )


@pytest.fixture
def told(made, records, asking):
    """Four randomised participants with what they took; one dose before randomisation."""
    arms = {"01-001": "NEW", "01-002": "OLD", "01-003": "NEW", "01-004": "OLD"}
    people = [records.person(code, arm) for code, arm in arms.items()]
    days = {"s": date(2020, 1, 20), "m1": date(2020, 3, 1)}
    visits = [
        {"participant": code, "visit": visit, "status": "done", "date": day}
        for code in arms
        for visit, day in days.items()
    ]
    taken = [
        ("01-001", "m1", "drugs.coded", "A"),
        ("01-001", "m1", "drugs.coded", "A"),
        ("01-001", "m1", "drugs.coded", "B"),
        ("01-003", "m1", "drugs.other", "Herbal Tea "),
        ("01-002", "m1", "drugs.other", "herbal tea"),
        ("01-004", "s", "drugs.coded", "A"),
        ("01-004", "m1", "drugs.several", '["B", "C"]'),
        ("01-003", "m1", "drugs.other", "Any"),
    ]
    return made(asking, people=people, visits=visits, values=[records.answer(*each) for each in taken])


def test_each_participant_counts_once_for_each_medicine_after_randomisation(asking, told):
    rows = concomitant.answer(asking, told).rows
    assert {row.id.removeprefix("concomitant."): (row.estimate, row.n, row.label) for row in rows} == {
        "NEW.any.participants": (2, 2, "any medicine"),
        "OLD.any.participants": (2, 2, "any medicine"),
        "NEW.beta.participants": (1, 2, "Beta"),
        "OLD.beta.participants": (1, 2, "Beta"),
        "NEW.alpha.participants": (1, 2, "Alpha"),
        "OLD.alpha.participants": (0, 2, "Alpha"),
        "NEW.gamma.participants": (0, 2, "Gamma"),
        "OLD.gamma.participants": (1, 2, "Gamma"),
        "NEW.any*.participants": (1, 2, "any"),
        "OLD.any*.participants": (0, 2, "any"),
        "NEW.herbal tea.participants": (1, 2, "herbal tea"),
        "OLD.herbal tea.participants": (1, 2, "herbal tea"),
    }


def test_a_protocol_that_does_not_ask_has_no_rows(planned, told):
    silent = planned(replace=(("analyses:\n", "analyses: []\n"),))
    assert concomitant.answer(silent, told).rows == ()


def test_the_table_shows_every_medicine_by_arm(asking, told):
    rows = concomitant.answer(asking, told).rows
    results = Results(rows=rows, sentences={}, populations={}, meta={})
    (body,) = concomitant_table(asking, results).bodies
    assert [(row.head, *(cell.striptags() for cell in row.cells)) for row in body.rows] == [
        ("any medicine", "2/2", "2/2"),
        ("Beta", "1/2", "1/2"),
        ("Alpha", "1/2", "0/2"),
        ("Gamma", "0/2", "1/2"),
        ("any", "1/2", "0/2"),
        ("herbal tea", "1/2", "1/2"),
    ]
    assert concomitant_table(asking, Results(rows=(), sentences={}, populations={}, meta={})) is None
