"""Open a ledger, append to it, read it as it is and as it was."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from equipoise.ledger import backups, rebuilding, verification
from equipoise.ledger.anchor import Anchor
from equipoise.ledger.backups import Backup
from equipoise.ledger.canonical import Json, dumped, plain_text, utc_text
from equipoise.ledger.chain import GENESIS, link_hash
from equipoise.ledger.event_log import EventLog
from equipoise.ledger.events import EMPTY, Actor, Event, Head, event_from, plain_fields
from equipoise.ledger.postgresql import PostgresqlStore
from equipoise.ledger.projection import Cell, MemoryTables, Projection, Row
from equipoise.ledger.read_tables import ReadTables
from equipoise.ledger.rebuilding import Rebuilt
from equipoise.ledger.sqlite import SqliteStore
from equipoise.ledger.store import NotALedger, Store, Transaction, address_of
from equipoise.ledger.verification import Progress, Verification
from equipoise.refusals import Refusal

FORMAT: Final = "1"
"""The version of the tables' layout, the chain and the body's bytes, kept in the `ledger` table."""

FORMS: Final = "write a file's path, sqlite:///path or postgresql://user@host/database"

NO_PATH: Final = re.compile(r"^postgres(ql)?:|:[^/\\]*@|password=")
"""What an address has that was written otherwise than as a URL, and a path does not."""


class ClockSetBack(Refusal):
    """An event dated before the one that it follows."""


class NoSuchPosition(Refusal):
    """A position that the ledger does not have."""


class Reader:
    """The ledger as one transaction sees it."""

    def __init__(self, log: EventLog, tables: ReadTables) -> None:
        self._log = log
        self._tables = tables

    @property
    def head(self) -> Head:
        """The last event's number and hash."""
        last = self._log.last()
        return EMPTY if last is None else last.head

    def row(self, table: str, /, *key: str | int) -> Row | None:
        """The row of a read table with that key, every column named, or None."""
        return self._tables.row(self._log.transaction, table, key)

    def rows(self, table: str, /, **equals: Cell) -> list[Row]:
        """Rows of a read table whose columns equal the given values (None: is null), in key order."""
        return self._tables.rows(self._log.transaction, table, equals)

    def events(
        self,
        *,
        after: int = 0,
        upto: int | None = None,
        until: datetime | None = None,
        kinds: Collection[str] | None = None,
        stream: str | None = None,
    ) -> Iterator[Event]:
        """Events in order, read a page at a time while the transaction lasts.

        Args:
            after: the position before the first one wanted.
            upto: the last position wanted.
            until: the last time (UTC) wanted.
            kinds: only these kinds.
            stream: only this stream.

        Raises:
            DamagedEvent: at an event that is not as it was written.
            NotUtc: when `until` is not UTC.
            NotCanonical: when `stream` is not text that an event can hold.
        """
        head = self.head
        stream = None if stream is None else plain_text(stream, "stream")  # as it was written
        last = head.seq if upto is None else min(upto, head.seq)
        if until is not None:
            utc_text(until)
            last = min(last, self._log.last_until(until, head.seq))
        return self._log.events(after=after, upto=last, kinds=kinds, stream=stream)


class Writer(Reader):
    """The ledger in the hands of its one writer. What it appends is there for others once the block ends well."""

    def __init__(self, log: EventLog, tables: ReadTables, software: str, known: Event | None) -> None:
        super().__init__(log, tables)
        self._software = software
        self._last = log.last(known)

    @property
    def last(self) -> Event | None:
        """The last event, counting what was appended here."""
        return self._last

    @property
    def head(self) -> Head:
        """The last event's number and hash, counting what was appended here."""
        return EMPTY if self._last is None else self._last.head

    def append(
        self,
        kind: str,
        payload: Mapping[str, Json],
        *,
        stream: str,
        by: Actor,
        reason: str,
        at: datetime,
        source: str = "act",
        protocol_hash: str,
    ) -> Event:
        """Append one event and fold it into the read tables, in this transaction.

        Args:
            kind: what happened, in the words of the room that appends.
            payload: the facts; see `canonical.Json` for what it may hold.
            stream: what it happened to, such as a participant's study code.
            by: who acts.
            reason: why; not blank.
            at: when (UTC); not before the last event.
            source: by which entry it came, such as `act` or an import's name.
            protocol_hash: the hash of the protocol in force.

        Returns:
            The event as it will be read again.

        Raises:
            Unsigned: when the reason is blank.
            NotCanonical: when the payload holds a value that has no canonical form.
            NotUtc: when `at` is not UTC.
            ClockSetBack: when `at` is before the last event's time.
        """
        fields = plain_fields(
            kind,
            payload,
            stream=stream,
            by=by,
            reason=reason,
            at=at,
            source=source,
            protocol_hash=protocol_hash,
            software=self._software,
        )
        if self._last is not None and at < self._last.at:
            problem = f"is before {utc_text(self._last.at)}, the time of the last event"
            raise ClockSetBack("at", utc_text(at), problem, "set this machine's clock right and repeat the act")
        prev = GENESIS if self._last is None else bytes.fromhex(self._last.hash)
        body = dumped(fields)
        seq, hash_ = self.head.seq + 1, link_hash(prev, body)
        self._log.insert((seq, prev, hash_, body))
        event = event_from(seq, prev, hash_, fields)
        for put in self._tables.puts(event):
            self._tables.put(self._log.transaction, put)
        self._last = event
        return event


class Ledger:
    """One trial's ledger in an SQLite file or a PostgreSQL database.

    Made by `create`, `open` or `restore`; closed by `close` or at the end of a `with` block. It may be shared
    by threads: each transaction has a connection of its own.
    """

    def __init__(self, store: Store, projection: Projection, software: str) -> None:
        self.store = store
        self.projection = projection
        self.software = software
        self._tables = ReadTables(store, projection)
        self._known: Event | None = None  # saves a writer from reading the event that it appended just before

    @classmethod
    def create(cls, url_or_path: str | Path, projection: Projection, *, software: str) -> Self:
        """Make a new, empty ledger.

        Args:
            url_or_path: a file's path, or `sqlite:///path`, or `postgresql://user@host/database`.
            projection: the read models to fold.
            software: name and version, written into every event appended.

        Raises:
            NotALedger: when a ledger or anything else is there already, or the place cannot hold one.
            StoreFault: when the database cannot be reached or written.
        """
        with cls._creating(url_or_path, projection, software) as (ledger, _):
            return ledger

    @classmethod
    def open(cls, url_or_path: str | Path, projection: Projection, *, software: str) -> Self:
        """Open a ledger that is there; the arguments are those of `create`.

        Raises:
            NotALedger: when none is there, or it is of a newer format.
            StoreFault: when the database cannot be reached or read.
        """
        store = store_at(url_or_path, "rw")
        with store.closing_on_failure():
            store.prepare_old()
            check_format(store)
        return cls(store, projection, software)

    @classmethod
    def restore(
        cls,
        backup: Path,
        url_or_path: str | Path,
        projection: Projection,
        *,
        software: str,
        anchor: Anchor | None = None,
        progress: Progress = None,
    ) -> Self:
        """Make a new ledger from a backup, in either database, once the backup's chain has been verified.

        The events are copied as they are, the tables folded from them; the head is the backup's.

        Raises:
            BadBackup: when the backup does not verify, or does not hold the anchored event.
            NotALedger: when the backup is no ledger, or something is at the new place already.
        """
        source = SqliteStore(backup, "ro")
        with source.closing_on_failure():
            source.prepare_old()
            check_format(source)
            found = backups.verified(source, anchor)
            with cls._creating(url_or_path, projection, software) as (ledger, transaction), source.reading() as old:
                backups.copy_events(EventLog(old), EventLog(transaction))
                rebuilding.rebuild(ledger._tables, transaction, progress)
                assert Reader(EventLog(transaction), ledger._tables).head == found.head, "the copy has another head"
        source.engine.dispose()
        return ledger

    @classmethod
    @contextmanager
    def _creating(
        cls, url_or_path: str | Path, projection: Projection, software: str
    ) -> Iterator[tuple[Self, Transaction]]:
        """A new ledger, there once the block ends well."""
        store = store_at(url_or_path, "rwc")
        ledger = cls(store, projection, software)
        with store.closing_on_failure():
            store.prepare_new()
            with store.creating() as transaction:
                ledger._create_tables(transaction)
                yield ledger, transaction

    def _create_tables(self, transaction: Transaction) -> None:
        taken = {"event", "ledger", *self._tables.names} & self.store.table_names(transaction)
        if taken:
            remedy = "open the ledger that is there, or name another place"
            raise NotALedger("ledger", self.store.address, f"holds a table {min(taken)} already", remedy)
        transaction.run("CREATE TABLE ledger (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        transaction.run("INSERT INTO ledger (name, value) VALUES ('format', ?)", (FORMAT,))
        self.store.create_event_table(transaction)
        self._tables.create(transaction)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.store.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Be the one writer, over all processes: what is read here cannot change before it is appended to.

        Commits when the block ends well, and appends nothing when it does not.

        Raises:
            Busy: when another writer held the ledger for 30 seconds.
            StaleTables: when another version of the software folded the tables.
            DamagedEvent: when the last event is not as it was written.
        """
        with self.store.writing() as transaction:
            self._tables.check(transaction)
            writer = Writer(EventLog(transaction), self._tables, self.software, self._known)
            yield writer
        self._known = writer.last

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Read one moment of the ledger, whatever is appended meanwhile.

        Raises:
            StaleTables: when another version of the software folded the tables.
        """
        with self.store.reading() as transaction:
            self._tables.check(transaction)
            yield Reader(EventLog(transaction), self._tables)

    def as_of(self, position: int | datetime | None) -> tuple[MemoryTables, Head]:
        """The tables as they were, and the head they were folded to.

        Args:
            position: the last event's number, or the last time (UTC, inclusive), or None for now.

        Raises:
            NoSuchPosition: when the ledger has no such position.
            NotUtc: when the time is not UTC.
            DamagedEvent: at an event that is not as it was written.
        """
        tables, head = MemoryTables(self.projection), EMPTY
        with self.store.reading() as transaction:
            log = EventLog(transaction)
            for event in log.chain(self._position(position, log)):
                tables.apply(event)
                head = event.head
        return tables, head

    def _position(self, position: int | datetime | None, log: EventLog) -> int:
        last = log.last_seq()
        if position is None:
            return last
        if isinstance(position, datetime):
            utc_text(position)
            return log.last_until(position, last)
        if not 0 <= position <= last:
            remedy = f"name a position from 0 to {last}"
            raise NoSuchPosition("position", position, f"is not in the ledger, which has {last} events", remedy)
        return position

    def verify(self, anchor: Anchor | None = None, progress: Progress = None) -> Verification:
        """Check every event, its place in the chain, the database's guards, and a head kept outside.

        Args:
            anchor: a head seen before. Without one a cut tail and a ledger rewritten whole cannot be seen.
            progress: told (events done, events in all).
        """
        return verification.verify(self.store, anchor, progress)

    def rebuild(self, progress: Progress = None) -> Rebuilt:
        """Fold every event again, say what the tables held otherwise, and correct them. Writers wait meanwhile.

        Raises:
            DamagedEvent: at an event that is not as it was written; the tables stay as they were.
        """
        with self.store.writing() as transaction:
            return rebuilding.rebuild(self._tables, transaction, progress)

    def backup(self, target: Path) -> Backup:
        """Write the whole ledger to one file, an SQLite ledger whatever database this is, and verify that file.

        Writers need not wait.

        Raises:
            BadBackup: when something is at the target already, or the ledger does not verify.
        """
        if target.exists():
            raise backups.BadBackup("backup", target, "is there already", "name a file that is not there")
        if not target.parent.is_dir():
            raise backups.BadBackup("backup", target, "its folder is not there", "make the folder first")
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)  # left by a backup that was interrupted
        if isinstance(self.store, SqliteStore):
            backups.copy_file(self.store, part)
        else:
            self._write_file(part)
        return backups.finish(part, target)

    def _write_file(self, part: Path) -> None:
        """Copy the events into a new SQLite ledger, all seen at one moment."""
        backups.verified(self.store, None)
        with self._creating(part, self.projection, self.software) as (copy, new), self.store.reading() as old:
            backups.copy_events(EventLog(old), EventLog(new))
            rebuilding.rebuild(copy._tables, new, None)
        copy.close()

    def grant(self, role: str) -> None:
        """Let a PostgreSQL role work with the ledger without owning it: it may read and append, and nothing else.

        Raises:
            NotALedger: for an SQLite file, which has no roles.
            StoreFault: when signed in as another role than the owner.
        """
        if not isinstance(self.store, PostgresqlStore):
            problem = "an SQLite file has no roles"
            raise NotALedger("ledger", self.store.address, problem, "protect the file by its permissions")
        with self.store.writing() as transaction:
            self.store.grant(transaction, role, self._tables.names)


def store_at(url_or_path: str | Path, mode: str) -> Store:
    """The database at a path or address.

    Raises:
        NotALedger: when the address is of another kind, or PostgreSQL's driver is not installed.
    """
    if isinstance(url_or_path, Path) or ("://" not in url_or_path and not NO_PATH.search(url_or_path)):
        return SqliteStore(Path(url_or_path), mode)
    url = url_from(url_or_path)
    if url.get_backend_name() == "sqlite" and url.database:
        return SqliteStore(Path(url.database), mode)
    if url.get_backend_name() != "postgresql":
        raise NotALedger("ledger", address_of(url), "is of no known kind", FORMS)
    try:
        return PostgresqlStore(url)
    except ModuleNotFoundError as error:
        remedy = "install it: pip install 'equipoise[postgresql]'"
        raise NotALedger("ledger", address_of(url), "PostgreSQL's driver is not installed", remedy) from error


def url_from(text: str) -> URL:
    """The address in a text. What cannot be read is never shown: it may hold a password.

    Raises:
        NotALedger: when it cannot be read, or a part of the password could be taken for the host.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise NotALedger("ledger", None, "the address cannot be read", FORMS) from error
    if "@" in f"{url.host}{url.database}":
        remedy = "write an @ in a user's name or password as %40"
        raise NotALedger("ledger", None, "the address has more than one @", remedy)
    return url


def check_format(store: Store) -> None:
    """See that a ledger of a known format is there.

    Raises:
        NotALedger: when it is not.
    """
    with store.reading() as transaction:
        if not {"event", "ledger"} <= store.table_names(transaction):
            remedy = "name the place of a ledger, or create one"
            raise NotALedger("ledger", store.address, "is not a ledger", remedy)
        found = transaction.scalar("SELECT value FROM ledger WHERE name = 'format'")
    if found != FORMAT:
        problem = f"its format is {found} and this software reads {FORMAT}"
        raise NotALedger("ledger", store.address, problem, "use the software that made it, or newer")
