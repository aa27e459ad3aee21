"""The reference: built from files in the official forms, written with its checksum, read back or refused."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.donors import builtin_reference, parse_allele, read_reference
from equipoise.donors.hla_files import build_reference, residues_of
from equipoise.donors.ligand_reference import ReferenceRefusal, reference_text

FILES = Path(__file__).parent / "files"  # made up in the official forms; no sequence is a real protein's
ALIGNMENT, FASTA = FILES / "C_prot.txt", FILES / "hla_prot.fasta"
RELEASE = "IPD-IMGT/HLA 9.99.0"

FROM_ALIGNMENT = {
    "C*01:02": ("normal", ("C1",)),
    "C*02:02": ("normal", ("C2",)),
    "C*03:04": ("mixed:Q", ("C1",)),
    "C*04:01": ("mixed:N", ("C2",)),
    "C*04:09": ("N", ("null",)),
    "C*05:07": ("N", ("null",)),  # a stop before residue 76
    "C*07:100": ("normal", ("C1",)),  # residues in the columns of an insertion
    "C*08:77": ("normal", ("unclassified",)),  # a deletion within 76 to 83
    "C*08:78": ("normal", ("unclassified",)),  # not sequenced there
    "C*12:03": ("normal", ("C1", "C2")),  # long forms that differ
    "C*15:07": ("normal", ("C1",)),
}
FROM_FASTA = {
    "A*01:01": ("normal", ("none",)),
    "A*24:02": ("normal", ("Bw4-80I",)),
    "A*24:09": ("N", ("null",)),
    "B*07:02": ("normal", ("Bw6",)),
    "B*08:02": ("normal", ("Bw4-80T",)),  # without its leader
    "B*46:01": ("normal", ("C1",)),
    "B*57:01": ("normal", ("Bw4-80I",)),  # known from residue 64 on
    "B*57:99": ("N", ("null",)),
    "C*01:02": ("normal", ("C1",)),
    "C*04:01": ("normal", ("C2",)),
}


def test_alignment_is_read_by_its_columns() -> None:
    reference = build_reference([ALIGNMENT])
    assert {name: (entry.expression, entry.groups) for name, entry in reference.entries.items()} == FROM_ALIGNMENT
    assert reference.release == RELEASE
    assert reference.complete


def test_fasta_is_placed_on_the_locus_and_other_loci_are_left_out() -> None:
    reference = build_reference([FASTA], release=RELEASE)
    assert {name: (entry.expression, entry.groups) for name, entry in reference.entries.items()} == FROM_FASTA


def test_files_are_brought_together_with_their_checksums(tmp_path: Path) -> None:
    packed = tmp_path / "hla_prot.fasta.gz"
    packed.write_bytes(gzip.compress(FASTA.read_bytes(), mtime=0))
    told: list[tuple[int, int]] = []
    reference = build_reference([ALIGNMENT, packed], progress=lambda done, total: told.append((done, total)))
    assert reference.entries.keys() == FROM_ALIGNMENT.keys() | FROM_FASTA.keys()
    assert reference.sources == tuple(
        f"{path.name} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in (ALIGNMENT, packed)
    )
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.fasta"
    other.write_text(FASTA.read_text(encoding="utf-8").replace("VNLRKLRG", "VNLRNLRG"), encoding="utf-8")
    with pytest.raises(ReferenceRefusal) as refused:
        build_reference([FASTA, other], release=RELEASE)
    assert str(refused.value) == (
        "allele = C*04:01:01:01: has residues VNLRKLRG in one file and VNLRNLRG in another; give files of one release"
    )


def test_long_forms_that_two_files_hold_count_once() -> None:
    once, twice = build_reference([ALIGNMENT]), build_reference([ALIGNMENT, ALIGNMENT])
    assert once.entries == twice.entries
    assert once.sha256 == twice.sha256


def test_family_has_the_groups_of_its_expressed_alleles() -> None:
    reference = build_reference([ALIGNMENT])
    assert reference.family_groups("C", "04") == {"C2"}
    assert reference.family_groups("C", "05") == frozenset()
    assert reference.family_groups("C", "12") == {"C1", "C2"}


def test_reference_that_was_written_is_read_back(tmp_path: Path) -> None:
    reference = build_reference([ALIGNMENT])
    path = tmp_path / "reference.csv"
    path.write_text(reference_text(reference), encoding="utf-8")
    again = read_reference(path)
    assert again == reference
    assert again.sources[0].startswith("C_prot.txt sha256 ")
    assert again.title == f"{RELEASE} (sha256 {reference.sha256[:12]})"


CHANGED = "was changed since it was written, or cut short; build it again with `equipoise hla build`"
NOT_ONE = "is not a ligand reference; build one with `equipoise hla build`"
DAMAGE: list[tuple[Callable[[str], str], str]] = [
    (lambda text: text.replace("C*15:07,VNLRNLRG", "C*15:07,VNLRKLRG"), CHANGED),
    (lambda text: text[:-20], CHANGED),
    (lambda text: text + "C*99:01,VSLRNLRG,normal,1\n", CHANGED),
    (lambda text: "\n".join(line for line in text.split("\n") if "release" not in line), CHANGED),
    (lambda text: "id,A_1\nD1,A*01:01\n", NOT_ONE),
    (lambda text: "", NOT_ONE),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGE)
def test_reference_that_was_changed_is_refused(tmp_path: Path, damage: Callable[[str], str], said: str) -> None:
    path = tmp_path / "reference.csv"
    path.write_text(damage(reference_text(build_reference([ALIGNMENT]))), encoding="utf-8")
    with pytest.raises(ReferenceRefusal) as refused:
        read_reference(path)
    assert str(refused.value) == f"reference = reference.csv: {said}"


def test_reference_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReferenceRefusal) as refused:
        read_reference(path)
    assert str(refused.value) == f"reference = {path}: {NOT_ONE}"


def test_line_ends_of_another_system_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "reference.csv"
    path.write_bytes(reference_text(build_reference([ALIGNMENT])).replace("\n", "\r\n").encode())
    assert read_reference(path).entries == build_reference([ALIGNMENT]).entries


GIVE = "give A_prot.txt, B_prot.txt, C_prot.txt or hla_prot.fasta as IPD-IMGT/HLA publishes them"
NEITHER = f"is neither a protein alignment nor a protein FASTA file; {GIVE}"
CUT = "fetch it again, it was cut short"
HOSTILE = [
    (b"", NEITHER),
    (b"hello\n", NEITHER),
    (b"id,A_1\nD1,A*01:01\n", NEITHER),
    (b"\x00" * 1000, NEITHER),
    (b"\xff\xfe" * 100, NEITHER),
    (b"x" * 200_000, NEITHER),
    (b"\x1f\x8b\x08\x00broken", "is not a whole gzip file; fetch it again"),
    (
        b"# version: IPD-IMGT/HLA 9.99.0\n gDNA              1\n                   |\n C*01:02           ATG GCC\n",
        "does not mark residue 1; give the protein alignment (_prot.txt), not that of nucleotides",
    ),
    (
        b">HLA:HLA00401 C*01:02:01:01 1101 bp\n" + b"ATGCGGGTCATGGCGCCC" * 10 + b"\n",
        "holds nucleotides (C*01:02:01:01); give the protein file, hla_prot.fasta",
    ),
    (
        b">HLA:HLA00401 C*01:02:01:01 60 bp\n" + b"ATGCGGGTCATGGCGCCC" * 3 + b"NNNNNN\n",
        "holds nucleotides (C*01:02:01:01); give the protein file, hla_prot.fasta",
    ),
    (
        b">HLA:HLA00401 C*01:02:01:01 6 bp\nACGTAC\n",
        "holds nucleotides (C*01:02:01:01); give the protein file, hla_prot.fasta",
    ),
    (
        b">HLA:HLA00401 C*01:02:01:01 9 bp\nMRVMAPRTL\n",
        "holds residues 76 to 83 of no protein; fetch it again, it was cut short",
    ),
    (
        b">HLA:HLA00664 DRB1*01:01:01:01 266 bp\nMVCLKLPGGS\n",
        "holds no protein of HLA-A, -B or -C; give A_prot.txt, B_prot.txt and C_prot.txt, or hla_prot.fasta",
    ),
]


@pytest.mark.parametrize(("content", "said"), HOSTILE)
def test_hostile_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(content)
    with pytest.raises(ReferenceRefusal) as refused:
        build_reference([path], release=RELEASE)
    assert str(refused.value) == f"file = file.txt: {said}"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (" Prot              37", f"ends before residue 83 of its first row; {CUT}"),
        (" C*08:78           ---------- ---------- ---------- ----..", f"ends before residue 83 of C*08:78; {CUT}"),
    ],
)
def test_alignment_that_was_cut_short_is_refused(tmp_path: Path, end: str, said: str) -> None:
    text = ALIGNMENT.read_text(encoding="utf-8")
    path = tmp_path / "C_prot.txt"
    path.write_text(text[: text.index(end)], encoding="utf-8")
    with pytest.raises(ReferenceRefusal) as refused:
        build_reference([path])
    assert str(refused.value) == f"file = C_prot.txt: {said}"


def test_release_must_be_stated_and_be_one(tmp_path: Path) -> None:
    with pytest.raises(ReferenceRefusal) as unstated:
        build_reference([FASTA])
    with pytest.raises(ReferenceRefusal) as two:
        build_reference([ALIGNMENT], release="IPD-IMGT/HLA 3.58.0")
    assert str(unstated.value) == (
        "release: is not stated in the files; say it with --release, such as --release 'IPD-IMGT/HLA 3.58.0'"
    )
    assert str(two.value) == (
        "release = IPD-IMGT/HLA 3.58.0, IPD-IMGT/HLA 9.99.0: are of different releases; give files of one release"
    )


def test_protein_that_is_too_unlike_is_not_placed() -> None:
    assert residues_of("C", "ACDEFGHIKLMNPQRSTVWY" * 10) == ""
    assert residues_of("C", "ACD") == ""


def test_builtin_list_is_short_and_checked() -> None:
    reference = builtin_reference()
    assert not reference.complete
    assert len(reference.entries) == 724
    assert reference.release == "IPD-IMGT/HLA 3.58.0"
    assert reference.title.startswith("IPD-IMGT/HLA 3.58.0, common alleles (sha256 ")
    assert reference.family_groups("C", "07") == {"C1", "C2", "unclassified"}


def test_builtin_list_cannot_be_changed_from_outside() -> None:
    reference = builtin_reference()
    with pytest.raises(TypeError):
        reference.entries["C*07:02"] = reference.entries["C*05:01"]  # type: ignore[index]
    entry = reference.entry(parse_allele("C*07:02"))
    assert entry is not None
    assert entry.groups == ("C1",)
