"""A table of adverse events to code: written with suggestions, read back with the codes that a person chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.cells import safe_cell
from equipoise.conduct.coding import EventCode
from equipoise.exchange.table_faults import FaultList
from equipoise.exchange.tables import TextRow, read_table, write_table
from equipoise.refusals import Refusal, shown
from equipoise.safety.dictionary import CodedTerm, Dictionary

NEEDED = ("participant", "number", "verbatim", "code")
COLUMNS = ("participant", "number", "verbatim", "term", "former_code", "code", "name", "suggestions")


@dataclass(frozen=True, slots=True)
class ChosenCode:
    """The term that a person chose for an event."""

    participant: str
    number: int
    term: CodedTerm


def write_codes(events: Sequence[EventCode], dictionary: Dictionary, path: Path) -> int:
    """Write events to code, one a row, with their code or that of the term that has the verbatim text's very words.

    Returns:
        In how many rows there is a code.
    """
    codes = [_code_of(event, dictionary) for event in events]
    write_table(path, COLUMNS, _rows(events, codes, dictionary))
    return sum(found is not None for found in codes)


def _code_of(event: EventCode, dictionary: Dictionary) -> CodedTerm | None:
    if event.current and event.code is not None:
        return dictionary.find(event.code)
    return dictionary.exact(event.verbatim)


def _rows(
    events: Sequence[EventCode], codes: Sequence[CodedTerm | None], dictionary: Dictionary
) -> Iterator[list[str]]:
    for event, found in zip(events, codes, strict=True):
        alike = () if found else dictionary.suggestions(event.verbatim)
        yield [
            event.participant,
            str(event.number),
            event.verbatim,
            event.term or "",
            "" if event.current else event.code or "",
            found.code if found else "",
            found.name if found else "",
            " | ".join(term.code if term.code == term.name else f"{term.code} {term.name}" for term in alike),
        ]


def read_chosen(path: Path, events: Sequence[EventCode], dictionary: Dictionary) -> tuple[ChosenCode, ...]:
    """The codes that are to be recorded: a row without one, or with that which stands already, is left out.

    Args:
        path: a table with the columns participant, number, verbatim, code.
        events: all events of the trial.
        dictionary: by which they are coded.

    Raises:
        TableRefused: every row that names no such event, another text than the record's, or a code that cannot be.
    """
    table = read_table(path, NEEDED)
    faults = FaultList(path.name)
    known = {(event.participant, str(event.number)): event for event in events}
    lines: dict[tuple[str, str], int] = {}
    chosen = []
    for row in table.rows:
        if not row.cells["code"].strip():
            continue
        found = _chosen(row, known, lines, dictionary, faults)
        if found is not None:
            chosen.append(found)
    faults.refuse_if_any()
    return tuple(chosen)


def _chosen(
    row: TextRow,
    events: dict[tuple[str, str], EventCode],
    lines: dict[tuple[str, str], int],
    dictionary: Dictionary,
    faults: FaultList,
) -> ChosenCode | None:
    cells = {name: row.cells[name].strip() for name in NEEDED}
    key = (cells["participant"], cells["number"])
    event = events.get(key)
    if event is None:
        faults.add(row.line, "number", key[1], f"is no adverse event of {key[0]}", "write the table anew")
    elif lines.setdefault(key, row.line) != row.line:
        faults.add(row.line, "number", key[1], f"stands in line {lines[key]} already", "keep one of the lines")
    elif _spaced(cells["verbatim"]) not in (_spaced(event.verbatim), _spaced(safe_cell(event.verbatim))):
        problem = f"is not what the record says, {shown(event.verbatim)}"
        faults.add(row.line, "verbatim", cells["verbatim"], problem, "write the table anew")
    else:
        return _new_code(row, event, dictionary, faults)
    return None


def _spaced(text: str) -> str:
    """A text whatever a spreadsheet made of its white space."""
    return " ".join(text.split())


def _new_code(row: TextRow, event: EventCode, dictionary: Dictionary, faults: FaultList) -> ChosenCode | None:
    code = row.cells["code"].strip()
    try:
        # What a spreadsheet would take for a formula was written, and may be typed, with an apostrophe before it.
        term = dictionary.current(code if dictionary.has(code) else code.removeprefix("'"))
    except Refusal as refusal:
        faults.add(row.line, "code", code, refusal.problem, refusal.remedy)
        return None
    stands = event.current and term.code == event.code
    return None if stands else ChosenCode(event.participant, event.number, term)
