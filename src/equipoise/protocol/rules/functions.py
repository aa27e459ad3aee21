"""The functions of the rule language that take known values; `if` and `coalesce` are in `evaluating`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from equipoise.protocol.rules import calendar
from equipoise.protocol.rules.kinds import DATE, NUMBER, Kind
from equipoise.protocol.rules.operators import ARITHMETIC

MOST_PLACES = 20


@dataclass(frozen=True, slots=True)
class Function:
    """How a function is called.

    Args:
        form: as a message shows it.
        fewest: arguments it needs.
        most: arguments it takes.
        takes: the kind of every argument; None when they may be of any kind that has an order.
        gives: the kind of the result; None when it is that of the arguments.
        apply: from known values to the result; None for the functions that may be given unknown ones.
    """

    form: str
    fewest: int
    most: int
    takes: Kind | None = None
    gives: Kind | None = None
    apply: Callable[..., Any] | None = None


def _days(start: date, end: date) -> Decimal:
    return Decimal(calendar.days_between(start, end))


def _months(start: date, end: date) -> Decimal:
    return Decimal(calendar.months_between(start, end))


def _years(start: date, end: date) -> Decimal:
    return Decimal(calendar.years_between(start, end))


def _round(value: Decimal, places: Decimal) -> Decimal | None:
    """To decimal places, halves away from zero; unknown when the result has more digits than fit."""
    try:
        return value.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP, context=ARITHMETIC)
    except InvalidOperation:
        return None


def _floor(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_FLOOR, context=ARITHMETIC)


MANY_ARGUMENTS = 50

FUNCTIONS: dict[str, Function] = {
    "days_between": Function("days_between(a, b)", 2, 2, DATE, NUMBER, _days),
    "months_between": Function("months_between(a, b)", 2, 2, DATE, NUMBER, _months),
    "years_between": Function("years_between(a, b)", 2, 2, DATE, NUMBER, _years),
    "abs": Function("abs(x)", 1, 1, NUMBER, NUMBER, ARITHMETIC.abs),
    "floor": Function("floor(x)", 1, 1, NUMBER, NUMBER, _floor),
    "round": Function("round(x, places)", 2, 2, NUMBER, NUMBER, _round),
    "min": Function("min(a, b)", 2, MANY_ARGUMENTS, None, None, min),
    "max": Function("max(a, b)", 2, MANY_ARGUMENTS, None, None, max),
    "missing": Function("missing(x)", 1, 1),
    "known": Function("known(x)", 1, 1),
    "if": Function("if(condition, a, b)", 3, 3),
    "coalesce": Function("coalesce(a, b)", 2, MANY_ARGUMENTS),
    "any": Function("any(condition)", 1, 1),
    "all": Function("all(condition)", 1, 1),
    "count": Function("count(condition)", 1, 1),
    "date": Function("date('2018-02-01')", 1, 1),
    "time": Function("time('08:30')", 1, 1),
}
