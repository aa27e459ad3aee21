"""Time the ledger: appends beside a bare SQLite loop, verification and rebuild by size.

Run `python benchmarks/ledger.py` (about two minutes); `--events 1000000` sets the largest size.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from equipoise.ledger import Actor, Event, Ledger, Projection, Put, Table
from equipoise.ledger.canonical import dumped
from equipoise.ledger.chain import GENESIS, link_hash
from equipoise.ledger.events import plain_fields

START = datetime(2018, 2, 1, tzinfo=UTC)
NURSE = Actor("n.one", "nurse", "H1")
PROTOCOL = "5f" * 32
APPENDS = 400  # in each of the rounds
ROUNDS = 7
PAGE = 5000


def fold(event: Event) -> Iterator[Put]:
    """One row an event, as a value typed into a form."""
    payload = event.payload
    yield Put("value", (event.stream, str(payload["visit"]), str(payload["item"])), {"value": str(payload["value"])})


TABLES = (
    Table("value", ("participant", "visit", "item"), {"participant": str, "visit": str, "item": str, "value": str}),
)
PROJECTION = Projection(version=1, tables=TABLES, fold=fold)
EVENTS_ALONE = Projection(version=1, tables=TABLES, fold=lambda event: ())


@dataclass(frozen=True)
class Rates:
    """Commits per second: a bare SQLite loop's, the ledger's, and the median of their ratios round by round."""

    bare: float
    ledger: float
    ratio: float


def payload(number: int) -> dict[str, str]:
    """What event `number` says: a value of one of 40 items at one of 7 visits."""
    return {"visit": f"M{number % 7}", "item": f"item{number % 40}", "value": str(number % 997)}


def stored_rows(first: int, last: int, prev: bytes) -> list[tuple[int, bytes, bytes, bytes]]:
    """Rows of the event table as the ledger would write them."""
    rows = []
    for seq in range(first, last + 1):
        fields = plain_fields(
            "value recorded",
            payload(seq),
            stream=f"P{seq % 200:03}",
            by=NURSE,
            reason="as on the form",
            at=START + timedelta(seconds=seq),
            source="act",
            protocol_hash=PROTOCOL,
            software="benchmark",
        )
        body = dumped(fields)
        rows.append((seq, prev, link_hash(prev, body), body))
        prev = rows[-1][2]
    return rows


def time_appends(folder: Path, projection: Projection) -> Rates:
    """Append one event a transaction, in turns with a bare loop that commits the same bytes with the same pragmas."""
    folder.mkdir()
    bare_path = folder / "bare.db"
    rows = iter(stored_rows(1, APPENDS * ROUNDS, GENESIS))
    bare, ours = [], []
    with (
        closing(sqlite3.connect(bare_path, isolation_level=None)) as connection,
        Ledger.create(folder / "ledger.db", projection, software="benchmark") as ledger,
    ):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, prev BLOB, hash BLOB, body BLOB)")
        for turn in range(ROUNDS):
            bare.append(seconds(lambda: bare_loop(connection, rows)))
            ours.append(seconds(lambda first=turn * APPENDS: ledger_loop(ledger, first)))
    ratio = statistics.median(theirs / mine for theirs, mine in zip(bare, ours, strict=True))
    return Rates(APPENDS / statistics.median(bare), APPENDS / statistics.median(ours), ratio)


def bare_loop(connection: sqlite3.Connection, rows: Iterator[tuple[int, bytes, bytes, bytes]]) -> None:
    """Insert and commit."""
    for _ in range(APPENDS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO event VALUES (?, ?, ?, ?)", next(rows))
        connection.execute("COMMIT")


def ledger_loop(ledger: Ledger, first: int) -> None:
    """Append one event, with its row, in each transaction."""
    for number in range(first, first + APPENDS):
        with ledger.writing() as writer:
            writer.append(
                "value recorded",
                payload(number + 1),
                stream=f"P{(number + 1) % 200:03}",
                by=NURSE,
                reason="as on the form",
                at=START + timedelta(seconds=number + 1),
                protocol_hash=PROTOCOL,
            )


def fill(path: Path, events: int) -> Ledger:
    """A ledger of many events, written past `append` in large transactions with every guard in place."""
    ledger = Ledger.create(path, PROJECTION, software="benchmark")
    prev = GENESIS
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for first in range(1, events + 1, PAGE):
            rows = stored_rows(first, min(first + PAGE - 1, events), prev)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
            prev = rows[-1][2]
    return ledger


@dataclass(frozen=True)
class Walks:
    """Seconds to verify and to rebuild a ledger of so many events."""

    events: int
    verify: float
    rebuild: float


def time_walks(folder: Path, events: int) -> Walks:
    """Verify and rebuild a ledger of so many events."""
    with fill(folder / f"{events}.db", events) as ledger:
        verify = seconds(lambda: check(ledger.verify().ok))
        ledger.rebuild()  # fills the tables, which `fill` left empty
        return Walks(events, verify, seconds(lambda: check(ledger.rebuild().identical)))


def check(well: bool) -> None:
    """See that what was timed also worked."""
    assert well, "what was timed did not work"


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main(largest: int = 1_000_000) -> None:
    """Print the table; `largest` is the number of events of its longest rows."""
    with tempfile.TemporaryDirectory() as name:
        print(f"{'appends, one a transaction':<36}{'per second':>12}{'bare SQLite':>12}{'ratio':>8}")
        for what, projection in (("the event alone", EVENTS_ALONE), ("with a row of a read table", PROJECTION)):
            rates = time_appends(Path(name) / what, projection)
            print(f"{what:<36}{rates.ledger:>12.0f}{rates.bare:>12.0f}{rates.ratio:>8.2f}")
        print(f"{'events':>12}{'verify s':>12}{'rebuild s':>12}")
        for events in (largest // 10, largest):
            walks = time_walks(Path(name), events)
            print(f"{walks.events:>12}{walks.verify:>12.1f}{walks.rebuild:>12.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time the ledger.")
    parser.add_argument("--events", type=int, default=1_000_000)
    main(parser.parse_args().events)
