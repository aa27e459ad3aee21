"""What is refused when a ledger is opened or made, and in which words."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from equipoise.ledger import Ledger, NotALedger, StoreFault
from equipoise.refusals import shown

FORMS = "write a file's path, sqlite:///path or postgresql://user@host/database"


def open_(address, child):
    Ledger.open(address, child.PROJECTION, software="x").close()


def create(address, child):
    Ledger.create(address, child.PROJECTION, software="x").close()


def refusal_of(act, *arguments):
    with pytest.raises((NotALedger, StoreFault)) as refused:
        act(*arguments)
    return str(refused.value)


def test_a_ledger_is_not_made_over_another(ledger, place, child):
    with ledger.writing() as writer:
        child.append(writer, 1, "x")
    text = refusal_of(create, place.address, child)
    if place.kind == "sqlite":
        name = shown(ledger.store.address)
        assert text == f"ledger = {name}: is there already; open it, or name a file that is not there"
    else:
        assert text == (
            f"ledger = {shown(ledger.store.address)}: holds a table event already; "
            "open the ledger that is there, or name another place"
        )
    with ledger.reading() as reader:
        assert reader.head.seq == 1


def test_a_ledger_is_opened_by_path_and_by_address(sqlite_place, child, tmp_path):
    create(tmp_path / "trial.db", child)
    open_(tmp_path / "trial.db", child)
    open_(str(tmp_path / "trial.db"), child)
    open_(f"sqlite:///{tmp_path / 'trial.db'}", child)


def test_a_strange_file_name_is_taken_as_it_is(tmp_path, child):
    path = tmp_path / "a b?mode=ro#%41é.db"
    create(path, child)
    open_(path, child)
    assert path.exists()


def test_a_ledger_of_a_newer_format_is_refused(ledger, place, child):
    place.connect().execute("UPDATE ledger SET value = '2' WHERE name = 'format'")
    assert refusal_of(open_, place.address, child) == (
        f"ledger = {shown(ledger.store.address)}: its format is 2 and this software reads 1; "
        "use the software that made it, or newer"
    )


def test_an_interrupted_creation_can_be_repeated(sqlite_place, child):
    connection = sqlite_place.connect()
    connection.execute("PRAGMA journal_mode = WAL")  # as far as a creation had come
    create(sqlite_place.address, child)
    open_(sqlite_place.address, child)


def test_what_is_no_ledger_is_refused(tmp_path, child):
    text = tmp_path / "notes.txt"
    text.write_text("to be done")
    empty = tmp_path / "empty.db"
    empty.touch()
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE patient (id)")
    connection.close()
    cases = [
        (open_, tmp_path, "is a folder; name the ledger's file in it, such as trial.db"),
        (open_, tmp_path / "no.db", "is not there; check the name, or create the ledger first"),
        (open_, tmp_path / "no" / "no.db", "is not there; check the name, or create the ledger first"),
        (open_, text, "is not a ledger; name the file that holds the ledger"),
        (open_, empty, "is not a ledger; name the file that holds the ledger"),
        (open_, other, "is not a ledger; name the place of a ledger, or create one"),
        (create, tmp_path, "is a folder; name the ledger's file in it, such as trial.db"),
        (create, tmp_path / "no" / "no.db", "its folder is not there; make the folder first"),
        (create, text, "is not a ledger; name the file that holds the ledger"),
        (create, other, "is there already; open it, or name a file that is not there"),
    ]
    for act, path, words in cases:
        assert refusal_of(act, path, child) == f"ledger = {shown(path)}: {words}"
    assert not (tmp_path / "no.db").exists()
    assert text.read_text() == "to be done"
    assert (
        refusal_of(open_, "mysql://u:secret@h/d", child) == f"ledger = mysql://u:***@h/d: is of no known kind; {FORMS}"
    )
    assert refusal_of(open_, "sqlite://", child) == f"ledger = sqlite://: is of no known kind; {FORMS}"
    assert refusal_of(open_, "://secret", child) == f"ledger: the address cannot be read; {FORMS}"


OPEN_AS_SOMEONE = """
import os, sys
from equipoise.ledger import Ledger, Projection
from equipoise.refusals import Refusal
PROJECTION = Projection(1, (), lambda event: ())
Ledger.create(sys.argv.pop(1), PROJECTION, software="x").close()  # loads all that is loaded late
if os.geteuid() == 0:  # root may write anywhere, so the attempt is made as somebody else
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
for act in (Ledger.open, Ledger.create):
    for path in sys.argv[1:]:
        try:
            act(path, PROJECTION, software="x")
        except Refusal as refusal:
            print(refusal)
"""


def test_a_file_or_folder_that_cannot_be_written_is_refused(tmp_path, child, cluster_free_folder):
    path = cluster_free_folder / "trial.db"
    create(path, child)
    path.chmod(0o444)
    cluster_free_folder.chmod(0o555)
    command = [sys.executable, "-c", OPEN_AS_SOMEONE, tmp_path / "first.db", path, cluster_free_folder / "new.db"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == [
        f"ledger = {path}: the file or its folder cannot be written to; ask for write permission on both",
        f"ledger = {path.with_name('new.db')}: is not there; check the name, or create the ledger first",
        f"ledger = {path}: the file or its folder cannot be written to; ask for write permission on both",
        f"ledger = {path.with_name('new.db')}: its folder cannot be written to; choose another folder",
    ]


def test_a_file_that_becomes_read_only_while_open_is_refused(sqlite_place, child):
    with (  # noqa: PT012
        Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger,
        pytest.raises(StoreFault) as refused,
        ledger.writing() as writer,
    ):
        writer._log.transaction.run("PRAGMA query_only = ON")
        child.append(writer, 1, "x")
    assert str(refused.value) == (
        f"ledger = {shown(Path(sqlite_place.address))}: the file or its folder cannot be written to; "
        "ask for write permission on both"
    )


def test_a_full_disk_is_refused_and_nothing_is_appended(sqlite_place, child):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with pytest.raises(StoreFault) as refused, ledger.writing() as writer:  # noqa: PT012
            writer._log.transaction.run("PRAGMA max_page_count = 1")  # SQLite's own way to play a full disk
            child.append(writer, 1, "x" * 1_000_000)
        assert str(refused.value) == (
            f"ledger = {shown(Path(sqlite_place.address))}: the disk is full; nothing was written; make room"
        )
        assert ledger.verify().events == 0


def test_a_damaged_file_is_refused(sqlite_place, child, tmp_path):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        ledger.backup(tmp_path / "b.db")
    data = (tmp_path / "b.db").read_bytes()
    (tmp_path / "b.db").write_bytes(data[:100] + b"\xff" * 3996 + data[4096:])
    assert refusal_of(open_, tmp_path / "b.db", child) == (
        f"ledger = {shown(tmp_path / 'b.db')}: the file is damaged; keep it as evidence and restore the newest backup"
    )


@pytest.fixture
def cluster_free_folder():
    """A folder that other users can reach, which pytest's own are not."""
    import shutil
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="eq-ro-"))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.postgresql
class TestPostgresql:
    """What PostgreSQL alone can be refused for."""

    def test_an_empty_schema_is_no_ledger(self, postgresql_place, child):
        assert re.fullmatch(
            r"ledger = \S+: is not a ledger; name the place of a ledger, or create one",
            refusal_of(open_, postgresql_place.address, child),
        )

    def test_a_server_that_cannot_be_reached_is_refused_without_its_password(self, cluster, child):
        address = f"postgresql://owner:secret@/none?host={cluster.folder}/nowhere"
        text = refusal_of(open_, address, child)
        assert "secret" not in text
        assert text.endswith(
            ": the server could not be reached, or ended the connection; check address, password and server; "
            "then look whether the last act was recorded before repeating it"
        )

    def test_a_database_that_is_not_there_is_refused(self, cluster, child):
        address = f"postgresql://owner@/nodatabase?host={cluster.folder}"
        assert ": the server could not be reached, or ended the connection; " in refusal_of(open_, address, child)

    def test_a_server_that_forgets_what_it_acknowledged_is_refused(self, cluster, postgresql_place, child):
        connection = postgresql_place.connect()
        connection.execute("CREATE DATABASE forgetful")
        connection.execute("ALTER DATABASE forgetful SET synchronous_commit = off")
        address = f"postgresql://owner@/forgetful?host={quote(str(cluster.folder), safe='')}"
        assert refusal_of(create, address, child) == (
            f"ledger = {shown(address)}: the server has synchronous_commit = off and can lose events it has "
            "acknowledged; have the server's keeper set synchronous_commit = on"
        )

    def test_a_database_that_is_not_utf8_is_refused(self, cluster, postgresql_place, child):
        postgresql_place.connect().execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
        address = f"postgresql://owner@/latin?host={quote(str(cluster.folder), safe='')}"
        assert refusal_of(create, address, child) == (
            f"ledger = {shown(address)}: the database keeps text in LATIN1; make a database with ENCODING 'UTF8'"
        )

    def test_a_missing_driver_is_refused_with_the_way_to_install_it(self, child, monkeypatch):
        monkeypatch.setitem(sys.modules, "psycopg", None)
        assert refusal_of(open_, "postgresql://u:secret@h/d", child) == (
            "ledger = postgresql://u:***@h/d: PostgreSQL's driver is not installed; "
            "install it: pip install 'equipoise[postgresql]'"
        )
