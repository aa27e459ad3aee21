"""The residues and expression of each HLA allele: what ligand groups are read from.

A short list of common alleles comes with the package; a reference of every allele is built by the user from the files
of IPD-IMGT/HLA (`hla_files`) and written as one text file that carries its release, its sources and its own checksum.
Terms: *long form* (a name of three or four fields), *motif* (residues 76 to 83).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from equipoise.donors.hla_names import BadName, HlaAllele, parse_allele
from equipoise.donors.ligand_rules import RESIDUES, Group, ligand_group
from equipoise.refusals import Refusal

TITLE = "# equipoise ligand reference 1"
HEAD = ("allele", "motifs", "expression", "long_forms")
LARGEST_FILE = 64 * 1024 * 1024
NORMAL = "normal"


class ReferenceRefusal(Refusal):
    """A ligand reference, or a file to build one from, that cannot be read."""


@dataclass(frozen=True)
class Entry:
    """What is known of one protein: its name, with a suffix that every long form has, and its motifs.

    `motifs` are those of its expressed long forms, the commonest first; empty where residues 76 to 83 are not known.
    `expression` is `normal`, a suffix, or `mixed:` and the suffixes that only some long forms have.
    """

    allele: str
    motifs: tuple[str, ...]
    expression: str
    long_forms: int

    @property
    def suffix(self) -> str:
        """The suffix that every long form has; empty when there is none."""
        return self.expression if len(self.expression) == 1 else ""

    @property
    def locus(self) -> str:
        """A, B or C."""
        return self.allele[0]

    @property
    def family(self) -> str:
        """The first field."""
        return self.allele[2:4]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups of its motifs, the commonest first; one unless its long forms differ."""
        if self.suffix == "N":
            return ("null",)
        motifs = self.motifs or ("",)
        return tuple(dict.fromkeys(ligand_group(self.locus, self.family, motif) for motif in motifs))


@dataclass(frozen=True)
class Reference:
    """Alleles by protein, and where they come from.

    Args:
        release: such as `IPD-IMGT/HLA 3.58.0`.
        sources: the files that it was built from, each with its SHA-256.
        entries: by protein, such as `C*07:02`, without a suffix.
        families: groups of a family's expressed alleles by (locus, first field) where they are known of more alleles
            than `entries` holds; None when the entries are all there are.
    """

    release: str
    sources: tuple[str, ...]
    entries: Mapping[str, Entry]
    families: Mapping[tuple[str, str], frozenset[Group]] | None = None
    sha256: str = field(default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", MappingProxyType(dict(self.entries)))
        if self.families is not None:
            object.__setattr__(self, "families", MappingProxyType(dict(self.families)))

    def entry(self, allele: HlaAllele) -> Entry | None:
        """What is known of the allele's protein."""
        return self.entries.get(allele.protein)

    @property
    def complete(self) -> bool:
        """Whether it holds every allele of its release."""
        return self.families is None

    @cached_property
    def by_family(self) -> Mapping[tuple[str, str], tuple[Entry, ...]]:
        """The entries of each family."""
        found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self.entries.values():
            found[entry.locus, entry.family].append(entry)
        return {key: tuple(entries) for key, entries in found.items()}

    def family_groups(self, locus: str, family: str) -> frozenset[Group]:
        """The groups that occur among the expressed alleles of a family; empty when there is no such family."""
        if self.families is not None:
            return self.families.get((locus, family), frozenset())
        entries = self.by_family.get((locus, family), ())
        return frozenset(group for entry in entries for group in entry.groups if group != "null")

    @property
    def title(self) -> str:
        """How results name it: the release, and the start of its checksum."""
        kind = "" if self.complete else ", common alleles"
        return f"{self.release}{kind} (sha256 {self.sha256[:12]})"


def collected(forms: Iterable[tuple[HlaAllele, str]]) -> dict[str, Entry]:
    """Long forms with their residues, brought together by protein.

    Args:
        forms: each allele and its residues 76 to 83, empty where they are not all known.
    """
    by_protein: dict[str, list[tuple[HlaAllele, str]]] = defaultdict(list)
    for allele, residues in forms:
        by_protein[allele.protein].append((allele, residues))
    return {protein: _entry(protein, own) for protein, own in sorted(by_protein.items(), key=_order)}


def _order(item: tuple[str, object]) -> tuple[str, int, int]:
    first, _, second = item[0][2:].partition(":")
    return item[0][0], int(first), int(second)


def _entry(protein: str, forms: list[tuple[HlaAllele, str]]) -> Entry:
    suffixes = Counter(allele.suffix for allele, _ in forms)
    if len(suffixes) == 1:
        (only,) = suffixes
        expression = only or NORMAL
    else:
        expression = "mixed:" + "/".join(sorted(suffix for suffix in suffixes if suffix))
    expressed = [residues for allele, residues in forms if allele.suffix != "N" and residues]
    known = expressed or [residues for _, residues in forms if residues]
    motifs = tuple(motif for motif, _ in sorted(Counter(known).items(), key=lambda found: (-found[1], found[0])))
    return Entry(protein + (expression if len(expression) == 1 else ""), motifs, expression, len(forms))


def reference_text(reference: Reference) -> str:
    """The reference as the text of its file."""
    body = _body(reference.entries.values())
    heads = [TITLE, f"# release: {reference.release}", *(f"# source: {source}" for source in reference.sources)]
    return "\n".join([*heads, f"# sha256: {_digest(body)}", body])


def _body(entries: Iterable[Entry]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(HEAD)
    for entry in entries:
        writer.writerow([entry.allele, "|".join(entry.motifs), entry.expression, entry.long_forms])
    return lines.getvalue()


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def made(release: str, sources: Iterable[str], entries: Mapping[str, Entry]) -> Reference:
    """A reference with its checksum."""
    return Reference(release, tuple(sources), entries, sha256=_digest(_body(entries.values())))


def read_reference(path: Path) -> Reference:
    """A reference from its file.

    Raises:
        ReferenceRefusal: when it is no such file, or was changed since it was written.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise ReferenceRefusal(
            "reference", path, "is too large to be a ligand reference", "name the file that you built"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _not_one(path) from None
    return parse_reference(text, path.name)


def parse_reference(text: str, name: str) -> Reference:
    """A reference from the text that `reference_text` gives; raises as `read_reference`."""
    lines = text.replace("\r\n", "\n").split("\n")
    heads = [line for line in lines if line.startswith("#")]
    if not heads or heads[0] != TITLE:
        raise _not_one(name)
    said = [line[2:].partition(": ") for line in heads[1:]]
    named = {key: value for key, _, value in said}
    body = "\n".join(line for line in lines if not line.startswith("#"))
    if "release" not in named or named.get("sha256") != _digest(body):
        problem = "was changed since it was written, or cut short"
        raise ReferenceRefusal("reference", name, problem, "build it again with `equipoise hla build`")
    entries: dict[str, Entry] = {}
    for row in csv.DictReader(io.StringIO(body)):
        try:
            allele = parse_allele(row["allele"])
            motifs = tuple(filter(None, row["motifs"].split("|")))
            entry = Entry(row["allele"], motifs, row["expression"], int(row["long_forms"]))
        except (BadName, KeyError, TypeError, ValueError, AttributeError):
            raise _not_one(name) from None
        if any(len(motif) != RESIDUES for motif in motifs):
            raise _not_one(name)
        entries[allele.protein] = entry
    sources = tuple(value for key, _, value in said if key == "source")
    return Reference(named["release"], sources, entries, sha256=named["sha256"])


def _not_one(name: object) -> ReferenceRefusal:
    return ReferenceRefusal("reference", name, "is not a ligand reference", "build one with `equipoise hla build`")


@lru_cache(maxsize=1)
def builtin_reference() -> Reference:
    """The common alleles that come with the package, and the groups that occur in each family."""
    folder = resources.files("equipoise.donors")
    reference = parse_reference((folder / "common_alleles.csv").read_text(encoding="utf-8"), "common_alleles.csv")
    families: dict[tuple[str, str], frozenset[Group]] = {}
    text = (folder / "allele_families.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        families[row["locus"], row["family"]] = frozenset(row["groups"].split())  # type: ignore[arg-type]
    return Reference(reference.release, reference.sources, reference.entries, families, reference.sha256)
