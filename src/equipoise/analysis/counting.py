"""Rows that count people, events or values, outside the plan's analyses."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from equipoise import stats
from equipoise.analysis.results import Row

if TYPE_CHECKING:
    import pandas as pd


def free(step: str, taken: Collection[str]) -> str:
    """A step of an id that no other row has: the protocol's own word, marked where that is taken."""
    while step in taken:
        step += "*"
    return step


def count_row(*path: str, count: int, n: int | None = None, **columns: Any) -> Row:
    """A count: `estimate` is the count and `n` is of how many; the first step of the id is the analysis.

    Args:
        path: the steps of the id.
        count: how many.
        n: of how many; the count itself when it is of nobody.
        columns: further columns of the row.
    """
    stated: dict[str, Any] = {"role": "descriptive", "method": "count"}
    return Row(
        id=".".join(path),
        analysis=path[0],
        estimate=float(count),
        n=count if n is None else n,
        **(stated | columns),
    )


def share_row(*path: str, count: int, n: int, **columns: Any) -> Row:
    """The share that a count is of `n`, one or more, with its exact 95% interval; the id is the path's `share`.

    Source: Clopper and Pearson (1934), Biometrika 26:404-413.
    """
    exact = stats.clopper_pearson(count, n)
    return Row(
        id=".".join((*path, "share")),
        analysis=path[0],
        role="descriptive",
        method="clopper-pearson",
        estimate=exact.estimate,
        conf_low=exact.conf_low,
        conf_high=exact.conf_high,
        n=n,
        **columns,
    )


def five_number_rows(path: tuple[str, ...], values: pd.Series[float], unit: str, **columns: Any) -> Iterator[Row]:
    """The lowest, the quartiles, the median and the highest of some values, under the path; nothing of none.

    Quartiles by linear interpolation between order statistics (R's type 7).
    """
    if values.empty:
        return
    found = stats.median_quartiles(values.to_numpy())
    lowest, highest = float(values.min()), float(values.max())
    parts = {"lowest": lowest, "q1": found.lower, "median": found.median, "q3": found.upper, "highest": highest}
    for part, value in parts.items():
        yield Row(
            id=".".join((*path, part)),
            analysis=path[0],
            role="descriptive",
            method=part,
            estimate=value,
            n=len(values),
            unit=unit,
            **columns,
        )
