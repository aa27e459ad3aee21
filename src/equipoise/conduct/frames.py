"""What the modules of frames share: a record is one row of a frame, by column."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

Record = dict[str, Any]


def day_of(cell: object) -> date | None:
    """A date from a cell."""
    return None if cell is None else date.fromisoformat(str(cell))


def moment_of(cell: object) -> datetime | None:
    """A time (UTC) from a cell."""
    return None if cell is None else datetime.fromisoformat(str(cell))


def flag_of(cell: object) -> bool | None:
    """Yes, no or not known from a cell that holds 1, 0 or nothing."""
    return None if cell is None else bool(cell)


def number_of(cell: object) -> float | None:
    """A number from a cell that holds an exact decimal as text."""
    return None if cell is None else float(str(cell))
