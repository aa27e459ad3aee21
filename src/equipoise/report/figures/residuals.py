"""Residuals of a model against what it fitted and by visit: no slope, no funnel, no visit apart if it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.analysis.results import Residual
from equipoise.report.figures.arms import QUIET, ArmStyle
from equipoise.report.figures.axes import CLEAR, SIZE, WIDTH, frame, house_style, key, sheet
from equipoise.report.text_width import text_width

LEFT, RIGHT, BODY, FOOT, BETWEEN = 40.0, 10.0, 250.0, 58.0, 22.0
BAND = 1.96  # some 5% of normal residuals lie outside
APART = 0.16  # of the step from visit to visit, between the arms


def residuals_figure(
    residuals: Sequence[Residual],
    arms: Mapping[str, str],
    styles: Sequence[ArmStyle],
    visits: Mapping[str, str],
    *,
    unit: str,
    visit_title: str,
) -> tuple[Figure, tuple[Residual, ...]]:
    """Standardised residuals, on the left by fitted value, on the right by visit; dashed where 95% should lie within.

    Args:
        residuals: standardised.
        arms: by participant.
        styles: of the arms.
        visits: short names by id, in order.
        unit: of the fitted values; empty where they have none.
        visit_title: of the axis of visits.

    Returns:
        The figure and the residuals drawn.
    """
    half = (WIDTH - LEFT - RIGHT - BETWEEN) / 2
    with house_style():
        used = key(sheet(100), styles, left=LEFT, top=28)  # measured on a sheet that is thrown away
        head = used + 36
        height = head + BODY + FOOT
        figure = sheet(height)
        figure.text(4 / WIDTH, 1 - 12 / height, "Standardised residual", va="center")
        key(figure, styles, left=LEFT, top=32)
        first = frame(figure, left=LEFT, right=WIDTH - LEFT - half, top=head, bottom=FOOT)
        second = frame(figure, left=LEFT + half + BETWEEN, right=RIGHT, top=head, bottom=FOOT, share=first)
        places = {visit: place for place, visit in enumerate(visits)}
        for number, style in enumerate(styles):
            own = [each for each in residuals if arms[each.participant] == style.arm]
            aside = APART * (number - (len(styles) - 1) / 2)
            _marks(first, [each.fitted for each in own], own, style)
            _marks(second, [places[each.visit] + aside for each in own], own, style)
        for axes in (first, second):
            axes.axhline(0, color=QUIET, linewidth=1, zorder=0)
            for end in (-BAND, BAND):
                axes.axhline(end, color=QUIET, linewidth=1, linestyle=(0, (4, 2)), zorder=0)
            axes.tick_params(axis="x", pad=CLEAR)
        first.locator_params(axis="x", nbins=4)
        first.set_xlabel(f"Fitted value ({unit})" if unit else "Fitted value")
        second.tick_params(axis="y", labelleft=False)
        second.set_xlim(-0.5, len(visits) - 0.5)
        second.set_xticks(range(len(visits)), _labels(list(visits.values()), half))
        second.set_xlabel(visit_title)
    return figure, tuple(residuals)


def _labels(names: Sequence[str], width: float) -> list[str]:
    """The names, every second left out where they would touch."""
    step = width / len(names)
    if max(text_width(name, SIZE) for name in names) + 4 <= step:
        return list(names)
    return [name if place % 2 == 0 else "" for place, name in enumerate(names)]


def _marks(axes: Axes, across: Sequence[float], own: Sequence[Residual], style: ArmStyle) -> None:
    axes.plot(
        list(across),
        [each.value for each in own],
        linestyle="",
        marker=style.marker,
        markersize=4.5,
        markerfacecolor=style.face,
        markeredgecolor=style.colour,
        markeredgewidth=1.1,
    )
