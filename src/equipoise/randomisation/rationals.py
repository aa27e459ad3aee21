"""Probabilities and weights as exact fractions: 0.85 is 17/20, never the nearest float."""

import re
from decimal import Decimal
from fractions import Fraction

from equipoise.randomisation.refusing import MethodRefused

LARGEST_DENOMINATOR = 1_000_000
_WRITTEN = re.compile(r"[0-9]{1,12}(/[0-9]{1,12}|\.[0-9]{1,12})?")
_SHIFT_LIMIT = 12  # digits either side of the point, so that 1e999999 is never expanded


def exact_fraction(field: str, value: object) -> Fraction:
    """The fraction a person wrote: `"2/3"`, `"0.85"`, a whole number, a `Decimal` or a `Fraction`.

    Args:
        field: the name a refusal gives.
        value: what was written. A float is refused: 0.85 is not a float.

    Raises:
        MethodRefused: when it is not such a number, or its denominator exceeds `LARGEST_DENOMINATOR`.
    """
    fraction = _read(value)
    if fraction is None:
        raise MethodRefused(field, value, "not an exact number", 'write a fraction or a decimal in quotes, as "2/3"')
    if fraction.denominator > LARGEST_DENOMINATOR:
        raise MethodRefused(field, value, "too fine a fraction", f"use a denominator of at most {LARGEST_DENOMINATOR}")
    return fraction


def _read(value: object) -> Fraction | None:
    if isinstance(value, Fraction) or (isinstance(value, int) and not isinstance(value, bool)):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _SHIFT_LIMIT:
        return Fraction(value)
    if isinstance(value, str) and _WRITTEN.fullmatch(value):
        top, _, bottom = value.partition("/")
        divisor = int(bottom or "1")
        return Fraction(top) / divisor if divisor else None
    return None
