"""A ledger in a PostgreSQL database, one ledger a schema.

One writer at a time through an advisory lock taken before the head is read. The owner of the tables makes them; the
role that the application signs in with holds SELECT and INSERT on events and cannot drop a guard.
"""

from typing import Final

from sqlalchemy import URL, create_engine

from equipoise.ledger.chain import DOMAIN, GENESIS
from equipoise.ledger.store import (
    APPEND_ONLY,
    WAIT_SECONDS,
    Busy,
    NotALedger,
    Store,
    StoreFault,
    Transaction,
    address_of,
)
from equipoise.refusals import Refusal

LOCK: Final = 0x45515550  # the first half of the advisory lock's key; the second is the event table's own number

EVENT_TABLE: Final = """CREATE TABLE event (
  seq bigint PRIMARY KEY,
  prev bytea NOT NULL,
  hash bytea NOT NULL,
  body bytea NOT NULL
)"""

# The function looks in the ledger's schema alone, temporary tables last: a session's own table called `event` would
# else be taken for the ledger.
GUARD_BODY: Final = f"""
DECLARE
  last record;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    RAISE EXCEPTION USING MESSAGE = '{APPEND_ONLY}: ' || TG_OP || ' refused';
  END IF;
  SELECT seq, hash INTO last FROM event ORDER BY seq DESC LIMIT 1;
  IF NEW.seq IS DISTINCT FROM coalesce(last.seq, 0) + 1
    OR NEW.prev IS DISTINCT FROM coalesce(last.hash, '\\x{GENESIS.hex()}'::bytea)
    OR NEW.hash IS DISTINCT FROM sha256('\\x{DOMAIN.hex()}'::bytea
      || int8send(octet_length(NEW.prev)) || NEW.prev || int8send(octet_length(NEW.body)) || NEW.body)
  THEN
    RAISE EXCEPTION USING MESSAGE = '{APPEND_ONLY}: an event follows the last one and carries its hash';
  END IF;
  RETURN NEW;
END
"""  # noqa: S608

GUARDS: Final = {
    "event_rows": "BEFORE INSERT OR UPDATE OR DELETE ON event FOR EACH ROW",
    "event_truncate": "BEFORE TRUNCATE ON event FOR EACH STATEMENT",
}

UNSAFE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings under which a server forgets what it has acknowledged."""


class PostgresqlStore(Store):
    """The database at a PostgreSQL address. The ledger is in the first schema of the search path."""

    mark = "%s"

    def __init__(self, url: URL) -> None:
        self.address = address_of(url)
        import psycopg  # here, so that a ledger in a file needs no driver

        self.errors = (psycopg.Error,)
        self._misused = psycopg.ProgrammingError
        self._unreachable = (psycopg.OperationalError, psycopg.InterfaceError)
        self._wait = f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"
        self.engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            max_overflow=-1,
            pool_pre_ping=True,  # a page served after the server's restart should not fail
        )

    def begin_writing(self, transaction: Transaction) -> None:
        """Take the ledger's lock before anything is read.

        Read committed, so that each statement sees what was committed before it: under repeatable read the
        snapshot would be taken with the lock statement, before the lock is granted, and the head would be stale.
        """
        transaction.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        transaction.run(self._wait)
        transaction.run(f"SELECT pg_advisory_xact_lock({LOCK}, 'event'::regclass::oid::integer)")

    def begin_creating(self, transaction: Transaction) -> None:
        """Take a lock that every maker of a ledger in this database takes."""
        transaction.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        transaction.run(self._wait)
        transaction.run(f"SELECT pg_advisory_xact_lock({LOCK}, 0)")

    def begin_reading(self, transaction: Transaction) -> None:
        """Begin a snapshot; the first statement fixes it."""
        transaction.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def create_event_table(self, transaction: Transaction) -> None:
        """Make the `event` table with its guards."""
        schema = self._schema(transaction)
        transaction.run(EVENT_TABLE)
        transaction.run(
            f"CREATE FUNCTION event_guard() RETURNS trigger LANGUAGE plpgsql "
            f"SET search_path = {schema}, pg_temp AS $guard${GUARD_BODY}$guard$"
        )
        for name, when in GUARDS.items():
            transaction.run(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION event_guard()")
            # ALWAYS: also in a session that calls itself a replica, in which ordinary triggers keep still.
            transaction.run(f"ALTER TABLE event ENABLE ALWAYS TRIGGER {name}")

    def missing_guards(self, transaction: Transaction) -> list[str]:
        """The guards of the `event` table that are not there, or not as they were made."""
        rows = transaction.rows(
            "SELECT t.tgname, t.tgenabled, p.prosrc, pg_get_triggerdef(t.oid) FROM pg_trigger t "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = 'event'::regclass"
        )
        there = {
            name
            for name, enabled, source, made in rows
            if enabled == "A" and source == GUARD_BODY and " WHEN " not in made
        }
        return [name for name in GUARDS if name not in there]

    def table_names(self, transaction: Transaction) -> set[str]:
        """The tables in the ledger's schema."""
        rows = transaction.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {name for (name,) in rows}

    def prepare_new(self) -> None:
        """See that the server can be reached and keeps what it acknowledges; see `check_server`."""
        self.check_server()

    def prepare_old(self) -> None:
        """See that the server can be reached and keeps what it acknowledges; see `check_server`."""
        self.check_server()

    def check_server(self) -> None:
        """See that the server can be reached and keeps what it acknowledges.

        Raises:
            NotALedger: when a setting would lose acknowledged events, text is not UTF-8, or the address has an option
                that PostgreSQL does not take.
            StoreFault: when the server cannot be reached.
        """
        try:
            self._check_settings()
        except self._misused as error:
            if error.sqlstate is not None:  # else the driver gave up before it asked the server
                raise
            problem = "has an option that PostgreSQL does not take"
            raise NotALedger("ledger", self.address, problem, "correct what follows the question mark") from error

    def _check_settings(self) -> None:
        with self.outside() as transaction:
            for setting, unsafe in UNSAFE.items():
                if transaction.scalar(f"SHOW {setting}") == unsafe:
                    problem = f"the server has {setting} = {unsafe} and can lose events it has acknowledged"
                    raise NotALedger("ledger", self.address, problem, f"have the server's keeper set {setting} = on")
            encoding = transaction.scalar("SHOW server_encoding")
            if encoding != "UTF8":
                problem = f"the database keeps text in {encoding}"
                raise NotALedger("ledger", self.address, problem, "make a database with ENCODING 'UTF8'")

    def grant(self, transaction: Transaction, role: str, read_tables: list[str]) -> None:
        """Let a role work with the ledger without owning it: SELECT and INSERT on events, no more.

        Args:
            transaction: one that writes, signed in as the tables' owner.
            role: the role; it must exist and should own nothing.
            read_tables: the tables folded from events, which the role fills.

        Raises:
            StoreFault: when signed in as another role: PostgreSQL would only warn, and grant nothing.
        """
        owner = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'event'::regclass"
        if not transaction.scalar(owner):
            raise self._not_owner()
        quote = self.engine.dialect.identifier_preparer.quote_identifier
        to = quote(role)
        transaction.run(f"REVOKE ALL ON event, ledger FROM {to}")
        transaction.run(f"GRANT USAGE ON SCHEMA {self._schema(transaction)} TO {to}")
        transaction.run(f"GRANT SELECT, INSERT ON event TO {to}")
        transaction.run(f"GRANT SELECT ON ledger TO {to}")
        for name in read_tables:
            transaction.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quote(name)} TO {to}")

    def refusal_for(self, error: BaseException) -> Refusal | None:
        """What a PostgreSQL error means to a person; None when it is a fault of ours."""
        state = getattr(error, "sqlstate", None)
        match state:
            case "55P03":  # lock_not_available
                problem = f"another program held it for {WAIT_SECONDS} seconds"
                return Busy("ledger", self.address, problem, "try again; if it stays so, end the program that holds it")
            case "42501":  # insufficient_privilege
                return self._not_owner()
            case "53100":  # disk_full
                return StoreFault("ledger", self.address, "the disk is full; nothing was written", "make room")
        if isinstance(error, self._unreachable) and (state is None or state[:2] in CONNECTION_CLASSES):
            problem = "the server could not be reached, or ended the connection"
            remedy = (
                "check address, password and server; then look whether the last act was recorded before repeating it"
            )
            return StoreFault("ledger", self.address, problem, remedy)
        return None

    def _not_owner(self) -> StoreFault:
        problem = "this database role may not do that"
        return StoreFault("ledger", self.address, problem, "sign in as the role that owns the ledger's tables")

    def _schema(self, transaction: Transaction) -> str:
        name = transaction.scalar("SELECT current_schema()")
        return self.engine.dialect.identifier_preparer.quote_identifier(name)


CONNECTION_CLASSES: Final = {"08", "28", "3D", "57"}  # connection, authorisation, no such database, server stopping
