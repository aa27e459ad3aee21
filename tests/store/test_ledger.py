"""Append, read, read as it was, rebuild: the same on both databases."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from equipoise.ledger import (
    Actor,
    ClockSetBack,
    DamagedEvent,
    Head,
    Ledger,
    NewerEvent,
    NoSuchPosition,
    NotCanonical,
    NotUtc,
    Projection,
    Put,
    StaleTables,
    Table,
    Unsigned,
)


def test_an_empty_ledger_has_the_head_before_the_first_event(ledger):
    with ledger.reading() as reader:
        assert reader.head == Head(0, "0" * 64)
        assert list(reader.events()) == []
    assert ledger.verify().ok


def test_an_event_is_read_as_it_was_appended(ledger, child):
    with ledger.writing() as writer:
        appended = writer.append(
            "typed",
            {"item": 1, "text": "e\u0301", "dose": Decimal("1.50"), "parts": [True, None, {"a": -3}]},
            stream="T1",
            by=Actor("n.one", "nurse"),
            reason="as on the form",
            at=datetime(2018, 2, 1, 8, 0, 0, 1, tzinfo=UTC),
            source="import",
            protocol_hash="ab",
        )
    with ledger.reading() as reader:
        (event,) = reader.events()
        assert event == appended
        assert reader.head == event.head
    assert (event.seq, event.prev, event.version, event.kind, event.stream) == (1, "0" * 64, 1, "typed", "T1")
    assert event.payload == {"item": 1, "text": "\u00e9", "dose": "1.50", "parts": [True, None, {"a": -3}]}
    assert event.actor == Actor("n.one", "nurse", None)
    assert event.at == datetime(2018, 2, 1, 8, 0, 0, 1, tzinfo=UTC)
    assert (event.reason, event.source, event.protocol_hash) == ("as on the form", "import", "ab")
    assert event.software == child.SOFTWARE


def test_rows_appended_are_seen_in_the_same_transaction(ledger, child):
    with ledger.writing() as writer:
        child.append(writer, 1, "first")
        assert writer.row("item", "T1", 1) == {"thing": "T1", "item": 1, "text": "first", "note": None}
        second = child.append(writer, 1, "second")
        assert writer.row("item", "T1", 1) == {"thing": "T1", "item": 1, "text": "second", "note": None}
        assert writer.head == second.head
        assert [event.seq for event in writer.events(stream="T1")] == [1, 2]


def test_rows_are_found_by_value_in_key_order(ledger, child):
    with ledger.writing() as writer:
        for thing, item in (("b", 2), ("a", 10), ("a", 9), ("B", 1), ("é", 1), ("_", 1)):
            child.append(writer, item, "x" if item > 1 else "y", stream=thing)
    with ledger.reading() as reader:
        keys = [(row["thing"], row["item"]) for row in reader.rows("item")]
        assert keys == sorted(keys) == [("B", 1), ("_", 1), ("a", 9), ("a", 10), ("b", 2), ("é", 1)]
        assert [row["item"] for row in reader.rows("item", thing="a", text="x")] == [9, 10]
        assert len(reader.rows("item", note=None)) == 6
        assert reader.rows("item", note="none") == []
        assert reader.row("item", "a", 11) is None


@pytest.mark.parametrize("text", ["a\0", "\0", "\ud800", "a\udfff"])
def test_text_that_no_event_can_hold_is_in_no_row(ledger, child, text):
    with ledger.writing() as writer:
        child.append(writer, 1, "x", stream="a")
    with ledger.reading() as reader:
        assert reader.rows("item", thing=text) == []
        assert reader.row("item", text, 1) is None


def test_nothing_is_appended_when_the_block_fails(ledger, child):
    with pytest.raises(RuntimeError, match="stop"), ledger.writing() as writer:  # noqa: PT012
        child.append(writer, 1, "first")
        raise RuntimeError("stop")
    with ledger.reading() as reader:
        assert reader.head.seq == 0
        assert reader.rows("item") == []


def test_a_reader_sees_one_moment(filled, child):
    with filled.reading() as reader:
        before = reader.head
        with filled.writing() as writer:
            child.append(writer, 9, "later", stream="T9")
        assert reader.head == before
        assert reader.row("thing", "T9") is None
    with filled.reading() as reader:
        assert reader.head.seq == before.seq + 1
        assert reader.row("thing", "T9") is not None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, range(1, 13)),
        ({"after": 3, "upto": 6}, [4, 5, 6]),
        ({"upto": 99}, range(1, 13)),
        ({"after": 12}, []),
        ({"stream": "T1"}, [2, 5, 8, 11]),
        ({"kinds": ["a"]}, [1, 3, 5, 7, 9, 11]),
        ({"kinds": {"a", "b"}, "stream": "T0", "after": 1}, [4, 7, 10]),
        ({"kinds": []}, []),
        ({"stream": "T9"}, []),
    ],
)
def test_events_are_found_by_place_kind_and_stream(filled, wanted, found):
    with filled.reading() as reader:
        assert [event.seq for event in reader.events(**wanted)] == list(found)


def test_events_are_found_by_time_inclusively(filled, child):
    with filled.reading() as reader:
        for seconds, last in ((-1, 0), (0, 1), (4, 5), (4.5, 5), (11, 12), (99, 12)):
            until = child.START + timedelta(seconds=seconds)
            assert len(list(reader.events(until=until))) == last


def test_events_at_the_same_time_are_all_included(ledger, child):
    with ledger.writing() as writer:
        for number in range(5):
            child.append(writer, number, "x", seconds=1)
        child.append(writer, 9, "x", seconds=2)
    assert ledger.as_of(child.START + timedelta(seconds=1))[1].seq == 5


def test_more_events_than_a_page_are_read_in_order(ledger, child):
    with ledger.writing() as writer:
        for number in range(2005):
            child.append(writer, number, "x")
    with ledger.reading() as reader:
        assert [event.seq for event in reader.events(stream="T1")] == list(range(1, 2006))
    told = []
    assert ledger.verify(progress=lambda done, total: told.append((done, total))).ok
    assert told == [(1000, 2005), (2000, 2005), (2005, 2005)]


def test_the_past_is_folded_as_the_tables_were(ledger, child):
    seen = []
    for number in range(8):
        with ledger.writing() as writer:
            child.append(writer, number % 3, f"text {number}", stream=f"T{number % 2}")
            seen.append((writer.head, writer.rows("item"), writer.rows("thing")))
    for head, items, things in seen:
        tables, folded_to = ledger.as_of(head.seq)
        assert (folded_to, tables.rows("item"), tables.rows("thing")) == (head, items, things)
        at_time = ledger.as_of(child.START + timedelta(seconds=head.seq - 1))
        assert at_time[1] == head
    assert ledger.as_of(None)[1] == seen[-1][0]
    assert ledger.as_of(0)[0].rows("item") == []


def test_a_position_past_the_head_is_refused(filled):
    with pytest.raises(NoSuchPosition) as refused:
        filled.as_of(13)
    assert str(refused.value) == (
        "position = 13: is not in the ledger, which has 12 events; name a position from 0 to 12"
    )


def test_a_clock_set_back_is_refused(filled, child):
    with pytest.raises(ClockSetBack) as refused, filled.writing() as writer:
        child.append(writer, 1, "x", seconds=10.999999)
    assert str(refused.value) == (
        "at = 2018-02-01T08:00:10.999999Z: is before 2018-02-01T08:00:11.000000Z, the time of the last event; "
        "set this machine's clock right and repeat the act"
    )


def test_a_time_that_is_not_utc_is_refused(ledger):
    for at in (datetime(2018, 2, 1, 8), datetime(2018, 2, 1, 8, tzinfo=timezone(timedelta(hours=8)))):
        with pytest.raises(NotUtc) as refused, ledger.writing() as writer:
            writer.append("k", {}, stream="s", by=Actor("a", "b"), reason="r", at=at, protocol_hash="")
        assert str(refused.value) == f"at = {at.isoformat()}: is not a UTC time; pass a time with the UTC zone"


@pytest.mark.parametrize("reason", ["", "  \t\n"])
def test_an_event_without_a_reason_is_refused(ledger, child, reason):
    with pytest.raises(Unsigned) as refused, ledger.writing() as writer:
        writer.append("k", {}, stream="s", by=child.NURSE, reason=reason, at=child.START, protocol_hash="")
    assert str(refused.value) == "reason: is blank; say why this is done"


def test_a_float_is_refused_by_its_path_and_nothing_is_appended(ledger, child):
    with ledger.writing() as writer:
        with pytest.raises(NotCanonical) as refused:
            writer.append(
                "k",
                {"cells": [{"cd4": 139.5}]},
                stream="s",
                by=child.NURSE,
                reason="r",
                at=child.START,
                protocol_hash="",
            )
        assert writer.head.seq == 0
    assert str(refused.value) == (
        "payload.cells[0].cd4 = 139.5: is a float, which has no exact decimal form; pass a Decimal or text"
    )


def test_text_that_looks_like_a_statement_is_kept_as_text(ledger, child):
    nasty = "'; DROP TABLE event; -- %s ? :x \\ \" “"
    with ledger.writing() as writer:
        child.append(writer, 1, nasty, stream=nasty, kind=nasty)
    with ledger.reading() as reader:
        assert reader.row("item", nasty, 1)["text"] == nasty
        assert reader.rows("thing", kind=nasty)[0]["thing"] == nasty
        assert [event.seq for event in reader.events(kinds=[nasty], stream=nasty)] == [1]


def test_a_rebuild_gives_the_same_rows(filled):
    with filled.reading() as reader:
        before = reader.rows("item"), reader.rows("thing")
    told = []
    rebuilt = filled.rebuild(progress=lambda done, total: told.append((done, total)))
    assert (rebuilt.events, rebuilt.rows, rebuilt.identical, rebuilt.stale, rebuilt.differences) == (
        12,
        15,
        True,
        False,
        (),
    )
    assert told[-1] == (12, 12)
    with filled.reading() as reader:
        assert (reader.rows("item"), reader.rows("thing")) == before


def test_a_rebuild_says_what_differed_and_corrects_it(filled, place):
    with filled.reading() as reader:
        before = reader.rows("item"), reader.rows("thing"), [event.seq for event in reader.events(stream="T0")]
    connection = place.connect()
    connection.execute("UPDATE read_item SET text = 'forged' WHERE thing = 'T0' AND item = 3")
    connection.execute("DELETE FROM read_thing WHERE thing = 'T2'")
    connection.execute("INSERT INTO read_thing (thing, last_event) VALUES ('T9', 99)")
    connection.execute("UPDATE read_event_index SET stream = 'T1' WHERE seq = 1")
    rebuilt = filled.rebuild()
    assert rebuilt.identical is False
    assert rebuilt.differences == (
        "event_index 1: stream was 'T1', is 'T0'",
        "item T0, 3: text was 'forged', is 'täxt 3'",
        "thing T2: was missing",
        "thing T9: stood there and no event says so",
    )
    with filled.reading() as reader:
        after = reader.rows("item"), reader.rows("thing"), [event.seq for event in reader.events(stream="T0")]
    assert after == before
    assert filled.rebuild().identical


def test_a_rebuild_makes_a_dropped_table_again(filled, place):
    with filled.reading() as reader:
        before = reader.rows("item")
    place.connect().execute("DROP TABLE read_item")
    assert filled.rebuild().differences == ("table item was missing",)
    with filled.reading() as reader:
        assert reader.rows("item") == before


def test_a_rebuild_names_the_first_twenty_rows_that_differ(ledger, place, child):
    with ledger.writing() as writer:
        for number in range(30):
            child.append(writer, number, "x")
    place.connect().execute("UPDATE read_item SET text = 'forged'")
    differences = ledger.rebuild().differences
    assert len(differences) == 21
    assert differences[19:] == ("item T1, 19: text was 'forged', is 'x'", "item: and 10 further rows")


def test_tables_of_another_projection_are_refused_until_rebuilt(filled, place, child):
    newer = Projection(
        version=2,
        tables=(Table("shout", ("thing",), {"thing": str, "text": str}),),
        fold=lambda event: [Put("shout", (event.stream,), {"text": event.payload["text"].upper()})],
    )
    with Ledger.open(place.address, newer, software="equipoise next") as ledger:
        for use in (ledger.reading, ledger.writing):
            with pytest.raises(StaleTables) as refused, use():
                pass
            assert re.fullmatch(
                r"ledger = \S+: the tables were folded by projection 1 [0-9a-f]{16} and this software folds "
                r"2 [0-9a-f]{16}; run `equipoise rebuild`",
                str(refused.value),
            )
        assert ledger.verify().ok
        rebuilt = ledger.rebuild()
        assert rebuilt.rows == 3
        assert (rebuilt.identical, rebuilt.stale) == (False, True)
        assert re.fullmatch(
            r"the tables were folded by projection 1 \w+ and are now folded by 2 \w+", "".join(rebuilt.differences)
        )
        with ledger.reading() as reader:
            assert reader.row("shout", "T0") == {"thing": "T0", "text": "TÄXT 9"}
    with pytest.raises(StaleTables), filled.reading():
        pass


def test_the_same_version_with_other_columns_is_stale_too(filled, place, child):
    item, thing = child.PROJECTION.tables
    wider = replace(child.PROJECTION, tables=(item, replace(thing, columns={**thing.columns, "more": str})))
    with Ledger.open(place.address, wider, software="x") as ledger, pytest.raises(StaleTables), ledger.reading():
        pass


def test_an_altered_event_is_never_used(filled, place, break_guards):
    break_guards(place, "UPDATE event SET body = (SELECT body FROM event WHERE seq = 3) WHERE seq = 5")
    wanted = (
        "event 5: its hash does not match its content; "
        "stop using this ledger, keep its file as evidence and restore the newest backup that verifies"
    )
    with pytest.raises(DamagedEvent, match=re.escape(wanted)), filled.reading() as reader:
        list(reader.events())
    with pytest.raises(DamagedEvent, match=re.escape(wanted)):
        filled.as_of(None)
    with pytest.raises(DamagedEvent, match=re.escape(wanted)):
        filled.rebuild()
    break_guards(place, "UPDATE event SET body = (SELECT body FROM event WHERE seq = 3) WHERE seq = 12")
    with pytest.raises(DamagedEvent, match="event 12"), filled.writing():
        pass


def test_an_event_left_out_is_noticed_in_folding(filled, place, break_guards):
    break_guards(place, "DELETE FROM event WHERE seq = 5")
    with pytest.raises(DamagedEvent) as refused:
        filled.as_of(None)
    assert str(refused.value).startswith("event 6: it does not follow event 4; ")


def test_an_event_of_newer_software_is_refused(filled, place, forge):
    forge(place, 12, lambda body: body.replace(b'"version":1', b'"version":2'))
    with pytest.raises(NewerEvent) as refused, filled.writing():
        pass
    assert str(refused.value) == (
        "event 12: its body is of version 2 and this software reads up to 1; use the software that wrote it, or newer"
    )


def test_rows_made_by_a_fold_that_breaks_its_promise_are_not_written(place):
    projection = Projection(
        version=1,
        tables=(Table("thing", ("thing",), {"thing": str, "number": int}),),
        fold=lambda event: [Put("thing", (event.stream,), {"number": "seven"})],
    )
    with Ledger.create(place.address, projection, software="x") as ledger:
        with pytest.raises(AssertionError, match=r"thing\.number: 'seven'"), ledger.writing() as writer:
            writer.append(
                "k",
                {},
                stream="s",
                by=Actor("a", "b"),
                reason="r",
                at=datetime(2018, 2, 1, tzinfo=UTC),
                protocol_hash="",
            )
        with ledger.reading() as reader:
            assert reader.head.seq == 0
