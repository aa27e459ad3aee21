"""By when an event must be told, and to whom.

Each `report_within` of the protocol is a clock. It starts when the site becomes aware that an event is what the clock
is for: at first awareness, or when follow-up makes the event serious, suspected or unexpected. Once started it runs on,
even when the event is judged milder later, because what was known then had to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from equipoise.protocol.safety import ReportingClock

LETHAL = frozenset({"AESDTH", "AESLIFE"})
"""The criteria of seriousness that make an event fatal or life-threatening."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """An event as it was judged from a moment on.

    Args:
        aware_at: when the site learned what made it so.
        criteria: the criteria of seriousness that it meets.
        suspected: whether it is held to be related to the trial intervention.
        expected: whether it is among what the protocol expects.
    """

    aware_at: datetime
    criteria: frozenset[str]
    suspected: bool
    expected: bool

    @property
    def serious(self) -> bool:
        """Whether it meets any criterion of seriousness."""
        return bool(self.criteria)

    def is_for(self, clock: str) -> bool:
        """Whether an event so judged starts a clock of that name."""
        if clock == "serious":
            return self.serious
        unexpected = self.serious and self.suspected and not self.expected
        return unexpected and (clock == "suspected unexpected" or bool(self.criteria & LETHAL))


@dataclass(frozen=True, slots=True)
class Telling:
    """An event was told to somebody."""

    to: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when an event must be told, and when it was.

    Args:
        clock: what starts it, in the protocol's words.
        to: who must be told.
        starts_at: when the site learned what started it.
        due_at: by when.
        met_at: the first telling since it started; None while there is none.
    """

    clock: str
    to: str
    starts_at: datetime
    due_at: datetime
    met_at: datetime | None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it was told late, or is not told and past due."""
        return (now if self.met_at is None else self.met_at) > self.due_at


def deadlines(
    judgements: Sequence[Judgement], clocks: Sequence[ReportingClock], tellings: Sequence[Telling] = ()
) -> tuple[Deadline, ...]:
    """The deadlines of an event, in the order of the protocol's clocks.

    Args:
        judgements: the event's judgements; a clock starts with the earliest awareness of any that it is for.
        clocks: the protocol's `report_within`.
        tellings: to whom it was told, and when. What was told before a clock started does not meet it: the receiver
            did not learn then what started it.
    """
    found = []
    for clock in clocks:
        starts_at = min((each.aware_at for each in judgements if each.is_for(clock.for_)), default=None)
        if starts_at is not None:
            told = [each.at for each in tellings if each.to == clock.receiver and each.at >= starts_at]
            due_at = starts_at + timedelta(hours=clock.hours or 0, days=clock.days or 0)
            found.append(Deadline(clock.for_, clock.receiver, starts_at, due_at, min(told, default=None)))
    return tuple(found)
