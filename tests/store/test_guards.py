"""The database itself refuses to change what was appended."""

import sqlite3

import pytest

from equipoise.ledger.chain import link_hash

APPEND_ONLY = "the ledger is append-only"


@pytest.fixture
def connection(filled, place):
    """The plain driver on a ledger of twelve events, all guards in place."""
    return place.connect()


def error_of(place):
    """What the plain driver raises when a guard speaks."""
    if place.kind == "sqlite":
        return sqlite3.IntegrityError
    import psycopg

    return psycopg.errors.RaiseException


CHANGES = [
    "UPDATE event SET body = body",
    "UPDATE event SET seq = 99 WHERE seq = 12",
    "UPDATE event SET body = body WHERE seq = 3",
    "DELETE FROM event",
    "DELETE FROM event WHERE seq = 12",
    "INSERT INTO event SELECT seq, prev, hash, body FROM event WHERE seq = 12",
    "INSERT INTO event SELECT 14, hash, hash, body FROM event WHERE seq = 12",
    "INSERT INTO event SELECT 0, prev, hash, body FROM event WHERE seq = 1",
    "INSERT INTO event SELECT -1, prev, hash, body FROM event WHERE seq = 1",
    "INSERT INTO event SELECT 13, prev, hash, body FROM event WHERE seq = 12",
    "INSERT INTO event SELECT seq, prev, hash, body FROM event WHERE seq = 12 ON CONFLICT (seq) DO NOTHING",
    "INSERT INTO event SELECT seq, prev, hash, body FROM event WHERE seq = 12 "
    "ON CONFLICT (seq) DO UPDATE SET body = excluded.prev",
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused(filled, place, connection, change):
    with pytest.raises(error_of(place), match=APPEND_ONLY):
        connection.execute(change)
    assert filled.verify().ok
    assert filled.verify().events == 12


@pytest.mark.parametrize("recursive", ["OFF", "ON"])
@pytest.mark.parametrize(
    "change",
    [
        "INSERT OR REPLACE INTO event SELECT seq, prev, hash, x'00' FROM event WHERE seq = 12",
        "REPLACE INTO event SELECT seq, prev, hash, x'00' FROM event WHERE seq = 3",
        "INSERT OR IGNORE INTO event SELECT 13, prev, hash, body FROM event WHERE seq = 12",
        "INSERT OR REPLACE INTO event SELECT 12, hash, hash, body FROM event WHERE seq = 11",
        "UPDATE OR REPLACE event SET seq = 12 WHERE seq = 11",
        "UPDATE OR IGNORE event SET body = x'00' WHERE seq = 11",
        "INSERT INTO event (prev, hash, body) SELECT prev, hash, body FROM event WHERE seq = 12",
        "UPDATE event SET rowid = 99 WHERE rowid = 12",
    ],
)
def test_sqlite_conflict_clauses_open_no_door(sqlite_place, child, recursive, change):
    from equipoise.ledger import Ledger

    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            for number in range(12):
                child.append(writer, number, "x")
        connection = sqlite_place.connect()
        connection.execute(f"PRAGMA recursive_triggers = {recursive}")
        with pytest.raises(sqlite3.IntegrityError, match=APPEND_ONLY):
            connection.execute(change)
        assert ledger.verify().ok


def test_without_its_insert_guard_sqlite_would_let_replace_rewrite_an_event(sqlite_place, child):
    """Why the guard stands before INSERT: REPLACE fires no delete trigger by itself."""
    from equipoise.ledger import Ledger

    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with ledger.writing() as writer:
            for number in range(3):
                child.append(writer, number, "x")
        connection = sqlite_place.connect()
        connection.execute("DROP TRIGGER event_insert")
        connection.execute("REPLACE INTO event SELECT seq, prev, hash, x'00' FROM event WHERE seq = 3")
        assert [fault.split(":")[0] for fault in ledger.verify().faults] == ["event 3", "guard event_insert"]


def test_sqlite_refuses_other_types_than_bytes(sqlite_place, child):
    from equipoise.ledger import Ledger

    Ledger.create(sqlite_place.address, child.PROJECTION, software="x").close()
    connection = sqlite_place.connect()
    zero = bytes(32)
    for row in ((1, zero, zero, "text"), (1, zero, b"short", b"{}"), (1, zero, zero, None)):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO event VALUES (?, ?, ?, ?)", row)


def test_the_event_table_has_one_key_and_no_second(filled, place, connection):
    if place.kind == "sqlite":
        assert connection.execute("PRAGMA index_list('event')").fetchall() == []
    else:
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'event' AND schemaname = current_schema()"
        )
        (definition,) = indexes.fetchone()
        assert definition.endswith("(seq)")
        assert indexes.fetchone() is None


@pytest.mark.postgresql
class TestPostgresql:
    """Doors that PostgreSQL alone has."""

    @pytest.fixture
    def place(self, postgresql_place):
        return postgresql_place

    @pytest.mark.parametrize("change", ["TRUNCATE event", "TRUNCATE event CASCADE"])
    def test_truncate_is_refused(self, filled, place, change):
        with pytest.raises(error_of(place), match=f"{APPEND_ONLY}: TRUNCATE refused"):
            place.connect().execute(change)

    def test_a_session_that_calls_itself_a_replica_is_refused_too(self, filled, place):
        connection = place.connect()
        connection.execute("SET session_replication_role = replica")
        for change in ("TRUNCATE event", "DELETE FROM event", "UPDATE event SET body = body"):
            with pytest.raises(error_of(place), match=APPEND_ONLY):
                connection.execute(change)

    def test_an_event_whose_hash_does_not_fit_is_refused(self, filled, place):
        connection = place.connect()
        with pytest.raises(error_of(place), match=APPEND_ONLY):
            connection.execute("INSERT INTO event SELECT 13, hash, hash, body FROM event WHERE seq = 12")

    def test_an_event_whose_hash_fits_is_let_in(self, filled, place):
        connection = place.connect()
        prev, body = connection.execute("SELECT hash, body FROM event WHERE seq = 12").fetchone()
        connection.execute("INSERT INTO event VALUES (13, %s, %s, %s)", (prev, link_hash(prev, body), body))
        assert filled.verify().ok

    def test_merge_is_refused(self, filled, place):
        connection = place.connect()
        with pytest.raises(error_of(place), match=APPEND_ONLY):
            connection.execute(
                "MERGE INTO event USING (SELECT 12::bigint AS seq) AS other ON event.seq = other.seq "
                "WHEN MATCHED THEN UPDATE SET body = prev"
            )

    def test_a_temporary_table_called_event_does_not_deceive_the_guard(self, filled, place):
        connection = place.connect()
        schema = connection.execute("SELECT current_schema()").fetchone()[0]
        connection.execute("CREATE TEMPORARY TABLE event (seq bigint, hash bytea)")
        with pytest.raises(error_of(place), match=APPEND_ONLY):
            connection.execute(
                f"INSERT INTO {schema}.event SELECT 1, prev, hash, body FROM {schema}.event WHERE seq = 1"
            )

    def test_a_disabled_guard_is_reported(self, filled, place):
        connection = place.connect()
        connection.execute("ALTER TABLE event ENABLE TRIGGER event_truncate")  # no longer ALWAYS
        connection.execute("ALTER TABLE event DISABLE TRIGGER event_rows")
        assert filled.verify().faults == (
            "guard event_rows: is missing from the database or was changed; "
            "find who did it; a restored backup has its guards again",
            "guard event_truncate: is missing from the database or was changed; "
            "find who did it; a restored backup has its guards again",
        )

    def test_a_guard_with_another_body_is_reported(self, filled, place):
        place.connect().execute(
            "CREATE OR REPLACE FUNCTION event_guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        assert [fault.split(":")[0] for fault in filled.verify().faults] == ["guard event_rows", "guard event_truncate"]


@pytest.mark.postgresql
class TestApplicationRole:
    """The role that the application signs in with may append and read, no more."""

    @pytest.fixture
    def place(self, postgresql_place):
        return postgresql_place

    @pytest.fixture
    def role(self, filled, place):
        """A role with a name that needs quoting, let in by the owner."""
        name = f"Site ? {place.address[-3:]}"
        place.connect().execute(f'CREATE ROLE "{name}" LOGIN')
        filled.grant(name)
        yield name
        place.connect().execute(f'DROP OWNED BY "{name}"')
        place.connect().execute(f'DROP ROLE "{name}"')

    @pytest.fixture
    def as_role(self, place, role, child):
        """The ledger opened by that role."""
        from urllib.parse import quote

        from equipoise.ledger import Ledger

        address = place.address.replace("owner@", f"{quote(role)}@")
        with Ledger.open(address, child.PROJECTION, software="x") as ledger:
            yield ledger

    def test_it_appends_reads_rebuilds_and_verifies(self, as_role, child):
        with as_role.writing() as writer:
            child.append(writer, 1, "by the role")
        assert as_role.verify().ok
        assert as_role.rebuild().identical

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE event SET body = body",
            "DELETE FROM event",
            "TRUNCATE event",
            "DROP TABLE event",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "DROP TRIGGER event_rows ON event",
            "DROP FUNCTION event_guard CASCADE",
            "CREATE OR REPLACE FUNCTION event_guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "SET session_replication_role = replica",
            "UPDATE ledger SET value = '2'",
            "CREATE RULE door AS ON INSERT TO event DO INSTEAD NOTHING",
        ],
    )
    def test_it_cannot_change_what_was_appended(self, place, role, change):
        import psycopg

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            place.connect(role).execute(change)

    def test_it_cannot_let_others_in(self, as_role, role):
        from equipoise.ledger import StoreFault

        with pytest.raises(StoreFault) as refused:
            as_role.grant("owner")
        assert str(refused.value) == (
            f"ledger = {shown_address(as_role)}: this database role may not do that; "
            "sign in as the role that owns the ledger's tables"
        )


def shown_address(ledger):
    """The address as a refusal shows it."""
    from equipoise.refusals import shown

    return shown(ledger.store.address)


def test_an_sqlite_file_has_no_roles(sqlite_place, child):
    from equipoise.ledger import Ledger, NotALedger

    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger:
        with pytest.raises(NotALedger) as refused:
            ledger.grant("site")
        assert str(refused.value) == (
            f"ledger = {shown_address(ledger)}: an SQLite file has no roles; protect the file by its permissions"
        )
