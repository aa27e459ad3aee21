"""Read and write rows of the `event` table."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from equipoise.ledger.chain import link_hash
from equipoise.ledger.events import EMPTY, RESTORE, DamagedEvent, Event, event_of
from equipoise.ledger.store import Transaction

StoredEvent: TypeAlias = tuple[int, bytes, bytes, bytes]
"""A row: seq, prev, hash, body."""

INDEX_NAME: Final = "read_event_index"
"""The table that says each event's kind and stream, folded from events like every other read table."""

INSERT: Final = "INSERT INTO event (seq, prev, hash, body) VALUES (?, ?, ?, ?)"

PAGE: Final = 1000  # events read at a time: few enough to hold, enough to make the statement's cost small


@dataclass(frozen=True, slots=True)
class EventLog:
    """The `event` table as one transaction sees it."""

    transaction: Transaction

    def last(self, known: Event | None = None) -> Event | None:
        """The last event, or None in an empty ledger; `known` itself when that is still the last, unaltered.

        Raises:
            DamagedEvent: when it is not as it was written.
        """
        rows = self.transaction.rows("SELECT seq, prev, hash, body FROM event ORDER BY seq DESC LIMIT 1")
        if not rows:
            return None
        seq, prev, hash_, body = rows[0]
        if known is not None and (seq, hash_.hex()) == (known.seq, known.hash) and link_hash(prev, body) == hash_:
            return known
        return event_of(seq, prev, hash_, body)

    def insert(self, row: StoredEvent) -> None:
        """Append a row; the database's guards see to its order."""
        self.transaction.run(INSERT, row)

    def insert_all(self, rows: Sequence[StoredEvent]) -> None:
        """Append rows."""
        self.transaction.run_many(INSERT, rows)

    def events(
        self, *, after: int, upto: int, kinds: Collection[str] | None = None, stream: str | None = None
    ) -> Iterator[Event]:
        """Events after one position up to another (inclusive), of these kinds and this stream.

        Raises:
            DamagedEvent: at an event that is not as it was written.
        """
        source, where, values = "event", " AND seq <= ?", [upto, *([] if stream is None else [stream]), *(kinds or ())]
        if stream is not None or kinds is not None:
            source = f"{INDEX_NAME} JOIN event USING (seq)"
        if stream is not None:
            where += " AND stream = ?"
        if kinds is not None:
            where += f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else " AND 1 = 0"
        for row in self._pages(source, where, values, after):
            yield event_of(*row)

    def chain(self, upto: int) -> Iterator[Event]:
        """Every event from the first up to a position, each seen to follow the one before it.

        Raises:
            DamagedEvent: at one that does not follow, or is not as it was written.
        """
        head = EMPTY
        for event in self.events(after=0, upto=upto):
            if (event.seq, event.prev) != (head.seq + 1, head.hash):
                raise DamagedEvent(f"event {event.seq}", None, f"it does not follow event {head.seq}", RESTORE)
            head = event.head
            yield event

    def last_until(self, until: datetime, last: int) -> int:
        """The position of the last event not after a time; 0 when there is none. `last` is the head's position.

        Events stand in order of time, so a search by halves finds it.
        """
        earlier, later = 0, last + 1
        while later - earlier > 1:
            middle = (earlier + later) // 2
            if self.one(middle).at <= until:
                earlier = middle
            else:
                later = middle
        return earlier

    def one(self, seq: int) -> Event:
        """The event at a position.

        Raises:
            DamagedEvent: when it is not there, or not as it was written.
        """
        rows = self.at(seq)
        if not rows:
            raise DamagedEvent(f"event {seq}", None, "missing or unreadable", RESTORE)
        return event_of(*rows[0])

    def page(self, after: int) -> list[StoredEvent]:
        """The next rows after a position, as they are stored."""
        return self._page("event", "", (), after)

    def at(self, seq: int) -> list[StoredEvent]:
        """The row at a position, or none."""
        rows = self.transaction.rows("SELECT seq, prev, hash, body FROM event WHERE seq = ?", (seq,))
        return [(number, prev, hash_, body) for number, prev, hash_, body in rows]

    def last_seq(self) -> int:
        """The highest position; 0 in an empty ledger."""
        return int(self.transaction.scalar("SELECT coalesce(max(seq), 0) FROM event"))

    def strays(self) -> int:
        """How many rows stand below position 1, where no event belongs."""
        return int(self.transaction.scalar("SELECT count(*) FROM event WHERE seq < 1"))

    def _pages(self, source: str, where: str, values: Sequence[object], after: int) -> Iterator[StoredEvent]:
        while True:
            rows = self._page(source, where, values, after)
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _page(self, source: str, where: str, values: Sequence[object], after: int) -> list[StoredEvent]:
        rows = self.transaction.rows(
            f"SELECT seq, prev, hash, body FROM {source} WHERE seq > ?{where} ORDER BY seq LIMIT {PAGE}",  # noqa: S608
            (after, *values),
        )
        return [(seq, prev, hash_, body) for seq, prev, hash_, body in rows]
