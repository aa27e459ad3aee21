"""Fold events into rows.

A projection is one pure function from an event to the rows it sets. The same function fills the tables in the
database as events are appended, fills them again in a rebuild, and fills tables in memory for any past position.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, TypeAlias

from equipoise.ledger.canonical import canonical_bytes
from equipoise.ledger.events import Event

Cell: TypeAlias = str | int | None
Key: TypeAlias = tuple[str | int, ...]
Cells: TypeAlias = tuple[Cell, ...]
Row: TypeAlias = dict[str, Cell]

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,47}")  # with a prefix still within PostgreSQL's 63 bytes


@dataclass(frozen=True, slots=True)
class Table:
    """One read model: its name, the columns of its key, and every column (key included) with `str` or `int`.

    Key columns are never null; the others are null until a `Put` sets them.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, type]

    def __post_init__(self) -> None:
        assert all(IDENTIFIER.fullmatch(name) for name in (self.name, *self.columns)), f"{self.name}: a name is odd"
        assert self.key, f"{self.name}: no key"
        assert set(self.key) <= set(self.columns), f"{self.name}: a key column is not among the columns"
        assert set(self.columns.values()) <= {str, int}, f"{self.name}: a column is neither str nor int"

    @property
    def others(self) -> tuple[str, ...]:
        """The columns outside the key, in order."""
        return tuple(name for name in self.columns if name not in self.key)


@dataclass(frozen=True, slots=True)
class Put:
    """Set columns of the row with this key, making the row when it is not there; other columns stay as they are."""

    table: str
    key: Key
    values: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Projection:
    """The read models and the one fold that fills them.

    Raise `version` whenever `fold` gives other rows for the same events: tables folded by another version are
    refused until they are rebuilt. `fold` is pure: it sees the event alone.
    """

    version: int
    tables: tuple[Table, ...]
    fold: Callable[[Event], Iterable[Put]]

    def __post_init__(self) -> None:
        names = [table.name for table in self.tables]
        assert len(set(names)) == len(names), "two tables have the same name"

    def table(self, name: str) -> Table:
        """The table of that name."""
        for table in self.tables:
            if table.name == name:
                return table
        raise AssertionError(f"no table {name} in the projection")

    @property
    def identity(self) -> str:
        """The version and a digest of the tables' shape, such as `3 9f86d081884c7d65`."""
        shape = [
            [table.name, list(table.key), [[name, kind.__name__] for name, kind in table.columns.items()]]
            for table in self.tables
        ]
        return f"{self.version} {sha256(canonical_bytes(shape, 'tables')).hexdigest()[:16]}"

    def puts(self, event: Event) -> Iterator[Put]:
        """What the event sets, checked against the tables."""
        for put in self.fold(event):
            check(put, self.table(put.table))
            yield put


def check(put: Put, table: Table) -> None:
    """Assert that a `Put` fits its table: key complete, columns known, every value of its column's type."""
    assert len(put.key) == len(table.key), f"{put.table}: key {put.key} does not fit {table.key}"
    for name, part in zip(table.key, put.key, strict=True):
        assert type(part) is table.columns[name], f"{put.table}.{name}: {part!r} in the key"
    for name, value in put.values.items():
        assert name in table.columns, f"{put.table}: no column {name}"
        assert name not in table.key, f"{put.table}.{name}: a key column among the values"
        assert value is None or type(value) is table.columns[name], f"{put.table}.{name}: {value!r}"


class Tables(Protocol):
    """Rows to be read, whether they stand in the database or in memory."""

    def row(self, table: str, /, *key: str | int) -> Row | None:
        """The row with that key, every column named, or None."""

    def rows(self, table: str, /, **equals: Cell) -> list[Row]:
        """Rows whose columns equal the given values (None: is null), in key order."""


@dataclass(frozen=True, slots=True)
class MemoryTables:
    """The tables of a projection, folded in memory."""

    projection: Projection
    _rows: dict[str, dict[Key, Row]] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Fold one more event in."""
        for put in self.projection.puts(event):
            table = self.projection.table(put.table)
            rows = self._rows.setdefault(put.table, {})
            if put.key not in rows:
                named = dict(zip(table.key, put.key, strict=True))
                rows[put.key] = {name: named.get(name) for name in table.columns}
            rows[put.key].update(put.values)

    def row(self, table: str, /, *key: str | int) -> Row | None:
        """The row with that key, every column named, or None."""
        assert len(key) == len(self.projection.table(table).key), f"{table}: key {key}"
        found = self._rows.get(table, {}).get(key)
        return None if found is None else dict(found)

    def rows(self, table: str, /, **equals: Cell) -> list[Row]:
        """Rows whose columns equal the given values (None: is null), in key order."""
        assert set(equals) <= set(self.projection.table(table).columns), f"{table}: no such column in {equals}"
        rows = self._rows.get(table, {})
        return [
            dict(rows[key]) for key in sorted(rows) if all(rows[key][name] == value for name, value in equals.items())
        ]
