"""A rule over a whole frame: row by row through the same evaluation, so both always agree."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.protocol.faults.fault import nearest
from equipoise.protocol.rules.checking import Checker
from equipoise.protocol.rules.kinds import LOGIC, NUMBER, Kind
from equipoise.protocol.rules.refused import RuleRefused
from equipoise.protocol.rules.values import Result, sort_of

if TYPE_CHECKING:
    from equipoise.protocol.rules.rule import Rule


def column_of_values(rule: Rule, frame: pd.DataFrame) -> pd.Series:
    """The rule's value for every row; see `Rule.evaluate_frame`."""
    names = _columns_needed(rule, frame)
    columns = [_plain(frame[name]) for name in names]
    rows = zip(*columns, strict=True) if columns else ((),) * len(frame)
    values = [rule.evaluate(dict(zip(names, row, strict=True))) for row in rows]
    sorts = {sort_of(value) for value in values if value is not None}
    kind = Checker({name: kind for name in names if (kind := _kind_of(frame[name]))}).kind(rule.tree)
    if not sorts and kind is not None:
        sorts = {kind.sort}
    if sorts == {"logic"}:
        return pd.Series(list[Any](values), index=frame.index, dtype="boolean")
    if sorts == {"number"}:
        return pd.Series([_float(value) for value in values], index=frame.index, dtype="Float64")
    return pd.Series(values, index=frame.index, dtype="object")


def _columns_needed(rule: Rule, frame: pd.DataFrame) -> list[str]:
    grouped = {name for name in rule.names if name.rpartition(".")[0] in rule.groups}
    needed = sorted((rule.names - grouped) | rule.groups)
    for name in needed:
        if name not in frame.columns:
            meant = nearest(name, [str(column) for column in frame.columns])
            remedy = f"rename {meant}, or add the column" if meant else "add the column"
            raise RuleRefused(rule.text, f"the frame has no column {name}", remedy)
    return needed


def _plain(column: pd.Series) -> list[Any]:
    """A column's values as Python has them, every missing one None."""
    return [None if absent else value for value, absent in zip(column.tolist(), column.isna(), strict=True)]


def _kind_of(column: pd.Series) -> Kind | None:
    if pd.api.types.is_bool_dtype(column):
        return LOGIC
    return NUMBER if pd.api.types.is_numeric_dtype(column) else None


def _float(value: Result) -> float | None:
    return float(value) if isinstance(value, Decimal) else None
