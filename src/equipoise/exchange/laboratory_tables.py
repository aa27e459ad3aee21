"""A table of laboratory values from any system: read whole, graded, written again with its grades beside it."""

from __future__ import annotations

import csv
import difflib
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.analysis.cells import safe_cell
from equipoise.analysis.whole_files import write_whole
from equipoise.exchange.delimited import check_width, contents_of, lines_of
from equipoise.exchange.table_faults import FaultList
from equipoise.exchange.tables import DELIMITERS
from equipoise.refusals import Refusal
from equipoise.safety.grade_table import RESULTS, grade_values
from equipoise.safety.plans import Unanswered
from equipoise.safety.scales import Scale

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("participant", "parameter", "value", "unit", "lln", "uln", "baseline", "sex", "age", "fasting", "hiv")
QUALIFIER = "qualifier"
ROWS_AT_ONCE = 300  # few enough to be gone before the collector of garbage counts them as old


@dataclass(frozen=True, slots=True)
class LaboratoryTable:
    """A table as it was read: every cell as text, column by column.

    Args:
        delimiter: what separated its cells.
        header: the names of the columns as they stand in the file.
        columns: the cells of each column, in the order of the header.
        places: where in the header each known column stands.
    """

    delimiter: str
    header: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    places: dict[str, int]

    def __len__(self) -> int:
        return len(self.columns[0])

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a known column."""
        return self.columns[self.places[name]]


@dataclass(frozen=True, slots=True)
class GradedTable:
    """A table and its grades under each scale, in the order of the scales."""

    table: LaboratoryTable
    grades: tuple[tuple[Scale, pd.DataFrame], ...]

    def write(self, path: Path) -> None:
        """Write the table with `grade`, `direction`, `rule` and `note` added, as CSV in UTF-8, whole or not at all.

        Under several scales each name is followed by the scale's: `grade_daids-2.1`. A text that a spreadsheet would
        take for a formula begins with an apostrophe.
        """
        several = len(self.grades) > 1
        added = [f"{name}_{scale.key}" if several else name for scale, _ in self.grades for name in RESULTS]
        _check_added(self.table.header, added)
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.table.delimiter, lineterminator="\n")
        writer.writerow([*map(safe_cell, self.table.header), *added])
        results = (grades[name].tolist() for _, grades in self.grades for name in RESULTS)
        writer.writerows(zip(*map(_guarded, (*self.table.columns, *results)), strict=True))
        write_whole(path, stream.getvalue().encode("utf-8"))


def _guarded(column: Sequence[str]) -> Sequence[str]:
    """A column without formulas; nearly always the column itself."""
    changed = {cell: guarded for cell in set(column) if (guarded := safe_cell(cell)) != cell}
    return [changed.get(cell, cell) for cell in column] if changed else column


def read_laboratory_table(path: Path) -> LaboratoryTable:
    """Read a table of laboratory values: comma, semicolon or tab, UTF-8, a header with at least `COLUMNS`.

    A row without anything in it is left out.

    Raises:
        TableRefused: every fault at once; a column that is missing or named twice, a row of another width, no row.
    """
    faults = FaultList(path.name or str(path))
    text = contents_of(path, faults).text
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    lines = lines_of(text, delimiter, faults)
    header = next(lines).cells
    places = _places(header, faults)
    parts: list[list[tuple[str, ...]]] = [[] for _ in header]
    filled = (line for line in lines if any(cell.strip() for cell in line.cells))
    empty = True
    while some := list(itertools.islice(filled, ROWS_AT_ONCE)):
        empty = False
        rows = [line.cells for line in some if check_width(line, header, faults)]
        for part, cells in zip(parts, zip(*rows, strict=True), strict=False):
            part.append(cells)
    if empty:
        faults.add(0, "", "", "has no rows below its header", "add at least one row")
    faults.refuse_if_any()
    return LaboratoryTable(delimiter, tuple(header), tuple(tuple(itertools.chain(*part)) for part in parts), places)


def grade_table(table: LaboratoryTable, scales: Sequence[Scale], *, unanswered: Unanswered) -> GradedTable:
    """Grade every row of a table under each scale."""
    import pandas as pd

    frame = pd.DataFrame({name: pd.Series(table.column(name), dtype=object) for name in table.places})
    return GradedTable(table, tuple((scale, grade_values(scale, frame, unanswered=unanswered)) for scale in scales))


def _places(header: Sequence[str], faults: FaultList) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    for name in dict.fromkeys(names):
        if name in (*COLUMNS, QUALIFIER) and names.count(name) > 1:
            faults.add(1, name, "", f"is the name of {names.count(name)} columns", "give each column its own name")
    for name in COLUMNS:
        if name not in names:
            unknown = [found for found in names if found not in COLUMNS]
            close = difflib.get_close_matches(name, unknown, n=1)
            remedy = f"rename column {close[0]}" if close else "add it, with empty cells where it is not known"
            faults.add(1, name, "", "is not a column of the file", remedy)
    faults.refuse_if_any()
    return {name: names.index(name) for name in (*COLUMNS, QUALIFIER) if name in names}


def _check_added(header: Sequence[str], added: Sequence[str]) -> None:
    for name in added:
        if name in [found.strip().lower() for found in header]:
            raise Refusal("column", name, "is already in the table", "rename it there; grades get this name")
