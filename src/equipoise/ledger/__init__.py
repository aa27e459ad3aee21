"""Keep every fact of a trial: append-only, hash-chained events in SQLite or PostgreSQL.

Facts are appended by one writer at a time and never changed. Read tables are folded from them in the same
transaction, by a function that the caller brings; the same function gives the tables of any past day. The room knows
no word of a trial. The format is described in docs/methods/ledger.md.
Terms: *event* (one fact, with who, when and why), *head* (the last event's number and hash), *anchor* (a head kept
outside the ledger), *projection* (the read tables and the fold that fills them).
"""

from equipoise.ledger.anchor import Anchor, NotAnAnchor
from equipoise.ledger.backups import Backup, BadBackup
from equipoise.ledger.canonical import Json, NotCanonical, NotUtc, is_blank
from equipoise.ledger.events import Actor, DamagedEvent, Event, Head, NewerEvent, Unsigned
from equipoise.ledger.ledger import ClockSetBack, Ledger, NoSuchPosition, Reader, Writer
from equipoise.ledger.projection import Cell, MemoryTables, Projection, Put, Row, Table, Tables
from equipoise.ledger.read_tables import StaleTables
from equipoise.ledger.rebuilding import Rebuilt
from equipoise.ledger.store import Busy, DamagedFile, NotALedger, StoreFault
from equipoise.ledger.verification import Progress, Verification

__all__ = [
    "Actor",
    "Anchor",
    "Backup",
    "BadBackup",
    "Busy",
    "Cell",
    "ClockSetBack",
    "DamagedEvent",
    "DamagedFile",
    "Event",
    "Head",
    "Json",
    "Ledger",
    "MemoryTables",
    "NewerEvent",
    "NoSuchPosition",
    "NotALedger",
    "NotAnAnchor",
    "NotCanonical",
    "NotUtc",
    "Progress",
    "Projection",
    "Put",
    "Reader",
    "Rebuilt",
    "Row",
    "StaleTables",
    "StoreFault",
    "Table",
    "Tables",
    "Unsigned",
    "Verification",
    "Writer",
    "is_blank",
]
