"""How the visits of a participant go together in a fitted model: correlations as numbers and as squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from equipoise.protocol.document import Protocol
from equipoise.report.figures.arms import COLOURS, PAPER, RULE
from equipoise.report.figures.axes import SIZE, WIDTH, column_heads, frame, house_style, sheet
from equipoise.report.numbers import fixed
from equipoise.report.text_width import text_width

HEAD, ROW, FULL = 38.0, 40.0, 0.86  # FULL: side of the square of a correlation of one, of a cell's

Pair = tuple[str, str]


def correlation_figure(
    protocol: Protocol,
    visits: Sequence[str],
    spreads: Mapping[str, float],
    correlations: Mapping[Pair, float],
    *,
    places: int,
) -> tuple[Figure, dict[Pair, float]]:
    """Standard deviations on the diagonal, correlations above it as numbers and below it as squares.

    The area of a square is the size of its correlation; that of a negative one is open.

    Args:
        protocol: names of the visits.
        visits: ids, in order.
        spreads: standard deviation by visit.
        correlations: by two visits, the earlier one first.
        places: decimals of the standard deviations.

    Returns:
        The figure, and the correlations drawn as squares by row and column.
    """
    names = [protocol.visit(visit).name for visit in visits]
    left = 16 + max(text_width(name, SIZE) for name in names)
    height = HEAD + ROW * len(visits) + 8
    with house_style():
        figure = sheet(height)
        axes = frame(figure, left=left, right=4, top=HEAD, bottom=8)
        axes.set_xlim(0, len(visits))
        axes.set_ylim(len(visits), 0)
        axes.axis("off")
        column_heads(figure, axes, HEAD, names)
        for row, name in enumerate(names):
            figure.text((left - 8) / WIDTH, 1 - (HEAD + ROW * (row + 0.5)) / height, name, ha="right", va="center")
        cell = (WIDTH - left - 4) / len(visits)
        squares: dict[Pair, float] = {}
        for row, visit in enumerate(visits):
            axes.axhline(row, color=RULE, linewidth=0.8, zorder=0)
            _number(axes, row, row, fixed(spreads[visit], places), weight="bold")
            for column in range(row):
                found = correlations[visits[column], visit]
                _number(axes, column, row, fixed(found, 2))
                _square(axes, row, column, found, ROW / cell)
                squares[visit, visits[column]] = found
        axes.axhline(len(visits), color=RULE, linewidth=0.8, zorder=0)
    return figure, squares


def _number(axes: Axes, row: int, column: int, text: str, weight: str = "normal") -> None:
    axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", weight=weight)


def _square(axes: Axes, row: int, column: int, correlation: float, shape: float) -> None:
    """A square in points, whose cell is `shape` times as high as it is wide."""
    high = FULL * min(1.0, 1 / shape) * float(np.sqrt(abs(correlation)))
    wide = high * shape
    axes.add_patch(
        Rectangle(
            (column + 0.5 - wide / 2, row + 0.5 - high / 2),
            wide,
            high,
            facecolor=COLOURS[0] if correlation >= 0 else PAPER,
            edgecolor=COLOURS[0],
            linewidth=1.4,
        )
    )
