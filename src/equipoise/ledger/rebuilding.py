"""Fold every event again and compare with the tables that were there."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from equipoise.ledger.event_log import EventLog
from equipoise.ledger.projection import Cell, Cells, Key, Put, Table
from equipoise.ledger.read_tables import PREFIX, ReadTables, core_table, make_tables, quoted
from equipoise.ledger.store import Transaction
from equipoise.ledger.verification import Progress

STAGE: Final = "fold_"  # what the tables are called while they are folded beside those in use
MOST_HELD: Final = 20_000  # changed rows kept in memory before they are written
MOST_DIFFERENCES: Final = 20  # named for each table


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: events folded, rows now held, whether the tables held the same before, what differed.

    `stale` says that another version of the projection had folded them, so that their rows could not be compared.
    """

    events: int
    rows: int
    identical: bool
    stale: bool
    differences: tuple[str, ...]


def rebuild(tables: ReadTables, transaction: Transaction, progress: Progress) -> Rebuilt:
    """Fold again beside the tables, compare, and put the new rows in place of the old where they differ.

    Args:
        tables: the read tables of the projection to fold by.
        transaction: one that writes.
        progress: told (events done, events in all).
    """
    stale = tables.recorded(transaction) != tables.identity
    make_stage(tables, transaction)
    events = fold_all(tables, transaction, progress)
    differences = shape_differences(tables, transaction)
    if differences:
        make_again(tables, transaction)
    else:
        for table in tables.tables.values():
            differences += row_differences(table, transaction)
    if differences:
        for table in tables.tables.values():
            transaction.run(f'DELETE FROM "{PREFIX}{table.name}"')  # noqa: S608
            transaction.run(f'INSERT INTO "{PREFIX}{table.name}" SELECT * FROM "{STAGE}{table.name}"')  # noqa: S608
    rows = sum(count(transaction, STAGE + table.name) for table in tables.projection.tables)
    for name in tables.tables:
        transaction.run(f'DROP TABLE "{STAGE}{name}"')
    return Rebuilt(events, rows, not differences, stale, tuple(differences))


def make_stage(tables: ReadTables, transaction: Transaction) -> None:
    """Make empty temporary tables of the same shape."""
    metadata = sa.MetaData()
    for table in tables.tables.values():
        core_table(table, STAGE, metadata, temporary=True)
    make_tables(tables.store, transaction, metadata)


def fold_all(tables: ReadTables, transaction: Transaction, progress: Progress) -> int:
    """Fold every event into the stage; how many there were."""
    log = EventLog(transaction)
    total, done = log.last_seq(), 0
    held = HeldRows(tables, transaction)
    for event in log.chain(total):
        for put in tables.puts(event):
            held.take(put)
        done += 1
        if held.size >= MOST_HELD:
            held.write()
            if progress is not None:
                progress(done, total)
    held.write()
    if progress is not None:
        progress(done, total)
    return done


@dataclass(slots=True)
class HeldRows:
    """Changes to rows, joined row by row, so that a row changed often is written once."""

    tables: ReadTables
    transaction: Transaction
    size: int = 0
    _changes: dict[str, dict[Key, dict[str, Cell]]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, put: Put) -> None:
        """Hold one change."""
        rows = self._changes[put.table]
        if put.key not in rows:
            rows[put.key] = {}
            self.size += 1
        rows[put.key].update(put.values)

    def write(self) -> None:
        """Write what is held; rows with the same columns go together."""
        for table, rows in self._changes.items():
            batches: dict[tuple[str, ...], list[Cells]] = defaultdict(list)
            for key, values in rows.items():
                batches[tuple(values)].append((*key, *values.values()))
            for columns, batch in batches.items():
                self.tables.put_all(self.transaction, table, columns, batch, STAGE)
        self._changes.clear()
        self.size = 0


def shape_differences(tables: ReadTables, transaction: Transaction) -> list[str]:
    """What keeps the tables that are there from being compared row by row."""
    recorded = tables.recorded(transaction)
    if recorded != tables.identity:
        return [f"the tables were folded by projection {recorded} and are now folded by {tables.identity}"]
    there = tables.store.table_names(transaction)
    return [f"table {name[len(PREFIX) :]} was missing" for name in tables.names if name not in there]


def make_again(tables: ReadTables, transaction: Transaction) -> None:
    """Drop every read table, also those of another projection, and make them for this one."""
    for name in sorted(tables.store.table_names(transaction)):
        if name.startswith(PREFIX):
            transaction.run(f'DROP TABLE "{name}"')
    tables.create(transaction)


def row_differences(table: Table, transaction: Transaction) -> list[str]:
    """Rows of one table that are not what the events say, in key order; the first 20 are named."""
    was = only_in(transaction, table, PREFIX, STAGE)
    now = only_in(transaction, table, STAGE, PREFIX)
    found = [difference(table, key, was.get(key), now.get(key)) for key in sorted({*was, *now})]
    if len(found) > MOST_DIFFERENCES:
        return [*found[:MOST_DIFFERENCES], f"{table.name}: and {len(found) - MOST_DIFFERENCES} further rows"]
    return found


def only_in(transaction: Transaction, table: Table, one: str, other: str) -> dict[Key, Cells]:
    """Rows in the table under one prefix that are not, or not the same, under the other, by key.

    Looked up by key, row by row: an EXCEPT would sort both tables.
    """
    same = [f'one."{name}" = other."{name}"' for name in table.key]
    same += [
        f'(one."{name}" = other."{name}" OR (one."{name}" IS NULL AND other."{name}" IS NULL))' for name in table.others
    ]
    width = len(table.key)
    rows = transaction.rows(
        f'SELECT {quoted((*table.key, *table.others))} FROM "{one}{table.name}" AS one WHERE NOT EXISTS '  # noqa: S608
        f'(SELECT 1 FROM "{other}{table.name}" AS other WHERE {" AND ".join(same)})'
    )
    return {row[:width]: row[width:] for row in rows}


def difference(table: Table, key: Key, was: Cells | None, now: Cells | None) -> str:
    """One row's difference in words."""
    named = f"{table.name} {', '.join(map(str, key))}"
    if was is None:
        return f"{named}: was missing"
    if now is None:
        return f"{named}: stood there and no event says so"
    columns = zip(table.others, was, now, strict=True)
    return f"{named}: " + ", ".join(f"{name} was {old!r}, is {new!r}" for name, old, new in columns if old != new)


def count(transaction: Transaction, table: str) -> int:
    """How many rows a table holds."""
    return int(transaction.scalar(f'SELECT count(*) FROM "{table}"'))  # noqa: S608
