"""The canonical bytes of values, and what has none."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from equipoise.ledger import NotCanonical, NotUtc
from equipoise.ledger.canonical import canonical_bytes, is_canonical, parsed, utc_text, utc_time


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"null"),
        (True, b"true"),
        (0, b"0"),
        (-(2**53 - 1), b"-9007199254740991"),
        (Decimal("1.50"), b'"1.50"'),
        (Decimal("1E+2"), b'"1E+2"'),
        ("", b'""'),
        ('a"\\/b', b'"a\\"\\\\/b"'),
        ("\n\x01\x7f", b'"\\n\\u0001\x7f"'),
        ("e\u0301", b'"\xc3\xa9"'),
        ("\U0001f9ec", b'"\xf0\x9f\xa7\xac"'),
        ((), b"[]"),
        ([1, ["a"], {}], b'[1,["a"],{}]'),
        ({"b": 1, "a": {"d": None, "c": 2}, "B": 3}, b'{"B":3,"a":{"c":2,"d":null},"b":1}'),
        ({"e\u0301": 1}, b'{"\xc3\xa9":1}'),
    ],
)
def test_a_value_has_one_way_of_being_written(value, written):
    assert canonical_bytes(value, "payload") == written
    assert is_canonical(parsed(written), written)


def nested(levels):
    value = "deep"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "p = 1.5: is a float, which has no exact decimal form; pass a Decimal or text"),
        ({"a": [0, {"b": 2.0}]}, "p.a[1].b = 2.0: is a float, which has no exact decimal form; pass a Decimal or text"),
        (float("nan"), "p = nan: is a float, which has no exact decimal form; pass a Decimal or text"),
        (["a\0b"], "p[0] = a\\x00b: holds a NUL character; remove it"),
        ({"a\0": 1}, "a key of p = a\\x00: holds a NUL character; remove it"),
        ("\ud800", "p = \\ud800: holds half of a character pair; type the text again"),
        (2**53, "p = 9007199254740992: is beyond 2^53 - 1, where readers of JSON lose digits; pass it as text"),
        (-(2**53), "p = -9007199254740992: is beyond 2^53 - 1, where readers of JSON lose digits; pass it as text"),
        (Decimal("NaN"), "p = NaN: is not a finite number; record it as missing with its code"),
        (Decimal("-Infinity"), "p = -Infinity: is not a finite number; record it as missing with its code"),
        ({1: "a"}, "a key of p = 1: is not text; name every value with text"),
        ({"\u00e9": 1, "e\u0301": 2}, "a key of p = é: occurs twice once normalised; rename one"),
        (
            b"bytes",
            "p = b'bytes': is of type bytes, which the ledger does not write; "
            "pass text, an integer, a Decimal, true, false, null, a list or a mapping",
        ),
        (
            {"on": datetime(2018, 2, 1, tzinfo=UTC)},
            "p.on = 2018-02-01 00:00:00+00:00: is of type datetime, which the ledger does not write; "
            "pass text, an integer, a Decimal, true, false, null, a list or a mapping",
        ),
        (nested(33), "p" + "[0]" * 32 + ": is nested more than 32 levels deep; flatten it"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(value, text):
    with pytest.raises(NotCanonical) as refused:
        canonical_bytes(value, "p")
    assert str(refused.value) == text


def test_thirty_two_levels_are_written():
    assert canonical_bytes(nested(32), "p") == b"[" * 32 + b'"deep"' + b"]" * 32


def test_a_value_that_contains_itself_is_refused():
    ring = []
    ring.append(ring)
    with pytest.raises(NotCanonical, match="nested more than 32 levels deep"):
        canonical_bytes(ring, "p")


@pytest.mark.parametrize("body", [b"1.0", b"1e3", b"NaN", b"Infinity", b"{", b"\xff", b'{"a":1}x', b""])
def test_bytes_that_stand_for_no_value_are_not_parsed(body):
    with pytest.raises(ValueError, match=r"."):
        parsed(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'"\\u0041"',
        b'"\\u00e9"',
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\\/"',
        b'"e\xcc\x81"',
        b'"\xc3\xa9\\n\xcc\x83e\xcc\x81"',
        b"-0",
        b" 1",
    ],
)
def test_other_ways_of_writing_a_value_are_not_canonical(body):
    assert not is_canonical(parsed(body), body)


def test_a_mark_at_the_start_of_text_is_not_joined_to_an_escape_before_it():
    body = canonical_bytes("\n\u0303", "p")
    assert body == b'"\\n\xcc\x83"'
    assert is_canonical(parsed(body), body)


def test_a_time_is_written_with_microseconds_and_z():
    at = datetime(2018, 2, 1, 8, 0, 0, 5, tzinfo=UTC)
    assert utc_text(at) == "2018-02-01T08:00:00.000005Z"
    assert utc_time("2018-02-01T08:00:00.000005Z") == at


@pytest.mark.parametrize("at", [datetime(2018, 2, 1, 8), datetime(2018, 2, 1, 8, tzinfo=timezone(timedelta(hours=8)))])
def test_a_time_in_another_zone_is_refused(at):
    with pytest.raises(NotUtc) as refused:
        utc_text(at)
    assert str(refused.value) == f"at = {at.isoformat()}: is not a UTC time; pass a time with the UTC zone"


@pytest.mark.parametrize(
    "text",
    [
        "2018-02-01",
        "2018-02-01T08:00:00Z",
        "2018-02-01T08:00:00.000000+00:00",
        "2018-02-01T08:00:00.000000",
        "2018-02-30T08:00:00.000000Z",
        "soon",
    ],
)
def test_a_time_written_otherwise_is_not_read(text):
    with pytest.raises(ValueError, match=r"."):
        utc_time(text)
