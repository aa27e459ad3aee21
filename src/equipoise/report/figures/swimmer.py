"""Each participant's time in the trial: infusions, visits, adverse events with their grades, leaving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.report.figures.arms import COLOURS, INK, PAPER, QUIET, ArmStyle
from equipoise.report.figures.axes import SIZE, WIDTH, frame, house_style, sheet
from equipoise.report.text_width import text_width

ROW, TITLE, FOOT, KEY = 30.0, 22.0, 46.0, 20.0
SEVERE = 3
CAP: Literal["butt"] = "butt"
ROOM = 1.012  # that a mark at the end is whole
STEPS, MOST_TICKS = (1, 2, 3, 6, 12, 24, 60), 9
NARROWEST = 5.0  # points of a bar of one day
THICKNESS = {1: 3.0, 2: 5.5, 3: 8.0, 4: 10.5, 5: 13.0}  # points of a bar, by grade
KEYS = (
    ("v", COLOURS[0], COLOURS[0], "infusion"),
    ("|", QUIET, QUIET, "visit"),
    ("X", PAPER, INK, "left the trial or the intervention"),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """An adverse event: months from randomisation at which it began and ended (None: not ended), grade, seriousness."""

    start: float
    end: float | None
    grade: int | None
    serious: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One participant; all times in months from randomisation."""

    participant: str
    arm: str
    end: float
    infusions: tuple[float, ...]
    visits: tuple[float, ...]
    events: tuple[Happening, ...]
    left: float | None


def swimmer_figure(lanes: Sequence[Lane], styles: Sequence[ArmStyle]) -> tuple[Figure, tuple[Lane, ...]]:
    """A lane for each participant, by arm.

    Args:
        lanes: one for each participant randomised.
        styles: the arms, in order.

    Returns:
        The figure and the lanes from above down.
    """
    drawn = tuple(lane for style in styles for lane in lanes if lane.arm == style.arm)
    used = [style for style in styles if any(lane.arm == style.arm for lane in drawn)]
    left = 14 + max(text_width(lane.participant, SIZE) for lane in drawn)
    body = ROW * len(drawn) + TITLE * len(used)
    height = body + FOOT + KEY * 2 + 6
    with house_style():
        figure = sheet(height)
        axes = frame(figure, left=left, right=16, top=4, bottom=FOOT + KEY * 2 + 2)
        axes.set_ylim(body, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        last = max(1.0, *(_last(lane) for lane in drawn))
        axes.set_xlim(0, last * ROOM)
        axes.set_xticks(range(0, int(last) + 1, _step(last)))
        axes.set_xlabel("Months after randomisation")
        down = 0.0
        for style in used:
            _label(figure, height, 4, down + TITLE / 2 + 4, style.name, bold=True)
            down += TITLE
            for lane in (lane for lane in drawn if lane.arm == style.arm):
                _label(figure, height, 4, down + ROW / 2 + 1, lane.participant)
                _draw(axes, lane, style, down + ROW / 2 - 3, WIDTH - left - 16)
                down += ROW
        _key(figure, height, body + FOOT + 10)
    return figure, drawn


def _last(lane: Lane) -> float:
    ends = [event.end if event.end is not None else event.start for event in lane.events]
    return max([lane.end, *lane.infusions, *lane.visits, *ends])


def _step(months: float) -> int:
    """Months from tick to tick: whole parts of a year, or years."""
    return next((step for step in STEPS if months <= step * MOST_TICKS), STEPS[-1])


def _draw(axes: Axes, lane: Lane, style: ArmStyle, down: float, points: float) -> None:
    month = points / axes.get_xlim()[1]
    axes.plot([0, lane.end], [down, down], color=style.colour, linestyle=style.dash, linewidth=1.6)
    axes.plot(lane.visits, [down] * len(lane.visits), linestyle="", marker="|", markersize=9, color=QUIET)
    if lane.infusions:
        places = [down - 5] * len(lane.infusions)
        axes.plot(lane.infusions, places, linestyle="", marker="v", markersize=7, color=COLOURS[0], clip_on=False)
    for event in lane.events:
        end = max(event.end if event.end is not None else lane.end, event.start + NARROWEST / month)
        thick = THICKNESS.get(event.grade or 0, THICKNESS[1])
        colour = COLOURS[1] if event.grade is not None and event.grade >= SEVERE else QUIET
        axes.plot([event.start, end], [down + 11] * 2, color=colour, linewidth=thick, solid_capstyle=CAP, clip_on=False)
        if event.serious:
            axes.plot([event.start], [down + 11], marker="*", markersize=13, color=INK, clip_on=False)
    if lane.left is not None:
        axes.plot([lane.left], [down], marker="X", markersize=9, markerfacecolor=PAPER, color=INK, clip_on=False)


def _label(figure: Figure, height: float, across: float, down: float, text: str, *, bold: bool = False) -> None:
    weight = "bold" if bold else "normal"
    figure.text(across / WIDTH, 1 - down / height, text, va="center", weight=weight)


def _key(figure: Figure, height: float, top: float) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    across = 10.0
    for marker, face, edge, text in KEYS:
        axes.plot([across], [top], marker=marker, markersize=8, markerfacecolor=face, markeredgecolor=edge)
        _label(figure, height, across + 10, top, text)
        across += 34 + text_width(text, SIZE)
    down = top + KEY
    _label(figure, height, 4, down, "adverse event:")
    across = 12 + text_width("adverse event:", SIZE)
    for grade, thick in THICKNESS.items():
        text = f"{'grade ' if grade == 1 else ''}{grade}"
        axes.plot(
            [across, across + 18],
            [down, down],
            color=COLOURS[1] if grade >= SEVERE else QUIET,
            linewidth=thick,
            solid_capstyle=CAP,
        )
        _label(figure, height, across + 24, down, text)
        across += 38 + text_width(text, SIZE)
    axes.plot([across + 6], [down], marker="*", markersize=13, color=INK)
    _label(figure, height, across + 18, down, "serious")
