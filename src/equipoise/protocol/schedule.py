"""When participants are seen: visits, target days and allowable windows (M11 1.3; ODM RelativeTimingConstraint)."""

from typing import Literal, Self

from pydantic import model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.parts import Count, Id, Part, Text, Whole


class TimePoint(Part):
    """A time after the anchor: exactly one of days, weeks or (calendar) months.

    Days and weeks may be negative. There is no day 0: day 1 is the anchor's own day and day -1 the one before.
    """

    days: Whole | None = None
    weeks: Whole | None = None
    months: Whole | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        given = [unit for unit in (self.days, self.weeks, self.months) if unit is not None]
        if len(given) != 1:
            raise FieldFault(
                "must have exactly one of days, weeks, months", "keep the unit in which the protocol states the time"
            )
        if self.days == 0:
            raise FieldFault(
                "there is no day 0", "write days: 1 for the day of randomisation or days: -1 for the day before"
            )
        return self


class Window(Part):
    """Days before and after the target day on which a visit still counts; neither has a sign."""

    days_before: Count = 0
    days_after: Count = 0


class Visit(Part):
    """One planned visit of every participant."""

    id: Id
    number: Count
    name: Text
    epoch: Id
    at: TimePoint
    window: Window = Window()
    contact: Literal["IN PERSON", "TELEPHONE CALL", "REMOTE AUDIO VIDEO"] = "IN PERSON"
    forms: tuple[Id, ...] = ()


class UnscheduledVisit(Part):
    """A visit that may take place at any time, with the forms then available."""

    id: Id
    name: Text
    forms: tuple[Id, ...] = ()
