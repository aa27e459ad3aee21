"""Run the store tests on SQLite and, where its binaries are found, on a PostgreSQL server of their own."""

import getpass
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

CHILD_SCRIPT = Path(__file__).with_name("ledger_child.py")
NUMBERS = itertools.count(1)


def postgresql_binaries():
    """The folder of initdb and pg_ctl, or None."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@dataclass
class Cluster:
    """A throw-away PostgreSQL server that listens on a socket alone and runs under an ordinary user."""

    binaries: Path
    folder: Path
    user: str

    def run(self, *command):
        """Run one of the server's programs as its user (PostgreSQL does not run as root)."""
        user = self.user if os.geteuid() == 0 else None
        group = pwd.getpwnam(user).pw_gid if user else None
        subprocess.run(
            [self.binaries / command[0], *command[1:]],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            user=user,
            group=group,
            extra_groups=[] if user else None,
        )

    def start(self):
        """Start the server and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=120"
        self.run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self, mode):
        """Stop the server; `immediate` leaves recovery to the next start."""
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-m", mode, "stop")

    def url(self, schema, user="owner"):
        """The address of one schema."""
        return f"postgresql://{user}@/postgres?host={self.folder}&options=-csearch_path%3D{schema}"

    def connect(self, schema, user="owner"):
        """A connection of the plain driver, each statement a transaction."""
        import psycopg

        options = f"-csearch_path={schema}"
        return psycopg.connect(host=str(self.folder), user=user, dbname="postgres", options=options, autocommit=True)


@pytest.fixture(scope="session")
def cluster():
    """A running PostgreSQL server."""
    binaries = postgresql_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server (initdb) found")
    pytest.importorskip("psycopg")
    users = {entry.pw_name for entry in pwd.getpwall()}
    user = getpass.getuser() if os.geteuid() else ("postgres" if "postgres" in users else "nobody")
    # In memory where there is such a folder: these tests end processes, not machines, so no disk is put to the test.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="eq-pg-", dir=memory))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    cluster = Cluster(binaries, folder, user)
    cluster.run(
        "initdb", "-D", folder / "data", "-A", "trust", "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
    )
    cluster.start()
    yield cluster
    cluster.stop("fast")
    shutil.rmtree(folder)


@dataclass
class Place:
    """An address at which a test may make a ledger."""

    kind: str
    address: str
    connect: object  # opens a connection of the plain driver, each statement a transaction


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request, tmp_path):
    """A fresh place in each of the databases."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def sqlite_place(tmp_path):
    """A file that is not there yet."""
    import sqlite3

    path = tmp_path / "trial.db"
    opened = []

    def connect():
        opened.append(sqlite3.connect(path, isolation_level=None))
        return opened[-1]

    yield Place("sqlite", str(path), connect)
    for connection in opened:
        connection.close()


@pytest.fixture
def postgresql_place(cluster):
    """An empty schema."""
    schema = f"trial{next(NUMBERS)}"
    opened = []

    def connect(user="owner"):
        opened.append(cluster.connect(schema, user))
        return opened[-1]

    connect().execute(f"CREATE SCHEMA {schema}")
    yield Place("postgresql", cluster.url(schema), connect)
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def child():
    """The module that the tests and their child processes share."""
    spec = importlib.util.spec_from_file_location("ledger_child", CHILD_SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def child_script():
    """The file to run as a child process."""
    return CHILD_SCRIPT


@pytest.fixture
def ledger(place, child):
    """An empty ledger."""
    from equipoise.ledger import Ledger

    with Ledger.create(place.address, child.PROJECTION, software=child.SOFTWARE) as ledger:
        yield ledger


@pytest.fixture
def filled(ledger, child):
    """A ledger of twelve events about three things."""
    with ledger.writing() as writer:
        for number in range(12):
            child.append(writer, number % 4, f"täxt {number}", stream=f"T{number % 3}", kind="ab"[number % 2])
    return ledger


def drop_guards(place, connection):
    """Do what only the owner of the file or the tables can: take the guards away."""
    if place.kind == "sqlite":
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    else:
        connection.execute("ALTER TABLE event DISABLE TRIGGER ALL")


def mend_guards(place, connection):
    """Put the guards back, so that only the chain can tell."""
    if place.kind == "sqlite":
        from equipoise.ledger.sqlite import GUARDS

        for statement in GUARDS.values():
            connection.execute(statement)
    else:
        from equipoise.ledger.postgresql import GUARDS

        for name in GUARDS:
            connection.execute(f"ALTER TABLE event ENABLE ALWAYS TRIGGER {name}")


@pytest.fixture(scope="session")
def break_guards():
    """Run statements with the guards away, then put them back."""

    def act(place, *statements):
        connection = place.connect()
        drop_guards(place, connection)
        for statement in statements:
            connection.execute(*statement) if isinstance(statement, tuple) else connection.execute(statement)
        mend_guards(place, connection)
        connection.close()

    return act


@pytest.fixture(scope="session")
def forge(break_guards):
    """Change one event's body and give it a fitting hash, as a forger would."""
    from equipoise.ledger.chain import link_hash

    def act(place, seq, change):
        connection = place.connect()
        mark = "?" if place.kind == "sqlite" else "%s"
        prev, body = connection.execute(f"SELECT prev, body FROM event WHERE seq = {seq}").fetchone()
        changed = change(body)
        assert changed != body
        values = (changed, link_hash(prev, changed))
        break_guards(place, (f"UPDATE event SET body = {mark}, hash = {mark} WHERE seq = {seq}", values))

    return act
