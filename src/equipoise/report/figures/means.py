"""Mean and 95% interval by arm on a true month axis, with n below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from equipoise.protocol.document import Protocol
from equipoise.report.figures.arms import arm_styles
from equipoise.report.figures.axes import WIDTH, frame, house_style, key, month_axis, months_of, n_rows, sheet

DODGE = 4.0  # points between the arms' markers at one visit
LEFT, RIGHT, PLOT = 64.0, 10.0, 260.0


@dataclass(frozen=True, slots=True)
class MeanPoint:
    """The mean of one arm at one visit with its interval; limits are None where there is none (n below 2)."""

    arm: str
    visit: str
    n: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class PlottedMean:
    """A point as it was drawn: x in months, without the sideways shift that keeps the arms apart."""

    arm: str
    month: float
    n: int
    mean: float
    low: float | None
    high: float | None


def means_figure(
    protocol: Protocol, points: Sequence[MeanPoint], *, axis_title: str
) -> tuple[Figure, tuple[PlottedMean, ...]]:
    """Mean and interval of each arm at each visit, joined by lines.

    Args:
        protocol: arms and visits.
        points: one for each arm and visit with data, visits in order.
        axis_title: what is measured and its unit.

    Returns:
        The figure and the points drawn, by arm and month.
    """
    styles = arm_styles(protocol)
    visits = [visit.id for visit in protocol.visits if any(point.visit == visit.id for point in points)]
    plotted = tuple(
        PlottedMean(point.arm, months_of(protocol.visit(point.visit)), point.n, point.mean, point.low, point.high)
        for style in styles
        for point in points
        if point.arm == style.arm
    )
    with house_style():
        rows = 34.0 * len(styles)
        figure = sheet(PLOT + 110 + rows)
        top = 34 + key(figure, styles, left=4, top=12)
        axes = frame(figure, left=LEFT, right=RIGHT, top=top, bottom=56 + rows)
        figure.text(4 / WIDTH, 1 - (top - 16) / (PLOT + 110 + rows), axis_title, va="center")
        month_axis(axes, protocol, visits, WIDTH - LEFT - RIGHT)
        low, high = axes.get_xlim()
        point_in_months = (high - low) / (WIDTH - LEFT - RIGHT)
        for place, style in enumerate(styles):
            shift = (place - (len(styles) - 1) / 2) * DODGE * point_in_months
            own = [point for point in plotted if point.arm == style.arm]
            months = [point.month + shift for point in own]
            for month, point in zip(months, own, strict=True):
                if point.low is not None and point.high is not None:
                    axes.plot([month, month], [point.low, point.high], color=style.colour, linewidth=1.4)
            axes.plot(
                months,
                [point.mean for point in own],
                color=style.colour,
                linestyle=style.dash,
                marker=style.marker,
                markerfacecolor=style.face,
                markeredgecolor=style.colour,
            )
        axes.grid(axis="y")
        axes.set_xlabel("Months after randomisation")
        counts = {style.arm: {point.month: point.n for point in plotted if point.arm == style.arm} for style in styles}
        n_rows(figure, axes, styles, counts, below=58)
    return figure, plotted
