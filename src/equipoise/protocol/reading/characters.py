"""A file's text: UTF-8, of a sane size, and without characters that nobody can see.

Invisible characters are refused because they make two values look the same or a line read otherwise
than it is: control characters, line separators, zero-width and bidirectional controls, half surrogates.
So are letters written as two characters where Unicode has one: the record keeps text in normal form C, and the file
must hold the very bytes that its hash in the record is of.
"""

import re
import unicodedata

from equipoise.protocol.faults.fault import Fault, ProtocolRefused
from equipoise.protocol.reading.limits import Limits

INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def text_of(source: str | bytes, name: str, limits: Limits) -> str:
    """The text of a file, each line end a line feed, without a byte-order mark.

    Raises:
        ProtocolRefused: when it is too large, not UTF-8, not in normal form C, or holds an invisible character.
    """
    if len(source) > limits.size:
        raise _refused(name, 1, f"the file is larger than {limits.size} bytes", "remove what is not needed")
    text = _decoded(source, name) if isinstance(source, bytes) else source
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    _refuse_invisible(text, name)
    _refuse_unnormalised(text, name)
    _refuse_large(text, name, limits)
    return text


def invisible_in(text: str) -> str | None:
    """The first character nobody can see, as `U+202E right-to-left override`; None when there is none."""
    found = INVISIBLE.search(text)
    if not found:
        return None
    return f"U+{ord(found[0]):04X} {unicodedata.name(found[0], '').lower()}".rstrip()


def _decoded(source: bytes, name: str) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - before.rfind(b"\n")
        raise _refused(
            name,
            line,
            f"byte 0x{source[error.start]:02X} in column {column} is not UTF-8",
            "save the file as UTF-8 text",
        ) from None


def _refuse_invisible(text: str, name: str) -> None:
    found = INVISIBLE.search(text)
    if found:
        before = text[: found.start()]
        column = found.start() - before.rfind("\n")
        raise _refused(
            name,
            before.count("\n") + 1,
            f"column {column} holds {invisible_in(found[0])}, which nobody can see",
            "remove the character",
        )


def _refuse_unnormalised(text: str, name: str) -> None:
    if unicodedata.is_normalized("NFC", text):
        return
    for number, line in enumerate(text.split("\n"), start=1):
        normal = unicodedata.normalize("NFC", line)
        if normal != line:
            place = next((i for i, (old, new) in enumerate(zip(line, normal, strict=False)) if old != new), len(normal))
            kept = f"U+{ord(normal[place]):04X} {unicodedata.name(normal[place], '').lower()}".rstrip()
            problem = f"column {place + 1} holds what the record keeps as {kept}"
            raise _refused(name, number, problem, "type that character again, or save the file in normal form C")


def _refuse_large(text: str, name: str, limits: Limits) -> None:
    if text.count("\n") > limits.lines:
        raise _refused(
            name, limits.lines, f"the file holds more than {limits.lines} lines", "remove what is not needed"
        )
    if len(text.split()) > limits.words:
        raise _refused(name, 1, f"the file holds more than {limits.words} words", "remove what is not needed")


def _refused(name: str, line: int, problem: str, remedy: str) -> ProtocolRefused:
    return ProtocolRefused([Fault(name, line, "", "", problem, remedy)])
