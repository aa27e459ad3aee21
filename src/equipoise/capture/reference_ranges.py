"""Say whether a laboratory value is low, normal or high by the laboratory's own limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Literal

from equipoise.protocol.forms import ReferenceRange

Flag = Literal["LOW", "NORMAL", "HIGH"]


def reference_range(
    ranges: Iterable[ReferenceRange], *, sex: str | None, age: int | None, site: str, on: date
) -> ReferenceRange | None:
    """The range that holds for a participant at a site on a day.

    A range that names a sex or ages does not hold for a participant whose sex or age is unknown. Of several that hold,
    one that names the site comes before one that does not, then the one with the latest `from_date`, then the first.

    Args:
        ranges: the ranges of one test, in the protocol's order.
        sex: "F", "M" or None when unknown.
        age: completed years, or None when unknown.
        site: the site's id.
        on: the day of the specimen.
    """
    holding = [limits for limits in ranges if _holds(limits, sex, age, site, on)]
    return max(holding, key=lambda limits: (limits.site is not None, limits.from_date or date.min), default=None)


def range_flag(value: Decimal, limits: ReferenceRange | None) -> Flag | None:
    """LOW, NORMAL or HIGH; both limits are normal; None without a range."""
    if limits is None or (limits.low is None and limits.high is None):
        return None
    if limits.low is not None and value < limits.low:
        return "LOW"
    if limits.high is not None and value > limits.high:
        return "HIGH"
    return "NORMAL"


def _holds(limits: ReferenceRange, sex: str | None, age: int | None, site: str, on: date) -> bool:
    lowest, highest = limits.age.from_years, limits.age.to_years
    if (lowest is not None or highest is not None) and age is None:
        return False
    return (
        limits.sex in (None, sex)
        and limits.site in (None, site)
        and (limits.from_date is None or limits.from_date <= on)
        and (lowest is None or age is None or lowest <= age)
        and (highest is None or age is None or age <= highest)
    )
