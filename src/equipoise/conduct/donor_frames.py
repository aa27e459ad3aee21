"""The frames of donors and matches: codes only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from equipoise.conduct.donor_tables import DONOR
from equipoise.conduct.frames import Record, day_of, flag_of
from equipoise.ledger import Row, Tables

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "donors": (
        "donor", "sex", "birth_year", "registered_on", "eligible", "eligibility_note", "hla", "kir", "ligands",
        "b_content",
    ),
    "matches": (
        "participant", "donor", "on", "rule", "rule_version", "verdict", "missing_ligands", "gvh", "hvg",
        "receptor_ligand", "missing_ligand", "educated", "b_content", "explanation", "warnings", "reference",
    ),
}  # fmt: skip


def donors(tables: Tables) -> Iterator[Record]:
    """The trial's donors, each with the typing that stands."""
    typings = {row["person"]: row for row in tables.rows("typing", side=DONOR)}
    for row in tables.rows("donor"):
        typing: Row = typings.get(row["donor"], {})
        yield {
            **row,
            "registered_on": day_of(row["registered_on"]),
            "eligible": flag_of(row["eligible"]),
            "hla": hla_text(str(typing["hla"])) if typing else None,
            "kir": (typing["kir"] or None) if typing else None,
            "ligands": typing.get("ligands"),
            "b_content": typing.get("b_content"),
        }


def matches(tables: Tables) -> Iterator[Record]:
    """Matches as recorded; sets of names divided by spaces, warnings by semicolons."""
    for row in tables.rows("match"):
        warnings = "; ".join(json.loads(str(row["warnings"])))
        yield {**row, "on": day_of(row["matched_on"]), "warnings": warnings}


def hla_text(stored: str) -> str:
    """A typing in one line, such as `C: C*07:01, C*05:01`; a cell that is empty reads `not typed`."""
    loci = json.loads(stored)
    return "; ".join(f"{locus}: {', '.join(cell or 'not typed' for cell in cells)}" for locus, cells in loci.items())
