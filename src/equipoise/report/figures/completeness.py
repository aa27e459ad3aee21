"""Who was seen when: a mark for each participant and visit, each kind with a shape of its own.

Above `MOST_ROWS` participants, those of one arm with the same marks share a row that says how many they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.protocol.document import Protocol
from equipoise.report.figures.arms import COLOURS, INK, PAPER, QUIET, RULE
from equipoise.report.figures.axes import SIZE, WIDTH, column_heads, frame, house_style, sheet
from equipoise.report.text_width import text_width

ROW, HEAD, LEGEND_ROW = 18.0, 34.0, 20.0
MOST_ROWS = 60


class Mark(StrEnum):
    """What became of one planned visit of one participant."""

    IN_WINDOW = "done, in window"
    OUT_OF_WINDOW = "done, out of window"
    DONE = "done"
    LOST_SAMPLE = "done, no value"
    MISSED = "missed"
    WITHDRAWN = "after withdrawal"
    NOT_YET = "not due yet"


@dataclass(frozen=True, slots=True)
class _Shape:
    marker: str
    face: str
    edge: str
    size: float = 9.0


SHAPES: Mapping[Mark, _Shape] = {
    Mark.IN_WINDOW: _Shape("o", COLOURS[0], COLOURS[0]),
    Mark.DONE: _Shape("o", COLOURS[0], COLOURS[0]),
    Mark.OUT_OF_WINDOW: _Shape("o", PAPER, COLOURS[0]),
    Mark.LOST_SAMPLE: _Shape("^", PAPER, COLOURS[1]),
    Mark.MISSED: _Shape("x", COLOURS[1], COLOURS[1]),
    Mark.WITHDRAWN: _Shape("_", INK, INK),
    Mark.NOT_YET: _Shape(".", QUIET, QUIET, 4.0),
}


@dataclass(frozen=True, slots=True)
class Course:
    """The marks of one participant, one for each visit shown."""

    participant: str
    arm: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class MapRow:
    """A row as drawn: a participant, or how many share its marks."""

    arm: str
    label: str
    marks: tuple[Mark, ...]


def completeness_figure(
    protocol: Protocol, visits: Sequence[str], courses: Sequence[Course]
) -> tuple[Figure, tuple[MapRow, ...]]:
    """The map, by arm.

    Args:
        protocol: names of arms and visits.
        visits: ids of the visits shown, in order.
        courses: one for each randomised participant.

    Returns:
        The figure and its rows.
    """
    arms = [arm for arm in protocol.arm_ids if any(course.arm == arm for course in courses)]
    rows = tuple(
        row for arm in arms for row in _rows([course for course in courses if course.arm == arm], len(courses))
    )
    used = [mark for mark in Mark if any(mark in row.marks for row in rows)]
    legend = _legend_lines(used)
    left = 16 + max(text_width(row.label, SIZE) for row in rows)
    body = ROW * (len(rows) + 1.5 * len(arms))
    height = HEAD + body + LEGEND_ROW * len(legend) + 14
    with house_style():
        figure = sheet(height)
        axes = frame(figure, left=left, right=4, top=HEAD, bottom=height - HEAD - body)
        axes.axis("off")
        axes.set_xlim(-0.5, len(visits) - 0.5)
        axes.set_ylim(body / ROW, 0)
        column_heads(figure, axes, HEAD, [protocol.visit(visit).name for visit in visits])
        down = 0.0
        for arm in arms:
            title = protocol.arm(arm).name
            figure.text(4 / WIDTH, 1 - (HEAD + ROW * (down + 0.8)) / height, title, va="center", weight="bold")
            down += 1.5
            for row in (row for row in rows if row.arm == arm):
                _draw_row(axes, row, down + 0.5)
                place = ((left - 8) / WIDTH, 1 - (HEAD + ROW * (down + 0.5)) / height)
                figure.text(*place, row.label, ha="right", va="center")
                down += 1
        _draw_legend(figure, legend, height, HEAD + body + 12)
    return figure, rows


def _rows(courses: Sequence[Course], of_all: int) -> list[MapRow]:
    if of_all <= MOST_ROWS:
        return [MapRow(course.arm, course.participant, course.marks) for course in courses]
    patterns = Counter(course.marks for course in courses)
    order = {mark: place for place, mark in enumerate(Mark)}
    ranked = sorted(patterns.items(), key=lambda item: (-item[1], [order[mark] for mark in item[0]]))
    return [MapRow(courses[0].arm, f"n = {count}", marks) for marks, count in ranked]


def _draw_row(axes: Axes, row: MapRow, down: float) -> None:
    axes.axhline(down, color=RULE, linewidth=0.8, zorder=0)
    for place, mark in enumerate(row.marks):
        _draw_mark(axes, mark, place, down)


def _draw_mark(axes: Axes, mark: Mark, across: float, down: float) -> None:
    shape = SHAPES[mark]
    axes.plot(
        [across],
        [down],
        linestyle="",
        marker=shape.marker,
        markersize=shape.size,
        markerfacecolor=shape.face,
        markeredgecolor=shape.edge,
        markeredgewidth=0 if shape.marker == "." else 1.8,
    )


def _legend_lines(marks: Sequence[Mark]) -> list[list[Mark]]:
    """The marks in lines that fit the width."""
    lines: list[list[Mark]] = [[]]
    used = 0.0
    for mark in marks:
        long = 38 + text_width(mark.value, SIZE)
        if lines[-1] and used + long > WIDTH:
            lines.append([])
            used = 0.0
        lines[-1].append(mark)
        used += long
    return lines


def _draw_legend(figure: Figure, lines: Sequence[Sequence[Mark]], height: float, top: float) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    for place, line in enumerate(lines):
        across, down = 10.0, top + LEGEND_ROW * place
        for mark in line:
            _draw_mark(axes, mark, across, down)
            figure.text((across + 12) / WIDTH, 1 - down / height, mark.value, va="center")
            across += 38 + text_width(mark.value, SIZE)
