"""Where the observed difference stands among those that the allocation procedure could have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from equipoise.report.figures.arms import COLOURS, INK, QUIET
from equipoise.report.figures.axes import CLEAR, SIZE, WIDTH, frame, house_style, sheet
from equipoise.report.numbers import fixed
from equipoise.report.text_width import text_width

LEFT, RIGHT, HEIGHT = 64.0, 12.0, 304.0


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of the re-drawn differences and how many fell into it."""

    low: float
    high: float
    draws: int


def null_figure(
    edges: Sequence[float], counts: Sequence[int], observed: float, *, axis_title: str, places: int
) -> tuple[Figure, tuple[Bin, ...]]:
    """A histogram of the re-drawn differences with the observed one, and its mirror, marked.

    Args:
        edges: of the bins, one more than `counts`.
        counts: re-drawn allocations in each bin.
        observed: the difference that the trial gave.
        axis_title: what is compared and its unit.
        places: decimals of the printed difference.

    Returns:
        The figure and the bins drawn.
    """
    bins = tuple(Bin(low, high, draws) for (low, high), draws in zip(pairwise(edges), counts, strict=True))
    with house_style():
        figure = sheet(HEIGHT)
        axes = frame(figure, left=LEFT, right=RIGHT, top=52, bottom=50)
        for each in bins:
            axes.fill_between([each.low, each.high], [0, 0], [each.draws, each.draws], color=QUIET, linewidth=0)
        axes.set_ylim(0, 1.05 * max(1, *counts))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(axis="x", pad=CLEAR)
        reach = 1.06 * max(abs(edges[0]), abs(edges[-1]), abs(observed))
        axes.set_xlim(-reach, reach)
        axes.axvline(observed, color=COLOURS[1], linewidth=2.5)
        axes.axvline(-observed, color=COLOURS[1], linewidth=1.5, linestyle=(0, (4, 2)))
        figure.text(4 / WIDTH, 1 - 10 / HEIGHT, "Re-drawn allocations in the bin", va="center")
        box = axes.get_position()
        label = f"observed {fixed(observed, places)}"
        half = text_width(label, SIZE) / 2
        centre = WIDTH * (box.x0 + box.width * (observed + reach) / (2 * reach))
        centre = min(max(centre, half + 4), WIDTH - half - 4)
        figure.text(centre / WIDTH, 1 - 36 / HEIGHT, label, ha="center", va="center", weight="bold", color=INK)
        axes.set_xlabel(axis_title)
    return figure, bins
