"""Every participant's laboratory values, a panel for each arm, with limits of normal and the limits of grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from equipoise.report.figures.arms import INK, QUIET, RULE, ArmStyle
from equipoise.report.figures.axes import SIZE, WIDTH, frame, house_style, sheet
from equipoise.report.text_width import text_width, wrapped

LEFT, GAP, RIGHT, PLOT, HEAD, FOOT = 56.0, 26.0, 22.0, 210.0, 44.0, 46.0
COLUMNS = 2
RINGS = {1: "o", 2: "s", 3: "D", 4: "^"}
LINE = 17.0  # points that a number takes on the right


@dataclass(frozen=True, slots=True)
class GradedPoint:
    """A value of a participant, in months from randomisation; `grade` is None where it has none."""

    participant: str
    arm: str
    month: float
    value: float
    grade: int | None


@dataclass(frozen=True, slots=True)
class GradeLimit:
    """Where a grade begins; between participants (sex, laboratory) it may differ, so from where to where."""

    grade: int
    low: float
    high: float


def laboratory_figure(
    points: Sequence[GradedPoint],
    styles: Sequence[ArmStyle],
    normal: Sequence[float],
    limits: Sequence[GradeLimit],
    *,
    axis_title: str,
) -> tuple[Figure, tuple[GradedPoint, ...]]:
    """A panel for each arm with a line for each participant; all panels have the same axes.

    Args:
        points: the values.
        styles: the arms.
        normal: the limits of normal that hold for somebody, drawn dashed.
        limits: where grades begin; drawn and numbered where values come near.
        axis_title: what is measured and its unit.

    Returns:
        The figure and the points drawn, by arm, participant and month.
    """
    used = [style for style in styles if any(point.arm == style.arm for point in points)]
    drawn = tuple(sorted(points, key=lambda p: ([style.arm for style in used].index(p.arm), p.participant, p.month)))
    rows = -(-len(used) // COLUMNS)
    height = 48 + rows * (PLOT + HEAD + FOOT)
    width = (WIDTH - LEFT - RIGHT - GAP * (COLUMNS - 1)) / COLUMNS
    low, high = _range(drawn, normal)
    last = max(point.month for point in drawn)
    with house_style():
        figure = sheet(height)
        figure.text(4 / WIDTH, 1 - 10 / height, axis_title, va="center")
        _key(figure, height, 32)
        for place, style in enumerate(used):
            row, column = divmod(place, COLUMNS)
            left = LEFT + column * (width + GAP)
            top = 48 + row * (PLOT + HEAD + FOOT)
            own = [point for point in drawn if point.arm == style.arm]
            title = wrapped(
                f"{style.name}, n = {len({point.participant for point in own})}", width + 20, SIZE, bold=True
            )
            for line, text in enumerate(title[:2]):
                figure.text(left / WIDTH, 1 - (top + 8 + 16 * line) / height, text, va="center", weight="bold")
            axes = frame(
                figure,
                left=left,
                right=WIDTH - left - width,
                top=top + HEAD,
                bottom=height - top - HEAD - PLOT,
            )
            axes.set_ylim(low, high)
            axes.set_xlim(-0.03 * (last or 1) - 0.3, 1.06 * (last or 1) + 0.3)
            axes.set_xlabel("Months")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            axes.tick_params(labelleft=column == 0)
            _limits(axes, normal, limits)
            for participant in dict.fromkeys(point.participant for point in own):
                _line(axes, [point for point in own if point.participant == participant], style)
    return figure, drawn


def _range(points: Sequence[GradedPoint], normal: Sequence[float]) -> tuple[float, float]:
    values = [*(point.value for point in points), *normal]
    room = 0.07 * (max(values) - min(values) or 1)
    return min(values) - room, max(values) + room


def _limits(axes: Axes, normal: Sequence[float], limits: Sequence[GradeLimit]) -> None:
    bottom, top = axes.get_ylim()
    for limit in normal:
        axes.axhline(limit, color=QUIET, linewidth=1, linestyle=(0, (4, 2)), zorder=0)
    scale, taken = PLOT / (top - bottom), -LINE
    for begins in sorted(limits, key=lambda limit: limit.low):
        if not (bottom < begins.low and begins.high < top):
            continue
        axes.axhspan(begins.low, begins.high, facecolor=RULE, edgecolor=RULE, linewidth=1.2, zorder=0)
        middle = (begins.low + begins.high) / 2
        if scale * (middle - bottom) >= taken + LINE:  # a number that would touch the one below is left out
            taken = scale * (middle - bottom)
            axes.text(axes.get_xlim()[1], middle, f" {begins.grade}", va="center", color=QUIET, clip_on=False)


def _line(axes: Axes, points: Sequence[GradedPoint], style: ArmStyle) -> None:
    months, values = [point.month for point in points], [point.value for point in points]
    axes.plot(months, values, color=style.colour, linestyle=style.dash, linewidth=0.9, alpha=0.8)
    axes.plot(
        months,
        values,
        linestyle="",
        marker=style.marker,
        markersize=4,
        markerfacecolor=style.face,
        markeredgecolor=style.colour,
        markeredgewidth=1,
    )
    for point in points:
        if point.grade:
            axes.plot(
                [point.month],
                [point.value],
                marker=RINGS[point.grade],
                markersize=11,
                markerfacecolor="none",
                color=INK,
                clip_on=False,
            )


def _key(figure: Figure, height: float, top: float) -> None:
    """What each ring says."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    across = 12.0
    for grade, ring in RINGS.items():
        text = f"grade {grade}"
        axes.plot([across], [top], marker=ring, markersize=11, markerfacecolor="none", color=INK)
        figure.text((across + 12) / WIDTH, 1 - top / height, text, va="center")
        across += 36 + text_width(text, SIZE)
