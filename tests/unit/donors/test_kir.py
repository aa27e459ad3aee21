"""KIR genes as laboratories write them, haplotypes, and B-content."""

import pytest

from equipoise.donors import b_content, parse_kir
from equipoise.refusals import Refusal


@pytest.mark.parametrize(
    ("text", "present", "unknown"),
    [
        ("2DL1 2DL3 3DL1", "2DL1 2DL3 3DL1", ""),
        ("2DL1,2dl3; KIR3DL1", "2DL1 2DL3 3DL1", ""),
        ("2DL1*003/034+003/034", "2DL1", ""),
        ("2DL1*0030101+NEG", "2DL1", ""),
        ("2DL1*POS 2DS1*NEG 2DS2:NEG", "2DL1", ""),
        ("2DL1*003|NEG", "", "2DL1"),
        ("2DS2*POS|NEG", "", "2DS2"),
        ("2DS1*002/NEG", "", "2DS1"),
        ("2DL5A 2DL5B", "2DL5", ""),
        ("2DS4N", "2DS4", ""),
        ("2DL1 2DL1", "2DL1", ""),
    ],
)
def test_genes_present_and_unknown(text: str, present: str, unknown: str) -> None:
    found = parse_kir(text)
    assert (found.present, found.unknown) == (frozenset(present.split()), frozenset(unknown.split()))
    assert found.typed
    assert found.absent.isdisjoint(found.present | found.unknown)


@pytest.mark.parametrize("text", ["", " ", "-", "NA", "not typed"])
def test_not_typed_leaves_every_gene_unknown(text: str) -> None:
    found = parse_kir(text)
    assert not found.typed
    assert found.absent == frozenset()
    assert b_content(found).content == "unknown"
    assert b_content(found).warnings == ()


WITHIN = "KIR3DL1*004 stays within the cell"


@pytest.mark.parametrize(
    ("text", "receptor", "is_open", "warnings"),
    [
        ("3DL1", True, False, ()),
        ("3DL1*001+004", True, False, ()),
        ("3DL1*004", False, False, (f"{WITHIN}: not counted as a receptor",)),
        ("3DL1*00401+00402", False, False, (f"{WITHIN}: not counted as a receptor",)),
        ("3DL1*004+NEG", False, False, (f"{WITHIN}: not counted as a receptor",)),
        ("3DL1*004/005", False, True, (f"{WITHIN}: whether there is a receptor is open",)),
        ("3DL1*004+004|004+005", False, True, (f"{WITHIN}: whether there is a receptor is open",)),
    ],
)
def test_a_form_that_stays_within_the_cell_is_no_receptor(
    text: str, receptor: bool, is_open: bool, warnings: tuple[str, ...]
) -> None:
    found = parse_kir(text)
    assert ("3DL1" in found.receptors, "3DL1" in found.open_receptors) == (receptor, is_open)
    assert found.warnings == warnings
    assert "3DL1" in found.present  # the gene is there, and the haplotype motif goes by genes


@pytest.mark.parametrize(
    ("text", "warned"), [("2DS4*003", True), ("2DS4*003+006", True), ("2DS4N", True), ("2DS4*001+003", False)]
)
def test_deleted_forms_of_2ds4_are_said(text: str, warned: bool) -> None:
    said = (f"KIR{text}: forms with a deletion are not expressed",) if warned else ()
    assert parse_kir(text).warnings == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2DL9", "KIR = 2DL9: is not a KIR gene; did you mean 2DL5?"),
        ("2DL1+", "KIR = 2DL1+: is not a KIR gene; did you mean 2DL1?"),
        ("AA", "KIR = AA: is not a KIR gene; use genes such as 2DL1, 2DL2, 2DL3"),
        ("003|NEG", "KIR = 003|NEG: is not a KIR gene; use genes such as 2DL1, 2DL2, 2DL3"),
        ("2DL1=0", "KIR = 2DL1=0: does not say what KIR2DL1 is; write alleles such as 2DL1*003, or POS or NEG"),
        ("2DL1*NEG 2DL1", "KIR = 2DL1: says of KIR2DL1 what another entry denies; name each gene once"),
    ],
)
def test_what_is_no_gene_is_refused(text: str, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_kir(text)
    assert str(refused.value) == said


TEL_A = "3DL1 2DS4"
CEN_A = "2DL3"
HAPLOTYPES = [
    # genes, haplotype, centromeric, telomeric, score, class
    (f"{CEN_A} {TEL_A}", "AA", "A/A", "A/A", 0, "Neutral"),
    (f"2DL3 2DS2 {TEL_A}", "Bx", "A/B", "A/A", 1, "Neutral"),
    (f"2DL3 2DL2 {TEL_A}", "Bx", "A/B", "A/A", 1, "Neutral"),
    (f"2DS2 2DL2 {TEL_A}", "Bx", "B/B", "A/A", 2, "Best"),
    (f"2DL2 {TEL_A}", "Bx", "B/B", "A/A", 2, "Best"),
    (f"2DS2 {TEL_A}", "Bx", "B/B", "A/A", 2, "Best"),
    (f"{CEN_A} 3DL1 2DS4 2DS1", "Bx", "A/A", "A/B", 1, "Neutral"),
    (f"{CEN_A} 3DL1 2DS4 3DS1", "Bx", "A/A", "A/B", 1, "Neutral"),
    (f"{CEN_A} 2DS4 3DS1 2DS1", "Bx", "A/A", "B/B", 2, "Better"),
    (f"{CEN_A} 3DL1 3DS1", "Bx", "A/A", "B/B", 2, "Better"),
    ("2DL3 2DL2 3DL1 2DS4 2DS1", "Bx", "A/B", "A/B", 2, "Better"),
    ("2DL3 2DL2 3DS1 2DS1", "Bx", "A/B", "B/B", 3, "Better"),
    ("2DL2 3DL1 2DS4 3DS1", "Bx", "B/B", "A/B", 3, "Best"),
    ("2DL2 2DS2 3DS1 2DS1", "Bx", "B/B", "B/B", 4, "Best"),
    (f"2DL5 {CEN_A} {TEL_A}", "Bx", "A/A", "A/A", 0, "Neutral"),
    # contradictions and gaps
    (f"2DL1 {TEL_A}", "unknown", "unknown", "A/A", None, "unknown"),
    (f"2DS2*POS|NEG {CEN_A} {TEL_A}", "unknown", "unknown", "A/A", None, "unknown"),
    (f"3DS1*POS|NEG {CEN_A} {TEL_A}", "unknown", "A/A", "unknown", None, "unknown"),
    ("2DL1 2DL3 3DL1", "unknown", "A/A", "unknown", None, "unknown"),
    ("2DL1 2DL2 3DL1", "Bx", "B/B", "unknown", None, "Best"),
]


@pytest.mark.parametrize(("genes", "haplotype", "centromeric", "telomeric", "score", "content"), HAPLOTYPES)
def test_haplotypes_and_b_content(
    genes: str, haplotype: str, centromeric: str, telomeric: str, score: int | None, content: str
) -> None:
    found = b_content(parse_kir(genes))
    assert (found.haplotype, found.centromeric, found.telomeric) == (haplotype, centromeric, telomeric)
    assert (found.score, found.content) == (score, content)


def test_the_gene_counts_for_the_haplotype_though_its_form_is_no_receptor() -> None:
    assert b_content(parse_kir("2DL3 3DL1*004 2DS4")).telomeric == "A/A"


def test_impossible_genes_and_lists_of_inhibitory_genes_are_said() -> None:
    impossible, inhibitory = b_content(parse_kir(f"2DL1 {TEL_A}")), b_content(parse_kir("2DL1 2DL3 3DL1"))
    assert impossible.warnings == (
        "KIR: none of 2DL2, 2DL3 and 2DS2 is present, which no haplotype allows; check the typing",
    )
    assert inhibitory.warnings == (
        "KIR: none of 2DS4, 2DS1 and 3DS1 is named, as if inhibitory genes alone were listed; type those too",
    )
