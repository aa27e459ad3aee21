"""The mismatch models, each one table over what donor and recipient may show and which receptors the donor has.

A set of ligands is a number of five bits (C1, C2, Bw4, A3, A11), a set of the donor's inhibitory receptors another
(2DL1, 2DL2, 2DL3, 3DL1, 3DL2). What a model says of each of the 32 x 32 x 32 cases stands in a table, so that a whole
matrix of pairs, ambiguity included, is a few products of matrices. Definitions: docs/methods/mismatch-models.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.donors.ligands import LIGANDS
from equipoise.refusals import Refusal

RECEPTORS = ("2DL1", "2DL2", "2DL3", "3DL1", "3DL2")
CASES = 32
READS = {"2DL1": ("C2",), "2DL2": ("C1",), "2DL3": ("C1",), "3DL1": ("Bw4",), "3DL2": ("A3", "A11")}
"""The ligands that keep each inhibitory receptor quiet."""
CLASSICAL = ("C1", "C2", "Bw4")
SAME_RECEPTOR = ("A3", "A11")

RULES = {
    "ligand_ligand_gvh": "donor shows a ligand that the recipient lacks (Ruggeri 2002; graft against host)",
    "ligand_ligand_hvg": "recipient shows a ligand that the donor lacks (host against graft)",
    "receptor_ligand": "donor has an inhibitory receptor whose ligand the recipient lacks (Leung 2004)",
    "receptor_ligand_c": "as receptor_ligand, for 2DL1, 2DL2 and 2DL3 alone",
    "missing_ligand": "recipient lacks one or more of C1, C2 and Bw4 (after Hsu 2005)",
    "educated": "donor has receptor and ligand, recipient lacks the ligand (Ruggeri 2007)",
    "hla_c_group_mismatch_gvh": "donor shows C1 or C2 and the recipient does not",
    "hla_cw_allele": "donor has an HLA-C protein, told by two fields, that the recipient lacks",
}
"""The rules that a protocol may name, and what each calls a mismatch."""
ALIASES = {"ligand_ligand": "ligand_ligand_gvh"}
BY_RECEPTOR = frozenset({"receptor_ligand", "receptor_ligand_c"})
NEEDS_KIR = BY_RECEPTOR | {"educated"}

Verdict = Literal["mismatch", "ambiguous", "not-evaluable", "match"]
VERDICTS: tuple[Verdict, ...] = ("mismatch", "ambiguous", "not-evaluable", "match")
"""In the order in which donors are ranked."""

Table = NDArray[np.bool_]


def rule_named(name: str) -> str:
    """The rule of that name; hyphens and underscores are the same.

    Raises:
        Refusal: with the rules that there are.
    """
    plain = name.strip().lower().replace("-", "_")
    plain = ALIASES.get(plain, plain)
    if plain not in RULES:
        raise Refusal("rule", name, "is not a mismatch rule", f"use one of {', '.join(RULES)}")
    return plain


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What each model says in each case.

    `gvh` and `hvg` (ligand, donor, recipient): ligands that one shows and the other lacks; `missing` (ligand,
    recipient): ligands that the recipient lacks; `receptor_ligand` (receptor, donor, recipient, receptors): receptors
    whose ligand the recipient lacks, `educated` those of them whose ligand the donor shows.
    """

    gvh: Table
    hvg: Table
    missing: Table
    receptor_ligand: Table
    educated: Table


def bits(names: Iterable[str], order: tuple[str, ...]) -> int:
    """A set of names as a number."""
    return sum(1 << order.index(name) for name in names if name in order)


def named(number: int, order: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a number, in order."""
    return tuple(name for place, name in enumerate(order) if number >> place & 1)


@lru_cache(maxsize=8)
def tables(considered: tuple[str, ...]) -> Tables:
    """The tables when these ligands are considered."""
    sets = [frozenset(named(number, LIGANDS)) & frozenset(considered) for number in range(CASES)]
    gvh = np.zeros((len(LIGANDS), CASES, CASES), bool)
    missing = np.zeros((len(LIGANDS), CASES), bool)
    lacks = np.zeros((len(RECEPTORS), CASES), bool)
    shows = np.zeros((len(RECEPTORS), CASES), bool)
    for recipient, own in enumerate(sets):
        for place, ligand in enumerate(LIGANDS):
            kin = SAME_RECEPTOR if ligand in SAME_RECEPTOR else (ligand,)
            without = ligand in considered and not own & set(kin)
            missing[place, recipient] = without and ligand in CLASSICAL
            if without:
                gvh[place, :, recipient] = [ligand in donor for donor in sets]
        for place, receptor in enumerate(RECEPTORS):
            reads = set(READS[receptor])
            lacks[place, recipient] = bool(reads & set(considered)) and not own & reads
            shows[place, recipient] = bool(own & reads)
    has = np.array([[receptor in named(number, RECEPTORS) for number in range(CASES)] for receptor in RECEPTORS])
    receptor_ligand = np.broadcast_to(
        lacks[:, np.newaxis, :, np.newaxis] & has[:, np.newaxis, np.newaxis, :],
        (len(RECEPTORS), CASES, CASES, CASES),
    )
    educated = receptor_ligand & shows[:, :, np.newaxis, np.newaxis]
    return Tables(gvh, np.swapaxes(gvh, 1, 2), missing, receptor_ligand, educated)
