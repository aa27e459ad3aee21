"""When an event began or ended, as far as it is known: a year, a month, a day or a minute.

What is not known is a span, and a question about it has three answers: yes, no, and None where the span holds both.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from equipoise.refusals import Refusal

WRITTEN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}))?)?)?")
MINUTE = timedelta(minutes=1)


class MomentRefused(Refusal):
    """A text that is no date, month, year or date with time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment known to the year, month, day or minute, by the trial's own clock.

    Build it with `parse_moment`.

    Args:
        text: as it was given: `2018`, `2018-03`, `2018-03-05` or `2018-03-05T14:30`.
        first_day: the earliest day that it may be.
        last_day: the latest.
        at: the time of day, when it is known.
        latest: a moment that it is certainly before, beyond what its text says; None without one.
    """

    text: str
    first_day: date
    last_day: date
    at: time | None = None
    latest: datetime | None = None

    @property
    def day(self) -> date | None:
        """The day, when it is known."""
        return self.first_day if self.first_day == self.last_day else None

    def may_be(self, day: date) -> bool:
        """Whether it may have been on that day."""
        return self.first_day <= day <= self.last_day

    def until(self, latest: datetime) -> Moment:
        """The same, known to have been before a moment of the trial's clock; unchanged where that cannot be."""
        last_day = min(self.last_day, (latest - MINUTE).date())
        return self if last_day < self.first_day else replace(self, last_day=last_day, latest=latest)

    def may_follow(self, start: datetime) -> bool:
        """Whether it may have been at or after a moment of the trial's clock."""
        zone = start.tzinfo
        assert zone is not None, "a time is passed with its zone"
        return self.span(zone)[1] > start

    def assumed_day(self, starts: Iterable[datetime]) -> date:
        """The day to count by: of the first of some starts that it may have followed, otherwise the earliest.

        So an event of which it is not known whether it came before or after a start counts as after it.
        """
        days = (start.date() for start in starts if self.may_be(start.date()) and self.may_follow(start))
        return next(days, self.first_day)

    def span(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The earliest moment that it may be, and the one that it is certainly before, in UTC."""
        if self.at is not None:
            # Where clocks are put back an hour is there twice, and either may be meant.
            both = [_utc(self.first_day, self.at.replace(fold=fold), zone) for fold in (0, 1)]
            return min(both), max(both) + MINUTE
        first, before = (_utc(day, time(), zone) for day in (self.first_day, self.last_day + timedelta(1)))
        return first, before if self.latest is None else max(first + MINUTE, min(before, self.latest.astimezone(UTC)))


def _utc(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def parse_moment(field: str, text: str) -> Moment:
    """Read a moment.

    Raises:
        MomentRefused: when it is none.
    """
    found = WRITTEN.fullmatch(text)
    try:
        moment = None if found is None else _moment(text, *(int(part) for part in found.groups() if part is not None))
    except ValueError:  # the calendar has no such day, or the clock no such time
        moment = None
    if moment is None:
        remedy = "write 2018, 2018-03, 2018-03-05 or 2018-03-05T14:30"
        raise MomentRefused(field, text, "is not a year, month, day or day with time", remedy)
    return moment


def _moment(
    text: str,
    year: int,
    month: int | None = None,
    day: int | None = None,
    hour: int | None = None,
    minute: int | None = None,
) -> Moment:
    last_month = month or 12
    last_day = day or calendar.monthrange(year, last_month)[1]
    at = None if hour is None or minute is None else time(hour, minute)
    return Moment(text, date(year, month or 1, day or 1), date(year, last_month, last_day), at)


def is_within(span: tuple[datetime, datetime], opens: datetime, closes: datetime | None) -> bool | None:
    """Whether a span lies from `opens` to `closes` (None: open end), both included; None when it may."""
    first, before = span
    if before <= opens or (closes is not None and first > closes):
        return False
    certain = first >= opens and (closes is None or before <= closes + MINUTE)
    return True if certain else None
