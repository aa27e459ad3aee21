"""Worked pairs of donor and recipient, published and derived, for the models and for the command."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Worked:
    """A pair: HLA-B and -C of both, HLA-A where it is not A*01:01 A*02:01, donor's KIR, what each model says."""

    name: str
    donor: str
    kir: str
    recipient: str
    gvh: str
    hvg: str
    receptor_ligand: str
    educated: str
    missing: str
    donor_a: str = "A*01:01 A*02:01"
    recipient_a: str = "A*01:01 A*02:01"
    with_a3_a11: bool = False

    @property
    def donor_hla(self) -> dict[str, tuple[str, str]]:
        return cells(self.donor_a, self.donor)

    @property
    def recipient_hla(self) -> dict[str, tuple[str, str]]:
        return cells(self.recipient_a, self.recipient)


def cells(hla_a: str, others: str) -> dict[str, tuple[str, str]]:
    a_1, a_2 = hla_a.split()
    b_1, b_2, c_1, c_2 = others.split()
    return {"A": (a_1, a_2), "B": (b_1, b_2), "C": (c_1, c_2)}


PLAIN = "B*07:02 B*08:01 C*07:01 C*07:02"
HAPLO = "B*44:02 B*08:01 C*07:01 C*05:01"  # Bw4 C1 C2
HAPLO_C2 = "B*44:02 B*08:01 C*04:01 C*05:01"  # Bw4 C2
ALL_KIR = "2DL1 2DL2 2DL3 3DL1 3DL2"

# D: derived by hand from the definitions. P: four of the published table of 21 mismatched haploidentical pairs (Pende
# et al. 2009, Blood 113:3119), typed here with alleles that show the published ligands; A3 and A11 count.
WORKED = [
    Worked("D1", "B*07:02 B*08:01 C*07:01 C*05:01", "2DL1 2DL3 3DL1", PLAIN, "C2", "", "2DL1 3DL1", "2DL1", "C2 Bw4"),
    Worked(
        "D2",
        "B*07:02 B*44:02 C*07:02 C*05:01",
        "2DL1 2DL2 3DL1",
        "B*44:02 B*57:01 C*05:01 C*06:02",
        "C1",
        "",
        "2DL2",
        "2DL2",
        "C1",
    ),
    Worked(
        "D3",
        "B*57:01 B*08:01 C*06:02 C*07:01",
        "2DL1 2DL3 3DL1",
        "B*07:02 B*08:01 C*04:01 C*07:01",
        "Bw4",
        "",
        "3DL1",
        "3DL1",
        "Bw4",
    ),
    Worked("D4", PLAIN, "2DL1 2DL3 3DL1", "B*07:02 B*44:02 C*07:02 C*05:01", "", "C2 Bw4", "", "", ""),
    Worked(
        "D6",
        "B*07:02 B*44:02 C*07:02 C*05:01",
        "2DL1 2DL3 3DL1",
        "B*07:02 B*44:02 C*07:02 C*05:01",
        "",
        "",
        "",
        "",
        "",
    ),
    Worked("D10", "B*07:02 B*08:01 C*07:01 C*04:09N", "2DL1 2DL3 3DL1", PLAIN, "", "", "2DL1 3DL1", "", "C2 Bw4"),
    Worked(
        "D10-missed",
        "B*07:02 B*08:01 C*07:01 C*04:01",
        "2DL1 2DL3 3DL1",
        PLAIN,
        "C2",
        "",
        "2DL1 3DL1",
        "2DL1",
        "C2 Bw4",
    ),
    Worked(
        "D12",
        "B*07:02 B*35:01 C*12:04 C*07:02",
        "2DL1 2DL3",
        "B*07:02 B*35:01 C*12:03 C*07:02",
        "C2",
        "",
        "2DL1",
        "2DL1",
        "C2 Bw4",
    ),
    Worked("P1", HAPLO, ALL_KIR, HAPLO_C2, "C1", "", "2DL2 2DL3 3DL2", "2DL2 2DL3", "C1", with_a3_a11=True),
    Worked(
        "P4",
        HAPLO,
        ALL_KIR,
        HAPLO_C2,
        "C1 A3",
        "",
        "2DL2 2DL3 3DL2",
        "2DL2 2DL3 3DL2",
        "C1",
        donor_a="A*03:01 A*02:01",
        with_a3_a11=True,
    ),
    Worked(
        "P6",
        HAPLO,
        ALL_KIR,
        HAPLO_C2,
        "C1",
        "A11",
        "2DL2 2DL3",
        "2DL2 2DL3",
        "C1",
        recipient_a="A*11:01 A*02:01",
        with_a3_a11=True,
    ),
    Worked(
        "P21",
        HAPLO_C2,
        ALL_KIR,
        HAPLO,
        "A3",
        "C1",
        "3DL2",
        "3DL2",
        "",
        donor_a="A*03:01 A*02:01",
        with_a3_a11=True,
    ),
    Worked("P21-classical", HAPLO_C2, ALL_KIR, HAPLO, "", "C1", "", "", "", donor_a="A*03:01 A*02:01"),
]


@pytest.fixture(params=WORKED, ids=lambda pair: pair.name)
def worked(request: pytest.FixtureRequest) -> Worked:
    """Each worked pair in turn."""
    pair = request.param
    assert isinstance(pair, Worked)
    return pair
