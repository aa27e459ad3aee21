"""The columns of a foreign table and what the protocol's `data` says they hold."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from equipoise.exchange.table_faults import FaultList
from equipoise.protocol.external_data import LongTable


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each thing stands; `items` and `participant_items` by `form.item`."""

    participant: int
    arm: int
    visit: int
    items: dict[str, int]
    participant_items: dict[str, int]
    names: list[str]


def columns_of(header: list[str], table: LongTable, faults: FaultList) -> Columns:
    """The places of the columns that the table names.

    Raises:
        TableRefused: a column named twice in the header, one that is missing (with the nearest name), or one that
            `data` neither reads nor ignores.
    """
    names = [name.strip() for name in header]
    for name in dict.fromkeys(names):
        places = [place for place, other in enumerate(names, start=1) if other == name]
        if len(places) > 1:
            where = ", ".join(map(str, places[:-1])) + f" and {places[-1]}"
            faults.add(1, name, "", f"is the name of columns {where}", "give each column its own name")
    wanted = [table.participant, table.arm, table.visit, *table.items.values(), *table.participant_items.values()]
    for name in dict.fromkeys(wanted):
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            remedy = (
                f"rename column {close[0]}, or correct `data`" if close else f"columns found: {', '.join(names[:12])}"
            )
            faults.add(1, name, "", "is not a column of the file", remedy)
    for name in dict.fromkeys(names):
        if name not in wanted and name not in table.ignored:
            remedy = "map it in data.items or data.participant_items, or list it in data.ignored"
            faults.add(1, name, "", "is a column that the protocol's `data` does not name", remedy)
    faults.refuse_if_any()
    return Columns(
        names.index(table.participant),
        names.index(table.arm),
        names.index(table.visit),
        {item: names.index(name) for item, name in table.items.items()},
        {item: names.index(name) for item, name in table.participant_items.items()},
        names,
    )
