"""Donors, product, harm and laboratory safety: counts as counted by hand, tables and figures as the results say."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from equipoise import analysis, stats
from equipoise.analysis import laboratory
from equipoise.analysis.harms import deadline_state
from equipoise.analysis.laboratory import followed_of, graded_items, graded_values, the_scale
from equipoise.report import safety_drawings
from equipoise.report.checklist import checklist
from equipoise.report.figures.arms import arm_styles
from equipoise.report.figures.boundary import boundary_figure
from equipoise.report.figures.edish import Peaks, edish_figure
from equipoise.report.figures.incidence import Incidence, incidence_figure
from equipoise.report.figures.laboratory import GradedPoint, GradeLimit, laboratory_figure
from equipoise.report.figures.swimmer import swimmer_figure
from equipoise.report.page import page
from equipoise.report.sections import sections
from equipoise.report.tables.harms import deadlines_table, grades_table, reactions_table, serious_table, terms_table
from equipoise.report.tables.laboratory import emergent_table, grave_table, liver_table, shift_tables, ungraded_table
from equipoise.report.tables.product import (
    donors_table,
    exposure_table,
    infusions_table,
    lots_table,
    missed_table,
    sources_table,
)

HOSTILE = "<script>alert(\"1\")</script>{{ 7 * 7 }} $x$ & 'y'"
NOON = datetime(2018, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def values(protocol, treated):
    return graded_values(protocol, treated)


def counted(results, id):
    row = results.row(id)
    return row.estimate, row.n


def plain(table):
    return {
        re.sub(r"<[^>]+>", "", str(row.head)): [re.sub(r"<[^>]+>", "", str(cell)) for cell in row.cells]
        for body in table.bodies
        for row in body.rows
    }


@pytest.mark.parametrize(
    ("id", "count", "of"),
    [
        ("exposure.NKART.participants", 10, 10),
        ("exposure.NKART.courses", 29, 30),
        ("exposure.NKART.C2.completed", 9, 10),
        ("exposure.NKART.C2.within", 9, 10),
        ("exposure.NKART.C3.given", 9, 10),
        ("exposure.NKART.C3.missed", 1, 10),
        ("exposure.NKART.donors", 2, 29),
        ("exposure.refusals", 1, 1),
        ("exposure.refusals.expired", 1, 1),
        ("donors.registered", 3, 3),
        ("donors.typed", 2, 3),
        ("donors.eligible", 2, 3),
        ("donors.served", 2, 3),
        ("donors.of.D01.recipients", 5, 5),
        ("matches.verdict.mismatch", 10, 30),
        ("matches.participants.mismatch", 10, 10),
        ("lots.released", 29, 29),
        ("bags.infused", 29, 29),
        ("reactions.NKART.C1.participants", 2, 10),
        ("reactions.NKART.C1.severe", 2, 10),
        ("reactions.NKART.C3.participants", 0, 9),
        ("harms.NKART.interest.participants", 2, 10),
        ("harms.grade.3.NKART", 2, 10),
        ("harms.grade.1.NKART", 0, 10),
        ("harms.term.FEVER.NKART.grade.3", 2, 10),
        ("harms.system.Infections.ART.participants", 2, 10),
        ("harms.deadlines.met", 1, 1),
        ("harms.deadlines.overdue", 0, 1),
        ("laboratory.ALT.H.shift.NKART.0.3", 1, 10),
        ("laboratory.ALT.H.emergent.NKART.3", 1, 10),
        ("laboratory.NEUT.L.emergent.ART.3", 1, 10),
        ("liver.NKART.Hy's law", 1, 10),
        ("liver.NKART.candidates", 0, 10),
        ("liver.ART.neither", 10, 10),
        ("stopping.SR1.events", 1, 10),
        ("stopping.SR1.at.2.boundary", 3, 4),
        ("flow.received.NKART", 10, 10),
    ],
)
def test_counts_are_those_counted_by_hand(treated_results, id, count, of):
    assert counted(treated_results, id) == (count, of)


def test_an_arm_without_courses_has_no_exposure(treated_results):
    for analysed in ("exposure", "reactions"):
        assert {row.arm for row in treated_results.find(analysis=analysed)} <= {"NKART", None}
    assert treated_results.maybe("flow.received.ART") is None


def test_nobody_affected_is_not_no_risk(treated_results):
    row = treated_results.row("harms.none.NKART.share")
    assert (row.estimate, row.conf_low) == (0, 0)
    assert row.conf_high == pytest.approx(1 - 0.025**0.1, abs=1e-12)  # exact: (1 - p)^10 = 0.025
    assert treated_results.row("reactions.NKART.C3.share").conf_high == pytest.approx(1 - 0.025 ** (1 / 9), abs=1e-12)


def test_doses_are_summarised_in_the_unit_of_their_rows(treated_results):
    rows = {
        part: treated_results.row(f"exposure.NKART.C2.viable_nk.{part}") for part in ("lowest", "median", "highest")
    }
    assert {part: row.estimate for part, row in rows.items()} == pytest.approx(
        {"lowest": 70, "median": 101, "highest": 101}
    )
    assert {row.unit for row in rows.values()} == {"10*6"}


def test_no_row_of_harm_has_a_p_value(treated_results):
    for name in ("harms", "reactions", "laboratory", "liver", "exposure", "stopping", "donors"):
        rows = treated_results.find(analysis=name)
        assert rows, name
        assert all(row.p_value is None for row in rows)


def test_a_reaction_not_known_is_not_counted(protocol, treated):
    events = treated.adverse_events.assign(infusion_reaction=None)
    results = analysis.run(protocol, replace(treated, adverse_events=events))
    assert counted(results, "reactions.NKART.any course.participants") == (0, 10)
    possible = {*events.loc[events["participant"].isin(treated.infusions["participant"]), "participant"]}
    assert counted(results, "reactions.NKART.any course.possible") == (len(possible), 10)
    assert "may have been a reaction, but the time is not known well enough to tell" in results.sentences["reactions"]
    assert "may have been" not in analysis.run(protocol, treated).sentences["reactions"]


def test_a_candidate_without_alkaline_phosphatase_is_neither_cleared_nor_counted(treated_results):
    assert counted(treated_results, "liver.NKART.Hy's law") == (1, 10)
    assert counted(treated_results, "liver.NKART.candidates") == (0, 10)
    assert counted(treated_results, "liver.NKART.candidates-unknown") == (1, 10)


@pytest.mark.parametrize(
    ("due", "met", "state"),
    [
        (NOON, NOON, "met"),
        (NOON, NOON + timedelta(seconds=1), "met late"),
        (NOON, None, "open"),
        (NOON - timedelta(seconds=1), None, "overdue"),
    ],
)
def test_a_deadline_is_met_on_its_last_moment_and_overdue_after_it(due, met, state):
    assert deadline_state(due, met, NOON) == state


def test_every_value_that_the_scale_knows_is_graded_or_says_why(protocol, treated, values):
    assert set(values["parameter"]) == {"ALT", "AST", "BILI", "NEUT", "GLUC", "HGB", "CD4"}
    assert set(graded_items(protocol).values()) >= set(values["parameter"])
    ungraded = values[~values["grade"].isin(list("01234"))]
    assert (ungraded["note"] != "").all()
    assert set(ungraded["parameter"]) == {"CD4"}  # not graded in participants with HIV
    assert set(values.loc[values["sex"] == "F", "uln"]) != set(values.loc[values["sex"] == "M", "uln"])


def test_a_missing_baseline_is_missing_in_shifts_and_never_grade_0(protocol, treated):
    seen = treated.values
    without = replace(treated, values=seen[(seen["item"] != "blood.neut") | (seen["visit"] != "m0")])
    followed = followed_of(the_scale(protocol), without, graded_values(protocol, without))
    assert {each.baseline for each in followed if each.parameter == "NEUT"} == {None}
    rows = {row.id: row for row in laboratory.answer(protocol, without).rows}
    assert rows["laboratory.NEUT.L.shift.ART.missing.3"].estimate == 1
    assert rows["laboratory.NEUT.L.emergent.ART.3"].estimate == 0


def test_a_value_that_cannot_be_graded_is_counted_with_its_reason(protocol, treated):
    seen = treated.values
    unknown = replace(treated, values=seen[seen["item"] != "screening.sex"])  # limits of ALT go by sex
    rows = {row.id: row for row in laboratory.answer(protocol, unknown).rows}
    found = [row for row in rows.values() if row.term == "not-gradable" and row.label is not None]
    assert rows["laboratory.ungraded.not-gradable"].estimate == sum(row.estimate for row in found)
    assert sum(row.estimate for row in found if row.label.startswith("Alanine aminotransferase: ")) == 60
    assert not any(id.startswith("laboratory.ALT.") for id in rows)
    assert rows["liver.ART.unknown"].estimate == 10


def test_a_value_of_the_infusion_s_day_is_baseline(protocol, treated, values):
    first = values[values["participant"] == "01-001"]
    assert set(first.loc[first["item"] == "chemistry.alt", "baseline"]) == {"30"}


def test_a_foreign_table_has_nothing_of_this(protocol, treated):
    results = analysis.run(protocol, replace(treated, source="foreign.csv, sha256 0"))
    for name in ("exposure", "reactions", "laboratory", "liver", "stopping", "donors", "lots"):
        assert results.find(analysis=name) == ()


def test_sections_stand_only_where_the_protocol_has_them(protocol):
    bare = protocol.model_copy(update={"products": (), "panels": ()})
    ids = [section.id for section in sections(bare)]
    assert "product" not in ids
    full = [section.id for section in sections(protocol)]
    assert full.index("product") + 1 == full.index("harms")
    assert full.index("harms") + 1 == full.index("laboratory")


def test_the_checklist_sends_delivery_to_the_product_where_infusions_are_recorded(protocol, results, treated_results):
    where = {answer.number: answer.section for answer in checklist(protocol, treated_results)}
    assert (where["24a"], where["27"]) == ("product", "harms")
    assert {answer.number: answer.section for answer in checklist(protocol, results)}["24a"] != "product"


def test_tables_say_what_the_results_say(protocol, treated, treated_results, values):
    exposure = plain(exposure_table(protocol, treated_results))
    assert exposure["Infusions started"] == ["10/10", "10/10", "9/10"]
    assert exposure["Viable NK cells given, 10⁶: median (lowest to highest)"][1] == "101 (70 to 101)"
    assert plain(reactions_table(protocol, treated_results))["C1"] == [
        "2/10",
        "0.20 (0.03 to 0.56)",
        "2",
        "2/10",
        "0/10",
    ]
    assert plain(grades_table(protocol, treated_results))["Fever"] == ["0", "0", "2", "0", "0", "0", "0", "0", "0", "0"]
    terms = plain(terms_table(protocol, treated_results))
    assert terms["Infections"][:4] == ["1/10", "1", "2/10", "2"]
    sources = plain(sources_table(treated_results))
    assert sources["typed"] == ["2/3 (67%)"] or sources["typed"] == ["2/3"]
    names = dict(zip(values["parameter"], values["name"], strict=True))
    emergent = plain(emergent_table(protocol, treated_results, names))
    assert emergent["Alanine aminotransferase, too high"] == ["1/10", "1/10", "1/10", "0/10", "0/10", "0/10"]
    assert {table.id for table in shift_tables(protocol, treated_results, names)} == {
        "table-shift-ALT-H",
        "table-shift-BILI-H",
        "table-shift-NEUT-L",
    }
    assert len(plain(liver_table(protocol, treated_results))) == 7
    assert plain(deadlines_table(treated_results))["met"] == ["1/1"]


def test_listings_hold_every_record_and_codes_only(protocol, treated, treated_results, values):
    assert len(infusions_table(protocol, treated).bodies[0].rows) == 29
    lots = lots_table(treated)
    assert len(lots.bodies[0].rows) == 29
    assert [lots.bodies[0].rows[0].cells[place][10:] for place in (3, 4)] == [" 09:00, quality", " 10:00, quality"]
    assert lots.notes[0].startswith("A lot may be given once it is released conditionally")
    at_once = treated.lots.assign(conditionally_released_at=None, conditionally_released_by=None)
    plainly = lots_table(replace(treated, lots=at_once))
    assert (plainly.bodies[0].rows[0].cells[3], plainly.notes) == ("–", ())
    assert len(missed_table(treated).bodies[0].rows) == 1
    grave = grave_table(protocol, values)
    assert sorted(row.head for row in grave.bodies[0].rows) == ["01-001", "01-001", "01-002"]
    assert all("DAIDS 2.1" in row.cells[-1] for row in grave.bodies[0].rows)
    serious = serious_table(protocol, treated)
    assert serious.bodies[0].rows[0].cells[-1] == "serious (sponsor): met"
    donors = donors_table(treated, treated_results)
    assert [row.head for row in donors.bodies[0].rows] == ["D01", "D02", "D03"]
    assert "1990" not in str(donors)


def test_tables_are_absent_where_nothing_is(protocol, snapshot, results):
    assert serious_table(protocol, replace(snapshot, adverse_events=snapshot.adverse_events[:0])) is None
    for table in (infusions_table(protocol, snapshot), lots_table(snapshot), missed_table(snapshot)):
        assert table is None
    bare = replace(results, rows=())
    for table in (
        sources_table(bare),
        exposure_table(protocol, bare),
        reactions_table(protocol, bare),
        grades_table(protocol, bare),
        deadlines_table(bare),
        emergent_table(protocol, bare, {}),
        ungraded_table(bare),
        liver_table(protocol, bare),
    ):
        assert table is None


def test_every_number_on_the_page_is_the_one_of_its_id(treated_text, treated_results):
    found = re.findall(r'<data class="number" data-id="([^"]*)" data-field="([^"]*)" value="([^"]*)">', treated_text)
    safety = [each for each in found if each[0].split(".")[0] in ("exposure", "donors", "laboratory", "liver", "harms")]
    assert len(safety) > 300
    for id, field, value in safety:
        assert float(value) == getattr(treated_results.row(id.replace("&#39;", "'")), field), id


def test_the_page_holds_the_sections_with_their_figures(treated_text):
    for id in (
        "figure-swimmer",
        "figure-incidence",
        "figure-stopping-SR1",
        "figure-edish",
        "figure-laboratory-ALT",
        "figure-laboratory-NEUT",
        "table-exposure",
        "table-donors",
        "table-lots",
        "table-shift-ALT-H",
    ):
        assert treated_text.count(f'id="{id}"') == 1, id
    ids = re.findall(r' id="([^"]+)"', treated_text)
    assert len(ids) == len(set(ids))


def test_the_same_trial_gives_the_same_bytes(protocol, treated, treated_results, treated_text):
    assert page(protocol, treated, treated_results) == treated_text


def test_a_trial_without_infusions_says_so(text):
    assert "No infusion is recorded." in text


def test_hostile_texts_are_shown_and_never_run(protocol, treated, treated_results):
    def poisoned(frame, *columns):
        return frame.assign(**dict.fromkeys(columns, HOSTILE))

    hostile = replace(
        treated,
        donors=poisoned(treated.donors, "hla", "kir", "ligands", "b_content"),
        lots=poisoned(treated.lots, "status", "released_by"),
        lot_results=poisoned(treated.lot_results, "test", "value", "unit"),
        infusions=treated.infusions.assign(stop_reason=HOSTILE, completed=False),
        missed_courses=poisoned(treated.missed_courses, "cause"),
        adverse_events=poisoned(treated.adverse_events, "name", "verbatim", "outcome"),
    )
    shown = page(protocol, hostile, treated_results)
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "{{ 7 * 7 }}" in shown


def test_swimmer_lanes_hold_every_infusion_and_event(protocol, treated):
    lanes = safety_drawings.lanes_of(protocol, treated)
    figure, drawn = swimmer_figure(lanes, arm_styles(protocol))
    assert [lane.arm for lane in drawn] == ["NKART"] * 10 + ["ART"] * 10
    assert sum(len(lane.infusions) for lane in drawn) == 29
    assert sum(len(lane.events) for lane in drawn) == treated.adverse_events["after_randomisation"].sum()
    assert sum(lane.left is not None for lane in drawn) == 1
    bars = sorted(line.get_linewidth() for line in figure.axes[0].lines if line.get_linestyle() == "-")
    stars = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert [width for width in bars if width > 2] == [3.0, 5.5, 8.0, 8.0, 8.0]
    assert len(stars) == 1


def test_grade_limits_follow_sex_and_unit(protocol, values):
    found = values[values["parameter"] == "ALT"].to_dict("records")
    limits = {
        limit.grade: (limit.low, limit.high) for limit in safety_drawings.grade_limits(the_scale(protocol), found)
    }
    # DAIDS 2.1: ALT of grade 1, 2, 3, 4 from 1.25, 2.5, 5, 10 x ULN; ULN 40 in women, 50 in men.
    assert limits == {1: (50.0, 62.5), 2: (100.0, 125.0), 3: (200.0, 250.0), 4: (400.0, 500.0)}


def test_laboratory_panels_ring_what_is_graded(protocol):
    points = [
        GradedPoint("a", "ART", 0, 1.0, 0),
        GradedPoint("a", "ART", 1, 9.0, 3),
        GradedPoint("b", "NKART", 0, 2, None),
    ]
    limits = [GradeLimit(1, 4.0, 4.1), GradeLimit(2, 4.2, 4.3), GradeLimit(3, 7.0, 7.0), GradeLimit(4, 99.0, 99.0)]
    figure, drawn = laboratory_figure(points, arm_styles(protocol), [0.5, 3.0], limits, axis_title="x")
    assert [point.arm for point in drawn] == ["NKART", "ART", "ART"]
    _, other, art = figure.axes  # the first holds the key
    assert art.get_ylim() == other.get_ylim()
    numbers = [text.get_text().strip() for text in art.texts]
    assert numbers == ["1", "3"]  # grade 2 would touch grade 1, grade 4 is out of sight
    assert [line.get_marker() for line in art.lines if line.get_markersize() == 11] == ["D"]


def test_incidence_keeps_equal_arms_apart(protocol):
    styles = arm_styles(protocol)
    figure, drawn = incidence_figure(
        [Incidence("Fever", {"NKART": 0.1, "ART": 0.1}, 0.0, -0.3, 0.3), Incidence("Rash", {"ART": 0.2})],
        styles,
        compared="d",
    )
    marks = [line for line in figure.axes[0].lines if line.get_marker() in "os"]
    assert len({tuple(line.get_ydata()) for line in marks}) == 3
    assert drawn[1].difference is None


def test_edish_names_who_lies_beyond_a_line(protocol):
    peaks = [Peaks("a", "ART", 7.0, 0.5), Peaks("b", "NKART", 2.99, 1.99), Peaks("c", "NKART", 1.0, 2.0)]
    figure, _ = edish_figure(peaks, arm_styles(protocol))
    assert [text.get_text() for text in figure.axes[0].texts] == ["a", "c"]


def test_the_boundary_is_the_rule_s_and_the_path_the_trial_s(protocol, treated):
    style = arm_styles(protocol)[0]
    _, (boundary, path) = boundary_figure([None, None, 3, 3, 4], [(1, 0), (4, 1)], style, counted="c")
    assert boundary == ((3, 3), (4, 3), (5, 4))
    assert path == ((1, 0), (4, 1))
    (drawing,) = safety_drawings.boundary_drawings(protocol, treated)
    assert "The trial stands at 1 with 10 treated." in drawing.description


def test_drawings_are_absent_where_nothing_is(protocol, treated, results):
    nobody = replace(treated, participants=treated.participants.assign(arm=None))
    assert safety_drawings.swimmer_drawing(protocol, nobody) is None
    assert safety_drawings.incidence_drawing(protocol, replace(results, rows=())) is None
    none = pd.DataFrame(columns=["parameter", "participant", "on", "value", "uln", "grade"])
    assert safety_drawings.edish_drawing(protocol, treated, none) is None


def test_clopper_pearson_of_the_table_is_the_one_of_stats(treated_results):
    row, exact = treated_results.row("harms.NKART.grade3.share"), stats.clopper_pearson(2, 10)
    assert (row.conf_low, row.conf_high) == (exact.conf_low, exact.conf_high)
