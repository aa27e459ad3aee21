"""Write a value as the one sequence of bytes that stands for it.

UTF-8 JSON, keys sorted by code point, no spaces, text in normal form C, decimals as text. What two programs could
read differently is refused: floats, NUL, unpaired surrogates, integers beyond 2^53 - 1, keys that become equal.
The format is described in docs/methods/ledger.md.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn, TypeAlias

from equipoise.refusals import Refusal

Json: TypeAlias = "bool | int | str | Decimal | Sequence[Json] | Mapping[str, Json] | None"
"""What a payload may hold. A `Decimal` is written as text and is text when read again."""

LARGEST_INTEGER = 2**53 - 1  # the largest that every JSON reader gives back unchanged
DEEPEST = 32  # levels of nesting; far below any reader's limit of recursion


class NotCanonical(Refusal):
    """A value that has no single way of being written down."""


class NotUtc(Refusal):
    """A time that does not say that it is UTC."""


def canonical_bytes(value: object, path: str) -> bytes:
    """The bytes that stand for a value.

    Args:
        value: see `Json`.
        path: the value's name in a refusal, such as `payload`.

    Returns:
        UTF-8 JSON without a line end.

    Raises:
        NotCanonical: naming the path of the part that cannot be written.
    """
    return dumped(plain(value, path))


def dumped(value: object) -> bytes:
    """UTF-8 JSON of a value that is plain already."""
    return _ENCODER.encode(value).encode()


def plain(value: object, path: str, depth: int = 0) -> object:
    """The value as dictionaries, lists, normalised text, integers, booleans and None.

    Raises:
        NotCanonical: naming the path of the part that is none of these.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return plain_text(value, path)
    if isinstance(value, int):
        return plain_integer(int(value), path)
    if isinstance(value, Decimal):
        return plain_decimal(value, path)
    if depth == DEEPEST:
        raise NotCanonical(path, None, f"is nested more than {DEEPEST} levels deep", "flatten it")
    if isinstance(value, Mapping):
        return plain_mapping(value, path, depth)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(part, f"{path}[{index}]", depth + 1) for index, part in enumerate(value)]
    raise not_writable(value, path)


def not_writable(value: object, path: str) -> NotCanonical:
    """The refusal of a value whose type has no canonical form."""
    if isinstance(value, float):
        return NotCanonical(path, value, "is a float, which has no exact decimal form", "pass a Decimal or text")
    problem = f"is of type {type(value).__name__}, which the ledger does not write"
    return NotCanonical(
        path, value, problem, "pass text, an integer, a Decimal, true, false, null, a list or a mapping"
    )


def plain_text(text: str, path: str) -> str:
    """Text in normal form C.

    Raises:
        NotCanonical: for a NUL character or an unpaired surrogate.
    """
    if text.isascii():
        normal = text
    else:
        normal = unicodedata.normalize("NFC", text)
        if any("\ud800" <= character <= "\udfff" for character in normal):
            raise NotCanonical(path, text, "holds half of a character pair", "type the text again")
    if "\0" in normal:
        raise NotCanonical(path, text, "holds a NUL character", "remove it")
    return normal


def can_hold(text: str) -> bool:
    """Whether an event can hold text: no NUL character, no half of a character pair."""
    try:
        plain_text(text, "text")
    except NotCanonical:
        return False
    return True


def is_blank(text: str) -> bool:
    """Whether text holds nothing that anyone could see: spaces, control and zero-width characters say nothing."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def plain_integer(number: int, path: str) -> int:
    """An integer that every JSON reader gives back unchanged.

    Raises:
        NotCanonical: beyond 2^53 - 1 on either side of zero.
    """
    if abs(number) > LARGEST_INTEGER:
        raise NotCanonical(path, number, "is beyond 2^53 - 1, where readers of JSON lose digits", "pass it as text")
    return number


def plain_decimal(number: Decimal, path: str) -> str:
    """A decimal as text with the digits it was given (`1.50` stays `1.50`).

    Raises:
        NotCanonical: for infinity and NaN.
    """
    if not number.is_finite():
        raise NotCanonical(path, number, "is not a finite number", "record it as missing with its code")
    return str(number)


def plain_mapping(mapping: Mapping[object, object], path: str, depth: int) -> dict[str, object]:
    """A mapping with normalised keys.

    Raises:
        NotCanonical: for a key that is not text, or two keys that are the same text once normalised.
    """
    result: dict[str, object] = {}
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise NotCanonical(f"a key of {path}", key, "is not text", "name every value with text")
        name = plain_text(key, f"a key of {path}")
        if name in result:
            raise NotCanonical(f"a key of {path}", name, "occurs twice once normalised", "rename one")
        result[name] = plain(value, f"{path}.{name}", depth + 1)
    return result


def parsed(body: bytes) -> object:
    """The value that canonical bytes stand for.

    Raises:
        ValueError: when the bytes are not UTF-8 JSON or hold a float.
    """
    return _DECODER.decode(body.decode())


def is_canonical(value: object, body: bytes) -> bool:
    """Whether `body` is the one way of writing the value parsed from it (a key given twice is not)."""
    try:
        if body.isascii() and b"\\u0" not in body:  # no text that could be abnormal, so no walk over the parts
            return dumped(value) == body
        return canonical_bytes(value, "body") == body
    except (NotCanonical, UnicodeEncodeError):
        return False


def utc_text(at: datetime) -> str:
    """ISO 8601 with microseconds and Z, always 27 characters, so that text order is time order.

    Raises:
        NotUtc: when the time has no zone or another offset than zero.
    """
    if at.utcoffset() != timedelta(0):
        raise NotUtc("at", at.isoformat(), "is not a UTC time", "pass a time with the UTC zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def utc_time(text: str) -> datetime:
    """The time that `utc_text` wrote.

    Raises:
        ValueError: when `utc_text` would have written it otherwise.
    """
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a UTC time with microseconds and Z")
    return datetime.fromisoformat(text)


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"{text} is a float")


_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)
