"""What figures share: the sheet to draw on, a true month axis, a key of the arms, rows of n below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from equipoise.protocol.document import Protocol
from equipoise.protocol.schedule import Visit
from equipoise.report.figures.arms import INK, ArmStyle
from equipoise.report.text_width import text_width, wrapped

WIDTH = 460.0  # points; see house.mplstyle
SIZE = 12.0
CLEAR = 7.0  # points from the axis down to its numbers, so that one at its left end stays clear of the other axis's
DAYS_PER_MONTH = 365.25 / 12
WEEKS_PER_MONTH = DAYS_PER_MONTH / 7


@contextmanager
def house_style() -> Iterator[None]:
    """Draw inside this, so that no setting of the reader's own matplotlib changes a figure."""
    sheet = resources.files("equipoise.report.figures") / "house.mplstyle"
    with resources.as_file(sheet) as path:
        settings = matplotlib.rc_params_from_file(path, use_default_template=True)
    with matplotlib.rc_context(settings):
        yield


def sheet(height: float, width: float = WIDTH) -> Figure:
    """An empty figure, in points."""
    return Figure(figsize=(width / 72, height / 72))


def frame(figure: Figure, *, left: float, top: float, right: float, bottom: float, share: Axes | None = None) -> Axes:
    """Axes with these margins, in points."""
    width, height = figure.get_size_inches() * 72
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    return figure.add_axes(box, sharey=share)


def months_of(visit: Visit) -> float:
    """When the visit is planned, in months after the anchor; the days before it and the anchor's own day are 0."""
    at = visit.at
    if at.months is not None:
        return float(at.months)
    if at.weeks is not None:
        return at.weeks / WEEKS_PER_MONTH
    assert at.days is not None
    return 0.0 if at.days <= 1 else (at.days - 1) / DAYS_PER_MONTH


def month_axis(axes: Axes, protocol: Protocol, visits: Sequence[str], points: float) -> None:
    """Ticks at the true month of each visit; a label that would touch the one before it is left out.

    Args:
        axes: the axes.
        protocol: where the visits are planned.
        visits: ids, in order.
        points: width of the axes, in points.
    """
    months = [months_of(protocol.visit(visit)) for visit in visits]
    room = max(0.03 * (max(months) - min(months)), 0.5)
    axes.set_xlim(min(months) - room, max(months) + room)
    scale = points / (max(months) - min(months) + 2 * room)
    labels: list[str] = []
    last_end = -np.inf
    for month in months:
        label = f"{month:g}" if float(month).is_integer() else f"{month:.1f}"
        half = text_width(label, SIZE) / 2
        fits = scale * month - half >= last_end + 3
        labels.append(label if fits else "")
        last_end = scale * month + half if fits else last_end
    axes.set_xticks(months, labels)


def spread(centres: Sequence[float], width: float, gap: float = 3.0) -> list[float]:
    """The centres moved apart as little as needed for texts of this width not to touch.

    Neighbours that touch are merged into a block about their mean, until no two blocks touch.
    """
    pitch = width + gap
    blocks = [[centre] for centre in centres]

    def span(block: list[float]) -> tuple[float, float]:
        middle = sum(block) / len(block)
        half = pitch * len(block) / 2
        return middle - half, middle + half

    merged = True
    while merged:
        merged = False
        for place in range(len(blocks) - 1):
            if span(blocks[place])[1] > span(blocks[place + 1])[0] + 1e-9:
                blocks[place : place + 2] = [blocks[place] + blocks[place + 1]]
                merged = True
                break
    return [span(block)[0] + pitch * (index + 0.5) for block in blocks for index in range(len(block))]


def n_rows(
    figure: Figure, axes: Axes, styles: Sequence[ArmStyle], counts: Mapping[str, Mapping[float, int]], below: float
) -> None:
    """Under the axis, one row for each arm: its name, then n at each month.

    Args:
        figure: the figure of the axes.
        axes: axes with a month axis.
        styles: the arms, in order.
        counts: by arm, n by month.
        below: points from the axis down to the first row.
    """
    width, height = figure.get_size_inches() * 72
    box = axes.get_position()
    low, high = axes.get_xlim()
    row = below
    for style in styles:
        figure.text(4 / width, box.y0 - row / height, style.name, color=style.colour, va="center", weight="bold")
        row += 16
        months = sorted(counts[style.arm])
        widest = max((text_width(str(n), SIZE) for n in counts[style.arm].values()), default=0)
        centres = [width * (box.x0 + box.width * (month - low) / (high - low)) for month in months]
        for month, centre in zip(months, spread(centres, widest), strict=True):
            place = (centre / width, box.y0 - row / height)
            figure.text(*place, str(counts[style.arm][month]), ha="center", va="center")
        figure.text(4 / width, box.y0 - row / height, "n", va="center")
        row += 18


def column_heads(figure: Figure, axes: Axes, head: float, names: Sequence[str]) -> None:
    """A name over each of the columns of equal width into which the axes are divided, in two lines at most.

    Args:
        figure: the figure of the axes.
        axes: axes whose top is `head` points below the figure's.
        head: points above the axes.
        names: of the columns, in order.
    """
    width, height = figure.get_size_inches() * 72
    box = axes.get_position()
    for place, name in enumerate(names):
        across = box.x0 + box.width * (place + 0.5) / len(names)
        lines = wrapped(name, width * box.width / len(names), SIZE)[:2]
        for line, text in enumerate(lines):
            down = head - 8 - 16 * (len(lines) - 1 - line)
            figure.text(across, 1 - down / height, text, ha="center", va="center")


def key(figure: Figure, styles: Sequence[ArmStyle], *, left: float, top: float) -> float:
    """A key of the arms, each with marker and dash, in as many lines as it takes.

    Returns:
        Points used from `top` down.
    """
    width, height = figure.get_size_inches() * 72
    across, down = left, top
    for style in styles:
        long = 40 + text_width(style.name, SIZE)
        if across > left and across + long > width:
            across, down = left, down + 18
        line = Line2D(
            [across / width, (across + 16) / width, (across + 32) / width],
            [1 - down / height] * 3,
            color=style.colour,
            linestyle=style.dash,
            marker=style.marker,
            markevery=[1],
            markerfacecolor=style.face,
            markeredgecolor=style.colour,
            markersize=7,
            transform=figure.transFigure,
        )
        figure.add_artist(line)
        figure.text((across + 38) / width, 1 - down / height, style.name, va="center", color=INK)
        across += long + 16
    return down + 14 - top
