"""Donors and recipients from their tables; the matrix of their pairs as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from equipoise.donors.hla_names import LOCI
from equipoise.donors.matching import MatchMatrix, Pair
from equipoise.donors.people import Person, PersonReader
from equipoise.exchange.table_faults import FaultList
from equipoise.exchange.tables import read_table, write_table
from equipoise.refusals import Refusal

PEOPLE = ("id", "A_1", "A_2", "B_1", "B_2", "C_1", "C_2", "KIR")
COLUMNS = (
    "recipient", "donor", "rank", "rule", "verdict", "missing_ligands", "gvh", "hvg", "receptor_ligand",
    "missing_ligand", "educated", "b_content", "explanation", "warnings", "direction", "haplotype", "centromeric",
    "telomeric", "donor_ligands", "recipient_ligands", "other_rules", "reference",
)  # fmt: skip


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
    """Every pair as a row: recipients in their order, donors from the best down."""
    write_table(path, COLUMNS, _rows(matrix))


def _rows(matrix: MatchMatrix) -> Iterator[list[str]]:
    for pair in matrix.pairs():
        cells = as_cells(pair)
        yield [cells[name] for name in COLUMNS]


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
