"""Names for events: the trial's own short list, or a dictionary that the user has a licence for.

No content of a licensed dictionary comes with the program. MedDRA is read from the user's own ASCII files (`llt.asc`,
`pt.asc`, `mdhier.asc`, fields between `$`), another dictionary from a CSV file with the columns code, name, system.
What is stored with an event is the code, the names and the version.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from equipoise.protocol.safety import AdverseEventRules
from equipoise.refusals import Refusal

LLT_CODE, LLT_NAME, LLT_PT, LLT_CURRENCY = 0, 1, 2, 9
PT_CODE, PT_NAME = 0, 1
HIER_PT, HIER_HLT_NAME, HIER_HLGT_NAME, HIER_SOC_NAME, HIER_PRIMARY = 0, 5, 6, 7, 11
COLUMNS = ["code", "name", "system"]
OWN = "trial"


class DictionaryRefused(Refusal):
    """A dictionary's file that cannot be read, or a term that is not in it."""


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A term with its place in a dictionary.

    Args:
        code: the dictionary's code of the term itself.
        name: the term.
        preferred: the name under which it is counted.
        preferred_code: that name's code.
        system: the system that it belongs to (in MedDRA the primary system organ class); empty when not known.
        groups: names between the two, from narrow to wide.
        dictionary: whose term it is.
        version: of which version.
        current: whether the dictionary still recommends it.
    """

    code: str
    name: str
    preferred: str
    preferred_code: str
    system: str
    dictionary: str
    version: str
    groups: tuple[str, ...] = ()
    current: bool = True


@dataclass(frozen=True)
class Dictionary:
    """Terms by code and by name, in any case of letters."""

    name: str
    version: str
    terms: Mapping[str, CodedTerm]
    _by_name: dict[str, CodedTerm] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """A current term is found before one of the same name that is not."""
        ordered = sorted(self.terms.values(), key=lambda term: term.current)
        object.__setattr__(self, "_by_name", {term.name.casefold(): term for term in ordered})

    def find(self, text: str) -> CodedTerm:
        """The term of that code or name.

        Raises:
            DictionaryRefused: when there is none.
        """
        found = self.terms.get(text.strip()) or self._by_name.get(text.strip().casefold())
        if found is None:
            problem = f"is neither a code nor a name of {self.name} {self.version}"
            raise DictionaryRefused("term", text, problem, "look the term up, and give its code or its whole name")
        return found


def own_dictionary(rules: AdverseEventRules, version: str) -> Dictionary:
    """The trial's own list, `terms` with `systems`; the version is that of the protocol."""
    terms = {
        code: CodedTerm(code, name, name, code, rules.systems.get(code, ""), OWN, version)
        for code, name in rules.terms.items()
    }
    return Dictionary(OWN, version, terms)


def read_meddra(folder: Path, version: str) -> Dictionary:
    """MedDRA from the folder of its ASCII files.

    Args:
        folder: holds `llt.asc`, `pt.asc` and `mdhier.asc`, in UTF-8.
        version: as the subscription names it, such as 27.1: the files do not say.

    Raises:
        DictionaryRefused: when the version is blank, a file is not there or not UTF-8, a line is too short, or a
            term leads to a preferred term that is not there.
    """
    _check_version(version)
    names = {row[PT_CODE]: row[PT_NAME] for _, row in _rows(folder / "pt.asc", PT_NAME + 1)}
    places = {
        row[HIER_PT]: (row[HIER_SOC_NAME], (row[HIER_HLT_NAME], row[HIER_HLGT_NAME]))
        for _, row in _rows(folder / "mdhier.asc", HIER_PRIMARY + 1)
        if row[HIER_PRIMARY] == "Y"
    }
    terms = {}
    for line, row in _rows(folder / "llt.asc", LLT_CURRENCY + 1):
        preferred = row[LLT_PT]
        if preferred not in names or preferred not in places:
            missing = "pt.asc" if preferred not in names else "the primary paths of mdhier.asc"
            remedy = "take all three files of one version"
            raise DictionaryRefused(
                f"llt.asc:{line}", preferred, f"is a preferred term that is not in {missing}", remedy
            )
        system, groups = places[preferred]
        terms[row[LLT_CODE]] = CodedTerm(
            row[LLT_CODE], row[LLT_NAME], names[preferred], preferred, system, "MedDRA", version, groups,
            current=row[LLT_CURRENCY] == "Y",
        )  # fmt: skip
    return Dictionary("MedDRA", version, terms)


def read_terms(path: Path, name: str, version: str) -> Dictionary:
    """A dictionary from a CSV file with the columns code, name, system.

    Raises:
        DictionaryRefused: when the version is blank, the file is not there or not UTF-8, its columns are others, a
            code or a name is blank, or a code stands twice.
    """
    _check_version(version)
    rows = csv.reader(_text_of(path).splitlines())
    header = [cell.strip() for cell in next(rows, [])]
    if header != COLUMNS:
        remedy = f"begin it with the line {','.join(COLUMNS)}"
        raise DictionaryRefused(f"{path.name}:1", ",".join(header), "are not the columns of a dictionary", remedy)
    terms: dict[str, CodedTerm] = {}
    for line, row in enumerate(rows, start=2):
        code, term, system = _cells(path, line, row)
        if code in terms:
            raise DictionaryRefused(f"{path.name}:{line}", code, "is a code that stands twice", "keep one of the lines")
        terms[code] = CodedTerm(code, term, term, code, system, name, version)
    return Dictionary(name, version, terms)


def _cells(path: Path, line: int, row: Sequence[str]) -> tuple[str, str, str]:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(COLUMNS) or not all(cells[:2]):
        remedy = "give code, name and system; only the system may be blank"
        raise DictionaryRefused(f"{path.name}:{line}", ",".join(cells), "is not a whole line", remedy)
    return cells[0], cells[1], cells[2]


def _check_version(version: str) -> None:
    if not version.strip():
        raise DictionaryRefused("version", None, "is blank", "say of which version the files are")


def _rows(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(_text_of(path).splitlines(), start=1):
        cells = text.split("$")
        if len(cells) < width:
            problem = f"has {len(cells)} fields between $ where {width} are needed"
            raise DictionaryRefused(f"{path.name}:{line}", text, problem, "take the file as it was delivered")
        yield line, cells


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise DictionaryRefused("file", path, problem, "name the folder or file of the dictionary") from None
    except UnicodeDecodeError as error:
        raise DictionaryRefused("file", path, f"byte {error.start + 1} is not UTF-8", "save it as UTF-8") from None
