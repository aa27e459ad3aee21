"""A stopping boundary with the path of the trial: how many events at how many treated, and at how many it stops."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from equipoise.report.figures.arms import COLOURS, INK, ArmStyle
from equipoise.report.figures.axes import WIDTH, frame, house_style, sheet

LEFT, RIGHT, TOP, HEIGHT = 40.0, 12.0, 62.0, 330.0

Step = tuple[int, int]  # treated, events


def boundary_figure(
    limits: Sequence[int | None], path: Sequence[Step], style: ArmStyle, *, counted: str
) -> tuple[Figure, tuple[tuple[Step, ...], tuple[Step, ...]]]:
    """The boundary as squares, the trial as a line.

    Args:
        limits: events at which the trial stops with 1, 2, ... treated; None where no number of events does.
        path: where the trial stood, in order.
        style: the arm that is watched.
        counted: what is counted, for the axis.

    Returns:
        The figure, the boundary and the path as drawn.
    """
    boundary = tuple((treated, limit) for treated, limit in enumerate(limits, start=1) if limit is not None)
    steps = tuple(path)
    with house_style():
        figure = sheet(HEIGHT)
        axes = frame(figure, left=LEFT, right=RIGHT, top=TOP, bottom=46)
        figure.text(4 / WIDTH, 1 - (TOP - 14) / HEIGHT, counted, va="center")
        axes.set_xlim(0, max([len(limits), *(treated for treated, _ in steps)]) + 0.5)
        axes.set_ylim(0, max([1, *(events for _, events in (*boundary, *steps))]) + 0.6)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True, nbins=10))
        axes.grid(axis="y")
        axes.set_xlabel(f"Participants of {style.name} treated")
        if boundary:
            axes.step(*zip(*boundary, strict=True), where="post", color=COLOURS[1], linewidth=1.4)
            axes.plot(*zip(*boundary, strict=True), linestyle="", marker="s", markersize=8, color=COLOURS[1])
        if steps:
            axes.plot(
                *zip(*steps, strict=True),
                color=INK,
                drawstyle="steps-post",
                linewidth=2,
                marker="o",
                markersize=7,
                clip_on=False,
            )
        _key(figure, 4, COLOURS[1], "s", "stop at or above")
        _key(figure, 180, INK, "o", "the trial")
    return figure, (boundary, steps)


def _key(figure: Figure, across: float, colour: str, marker: str, text: str) -> None:
    down = 1 - 14 / HEIGHT
    line = Line2D(
        [across / WIDTH, (across + 15) / WIDTH, (across + 30) / WIDTH],
        [down] * 3,
        color=colour,
        marker=marker,
        markevery=[1],
        markersize=7,
        transform=figure.transFigure,
    )
    figure.add_artist(line)
    figure.text((across + 36) / WIDTH, down, text, va="center")
