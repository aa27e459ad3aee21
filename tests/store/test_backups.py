"""A backup holds every event, verifies, and gives the same head when it is restored."""

import shutil
import sqlite3
import threading

import pytest

from equipoise.ledger import Anchor, BadBackup, Ledger, NotALedger
from equipoise.refusals import shown


def test_a_backup_restores_to_the_same_head_and_rows(filled, child, tmp_path):
    backup = filled.backup(tmp_path / "b.db")
    with filled.reading() as reader:
        assert (backup.events, backup.head, backup.path) == (12, reader.head, tmp_path / "b.db")
        rows, events = reader.rows("item"), list(reader.events())
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == "b") == ["b.db"]
    with Ledger.restore(backup.path, tmp_path / "again.db", child.PROJECTION, software="x") as again:
        found = again.verify(Anchor.of(backup.head, child.START))
        assert (found.ok, found.head, found.events) == (True, backup.head, 12)
        with again.reading() as reader:
            assert reader.rows("item") == rows
            assert list(reader.events()) == events
        assert again.rebuild().identical
        with again.writing() as writer:
            assert child.append(writer, 1, "goes on").seq == 13


@pytest.mark.postgresql
def test_a_backup_of_a_file_restores_into_a_server(sqlite_place, postgresql_place, child, tmp_path):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            for number in range(5):
                child.append(writer, number, f"täxt {number}")
        backup = ledger.backup(tmp_path / "b.db")
    restored = Ledger.restore(tmp_path / "b.db", postgresql_place.address, child.PROJECTION, software="x")
    with restored:
        assert restored.verify().head == backup.head
        assert restored.backup(tmp_path / "c.db").head == backup.head


def test_a_backup_opens_as_a_ledger(filled, child, tmp_path):
    backup = filled.backup(tmp_path / "b.db")
    assert backup.path.read_bytes()[18:20] != b"\x02\x02"  # not in WAL mode: the file is complete by itself
    with Ledger.open(backup.path, child.PROJECTION, software="x") as ledger, ledger.reading() as reader:
        assert reader.head == backup.head
        assert len(reader.rows("item")) == 12


def test_events_still_in_the_write_ahead_log_are_in_the_backup_and_not_in_a_copy(sqlite_place, child, tmp_path):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            child.append(writer, 1, "fresh")
        shutil.copy(sqlite_place.address, tmp_path / "copied.db")
        backup = ledger.backup(tmp_path / "b.db")
    assert backup.events == 1
    copied = sqlite3.connect(tmp_path / "copied.db")
    assert copied.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event'").fetchone() == (0,)
    copied.close()


def test_a_backup_beside_a_writer_holds_a_chain_up_to_some_moment(filled, child, tmp_path):
    stop = threading.Event()

    def append_on():
        while not stop.is_set():
            with filled.writing() as writer:
                child.append(writer, writer.head.seq % 5, "x")

    writing = threading.Thread(target=append_on)
    writing.start()
    try:
        backups = [filled.backup(tmp_path / f"b{number}.db") for number in range(4)]
    finally:
        stop.set()
        writing.join()
    with filled.reading() as reader:
        heads = {event.seq: event.head for event in reader.events()}
    for backup in backups:
        assert backup.events == backup.head.seq
        assert heads[backup.head.seq] == backup.head


def test_a_backup_is_not_written_over_another(filled, tmp_path):
    (tmp_path / "b.db").write_text("precious")
    with pytest.raises(BadBackup) as refused:
        filled.backup(tmp_path / "b.db")
    assert str(refused.value) == (
        f"backup = {shown(tmp_path / 'b.db')}: is there already; name a file that is not there"
    )
    assert (tmp_path / "b.db").read_text() == "precious"


def test_a_backup_into_a_folder_that_is_not_there_is_refused(filled, tmp_path):
    with pytest.raises(BadBackup) as refused:
        filled.backup(tmp_path / "no" / "b.db")
    assert (
        str(refused.value)
        == f"backup = {shown(tmp_path / 'no' / 'b.db')}: its folder is not there; make the folder first"
    )


def test_what_an_interrupted_backup_left_is_replaced(filled, tmp_path):
    (tmp_path / "b.db.part").write_text("half")
    assert filled.backup(tmp_path / "b.db").events == 12
    assert not (tmp_path / "b.db.part").exists()


def test_an_altered_ledger_is_not_backed_up(filled, place, break_guards, tmp_path):
    break_guards(place, "UPDATE event SET body = prev WHERE seq = 7")
    with pytest.raises(BadBackup) as refused:
        filled.backup(tmp_path / "b.db")
    assert "does not verify: event 7: its hash does not match its content; " in str(refused.value)
    assert list(tmp_path.glob("b.db*")) == []


def test_an_altered_backup_is_not_restored(filled, place, child, tmp_path):
    filled.backup(tmp_path / "b.db")
    connection = sqlite3.connect(tmp_path / "b.db", isolation_level=None)
    connection.execute("DROP TRIGGER event_delete")
    connection.execute("DELETE FROM event WHERE seq = 12")
    connection.close()
    with pytest.raises(BadBackup) as refused:
        Ledger.restore(tmp_path / "b.db", tmp_path / "again.db", child.PROJECTION, software="x")
    assert str(refused.value) == (
        f"backup = {shown(tmp_path / 'b.db')}: does not verify: guard event_delete: is missing from the database or "
        "was changed; find who did it; a restored backup has its guards again; use one that verifies"
    )
    assert not (tmp_path / "again.db").exists()


def test_a_backup_without_the_anchored_event_is_not_restored(filled, child, tmp_path):
    filled.backup(tmp_path / "b.db")
    with filled.writing() as writer:
        anchored = child.append(writer, 1, "after the backup")
    anchor = Anchor.of(anchored.head, child.START)
    with pytest.raises(BadBackup, match="event 13: it is anchored, but the ledger ends at event 12"):
        Ledger.restore(tmp_path / "b.db", tmp_path / "again.db", child.PROJECTION, software="x", anchor=anchor)


def test_a_backup_is_not_restored_over_a_ledger(filled, place, child, tmp_path):
    filled.backup(tmp_path / "b.db")
    with pytest.raises(NotALedger, match="already"):
        Ledger.restore(tmp_path / "b.db", place.address, child.PROJECTION, software="x")


def test_what_is_no_ledger_is_not_restored(child, tmp_path):
    with pytest.raises(NotALedger) as refused:
        Ledger.restore(tmp_path / "b.db", tmp_path / "again.db", child.PROJECTION, software="x")
    assert str(refused.value) == (
        f"ledger = {shown(tmp_path / 'b.db')}: is not there; check the name, or create the ledger first"
    )
