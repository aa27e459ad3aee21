"""Names of HLA alleles, of every age and resolution, read into their parts.

One *designation* is one name as a laboratory writes it: an allele (`C*07:02:01:03N`), a family (`C*07`, `Cw7`), a
group of alleles alike in the part that binds peptide (`C*07:02P`, `C*07:02:01G`, `C*07:02g`), or a code that stands
for a list (`C*07:AB`). What a designation may stand for is told by `hla_typing`; nothing here knows a reference.
Source: Marsh et al. (2010), Tissue Antigens 75:291-455; hla.alleles.org/nomenclature.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from equipoise.refusals import Refusal

Kind = Literal["allele", "family", "p-group", "g-group", "code"]
LOCI = ("A", "B", "C")
SUFFIXES = "NLSCAQ"
"""N not expressed, L low, S secreted, C in the cytoplasm, A aberrant, Q questionable."""

# Antigens whose number is not that of the allele family, and the broad ones, with the families they may be of.
SEROLOGY: dict[str, dict[str, tuple[str, ...]]] = {
    "A": {
        "9": ("23", "24"), "10": ("25", "26", "34", "66"), "19": ("29", "30", "31", "32", "33", "74"),
        "28": ("68", "69"), "203": ("02",), "210": ("02",), "2403": ("24",),
    },
    "B": {
        "5": ("51", "52"), "12": ("44", "45"), "16": ("38", "39"), "17": ("57", "58"), "21": ("49", "50"),
        "22": ("54", "55", "56"), "60": ("40",), "61": ("40",), "62": ("15",), "63": ("15",), "64": ("14",),
        "65": ("14",), "70": ("15",), "71": ("15",), "72": ("15",), "75": ("15",), "76": ("15",), "77": ("15",),
        "703": ("07",), "2708": ("27",), "3901": ("39",), "3902": ("39",), "4005": ("40",), "5102": ("51",),
        "5103": ("51",),
    },
    "C": {"9": ("03",), "10": ("03",)},
}  # fmt: skip
OVERFLOWED = {("A", "92"): "02", ("B", "95"): "15"}  # families that held the hundredth and later alleles before 2010

_PREFIX = re.compile(r"(?:HLA-?)?(?P<locus>A|B|CW|C)?(?P<star>\*?)(?P<rest>.*)")
_FIELDS = re.compile(r"(?P<fields>[0-9]{2}(?::(?:[0-9]{2}|[1-9][0-9]{2,3})){1,3})(?P<suffix>[A-Z]?)")
_FAMILY = re.compile(r"(?P<family>[0-9]{2})(?::?XX)?")
_CODE = re.compile(r"(?P<family>[0-9]{2}):?(?P<code>[A-Z]{2,8})")
_OLD = re.compile(r"(?P<digits>[0-9]{3,8})(?P<suffix>[A-Z]?)")
_OTHER_LOCUS = re.compile(r"(?:HLA-?)?(?P<locus>[A-Z]+[0-9]*)\*")
_EPITOPE = re.compile(r"(?:HLA-?)?BW[46](?![0-9]).*")


class BadName(Refusal):
    """A text that names no HLA allele, or names one ambiguously."""


@dataclass(frozen=True, slots=True, order=True)
class HlaAllele:
    """An allele by its locus, two to four fields and suffix, such as C, (07, 02, 01, 03) and N."""

    locus: str
    fields: tuple[str, ...]
    suffix: str = ""

    def __post_init__(self) -> None:
        assert self.locus in LOCI, self.locus
        assert 2 <= len(self.fields) <= 4, self.fields
        assert self.suffix == "" or self.suffix in SUFFIXES, self.suffix

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.locus}*{':'.join(self.fields)}{self.suffix}"

    @property
    def family(self) -> str:
        """The first field."""
        return self.fields[0]

    @property
    def protein(self) -> str:
        """The first two fields without a suffix: the protein that is made when it is expressed."""
        return f"{self.locus}*{self.fields[0]}:{self.fields[1]}"


@dataclass(frozen=True, slots=True)
class Designation:
    """One name as it was written: its text, locus, and what it names by `kind`.

    `allele` is there for an allele and for the first member of a P or G group, `families` for a family or an antigen,
    `code` for a code of several alleles within `families[0]`.
    """

    text: str
    locus: str
    kind: Kind
    allele: HlaAllele | None = None
    families: tuple[str, ...] = ()
    code: str = ""


def parse_designation(text: str, locus: str | None = None) -> Designation:
    """Read one name.

    Args:
        text: such as `C*07:02`, `Cw*0702`, `Cw7`, `HLA-C*07:02:01G`; a column's locus may be left out, and letters and
            digits of full width are read as the plain ones.
        locus: that of the column where it stands; None when the name must say it.

    Raises:
        BadName: naming what is wrong and the nearest right form.
    """
    field = f"HLA-{locus}" if locus else "HLA"
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()
    if _EPITOPE.fullmatch(plain):
        raise BadName(field, text, "is an epitope that several alleles carry, not an allele", "give the alleles")
    other = _OTHER_LOCUS.match(plain)
    if other is not None and other["locus"] not in (*LOCI, "CW"):
        raise BadName(field, text, f"is a name of HLA-{other['locus']}", "give alleles of HLA-A, -B and -C")
    match = _PREFIX.fullmatch(plain)
    assert match is not None, "the pattern takes any text"
    said = match["locus"] and match["locus"][0]
    rest = match["rest"]
    if said is None and locus is None:
        raise BadName(field, text, "does not say its locus", "write it as A*, B* or C*, such as C*07:02")
    if said is not None and locus is not None and said != locus:
        raise BadName(field, text, f"is a name of HLA-{said}", f"move it to the column of HLA-{said}")
    where = said or locus
    assert where is not None
    antigen = said is not None and not match["star"] and ":" not in rest
    found = _read(text, where, rest, antigen=antigen)
    if found is None:
        raise BadName(field, text, "is not the name of an HLA allele", _nearest(where, rest))
    return found


def parse_allele(text: str, locus: str | None = None) -> HlaAllele:
    """Read the name of one allele with two fields or more.

    Raises:
        BadName: also when the name is a family, a group or a code.
    """
    found = parse_designation(text, locus)
    if found.kind != "allele" or found.allele is None:
        raise BadName(f"HLA-{found.locus}", text, "does not name one allele", "give two fields, such as C*07:02")
    return found.allele


def _read(text: str, locus: str, rest: str, *, antigen: bool) -> Designation | None:
    if match := _FIELDS.fullmatch(rest):
        return _of_fields(text, locus, tuple(match["fields"].split(":")), match["suffix"])
    if antigen and (named := _antigen(locus, rest)) is not None:
        return Designation(text, locus, "family", families=named)
    if match := _FAMILY.fullmatch(rest):
        return Designation(text, locus, "family", families=(match["family"],))
    if match := _CODE.fullmatch(rest):
        return Designation(text, locus, "code", families=(match["family"],), code=match["code"])
    if match := _OLD.fullmatch(rest):
        return _old(text, locus, match["digits"], match["suffix"])
    return None


def _of_fields(text: str, locus: str, fields: tuple[str, ...], suffix: str) -> Designation | None:
    if suffix == "P" and len(fields) == 2:
        return Designation(text, locus, "p-group", HlaAllele(locus, fields))
    if suffix == "G" and len(fields) in (2, 3):
        return Designation(text, locus, "g-group", HlaAllele(locus, fields))
    if suffix and suffix not in SUFFIXES:
        return None
    return Designation(text, locus, "allele", HlaAllele(locus, fields, suffix))


def _antigen(locus: str, number: str) -> tuple[str, ...] | None:
    """The families of an antigen, such as 7 of Cw7; None where the text is no antigen."""
    if number in SEROLOGY[locus]:
        return SEROLOGY[locus][number]
    return (number.zfill(2),) if re.fullmatch(r"[0-9]{1,2}", number) else None


def _old(text: str, locus: str, digits: str, suffix: str) -> Designation | None:
    """A name of before 2010, without colons: two digits a field."""
    if len(digits) % 2:
        problem = "could be read with its digits divided in more than one way"
        example = f", such as {locus}*{digits[:2]}:{digits[2:]}" if len(digits) == 5 else " between its fields"
        raise BadName(f"HLA-{locus}", text, problem, f"write it with colons{example}")
    fields = tuple(digits[place : place + 2] for place in range(0, len(digits), 2))
    if (locus, fields[0]) in OVERFLOWED:
        family = OVERFLOWED[locus, fields[0]]
        problem = f"is of a family that became part of {locus}*{family} in 2010"
        raise BadName(f"HLA-{locus}", text, problem, f"look up its name today, {locus}*{family}:1..")
    return _of_fields(text, locus, fields, suffix)


def _nearest(locus: str, rest: str) -> str:
    """What to do about a text that is nearly a name."""
    parts = re.findall(r"[0-9]+", rest)
    fields = ":".join(part.lstrip("0").zfill(2) for part in parts)
    if _FIELDS.fullmatch(fields) and "00" not in fields.split(":"):
        return f"did you mean {locus}*{fields}?"
    if len(parts) == 1 and len(parts[0]) <= 2:
        return f"did you mean {locus}*{parts[0].zfill(2)}?"
    return f"write it as locus, star and fields, such as {locus}*07:02, or leave it empty when it was not typed"
