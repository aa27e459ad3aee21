"""Every participant's line with the arm's mean on top: the plainest view of a small trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from equipoise.protocol.document import Protocol
from equipoise.report.figures.arms import QUIET, ArmStyle
from equipoise.report.figures.axes import WIDTH, frame, house_style, month_axis, months_of, sheet

LEFT, RIGHT, HEIGHT = 64.0, 10.0, 330.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one participant at one visit."""

    participant: str
    arm: str
    visit: str
    value: float


def lines_figure(
    protocol: Protocol,
    style: ArmStyle,
    values: Sequence[Measured],
    means: Mapping[str, float],
    *,
    axis_title: str,
    limits: tuple[float, float],
) -> tuple[Figure, dict[str, tuple[tuple[float, float], ...]]]:
    """The panel of one arm; give all panels the same limits.

    Args:
        protocol: where the visits are planned.
        style: the arm and how it is drawn.
        values: the values of that arm's participants.
        means: the arm's mean by visit, as the results give it.
        axis_title: what is measured and its unit.
        limits: lowest and highest value of the axis.

    Returns:
        The figure and, by participant, the (month, value) pairs drawn; the mean's line stands under `mean`.
    """
    visits = [visit.id for visit in protocol.visits if visit.id in means or any(v.visit == visit.id for v in values)]
    month = {visit: months_of(protocol.visit(visit)) for visit in visits}
    drawn = {
        participant: tuple(
            sorted((month[value.visit], value.value) for value in values if value.participant == participant)
        )
        for participant in sorted({value.participant for value in values})
    }
    many = len(drawn) > 60
    with house_style():
        figure = sheet(HEIGHT)
        axes = frame(figure, left=LEFT, right=RIGHT, top=42, bottom=46)
        figure.text(4 / WIDTH, 1 - 10 / HEIGHT, f"{style.name}, n = {len(drawn)}", va="center", weight="bold")
        figure.text(4 / WIDTH, 1 - 28 / HEIGHT, axis_title, va="center")
        month_axis(axes, protocol, visits, WIDTH - LEFT - RIGHT)
        for pairs in drawn.values():
            xs, ys = zip(*pairs, strict=True)
            axes.plot(xs, ys, color=QUIET, linewidth=0.5 if many else 1.0, alpha=0.35 if many else 0.75)
            if not many:
                axes.plot(xs, ys, color=QUIET, linestyle="", marker=".", markersize=4, markeredgewidth=0)
        mean = tuple((month[visit], means[visit]) for visit in visits if visit in means)
        if mean:
            axes.plot(
                *zip(*mean, strict=True),
                color=style.colour,
                linestyle=style.dash,
                linewidth=3,
                marker=style.marker,
                markerfacecolor=style.face,
                markeredgecolor=style.colour,
                markersize=8,
            )
        axes.set_ylim(*limits)
        axes.grid(axis="y")
        axes.set_xlabel("Months after randomisation")
    return figure, drawn | {"mean": mean}
