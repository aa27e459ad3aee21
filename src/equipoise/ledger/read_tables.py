"""Keep the projection's tables in the database.

Each stands under its name with `read_` before it; one more, `read_event_index`, finds events by kind and stream. All
of them are folded from events and can be thrown away: `rebuilding` makes them anew.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from equipoise.ledger.canonical import can_hold
from equipoise.ledger.event_log import INDEX_NAME
from equipoise.ledger.events import Event
from equipoise.ledger.projection import Cell, Cells, Key, Projection, Put, Row, Table
from equipoise.ledger.store import Store, Transaction
from equipoise.refusals import Refusal

PREFIX: Final = "read_"
INDEX: Final = Table("event_index", ("seq",), {"seq": int, "kind": str, "stream": str})

assert PREFIX + INDEX.name == INDEX_NAME


class StaleTables(Refusal):
    """Read tables that another version of the software folded."""


class ReadTables:
    """The read tables of one projection in one database; statements are made once and kept."""

    def __init__(self, store: Store, projection: Projection) -> None:
        assert all(table.name != INDEX.name for table in projection.tables), f"the name {INDEX.name} is taken"
        self.store = store
        self.projection = projection
        self.tables = {table.name: table for table in (INDEX, *projection.tables)}
        self.identity = projection.identity
        self._upsert = cache(self._upsert_statement)

    @property
    def names(self) -> list[str]:
        """The tables' names in the database."""
        return [PREFIX + name for name in self.tables]

    def create(self, transaction: Transaction) -> None:
        """Make the tables, empty, and note which projection they are for."""
        metadata = sa.MetaData()
        for table in self.tables.values():
            core_table(table, PREFIX, metadata)
        make_tables(self.store, transaction, metadata)
        transaction.run(f"CREATE INDEX read_event_stream ON {INDEX_NAME} (stream)")
        transaction.run("DELETE FROM ledger WHERE name = 'projection'")
        transaction.run("INSERT INTO ledger (name, value) VALUES ('projection', ?)", (self.identity,))

    def recorded(self, transaction: Transaction) -> str | None:
        """Which projection the tables in the database were folded by."""
        found = transaction.scalar("SELECT value FROM ledger WHERE name = 'projection'")
        return None if found is None else str(found)

    def check(self, transaction: Transaction) -> None:
        """See that the tables were folded by this projection.

        Raises:
            StaleTables: when another version folded them.
        """
        recorded = self.recorded(transaction)
        if recorded != self.identity:
            problem = f"the tables were folded by projection {recorded} and this software folds {self.identity}"
            raise StaleTables("ledger", self.store.address, problem, "run `equipoise rebuild`")

    def puts(self, event: Event) -> Iterator[Put]:
        """What the event sets: its line in the index, then the projection's rows."""
        yield Put(INDEX.name, (event.seq,), {"kind": event.kind, "stream": event.stream})
        yield from self.projection.puts(event)

    def put(self, transaction: Transaction, put: Put) -> None:
        """Write one row's change."""
        statement = self._upsert(put.table, tuple(put.values), PREFIX)
        transaction.run(statement, (*put.key, *put.values.values()))

    def put_all(
        self, transaction: Transaction, table: str, columns: tuple[str, ...], rows: list[Cells], prefix: str
    ) -> None:
        """Write the changes of many rows: each of `rows` is a key followed by the values of `columns`."""
        transaction.run_many(self._upsert(table, columns, prefix), rows)

    def row(self, transaction: Transaction, table: str, key: Key) -> Row | None:
        """The row with that key, every column named, or None."""
        shape = self.tables[table]
        assert len(key) == len(shape.key), f"{table}: key {key}"
        found = self.rows(transaction, table, dict(zip(shape.key, key, strict=True)))
        return found[0] if found else None

    def rows(self, transaction: Transaction, table: str, equals: dict[str, Cell]) -> list[Row]:
        """Rows whose columns equal the given values (None: is null), in key order."""
        shape = self.tables[table]
        assert set(equals) <= set(shape.columns), f"{table}: no such column in {equals}"
        if not all(can_hold(value) for value in equals.values() if isinstance(value, str)):
            return []  # no event holds it, so no row does, and the database could not even be asked
        conditions = [f'"{name}" IS NULL' if value is None else f'"{name}" = ?' for name, value in equals.items()]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        statement = f'SELECT {quoted(shape.columns)} FROM "{PREFIX}{table}"{where} ORDER BY {quoted(shape.key)}'  # noqa: S608
        values = tuple(value for value in equals.values() if value is not None)
        found = transaction.rows(statement, values)
        return [dict(zip(shape.columns, row, strict=True)) for row in found]

    def _upsert_statement(self, table: str, columns: tuple[str, ...], prefix: str) -> str:
        shape = self.tables[table]
        names = (*shape.key, *columns)
        change = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
        return (
            f'INSERT INTO "{prefix}{table}" ({quoted(names)}) VALUES ({", ".join("?" * len(names))}) '  # noqa: S608
            f"ON CONFLICT ({quoted(shape.key)}) DO {f'UPDATE SET {change}' if change else 'NOTHING'}"
        )


def core_table(table: Table, prefix: str, metadata: sa.MetaData, *, temporary: bool = False) -> sa.Table:
    """The table for SQLAlchemy. Text is ordered by code point in both databases, as in memory."""
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Table(
        prefix + table.name,
        metadata,
        *(
            sa.Column(
                name,
                integer if kind is int else text,
                primary_key=name in table.key,
                nullable=name not in table.key,
                autoincrement=False,
            )
            for name, kind in table.columns.items()
        ),
        sqlite_with_rowid=table.key == INDEX.key,  # rows are found by key alone: no second tree for it
        prefixes=["TEMPORARY"] if temporary else [],
    )


def make_tables(store: Store, transaction: Transaction, metadata: sa.MetaData) -> None:
    """Make tables that are not there yet."""
    for table in metadata.sorted_tables:
        transaction.run(str(CreateTable(table).compile(dialect=store.engine.dialect)))


def quoted(names: Iterable[str]) -> str:
    """Column names for a statement. They were checked to be plain when their table was made."""
    return ", ".join(f'"{name}"' for name in names)
