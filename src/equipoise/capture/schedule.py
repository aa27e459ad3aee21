"""Say when participants are to be seen.

Days count from the anchor: day 1 is its own day and day -1 the one before; there is no day 0. A month is a calendar
month: the same day of a later month, clamped to its end, so that one month after 31 January is the last of February.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from equipoise.protocol.schedule import TimePoint, Window


class Dated(Protocol):
    """What the protocol plans for a time: a visit, or a course of a regimen."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def at(self) -> TimePoint:
        """When its target is."""

    @property
    def window(self) -> Window:
        """The days that still count."""


class Timing(StrEnum):
    """How a visit that has not taken place stands on a day."""

    PENDING = "pending"  # its window has not opened
    DUE = "due"  # its window is open
    LATE = "late"  # its window has closed


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit or course of one participant in dates; `opens` and `closes` both count as within the window."""

    visit: str
    target: date
    opens: date
    closes: date

    def includes(self, day: date) -> bool:
        """Whether the day is within the window."""
        return self.opens <= day <= self.closes

    def timing(self, today: date) -> Timing:
        """How the visit stands on a day, were it still to take place."""
        if today < self.opens:
            return Timing.PENDING
        return Timing.DUE if today <= self.closes else Timing.LATE


def months_after(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, clamped to that month's end."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def study_day(day: date, anchor: date) -> int:
    """The day's number: 1 on the anchor's own day, -1 on the day before, never 0."""
    days = (day - anchor).days
    return days + 1 if days >= 0 else days


def target_date(at: TimePoint, anchor: date) -> date:
    """The date that a time point means for an anchor."""
    if at.months is not None:
        return months_after(anchor, at.months)
    if at.weeks is not None:
        return anchor + timedelta(weeks=at.weeks)
    assert at.days is not None, "a time point has one unit"
    return anchor + timedelta(days=at.days - 1 if at.days > 0 else at.days)


def planned_visits(visits: Iterable[Dated], anchor: date) -> tuple[PlannedVisit, ...]:
    """The visits, or courses, in dates, in the order given."""
    return tuple(_planned(visit, target_date(visit.at, anchor)) for visit in visits)


def visit_on(planned: Iterable[PlannedVisit], day: date) -> PlannedVisit | None:
    """The visit to which a day belongs: that whose window includes it, the nearest target first; None outside all."""
    within = [visit for visit in planned if visit.includes(day)]
    return min(within, key=lambda visit: abs((visit.target - day).days), default=None)


def _planned(visit: Dated, target: date) -> PlannedVisit:
    opens = target - timedelta(days=visit.window.days_before)
    return PlannedVisit(visit.id, target, opens, target + timedelta(days=visit.window.days_after))
