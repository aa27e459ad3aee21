"""Which ligand of killer cell receptors an HLA allele shows, from its residues 76 to 83.

C1 and C2 are the two forms of HLA-C told apart by residue 80, Bw4 an epitope of some HLA-A and -B with arginine 83.
Rules and exceptions: docs/methods/ligand-groups.md. Sequence is not function: `remarks` says where it is known to
differ. Sources: IPD-KIR ligand pages; Robinson et al. (2024), HLA 103:e15549; Foley et al. (2008), Blood 112:435;
Stern et al. (2008), Blood 112:708; Hansasuta et al. (2004), European Journal of Immunology 34:1673.
"""

from __future__ import annotations

from typing import Literal

Group = Literal["C1", "C2", "Bw4-80I", "Bw4-80T", "Bw6", "A3", "A11", "none", "unclassified", "null"]
RESIDUES = 8  # 76 to 83
WITH_C1 = ("46", "73")  # families of HLA-B that carry the C1 epitope

REMARKS = {
    "B*13:01": "Bw4 by sequence, but did not protect targets from KIR3DL1 natural killer cells (Foley 2008)",
    "B*13:02": "Bw4 by sequence, but did not protect targets from KIR3DL1 natural killer cells (Foley 2008)",
    "A*25:01": "Bw4 by sequence, but reported as a weak ligand of KIR3DL1 or none (Foley 2008; Stern 2008)",
    "A*23:01": "ligand of KIR3DL1, but weak in one of two studies (Foley 2008; Stern 2008)",
}
CARRIES_C1 = "carries the C1 epitope on HLA-B, by serology Bw6; the rule of residues 77 and 80 alone does not see it"
LIKE_C1 = "has valine 76 and asparagine 80 as B*46 and B*73 have: C1 by sequence, binding not shown; counted as Bw6"
BY_FAMILY = "ligand of KIR3DL2 by its family; binding depends on the peptide"


def ligand_group(locus: str, family: str, residues: str) -> Group:
    """The group of an expressed allele.

    Args:
        locus: A, B or C.
        family: the first field, such as 46.
        residues: the eight residues 76 to 83 in one-letter code; empty when they are not known.
    """
    if len(residues) != RESIDUES:
        return "unclassified"
    if locus == "C":
        return _of_c(residues)
    if locus == "B" and family in WITH_C1 and residues[0] == "V" and residues[4] == "N":
        return "C1"
    if residues[7] == "R" and residues[4] in "IT":
        return "Bw4-80I" if residues[4] == "I" else "Bw4-80T"
    if locus == "B":
        return "Bw6" if residues[1] in "SG" and residues[4] == "N" else "unclassified"
    return "A3" if family == "03" else "A11" if family == "11" else "none"


def group_77_80(locus: str, residues: str) -> Group | None:
    """The group by residues 77 and 80 alone, as the public ligand calculator of IPD-KIR has it; None for HLA-A."""
    if locus == "A":
        return None
    if len(residues) != RESIDUES:
        return "unclassified"
    if locus == "C":
        return _of_c(residues)
    pair = residues[1] + residues[4]
    if pair == "NI":
        return "Bw4-80I"
    if pair in ("NT", "DT", "ST"):
        return "Bw4-80T"
    return "Bw6" if pair in ("SN", "GN") else "unclassified"


def _of_c(residues: str) -> Group:
    return "C1" if residues[4] == "N" else "C2" if residues[4] == "K" else "unclassified"


def remarks(locus: str, family: str, protein: str, residues: str, group: Group) -> tuple[str, ...]:
    """What must be said beside the group of this protein."""
    found = [REMARKS[protein]] if protein in REMARKS else []
    if locus == "B" and group == "C1":
        found.append(CARRIES_C1)
    if locus == "B" and group == "Bw6" and residues[:1] == "V" and residues[4:5] == "N":
        found.append(LIKE_C1)
    if group in ("A3", "A11"):
        found.append(BY_FAMILY)
    return tuple(found)
