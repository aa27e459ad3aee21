"""How an arm is told apart in every figure: by colour, by marker and by dash, so that any one of them is enough.

The first two colours differ in hue for every kind of colour vision and in lightness on a grey copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.document import Protocol

COLOURS = ("#1b3a6b", "#c96a00", "#2e7d5b", "#8e3a80", "#5a5a00", "#7a4a2a")
MARKERS = ("o", "s", "^", "D", "v", "P")
Dash = Literal["solid"] | tuple[float, tuple[float, ...]]
DASHES: tuple[Dash, ...] = (
    "solid",
    (0, (4, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
    (0, (2, 2)),
    (0, (8, 3)),
)
PAPER = "#fefefe"
INK = "#111111"
QUIET = "#666666"
RULE = "#dddddd"


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """Colour, marker and dash of one arm; every second arm has an open marker."""

    arm: str
    name: str
    colour: str
    marker: str
    dash: Dash
    filled: bool

    @property
    def face(self) -> str:
        """Colour of the marker's inside."""
        return self.colour if self.filled else PAPER


def arm_styles(protocol: Protocol) -> tuple[ArmStyle, ...]:
    """A style for each arm, in the order of the protocol; beyond six arms they repeat."""
    return tuple(
        ArmStyle(
            arm.id,
            arm.name,
            COLOURS[place % len(COLOURS)],
            MARKERS[place % len(MARKERS)],
            DASHES[place % len(DASHES)],
            filled=place % 2 == 0,
        )
        for place, arm in enumerate(protocol.arms)
    )
