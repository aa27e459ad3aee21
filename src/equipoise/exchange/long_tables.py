"""Read a long table of another system, one row for each participant and visit, as a snapshot that can be analysed.

Nothing is guessed: each column is mapped by the protocol's `data` or listed there as ignored, and one fault refuses the
file, with all the others that were found. Values are kept as the text that stands in the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

from equipoise.capture import AnswerError, normal_text
from equipoise.conduct.snapshots import Snapshot
from equipoise.exchange.columns import Columns, columns_of
from equipoise.exchange.delimited import Line, check_width, contents_of, lines_of
from equipoise.exchange.foreign_snapshots import Measurement, foreign_snapshot
from equipoise.exchange.table_faults import FaultList
from equipoise.protocol.document import Protocol
from equipoise.protocol.external_data import LongTable
from equipoise.protocol.forms import NUMERIC_TYPES, Item
from equipoise.refusals import Refusal, shown


class NoMapping(Refusal):
    """A protocol that does not say how to read a table."""


def read_long_table(protocol: Protocol, path: Path) -> Snapshot:
    """The table in a file, as `protocol.data` maps it.

    Args:
        protocol: with `data`, which names the columns, arms, visits and items.
        path: a delimited text file in UTF-8, at most 200 MB, with a header line.

    Returns:
        A snapshot at position 0 in which everyone is randomised; its `source` is the file's name and SHA-256, which is
        also its `head_hash`. Its `as_of` is the date of the protocol version, since the file tells none.

    Raises:
        NoMapping: a protocol without `data`.
        TableRefused: with every fault found.
    """
    if protocol.data is None:
        raise NoMapping(
            "data", None, "the protocol does not say which column holds what", "add `data` to the protocol file"
        )
    faults = FaultList(path.name or str(path))
    contents = contents_of(path, faults)
    lines = lines_of(contents.text, protocol.data.delimiter, faults)
    header = next(lines)
    columns = columns_of(header.cells, protocol.data, faults)
    reading = Reading(protocol, protocol.data, columns, faults)
    for line in lines:
        if check_width(line, columns.names, faults):
            reading.take(line)
    if not reading.n_lines and not faults.count:
        faults.add(0, "", "", "has a header and no rows", "write the rows below the header")
    faults.refuse_if_any()
    source = f"{path.name}, SHA-256 {contents.sha256}"
    return foreign_snapshot(
        protocol, reading.arms, reading.seen, reading.measurements, source=source, head_hash=contents.sha256
    )


class Reading:
    """The rows taken so far: arms, the line of each participant and visit, and measurements. Faults go to the list."""

    def __init__(self, protocol: Protocol, table: LongTable, columns: Columns, faults: FaultList) -> None:
        self.protocol = protocol
        self.table = table
        self.columns = columns
        self.faults = faults
        self.n_lines = 0
        self.arms: dict[str, str] = {}
        self.measurements: list[Measurement] = []
        self._arm_lines: dict[str, int] = {}
        self.seen: dict[tuple[str, str], int] = {}
        self._answers: dict[tuple[str, str], tuple[str | None, int]] = {}
        self._first_visits = {item: visit_of(protocol, item) for item in columns.participant_items}

    def take(self, line: Line) -> None:
        """Check one row and keep what it says."""
        self.n_lines += 1
        participant = line.cells[self.columns.participant].strip()
        if participant in self.table.empty:
            remedy = "write the participant's code, or remove the row"
            self.faults.add(line.number, self.table.participant, "", "names no participant", remedy)
            return
        self._take_arm(line, participant)
        visit = self._known(line, self.columns.visit, self.table.visits, "data.visits")
        if visit is not None and self._is_first(line, participant, visit):
            for item, place in self.columns.items.items():
                self.measurements.append(Measurement(participant, visit, item, self._value(line, item, place)))
        for item, place in self.columns.participant_items.items():
            self._take_answer(line, participant, item, place)

    def _take_arm(self, line: Line, participant: str) -> None:
        arm = self._known(line, self.columns.arm, self.table.arms, "data.arms")
        if arm is None:
            return
        before = self.arms.setdefault(participant, arm)
        first = self._arm_lines.setdefault(participant, line.number)
        if arm != before:
            problem = f"participant {shown(participant)} is in arm {before} on line {first}"
            self.faults.add(
                line.number, self.table.arm, line.cells[self.columns.arm], problem, "give each participant one arm"
            )

    def _is_first(self, line: Line, participant: str, visit: str) -> bool:
        first = self.seen.setdefault((participant, visit), line.number)
        if first == line.number:
            return True
        problem = f"participant {shown(participant)} already has visit {visit} on line {first}"
        cell = line.cells[self.columns.visit]
        self.faults.add(line.number, self.table.visit, cell, problem, "keep one row for each participant and visit")
        return False

    def _known(self, line: Line, place: int, mapping: dict[str, str], where: str) -> str | None:
        cell = line.cells[place].strip()
        if cell in mapping:
            return mapping[cell]
        self.faults.add(
            line.number, self.columns.names[place], cell, f"is not in {where}", nearest(cell, mapping, where)
        )
        return None

    def _take_answer(self, line: Line, participant: str, item: str, place: int) -> None:
        value = self._value(line, item, place)
        here = (participant, item)
        before = self._answers.get(here)
        if before is None:
            self._answers[here] = (value, line.number)
            self.measurements.append(Measurement(participant, self._first_visits[item], item, value))
        elif value != before[0]:
            said = "nothing" if before[0] is None else shown(before[0])
            problem = f"participant {shown(participant)} has {said} on line {before[1]}"
            remedy = "give each participant one value, or map the column in data.items"
            self.faults.add(line.number, self.columns.names[place], line.cells[place], problem, remedy)

    def _value(self, line: Line, item_name: str, place: int) -> str | None:
        """The cell as the item's stored text; None where it is empty or refused."""
        cell = line.cells[place]
        if cell.strip() in self.table.empty:
            return None
        item = self.protocol.items[item_name]
        column = self.columns.names[place]
        codes = self.table.codes.get(item_name)
        if codes is not None:
            return self._known(line, place, codes, f"data.codes.{item_name}")
        try:
            normal = normal_text(entered(item), cell, self.protocol.codelists.get(item.codelist or "", {}))
        except AnswerError as fault:
            self.faults.add(line.number, column, cell, fault.problem, fault.remedy)
            return None
        if item.type in NUMERIC_TYPES and (beyond := outside(item, Decimal(normal))):
            self.faults.add(line.number, column, cell, *beyond)
        return cell if item.type in (*NUMERIC_TYPES, "text") else normal


def entered(item: Item) -> Item:
    """The item as one that is typed in: what another system derived comes as a number."""
    return item.model_copy(update={"type": "decimal", "formula": None}) if item.type == "derived" else item


def outside(item: Item, number: Decimal) -> tuple[str, str] | None:
    """The problem and remedy of a number beyond the item's hard range; None when it is within."""
    limits = item.range.hard
    remedy = "correct the value, or the item's hard range in the protocol"
    if limits.min is not None and number < limits.min:
        return f"is below {limits.min}", remedy
    if limits.max is not None and number > limits.max:
        return f"is above {limits.max}", remedy
    return None


def visit_of(protocol: Protocol, item: str) -> str:
    """The visit to which an item that is told once belongs: the first one, from screening on, that asks it."""
    visits = protocol.visits_with(item.partition(".")[0])
    return visits[0].id if visits else protocol.visits[0].id


def nearest(cell: str, known: Collection[str], where: str) -> str:
    """What to do about a text that a mapping does not hold."""
    close = difflib.get_close_matches(cell, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"add it to {where}, or correct it to one of {', '.join(list(known)[:12])}"
