"""How wide a text is when it is drawn, so that no box is too small for it.

Widths come from DejaVu Sans, which matplotlib carries and figures ask for first; Verdana, the next in the figures'
font list, is as wide. A character that the font lacks (Chinese, Japanese, Korean) counts as the full square it takes.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, LoadFlags

FULL_SQUARE = 1.0
UNKNOWN_WIDTH = 0.65
SLACK = 1.04  # hinting and kerning differ a little between browsers


@lru_cache(maxsize=2)
def _font(bold: bool) -> FT2Font:
    path = font_manager.findfont(
        font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal"), fallback_to_default=True
    )
    font = FT2Font(path)
    font.set_size(1000, 72)
    return font


@lru_cache(maxsize=4096)
def _advance(character: str, bold: bool) -> float:
    """Width of one character in ems."""
    if unicodedata.combining(character):
        return 0.0
    font = _font(bold)
    if font.get_char_index(ord(character)) == 0:
        wide = unicodedata.east_asian_width(character) in "WF"
        return FULL_SQUARE if wide else UNKNOWN_WIDTH
    glyph = font.load_char(ord(character), flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / 65536 / 1000


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line of text, in the unit of `size`, with a little slack."""
    return SLACK * size * sum(_advance(character, bold) for character in text)


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """The text in lines no wider than `width`: broken at spaces, and inside a word only where it alone is too wide.

    Text without spaces, such as Chinese, is broken between characters.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        for piece in _pieces(word, width, size, bold):
            joined = f"{line} {piece}" if line else piece
            if line and text_width(joined, size, bold=bold) > width:
                lines.append(line)
                line = piece
            else:
                line = joined
    return (*lines, line) if line else tuple(lines)


def _pieces(word: str, width: float, size: float, bold: bool) -> list[str]:
    """A word cut so that each piece fits."""
    if text_width(word, size, bold=bold) <= width:
        return [word]
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width(pieces[-1] + character, size, bold=bold) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
