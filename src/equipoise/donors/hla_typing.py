"""What one cell of a typing report may stand for: a list of proteins, whole families, or several genotypes.

Ambiguity is kept: nothing is chosen. A GL String (Milius et al. 2013, Tissue Antigens 82:106) divides by `^` loci, by
`|` genotypes, by `+` gene copies, by `~` phase and by `/` alleles; a code of several alleles (MAC) is read through the
file that the user has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from equipoise.donors.hla_names import BadName, Designation, HlaAllele, parse_designation
from equipoise.refusals import Refusal

UNTYPED = frozenset({"", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "."}) | {
    "x", "blank", "na", "n/a", "nt", "not typed", "unknown",
}  # fmt: skip
LONGEST = 100_000
MOST_CODES = 5_000_000


class MacRefusal(Refusal):
    """A file of codes that cannot be read, or a code that it lacks."""


@dataclass(frozen=True)
class MacCodes:
    """Codes that stand for several alleles (National Marrow Donor Program), from the user's own file.

    A code's list holds second fields (`01/02`) or whole names of two fields (`01:01/02:01`).
    """

    lists: Mapping[str, tuple[str, ...]]
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", MappingProxyType(dict(self.lists)))

    def expanded(self, designation: Designation) -> tuple[HlaAllele, ...]:
        """The alleles that a code stands for.

        Raises:
            MacRefusal: when the file lacks the code, or its list has no allele of the family that stands before it.
        """
        members = self.lists.get(designation.code)
        where, family = self.name or "the file of codes", designation.families[0]
        if members is None:
            raise self._refused(designation, f"is a code that {where} does not hold", "use a newer file")
        names = [tuple(member.split(":")) if ":" in member else (family, member) for member in members]
        if family not in {fields[0] for fields in names}:
            problem = f"is a code for {'/'.join(members)}, none of family {family}"
            raise self._refused(designation, problem, "check the name")
        return tuple(HlaAllele(designation.locus, fields) for fields in names)

    @staticmethod
    def _refused(designation: Designation, problem: str, remedy: str) -> MacRefusal:
        return MacRefusal(f"HLA-{designation.locus}", designation.text, problem, f"{remedy}, or list the alleles")


def read_mac_codes(path: Path) -> MacCodes:
    """Codes from a file of lines `*` or blank, code, list; or `code list`, divided by tabs or spaces.

    Raises:
        MacRefusal: when no line is such a line.
    """
    lists: dict[str, tuple[str, ...]] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            parts = line.split()
            parts = parts[1:] if parts[:1] == ["*"] else parts
            if len(parts) == 2 and re.fullmatch(r"[A-Z]{2,8}", parts[0]):
                members = tuple(parts[1].split("/"))
                if all(re.fullmatch(r"(?:[0-9]{2}:)?[0-9]{2,4}", member) for member in members):
                    lists[parts[0]] = members
            if len(lists) > MOST_CODES:
                raise MacRefusal("mac", path, "holds more codes than there are", "check the file")
    if not lists:
        problem = "holds no code of several alleles"
        raise MacRefusal("mac", path, problem, "give the file of codes, a line each: AB, a tab, 01/02")
    return MacCodes(lists, path.name)


@dataclass(frozen=True, slots=True)
class HlaTyping:
    """What one gene copy may be.

    `text` is as entered; `alleles` the proteins it may be, families apart; `families` first fields of which it may be
    any allele. Both are empty where it was not typed. `warnings` are about what was entered.
    """

    text: str
    locus: str
    alleles: tuple[HlaAllele, ...] = ()
    families: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def typed(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.alleles or self.families)


@dataclass(frozen=True, slots=True)
class LocusTyping:
    """A person's typing of one locus: the genotypes that it may be, each of two copies."""

    locus: str
    texts: tuple[str, str]
    genotypes: tuple[tuple[HlaTyping, HlaTyping], ...]
    warnings: tuple[str, ...] = field(default=())

    @property
    def typed(self) -> bool:
        """Whether both copies are known in every genotype."""
        return all(copy.typed for genotype in self.genotypes for copy in genotype)


def parse_typing(text: str, locus: str, *, mac: MacCodes | None = None) -> HlaTyping:
    """Read one gene copy: one name, or several divided by `/`.

    Args:
        text: such as `C*07:02/07:04`; empty, `-` or `blank` when it was not typed.
        locus: A, B or C.
        mac: the user's codes of several alleles.

    Raises:
        BadName: a name that is none, or a genotype where one copy is wanted.
        MacRefusal: a code that cannot be looked up.
    """
    if len(text) > LONGEST:
        raise BadName(f"HLA-{locus}", text, "is too long to be a typing", "check the cell")
    plain = text.strip()
    if plain.lower() in UNTYPED:
        given = (f"HLA-{locus}: '{plain}' is taken as not typed, not as a second copy of the first",) if plain else ()
        return HlaTyping(text, locus, warnings=given)
    if re.search(r"[|+^~]", plain):
        raise BadName(f"HLA-{locus}", text, "holds a whole genotype", "put it in the first column alone")
    alleles: list[HlaAllele] = []
    families: list[str] = []
    warnings: list[str] = []
    before: HlaAllele | None = None
    for name in plain.split("/"):
        if not name.strip():
            raise BadName(f"HLA-{locus}", plain, "has an empty place in its list", "take out the / that is too much")
        found = parse_designation(_whole(name, before, locus), locus)
        if found.allele is not None:
            before = found.allele
            alleles.append(found.allele)
        if found.kind == "family":
            families.extend(found.families)
        elif found.kind == "code":
            alleles.extend(_expanded(found, mac))
        elif found.kind == "g-group":
            warnings.append(f"{found.text}: a G group may hold alleles that are not expressed; counted as expressed")
    return HlaTyping(text, locus, tuple(dict.fromkeys(alleles)), tuple(dict.fromkeys(families)), tuple(warnings))


def _whole(name: str, before: HlaAllele | None, locus: str) -> str:
    """A member of a list that leaves out its family, such as the 04 of `C*07:02/04`, written out.

    Four digits, or three with a nought first, are a whole name of before 2010, as in `Cw*0702/0704`.
    """
    if before is None or not re.fullmatch(r"\s*(?:[0-9]{2}|[1-9][0-9]{2})[NLSCAQ]?\s*", name):
        return name
    if len(before.fields) > 2:
        problem = f"could be any field of an allele beside {before.name}"
        raise BadName(f"HLA-{locus}", name.strip(), problem, "write each name of the list in full")
    return f"{before.family}:{name.strip()}"


def _expanded(found: Designation, mac: MacCodes | None) -> tuple[HlaAllele, ...]:
    if mac is None:
        problem = "is a code for several alleles"
        raise MacRefusal(
            f"HLA-{found.locus}", found.text, problem, "name the file of codes with --mac, or list the alleles"
        )
    return mac.expanded(found)


Reader = Callable[[str, str], HlaTyping]
"""Reads one gene copy from its text and locus, as `parse_typing`."""


def parse_locus(first: str, second: str, locus: str, *, read: Reader = parse_typing) -> LocusTyping:
    """Read a locus from its two cells; a GL String stands in the first alone.

    Args:
        first: the first cell.
        second: the second.
        locus: A, B or C.
        read: what reads one copy.

    Raises:
        BadName, MacRefusal: as `parse_typing`.
    """
    if not re.search(r"[|+^~]", first):
        copies = (read(first, locus), read(second, locus))
        return LocusTyping(locus, (first, second), (copies,))
    if second.strip().lower() not in UNTYPED:
        problem = "stands beside a whole genotype"
        raise BadName(f"HLA-{locus}", second, problem, "leave the second column empty")
    genotypes = [
        genotype
        for block in first.split("^")
        for text in block.split("|")
        if (genotype := _genotype(text, locus, read)) is not None
    ]
    if not genotypes:
        raise BadName(f"HLA-{locus}", first, f"holds no genotype of HLA-{locus}", "check the column")
    return LocusTyping(locus, (first, second), tuple(genotypes))


def _genotype(text: str, locus: str, read: Reader) -> tuple[HlaTyping, HlaTyping] | None:
    """The two copies of a locus in one genotype; None where it is of other loci."""
    copies = []
    for copy in text.split("+"):
        own = [part for part in copy.split("~") if _is_of(part, locus)]
        if len(own) > 1:
            raise BadName(f"HLA-{locus}", copy, "has two alleles of one gene on one chromosome", "divide copies by +")
        if own:
            copies.append(read(own[0], locus))
    if not copies:
        return None
    if len(copies) > 2:
        raise BadName(f"HLA-{locus}", text, f"has {len(copies)} copies of one gene", "give two")
    if len(copies) == 1:
        copies.append(HlaTyping("", locus))
    return copies[0], copies[1]


def _is_of(part: str, locus: str) -> bool:
    """Whether a part of a GL String is of the locus; one that does not say its locus is of the column's."""
    match = re.match(r"\s*(?:HLA-?)?(?P<locus>[A-Z]+\d*)\*", part.upper())
    return match is None or match["locus"] in (locus, f"{locus}W")
