"""Whole days, months and years between two dates of the calendar.

A month after the 31st of January is the last day of February: the same day of the month, clamped to
the month's end. So a person born on 29 February completes a year on 28 February of a common year.
"""

import calendar
from datetime import date


def days_between(start: date, end: date) -> int:
    """Days from start to end; negative when the end comes first."""
    return (end - start).days


def months_between(start: date, end: date) -> int:
    """Completed months from start to end; from the later to the earlier date the same, negative."""
    if end < start:
        return -months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    last = calendar.monthrange(end.year, end.month)[1]
    return months if end.day >= min(start.day, last) else months - 1


def years_between(start: date, end: date) -> int:
    """Completed years from start to end, as age is counted; negative when the end comes first."""
    months = months_between(start, end)
    return months // 12 if months >= 0 else -(-months // 12)
