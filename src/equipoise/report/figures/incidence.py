"""How many of each arm had each adverse event, and the difference with its interval beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from equipoise.report.figures.arms import INK, QUIET, RULE, ArmStyle
from equipoise.report.figures.axes import SIZE, WIDTH, frame, house_style, key, sheet
from equipoise.report.text_width import wrapped

DODGE, MIDDLE, GAP, LINE, ROW, FOOT = 10.0, 232.0, 44.0, 16.0, 28.0, 46.0


@dataclass(frozen=True, slots=True)
class Incidence:
    """One event: the share affected by arm, and the difference of two arms with its 95% interval where compared."""

    label: str
    shares: Mapping[str, float]
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def incidence_figure(
    found: Sequence[Incidence], styles: Sequence[ArmStyle], *, compared: str
) -> tuple[Figure, tuple[Incidence, ...]]:
    """A row for each event: shares on the left, the difference on the right.

    Args:
        found: in the order in which they are shown.
        styles: the arms.
        compared: which arm less which.

    Returns:
        The figure and the rows drawn.
    """
    layout = [wrapped(each.label, WIDTH - 16, SIZE) for each in found]
    body = sum(LINE * len(lines) + ROW for lines in layout)
    with house_style():
        rough = 34.0 + 18 * len(styles)
        figure = sheet(body + FOOT + rough)
        top = 12 + key(figure, styles, left=4, top=12)
        height = body + FOOT + rough
        bottom = height - top - body
        shares = frame(figure, left=10, right=WIDTH - MIDDLE + GAP / 2, top=top, bottom=bottom)
        differences = frame(figure, left=MIDDLE + GAP / 2, right=12, top=top, bottom=bottom)
        for axes in (shares, differences):
            axes.set_ylim(body, 0)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
        shares.set_xlim(0, 1)
        shares.set_xticks([0, 0.5, 1])
        shares.set_xlabel("Share affected")
        ends = [end for each in found for end in (each.low, each.high) if end is not None]
        widest = max([0.2, *map(abs, ends)]) * 1.05
        differences.set_xlim(-widest, widest)
        differences.xaxis.set_major_locator(MaxNLocator(nbins=4))
        differences.set_xlabel(compared)
        down = 0.0
        for each, lines in zip(found, layout, strict=True):
            for place, line in enumerate(lines):
                figure.text(8 / WIDTH, 1 - (top + down + 8 + LINE * place) / height, line, va="center")
            down += LINE * len(lines)
            _draw(shares, differences, each, styles, down + ROW / 2 - 2)
            down += ROW
    return figure, tuple(found)


def _draw(shares: Axes, differences: Axes, each: Incidence, styles: Sequence[ArmStyle], down: float) -> None:
    shares.plot([0, 1], [down, down], color=RULE, linewidth=1)
    for place, style in enumerate(styles):
        if style.arm in each.shares:
            shares.plot(
                [each.shares[style.arm]],
                [down + DODGE * (place - (len(styles) - 1) / 2)],
                linestyle="",
                marker=style.marker,
                markersize=9,
                markerfacecolor=style.face,
                markeredgecolor=style.colour,
                clip_on=False,
            )
    differences.plot([0, 0], [down - 8, down + 8], color=QUIET, linewidth=1, linestyle=(0, (2, 1.5)))
    if each.difference is not None and each.low is not None and each.high is not None:
        differences.plot([each.low, each.high], [down, down], color=INK, linewidth=1.6)
        differences.plot([each.difference], [down], color=INK, marker="o", markersize=7)
