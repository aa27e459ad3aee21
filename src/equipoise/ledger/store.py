"""Hold one ledger's database: its connections, its transactions, and what its errors mean to a person.

What differs between SQLite and PostgreSQL is here and in the two modules beside this one; every other statement of
the room is the same on both.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, PoolProxiedConnection

from equipoise.refusals import Refusal

WAIT_SECONDS = 30
"""How long a writer waits for another one before it is refused."""

APPEND_ONLY = "the ledger is append-only"
"""How every guard's message begins."""


SECRET_OPTIONS = ("password", "sslpassword")


def address_of(url: URL) -> str:
    """The address as a message may show it: without the password, in whichever of its places it stands."""
    return url.difference_update_query(SECRET_OPTIONS).render_as_string(hide_password=True)


class NotALedger(Refusal):
    """An address at which no ledger can be opened or made."""


class Busy(Refusal):
    """Another writer held the ledger for longer than the wait."""


class StoreFault(Refusal):
    """The database could not do what was asked."""


class DamagedFile(StoreFault):
    """The file is no longer one that the database can read."""


class Transaction:
    """One open transaction. Statements mark their parameters with `?` on either database.

    They go straight to the driver: on a fast disk SQLAlchemy's own way would cost more than the commit.
    """

    def __init__(self, connection: PoolProxiedConnection, mark: str, errors: tuple[type[Exception], ...]) -> None:
        self.connection = connection
        self.errors = errors
        self._mark = mark
        self._cursor = connection.cursor()

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement."""
        if values:
            self._cursor.execute(marked(statement, self._mark), values)
        else:  # a mark in it would be part of a name
            self._cursor.execute(statement)

    def run_many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement once for each row of values."""
        self._cursor.executemany(marked(statement, self._mark), rows)

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query finds."""
        self.run(statement, values)
        return list(self._cursor.fetchall())

    def scalar(self, statement: str, values: Sequence[object] = ()) -> Any:
        """The first value of a query's first row; None when it finds no row."""
        self.run(statement, values)
        row = self._cursor.fetchone()
        return None if row is None else row[0]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Let an error inside undo no more than what is inside."""
        self.run("SAVEPOINT here")
        try:
            yield
        except self.errors:
            self.run("ROLLBACK TO SAVEPOINT here")
            raise
        finally:
            self.run("RELEASE SAVEPOINT here")


@cache
def marked(statement: str, mark: str) -> str:
    """The statement with a database's own marks in place of `?`."""
    return statement.replace("?", mark)


class Store(ABC):
    """The database of one ledger. `address` is how a message names it, without any password."""

    address: str | Path
    engine: Engine
    errors: tuple[type[Exception], ...]  # what the driver raises
    mark: str  # how a statement marks a parameter

    @abstractmethod
    def begin_writing(self, transaction: Transaction) -> None:
        """Begin a transaction that is the only writer until it ends."""

    @abstractmethod
    def begin_creating(self, transaction: Transaction) -> None:
        """Begin a transaction that is the only one to make a ledger here."""

    @abstractmethod
    def begin_reading(self, transaction: Transaction) -> None:
        """Begin a transaction that sees one moment throughout."""

    @abstractmethod
    def create_event_table(self, transaction: Transaction) -> None:
        """Make the `event` table with its guards."""

    @abstractmethod
    def missing_guards(self, transaction: Transaction) -> list[str]:
        """The guards of the `event` table that are not there, or not as they were made."""

    @abstractmethod
    def table_names(self, transaction: Transaction) -> set[str]:
        """The tables in the ledger's place."""

    @abstractmethod
    def refusal_for(self, error: BaseException) -> Refusal | None:
        """What a driver's error means to a person; None when it is a fault of ours."""

    @abstractmethod
    def prepare_new(self) -> None:
        """Make the place ready for a new ledger.

        Raises:
            NotALedger: when something is there already, or nothing can be.
        """

    @abstractmethod
    def prepare_old(self) -> None:
        """See that a database is there to be opened.

        Raises:
            NotALedger: when there is none.
        """

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that is the only writer; it commits at a clean exit."""
        with self._transaction(self.begin_writing) as transaction:
            yield transaction

    @contextmanager
    def creating(self) -> Iterator[Transaction]:
        """A transaction that may make the tables; it commits at a clean exit."""
        with self._transaction(self.begin_creating) as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one moment throughout."""
        with self._transaction(self.begin_reading) as transaction:
            yield transaction

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turn the database errors that a person can mend into refusals."""
        try:
            yield
        except self.errors as error:
            refusal = self.refusal_for(error)
            if refusal is None:
                raise
            raise refusal from error

    @contextmanager
    def closing_on_failure(self) -> Iterator[None]:
        """Close the connections when the block fails, since nobody will have the ledger to close."""
        try:
            yield
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def outside(self) -> Iterator[Transaction]:
        """A connection on which each statement stands alone."""
        with self.refusing(), closing(self.engine.raw_connection()) as connection:
            yield Transaction(connection, self.mark, self.errors)

    @contextmanager
    def _transaction(self, begin: Callable[[Transaction], None]) -> Iterator[Transaction]:
        with self.outside() as transaction:
            try:
                begin(transaction)
                yield transaction
                transaction.run("COMMIT")
            except BaseException:
                try:
                    transaction.run("ROLLBACK")
                except self.errors:  # the first error is the one to tell; this connection is not used again
                    transaction.connection.invalidate()
                raise
