"""Donors and recipients from their tables; the matrix of their pairs as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from equipoise.donors.hla_names import LOCI
from equipoise.donors.kinds import BY_PROTEIN, kinds_of_donors, kinds_of_recipients
from equipoise.donors.matching import MatchMatrix, Pair
from equipoise.donors.mismatch import VERDICTS
from equipoise.donors.people import Person, PersonReader
from equipoise.exchange.table_faults import FaultList
from equipoise.exchange.tables import csv_line, read_table, write_lines
from equipoise.refusals import Refusal

PEOPLE = ("id", "A_1", "A_2", "B_1", "B_2", "C_1", "C_2", "KIR")
HEAD = ("recipient", "donor", "rank")
COLUMNS = (
    *HEAD, "rule", "verdict", "missing_ligands", "gvh", "hvg", "receptor_ligand",
    "missing_ligand", "educated", "b_content", "explanation", "warnings", "direction", "haplotype", "centromeric",
    "telomeric", "donor_ligands", "recipient_ligands", "other_rules", "reference",
)  # fmt: skip

KINDS_KEPT, WARNINGS_KEPT = 128, 65_536
"""Of how many kinds of recipients, and pairs of warnings, the text is kept: some hundred megabytes."""


def read_people(path: Path, reader: PersonReader, *, kir: bool = True) -> tuple[Person, ...]:
    """People from a table of `PEOPLE` columns.

    Args:
        path: the file.
        reader: of typings.
        kir: whether the column KIR must be there.

    Raises:
        TableRefused: every cell that cannot be read, with its line, column and remedy.
    """
    table = read_table(path, PEOPLE if kir else PEOPLE[:-1], key="id")
    faults = FaultList(path.name)
    people: list[Person] = []
    for row in table.rows:
        cells = row.cells
        hla = {locus: (cells[f"{locus}_1"], cells[f"{locus}_2"]) for locus in LOCI}
        try:
            people.append(reader.read(cells["id"], hla, cells.get("KIR", "")))
        except Refusal:
            for refusal in reader.refusals(hla, cells.get("KIR", "")):
                column = column_of(refusal, cells)
                faults.add(row.line, column, cells[column], refusal.problem, refusal.remedy)
    faults.refuse_if_any()
    return tuple(people)


def column_of(refusal: Refusal, cells: Mapping[str, str]) -> str:
    """The column of the cell that was refused."""
    locus = refusal.field.removeprefix("HLA-")
    if locus not in LOCI:
        return "KIR"
    first, second = cells[f"{locus}_1"], cells[f"{locus}_2"]
    value = str(refusal.value)
    return f"{locus}_2" if value not in first or (value == second and value != first) else f"{locus}_1"


def write_matrix(matrix: MatchMatrix, path: Path) -> None:
    """Every pair as a row: recipients in their order, donors from the best down.

    All but codes, rank and warnings is the same for pairs of the same kinds of people, and is made once for them.
    """
    write_lines(path, _lines(matrix))


def _lines(matrix: MatchMatrix) -> Iterator[str]:
    """The header, then the rows of one recipient after the other."""
    yield csv_line(COLUMNS)
    codes, warned = [_cell(person.id) for person in matrix.donors], _Warnings(matrix)
    givers, takers = kinds_of_donors(matrix.donors, matrix.rule), kinds_of_recipients(matrix.recipients, matrix.rule)
    by_protein = matrix.verdicts[BY_PROTEIN]

    @lru_cache(maxsize=KINDS_KEPT)
    def said_to(taker: int) -> dict[int, tuple[str, str]]:
        """For each kind of donor and comparison of proteins, what stands before the warnings and after them."""
        return {}

    for place, person in enumerate(matrix.recipients):
        own, first = said_to(int(takers[place])), _cell(person.id)
        ranked = matrix.ranked(place)
        keys = givers[ranked] * len(VERDICTS) + by_protein[place, ranked]
        rows = []
        for rank, (donor, key) in enumerate(zip(ranked.tolist(), keys.tolist(), strict=True), start=1):
            said = own.get(key)
            if said is None:
                said = own[key] = _said(matrix.pair(place, donor))
            rows.append(f"{first},{codes[donor]},{rank},{said[0]},{warned.of(donor, place)},{said[1]}\n")
        yield "".join(rows)


class _Warnings:
    """The cell of warnings of each pair, made once for each two texts."""

    def __init__(self, matrix: MatchMatrix) -> None:
        self._donors = ["; ".join(f"donor {text}" for text in person.warnings) for person in matrix.donors]
        taken = (person.ligands.warnings for person in matrix.recipients)
        self._recipients = ["; ".join(f"recipient {text}" for text in texts) for texts in taken]
        self._cell = lru_cache(maxsize=WARNINGS_KEPT)(lambda *texts: _cell("; ".join(filter(None, texts))))

    def of(self, donor: int, recipient: int) -> str:
        return self._cell(self._donors[donor], self._recipients[recipient])


def _cell(text: str) -> str:
    return csv_line([text, ""]).removesuffix(",\n")  # with a neighbour, since a lone empty cell is written as quotes


def _said(pair: Pair) -> tuple[str, str]:
    cells, place = as_cells(pair), COLUMNS.index("warnings")
    parts = COLUMNS[len(HEAD) : place], COLUMNS[place + 1 :]
    before, after = (csv_line([cells[name] for name in names]).removesuffix("\n") for names in parts)
    return before, after


def as_cells(pair: Pair) -> dict[str, str]:
    """A pair as text by column; sets are names divided by spaces."""
    return {
        "recipient": pair.recipient,
        "donor": pair.donor,
        "rank": str(pair.rank),
        "rule": pair.rule,
        "verdict": pair.verdict,
        "missing_ligands": " ".join(pair.missing_ligands),
        "gvh": " ".join(pair.gvh),
        "hvg": " ".join(pair.hvg),
        "receptor_ligand": " ".join(pair.receptor_ligand),
        "missing_ligand": " ".join(pair.missing_ligand),
        "educated": " ".join(pair.educated),
        "b_content": pair.b_content,
        "explanation": pair.explanation,
        "warnings": "; ".join(pair.warnings),
        "direction": pair.direction,
        "haplotype": pair.haplotype,
        "centromeric": pair.centromeric,
        "telomeric": pair.telomeric,
        "donor_ligands": pair.donor_ligands,
        "recipient_ligands": pair.recipient_ligands,
        "other_rules": " ".join(f"{rule}={verdict}" for rule, verdict in pair.verdicts.items() if rule != pair.rule),
        "reference": pair.reference,
    }
