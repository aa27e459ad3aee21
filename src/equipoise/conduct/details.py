"""The details of an act as a person gives them, read once: codes, words, exact numbers, moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from equipoise.capture import AnswerError, exact_number
from equipoise.conduct.refusing import NotAccepted
from equipoise.ledger import is_blank

Number = Decimal | str | int
CODE = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9_.-]{0,31}")


def check_code(field: str, code: str, example: str) -> None:
    """Let a code pass: of capitals and digits, so that no two differ in their case alone, and no name is one.

    Raises:
        NotAccepted: when it is none.
    """
    if CODE.fullmatch(code) is None:
        rule = "up to 32 capitals, digits, dots and hyphens with at least one digit"
        raise NotAccepted(field, code, "is not a code", f"use {rule}, such as {example}; never a name")


def words(field: str, text: str, remedy: str) -> str:
    """What a person wrote, without the spaces around it.

    Raises:
        NotAccepted: when nobody could see it.
    """
    if is_blank(text):
        raise NotAccepted(field, None, "is blank", remedy)
    return text.strip()


def quantity(field: str, raw: object, unit: str, *, zero: bool = False) -> Decimal:
    """A quantity as an exact number above zero, or from zero on.

    Raises:
        NotAccepted: when it is no such number.
    """
    number = exact(field, raw)
    if number < 0 or (number == 0 and not zero):
        raise NotAccepted(field, raw, "is below zero" if number < 0 else "is zero", f"give it in {unit}")
    return number


def exact(field: str, raw: object) -> Decimal:
    """An exact number.

    Raises:
        NotAccepted: when it is none.
    """
    try:
        return exact_number(raw)
    except AnswerError as error:
        raise NotAccepted(field, str(raw), error.problem, error.remedy) from None


def moment(field: str, time: datetime) -> datetime:
    """A time as UTC.

    Raises:
        NotAccepted: when it does not say its zone.
    """
    if time.utcoffset() is None:
        raise NotAccepted(field, time.isoformat(), "does not say its time zone", "pass a time with its zone")
    return time.astimezone(UTC)


def moment_text(time: datetime) -> str:
    """A time (UTC) as events and tables keep it, so that texts stand in the order of the times."""
    return time.isoformat(timespec="microseconds")


def check_past(field: str, time: datetime, now: datetime) -> None:
    """Let a time pass that is not after now.

    Raises:
        NotAccepted: when it is.
    """
    if time > now:
        raise NotAccepted(field, moment_text(time), f"is after now, {moment_text(now)}", "correct the time")
