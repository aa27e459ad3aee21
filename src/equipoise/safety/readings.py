"""Numbers as laboratories write them: exact decimals, detection limits, and the limits of normal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

Numbers = tuple[Decimal, Decimal, Decimal]  # LLN, ULN, baseline
MOST_DIGITS = 30
SOME = rf"\d{{1,{MOST_DIGITS}}}"
DIGITS = rf"(?:{SOME}(?:\.\d{{0,{MOST_DIGITS}}})?|\.{SOME})(?:[eE][+-]?\d{{1,2}})?"
NUMBER = re.compile(rf"(?P<sign><=|>=|<|>|≤|≥)?\s*(?P<number>{DIGITS})", re.ASCII)
UNKNOWN = frozenset({"", "unknown", "unk", "u", "na", "n/a", "."})


@dataclass(frozen=True, slots=True)
class Reading:
    """A number as it was read: itself, or what lies on one side of it (`<`, `<=`, `>`, `>=`)."""

    number: Decimal
    sign: str = ""


def read_number(text: str) -> Reading | None:
    """The number in a text, exactly as written; None when it is none. Negative numbers are none either."""
    plain = text.strip()
    if len(plain) <= MOST_DIGITS and plain.isascii() and plain.replace(".", "", 1).isdigit():  # nearly all; quicker
        return Reading(Decimal(plain))
    found = NUMBER.fullmatch(plain)
    if found is None:
        return None
    sign = (found["sign"] or "").replace("≤", "<=").replace("≥", ">=")
    return Reading(Decimal(found["number"]), sign)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of a row's limits: each missing, usable or unusable; where the baseline lies; which are crossed."""

    lln: str = "missing"
    uln: str = "missing"
    base: str = "missing"
    baseline_is: str = "unknown"  # normal | above | below | unknown
    crossed: bool = False

    def of(self, reference: str) -> str:
        """The state of LLN, ULN or BASE."""
        return {"LLN": self.lln, "ULN": self.uln, "BASE": self.base}[reference]


def limit_state(text: str, *, zero_allowed: bool) -> tuple[str, Decimal]:
    """Whether a limit is `missing`, `usable` or `unusable`, and its number (0 unless usable)."""
    if text.strip().lower() in UNKNOWN:
        return "missing", Decimal(0)
    reading = read_number(text)
    if reading is None or reading.sign or (reading.number == 0 and not zero_allowed):
        return "unusable", Decimal(0)
    return "usable", reading.number


def limits_of(lln_text: str, uln_text: str, baseline_text: str) -> tuple[Limits, Numbers]:
    """The state of a value's limits, and LLN, ULN and baseline as numbers (0 where not usable)."""
    lln_state, lln = limit_state(lln_text, zero_allowed=True)
    uln_state, uln = limit_state(uln_text, zero_allowed=False)
    base_state, base = limit_state(baseline_text, zero_allowed=False)
    where = "unknown"
    if base_state == "usable" and uln_state == "usable" and base > uln:
        where = "above"
    elif base_state == "usable" and lln_state == "usable" and base < lln:
        where = "below"
    elif base_state == "usable" and uln_state == "usable":
        where = "normal"
    crossed = lln_state == uln_state == "usable" and lln > uln
    return Limits(lln_state, uln_state, base_state, where, crossed), (lln, uln, base)
