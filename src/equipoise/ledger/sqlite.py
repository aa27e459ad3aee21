"""A ledger in an SQLite file.

Write-ahead log with `synchronous=FULL`: a commit is on the disk before it is acknowledged. One writer at a time
through BEGIN IMMEDIATE; readers neither wait nor make anyone wait. The file must be on a disk of this machine: the
write-ahead log does not work over a network share.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from equipoise.ledger.chain import GENESIS
from equipoise.ledger.store import (
    APPEND_ONLY,
    WAIT_SECONDS,
    Busy,
    DamagedFile,
    NotALedger,
    Store,
    StoreFault,
    Transaction,
)
from equipoise.refusals import Refusal

MAGIC: Final = b"SQLite format 3\0"

EVENT_TABLE: Final = """CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  prev BLOB NOT NULL CHECK (typeof(prev) = 'blob' AND length(prev) = 32),
  hash BLOB NOT NULL CHECK (typeof(hash) = 'blob' AND length(hash) = 32),
  body BLOB NOT NULL CHECK (typeof(body) = 'blob')
)"""

# INSERT OR REPLACE deletes the row in its way without firing a delete trigger (unless recursive_triggers is on), so
# the insert itself must demand to come after the last row. A second UNIQUE column would be a second such way.
GUARDS: Final = {
    "event_insert": f"""CREATE TRIGGER event_insert BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
  OR NEW.prev IS NOT coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), x'{GENESIS.hex()}')
BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: an event follows the last one and carries its hash'); END""",  # noqa: S608
    "event_update": f"""CREATE TRIGGER event_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: UPDATE refused'); END""",
    "event_delete": f"""CREATE TRIGGER event_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: DELETE refused'); END""",
}


class SqliteStore(Store):
    """The database in one SQLite file.

    Args:
        path: the file.
        mode: `rw` (must be there), `rwc` (made when absent) or `ro`.
    """

    mark = "?"
    errors = (sqlite3.Error,)

    def __init__(self, path: Path, mode: str = "rw") -> None:
        self.path = path
        self.address = path
        self._mode = mode
        self.engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            isolation_level="AUTOCOMMIT",
            max_overflow=-1,
            pool_reset_on_return=None,  # every transaction is ended here
        )

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={self._mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def begin_writing(self, transaction: Transaction) -> None:
        """Take the file's write lock at once, so that nothing read afterwards can grow stale."""
        transaction.run("BEGIN IMMEDIATE")

    def begin_creating(self, transaction: Transaction) -> None:
        """Take the file's write lock."""
        self.begin_writing(transaction)

    def begin_reading(self, transaction: Transaction) -> None:
        """Begin a snapshot; the first statement fixes it."""
        transaction.run("BEGIN")

    def create_event_table(self, transaction: Transaction) -> None:
        """Make the `event` table with its guards."""
        for statement in (EVENT_TABLE, *GUARDS.values()):
            transaction.run(statement)

    def missing_guards(self, transaction: Transaction) -> list[str]:
        """The guards of the `event` table that are not there, or not as they were made."""
        rows = transaction.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        there = dict(rows)
        return [name for name, sql in GUARDS.items() if there.get(name) != sql]

    def table_names(self, transaction: Transaction) -> set[str]:
        """The tables in the file."""
        return {name for (name,) in transaction.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def prepare_new(self) -> None:
        """Make an empty file in WAL mode, or take one that is there.

        Raises:
            NotALedger: when the file holds anything already, or cannot be made.
        """
        if self.path.exists() and (self.path.is_dir() or self.path.stat().st_size):
            self._check_file()
        elif not self.path.parent.is_dir():
            raise NotALedger("ledger", self.address, "its folder is not there", "make the folder first")
        elif not os.access(self.path.parent, os.W_OK):
            raise NotALedger("ledger", self.address, "its folder cannot be written to", "choose another folder")
        with self.outside() as transaction:
            if self.table_names(transaction):
                raise NotALedger(
                    "ledger", self.address, "is there already", "open it, or name a file that is not there"
                )
            transaction.run("PRAGMA journal_mode = WAL")

    def prepare_old(self) -> None:
        """See that an SQLite file is there; a copy of a backup is put into WAL mode.

        Raises:
            NotALedger: when it is absent, a folder, not to be written, or not an SQLite file.
        """
        self._check_file()
        if self._mode != "ro":
            with self.outside() as transaction:
                transaction.run("PRAGMA journal_mode = WAL")

    def _check_file(self) -> None:
        """Look at the file before SQLite does."""
        if self.path.is_dir():
            raise NotALedger("ledger", self.address, "is a folder", "name the ledger's file in it, such as trial.db")
        if not self.path.exists():
            raise NotALedger("ledger", self.address, "is not there", "check the name, or create the ledger first")
        if self._mode != "ro" and not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)):
            problem = "the file or its folder cannot be written to"
            raise NotALedger("ledger", self.address, problem, "ask for write permission on both")
        try:
            with self.path.open("rb") as file:
                start = file.read(len(MAGIC))
        except OSError as error:
            raise NotALedger("ledger", self.address, "cannot be read", "ask for read permission") from error
        if start != MAGIC:
            raise NotALedger("ledger", self.address, "is not a ledger", "name the file that holds the ledger")

    def refusal_for(self, error: BaseException) -> Refusal | None:
        """What an SQLite error means to a person; None when it is a fault of ours."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                problem = f"another program held it for {WAIT_SECONDS} seconds"
                return Busy("ledger", self.address, problem, "try again; if it stays so, end the program that holds it")
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                problem = "the file is damaged"
                return DamagedFile("ledger", self.address, problem, "keep it as evidence and restore the newest backup")
            case sqlite3.SQLITE_FULL:
                return StoreFault("ledger", self.address, "the disk is full; nothing was written", "make room")
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                problem = "the file or its folder cannot be written to"
                return StoreFault("ledger", self.address, problem, "ask for write permission on both")
            case sqlite3.SQLITE_IOERR:
                problem = "the disk reported an error; the last act may not have been written"
                return StoreFault("ledger", self.address, problem, "check the disk, then verify the ledger")
        return None
