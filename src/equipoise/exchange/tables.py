"""Tables that a command reads and writes: rows of text by column, checked whole; files written whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from equipoise.analysis.cells import safe_cell
from equipoise.analysis.whole_files import whole_file
from equipoise.exchange.delimited import check_width, contents_of, lines_of
from equipoise.exchange.table_faults import FaultList

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row: its line in the file, and its cells by column, white space around them taken off."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as it was read: the columns in their order, the rows, the SHA-256 of the file."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[TextRow, ...]
    sha256: str


def read_table(path: Path, required: Sequence[str], *, key: str | None = None) -> TextTable:
    """A delimited file with a header line, in UTF-8; commas, semicolons or tabs divide its cells.

    Args:
        path: the file.
        required: columns that must be there; others are kept.
        key: a column whose cells must be filled in and differ.

    Raises:
        TableRefused: every fault with its line, column, value and remedy.
    """
    faults = FaultList(path.name or str(path))
    contents = contents_of(path, faults)
    head = contents.text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    lines = lines_of(contents.text, delimiter, faults)
    header = [name.strip() for name in next(lines).cells]
    check_header(header, required, faults)
    rows: list[TextRow] = []
    seen: dict[str, int] = {}
    empty = True
    for line in lines:
        if not any(cell.strip() for cell in line.cells):
            continue
        empty = False
        if not check_width(line, header, faults):
            continue
        cells = {name: cell.strip() for name, cell in zip(header, line.cells, strict=True)}
        if key is not None:
            _check_key(cells[key], key, line.number, seen, faults)
        rows.append(TextRow(line.number, cells))
    if empty:
        faults.add(0, "", "", "has no rows below its header", "add at least one row")
    faults.refuse_if_any()
    return TextTable(path.name, tuple(header), tuple(rows), contents.sha256)


def check_header(header: Sequence[str], required: Sequence[str], faults: FaultList) -> None:
    """Refuse a header that names a column twice or lacks one.

    Raises:
        TableRefused: with the nearest name.
    """
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            faults.add(1, name, "", f"is the name of {header.count(name)} columns", "give each column its own name")
    for name in required:
        if name not in header:
            spare = [other for other in header if other not in required]
            close = get_close_matches(name, spare, n=1) or [other for other in spare if other.lower() == name.lower()]
            remedy = f"rename column {close[0]}" if close else f"add it; columns found: {', '.join(header[:12])}"
            faults.add(1, name, "", "is not a column of the file", remedy)
    faults.refuse_if_any()


def _check_key(value: str, key: str, line: int, seen: dict[str, int], faults: FaultList) -> None:
    if not value:
        faults.add(line, key, "", "is empty", "give each row its own code")
    elif value in seen:
        faults.add(line, key, value, f"stands on line {seen[value]} already", "give each row its own code")
    else:
        seen[value] = line


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV in UTF-8, as they come; the file is there whole or not at all.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    write_lines(path, (csv_line(row) for row in chain((columns,), rows)))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write text that is CSV already, in UTF-8; the file is there whole or not at all."""
    with whole_file(path) as file:
        for line in lines:
            file.write(line.encode())


def csv_line(cells: Sequence[str]) -> str:
    """A row as a line of CSV with its end."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()
