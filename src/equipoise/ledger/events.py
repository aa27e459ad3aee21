"""What an event is: who did what, when, why, and its place in the chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from equipoise.ledger.canonical import Json, is_blank, parsed, plain, utc_text, utc_time
from equipoise.ledger.chain import GENESIS, link_hash
from equipoise.refusals import Refusal

EVENT_VERSION: Final = 1
"""The version of body that this software writes, and the newest that it reads."""

FIELDS: Final = {
    "actor": str,
    "at": str,
    "kind": str,
    "payload": dict,
    "protocol_hash": str,
    "reason": str,
    "role": str,
    "site": str | None,
    "software": str,
    "source": str,
    "stream": str,
    "version": int,
}
"""Every field of a body and its type; no other field may be there."""

RESTORE: Final = "stop using this ledger, keep its file as evidence and restore the newest backup that verifies"


class Unsigned(Refusal):
    """An event without a person, a role or a reason."""


class DamagedEvent(Refusal):
    """An event that is not as it was written."""


class NewerEvent(Refusal):
    """An event written by newer software than this."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, at which site (None: not bound to one).

    Raises:
        Unsigned: when id or role is blank, or a site is given that is blank.
    """

    id: str
    role: str
    site: str | None = None

    def __post_init__(self) -> None:
        for field, value in (("id", self.id), ("role", self.role), ("site", self.site)):
            if value is not None and is_blank(value):
                raise Unsigned(f"actor.{field}", None, "is blank", "sign in, so that the event says who acts")


@dataclass(frozen=True, slots=True)
class Head:
    """The last event's number and hash (hex); seq 0 and 64 zeros before the first."""

    seq: int
    hash: str


EMPTY: Final = Head(0, GENESIS.hex())


@dataclass(frozen=True, slots=True)
class Event:
    """One fact, as it was written. `seq` counts from 1; `prev` and `hash` are 64 hex digits; `at` is UTC.

    `version` is that of the body's fields. `source` says by which entry the event came (`act`, an import's name).
    """

    seq: int
    prev: str
    hash: str
    version: int
    kind: str
    stream: str
    payload: Mapping[str, Json]
    actor: Actor
    reason: str
    at: datetime
    source: str
    protocol_hash: str
    software: str

    @property
    def head(self) -> Head:
        """The ledger's head when this event was its last."""
        return Head(self.seq, self.hash)


def plain_fields(
    kind: str,
    payload: Mapping[str, Json],
    *,
    stream: str,
    by: Actor,
    reason: str,
    at: datetime,
    source: str,
    protocol_hash: str,
    software: str,
) -> dict[str, Any]:
    """The fields of an event to be appended; `canonical.dumped` makes its body of them.

    Raises:
        Unsigned: when the reason is blank.
        NotCanonical: when a value has no canonical form, naming its path.
        NotUtc: when `at` is not UTC.
    """
    assert kind, "an event has a kind"
    assert stream, "an event has a stream"
    if is_blank(reason):
        raise Unsigned("reason", None, "is blank", "say why this is done")
    fields = {
        "actor": by.id,
        "at": utc_text(at),
        "kind": kind,
        "payload": payload,
        "protocol_hash": protocol_hash,
        "reason": reason,
        "role": by.role,
        "site": by.site,
        "software": software,
        "source": source,
        "stream": stream,
        "version": EVENT_VERSION,
    }
    return {name: plain(value, name) for name, value in fields.items()}


def body_fields(seq: int, body: object) -> dict[str, Any]:
    """The fields of a stored body.

    Raises:
        DamagedEvent: when the body is not one that `plain_fields` can have written.
        NewerEvent: when its version is newer than this software's.
    """
    if not isinstance(body, bytes):
        raise DamagedEvent(f"event {seq}", None, "its body is not stored as bytes", RESTORE)
    try:
        fields = parsed(body)
    except (ValueError, RecursionError) as error:
        raise DamagedEvent(f"event {seq}", None, "its body is not JSON without floats", RESTORE) from error
    if isinstance(fields, dict):
        version = fields.get("version")
        if type(version) is int and version > EVENT_VERSION:
            problem = f"its body is of version {version} and this software reads up to {EVENT_VERSION}"
            raise NewerEvent(f"event {seq}", None, problem, "use the software that wrote it, or newer")
        if type(version) is int and version == EVENT_VERSION and fits(fields):
            return fields
    raise DamagedEvent(f"event {seq}", None, "its body lacks a field or holds a strange one", RESTORE)


def fits(fields: dict[str, Any]) -> bool:
    """Whether every field is there, no other is, and each has its type."""
    if fields.keys() != FIELDS.keys():
        return False
    # A loop, not all(...): this is done for every event that is read.
    for name, kind in FIELDS.items():  # noqa: SIM110
        if not isinstance(fields[name], kind):
            return False
    return True


def event_of(seq: int, prev: bytes, hash_: bytes, body: bytes) -> Event:
    """The event in a stored row, its hash checked: an altered event is never used.

    Raises:
        DamagedEvent: when the hash is not that of the row, or the body cannot be read.
        NewerEvent: when newer software wrote it.
    """
    if link_hash(prev, body) != hash_:
        raise DamagedEvent(f"event {seq}", None, "its hash does not match its content", RESTORE)
    return event_from(seq, prev, hash_, body_fields(seq, body))


def event_from(seq: int, prev: bytes, hash_: bytes, fields: dict[str, Any]) -> Event:
    """The event with these fields, at its place in the chain.

    Raises:
        DamagedEvent: when its time is not a UTC time.
    """
    return Event(
        seq=seq,
        prev=prev.hex(),
        hash=hash_.hex(),
        version=fields["version"],
        kind=fields["kind"],
        stream=fields["stream"],
        payload=fields["payload"],
        actor=Actor(fields["actor"], fields["role"], fields["site"]),
        reason=fields["reason"],
        at=time_of(seq, fields),
        source=fields["source"],
        protocol_hash=fields["protocol_hash"],
        software=fields["software"],
    )


def time_of(seq: int, fields: dict[str, Any]) -> datetime:
    """When the event took place.

    Raises:
        DamagedEvent: when the field is not a UTC time.
    """
    try:
        return utc_time(fields["at"])
    except ValueError as error:
        raise DamagedEvent(f"event {seq}", None, "its time is not a UTC time", RESTORE) from error
