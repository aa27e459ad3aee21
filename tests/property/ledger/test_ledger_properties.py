"""What holds for every value and every history."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.ledger import Actor, Ledger, MemoryTables, Projection, Put, Table
from equipoise.ledger.canonical import canonical_bytes, is_canonical, parsed, utc_text, utc_time
from equipoise.ledger.chain import link_hash

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT.map(lambda t: unicodedata.normalize("NFC", t)), inner, max_size=4)
    ),
    max_leaves=12,
)


def normal(value):
    """The value with its text in normal form C, made apart from the code under test."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [normal(part) for part in value]
    if isinstance(value, dict):
        return {normal(key): normal(part) for key, part in value.items()}
    return value


@given(VALUES)
def test_what_is_written_is_read_again(value):
    body = canonical_bytes(value, "p")
    assert parsed(body) == normal(value) == json.loads(body)
    assert is_canonical(parsed(body), body)
    assert canonical_bytes(parsed(body), "p") == body


@given(st.dictionaries(TEXT.map(lambda text: unicodedata.normalize("NFC", text)), VALUES, max_size=6))
def test_the_order_of_keys_does_not_matter(mapping):
    backwards = dict(reversed(mapping.items()))
    assert canonical_bytes(mapping, "p") == canonical_bytes(backwards, "p")


@given(VALUES)
def test_any_other_spelling_is_not_canonical(value):
    for other in (json.dumps(value, indent=1).encode() + b" ", json.dumps(value).encode() + b"\n"):
        assert not is_canonical(json.loads(other), other)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_text_order_is_time_order(one, other):
    assert utc_time(utc_text(one)) == one
    assert (utc_text(one) < utc_text(other)) == (one < other)


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_another_link_has_another_hash(prev, body, other_prev, other_body):
    assert (link_hash(prev, body) == link_hash(other_prev, other_body)) == ((prev, body) == (other_prev, other_body))


STEPS = st.lists(
    st.tuples(st.sampled_from(["A", "B", "é"]), st.integers(0, 2), st.one_of(st.none(), TEXT), st.booleans()),
    min_size=1,
    max_size=12,
)


def fold(event):
    """One of two columns of a row changes."""
    payload = event.payload
    yield Put("cell", (event.stream, payload["number"]), {"b" if payload["second"] else "a": payload["text"]})


PROJECTION = Projection(
    1, (Table("cell", ("thing", "number"), {"thing": str, "number": int, "a": str, "b": str}),), fold
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, together=st.booleans())
def test_tables_in_the_database_and_in_memory_are_the_same_at_every_position(tmp_path_factory, steps, together):
    path = tmp_path_factory.mktemp("ledger") / "trial.db"
    seen = []
    with Ledger.create(path, PROJECTION, software="x") as ledger:

        def append(writer, number, step):
            stream, key, text, second = step
            event = writer.append(
                "set",
                {"number": key, "text": text, "second": second},
                stream=stream,
                by=Actor("a", "b"),
                reason="r",
                at=datetime(2018, 2, 1, tzinfo=UTC) + timedelta(seconds=number),
                protocol_hash="",
            )
            seen.append((event.head, writer.rows("cell")))

        if together:
            with ledger.writing() as writer:
                for number, step in enumerate(steps):
                    append(writer, number, step)
        else:
            for number, step in enumerate(steps):
                with ledger.writing() as writer:
                    append(writer, number, step)
        for head, rows in seen:
            tables, folded_to = ledger.as_of(head.seq)
            assert isinstance(tables, MemoryTables)
            assert (folded_to, tables.rows("cell")) == (head, rows)
        assert ledger.rebuild().identical
        assert ledger.verify().ok
