"""How numbers are written in sentences, after SAMPL (Lang and Altman 2013): exact P, an interval with each effect."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

MINUS = "\N{MINUS SIGN}"


def fixed(number: float, places: int) -> str:
    """A number with that many decimal places, a proper minus sign, and no minus before zero."""
    text = f"{number:.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def interval(low: float | None, high: float | None, places: int) -> str:
    """`10 to 124`; an end that the method cannot bound is named."""
    ends = (
        "no lower limit" if low is None else fixed(low, places),
        "no upper limit" if high is None else fixed(high, places),
    )
    return " to ".join(ends)


def p_text(p: float) -> str:
    """`P = 0.024`: three places below 0.1, two above, and the ends as `P < 0.001` and `P > 0.99`.

    A P that three places would print as 0.050 has a fourth, so that its side of 0.05 can be read.
    """
    if p < 0.001:
        return "P < 0.001"
    if p > 0.99:
        return "P > 0.99"
    if fixed(p, 3) == "0.050":
        return f"P = {fixed(p, 4)}"
    return f"P = {fixed(p, 3 if p < 0.1 else 2)}"


def level_text(alpha: Decimal) -> str:
    """The confidence level that goes with an error of the first kind: `95%`."""
    per_cent = (1 - alpha) * 100
    whole = per_cent.to_integral_value(ROUND_HALF_EVEN)
    return f"{whole if whole == per_cent else per_cent.normalize()}%"


def counted(n: int, one: str, many: str | None = None) -> str:
    """`1 participant`, `3 participants`."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
