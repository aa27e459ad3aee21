"""Build a ligand reference from the protein files of IPD-IMGT/HLA: an alignment (`C_prot.txt`) or FASTA.

In an alignment the residues are found by the columns under the mark of residue 1, so that insertions and deletions
keep their place. In FASTA each protein is placed without gaps against the mature reference of its locus on residues
64 to 96. The files are the user's own copies; nothing is fetched.
Source: Robinson et al. (2024), HLA 103:e15549.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import eq
from pathlib import Path

from equipoise.donors.hla_names import BadName, HlaAllele, parse_allele
from equipoise.donors.ligand_reference import Reference, ReferenceRefusal, collected, made

Progress = Callable[[int, int], None]
Form = tuple[HlaAllele, str]

FIRST, LAST = 76, 83
WINDOW_START = 64
WINDOWS = {  # residues 64 to 96 of A*01:01, B*07:02 and C*01:02
    "A": "TRNMKAHSQTDRANLGTLRGYYNQSEDGSHTIQ",
    "B": "TQIYKAQAQTDRESLRNLRGYYNQSEAGSHTLQ",
    "C": "TQKYKRQAQTDRVSLRNLRGYYNQSEAGSHTLQ",
}
LEAST_ALIKE = 20  # of the 33 residues of the window
SURELY_ALIKE = 28  # so many can be in one place only
USUAL_PLACES = (24 + WINDOW_START - 1, WINDOW_START - 1)  # with the leader, and without
LARGEST = 512 * 1024 * 1024
LONGEST_LINE = 100_000
NUCLEOTIDES = frozenset("ACGTN*.-|")
UNKNOWN = "N*.-|"
ROW = re.compile(r"\s*(?P<name>[A-Z0-9]+\*[0-9:]+[A-Z]?)(?:\s+(?P<sequence>[-A-Z*.|\s]*))?")
NAME_IN_TITLE = re.compile(r"(?<![A-Z0-9])(?P<name>[ABC]\*[0-9:]+[A-Z]?)(?![A-Z0-9])")
RELEASE = re.compile(r"#\s*version:\s*(?P<release>\S.*\S)")


@dataclass(frozen=True, slots=True)
class HlaFile:
    """A file that was read: its name and SHA-256, the release it states (None when it states none), its long forms."""

    name: str
    sha256: str
    release: str | None
    forms: tuple[Form, ...]


def build_reference(
    paths: Sequence[Path], *, release: str | None = None, progress: Progress = lambda done, total: None
) -> Reference:
    """A reference of all alleles of HLA-A, -B and -C in the files.

    Args:
        paths: alignments or FASTA files, plain or gzip.
        release: for files that do not state theirs.
        progress: told how many files are done, and of how many.

    Raises:
        ReferenceRefusal: a file that is neither, states another release, or holds no protein of these loci.
    """
    files: list[HlaFile] = []
    for done, path in enumerate(paths):
        progress(done, len(paths))
        files.append(read_hla_file(path))
    progress(len(paths), len(paths))
    stated = sorted({file.release for file in files if file.release is not None} | ({release} if release else set()))
    if len(stated) > 1:
        raise ReferenceRefusal("release", ", ".join(stated), "are of different releases", "give files of one release")
    if not stated:
        remedy = "say it with --release, such as --release 'IPD-IMGT/HLA 3.58.0'"
        raise ReferenceRefusal("release", None, "is not stated in the files", remedy)
    forms = [form for file in files for form in file.forms]
    return made(stated[0], (f"{file.name} sha256 {file.sha256}" for file in files), collected(_once(forms)))


def _once(forms: Iterable[Form]) -> Iterator[Form]:
    """Each long form once, where two files hold it."""
    seen: dict[str, str] = {}
    for allele, residues in forms:
        if allele.name not in seen:
            seen[allele.name] = residues
            yield allele, residues
        elif residues and seen[allele.name] and seen[allele.name] != residues:
            problem = f"has residues {seen[allele.name]} in one file and {residues} in another"
            raise ReferenceRefusal("allele", allele.name, problem, "give files of one release")


def read_hla_file(path: Path) -> HlaFile:
    """One file's long forms; raises as `build_reference`."""
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if raw[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as unpacked:
                raw = unpacked.read(LARGEST + 1)
        except (OSError, EOFError):
            raise ReferenceRefusal("file", path.name, "is not a whole gzip file", "fetch it again") from None
    if len(raw) > LARGEST:
        raise ReferenceRefusal("file", path.name, "is larger than any protein file of IPD-IMGT/HLA", "check the file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _neither(path.name) from None
    lines = text.splitlines()
    if "\0" in text or any(len(line) > LONGEST_LINE for line in lines):
        raise _neither(path.name)
    found = next((match["release"] for line in lines[:20] if (match := RELEASE.match(line))), None)
    content = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    forms = tuple(_fasta(lines, path.name) if content.startswith(">") else _alignment(lines, path.name))
    if not forms:
        remedy = "give A_prot.txt, B_prot.txt and C_prot.txt, or hla_prot.fasta"
        raise ReferenceRefusal("file", path.name, "holds no protein of HLA-A, -B or -C", remedy)
    if not any(residues for _, residues in forms):
        problem = f"holds residues {FIRST} to {LAST} of no protein"
        raise ReferenceRefusal("file", path.name, problem, "fetch it again, it was cut short")
    return HlaFile(path.name, digest, found, forms)


def _neither(name: str) -> ReferenceRefusal:
    remedy = "give A_prot.txt, B_prot.txt, C_prot.txt or hla_prot.fasta as IPD-IMGT/HLA publishes them"
    return ReferenceRefusal("file", name, "is neither a protein alignment nor a protein FASTA file", remedy)


def _alignment(lines: Sequence[str], name: str) -> Iterator[Form]:
    """Long forms of an alignment, in which `-` is the residue of the first row."""
    sequences: dict[str, list[str]] = {}
    start: int | None = None
    marks: list[int] = []
    numbers: list[int] = []
    for line in lines:
        if line.strip().startswith("Prot") and "*" not in line:
            numbers, marks = [int(number) for number in re.findall(r"-?\d+", line)], []
        elif "|" in line and not line.replace("|", "").strip():
            marks = [place for place, letter in enumerate(line) if letter == "|"]
        elif (match := ROW.fullmatch(line)) is not None:
            own = sequences.setdefault(match["name"], [])
            first = next(iter(sequences)) == match["name"]
            if first and start is None and 1 in numbers and len(marks) > numbers.index(1):
                across = line[match.end("name") : marks[numbers.index(1)]]
                start = sum(map(len, own)) + len("".join(across.replace("|", "").split()))
            own.append("".join((match["sequence"] or "").replace("|", "").split()))
    if not sequences:
        raise _neither(name)
    if start is None:
        problem = "does not mark residue 1"
        raise ReferenceRefusal("file", name, problem, "give the protein alignment (_prot.txt), not that of nucleotides")
    first_row = next(iter(sequences.values()))
    reference = "".join(first_row)
    columns = [place for place in range(start, len(reference)) if reference[place] != "."][FIRST - 1 : LAST]
    if len(columns) < LAST - FIRST + 1:
        problem = f"ends before residue {LAST} of its first row"
        raise ReferenceRefusal("file", name, problem, "fetch it again, it was cut short")
    blocks = 1 + sum(end <= columns[-1] for end in accumulate(map(len, first_row)))
    for allele, parts in sequences.items():
        if len(parts) < blocks and not allele.endswith("N"):
            problem = f"ends before residue {LAST} of {allele}"
            raise ReferenceRefusal("file", name, problem, "fetch it again, it was cut short")
        known, sequence = _allele(allele), "".join(parts)
        if known is not None:
            read = (sequence[place] if place < len(sequence) else "*" for place in columns)
            residues = "".join(
                reference[place] if letter == "-" else letter for place, letter in zip(columns, read, strict=True)
            )
            yield known, residues if residues.isalpha() and "X" not in residues else ""


def _fasta(lines: Sequence[str], name: str) -> Iterator[Form]:
    """Long forms of a FASTA file, each placed against the reference of its locus."""
    title, parts = "", list[str]()
    for line in [*lines, ">"]:
        if not line.startswith(">"):
            parts.append(line.strip().upper())
            continue
        named = NAME_IN_TITLE.search(title)
        if named is not None and (allele := _allele(named["name"])) is not None:
            sequence = "".join(parts)
            if sequence.strip(UNKNOWN) and set(sequence) <= NUCLEOTIDES:
                problem = f"holds nucleotides ({allele.name})"
                raise ReferenceRefusal("file", name, problem, "give the protein file, hla_prot.fasta")
            yield allele, residues_of(allele.locus, sequence)
        title, parts = line, []


@lru_cache(maxsize=65_536)  # many long forms are of one protein
def residues_of(locus: str, protein: str) -> str:
    """Residues 76 to 83 of a protein, its leader there or not; empty where it cannot be placed."""
    window = WINDOWS[locus]
    place = next((start for start in USUAL_PLACES if _alike(window, protein, start) >= SURELY_ALIKE), None)
    if place is None:
        place = max(range(len(protein)), key=lambda start: _alike(window, protein, start), default=0)
    if _alike(window, protein, place) < LEAST_ALIKE:
        return ""
    residues = protein[place + FIRST - WINDOW_START : place + LAST + 1 - WINDOW_START]
    return residues if residues.isalpha() and "X" not in residues else ""


def _alike(window: str, protein: str, start: int) -> int:
    """How many residues of the window are those of the protein from there on."""
    return sum(map(eq, window, protein[start : start + len(window)]))


def _allele(name: str) -> HlaAllele | None:
    """The allele of that name; None for another locus."""
    if name[:2] not in ("A*", "B*", "C*"):
        return None
    try:
        return parse_allele(name)
    except BadName:
        return None
