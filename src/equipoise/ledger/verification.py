"""Verify a ledger: every event as it was written, in its place, after the one before it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from equipoise.ledger.anchor import Anchor
from equipoise.ledger.canonical import is_canonical
from equipoise.ledger.chain import GENESIS, link_hash
from equipoise.ledger.event_log import PAGE, EventLog, StoredEvent
from equipoise.ledger.events import EMPTY, RESTORE, DamagedEvent, Head, body_fields, time_of
from equipoise.ledger.store import DamagedFile, Store
from equipoise.refusals import Refusal

Progress: TypeAlias = Callable[[int, int], None] | None
"""Told (done, total) from time to time, and once at the end."""

MOST_FAULTS: Final = 100


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found: whether all is well, how many events there are, the head, and every fault with its event.

    At most 100 faults are named; a last line counts the rest.
    """

    ok: bool
    events: int
    head: Head
    faults: tuple[str, ...]


def verify(store: Store, anchor: Anchor | None, progress: Progress) -> Verification:
    """Read every event in one transaction and check it, then the guards, then the anchor."""
    walk = Walk(anchor)
    try:
        with store.reading() as transaction:
            log = EventLog(transaction)
            walk_all(log, walk, progress)
            for guard in store.missing_guards(transaction):
                problem = "is missing from the database or was changed"
                walk.fault(f"guard {guard}", problem, "find who did it; a restored backup has its guards again")
    except DamagedFile as refusal:
        walk.fault(
            f"event {walk.head.seq + 1}", "cannot be read, nor what follows: the file is damaged", refusal.remedy
        )
    walk.check_anchor()
    return walk.verification()


def walk_all(log: EventLog, walk: "Walk", progress: Progress) -> None:
    """Check every row of the event table."""
    last, after = log.last_seq(), 0
    while after < last:
        rows, reached = readable_page(log, after)
        for row in rows:
            walk.step(row)
        after = reached or last
        if progress is not None:
            progress(min(after, last), last)
    if walk.head.seq < last:
        walk.gap(last + 1)
    if log.strays():
        walk.fault("event table", "it holds rows numbered below 1", RESTORE)


def readable_page(log: EventLog, after: int) -> tuple[list[StoredEvent], int | None]:
    """The next page, and the position reached (None: nothing readable further on).

    Where the database cannot read the page whole, it is read one event at a time and what is unreadable is left out.
    """
    try:
        with log.transaction.savepoint():
            rows = log.page(after)
            return rows, rows[-1][0] if rows else None
    except log.transaction.errors:
        rows = []
        for seq in range(after + 1, after + PAGE + 1):
            with suppress(*log.transaction.errors), log.transaction.savepoint():
                rows.extend(log.at(seq))
        return rows, after + PAGE if rows else None


@dataclass(slots=True)
class Walk:
    """The chain as far as it has been walked."""

    anchor: Anchor | None
    head: Head = EMPTY
    events: int = 0
    _hash: bytes = GENESIS
    _computed: bytes = GENESIS
    _at: datetime | None = None
    _anchored: str | None = None
    _found: list[str] = field(default_factory=list)
    _unnamed: int = 0

    def fault(self, subject: str, problem: str, remedy: str) -> None:
        """Note a fault."""
        if len(self._found) < MOST_FAULTS:
            self._found.append(str(DamagedEvent(subject, None, problem, remedy)))
        else:
            self._unnamed += 1

    def step(self, row: StoredEvent) -> None:
        """Check the next row."""
        seq, *parts = row
        if seq != self.head.seq + 1:
            self.gap(seq)
        prev, hash_, body = (part if isinstance(part, bytes) else b"" for part in parts)
        try:
            self._check(seq, prev, hash_, body)
        except Refusal as refusal:
            self.fault(refusal.field, refusal.problem, refusal.remedy)
        self._hash, self._computed = hash_, link_hash(prev, body)
        self.head = Head(seq, hash_.hex())
        self.events += 1
        if self.anchor is not None and seq == self.anchor.position:
            self._anchored = hash_.hex()

    def gap(self, seq: int) -> None:
        """Note that the events before `seq` are not there."""
        due = self.head.seq + 1
        which = f"event {due}" if seq == due + 1 else f"events {due} to {seq - 1}"
        self.fault(which, "missing or unreadable", RESTORE)

    def _check(self, seq: int, prev: bytes, hash_: bytes, body: bytes) -> None:
        """Refuse the row when it is not as written, or not in its place."""
        named = f"event {seq}"
        if link_hash(prev, body) != hash_:
            raise DamagedEvent(named, None, "its hash does not match its content", RESTORE)
        # The hash computed from the event before counts too: when only its stored hash was altered, that event was
        # named already and this one stands well.
        if prev not in (self._hash, self._computed):
            problem = f"it does not follow event {seq - 1}: that one was rewritten, or events were moved or removed"
            raise DamagedEvent(named, None, problem, RESTORE)
        fields = body_fields(seq, body)
        if not is_canonical(fields, body):
            raise DamagedEvent(named, None, "its body is not written in the canonical form", RESTORE)
        at = time_of(seq, fields)
        if self._at is not None and at < self._at:
            raise DamagedEvent(named, None, "it is dated before the event that it follows", RESTORE)
        self._at = at

    def check_anchor(self) -> None:
        """Compare with the head that was kept outside."""
        if self.anchor is None:
            return
        position = self.anchor.position
        if position > self.head.seq:
            problem = f"it is anchored, but the ledger ends at event {self.head.seq}: its tail was cut"
            self.fault(f"event {position}", problem, RESTORE)
        elif (self._anchored if position else EMPTY.hash) != self.anchor.hash:
            problem = "its hash is not the anchor's: the ledger was rewritten, or the anchor belongs to another ledger"
            self.fault(f"event {position}", problem, RESTORE)

    def verification(self) -> Verification:
        """What was found."""
        faults = list(self._found)
        if self._unnamed:
            faults.append(f"and {self._unnamed} further faults")
        return Verification(not faults, self.events, self.head, tuple(faults))
