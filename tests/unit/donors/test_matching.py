"""The models on worked pairs, the verdict where typing leaves something open, the ranking, and the sentences."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from equipoise.donors import RULES, Pair, Person, PersonReader, builtin_reference, match, rule_named
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from conftest import Worked

REFERENCE = builtin_reference()
READER = PersonReader(REFERENCE)
PANEL = "2DL1 2DL3 2DS4 3DL1"  # haplotype AA


def person(code: str, others: str, kir: str = "", hla_a: str = "A*01:01 A*02:01") -> Person:
    """A person; a comma stands for a cell that is empty."""
    a_1, a_2, b_1, b_2, c_1, c_2 = (cell.strip(",") for cell in f"{hla_a} {others}".split())
    return READER.read(code, {"A": (a_1, a_2), "B": (b_1, b_2), "C": (c_1, c_2)}, kir)


def the_pair(donor: Person, recipient: Person, rule: str = "receptor-ligand") -> Pair:
    return match([donor], [recipient], rule, reference="r").pair(0, 0, 1)


def test_worked_pair_under_every_model(worked: "Worked") -> None:
    reader = PersonReader(REFERENCE, with_a3_a11=worked.with_a3_a11)
    donor = reader.read("D", worked.donor_hla, worked.kir)
    recipient = reader.read("R", worked.recipient_hla)
    pair = the_pair(donor, recipient)
    found = (pair.gvh, pair.hvg, pair.receptor_ligand, pair.educated, pair.missing_ligand)
    wanted = (worked.gvh, worked.hvg, worked.receptor_ligand, worked.educated, worked.missing)
    assert tuple(" ".join(names) for names in found) == wanted
    models = ("ligand_ligand_gvh", "ligand_ligand_hvg", "receptor_ligand", "educated", "missing_ligand")
    assert [pair.verdicts[rule] for rule in models] == ["mismatch" if names else "match" for names in wanted]
    assert (
        pair.direction
        == {
            (True, True): "bidirectional",
            (True, False): "gvh",
            (False, True): "hvg",
            (False, False): "permissive",
        }[bool(worked.gvh), bool(worked.hvg)]
    )


@pytest.mark.parametrize(
    ("name", "rule"),
    [(rule.replace("_", "-"), rule) for rule in RULES]
    + [(rule, rule) for rule in RULES]
    + [("ligand-ligand", "ligand_ligand_gvh"), (" Ligand_Ligand ", "ligand_ligand_gvh")],
)
def test_names_of_rules(name: str, rule: str) -> None:
    assert rule_named(name) == rule


def test_rule_that_there_is_not() -> None:
    with pytest.raises(Refusal) as refused:
        rule_named("kir")
    assert str(refused.value) == f"rule = kir: is not a mismatch rule; use one of {', '.join(RULES)}"


D = "B*07:02 B*08:01 C*07:01 C*05:01"  # C1 C2
C1_ONLY = "B*07:02 B*08:01 C*07:01 C*07:01"
C2_ONLY = "B*07:02 B*08:01 C*05:01 C*06:02"
BOTH = "B*07:02 B*08:01 C*07:01 C*06:02"

SENTENCES = [
    # rule, donor, KIR, recipient, verdict, missing ligands, sentence
    (
        "ligand-ligand-gvh",
        D,
        PANEL,
        C1_ONLY,
        "mismatch",
        "C2",
        "Donor shows C2 and the recipient does not: donor shows C1 and C2; recipient shows C1.",
    ),
    (
        "ligand-ligand-hvg",
        C1_ONLY,
        PANEL,
        D,
        "mismatch",
        "C2",
        "Recipient shows C2 and the donor does not: donor shows C1; recipient shows C1 and C2.",
    ),
    (
        "receptor-ligand",
        D,
        PANEL,
        C1_ONLY,
        "mismatch",
        "C2 Bw4",
        "Donor has KIR2DL1 and KIR3DL1, and the recipient shows no ligand of them (C2 and Bw4): "
        "donor shows C1 and C2; recipient shows C1.",
    ),
    (
        "receptor-ligand-c",
        D,
        PANEL,
        C1_ONLY,
        "mismatch",
        "C2",
        "Donor has KIR2DL1, and the recipient shows no ligand of it (C2): donor shows C1 and C2; recipient shows C1.",
    ),
    (
        "receptor-ligand-c",
        D,
        PANEL,
        BOTH,
        "match",
        "",
        "No mismatch: donor shows C1 and C2; recipient shows C1 and C2; donor has KIR2DL1, KIR2DL3 and KIR3DL1.",
    ),
    (
        "educated",
        D,
        PANEL,
        C1_ONLY,
        "mismatch",
        "C2",
        "Donor has KIR2DL1, and the recipient shows no ligand of it (C2), while the donor does: "
        "donor shows C1 and C2; recipient shows C1.",
    ),
    ("missing-ligand", D, PANEL, C1_ONLY, "mismatch", "C2 Bw4", "Recipient lacks C2 and Bw4: recipient shows C1."),
    (
        "hla-c-group-mismatch-gvh",
        D,
        PANEL,
        C1_ONLY,
        "mismatch",
        "C2",
        "Donor shows C2 and the recipient does not: donor shows C1 and C2; recipient shows C1.",
    ),
    (
        "hla-c-group-mismatch-gvh",
        D,
        PANEL,
        BOTH,
        "match",
        "",
        "No mismatch: donor shows C1 and C2; recipient shows C1 and C2; "
        "a recipient with C1 and C2 can never lack a group of HLA-C.",
    ),
    (
        "hla-cw-allele",
        D,
        PANEL,
        C1_ONLY,
        "mismatch",
        "",
        "Donor has an HLA-C protein that the recipient lacks: "
        "donor C*07:01 and C*05:01; recipient C*07:01 and C*07:01.",
    ),
    (
        "hla-cw-allele",
        "B*07:02 B*08:01 C*07:01:01 C*04:09N",
        PANEL,
        C1_ONLY,
        "match",
        "",
        "Donor has no HLA-C protein that the recipient lacks: "
        "donor C*07:01 and not expressed; recipient C*07:01 and C*07:01.",
    ),
    (
        "ligand-ligand",
        "B*07:02 B*08:01 C*05:01 C*05:01",
        PANEL,
        "B*07:02 B*08:01 Cw7 Cw7",
        "ambiguous",
        "",
        "Not settled by the typing (recipient's HLA-C ambiguous): donor shows C2; recipient shows none, "
        "perhaps C1 and C2.",
    ),
    (
        "ligand-ligand",
        D,
        PANEL,
        "B*07:02 B*08:01 C*07:01 ,",
        "not-evaluable",
        "",
        "Not settled by the typing (recipient's HLA-C not wholly typed): donor shows C1 and C2; recipient shows C1, "
        "perhaps C2.",
    ),
    (
        "receptor-ligand",
        D,
        "",
        C1_ONLY,
        "not-evaluable",
        "",
        "Not settled by the typing (donor's KIR genes not typed): donor shows C1 and C2; recipient shows C1.",
    ),
    (
        "receptor-ligand",
        D,
        "2DL1*POS|NEG 2DL3 2DS4 3DL1*NEG",
        C1_ONLY,
        "ambiguous",
        "",
        "Not settled by the typing (donor's KIR2DL1 not known): donor shows C1 and C2; recipient shows C1.",
    ),
    (
        "ligand-ligand",
        "B*44:02 B*08:01 C*07:01 C*05:01",
        PANEL,
        "B*07:02 B*08:01 C*07:01/C*05:01 C*07:01/C*05:01",
        "mismatch",
        "Bw4",
        "Donor shows Bw4 and the recipient does not: donor shows C1, C2 and Bw4; recipient shows none, "
        "perhaps C1 and C2.",
    ),
    (
        "ligand-ligand",
        D,
        PANEL,
        "B*07:02 B*08:01 C*07:01+C*07:01|C*05:01+C*05:01 ,",
        "mismatch",
        "",
        "A mismatch whatever the open answers are, though not always on the same ligand: donor shows C1 and C2; "
        "recipient shows none, perhaps C1 and C2.",
    ),
]


@pytest.mark.parametrize(("rule", "donor", "kir", "recipient", "verdict", "missing", "sentence"), SENTENCES)
def test_verdict_and_its_sentence(
    rule: str, donor: str, kir: str, recipient: str, verdict: str, missing: str, sentence: str
) -> None:
    pair = the_pair(person("D", donor, kir), person("R", recipient), rule)
    assert (pair.verdict, " ".join(pair.missing_ligands)) == (verdict, missing)
    assert pair.explanation == sentence


def test_missing_typing_that_cannot_matter_is_not_blamed() -> None:
    donor = person("D", "B*07:02 B*08:01 C*05:01 C*05:01", PANEL)
    recipient = person("R", "B*07:02 B*08:01 Cw7 C*07:01", hla_a=", ,")
    pair = the_pair(donor, recipient, "ligand-ligand")
    assert pair.verdict == "ambiguous"
    assert pair.explanation.startswith("Not settled by the typing (recipient's HLA-C ambiguous): ")


@pytest.mark.parametrize(
    ("donor", "recipient", "verdict"),
    [
        ("C*07:01 C*05:01", "C*07:01 C*05:01", "match"),
        ("C*07:01 C*07:01", "C*07:01 C*05:01", "match"),
        ("C*07:01 C*05:01", "C*07:01 C*07:01", "mismatch"),
        ("C*07:01:01:02 C*05:01", "C*07:01 C*05:01:03", "match"),
        ("C*07:01 C*04:09N", "C*07:01 C*05:01", "match"),
        ("C*07:01 C*05:01", "C*07:01 C*04:09N", "mismatch"),
        ("C*07 C*05:01", "C*04:01 C*05:01", "mismatch"),
        ("C*07 C*05:01", "C*07:01 C*05:01", "ambiguous"),
        ("C*07:01/C*07:02 C*05:01", "C*07:01 C*05:01", "ambiguous"),
        ("C*07:01/C*07:02 C*05:01", "C*06:02 C*05:01", "mismatch"),
        ("C*07 C*05:01", "C*07 C*05:01", "ambiguous"),
        ("C*07:01 ,", "C*04:01 C*05:01", "mismatch"),
        ("C*07:01 ,", "C*07:01 C*05:01", "not-evaluable"),
        ("C*07:01 C*07:01", "C*07:01 ,", "match"),
        ("C*07:01 C*05:01", "C*07:01 ,", "not-evaluable"),
        (", ,", "C*07:01 C*05:01", "not-evaluable"),
        ("C*07:01 C*05:01", "C*07:01+C*05:01|C*07:01+C*06:02 ,", "ambiguous"),
        ("C*07:01 C*07:01", "C*07:01+C*05:01|C*07:01+C*06:02 ,", "match"),
    ],
)
def test_alleles_of_hla_c(donor: str, recipient: str, verdict: str) -> None:
    found = the_pair(person("D", f"B*07:02 B*08:01 {donor}", PANEL), person("R", f"B*07:02 B*08:01 {recipient}"))
    assert found.verdicts["hla_cw_allele"] == verdict


def test_3dl2_counts_with_a3_and_a11_though_lists_leave_it_out() -> None:
    reader = PersonReader(REFERENCE, with_a3_a11=True)
    hla = {"A": ("A*03:01", "A*02:01"), "B": ("B*07:02", "B*08:01"), "C": ("C*07:01", "C*05:01")}
    donor, denied = reader.read("D", hla, PANEL), reader.read("E", hla, f"{PANEL} 3DL2*NEG")
    recipient = reader.read("R", {**hla, "A": ("A*01:01", "A*02:01")})
    assert the_pair(donor, recipient).receptor_ligand == ("3DL1", "3DL2")
    assert the_pair(denied, recipient).receptor_ligand == ("3DL1",)


def test_donors_are_ranked_by_verdict_then_b_content_then_activating_genes_then_code() -> None:
    best, better, neutral = "2DL1 2DL2 2DS4 3DL1", "2DL1 2DL2 2DL3 2DS1 2DS4 3DL1", "2DL1 2DL3 2DS4 3DL1"
    panel = [
        person("match", C1_ONLY, best),
        person("open", "B*07:02 B*08:01 Cw7 Cw7", best),
        person("missing", "B*07:02 B*08:01 C*07:01 ,", best),
        person("untyped", D, ""),
        person("neutral-b", D, neutral),
        person("neutral-a", D, neutral),
        person("activating", D, "2DL1 2DL3 2DS1 2DS4 3DL1"),
        person("better", D, better),
        person("best", D, best),
    ]
    matrix = match(panel, [person("R", C1_ONLY)], "ligand-ligand", reference="r")
    order = [pair.donor for pair in matrix.pairs()]
    assert order == ["best", "better", "activating", "neutral-a", "neutral-b", "untyped", "open", "missing", "match"]
    assert [pair.rank for pair in matrix.pairs()] == list(range(1, 10))
    assert dict(matrix.counts) == {"mismatch": 6, "ambiguous": 1, "not-evaluable": 1, "match": 1}


def test_recipients_whom_nobody_can_serve() -> None:
    recipients = [person("R1", C1_ONLY), person("R2", BOTH), person("R3", "B*07:02 B*08:01 C*07:01 ,")]
    matrix = match([person("D", D, PANEL)], recipients, "hla-c-group-mismatch-gvh", reference="r")
    assert matrix.unserved == ("R2", "R3")
    assert matrix.may_be_served == ("R3",)


def test_warnings_of_both_persons_stand_beside_the_pair() -> None:
    donor = person("D", "B*13:01 B*08:01 C*07:01 C*05:01", "2DL1 2DL3 3DL1*004 2DS4")
    pair = the_pair(donor, person("R", "B*07:02 B*08:01 C*07:01 C*04:09N"))
    assert pair.warnings == (
        "donor B*13:01: Bw4 by sequence, but did not protect targets from KIR3DL1 natural killer cells (Foley 2008)",
        "donor KIR3DL1*004 stays within the cell: not counted as a receptor",
        "recipient C*04:09N: not expressed, shows no ligand",
    )


def test_what_is_shown_marks_what_is_only_possible() -> None:
    pair = the_pair(person("D", "B*07:02 B*08:01 C*07:01 ,", PANEL), person("R", C2_ONLY))
    assert (pair.donor_ligands, pair.recipient_ligands) == ("C1 C2?", "C2")
    assert (pair.haplotype, pair.centromeric, pair.telomeric, pair.b_content) == ("AA", "A/A", "A/A", "Neutral")


@pytest.mark.parametrize("side", ["donors", "recipients"])
def test_nobody_is_refused(side: str) -> None:
    somebody = [person("P", D, PANEL)]
    with pytest.raises(Refusal) as refused:
        match([] if side == "donors" else somebody, [] if side == "recipients" else somebody, "educated", reference="r")
    assert str(refused.value) == f"{side}: are none; give at least one"


def test_nothing_can_be_changed_from_outside() -> None:
    cells = {"A": ("A*01:01", "A*02:01"), "B": ("B*07:02", "B*08:01"), "C": ("C*07:01", "C*05:01")}
    donor = READER.read("D", cells, PANEL)
    cells["C"] = ("C*06:02", "C*06:02")
    matrix = match([donor], [donor], "educated", reference="r")
    with pytest.raises(TypeError):
        donor.hla["C"] = ("C*06:02", "C*06:02")  # type: ignore[index]
    with pytest.raises(TypeError):
        matrix.verdicts["educated"] = np.zeros((1, 1), np.uint8)  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        matrix.gvh[0, 0] = 1
    with pytest.raises(TypeError):
        matrix.pair(0, 0).verdicts["educated"] = "match"  # type: ignore[index]
    assert donor.hla["C"] == ("C*07:01", "C*05:01")
