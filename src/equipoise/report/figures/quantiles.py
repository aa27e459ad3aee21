"""Residuals of a model against those that normal ones would be: a line if the model is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from matplotlib.figure import Figure

from equipoise.report.figures.arms import COLOURS, INK, PAPER
from equipoise.report.figures.axes import CLEAR, WIDTH, frame, house_style, sheet

LEFT, RIGHT, HEIGHT = 64.0, 12.0, 334.0
MANY = 300  # residuals above which marks are small


@dataclass(frozen=True, slots=True)
class Quantile:
    """A residual and the quantile of the normal distribution that stands at its rank, (rank - 1/2) / n."""

    expected: float
    observed: float


def quantiles_figure(residuals: Sequence[float]) -> tuple[Figure, tuple[Quantile, ...]]:
    """A normal quantile plot with the line on which normal residuals of variance one lie.

    Args:
        residuals: standardised, ascending, two or more.

    Returns:
        The figure and the points drawn.
    """
    normal, n = NormalDist(), len(residuals)
    points = tuple(Quantile(normal.inv_cdf((rank + 0.5) / n), value) for rank, value in enumerate(residuals))
    with house_style():
        figure = sheet(HEIGHT)
        axes = frame(figure, left=LEFT, right=RIGHT, top=30, bottom=50)
        figure.text(4 / WIDTH, 1 - 12 / HEIGHT, "Standardised residual", va="center")
        ends = [points[0].expected, points[-1].expected]
        axes.plot(ends, ends, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.plot(
            [point.expected for point in points],
            [point.observed for point in points],
            linestyle="",
            marker="o",
            markersize=3 if n > MANY else 6,
            markerfacecolor=PAPER,
            markeredgecolor=COLOURS[0],
            markeredgewidth=1.2,
        )
        axes.grid(axis="y")
        axes.tick_params(axis="x", pad=CLEAR)
        axes.set_xlabel("Quantile of the normal distribution")
    return figure, points
