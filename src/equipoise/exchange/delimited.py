"""Read a delimited text file as rows of text with their lines: no guess of types, encoding or columns."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.exchange.table_faults import FaultList
from equipoise.refusals import shown

LARGEST = 200_000_000  # bytes
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the file: the line on which it begins, and its cells."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Contents:
    """A file's text and the SHA-256 of its bytes."""

    text: str
    sha256: str


def contents_of(path: Path, faults: FaultList) -> Contents:
    """The file as text.

    Raises:
        TableRefused: no such file, too large, empty, not UTF-8 (with line and byte), or a NUL byte in it.
    """
    content = bytes_of(path, faults)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.add(
            line,
            "",
            "",
            f"byte {error.start + 1} of the file, {content[error.start]:#04x}, is not UTF-8",
            "save the file as UTF-8",
        )
        faults.refuse_if_any()
    place = text.find("\0")
    if place >= 0:
        line = text.count("\n", 0, place) + 1
        remedy = "write the file again from its source; it may be cut off or not be text"
        faults.add(line, "", "", f"holds {text.count(chr(0))} NUL characters, the first here", remedy)
        faults.refuse_if_any()
    return Contents(text.removeprefix(BYTE_ORDER_MARK), hashlib.sha256(content).hexdigest())


def bytes_of(path: Path, faults: FaultList) -> bytes:
    """The bytes of a file that is there, not empty and not too large."""
    content = b""
    try:
        with path.open("rb") as file:  # bounded, for not everything that can be opened has an end
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            problem = f"has more than {LARGEST} bytes"
            faults.add(0, "", "", problem, "leave out columns that `data` does not name")
        elif not content.removeprefix(BYTE_ORDER_MARK.encode()).strip():
            faults.add(0, "", "", "is empty", "write the header line and the rows again")
    except OSError as error:
        faults.add(0, "", "", f"cannot be read ({error.strerror})", "check its name and that you may read it")
    faults.refuse_if_any()
    return content


def lines_of(text: str, delimiter: str, faults: FaultList) -> Iterator[Line]:
    """The records of the text, blank lines left out. A record that cannot be taken apart ends the reading.

    Raises:
        TableRefused: a quote that is not closed or stands within a cell, or a cell of more than 131,072 characters.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            remedy = "close each quote, write a quote within a cell twice, and keep cells short"
            faults.add(start, "", "", f"cannot be taken apart ({error})", remedy)
            faults.refuse_if_any()
        if cells:
            yield Line(start, cells)


def check_width(line: Line, header: list[str], faults: FaultList) -> bool:
    """Whether a row has as many cells as the header; notes a fault when it has not."""
    if len(line.cells) == len(header):
        return True
    problem = f"has {len(line.cells)} cells where the header has {len(header)}"
    remedy = "add or remove a delimiter, and put a cell that holds one in quotes"
    faults.add(line.number, "", shown(line.cells[-1]), problem, remedy)
    return False
