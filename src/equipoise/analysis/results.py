"""What an analysis found: one long table of numbers, each with an id, and the sentences that go with them.

A number is printed nowhere but by its id, so that a report and its table cannot disagree. The same trial at
the same ledger position gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.analysis.cells import safe_cell
from equipoise.analysis.whole_files import write_whole
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1

Number = float | None


class ResultsRefusal(Refusal):
    """A results file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of the results, with what it is a number of.

    A count stands in `estimate` and `n` is of how many it is counted; a flow count, which is of nobody, has itself as
    `n`. A proportion lies between 0 and 1. A difference is test arm less reference arm. A limit that the method cannot
    bound is None, and `label` says so.
    """

    id: str
    analysis: str
    role: str | None = None
    outcome: str | None = None
    population: str | None = None
    method: str | None = None
    term: str | None = None
    arm: str | None = None
    visit: str | None = None
    estimate: Number = None
    std_error: Number = None
    df: Number = None
    df2: Number = None
    statistic: Number = None
    p_value: Number = None
    conf_low: Number = None
    conf_high: Number = None
    n: int | None = None
    unit: str | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        for name in NUMBERS:
            number = getattr(self, name)
            assert number is None or math.isfinite(number), f"{self.id}: {name} = {number}"


NUMBERS = ("estimate", "std_error", "df", "df2", "statistic", "p_value", "conf_low", "conf_high")
COLUMNS = tuple(column.name for column in fields(Row))


@dataclass(frozen=True, slots=True)
class Histogram:
    """Where the re-drawn statistics of a re-randomisation test fall.

    `edges` has one more entry than `counts`; a bin holds its lower edge, the last one both. `observed` is the
    statistic that the trial gave, in the same unit.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    observed: float
    unit: str | None


@dataclass(frozen=True, slots=True)
class Residual:
    """What a participant's value at a visit is more than fitted, in standard deviations that its own past leaves open.

    `fitted` is in the outcome's unit.
    """

    participant: str
    visit: str
    fitted: float
    value: float


@dataclass(frozen=True)
class Results:
    """All numbers of one analysis of one snapshot.

    `sentences` holds prose by id (`primary`, `methods.<analysis>`, `believe.<analysis>`, `refused.<analysis>`,
    `fallback.<analysis>`, `published.<analysis>`); `populations` the participants of each analysis set; `histograms`
    the null distribution of each re-randomisation test by analysis id; `residuals` the standardised residuals of each
    mixed model, ascending, by analysis id and contrast; `meta` the ledger position and hashes that the numbers are
    pinned to.
    """

    rows: tuple[Row, ...]
    sentences: Mapping[str, str]
    populations: Mapping[str, tuple[str, ...]]
    meta: Mapping[str, str | int | None]
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    residuals: Mapping[str, tuple[Residual, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert len(self._by_id) == len(self.rows), "an id is used twice"

    @cached_property
    def _by_id(self) -> dict[str, Row]:
        return {row.id: row for row in self.rows}

    def row(self, id: str) -> Row:
        """The row of that id.

        Raises:
            KeyError: when no row has it.
        """
        return self._by_id[id]

    def maybe(self, id: str) -> Row | None:
        """The row of that id, or None."""
        return self._by_id.get(id)

    def find(self, **equals: object) -> tuple[Row, ...]:
        """The rows whose named columns have these values, in order."""
        unknown = equals.keys() - set(COLUMNS)
        assert not unknown, f"Row has no column {unknown}"
        return tuple(row for row in self.rows if all(getattr(row, name) == value for name, value in equals.items()))

    def frame(self) -> pd.DataFrame:
        """All rows as a frame: text columns with None for absent, numbers with NaN, `n` as nullable whole numbers."""
        import pandas as pd

        columns = {name: [getattr(row, name) for row in self.rows] for name in COLUMNS}
        kinds: dict[str, str] = dict.fromkeys(NUMBERS, "float64") | {"n": "Int64"}
        return pd.DataFrame(
            {name: pd.Series(values, dtype=kinds.get(name, "object")) for name, values in columns.items()}
        )

    def as_json(self) -> str:
        """The results as JSON text; the same results give the same text, and `from_json` gives them back."""
        return json.dumps(
            {
                "equipoise_results": FORMAT,
                "meta": dict(self.meta),
                "sentences": dict(self.sentences),
                "populations": {name: list(members) for name, members in self.populations.items()},
                "histograms": {name: _plain(histogram) for name, histogram in self.histograms.items()},
                "residuals": {name: [list(astuple(each)) for each in found] for name, found in self.residuals.items()},
                "rows": [
                    {name: value for name, value in _plain(row).items() if value is not None} for row in self.rows
                ],
            },
            ensure_ascii=False,
            allow_nan=False,
            indent=1,
        )

    def write_json(self, path: Path) -> None:
        """Write the results as JSON, UTF-8; the file is there whole or not at all."""
        write_whole(path, (self.as_json() + "\n").encode())

    def as_csv(self) -> str:
        """The table as CSV text: one line for each row, numbers to the last digit.

        A text that a spreadsheet would take for a formula begins with an apostrophe here; in JSON it is as it was.
        """
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            values = (getattr(row, name) for name in COLUMNS)
            writer.writerow(_cell(value) for value in values)
        return lines.getvalue()

    def write_csv(self, path: Path) -> None:
        """Write the table as CSV, UTF-8; the file is there whole or not at all."""
        write_whole(path, self.as_csv().encode())


def _cell(value: Number | str) -> Number | str:
    """A value as a cell."""
    if value is None:
        return ""
    return safe_cell(value) if isinstance(value, str) else value


def from_json(text: str, name: str = "results.json") -> Results:
    """Results from the text that `Results.as_json` gives.

    Raises:
        ResultsRefusal: text that is not such a file.
    """
    try:
        return _results(json.loads(text, parse_constant=_no_constant))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ResultsRefusal(
            name, None, "is not a results file of this version", "run `equipoise analyse` again to write a new one"
        ) from None


def read_json(path: Path) -> Results:
    """Results from a file that `Results.write_json` wrote; raises as `from_json` does."""
    return from_json(path.read_text(encoding="utf-8"), path.name)


def _results(found: Mapping[str, Any]) -> Results:
    if found["equipoise_results"] != FORMAT:
        raise ValueError
    ids = [row["id"] for row in found["rows"]]
    if len(set(ids)) < len(ids):
        raise ValueError
    return Results(
        rows=tuple(Row(**row) for row in found["rows"]),
        sentences=dict(found["sentences"]),
        populations={name: tuple(members) for name, members in found["populations"].items()},
        meta=dict(found["meta"]),
        histograms={name: _histogram(values) for name, values in found["histograms"].items()},
        residuals={name: tuple(Residual(*each) for each in values) for name, values in found["residuals"].items()},
    )


def _no_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _histogram(values: Mapping[str, Any]) -> Histogram:
    return Histogram(tuple(values["edges"]), tuple(values["counts"]), values["observed"], values["unit"])


def _plain(value: Row | Histogram) -> dict[str, Any]:
    return {column.name: getattr(value, column.name) for column in fields(value)}


def bounded(limit: float) -> Number:
    """A limit of an interval as a row holds it: None where the method gives none."""
    return limit if math.isfinite(limit) else None
