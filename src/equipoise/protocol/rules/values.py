"""Values in a rule: exact decimals, text, dates, times, yes or no, sets of codes; None is unknown."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeAlias

from equipoise.protocol.rules.kinds import Sort
from equipoise.protocol.rules.refused import Mismatch

Unknown: TypeAlias = None
UNKNOWN: Final[Unknown] = None

Result = bool | Decimal | date | time | str | Unknown
Value = Result | frozenset[str]
Record = Mapping[str, Any]


class Scope:
    """Where a rule looks its names up: a record, and inside an aggregate one row of a group too.

    Args:
        record: values by dotted name; a repeated group is a list of mappings under its own name.
        group: the group whose row is at hand; empty outside aggregates.
        row: that row, by the item's name without the group's.
    """

    __slots__ = ("group", "record", "row")

    def __init__(self, record: Record, group: str = "", row: Record | None = None) -> None:
        self.record = record
        self.group = group
        self.row = row

    def value(self, name: str) -> Value:
        """The value of a name; unknown when the record has none.

        Raises:
            Mismatch: when the value is of no kind that a rule can use.
        """
        group, _, item = name.rpartition(".")
        if self.row is not None and group == self.group:
            return exact(name, self.row.get(item))
        return exact(name, self.record.get(name))

    def rows(self, group: str) -> list["Scope"] | Unknown:
        """A scope for each row of a group; unknown when the record does not know the group.

        Raises:
            Mismatch: when what the record holds there is no list of rows.
        """
        rows = self.record.get(group)
        if rows is None:
            return UNKNOWN
        if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
            raise Mismatch(f"{group} is not a repeated group", "ask its value without any, all or count")
        return [Scope(self.record, group, row) for row in rows]


def exact(name: str, value: Any) -> Value:
    """A record's value as rules know it: numbers as decimals (a float as it prints), NaN as unknown.

    Raises:
        Mismatch: when it is infinite or of no kind that a rule can use.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return _finite(name, Decimal(repr(float(value))))
    if isinstance(value, Decimal):
        return _finite(name, value)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date | time):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return _codes(name, value)
    if hasattr(value, "item"):  # a scalar of NumPy
        return exact(name, value.item())
    raise Mismatch(f"{name} is of a kind that no rule can use", "give it as number, text, date or yes or no")


def _finite(name: str, value: Decimal) -> Decimal | Unknown:
    if value.is_nan():
        return UNKNOWN
    if value.is_infinite():
        raise Mismatch(f"{name} is infinite", "give a finite number")
    return value


def _codes(name: str, values: Collection[Any]) -> frozenset[str]:
    if not all(isinstance(code, str) for code in values):
        raise Mismatch(f"{name} is a repeated group", "ask its rows with any(), all() or count()")
    return frozenset(values)


def sort_of(value: Value) -> Sort:
    """The sort of a known value."""
    if isinstance(value, bool):
        return "logic"
    if isinstance(value, Decimal):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, date):
        return "date"
    if isinstance(value, time):
        return "time"
    assert isinstance(value, frozenset), "an unknown value has no sort"
    return "many"
