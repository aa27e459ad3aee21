"""Dates and codes as the report writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from equipoise.report.numbers import DASH

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def day_text(day: date) -> str:
    """`4 May 2020`, whatever the language of the machine."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def moment_text(moment: datetime) -> str:
    """`4 May 2020, 09:30:00 UTC`."""
    here = moment.astimezone(UTC)
    return f"{day_text(here.date())}, {here:%H:%M:%S} UTC"


def spoken(code: str) -> str:
    """A CDISC term as a reader sees it: `OPEN LABEL` is open label; mixed case is kept."""
    return code.lower() if code.isupper() else code


def recorded(value: object) -> str:
    """A recorded value; a dash for one that is not there (None, an empty text, or pandas' missing number)."""
    if value is None or value == "" or value != value:
        return DASH
    return f"{value:g}" if isinstance(value, float) else str(value)
