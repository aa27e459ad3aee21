"""Rows that count people, events or values, outside the plan's analyses."""

from __future__ import annotations

from typing import Any

from equipoise.analysis.results import Row


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
