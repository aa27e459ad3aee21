"""Peak ALT or AST against peak bilirubin, as multiples of the upper limit of normal: evidence of liver injury."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from equipoise.report.figures.arms import QUIET, ArmStyle
from equipoise.report.figures.axes import SIZE, WIDTH, frame, house_style, key, sheet
from equipoise.report.text_width import text_width

LEFT, RIGHT, PLOT, FOOT, LINE = 56.0, 12.0, 300.0, 50.0, 16.0
ALT_LINE, BILIRUBIN_LINE = 3.0, 2.0
TICKS = (0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Peaks:
    """A participant's highest values after baseline, times ULN."""

    participant: str
    arm: str
    aminotransferase: float
    bilirubin: float


def edish_figure(peaks: Sequence[Peaks], styles: Sequence[ArmStyle]) -> tuple[Figure, tuple[Peaks, ...]]:
    """A mark for each participant on logarithmic axes; who lies beyond a line is named.

    Args:
        peaks: of those whose values are known and above 0.
        styles: the arms.

    Returns:
        The figure and the peaks drawn.
    """
    with house_style():
        rough = 24.0 + 18 * len(styles)
        height = PLOT + FOOT + rough + 20
        figure = sheet(height)
        top = 30 + key(figure, styles, left=4, top=12)
        figure.text(4 / WIDTH, 1 - (top - 12) / height, "Highest bilirubin, × ULN", va="center")
        axes = frame(figure, left=LEFT, right=RIGHT, top=top, bottom=height - top - PLOT)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(*_ends([peak.aminotransferase for peak in peaks], ALT_LINE))
        axes.set_ylim(*_ends([peak.bilirubin for peak in peaks], BILIRUBIN_LINE))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(FixedLocator(TICKS))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter("{x:g}")
        axes.axvline(ALT_LINE, color=QUIET, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.axhline(BILIRUBIN_LINE, color=QUIET, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.set_xlabel("Highest ALT or AST, × ULN")
        for style in styles:
            own = [peak for peak in peaks if peak.arm == style.arm]
            axes.plot(
                [peak.aminotransferase for peak in own],
                [peak.bilirubin for peak in own],
                linestyle="",
                marker=style.marker,
                markersize=8,
                markerfacecolor=style.face,
                markeredgecolor=style.colour,
                clip_on=False,
            )
        beyond = [peak for peak in peaks if peak.aminotransferase >= ALT_LINE or peak.bilirubin >= BILIRUBIN_LINE]
        named: list[tuple[float, float]] = []
        for peak in beyond:
            across, up = axes.transData.transform((peak.aminotransferase, peak.bilirubin))
            wide = text_width(peak.participant, SIZE) + 8
            if all(abs(across - x) > wide or abs(up - y) > LINE for x, y in named):  # others keep their mark alone
                named.append((across, up))
                axes.annotate(
                    peak.participant,
                    (peak.aminotransferase, peak.bilirubin),
                    xytext=(-8, 0),
                    textcoords="offset points",
                    ha="right",
                    va="center",
                )
    return figure, tuple(peaks)


def _ends(values: Sequence[float], line: float) -> tuple[float, float]:
    """Ends of an axis on which the line and every value stand clear of the edge."""
    return min([0.2, *values]) / 1.3, max([line * 3, *values]) * 1.3
