"""Addresses that people mistype: refused in words, and no password is ever shown."""

import pytest

from equipoise.ledger import NotALedger
from equipoise.ledger.ledger import store_at
from equipoise.ledger.postgresql import PostgresqlStore
from equipoise.ledger.sqlite import SqliteStore

FORMS = "write a file's path, sqlite:///path or postgresql://user@host/database"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://owner:s3cret@host:port/trial",
        "postgresql://owner:s3cret@[::1/trial",
        "postgresql://owner:a@s3cret:b@host/trial",
        "postgresql:owner:s3cret",
        "owner:s3cret@host",
        "host=host password=s3cret",
        " postgresql://owner:s3cret@host/trial",
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(address):
    with pytest.raises(NotALedger) as refused:
        store_at(address, "rwc")
    assert str(refused.value) == f"ledger: the address cannot be read; {FORMS}"


@pytest.mark.parametrize("address", ["postgresql://owner:a@s3cret@host/trial", "postgresql://owner:a@b/s3cret@host/t"])
def test_an_at_sign_in_a_password_is_not_taken_for_the_hosts(address):
    with pytest.raises(NotALedger) as refused:
        store_at(address, "rw")
    assert str(refused.value) == (
        "ledger: the address has more than one @; write an @ in a user's name or password as %40"
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mysql://owner:s3cret@host/trial", "mysql://owner:***@host/trial"),
        ("mysql://host/trial?password=s3cret&a=b", "mysql://host/trial?a=b"),
    ],
)
def test_an_address_of_another_kind_is_shown_without_its_password(address, shown):
    with pytest.raises(NotALedger) as refused:
        store_at(address, "rw")
    assert str(refused.value) == f"ledger = {shown}: is of no known kind; {FORMS}"


@pytest.mark.parametrize("name", ["trial.db", "C:\\users\\me@home\\trial.db", "me@home/trial.db", "a:b/c@d.db"])
def test_a_path_stays_a_path(name):
    assert isinstance(store_at(name, "rw"), SqliteStore)


def test_postgresql_is_named_without_its_password():
    pytest.importorskip("psycopg")
    store = store_at("postgresql://host/trial?user=owner&password=s3cret&sslpassword=s3cret", "rw")
    assert isinstance(store, PostgresqlStore)
    assert store.address == "postgresql://host/trial?user=owner"


@pytest.mark.parametrize("option", ["bogus=1", "connect_timeout=soon"])
def test_an_option_that_postgresql_does_not_take_is_refused(option):
    pytest.importorskip("psycopg")
    with pytest.raises(NotALedger) as refused:
        store_at(f"postgresql://owner:s3cret@127.0.0.1:1/trial?{option}", "rw").prepare_old()
    assert str(refused.value) == (
        f"ledger = postgresql://owner:***@127.0.0.1:1/trial?{option}: "
        "has an option that PostgreSQL does not take; correct what follows the question mark"
    )
