"""The CONSORT 2025 flow diagram as inline SVG, laid out from its texts so that no box is too small for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from equipoise.report.svg import Drawing, framed
from equipoise.report.text_width import text_width, wrapped

WIDTH = 460.0
NARROWEST_COLUMN = 200.0
GAP = 14.0  # between columns
DROP = 26.0  # between boxes, for the arrow
PAD = 9.0
SIZE = 12.0
LINE = 16.0
INDENT = 12.0


@dataclass(frozen=True, slots=True)
class Count:
    """A line of a box: text and the number that it counts, with the id of the result it was taken from.

    A head over other counts has neither.
    """

    text: str
    n: int | None = None
    id: str = ""
    indented: bool = False


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """The boxes of one arm, from allocation to analysis."""

    allocated: tuple[Count, ...]
    lost: tuple[Count, ...]
    analysed: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """All boxes of the diagram. In each, the first line is the head and the others its reasons.

    `screened` and `excluded` are empty where the trial was not screened here.
    """

    screened: tuple[Count, ...]
    excluded: tuple[Count, ...]
    randomised: tuple[Count, ...]
    arms: tuple[ArmFlow, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with its lines, placed."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[Line, ...]

    @property
    def middle(self) -> float:
        """Across, the centre."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """Down, the lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line; the last line of a count carries its number and id."""

    text: str
    indent: float
    bold: bool
    number: str = ""
    id: str = ""


def flow_diagram(flow: Flow, *, id: str, title: str) -> Drawing:
    """The diagram of a flow; what it says in words stands in its description."""
    width = max(WIDTH, len(flow.arms) * (NARROWEST_COLUMN + GAP) - GAP)
    boxes, arrows, height = _laid_out(flow, width)
    body = Markup("").join([*map(_arrow, arrows), *map(_drawn, boxes)])
    description = _in_words(flow)
    return Drawing(id, title, description, framed(id, title, description, width, height, body))


def _laid_out(flow: Flow, width: float) -> tuple[list[Box], list[tuple[tuple[float, float], ...]], float]:
    """Boxes, arrows (each a run of points) and the height of the whole."""
    boxes: list[Box] = []
    arrows: list[tuple[tuple[float, float], ...]] = []
    middle, side = width / 2, min(210.0, width / 2 - 22)
    top = 1.0
    if flow.screened:
        screened = _centred(flow.screened, middle, top, side)
        boxes.append(screened)
        top = screened.bottom + DROP
        if flow.excluded:
            excluded = _box(flow.excluded, width - side - 1, screened.bottom + DROP / 2, side)
            boxes.append(excluded)
            level = excluded.y + excluded.height / 2
            arrows.append(((middle, level), (excluded.x, level)))
            top = excluded.bottom + DROP / 2
        arrows.append(((middle, screened.bottom), (middle, top)))
    randomised = _centred(flow.randomised, middle, top, side)
    boxes.append(randomised)
    columns = _columns(flow, width)
    bus = randomised.bottom + DROP / 2
    level = randomised.bottom + DROP
    before: list[tuple[float, float]] = []
    for x, across in columns:
        centre = x + across / 2
        arrows.append(((middle, randomised.bottom), (middle, bus), (centre, bus), (centre, level)))
    for stage in ("allocated", "lost", "analysed"):
        row = [_box(getattr(arm, stage), x, level, across) for arm, (x, across) in zip(flow.arms, columns, strict=True)]
        tallest = max(box.height for box in row)
        row = [Box(box.x, box.y, box.width, tallest, box.lines) for box in row]
        boxes.extend(row)
        arrows.extend((start, (box.middle, box.y)) for start, box in zip(before, row, strict=bool(before)))
        before = [(box.middle, box.bottom) for box in row]
        level += tallest + DROP
    return boxes, arrows, level - DROP + 1


def _columns(flow: Flow, width: float) -> list[tuple[float, float]]:
    """Left edge and width of each arm's column."""
    across = (width - 2 - GAP * (len(flow.arms) - 1)) / len(flow.arms)
    return [(1 + place * (across + GAP), across) for place in range(len(flow.arms))]


def _centred(counts: Sequence[Count], middle: float, top: float, width: float) -> Box:
    return _box(counts, middle - width / 2, top, width)


def _box(counts: Sequence[Count], x: float, y: float, width: float) -> Box:
    lines = tuple(
        line for place, count in enumerate(counts) for line in _lines(count, width - 2 * PAD, bold=place == 0)
    )
    return Box(x, y, width, LINE * len(lines) + 2 * PAD, lines)


def _lines(count: Count, width: float, *, bold: bool) -> list[Line]:
    """The count's text wrapped, its number after the last word or on a line of its own."""
    indent = INDENT if count.indented else 0.0
    room = width - indent
    texts = list(wrapped(count.text, room, SIZE, bold=bold))
    if count.n is None:
        return [Line(text, indent, bold) for text in texts]
    number = f"(n = {count.n})"
    if text_width(f"{texts[-1]} {number}", SIZE, bold=bold) > room:
        texts.append("")
    last = len(texts) - 1
    return [
        Line(text, indent, bold, str(count.n) if place == last else "", count.id if place == last else "")
        for place, text in enumerate(texts)
    ]


def _drawn(box: Box) -> Markup:
    rectangle = Markup('<rect class="flow-box" x="{}" y="{}" width="{}" height="{}" rx="3"/>').format(
        *(f"{edge:.1f}" for edge in (box.x, box.y, box.width, box.height))
    )
    baseline = box.y + PAD + 0.78 * LINE
    lines = (_text(line, box.x + PAD, baseline + LINE * place) for place, line in enumerate(box.lines))
    return Markup('<g class="flow">{}{}</g>').format(rectangle, Markup("").join(lines))


def _text(line: Line, x: float, y: float) -> Markup:
    number = Markup("")
    if line.number:
        number = Markup(
            '{}(n = <tspan class="number" data-id="{}" data-field="estimate" data-value="{}">{}</tspan>)'
        ).format(" " if line.text else "", line.id, line.number, line.number)
    return Markup('<text class="fill-ink{}" x="{}" y="{}" font-size="{}">{}{}</text>').format(
        " bold" if line.bold else "", f"{x + line.indent:.1f}", f"{y:.1f}", f"{SIZE:g}", line.text, number
    )


def _arrow(points: Sequence[tuple[float, float]]) -> Markup:
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    (x0, y0), (x1, y1) = points[-2:]
    along = ((x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0))
    back = (x1 - 6 * along[0], y1 - 6 * along[1])
    wing = (3.5 * along[1], 3.5 * along[0])
    corners = (points[-1], (back[0] - wing[0], back[1] - wing[1]), (back[0] + wing[0], back[1] + wing[1]))
    head = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + " Z"
    return Markup('<path class="flow-line" d="{}"/><path class="flow-head" d="{}"/>').format(path, head)


def _in_words(flow: Flow) -> str:
    """The diagram as sentences, for who cannot see it."""
    boxes = [flow.screened, flow.excluded, flow.randomised]
    boxes += [box for arm in flow.arms for box in (arm.allocated, arm.lost, arm.analysed)]
    return " ".join(_box_in_words(box) for box in boxes if box)


def _box_in_words(box: Sequence[Count]) -> str:
    head, *reasons = (count.text if count.n is None else f"{count.text} {count.n}" for count in box)
    return f"{head}: {'; '.join(reasons)}." if reasons else f"{head}."
