"""Read one answer as its item's type, and write it in the one form in which it is stored.

Numbers are exact. The stored text has no sign of plus, no exponent and no needless zeros, dates are ISO 8601, several
choices are a JSON list in the order of the code list: equal answers have equal texts.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Integral
from typing import TypeAlias

from equipoise.protocol.forms import Item

Value: TypeAlias = bool | Decimal | str | date | time | frozenset[str]
"""An answer as a rule reads it."""

LONGEST_TEXT = 2_000
MOST_DIGITS = 30

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_YES_NO = {"yes": "yes", "y": "yes", "true": "yes", "no": "no", "n": "no", "false": "no"}


@dataclass(frozen=True, slots=True)
class Missing:
    """In place of an answer: why there is none, as one of the protocol's missing codes."""

    code: str


class AnswerError(Exception):
    """An answer that its item cannot have: what is wrong and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}; {remedy}")


def normal_text(item: Item, raw: object, codes: Mapping[str, str]) -> str:
    """The answer as it is stored.

    Args:
        item: the question; never of type derived.
        raw: the answer as it came: text, int, Decimal, bool, date, time, or a list of codes.
        codes: the item's code list (code: text), empty where it has none.

    Returns:
        The normal text: "139", "1.5", "2018-03-01", "08:30", "yes", "F", '["A", "B"]'.

    Raises:
        AnswerError: when it is no such answer.
    """
    match item.type:
        case "integer" | "decimal":
            return number_text(_number(raw, item))
        case "date":
            return _date(raw).isoformat()
        case "time":
            return _time(raw).isoformat(timespec="minutes")
        case "yes-no":
            return _yes_no(raw)
        case "choice":
            return _code(raw, codes)
        case "many":
            return _codes(raw, codes)
        case "text":
            return _text(raw, item)
        case "derived":
            raise AnswerError("is computed, not entered", "leave it out")


def value_of(item: Item, text: str) -> Value:
    """The stored text as a rule reads it: numbers as Decimal, dates and times as such, yes as True, many as a set."""
    match item.type:
        case "integer" | "decimal" | "derived":
            return Decimal(text)
        case "date":
            return date.fromisoformat(text)
        case "yes-no":
            return text == "yes"
        case "many":
            return frozenset(json.loads(text))
        case "time":
            return time.fromisoformat(text)
        case "choice" | "text":
            return text


def number_text(number: Decimal) -> str:
    """A number without exponent or needless zeros: "139", "1.5", "-0.02", "0"."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def decimal_places(number: Decimal) -> int:
    """Digits after the point that the number needs."""
    return len(number_text(number).partition(".")[2])


def _number(raw: object, item: Item) -> Decimal:
    number = exact_number(raw)
    if item.type == "integer" and number != number.to_integral_value():
        raise AnswerError("is not a whole number", "write it without decimals")
    if item.places is not None and decimal_places(number) > item.places:
        unit = "decimal" if item.places == 1 else "decimals"
        raise AnswerError(f"has more than {item.places} {unit}", f"round it to {item.places} {unit}")
    return number


def exact_number(raw: object) -> Decimal:
    """A number as it was written: text, whole number or Decimal.

    Raises:
        AnswerError: when it is none, a binary fraction, or longer than anything measured.
    """
    number = _exact(raw)
    if len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS:
        raise AnswerError(f"has more than {MOST_DIGITS} digits", "round it as the protocol asks")
    return number


def _exact(raw: object) -> Decimal:
    if isinstance(raw, bool):
        raise AnswerError("is not a number", "write digits, such as 139 or 1.5")
    if isinstance(raw, float):
        raise AnswerError("is a binary fraction, which is not exact", "pass it as text or Decimal")
    if isinstance(raw, Integral):
        return Decimal(int(raw))
    if isinstance(raw, Decimal) and raw.is_finite():
        return raw
    text = raw.strip() if isinstance(raw, str) else ""
    if "," in text and _NUMBER.fullmatch(text.replace(",", ".", 1)):
        raise AnswerError("has a comma", "write the decimals after a point, and no mark between thousands")
    if not _NUMBER.fullmatch(text):
        raise AnswerError("is not a number", "write digits, such as 139 or 1.5")
    return Decimal(text)


def _date(raw: object) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    try:
        if isinstance(raw, str) and len(raw.strip()) == len("2018-02-28"):
            return date.fromisoformat(raw.strip())
    except ValueError:
        pass
    raise AnswerError("is not a date", "write year, month and day, such as 2018-02-28")


def _time(raw: object) -> time:
    if isinstance(raw, time) and raw.tzinfo is None:
        return raw
    try:
        if isinstance(raw, str) and len(raw.strip()) == len("08:30"):
            return time.fromisoformat(raw.strip())
    except ValueError:
        pass
    raise AnswerError("is not a time of day", "write hours and minutes, such as 08:30")


def _yes_no(raw: object) -> str:
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    answer = _YES_NO.get(raw.strip().lower()) if isinstance(raw, str) else None
    if answer is None:
        raise AnswerError("is neither yes nor no", "answer yes or no")
    return answer


def _code(raw: object, codes: Mapping[str, str]) -> str:
    code = raw.strip() if isinstance(raw, str) else str(raw)
    if code not in codes:
        raise AnswerError("is not in the code list", f"choose one of {', '.join(codes)}")
    return code


def _codes(raw: object, codes: Mapping[str, str]) -> str:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raw = [raw]
    if not isinstance(raw, Iterable) or isinstance(raw, Mapping | str | bytes):
        raise AnswerError("is not a list of codes", f"choose among {', '.join(codes)}")
    chosen = {_code(entry, codes) for entry in raw}
    return json.dumps([code for code in codes if code in chosen], ensure_ascii=False)


def _text(raw: object, item: Item) -> str:
    if not isinstance(raw, str):
        raise AnswerError("is not text", "write it as text")
    text = unicodedata.normalize("NFC", raw).strip()
    longest = LONGEST_TEXT if item.max_length is None else item.max_length
    if len(text) > longest:
        raise AnswerError(f"has {len(text)} characters", f"shorten it to {longest}")
    if any(unicodedata.category(character) in ("Cc", "Cs") and character != "\n" for character in text):
        raise AnswerError("holds a control character", "type it again, without pasting")
    return text
