"""The mixed model and the imputation in the report: their rows, tables, diagnostics and sentences."""

from dataclasses import replace
from statistics import NormalDist

import pytest
from markupsafe import Markup
from matplotlib.colors import to_hex

from equipoise import analysis
from equipoise.analysis import Residual
from equipoise.report import drawings
from equipoise.report.effects import effect_rows, main_row, mark_of
from equipoise.report.figures.arms import COLOURS, PAPER, arm_styles
from equipoise.report.figures.correlation import correlation_figure
from equipoise.report.figures.influence import Pull, influence_figure
from equipoise.report.figures.quantiles import quantiles_figure
from equipoise.report.figures.residuals import residuals_figure
from equipoise.report.figures.tipping import Shifted, tipping_figure
from equipoise.report.numbers import degrees, probability
from equipoise.report.page import page, remarks
from equipoise.report.prose import hints
from equipoise.report.tables.mixed_model import mmrm_tables
from equipoise.report.tables.outcomes import effects_table


def heads(table):
    return {body.title: [row.head for row in body.rows] for body in table.bodies}


def test_the_mixed_model_stands_at_the_time_point_and_over_the_visits(protocol, results):
    found = heads(effects_table(protocol, results, protocol.outcome("cd4")))
    assert "MMRM, unstructured" in found["At Month 24"]
    assert "MMRM, unstructured" in found["Over the visits"]
    assert "ANCOVA, imputed by jump to reference" in found["At Month 24"]
    forest = drawings.forest_drawing(protocol, results, protocol.outcome("cd4"))
    assert forest.svg.count("MMRM, unstructured") == 2
    assert forest.svg.count("ANCOVA, imputed by jump to reference") == 1


def test_a_main_mixed_model_answers_at_the_time_point(protocol, results):
    plan = tuple(
        each.model_copy(update={"role": "main" if each.id == "cd4_mmrm" else "sensitivity"})
        for each in protocol.analyses
    )
    other = protocol.model_copy(update={"analyses": plan})
    marked = [row.id for row in effect_rows(other, results, "cd4") if mark_of(other, row).startswith("main")]
    assert marked == ["cd4_mmrm.m24.mmrm"]
    assert main_row(other, results, "cd4").id == "cd4_mmrm.m24.mmrm"


def test_the_joint_test_has_a_table(protocol, results):
    (table,) = mmrm_tables(protocol, results, protocol.outcome("cd4"))
    row = results.row("cd4_mmrm.arm_visit.mmrm")
    assert [Markup(cell).striptags() for cell in (table.bodies[0].rows[0].head, *table.bodies[0].rows[0].cells)] == [
        "Arm by visit",
        f"{row.statistic:.2f}",
        "5",
        degrees(row.df2),
        probability(row.p_value),
        "20",
    ]
    assert [Markup(note).striptags() for note in table.notes] == ["MMRM, unstructured, 116 values."]
    assert mmrm_tables(protocol, replace(results, rows=()), protocol.outcome("cd4")) == ()


def test_each_contrast_has_a_row_of_its_own(protocol, results):
    row = results.row("cd4_mmrm.arm_visit.mmrm")
    renamed = replace(row, id="cd4_mmrm.NKART-ART.arm_visit.mmrm")
    rows = tuple(renamed if each is row else each for each in results.rows)
    (table,) = mmrm_tables(protocol, replace(results, rows=rows), protocol.outcome("cd4"))
    assert table.bodies[0].rows[0].head == "Arm by visit, NK + ART v ART"


def test_diagnostics_are_of_the_primary_outcome(text, protocol, snapshot, results):
    assert 'id="figure-correlation-cd4_mmrm"' in text
    assert 'id="figure-residuals-cd4_mmrm"' in text
    assert "figure-correlation-cd8_mmrm" not in text
    found = drawings.diagnostic_drawings(protocol, snapshot, results, protocol.outcome("cd4"))
    assert [each.id for each in found] == [
        "figure-cd4_gee-influence",
        "figure-correlation-cd4_mmrm",
        "figure-residuals-cd4_mmrm",
        "figure-spread-cd4_mmrm",
        "figure-cd4_mmrm-influence",
    ]
    assert f"The {len(results.residuals['cd4_mmrm'])} residuals" in found[2].description
    bare = replace(results, residuals={}, rows=())
    assert drawings.diagnostic_drawings(protocol, snapshot, bare, protocol.outcome("cd4")) == ()


def test_influence_is_drawn_from_the_largest_down(protocol, results):
    rows = results.find(analysis="cd4_mmrm", method="influence")
    assert len(rows) == results.row("cd4_mmrm.arm.mmrm").n
    pulls = [Pull(row.term, row.arm, row.estimate, row.statistic) for row in rows]
    figure, shown = influence_figure(pulls, arm_styles(protocol), unit="cells/µL")
    assert [pull.cook for pull in shown] == sorted((pull.cook for pull in pulls), reverse=True)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [pull.participant for pull in shown]
    many = [replace(pulls[0], participant=f"01-{place:03d}", cook=float(place)) for place in range(60)]
    assert [pull.cook for pull in influence_figure(many, arm_styles(protocol), unit="")[1]] == list(range(59, 34, -1))


def test_residuals_stand_at_their_visit_and_fitted_value(protocol):
    residuals = [Residual("01-001", "m1", 140.0, -2.5), Residual("01-002", "m3", 150.0, 0.5)]
    arms = {"01-001": "NKART", "01-002": "ART"}
    names = {"m1": "1", "m3": "3"}
    figure, drawn = residuals_figure(residuals, arms, arm_styles(protocol), names, unit="", visit_title="Month")
    assert drawn == tuple(residuals)
    by_fitted, by_visit = figure.axes
    marks = [line for line in by_fitted.lines if line.get_marker() in "os"]
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in marks] == [([140.0], [-2.5]), ([150.0], [0.5])]
    assert [label.get_text() for label in by_visit.get_xticklabels()] == ["1", "3"]
    assert by_visit.get_xlabel() == "Month"


def test_squares_have_the_area_of_their_correlation_and_negative_ones_are_open(protocol):
    correlations = {("m1", "m3"): 0.64, ("m1", "m6"): -0.25, ("m3", "m6"): 0.04}
    spreads = {"m1": 30.0, "m3": 40.0, "m6": 50.0}
    figure, squares = correlation_figure(protocol, ["m1", "m3", "m6"], spreads, correlations, places=0)
    assert squares == {("m3", "m1"): 0.64, ("m6", "m1"): -0.25, ("m6", "m3"): 0.04}
    patches = figure.axes[0].patches
    areas = [patch.get_width() * patch.get_height() for patch in patches]
    assert [area / areas[0] for area in areas] == pytest.approx([1, 0.25 / 0.64, 0.04 / 0.64])
    assert [to_hex(patch.get_facecolor()) for patch in patches] == [COLOURS[0], PAPER, COLOURS[0]]
    numbers = [text.get_text() for text in figure.axes[0].texts]
    assert numbers == ["30", "40", "0.64", "50", "−0.25", "0.04"]


def test_residuals_stand_against_normal_quantiles():
    _, points = quantiles_figure([-1.5, 0.25, 1.0])
    assert [point.observed for point in points] == [-1.5, 0.25, 1.0]
    expected = [NormalDist().inv_cdf(share) for share in (1 / 6, 0.5, 5 / 6)]
    assert [point.expected for point in points] == pytest.approx(expected)


@pytest.mark.parametrize("tipping", [-5.0, None])
def test_a_mark_is_filled_where_p_is_below_alpha(tipping):
    effects = [Shifted(-10, 2, -1, 5, clear=False), Shifted(0, 4, 1, 7, clear=True)]
    figure, drawn = tipping_figure(effects, tipping, axis_title="Shift", effect_title="Difference", places=0)
    assert drawn == tuple(effects)
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() for line in marks] == [PAPER, COLOURS[0]]
    labels = [text.get_text() for text in figure.texts]
    assert labels == (["Difference"] if tipping is None else ["Difference", "tips at −5"])


@pytest.fixture(scope="module")
def lost(protocol, snapshot):
    """The protocol with its imputation alone, and its results when a participant of NK + ART lacks the last count."""
    plan = tuple(each for each in protocol.analyses if each.id == "cd4_imputation")
    alone = protocol.model_copy(update={"analyses": plan})
    people = snapshot.participants
    who = people.loc[people["arm"] == "NKART", "participant"].iloc[0]
    values = snapshot.values
    gone = (values["participant"] == who) & (values["visit"] == "m24") & (values["item"] == "blood.cd4")
    return alone, analysis.run(alone, replace(snapshot, values=values[~gone].reset_index(drop=True)))


def test_the_tipping_point_is_drawn_from_its_rows(lost):
    protocol, results = lost
    row = results.row("cd4_imputation.m24.tipping")
    for estimate, ending in ((-32.4, "P crosses it at the dashed line."), (None, "P crosses it nowhere.")):
        rows = tuple(replace(each, estimate=estimate) if each is row else each for each in results.rows)
        found = drawings.tipping_drawings(protocol, replace(results, rows=rows), protocol.outcome("cd4"))
        assert [each.id for each in found] == ["figure-tipping-cd4_imputation-m24-tipping"]
        assert "Each missing value of NK + ART at Month 24 is imputed" in found[0].description
        assert found[0].description.endswith(ending)
        assert ("tips at −32" in found[0].svg) == (estimate is not None)


def test_where_the_conclusion_tips_is_told_with_the_effects(lost):
    protocol, results = lost
    (told,) = remarks(protocol, results, protocol.outcome("cd4"))
    assert told.startswith("Imputation of missing values. ")
    assert "ipping point: P " in told


def test_a_covariance_that_was_replaced_is_told_with_the_effects_and_the_methods(protocol, snapshot, results):
    fallback = "The covariance of the visits is compound symmetry, as the plan says."
    told = replace(results, sentences={**results.sentences, "fallback.cd4_mmrm": fallback})
    assert f"Mixed model for repeated measures. {fallback}" in remarks(protocol, told, protocol.outcome("cd4"))
    assert page(protocol, snapshot, told).count(fallback) == 2


def test_the_papers_of_both_methods_are_in_the_list(text):
    for work in (
        "Small sample inference for fixed effects",
        "Standard and reference-based conditional mean imputation",
    ):
        assert work in text


def test_a_plan_with_imputation_says_what_no_method_can_check(text, protocol):
    hint = "Imputed values are a guess under a stated assumption, not observations; no method can check it."
    assert hint in text
    plan = tuple(each for each in protocol.analyses if each.method != "imputation")
    assert hint not in hints(protocol.model_copy(update={"analyses": plan}), 20)
