"""Figures: what is drawn is what the results say, and every arm and mark can be told apart without colour."""

import itertools
import re
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.schedule import TimePoint, Visit
from equipoise.report import drawings
from equipoise.report.effects import effect_rows, mark_of
from equipoise.report.figures.arms import COLOURS, arm_styles
from equipoise.report.figures.axes import months_of, spread
from equipoise.report.figures.completeness import MOST_ROWS, SHAPES, Course, Mark, completeness_figure
from equipoise.report.figures.forest import Effect, forest_figure
from equipoise.report.figures.means import MeanPoint, means_figure
from equipoise.report.figures.null import null_figure
from equipoise.report.svg import COLOUR_CLASSES, from_matplotlib

HOSTILE = "<script>alert(\"1\")</script> $\\frac{a}{b}$ & 'x'"


def with_arm_names(protocol, *names):
    arms = tuple(arm.model_copy(update={"name": name}) for arm, name in zip(protocol.arms, names, strict=True))
    return protocol.model_copy(update={"arms": arms})


@pytest.fixture(scope="module")
def points(protocol, results):
    rows = results.find(analysis="means_cd4", method="mean", term="value")
    return [MeanPoint(row.arm, row.visit, row.n, row.estimate, row.conf_low, row.conf_high) for row in rows]


def test_means_are_drawn_at_the_true_month(protocol, points, results):
    figure, plotted = means_figure(protocol, points, axis_title="CD4")
    assert [point.month for point in plotted if point.arm == "ART"] == [0, 1, 3, 6, 9, 12, 24]
    last = next(point for point in plotted if point.arm == "NKART" and point.month == 24)
    assert (last.mean, last.low) == (
        results.row("means_cd4.NKART.m24.mean").estimate,
        results.row("means_cd4.NKART.m24.mean").conf_low,
    )
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("n") == 2
    assert texts.count("10") + texts.count("9") == 14  # n of both arms at seven visits


def test_a_mean_of_one_value_has_no_bar(protocol):
    figure, plotted = means_figure(protocol, [MeanPoint("ART", "m1", 1, 5.0, None, None)], axis_title="CD4")
    assert plotted[0].low is None
    assert len(figure.axes[0].lines) == 2  # a line for each arm, no interval


def test_participants_lines_hold_every_value(protocol, snapshot, results):
    panels = drawings.line_drawings(protocol, snapshot, results, protocol.outcome("cd4"))
    assert [panel.id for panel in panels] == ["figure-lines-cd4-NKART", "figure-lines-cd4-ART"]
    assert "10 participants" in panels[0].description


def test_the_forest_shows_every_effect_with_an_interval(protocol, results):
    rows = [row for row in effect_rows(protocol, results, "cd4") if row.conf_low is not None]
    assert {row.method for row in rows} >= {
        "student",
        "welch",
        "ancova",
        "gee robust",
        "gee mancl-derouen",
        "rerandomisation",
    }
    svg = drawings.forest_drawing(protocol, results, protocol.outcome("cd4")).svg
    shown = re.findall(r"<text[^>]*>([^<]*\([^<]* to [^<]*\))</text>", str(svg))
    assert len(shown) == len(rows)


def test_the_main_effect_and_the_believed_one_are_marked(protocol, results):
    marks = {row.method: mark_of(protocol, row) for row in effect_rows(protocol, results, "cd4")}
    assert marks["student"] == "main analysis"
    assert marks["gee kauermann-carroll"] == "the one to go by"
    assert marks["gee robust"] == ""


def test_an_interval_without_an_end_reaches_the_edge():
    figure, _ = forest_figure([Effect("One", 1.0, None, 2.0)], axis_title="d", places=1, favours=("a", "b"))
    axes = figure.axes[0]
    assert min(axes.lines[1].get_xdata()) == axes.get_xlim()[0]


def test_the_null_distribution_keeps_every_draw(protocol, results):
    found = results.histograms["cd4_rerandomisation"]
    _, bins = null_figure(found.edges, found.counts, found.observed, axis_title="d", places=0)
    assert sum(each.draws for each in bins) == sum(found.counts) > 0
    assert (bins[0].low, bins[-1].high) == (found.edges[0], found.edges[-1])


def test_the_map_shows_what_became_of_each_visit(protocol, snapshot):
    visits = ["m0", "m1", "m3", "m6", "m9", "m12", "m24"]
    marks = {
        course.participant: dict(zip(visits, course.marks, strict=True))
        for course in courses(protocol, snapshot, visits)
    }
    randomised = sorted(snapshot.participants.loc[snapshot.participants["arm"].notna(), "participant"])
    assert marks[randomised[0]]["m1"] is Mark.IN_WINDOW
    assert marks[randomised[2]]["m3"] is Mark.MISSED
    assert marks[randomised[5]]["m6"] is Mark.OUT_OF_WINDOW
    assert marks[randomised[7]]["m24"] is Mark.WITHDRAWN
    assert marks[randomised[9]]["m6"] is Mark.LOST_SAMPLE


def courses(protocol, snapshot, visits):
    return drawings._courses(protocol, snapshot, visits)


def test_many_participants_share_rows_by_pattern(protocol):
    marks = (Mark.DONE, Mark.MISSED)
    many = [Course(f"{i}", "ART", marks if i % 3 else (Mark.DONE, Mark.DONE)) for i in range(MOST_ROWS + 3)]
    _, rows = completeness_figure(protocol, ["m0", "m1"], many)
    assert [(row.label, row.marks) for row in rows] == [("n = 42", marks), ("n = 21", (Mark.DONE, Mark.DONE))]


def test_every_mark_has_a_shape_of_its_own_but_for_done_without_a_window():
    looks = {mark: (shape.marker, shape.face == shape.edge) for mark, shape in SHAPES.items() if mark is not Mark.DONE}
    assert len(set(looks.values())) == len(looks)


def test_arms_differ_by_marker_dash_and_grey(protocol):
    first, second = arm_styles(protocol)
    assert first.marker != second.marker
    assert first.dash != second.dash
    assert first.filled != second.filled
    assert abs(luminance(COLOURS[0]) - luminance(COLOURS[1])) > 0.12


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("at", "month"),
    [({"days": -1}, 0.0), ({"days": 1}, 0.0), ({"months": 24}, 24.0), ({"weeks": 96}, 96 * 7 / (365.25 / 12))],
)
def test_a_visit_stands_at_its_month(at, month):
    visit = Visit(id="v", number=1, name="V", epoch="E", at=TimePoint(**at))
    assert months_of(visit) == pytest.approx(month)


@given(st.lists(st.floats(0, 400), min_size=1, max_size=9, unique=True).map(sorted), st.floats(1, 30))
def test_spread_labels_do_not_touch_and_keep_their_order(centres, width):
    moved = spread(centres, width)
    assert all(b - a >= width - 1e-6 for a, b in itertools.pairwise(moved))


def test_labels_that_do_not_touch_stay_where_they_are():
    assert spread([0.0, 50.0, 100.0], 20.0) == [0.0, 50.0, 100.0]


@pytest.fixture(scope="module")
def hostile(protocol, points):
    named = with_arm_names(protocol, HOSTILE, "抗逆转录病毒治疗")
    figure, _ = means_figure(named, points, axis_title=HOSTILE)
    return figure


def test_hostile_names_are_text_and_nothing_else(hostile):
    root = ElementTree.fromstring(str(from_matplotlib(hostile, "f", HOSTILE, HOSTILE).svg))
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    texts = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")]
    assert HOSTILE in texts
    assert "抗逆转录病毒治疗" in texts


def test_a_missing_glyph_does_not_warn(hostile):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_matplotlib(hostile, "f", "t", "d")


def test_a_drawing_keeps_its_ids_colours_and_styles_to_itself(protocol, points):
    figure, _ = means_figure(protocol, points, axis_title="CD4")
    svg = str(from_matplotlib(figure, "fig-1", "t", "d").svg)
    assert all(found.startswith("fig-1") for found in re.findall(r' id="([^"]+)"', svg))
    assert {target.removeprefix("#") for target in re.findall(r'href="(#[^"]+)"', svg)} <= set(
        re.findall(r' id="([^"]+)"', svg)
    )
    assert " style=" not in svg
    assert "<style" not in svg
    assert not re.findall(r'(?:fill|stroke)="#[0-9a-f]{6}"', svg), "a colour without a class"


def test_a_drawing_has_the_same_bytes_whatever_the_readers_own_settings(protocol, points):
    def drawn() -> str:
        figure, _ = means_figure(protocol, points, axis_title="CD4")
        return str(from_matplotlib(figure, "f", "t", "d").svg)

    first = drawn()
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path", "savefig.dpi": 300}):
        assert drawn() == first


def test_every_colour_of_the_arms_has_a_class():
    assert set(COLOURS) <= set(COLOUR_CLASSES)


def test_nothing_is_drawn_where_nothing_is_known(protocol, snapshot, results):
    nobody = replace(snapshot, participants=snapshot.participants.assign(arm=None))
    bare = replace(results, rows=(), histograms={})
    outcome = protocol.outcome("cd4")
    assert drawings.completeness_drawing(protocol, nobody) is None
    assert drawings.means_drawing(protocol, bare, outcome) is None
    assert drawings.forest_drawing(protocol, bare, outcome) is None
    assert drawings.null_drawings(protocol, bare, outcome) == ()
    assert drawings.line_drawings(protocol, nobody, bare, outcome) == ()


def test_re_drawn_allocations_are_counted_in_whole_numbers():
    figure, _ = null_figure([-1, 0, 1], [1, 2], 0.5, axis_title="Difference", places=0)
    figure.canvas.draw()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:3] == ["0", "1", "2"]
