"""How a number is printed: the SAMPL guidelines (Lang and Altman 2013) as functions, in one place.

Exact P to two or three digits, never 0.000 and never a bare verdict; mean (SD) and median [quartiles]; a count with its
denominator, and a per cent beside it only from `FEWEST_FOR_PER_CENT` participants; one digit more than was measured.
A number not estimated is a dash. Prose of the analysis and tables of the report print alike, by `analysis.words`.
"""

from __future__ import annotations

import re

from equipoise.analysis import words
from equipoise.protocol.forms import Item

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
DASH = "\N{EN DASH}"
FEWEST_FOR_PER_CENT = 20
UNITS = {"1": "", "a": "years", "mo": "months", "wk": "weeks", "d": "days", "h": "hours"}
SPELLINGS = {
    "10*12": "10¹²",
    "10*9": "10⁹",
    "10*6": "10⁶",
    "10*3": "10³",
    "umol": "µmol",
    "uL": "µL",
    "ug": "µg",
    "um": "µm",
    "Cel": "°C",
    "mm[Hg]": "mmHg",
    "sqrt": "√",
}
PARTS = re.compile(r"[^/.{}()]+")


def fixed(value: float | None, places: int) -> str:
    """The value with `places` decimals: `−1.50`; a dash for what was not estimated; no negative zero."""
    return DASH if value is None else words.fixed(value, places)


def grouped(count: int) -> str:
    """A large count with narrow spaces between thousands: `20 000`; four digits stay together."""
    return str(count) if count < 10_000 else f"{count:,}".replace(",", NARROW_SPACE)


def degrees(value: float | None) -> str:
    """Degrees of freedom: whole where they are whole, else with two decimals; the normal reference has none."""
    if value is None:
        return DASH
    return fixed(value, 0 if float(value).is_integer() else 2)


def probability(p: float | None) -> str:
    """A P value without its letter: `0.024`, `< 0.001`."""
    if p is None:
        return DASH
    return words.p_text(p).removeprefix("P").removeprefix(" = ").strip().replace(" ", NARROW_SPACE)


def p_statement(p: float | None) -> str:
    """`P = 0.024`, `P < 0.001`, on one line."""
    return DASH if p is None else words.p_text(p).replace(" ", NARROW_SPACE)


def interval(low: float | None, high: float | None, places: int) -> str:
    """`9.8 to 124.2`: with the word, since a dash between negative numbers cannot be read."""
    return DASH if low is None and high is None else words.interval(low, high, places)


def unit_text(unit: str | None) -> str:
    """A UCUM unit as people write it: `10*9/L` is 10⁹/L; UCUM's unit of a ratio is not printed."""
    if unit is None or unit in UNITS:
        return UNITS.get(unit or "1", "")
    shown = PARTS.sub(lambda part: SPELLINGS.get(part.group(), part.group()), unit).replace("{", "").replace("}", "")
    return f"per{NARROW_SPACE}{shown[1:]}" if shown.startswith("/") else shown


def with_unit(printed: str, unit: str | None) -> str:
    """The number and its unit, which do not part at the end of a line."""
    shown = unit_text(unit)
    return f"{printed}{NARROW_SPACE}{shown}" if shown and printed != DASH else printed


def per_cent(count: float, total: float) -> str | None:
    """`35%` (one decimal from 200 participants), or None when so few are counted that a per cent would mislead."""
    if total < FEWEST_FOR_PER_CENT:
        return None
    return f"{fixed(100 * count / total, 1 if total >= 200 else 0)}%"


def places_of_summary(item: Item | None) -> int:
    """Decimals of a mean, SD or quartile of an item: one more than it was measured with."""
    if item is None:
        return 1
    return 1 if item.type == "integer" else (item.places or 0) + 1
