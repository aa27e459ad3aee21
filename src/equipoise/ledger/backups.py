"""Back a ledger up to one file, and see that the file is whole.

The one form for both databases is an SQLite ledger in a single file, without a write-ahead log beside it: copying the
`.db` file of a ledger in use would leave out the latest events, which are still in that log.
"""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from equipoise.ledger.anchor import Anchor
from equipoise.ledger.event_log import EventLog
from equipoise.ledger.events import Head
from equipoise.ledger.sqlite import SqliteStore
from equipoise.ledger.store import Store
from equipoise.ledger.verification import Verification, verify
from equipoise.refusals import Refusal


class BadBackup(Refusal):
    """A backup that cannot be made, or is not whole."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written and verified: where it is, how many events it holds, and its head."""

    path: Path
    events: int
    head: Head


def copy_file(store: SqliteStore, part: Path) -> None:
    """Copy a ledger in use with SQLite's backup call, which takes in the write-ahead log.

    Raises:
        BadBackup: when the file cannot be written.
    """
    with store.outside() as transaction:
        source = transaction.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        try:
            with closing(sqlite3.connect(part)) as target:
                source.backup(target)
        except sqlite3.Error as error:
            raise BadBackup("backup", part, f"cannot be written: {error}", "choose a folder with room") from error


def copy_events(source: EventLog, target: EventLog) -> None:
    """Append every event of one ledger to an empty one, byte for byte."""
    after = 0
    while rows := source.page(after):
        target.insert_all(rows)
        after = rows[-1][0]


def finish(part: Path, target: Path) -> Backup:
    """Make the copy one file, verify it, put it on the disk and give it its name.

    Raises:
        BadBackup: when the copy does not verify; the copy is removed.
    """
    with closing(sqlite3.connect(part)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    store = SqliteStore(part, "ro")
    try:
        found = verified(store, None)
    except BadBackup:
        part.unlink()
        raise
    finally:
        store.engine.dispose()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.rename(target)
    sync_folder(target.parent)
    return Backup(target, found.events, found.head)


def verified(store: Store, anchor: Anchor | None) -> Verification:
    """What verifying found, nothing being wrong.

    Raises:
        BadBackup: with the first fault.
    """
    found = verify(store, anchor, None)
    if not found.ok:
        raise BadBackup("backup", store.address, f"does not verify: {found.faults[0]}", "use one that verifies")
    return found


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk, where the system lets a folder be opened."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
