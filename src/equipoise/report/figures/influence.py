"""Who moves the effect: Cook's distance of each participant, and the effect with everyone less that without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.report.figures.arms import QUIET, RULE, ArmStyle
from equipoise.report.figures.axes import CLEAR, SIZE, WIDTH, frame, house_style, key, sheet
from equipoise.report.text_width import text_width, wrapped

MOST_SHOWN = 25
ROW, FOOT, BETWEEN = 17.0, 62.0, 26.0


@dataclass(frozen=True, slots=True)
class Pull:
    """A participant's pull on the effect: the change with less without them, in the effect's unit, and its distance."""

    participant: str
    arm: str
    change: float
    cook: float


def influence_figure(
    pulls: Sequence[Pull], styles: Sequence[ArmStyle], *, unit: str
) -> tuple[Figure, tuple[Pull, ...]]:
    """Participants by Cook's distance, the largest on top; at most `MOST_SHOWN` of them.

    Args:
        pulls: one or more.
        styles: of the arms.
        unit: of the effect, for its axis; empty where it has none.

    Returns:
        The figure and the participants drawn, from the top down.
    """
    shown = tuple(sorted(pulls, key=lambda pull: (-pull.cook, pull.participant))[:MOST_SHOWN])
    left = 14 + max(text_width(pull.participant, SIZE) for pull in shown)
    panel = (WIDTH - left - BETWEEN - 8) / 2
    change = f"Change of the effect ({unit})" if unit else "Change of the effect"
    titles = [wrapped(text, panel, SIZE) for text in ("Cook’s distance", change)]
    with house_style():
        used = key(sheet(100), styles, left=left, top=10)  # measured on a sheet that is thrown away
        head = used + 12
        height = head + ROW * len(shown) + FOOT
        figure = sheet(height)
        key(figure, styles, left=left, top=10)
        first = frame(figure, left=left, right=WIDTH - left - panel, top=head, bottom=FOOT)
        second = frame(figure, left=left + panel + BETWEEN, right=8, top=head, bottom=FOOT, share=first)
        first.set_ylim(len(shown), 0)
        first.set_yticks([place + 0.5 for place in range(len(shown))], [pull.participant for pull in shown])
        second.tick_params(axis="y", labelleft=False)
        second.axvline(0, color=QUIET, linewidth=1, linestyle=(0, (2, 1.5)))
        _marks(first, shown, [pull.cook for pull in shown], styles)
        _marks(second, shown, [pull.change for pull in shown], styles)
        first.set_xlim(left=0)
        for axes, title in zip((first, second), titles, strict=True):
            axes.set_xlabel("\n".join(title))
            axes.tick_params(axis="x", pad=CLEAR)
            axes.locator_params(axis="x", nbins=4)
    return figure, shown


def _marks(axes: Axes, shown: Sequence[Pull], values: Sequence[float], styles: Sequence[ArmStyle]) -> None:
    """A mark for each value on the line of its participant, in the style of the arm."""
    by_arm = {style.arm: style for style in styles}
    for place, (pull, value) in enumerate(zip(shown, values, strict=True)):
        style = by_arm[pull.arm]
        axes.plot([0, value], [place + 0.5] * 2, color=RULE, linewidth=2, zorder=1)
        axes.plot(
            [value],
            [place + 0.5],
            marker=style.marker,
            markersize=7,
            markerfacecolor=style.face,
            markeredgecolor=style.colour,
            clip_on=False,
            zorder=2,
        )
