"""The effect when the imputed values of an arm are shifted: how wrong may the guess be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from equipoise.report.figures.arms import COLOURS, INK, PAPER, QUIET
from equipoise.report.figures.axes import CLEAR, SIZE, WIDTH, frame, house_style, sheet
from equipoise.report.numbers import fixed
from equipoise.report.text_width import text_width

LEFT, RIGHT, HEIGHT = 64.0, 12.0, 324.0


@dataclass(frozen=True, slots=True)
class Shifted:
    """The effect at one shift; `clear` where P is below alpha."""

    shift: float
    estimate: float
    low: float
    high: float
    clear: bool


def tipping_figure(
    effects: Sequence[Shifted], tipping: float | None, *, axis_title: str, effect_title: str, places: int
) -> tuple[Figure, tuple[Shifted, ...]]:
    """Estimate and interval at each shift, filled where P is below alpha, with the tipping point marked.

    Args:
        effects: by shift, ascending.
        tipping: the shift at which P crosses alpha; None where it does not.
        axis_title: what is shifted and its unit.
        effect_title: what is compared and its unit.
        places: decimals of the printed shift.

    Returns:
        The figure and the effects drawn.
    """
    with house_style():
        figure = sheet(HEIGHT)
        axes = frame(figure, left=LEFT, right=RIGHT, top=50, bottom=50)
        figure.text(4 / WIDTH, 1 - 10 / HEIGHT, effect_title, va="center")
        axes.axhline(0, color=QUIET, linewidth=1, linestyle=(0, (2, 1.5)))
        for each in effects:
            axes.plot([each.shift, each.shift], [each.low, each.high], color=COLOURS[0], linewidth=1.4)
            axes.plot(
                [each.shift],
                [each.estimate],
                linestyle="",
                marker="o",
                markerfacecolor=COLOURS[0] if each.clear else PAPER,
                markeredgecolor=COLOURS[0],
            )
        axes.set_xlabel(axis_title)
        axes.tick_params(axis="x", pad=CLEAR)
        if tipping is not None:
            axes.axvline(tipping, color=COLOURS[1], linewidth=2, linestyle=(0, (4, 2)))
            _mark(figure, axes.get_position().bounds, axes.get_xlim(), tipping, places)
    return figure, tuple(effects)


def _mark(
    figure: Figure, box: tuple[float, float, float, float], limits: tuple[float, float], tipping: float, places: int
) -> None:
    """The tipping point in words above its line, kept within the figure."""
    label = f"tips at {fixed(tipping, places)}"
    half = text_width(label, SIZE) / 2
    centre = WIDTH * (box[0] + box[2] * (tipping - limits[0]) / (limits[1] - limits[0]))
    centre = min(max(centre, half + 4), WIDTH - half - 4)
    figure.text(centre / WIDTH, 1 - 34 / HEIGHT, label, ha="center", va="center", weight="bold", color=INK)
