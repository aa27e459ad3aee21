"""Whatever is changed behind the guards is found, and its event named."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.ledger import Anchor, Ledger
from equipoise.ledger.chain import GENESIS, link_hash

RESTORE = "stop using this ledger, keep its file as evidence and restore the newest backup that verifies"
MATCH = f"its hash does not match its content; {RESTORE}"

on_one_ledger = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def flipped(data, position, mask):
    """The bytes with some bits of one byte turned."""
    changed = bytearray(data)
    changed[position % len(data)] ^= mask
    return bytes(changed)


def mark(place):
    return "?" if place.kind == "sqlite" else "%s"


@on_one_ledger
@given(
    seq=st.integers(1, 12),
    column=st.sampled_from(["body", "body", "prev", "hash"]),
    position=st.integers(0, 10_000),
    mask=st.integers(1, 255),
)
def test_any_flipped_byte_is_found_and_its_event_alone_is_named(
    filled, place, break_guards, seq, column, position, mask
):
    connection = place.connect()
    (good,) = connection.execute(f"SELECT {column} FROM event WHERE seq = {seq}").fetchone()
    statement = f"UPDATE event SET {column} = {mark(place)} WHERE seq = {seq}"
    break_guards(place, (statement, (flipped(good, position, mask),)))
    found = filled.verify()
    break_guards(place, (statement, (good,)))
    assert found.faults == (f"event {seq}: {MATCH}",)
    assert not found.ok
    assert filled.verify().ok


@on_one_ledger
@given(seq=st.integers(1, 12), position=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_any_byte_flipped_in_the_file_is_found(sqlite_filled, tmp_path, child, seq, position, mask):
    body = sqlite_filled.bodies[seq]
    start = sqlite_filled.file.index(body)
    path = tmp_path / "flipped.db"
    path.write_bytes(
        sqlite_filled.file[:start] + flipped(body, position, mask) + sqlite_filled.file[start + len(body) :]
    )
    with Ledger.open(path, child.PROJECTION, software="x") as ledger:
        assert ledger.verify().faults == (f"event {seq}: {MATCH}",)


@pytest.fixture
def sqlite_filled(sqlite_place, child, tmp_path):
    """The bytes of a ledger file, and its bodies by position."""
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            for number in range(12):
                child.append(writer, number, f"text {number}")
        ledger.backup(tmp_path / "whole.db")
    rows = sqlite_place.connect().execute("SELECT seq, body FROM event").fetchall()

    return SimpleNamespace(file=(tmp_path / "whole.db").read_bytes(), bodies=dict(rows))


def test_a_page_that_cannot_be_read_is_reported_with_its_events(sqlite_place, child, tmp_path):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            for number in range(60):
                child.append(writer, number % 5, "x" * 300)
        ledger.backup(tmp_path / "whole.db")
    data = (tmp_path / "whole.db").read_bytes()
    page = data.index(b"2018-02-01T08:00:30.000000Z") // 4096 * 4096
    (tmp_path / "broken.db").write_bytes(data[:page] + b"\xff" * 4096 + data[page + 4096 :])
    with Ledger.open(tmp_path / "broken.db", child.PROJECTION, software="x") as ledger:
        found = ledger.verify()
    assert not found.ok
    (missing,) = [fault for fault in found.faults if "missing or unreadable" in fault]
    first, last = (int(word) for word in missing.split(":")[0].replace("events ", "").split(" to "))
    assert first <= 31 <= last
    assert found.events == 60 - (last - first + 1)


def test_a_removed_event_is_named(filled, place, break_guards):
    break_guards(place, "DELETE FROM event WHERE seq IN (5, 6)")
    assert filled.verify().faults == (
        f"events 5 to 6: missing or unreadable; {RESTORE}",
        f"event 7: it does not follow event 6: that one was rewritten, or events were moved or removed; {RESTORE}",
    )


def test_events_moved_up_over_a_removed_one_are_found(filled, place, break_guards):
    moves = [f"UPDATE event SET seq = {seq - 1} WHERE seq = {seq}" for seq in range(6, 13)]
    break_guards(place, "DELETE FROM event WHERE seq = 5", *moves)
    assert filled.verify().faults == (
        f"event 5: it does not follow event 4: that one was rewritten, or events were moved or removed; {RESTORE}",
    )


def test_two_events_exchanged_are_found(filled, place, break_guards):
    break_guards(
        place,
        "UPDATE event SET seq = 99 WHERE seq = 5",
        "UPDATE event SET seq = 5 WHERE seq = 6",
        "UPDATE event SET seq = 6 WHERE seq = 99",
    )
    assert [fault.split(":")[0] for fault in filled.verify().faults] == ["event 5", "event 6", "event 7"]


def test_a_forged_event_with_a_fitting_hash_is_found_at_the_next(filled, forge, place):
    forge(place, 5, lambda body: body.replace("täxt 4".encode(), b"forged"))
    assert filled.verify().faults == (
        f"event 6: it does not follow event 5: that one was rewritten, or events were moved or removed; {RESTORE}",
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda body: body.replace(b'"version":1', b'"version":1.0'), "its body is not JSON without floats"),
        (lambda body: body[:-1], "its body is not JSON without floats"),
        (lambda body: b"\xff" + body, "its body is not JSON without floats"),
        (lambda body: b"[" * 100_000, "its body is not JSON without floats"),
        (lambda body: b"[]", "its body lacks a field or holds a strange one"),
        (lambda body: body.replace(b'"reason"', b'"raison"'), "its body lacks a field or holds a strange one"),
        (lambda body: body.replace(b'"version":1', b'"version":true'), "its body lacks a field or holds a strange one"),
        (lambda body: body.replace(b'"version":1', b'"version":0'), "its body lacks a field or holds a strange one"),
        (lambda body: body.replace(b'"site":"H1"', b'"site":3'), "its body lacks a field or holds a strange one"),
        (lambda body: body + b" ", "its body is not written in the canonical form"),
        (
            lambda body: body.replace(b'"reason":', b'"reason":"another","reason":'),
            "its body is not written in the canonical form",
        ),
        (lambda body: body.replace(b"ledge", b"ledge"[::-1]) + b"\n", "its body is not written in the canonical form"),
        (
            lambda body: body.replace("ä".encode(), "a\u0308".encode()),
            "its body is not written in the canonical form",
        ),
        (lambda body: body.replace("ä".encode(), b"\\ud800"), "its body is not written in the canonical form"),
        (lambda body: body.replace(b".000000Z", b"Z"), "its time is not a UTC time"),
        (lambda body: body.replace(b"2018-02", b"2018-01"), "it is dated before the event that it follows"),
    ],
)
def test_an_event_appended_by_another_hand_must_be_well_made(filled, forge, place, change, problem):
    forge(place, 12, change)
    assert filled.verify().faults == (f"event 12: {problem}; {RESTORE}",)


def test_text_that_looks_like_an_escape_is_no_fault(ledger, child):
    with ledger.writing() as writer:
        child.append(writer, 1, r"\u0000 \ud800 \\")
    assert ledger.verify().faults == ()


def test_a_body_kept_as_text_is_found(sqlite_place, child):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            child.append(writer, 1, "x")
        connection = sqlite_place.connect()
        connection.execute("PRAGMA ignore_check_constraints = ON")
        guards = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'event_update'").fetchone()[0]
        connection.execute("DROP TRIGGER event_update")
        connection.execute("UPDATE event SET body = CAST(body AS TEXT)")
        connection.execute(guards)
        assert ledger.verify().faults == (f"event 1: {MATCH}",)


def test_rows_below_the_first_position_are_found(filled, place, break_guards):
    break_guards(place, "INSERT INTO event SELECT -5, prev, hash, body FROM event WHERE seq = 1")
    assert filled.verify().faults == (f"event table: it holds rows numbered below 1; {RESTORE}",)


def cut(place, break_guards, seq):
    break_guards(place, f"DELETE FROM event WHERE seq > {seq}")


def test_a_cut_tail_is_seen_against_an_anchor_alone(filled, place, break_guards, child):
    with filled.reading() as reader:
        anchor = Anchor.of(reader.head, child.START)
    assert filled.verify(anchor).ok
    cut(place, break_guards, 9)
    assert filled.verify().ok
    assert filled.verify(anchor).faults == (
        f"event 12: it is anchored, but the ledger ends at event 9: its tail was cut; {RESTORE}",
    )


def test_a_ledger_rewritten_whole_is_seen_against_an_anchor_alone(filled, place, break_guards, child):
    with filled.reading() as reader:
        anchors = [Anchor.of(event.head, child.START) for event in reader.events()]
    rewrite(place, break_guards, from_seq=5)
    assert filled.verify().ok
    for anchor in anchors[:4]:
        assert filled.verify(anchor).ok
    for anchor in anchors[4:]:
        assert filled.verify(anchor).faults == (
            f"event {anchor.position}: its hash is not the anchor's: "
            f"the ledger was rewritten, or the anchor belongs to another ledger; {RESTORE}",
        )


def rewrite(place, break_guards, from_seq):
    """Alter an event and make every later hash fit, as the file's owner can."""
    rows = place.connect().execute("SELECT seq, prev, hash, body FROM event ORDER BY seq").fetchall()
    prev, statements = GENESIS, []
    for seq, _, _, body in rows:
        altered = body.replace(b"as on the form", b"as on the farm") if seq == from_seq else body
        row = (prev, link_hash(prev, altered), altered, seq)
        statements.append(
            ("UPDATE event SET prev = ?, hash = ?, body = ? WHERE seq = ?".replace("?", mark(place)), row)
        )
        prev = row[1]
    break_guards(place, *statements)


def test_growth_after_the_anchor_is_no_fault(filled, child):
    with filled.reading() as reader:
        anchor = Anchor.of(reader.head, child.START)
    with filled.writing() as writer:
        child.append(writer, 1, "later")
    assert filled.verify(anchor).ok


def test_the_anchor_of_an_empty_ledger_holds_for_it(ledger, child):
    with ledger.reading() as reader:
        assert ledger.verify(Anchor.of(reader.head, child.START)).ok
    assert not ledger.verify(Anchor(0, "1" * 64, child.START)).ok


def test_a_hundred_faults_are_named_and_the_rest_counted(ledger, place, break_guards, child):
    with ledger.writing() as writer:
        for number in range(130):
            child.append(writer, number % 5, "x")
    break_guards(place, "UPDATE event SET body = prev")
    faults = ledger.verify().faults
    assert len(faults) == 101
    assert faults[99] == f"event 100: {MATCH}"
    assert faults[100] == "and 30 further faults"
