"""The same effect by every method that estimated it, each with its interval: do they agree?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.report.figures.arms import INK, QUIET
from equipoise.report.figures.axes import SIZE, WIDTH, frame, house_style, sheet
from equipoise.report.numbers import fixed, interval
from equipoise.report.text_width import text_width, wrapped

LEFT, RIGHT, ROW, LINE = 8.0, 8.0, 20.0, 16.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One estimate of the difference between the arms.

    Args:
        label: the method.
        estimate: the difference; None where the method gives an interval alone.
        low: lower limit of the 95% interval, None where it gives none.
        high: its upper limit.
        mark: what sets it apart (`main analysis`, `the one to believe`), printed beside the label.
        group: the heading under which it stands.
    """

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    mark: str = ""
    group: str = ""


def forest_figure(
    effects: Sequence[Effect], *, axis_title: str, places: int, favours: tuple[str, str]
) -> tuple[Figure, tuple[Effect, ...]]:
    """One row for each effect: label and numbers on a line, the interval below it.

    Args:
        effects: in the order in which they are shown; rows of one group stand together.
        axis_title: what is compared and its unit.
        places: decimals of the printed numbers.
        favours: what lies below and above zero.

    Returns:
        The figure and the effects drawn.
    """
    layout = [_label_lines(effect, places) for effect in effects]
    groups = len({effect.group for effect in effects if effect.group})
    body = sum(ROW + LINE * len(lines) + 4 for lines in layout) + 28 * groups
    height = body + 76
    with house_style():
        figure = sheet(height)
        axes = frame(figure, left=LEFT, right=RIGHT, top=4, bottom=72)
        axes.set_xlim(*_limits(effects))
        axes.set_xticks(_whole_ticks(axes))
        axes.set_ylim(body, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        down, group = 0.0, ""
        for effect, lines in zip(effects, layout, strict=True):
            if effect.group and effect.group != group:
                group = effect.group
                _text(figure, height, 0, down + 14, group, weight="bold", color=QUIET)
                down += 28
            for index, line in enumerate(lines):
                _text(figure, height, 0, down + 8 + LINE * index, line, weight="bold" if effect.mark else "normal")
            _text(figure, height, WIDTH, down + 8, _printed(effect, places), align="right")
            down += LINE * len(lines) + 4
            _interval(axes, effect, down + ROW / 2 - 6)
            down += ROW
        axes.set_xlabel(axis_title)
        _text(figure, height, 0, height - 12, f"← {favours[0]}")
        _text(figure, height, WIDTH, height - 12, f"{favours[1]} →", align="right")
    return figure, tuple(effects)


def _printed(effect: Effect, places: int) -> str:
    limits = interval(effect.low, effect.high, places)
    return limits if effect.estimate is None else f"{fixed(effect.estimate, places)} ({limits})"


def _label_lines(effect: Effect, places: int) -> tuple[str, ...]:
    room = WIDTH - text_width(_printed(effect, places), SIZE) - 16
    label = f"{effect.label}: {effect.mark}" if effect.mark else effect.label
    return wrapped(label, room, SIZE, bold=bool(effect.mark))


def _limits(effects: Sequence[Effect]) -> tuple[float, float]:
    ends = [end for effect in effects for end in (effect.estimate, effect.low, effect.high) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = 0.04 * (high - low or 1.0)
    return low - room, high + room


def _whole_ticks(axes: Axes) -> list[float]:
    """The ticks whose numbers do not reach over the figure's edge."""
    low, high = axes.get_xlim()
    point = (high - low) / (WIDTH - LEFT - RIGHT)
    ticks = [(float(tick), point * text_width(f"{tick:g}", SIZE) / 2) for tick in axes.get_xticks()]
    return [tick for tick, half in ticks if low - LEFT * point + half <= tick <= high + RIGHT * point - half]


def _interval(axes: Axes, effect: Effect, down: float) -> None:
    low, high = axes.get_xlim()
    left = low if effect.low is None else effect.low
    right = high if effect.high is None else effect.high
    axes.plot([0, 0], [down - 7, down + 7], color=QUIET, linewidth=1, linestyle=(0, (2, 1.5)))
    axes.plot([left, right], [down, down], color=INK, linewidth=1.6)
    for end in (effect.low, effect.high):
        if end is not None:
            axes.plot([end, end], [down - 4, down + 4], color=INK, linewidth=1.6)
    if effect.estimate is not None:
        marker = "D" if effect.mark else "o"
        axes.plot([effect.estimate], [down], color=INK, marker=marker, markersize=10 if effect.mark else 7)


def _text(
    figure: Figure,
    height: float,
    across: float,
    down: float,
    text: str,
    *,
    align: str = "left",
    weight: str = "normal",
    color: str = INK,
) -> None:
    place = ((across + (4 if align == "left" else -4)) / WIDTH, 1 - down / height)
    figure.text(*place, text, ha=align, va="center", weight=weight, color=color)
