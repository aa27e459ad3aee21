"""Actors, bodies and the hash of an event."""

import hashlib
from datetime import UTC, datetime

import pytest

from equipoise.ledger import Actor, DamagedEvent, Unsigned
from equipoise.ledger.canonical import dumped
from equipoise.ledger.chain import GENESIS, link_hash
from equipoise.ledger.events import event_of, plain_fields

BODY = (
    b'{"actor":"n.one","at":"2018-02-01T08:00:00.000000Z","kind":"noted","payload":{"text":"x"},'
    b'"protocol_hash":"ab","reason":"as on the form","role":"nurse","site":null,"software":"equipoise 0.1.0",'
    b'"source":"act","stream":"P001","version":1}'
)


def test_the_body_of_an_event_is_these_bytes():
    fields = plain_fields(
        "noted",
        {"text": "x"},
        stream="P001",
        by=Actor("n.one", "nurse"),
        reason="as on the form",
        at=datetime(2018, 2, 1, 8, tzinfo=UTC),
        source="act",
        protocol_hash="ab",
        software="equipoise 0.1.0",
    )
    assert dumped(fields) == BODY


def test_the_hash_is_that_of_the_documented_bytes():
    # Written out from docs/methods/ledger.md: tag, length and bytes of prev, length and bytes of body.
    length = b"\0\0\0\0\0\0\0"
    assert len(BODY) == 0xEC
    by_hand = b"equipoise/event/1\n" + length + b"\x20" + b"\0" * 32 + length + b"\xec" + BODY
    assert link_hash(GENESIS, BODY) == hashlib.sha256(by_hand).digest()


def test_lengths_keep_prev_and_body_apart():
    assert link_hash(b"ab", b"c") != link_hash(b"a", b"bc")


def test_a_stored_row_is_read_as_an_event():
    event = event_of(7, GENESIS, link_hash(GENESIS, BODY), BODY)
    assert (event.seq, event.head.seq, event.actor, event.payload) == (7, 7, Actor("n.one", "nurse"), {"text": "x"})
    assert event.hash == event.head.hash == link_hash(GENESIS, BODY).hex()


def test_an_altered_row_is_refused():
    with pytest.raises(DamagedEvent, match="event 7: its hash does not match its content; stop using this ledger"):
        event_of(7, GENESIS, link_hash(GENESIS, BODY), BODY.replace(b"nurse", b"nurze"))


@pytest.mark.parametrize(
    ("made", "field"),
    [(("", "nurse"), "id"), ((" ", "nurse"), "id"), (("n.one", "\t"), "role"), (("n.one", "nurse", ""), "site")],
)
def test_an_actor_is_somebody_in_some_role(made, field):
    with pytest.raises(Unsigned) as refused:
        Actor(*made)
    assert str(refused.value) == f"actor.{field}: is blank; sign in, so that the event says who acts"
