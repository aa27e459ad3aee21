"""A table of laboratory values from any system: read whole, graded, written again with its grades beside it."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.analysis.results import FORMULA_SIGNS
from equipoise.analysis.whole_files import write_whole
from equipoise.exchange.delimited import check_width, contents_of, lines_of
from equipoise.exchange.table_faults import FaultList
from equipoise.refusals import Refusal
from equipoise.safety.grade_table import RESULTS, grade_values
from equipoise.safety.grading import Unanswered
from equipoise.safety.scales import Scale

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("participant", "parameter", "value", "unit", "lln", "uln", "baseline", "sex", "age", "fasting", "hiv")
QUALIFIER = "qualifier"
DELIMITERS = (",", ";", "\t")
SIGNED_NUMBER = re.compile(r"[+-]?[\d.,]*(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class LaboratoryTable:
    """A table as it was read: every cell as text, in its order; `columns` has the place of each known column."""

    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    columns: dict[str, int]


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
        writer.writerow([*map(cell_of, self.table.header), *added])
        results = [grades[name].tolist() for _, grades in self.grades for name in RESULTS]
        for row, *found in zip(self.table.rows, *results, strict=True):
            writer.writerow([*map(cell_of, row), *map(cell_of, found)])
        write_whole(path, stream.getvalue().encode("utf-8"))


def cell_of(text: str) -> str:
    """A cell that no spreadsheet calculates: unchanged unless it looks like a formula."""
    if text.startswith(FORMULA_SIGNS) and not SIGNED_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def read_laboratory_table(path: Path) -> LaboratoryTable:
    """Read a table of laboratory values: comma, semicolon or tab, UTF-8, a header with at least `COLUMNS`.

    Raises:
        TableRefused: every fault at once; a column that is missing or named twice, a row of another width.
    """
    faults = FaultList(str(path))
    text = contents_of(path, faults).text
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    lines = lines_of(text, delimiter, faults)
    header = next(lines).cells
    columns = _columns(header, faults)
    rows = [tuple(line.cells) for line in lines if check_width(line, header, faults)]
    faults.refuse_if_any()
    return LaboratoryTable(delimiter, tuple(header), tuple(rows), columns)


def grade_table(table: LaboratoryTable, scales: Sequence[Scale], *, unanswered: Unanswered) -> GradedTable:
    """Grade every row of a table under each scale."""
    import pandas as pd

    frame = pd.DataFrame(
        {name: pd.Series([row[place] for row in table.rows], dtype=object) for name, place in table.columns.items()}
    )
    return GradedTable(table, tuple((scale, grade_values(scale, frame, unanswered=unanswered)) for scale in scales))


def _columns(header: Sequence[str], faults: FaultList) -> dict[str, int]:
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
